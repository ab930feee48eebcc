//! `run --once`: one complete poll, one attempt of every delivery due now, the marks, and an end.

use super::units::follow;
use super::{App, AppError, names, notes};
use crate::clock::{Clock, minute};
use crate::domain::{DeliveryState, Outcome, Timestamp};
use crate::outbox::Target;
use crate::poller::{Poll, Tick};
use crate::store::{DeliveryFilter, DestinationRecord, IntakeReport, StoreError};
use serde::Serialize;
use std::time::Duration;

/// What one run did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Once {
    /// What the polls brought, over all accounts.
    pub intake: IntakeReport,
    /// Why polls failed, by account.
    pub failed_polls: Vec<(String, String)>,
    /// Messages delivered.
    pub delivered: u64,
    /// Attempts that did not deliver.
    pub failed_attempts: u64,
    /// Reviews that could not be marked read.
    pub failed_marks: u64,
    /// What is left for later runs.
    pub waiting: Vec<Waiting>,
}

/// Deliveries of one destination that are still pending.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Waiting {
    /// The destination.
    pub destination: String,
    /// How many.
    pub count: u64,
    /// What they wait for, or why the last attempt failed; `None` where they were not due yet.
    pub why: Option<String>,
}

impl Once {
    /// Whether everything that was attempted went well. Work that is not due yet is no failure.
    pub fn is_fine(&self) -> bool {
        self.failed_polls.is_empty() && self.failed_attempts == 0 && self.failed_marks == 0
    }

    /// What did not go well, in words; `None` where everything did.
    pub fn failure(&self) -> Option<String> {
        let mut parts: Vec<String> = self
            .failed_polls
            .iter()
            .map(|(account, error)| format!("polling account `{account}` failed: {error}"))
            .collect();
        if self.failed_attempts > 0 {
            parts.push(format!("failed attempts to send a message: {}", self.failed_attempts));
        }
        if self.failed_marks > 0 {
            parts.push(format!("reviews that could not be marked read: {}", self.failed_marks));
        }
        (!self.is_fine()).then(|| parts.join("; "))
    }
}

impl App {
    /// Polls every account once, then attempts once what is due, then marks, and removes what is too old.
    pub async fn run_once(&mut self) -> Result<Once, AppError> {
        let mut once = Once::default();
        self.poll_once(&mut once).await?;
        self.send_once(&mut once).await?;
        self.mark_once(&mut once).await?;
        self.follow_clock().await?;
        once.waiting = self.waiting().await?;
        self.janitor.sweep().await?;
        notes::once(&self.shared.store, &once, self.shared.clock.now()).await?;
        Ok(once)
    }

    /// Polls every account once; sends and marks nothing.
    pub async fn poll_only(&mut self) -> Result<Once, AppError> {
        let mut once = Once::default();
        self.poll_once(&mut once).await?;
        Ok(once)
    }

    async fn poll_once(&mut self, once: &mut Once) -> Result<(), AppError> {
        for index in 0..self.accounts.len() {
            let poll = self.poll_account(index).await?;
            if let Some(worker) = self.accounts.get(index) {
                names::look(&self.wiring, &self.shared.store, &worker.name).await?;
            }
            once.intake.add(poll.report);
            if let (Some(error), Some(worker)) = (poll.error, self.accounts.get(index)) {
                once.failed_polls.push((worker.name.clone(), error.detail));
            }
        }
        Ok(())
    }

    /// Nothing runs beside a run, but the clock may be set during one.
    async fn follow_clock(&self) -> Result<(), StoreError> {
        follow(&self.shared.clock, &self.shared.store).await.map(drop)
    }

    async fn poll_account(&mut self, index: usize) -> Result<Poll, AppError> {
        let shared = self.shared.clone();
        let Some(worker) = self.accounts.get_mut(index) else { return Ok(Poll::default()) };
        let mut waited = IntakeReport::default();
        worker.poller.poll_now();
        loop {
            follow(&shared.clock, &shared.store).await?;
            match worker.poll_step().await? {
                Tick::Listed(mut poll) => {
                    worker.after_poll(&poll).await?;
                    poll.report.add(waited);
                    return Ok(poll);
                }
                Tick::Page(report) if !worker.poller.is_listing() => waited.add(report),
                Tick::Again | Tick::Page(_) => {}
                Tick::Wait(until) => pause(&worker.clock, until).await,
            }
        }
    }

