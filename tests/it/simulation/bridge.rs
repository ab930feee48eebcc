//! A process of the bridge: its real parts on a simulated world, stepped.

use super::fakes::{SharedWorld, SimulatedApi, SimulatedDestination};
use super::world::Fault;
use crate::harness::faulty::{FaultPlan, FaultyStore, StoreFault};
use review_bridge::app::StoreBudget;
use review_bridge::clock::{Clock, StepWatch};
use review_bridge::config;
use review_bridge::destination::Destination;
use review_bridge::domain::Timestamp;
use review_bridge::intake::{Audience, Plan};
use review_bridge::operator::Operator;
use review_bridge::outbox::{Acknowledger, Digester, Dispatcher, Janitor, Target, Targets};
use review_bridge::poller::{Poller, Tick};
use review_bridge::store::{SharedStore, StoreError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// The rules and manners of the simulated bridge. Its destinations stand in for the simulated ones, whose
/// settings they give.
pub const CONFIG: &str = r#"
[accounts.main]
token = "simulated"
poll_interval = "10m"
backfill = "all"
max_age = "36500d"
requests_per_minute = 30
[destinations.support]
type = "webhook"
url = "http://127.0.0.1:9/"
rate_limit = "1/s"
[destinations.people]
type = "webhook"
url = "http://127.0.0.1:9/"
burst = { limit = 2, window = "10m" }
[destinations.crm]
type = "webhook"
url = "http://127.0.0.1:9/"
skip_if_read = true
burst = { limit = 3, window = "1h" }
[destinations.owner]
type = "webhook"
url = "http://127.0.0.1:9/"
digest = { schedule = "0 8 * * *", timezone = "Europe/Amsterdam" }
[destinations.ops]
type = "webhook"
url = "http://127.0.0.1:9/"
[operator]
notify = ["ops"]
[[rules]]
name = "bad"
when = { max_rating = 2, changes = ["new", "rating", "text_added", "text"] }
to = ["support", "people"]
[[rules]]
name = "with words"
when = { has_text = true, changes = ["new", "rating", "text_added", "text"] }
to = ["crm"]
[[rules]]
name = "every morning"
when = { min_rating = 4, changes = ["new", "rating", "text_added", "text"] }
to = ["owner"]
"#;

/// What does not change over the process's lives: the configuration, read once.
pub struct Ground {
    pub settings: config::Settings,
    pub store: SharedStore,
    pub world: SharedWorld,
}

/// A process.
pub struct Bridge {
    clock: Clock,
    plan: Plan,
    targets: Targets,
    poller: Poller,
    acknowledger: Acknowledger,
    dispatcher: Dispatcher,
    digester: Digester,
    operator: Operator,
    operator_at: Duration,
    janitor: Janitor,
    steps: StepWatch,
    store: SharedStore,
    world: SharedWorld,
}

/// What makes calls of the state fail, as the world draws it.
fn plan(world: SharedWorld) -> FaultPlan {
    Box::new(move |_| {
        let mut world = world.lock().unwrap();
        // A process makes thousands of calls where it sends one message.
        let chance = world.state_random.f64();
        if world.calm || chance > world.malice / 100.0 {
            return None;
        }
        let before = world.state_random.bool();
        world.count(if before { Fault::StoreBefore } else { Fault::StoreAfter });
        Some(if before { StoreFault::Before } else { StoreFault::After })
    })
}

impl Bridge {
    /// Starts a process, as `App` does.
    pub async fn start(ground: &Ground, life: u64) -> Result<Self, StoreError> {
        let world = ground.world.clone();
        let store: SharedStore = Arc::new(FaultyStore::new(ground.store.clone(), plan(world.clone())));
        let clock = world.lock().unwrap().clock.steady();
        let targets = targets(ground);
        let now = clock.now();
        store.recover(now).await?;
        let configured: Vec<String> = targets.by_name.keys().cloned().collect();
        store.dead_letter_orphans(&configured, now).await?;
        store.regroup(&targets.digests(), now).await?;
        let digester = Digester::new(store.clone(), &targets, now).await?;
        store.probe_broken(now).await?;
        let account = &ground.settings.accounts["main"];
        let budget = Arc::new(StoreBudget::new(
            store.clone(),
            clock.clone(),
            "main",
            account.upstream.requests_per_minute,
        ));
        let api = Arc::new(SimulatedApi { world: world.clone(), budget });
        let audience = |target: &Target| Audience {
            recipients: target.destination.recipients(),
            at_once: target.digest.is_none(),
            skip_if_read: target.skip_if_read,
        };
        let audiences: BTreeMap<String, Audience> =
            targets.by_name.iter().map(|(name, target)| (name.clone(), audience(target))).collect();
        Ok(Self {
            plan: Plan {
                policy: account.policy.clone(),
                rules: ground.settings.rules.clone(),
                audiences: Arc::new(audiences),
            },
            poller: Poller::new("main", api.clone(), store.clone()).await?,
            acknowledger: Acknowledger::new("main", api, store.clone(), "reviews/{uuid}/read", life),
            dispatcher: Dispatcher::new(store.clone(), clock.clone(), &format!("life-{life}"), life),
            digester,
            operator: Operator::new(store.clone()),
            operator_at: Duration::ZERO,
            janitor: Janitor::new(store.clone(), clock.clone(), ground.settings.state.retention),
            steps: StepWatch::new(&clock),
            targets,
            clock,
            store,
            world,
        })
    }

    /// Does everything that can be done now; says how long nothing more can.
    pub async fn step(&mut self) -> Result<Duration, StoreError> {
        if let Some(by_ms) = self.clock.pending_step() {
            self.store.clock_stepped(by_ms).await?;
            self.clock.adopt(by_ms);
        }
        let mut wake = self.account().await?;
        let now = self.clock.now();
        wake = wake.min(self.digester.tick(&self.targets, now).await?.unwrap_or(wake));
        loop {
            let before = self.world.lock().unwrap().arrivals.len();
            let ticked = self.dispatcher.tick(&self.targets).await;
            let started = match ticked {
                Ok((started, _)) => started,
                Err(error) => {
                    self.unrecorded(before);
                    return Err(error);
                }
            };
            wake = [started.next_at, started.rate_free_at].into_iter().flatten().fold(wake, Timestamp::min);
            if started.sends == 0 {
                break;
            }
        }
        let passed = self.world.lock().unwrap().passed;
        if passed >= self.operator_at {
            self.operator_at = passed + Duration::from_secs(900);
            self.operator.tick(&["ops".to_owned()], &self.targets, self.clock.now()).await?;
        }
        self.janitor.tick().await?;
        Ok(wake.since(self.clock.now()))
    }

    /// Polls and marks as far as that goes.
    async fn account(&mut self) -> Result<Timestamp, StoreError> {
        if let Some(by_ms) = self.steps.look() {
            self.poller.clock_stepped(by_ms);
            self.acknowledger.clock_stepped(by_ms);
        }
        for _ in 0..200 {
            let now = self.clock.now();
            if self.poller.yields(now) {
                let marked = self.acknowledger.tick(self.plan.policy.mark_read, now).await?;
                self.poller.marked(marked.done, now);
            }
            let ticked = self.poller.tick(&self.plan, now).await;
            self.world.lock().unwrap().listed(ticked.is_ok());
            let until = match ticked? {
                Tick::Wait(until) => until,
                _ if self.poller.is_listing() => {
                    super::events::drift(&self.world);
                    continue;
                }
                _ => continue,
            };
            if self.poller.is_listing() {
                return Ok(until);
            }
            let now = self.clock.now();
            let marked = self.acknowledger.tick(self.plan.policy.mark_read, now).await?;
            match marked.wait_until {
                Some(at) if at <= self.clock.now() => {}
                Some(at) => return Ok(at.min(until)),
                None => return Ok(until),
            }
        }
        Ok(self.clock.now())
    }

    /// The process dies before it could record what arrived since `before`.
    fn unrecorded(&self, before: usize) {
        let mut world = self.world.lock().unwrap();
        let arrived: Vec<_> = world.arrivals.iter().skip(before).cloned().collect();
        for arrival in arrived {
            for (uuid, _) in arrival.told {
                *world.ambiguous.entry((arrival.reader, uuid)).or_default() += 1;
            }
        }
    }
}

fn targets(ground: &Ground) -> Targets {
    let names = ["support", "people", "crm", "owner", "ops"];
    let target = |name: &'static str| {
        let common = &ground.settings.destinations[name].common;
        let recipients = super::world::READERS.iter().filter(|(own, _)| *own == name);
        let destination: Arc<dyn Destination> = Arc::new(SimulatedDestination {
            name,
            recipients: recipients.map(|(_, recipient)| *recipient).collect(),
            world: ground.world.clone(),
        });
        let target = Target {
            destination,
            rate: common.rate_limit,
            timeout: common.timeout,
            give_up_after: common.give_up_after,
            hours: common.active_hours.clone(),
            digest: common.digest.clone(),
            skip_if_read: common.skip_if_read,
            burst: common.burst,
        };
        (name.to_owned(), target)
    };
    Targets { by_name: names.into_iter().map(target).collect(), scales: BTreeMap::new() }
}
