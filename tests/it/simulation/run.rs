//! Lives weeks, and reports what went wrong.

use super::bridge::{Bridge, CONFIG, Ground};
use super::events::{self, Event, WEEK};
use super::world::{Fault, READERS, Truth, World};
use super::{fakes::SharedWorld, oracle};
use crate::harness::{NOW, folder};
use crate::tier;
use review_bridge::config;
use review_bridge::domain::DeliveryState;
use review_bridge::store::sqlite::{Access, SqliteStore};
use review_bridge::store::{DeliveryFilter, Intervention, ReviewFilter, SharedStore};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Where the state is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Model,
    Sqlite,
}

/// A week that was lived.
pub struct Week {
    pub violations: Vec<String>,
    pub faults: BTreeMap<Fault, u64>,
    pub arrivals: usize,
    pub repeated: usize,
    pub reviews: usize,
    /// Nothing was made to fail in it but by its events.
    pub is_without_malice: bool,
    /// What arrived where, in order: the same seed must always give the same.
    pub story: Vec<String>,
}

const MINUTE: Duration = Duration::from_secs(60);
/// The longest a step sleeps: what a person does is seen within it.
const LONGEST: Duration = Duration::from_secs(600);

struct Life {
    ground: Ground,
    bridge: Option<Bridge>,
    lives: u64,
}

/// Lives the week of `seed`.
pub async fn live(seed: u64, kind: Kind, loud: bool) -> Week {
    let world: SharedWorld = Arc::new(Mutex::new(World::new(seed, NOW, loud)));
    let folder = folder();
    let store: SharedStore = match kind {
        Kind::Model => Arc::new(crate::model::ModelStore::new()),
        Kind::Sqlite => {
            Arc::new(SqliteStore::open(&folder.path().join("state.db"), Access::Own).await.unwrap())
        }
    };
    let ground = Ground { settings: settings(), store: store.clone(), world: world.clone() };
    let mut life = Life { ground, bridge: None, lives: 0 };
    let events = events::week(&mut world.lock().unwrap());
    for (at, event) in events {
        life.until(at).await;
        life.happen(&event).await;
    }
    life.until(Duration::from_secs(WEEK)).await;
    life.calm_down().await;
    store.close().await;
    let world = world.lock().unwrap();
    Week {
        violations: world.violations.clone(),
        faults: world.faults.clone(),
        arrivals: world.arrivals.len(),
        repeated: world.arrivals.iter().filter(|arrival| arrival.repeat).count(),
        reviews: world.reviews.len(),
        is_without_malice: world.malice == 0.0,
        story: world.arrivals.iter().map(|arrival| format!("{arrival:?}")).collect(),
    }
}

fn settings() -> config::Settings {
    let none: [(String, String); 0] = [];
    let folder = folder();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, CONFIG).unwrap();
    config::load(Some(&file), none, folder.path()).unwrap_or_else(|failure| panic!("{failure}")).settings
}

impl Life {
    fn passed(&self) -> Duration {
        self.ground.world.lock().unwrap().passed
    }

    /// Lets the bridge work until the true time `end`.
    async fn until(&mut self, end: Duration) {
        while self.passed() < end {
            let idle = self.step().await;
            let left = end.saturating_sub(self.passed());
            let pause = idle.clamp(Duration::from_millis(500), LONGEST).min(left);
            self.ground.world.lock().unwrap().pass(pause);
        }
    }

    /// One step of the process, which is started where there is none; a state that fails ends it.
    async fn step(&mut self) -> Duration {
        if self.bridge.is_none() {
            self.lives += 1;
            match Bridge::start(&self.ground, self.lives).await {
                Ok(bridge) => self.bridge = Some(bridge),
                Err(_) => return Duration::from_secs(1),
            }
        }
        let Some(bridge) = &mut self.bridge else { return MINUTE };
        match bridge.step().await {
            Ok(idle) => idle,
            Err(_) => {
                self.ground.world.lock().unwrap().tell(|| "the process ends".into());
                self.bridge = None;
                Duration::from_secs(1)
            }
        }
    }

    async fn happen(&mut self, event: &Event) {
        if events::happen(&mut self.ground.world.lock().unwrap(), event) {
            return;
        }
        let now = self.ground.world.lock().unwrap().clock.now();
        match event {
            Event::Pause { destination, paused } => {
                self.ground.store.pause(destination, *paused, now).await.unwrap();
            }
            Event::Kill => {
                self.ground.world.lock().unwrap().count(Fault::Restart);
                self.bridge = None;
            }
            _ => self.discard().await,
        }
    }

    /// A person gives up the oldest delivery that waits.
    async fn discard(&mut self) {
        let filter =
            DeliveryFilter { state: Some(DeliveryState::Pending), limit: 100, ..DeliveryFilter::default() };
        let rows = self.ground.store.list_deliveries(&filter).await.unwrap();
        let Some(row) = rows.last() else { return };
        let now = self.ground.world.lock().unwrap().clock.now();
        let done = self.ground.store.intervene(Intervention::Discard, &[row.id], now).await.unwrap();
        let reader = READERS.into_iter().find(|(name, to)| row.destination == *name && row.recipient == *to);
        if let (Some(reader), false) = (reader, done.is_empty()) {
            self.ground.world.lock().unwrap().discarded.insert((row.uuid.clone(), reader));
        }
    }