    async fn send_once(&mut self, once: &mut Once) -> Result<(), AppError> {
        let wiring = self.wiring.clone();
        let targets = &wiring.targets;
        self.follow_clock().await?;
        self.digester.tick(targets, self.shared.clock.now()).await?;
        self.dispatcher.attempt_each_once();
        loop {
            self.follow_clock().await?;
            let (started, settled) = self.dispatcher.tick(targets).await?;
            for settled in settled {
                if settled.state == DeliveryState::Delivered {
                    once.delivered += 1;
                } else if !matches!(settled.outcome, Outcome::Delivered | Outcome::Accepted) {
                    once.failed_attempts += 1;
                }
            }
            match started.rate_free_at {
                Some(at) => pause(&self.shared.clock, at).await,
                None if started.sends == 0 => return Ok(()),
                None => {}
            }
        }
    }

    async fn mark_once(&mut self, once: &mut Once) -> Result<(), AppError> {
        let shared = self.shared.clone();
        for worker in &mut self.accounts {
            loop {
                follow(&shared.clock, &shared.store).await?;
                let now = worker.clock.now();
                let marked = worker.acknowledger.tick(worker.plan.policy.mark_read, now).await?;
                once.failed_marks += marked.failed;
                let due = worker.store.due_marks(&worker.name, now, 1).await?;
                if due.is_empty() || marked.failed > 0 || worker.plan.policy.mark_read_never() {
                    break;
                }
                if let Some(until) = marked.wait_until {
                    pause(&worker.clock, until).await;
                }
            }
        }
        Ok(())
    }

    /// What is still pending, and why.
    async fn waiting(&self) -> Result<Vec<Waiting>, StoreError> {
        let store = &self.shared.store;
        let records = store.destinations().await?;
        let windows = store.digest_windows().await?;
        let mut waiting = Vec::new();
        for counted in store.count_deliveries().await? {
            if counted.state != DeliveryState::Pending {
                continue;
            }
            let name = counted.destination;
            let record = records.iter().find(|record| record.name == name);
            let digest_at =
                windows.iter().find(|window| window.destination == name).map(|window| window.next_at);
            let why = match self.wiring.targets.by_name.get(&name) {
                Some(target) => obstacle(target, record, digest_at, self.shared.clock.now()),
                None => Some("no longer configured".into()),
            };
            let why = match why {
                Some(why) => Some(why),
                None => self.last_failure(&name).await?,
            };
            waiting.push(Waiting { destination: name, count: counted.count, why });
        }
        Ok(waiting)
    }

    /// Why the last attempt of what is pending for a destination failed.
    async fn last_failure(&self, destination: &str) -> Result<Option<String>, StoreError> {
        let filter = DeliveryFilter {
            destination: Some(destination.to_owned()),
            state: Some(DeliveryState::Pending),
            limit: 1,
            ..DeliveryFilter::default()
        };
        let rows = self.shared.store.list_deliveries(&filter).await?;
        Ok(rows.into_iter().next().and_then(|row| row.last_detail))
    }

    /// Ends: the state is closed.
    pub async fn close(self) {
        self.shared.store.close().await;
    }
}

/// What holds up all that is pending for a destination; `None` where that is only what came of its attempts.
fn obstacle(
    target: &Target,
    record: Option<&DestinationRecord>,
    digest_at: Option<Timestamp>,
    now: Timestamp,
) -> Option<String> {
    if record.is_some_and(|record| record.paused_at.is_some()) {
        return Some("paused".into());
    }
    if let Some(detail) = record.and_then(|record| record.health.detail.as_ref()) {
        return Some(detail.clone());
    }
    if target.hours.as_ref().is_some_and(|hours| !hours.is_open(now)) {
        return Some("outside its active hours".into());
    }
    let next = digest_at.filter(|at| target.digest.is_some() && *at > now)?;
    Some(format!("digest at {}", minute(next)))
}

/// Waits until then for a rate or a budget; at least a moment, so that a clock that stands does not spin.
async fn pause(clock: &Clock, until: Timestamp) {
    clock.sleep(until.since(clock.now()).max(Duration::from_millis(1))).await;
}
