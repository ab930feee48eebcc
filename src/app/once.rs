//! `run --once`: one complete poll, every delivery due now, the marks, and an end.

use super::{App, AppError, notes};
use crate::clock::Clock;
use crate::domain::{DeliveryState, Outcome, Timestamp};
use crate::poller::{Poll, Tick};
use crate::store::IntakeReport;
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
}

impl Once {
    /// Whether everything that was attempted went well. Work that is not due yet is no failure.
    pub fn is_fine(&self) -> bool {
        self.failed_polls.is_empty() && self.failed_attempts == 0 && self.failed_marks == 0
    }
}

impl Once {
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
    /// Polls every account once, then sends what is due, then marks, and removes what is too old.
    pub async fn run_once(&mut self) -> Result<Once, AppError> {
        let mut once = Once::default();
        self.poll_once(&mut once).await?;
        self.send_once(&mut once).await?;
        self.mark_once(&mut once).await?;
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
            once.intake.add(poll.report);
            if let (Some(error), Some(worker)) = (poll.error, self.accounts.get(index)) {
                once.failed_polls.push((worker.name.clone(), error.detail));
            }
        }
        Ok(())
    }

    async fn poll_account(&mut self, index: usize) -> Result<Poll, AppError> {
        let Some(worker) = self.accounts.get_mut(index) else { return Ok(Poll::default()) };
        let mut waited = IntakeReport::default();
        worker.poller.poll_now();
        loop {
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
        let targets = &self.wiring.targets;
        self.digester.tick(targets, self.shared.clock.now()).await?;
        loop {
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
        for worker in &mut self.accounts {
            loop {
                let now = worker.clock.now();
                worker.budget.listing_expected(worker.poller.next_poll_at());
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

    /// Ends: the state is closed.
    pub async fn close(self) {
        self.shared.store.close().await;
    }
}

/// Waits until then for a rate or a budget; at least a moment, so that a clock that stands does not spin.
async fn pause(clock: &Clock, until: Timestamp) {
    clock.sleep(until.since(clock.now()).max(Duration::from_millis(1))).await;
}
