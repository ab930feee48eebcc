//! Decides which messages are sent now, and records how it went.
//!
//! Messages are leased right before they are sent, never ahead of it, so that a lease left by a crash means a
//! send in flight. One destination's problem holds up only itself.

use super::burst;
use super::retry;
use super::slots::{Slots, Wanted};
use super::worker::{self, AccountNames, Sent};
use super::{Target, Targets, pace::Pace, report};
use crate::clock::{Clock, StepWatch};
use crate::domain::{Catalog, DeliveryState, Form, MessageKind, Outcome, Timestamp};
use crate::settings::Rate;
use crate::store::{
    BurstRequest, DestinationRecord, Grouped, LeaseRequest, Leased, Settlement, SharedStore, StoreError,
};
use crate::task::{Group, Panicked};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// What a lease outlasts the longest send by.
const LEASE_MARGIN: Duration = Duration::from_secs(30);
/// How long an account's names are used before they are read from state again.
const NAMES_LAST: Duration = Duration::from_secs(30);
/// How often leases that ran out are looked for.
const EXPIRY_INTERVAL: Duration = Duration::from_secs(30);
/// How long the states of destinations are used before they are read again: a command may have paused one.
const RECORDS_LAST: Duration = Duration::from_secs(1);
/// How long an ended send waits for others to be recorded with: a transaction for each would cost more than
/// all else that is done for a message.
const LINGER: Duration = Duration::from_millis(3);

/// What was started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Started {
    /// Messages leased, whose sending began.
    pub sends: usize,
    /// Due messages wait for a rate until then.
    pub rate_free_at: Option<Timestamp>,
    /// The next message is due then.
    pub next_at: Option<Timestamp>,
}

/// One attempt that ended, for logs, metrics and exit codes.
#[derive(Clone, Debug, PartialEq)]
pub struct Settled {
    /// The destination.
    pub destination: String,
    /// How the attempt ended.
    pub outcome: Outcome,
    /// The message's state after it.
    pub state: DeliveryState,
    /// Why the template could not be used.
    pub fallback: Option<String>,
}

/// Sends what is due.
pub struct Dispatcher {
    store: SharedStore,
    clock: Clock,
    owner: String,
    pub(super) random: fastrand::Rng,
    /// Each with the rate it was filled for.
    paces: HashMap<String, (Rate, Pace)>,
    pub(super) slots: Slots,
    /// Whose turn it is first, where there is not enough for all.
    turn: usize,
    pub(super) records: HashMap<String, DestinationRecord>,
    /// When `records` were read; `None` when something has changed since.
    records_at: Option<Timestamp>,
    names: HashMap<String, (Arc<Catalog>, Timestamp)>,
    sends: Group<Sent>,
    ended: Vec<Result<Sent, Panicked>>,
    looked_for_expired_at: Timestamp,
    steps: StepWatch,
    /// All steps of the wall clock so far, in milliseconds.
    pub(super) stepped_ms: i64,
    /// Where each message is attempted once only: what was.
    once: Option<Once>,
}

/// Attempts that did not deliver, of a dispatcher that makes one of each message.
#[derive(Default)]
struct Once {
    /// The messages, by destination.
    tried: HashMap<String, Vec<String>>,
    /// Destinations that were known to be down, and still were when one message was tried.
    down: HashSet<String>,
}

impl Dispatcher {
    /// A dispatcher whose leases bear `owner`; `seed` is for the jitter.
    pub fn new(store: SharedStore, clock: Clock, owner: &str, seed: u64) -> Self {
        Self {
            steps: StepWatch::new(&clock),
            stepped_ms: 0,
            store,
            clock,
            owner: owner.to_owned(),
            random: fastrand::Rng::with_seed(seed),
            paces: HashMap::new(),
            slots: Slots::default(),
            turn: 0,
            records: HashMap::new(),
            records_at: None,
            names: HashMap::new(),
            sends: Group::default(),
            ended: Vec::new(),
            looked_for_expired_at: Timestamp(0),
            once: None,
        }
    }

    /// From now on attempts each message once, whatever comes of it, and one only to a destination that is down.
    pub fn attempt_each_once(&mut self) {
        self.once = Some(Once::default());
    }