    /// The faults stop: everything must come to rest within days, and a fresh review get through.
    async fn calm_down(&mut self) {
        let start = {
            let mut world = self.ground.world.lock().unwrap();
            world.tell(|| "calm".into());
            world.calm = true;
            world.api_down = false;
            world.down.clear();
            world.broken.clear();
            world.clock.now()
        };
        for (destination, _) in READERS {
            self.ground.store.pause(destination, false, start).await.unwrap();
        }
        let calm = self.passed();
        self.until(calm + MINUTE * 60 * 26).await;
        let fresh = Truth {
            said: vec![(1, Some("fresh".into()))],
            source: 0,
            unread: true,
            read_elsewhere: false,
            refused: false,
        };
        self.ground.world.lock().unwrap().reviews.insert("z-fresh".into(), fresh);
        self.until(calm + MINUTE * 60 * 27).await;
        let filter = DeliveryFilter { limit: u32::MAX, ..DeliveryFilter::default() };
        let rows = self.ground.store.list_deliveries(&filter).await.unwrap();
        let filter = ReviewFilter { limit: u32::MAX, ..ReviewFilter::default() };
        let reviews = self.ground.store.list_reviews(&filter).await.unwrap();
        let mut world = self.ground.world.lock().unwrap();
        world.violations = oracle::violations(&world, &rows, &reviews);
    }
}

/// The seeds of the tier; `SIMULATION_SEED` is only that one, `SIMULATION_WEEKS` as many from 0.
fn seeds(tier: Range<u64>) -> Vec<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|number| number.parse().ok());
    match (number("SIMULATION_SEED"), number("SIMULATION_WEEKS")) {
        (Some(seed), _) => vec![seed],
        (None, Some(weeks)) => (0..weeks).collect(),
        (None, None) => tier.collect(),
    }
}

/// What many weeks came to.
#[derive(Default)]
struct Tally {
    faults: BTreeMap<Fault, u64>,
    arrivals: usize,
    repeated: usize,
    reviews: usize,
    failed: Vec<(u64, Vec<String>)>,
}

impl Tally {
    fn of(seeds: &[u64], kind: Kind) -> Self {
        let loud = std::env::var_os("SIMULATION_SEED").is_some();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let mut tally = Self::default();
        for seed in seeds {
            let week = runtime.block_on(live(*seed, kind, loud));
            let failed = (!week.violations.is_empty()).then_some((*seed, week.violations));
            tally.add(Self {
                faults: week.faults,
                arrivals: week.arrivals,
                repeated: week.repeated,
                reviews: week.reviews,
                failed: failed.into_iter().collect(),
            });
        }
        tally
    }

    fn add(&mut self, other: Self) {
        for (fault, count) in other.faults {
            *self.faults.entry(fault).or_default() += count;
        }
        self.arrivals += other.arrivals;
        self.repeated += other.repeated;
        self.reviews += other.reviews;
        self.failed.extend(other.failed);
    }
}

/// Lives the weeks of `seeds`, as many at once as the machine has cores.
fn weeks(seeds: &[u64], kind: Kind) {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let mut tally = Tally::default();
    std::thread::scope(|scope| {
        let share = seeds.len().div_ceil(cores).max(1);
        let threads: Vec<_> =
            seeds.chunks(share).map(|seeds| scope.spawn(move || Tally::of(seeds, kind))).collect();
        for thread in threads {
            tally.add(thread.join().unwrap());
        }
    });
    let Tally { faults, arrivals, repeated, reviews, failed } = tally;
    let count = seeds.len();
    println!(
        "{count} weeks on {kind:?}: {reviews} reviews, {arrivals} arrivals, {repeated} possible repeats, faults {faults:?}"
    );
    let told: Vec<String> = failed
        .iter()
        .map(|(seed, violations)| {
            let violations = violations.join("\n    ");
            format!(
                "seed {seed}: {violations}\n  again: SIMULATION_SEED={seed} cargo test --test it simulation"
            )
        })
        .collect();
    assert!(failed.is_empty(), "{} of {count} weeks went wrong\n{}", failed.len(), told.join("\n"));
}

#[test]
fn weeks_on_sqlite() {
    weeks(&seeds(tier::weeks_on_sqlite()), Kind::Sqlite);
}

#[test]
fn weeks_on_the_model() {
    weeks(&seeds(tier::weeks_on_the_model()), Kind::Model);
}

/// A seed gives the same week again. On SQLite, where calls at the same time end in an order of their own, that
/// holds where nothing is made to fail.
#[test]
fn a_seed_gives_the_same_week_again() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut compared = 0;
    for seed in seeds(tier::weeks_compared()) {
        let first = runtime.block_on(live(seed, Kind::Model, false));
        let again = runtime.block_on(live(seed, Kind::Model, false));
        assert_eq!(first.story, again.story, "seed {seed} on the model");
        if first.is_without_malice {
            let sqlite = runtime.block_on(live(seed, Kind::Sqlite, false));
            assert_eq!(first.story, sqlite.story, "seed {seed} on SQLite");
            compared += 1;
        }
    }
    println!("{compared} weeks compared with SQLite");
}