    /// The time by this dispatcher's clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Sends under way.
    pub fn in_flight(&self) -> usize {
        self.sends.len()
    }

    /// Sends everything due now once, and records it: one step for tests and `run --once`.
    pub async fn tick(&mut self, targets: &Targets) -> Result<(Started, Vec<Settled>), StoreError> {
        let started = self.start_due(targets).await?;
        let mut settled = Vec::new();
        while self.in_flight() > 0 {
            self.ended().await;
            self.linger().await;
            settled.extend(self.record(targets).await?);
        }
        Ok((started, settled))
    }

    /// Leases due messages as far as rates, holds, pauses and hours allow, and begins to send them.
    pub async fn start_due(&mut self, targets: &Targets) -> Result<Started, StoreError> {
        self.start(targets, None).await
    }

    /// Like [`Self::start_due`], for one message of one destination only.
    pub async fn start_one(
        &mut self,
        targets: &Targets,
        destination: &str,
        message: &str,
    ) -> Result<Started, StoreError> {
        self.start(targets, Some((destination, message))).await
    }

    /// Where the clock was set and the state has followed, so does what is not in state.
    fn follow_clock(&mut self) {
        let Some(by_ms) = self.steps.look() else { return };
        self.stepped_ms += by_ms;
        self.paces.values_mut().for_each(|(_, pace)| pace.shift(by_ms));
        self.slots.shift(by_ms);
        self.records_at = None;
    }

    async fn start(&mut self, targets: &Targets, only: Option<(&str, &str)>) -> Result<Started, StoreError> {
        self.follow_clock();
        let now = self.clock.now();
        if self.records_at.is_none_or(|at| at > now || now.since(at) >= RECORDS_LAST) {
            let records = self.store.destinations().await?;
            let records = records.into_iter().map(|record| (record.name.clone(), record)).collect();
            report::changes(&self.records, &records);
            self.records = records;
            self.records_at = Some(now);
        }
        if self.looked_for_expired_at > now || now.since(self.looked_for_expired_at) >= EXPIRY_INTERVAL {
            self.looked_for_expired_at = now;
            self.store.expire(now).await?;
        }
        let mut names: Vec<&str> = match only {
            Some((destination, _)) => vec![destination],
            None => targets.by_name.keys().map(String::as_str).collect(),
        };
        // Where there is not enough for all, another one is first each time.
        let turn = self.turn.checked_rem(names.len()).unwrap_or(0);
        names.rotate_left(turn);
        self.turn = self.turn.wrapping_add(1);
        let mut started = Started::default();
        let mut requests = Vec::new();
        let mut wanted = Wanted::default();
        for (name, due_at) in self.store.next_due(&names).await? {
            let Some(target) = targets.by_name.get(&name) else { continue };
            if self.once.as_ref().is_some_and(|once| once.down.contains(&name)) {
                continue;
            }
            // A probe may be any message, due or not.
            let is_probe = self.records.get(&name).is_some_and(|record| record.health.is_stopped());
            if due_at > now && !is_probe {
                started.next_at = earliest(started.next_at, due_at);
                continue;
            }
            match self.capacity(&name, target, &wanted, now).await? {
                Capacity::Free { limit, without_reviews } => {
                    self.slots.want(&name, limit, &mut wanted);
                    requests.push(LeaseRequest {
                        except: self.tried(&name),
                        destination: name,
                        limit,
                        without_reviews,
                        is_probe,
                        only: only.map(|(_, message)| message.to_owned()),
                        hold: target.longest_attempt() + LEASE_MARGIN,
                    });
                }
                Capacity::Rate(at) => started.rate_free_at = earliest(started.rate_free_at, at),
                Capacity::Closed(at) => started.next_at = earliest(started.next_at, at),
                Capacity::Full => {}
            }
        }
        if requests.is_empty() {
            return Ok(started);
        }
        if only.is_none() {
            self.pace_bursts(targets, &requests, now).await?;
        }
        let leased = self.store.lease(&requests, now, &self.owner).await?;
        started.sends = leased.len();
        for message in leased {
            self.begin(targets, message, now).await?;
        }
        Ok(started)
    }

    /// What is not to be attempted again.
    fn tried(&self, destination: &str) -> Vec<String> {
        self.once.as_ref().and_then(|once| once.tried.get(destination)).cloned().unwrap_or_default()
    }

    /// Notes an attempt that leaves its message pending.
    fn note_tried(&mut self, settlement: &Settlement, form: Form) {
        let destination = &settlement.destination;
        let down = self.records.get(destination).is_some_and(|record| record.health.is_stopped());
        // In another form it is another message.
        let again = settlement.state == DeliveryState::Pending && settlement.form == form;
        let Some(once) = self.once.as_mut().filter(|_| again) else {
            return;
        };
        once.tried.entry(destination.clone()).or_default().push(settlement.id.clone());
        if down || matches!(settlement.evidence, Outcome::Broken { .. }) {
            once.down.insert(destination.clone());
        }
    }

    /// Holds single messages back, or groups them, where a destination has `burst`.
    async fn pace_bursts(
        &self,
        targets: &Targets,
        requests: &[LeaseRequest],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let paced = |request: &LeaseRequest| {
            let target = targets.by_name.get(&request.destination).filter(|_| !request.without_reviews)?;
            let burst = target.burst?;
            let opened_at = target.hours.as_ref().and_then(|hours| hours.opened_at(now)).unwrap_or_default();
            let destination = request.destination.clone();
            Some(BurstRequest { destination, limit: burst.limit, window: burst.window, opened_at })
        };
        let bursts: Vec<BurstRequest> = requests.iter().filter_map(paced).collect();
        if bursts.is_empty() {
            return Ok(());
        }
        let grouped =
            self.store.pace_bursts(&bursts, now, &|request, seen| burst::step(request, seen, now)).await?;
        if grouped.summaries > 0 {
            let Grouped { summaries, reviews } = grouped;
            tracing::info!(reviews, summaries, "grouped reviews that arrived together into summaries");
        }
        Ok(())
    }

    /// How many messages of a destination may be sent now.
    async fn capacity(
        &mut self,
        name: &str,
        target: &Target,
        wanted: &Wanted,
        now: Timestamp,
    ) -> Result<Capacity, StoreError> {
        let record = self.records.get(name);
        if record.is_some_and(|record| record.paused_at.is_some()) {
            return Ok(Capacity::Full);
        }
        let hold = record.map_or(Timestamp(0), |record| record.hold_until);
        if hold > now && hold <= now.plus(retry::LONGEST_DELAY) {
            return Ok(Capacity::Closed(hold));
        }
        let probe_at = record.and_then(|record| record.health.probe_at);
        if let Some(at) = probe_at.filter(|at| *at > now && *at <= now.plus(retry::LONGEST_DELAY)) {
            return Ok(Capacity::Closed(at));
        }
        let server = target.destination.server();
        let server = server.as_ref().map(|server| (server.key.as_str(), server.connections));
        let mut limit = self.slots.free(name, server, wanted);
        if probe_at.is_some() {
            // One message at a time shows whether it works again; whether a server does, one of all its destinations.
            let busy = match server {
                Some((key, _)) => self.slots.through(key) + wanted.through(key),
                None => self.slots.in_flight(name),
            };
            limit = limit.min(u32::from(busy == 0));
        }
        if limit == 0 {
            return Ok(Capacity::Full);
        }
        // Of a rate that changed, the new span may reach further back.
        if self.paces.get(name).is_none_or(|(rate, _)| *rate != target.rate) {
            let since = now.minus(target.rate.span);
            let log = self.store.attempts_since(name, since).await?;
            self.paces.insert(name.to_owned(), (target.rate, Pace::from_log(log)));
        }
        let (_, pace) = self.paces.entry(name.to_owned()).or_insert_with(|| (target.rate, Pace::default()));
        let limit = pace.free(target.rate, now, limit);
        if limit == 0 {
            return Ok(Capacity::Rate(pace.next_at(target.rate, now)));
        }
        let without_reviews = target.hours.as_ref().is_some_and(|hours| !hours.is_open(now));
        Ok(Capacity::Free { limit, without_reviews })
    }

    async fn begin(&mut self, targets: &Targets, message: Leased, now: Timestamp) -> Result<(), StoreError> {
        let Some(target) = targets.by_name.get(&message.destination).cloned() else { return Ok(()) };
        if let Some((_, pace)) = self.paces.get_mut(&message.destination) {
            pace.record(now);
        }
        self.slots.begun(&message.destination);
        let mut names = HashMap::new();
        for leased in &message.reviews {
            let account = &leased.review.account;
            if !names.contains_key(account) {
                names.insert(account.clone(), self.account_names(targets, account, now).await?);
            }
        }
        let problems = if message.kind == MessageKind::Digest {
            let problems = self.store.problems().await?.into_iter();
            let lasting = problems.filter(|one| one.notified_at.is_some() && one.over_at.is_none());
            lasting.map(|problem| problem.text).collect()
        } else {
            Vec::new()
        };
        let span = report::span(&message);
        let send = worker::send(target, message, names, problems, self.stepped_ms);
        self.sends.start(send.instrument(span));
        Ok(())
    }

    async fn account_names(
        &mut self,
        targets: &Targets,
        account: &str,
        now: Timestamp,
    ) -> Result<AccountNames, StoreError> {
        let scales = targets.scales.get(account).cloned().unwrap_or_default();
        if let Some((catalog, at)) = self.names.get(account)
            && *at <= now
            && now.since(*at) < NAMES_LAST
        {
            return Ok(AccountNames { catalog: catalog.clone(), scales });
        }
        let catalog = self.store.catalog(account).await?.map(|(catalog, _)| Arc::new(catalog));
        let catalog = catalog.unwrap_or_default();
        self.names.insert(account.to_owned(), (catalog.clone(), now));
        Ok(AccountNames { catalog, scales })
    }

    /// Waits until a send ends; pending forever where none is under way. Nothing is lost if this is dropped.
    pub async fn ended(&mut self) {
        match self.sends.next().await {
            Some(sent) => self.ended.push(sent),
            None => std::future::pending().await,
        }
    }

    /// Waits a moment for more sends to end, while some are under way. Nothing is lost if this is dropped.
    pub async fn linger(&mut self) {
        let over = tokio::time::sleep(LINGER);
        tokio::pin!(over);
        while !self.sends.is_empty() {
            tokio::select! {
                // What has ended is taken first, however late it is: which sends go together must not be chance.
                biased;
                sent = self.sends.next() => self.ended.extend(sent),
                () = &mut over => break,
            }
        }
    }

    /// Records all sends that have ended, in one transaction. Must not be dropped half-way.
    pub async fn record(&mut self, targets: &Targets) -> Result<Vec<Settled>, StoreError> {
        while let Some(sent) = self.sends.try_next() {
            self.ended.push(sent);
        }
        if self.ended.is_empty() {
            return Ok(Vec::new());
        }
        self.follow_clock();
        let now = self.clock.now();
        let (mut settlements, mut settled) = (Vec::new(), Vec::new());
        for sent in std::mem::take(&mut self.ended) {
            match sent {
                Ok(sent) => {
                    let settlement = self.settlement(targets, &sent, now);
                    self.slots.ended(&settlement.destination, &sent.attempt.outcome, now);
                    let stopped = self.records.get(&settlement.destination);
                    report::attempt(&sent, &settlement, stopped.is_some_and(DestinationRecord::is_stopped));
                    self.note_tried(&settlement, sent.leased.form);
                    settled.push(Settled {
                        destination: settlement.destination.clone(),
                        outcome: settlement.attempt.outcome.clone(),
                        state: settlement.state,
                        fallback: sent.fallback,
                    });
                    settlements.push(settlement);
                }
                // Its lease runs out, and it is sent again as a possible repeat.
                Err(error) => tracing::error!(error = %error, "a send ended unexpectedly"),
            }
        }
        if self.leave_out_what_changes_nothing(&mut settlements) {
            self.records_at = None;
        }
        if !settlements.is_empty() {
            self.store.settle(&settlements, now).await?;
        }
        Ok(settled)
    }
}

enum Capacity {
    Free { limit: u32, without_reviews: bool },
    Rate(Timestamp),
    Closed(Timestamp),
    Full,
}

fn earliest(known: Option<Timestamp>, other: Timestamp) -> Option<Timestamp> {
    Some(known.map_or(other, |known| known.min(other)))
}
