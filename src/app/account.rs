//! One account at work: its listings, and its marks between them.

use super::budget::StoreBudget;
use super::wiring::{AccountParts, Shared, Wiring};
use crate::clock::{Clock, StepWatch};
use crate::domain::Timestamp;
use crate::intake::Plan;
use crate::outbox::Acknowledger;
use crate::poller::{Poll, Poller, Tick};
use crate::store::{SharedStore, StoreError};
use crate::upstream::{Endpoint, Upstream};
use std::sync::Arc;
use std::time::Duration;

/// The longest an account sleeps: marks come due, and commands change the state, while it does.
const LONGEST_SLEEP: Duration = Duration::from_secs(2);

/// An account and what works for it.
pub struct AccountWorker {
    pub(super) name: String,
    pub(super) plan: Arc<Plan>,
    pub(super) poller: Poller,
    pub(super) acknowledger: Acknowledger,
    pub(super) upstream: Arc<dyn Upstream>,
    pub(super) budget: Arc<StoreBudget>,
    pub(super) store: SharedStore,
    pub(super) clock: Clock,
    pub(super) steps: StepWatch,
}

impl AccountWorker {
    /// What works for the account `name` of `wiring`; `None` where it has no such account.
    pub(super) async fn new(
        name: &str,
        wiring: &Wiring,
        shared: &Shared,
    ) -> Result<Option<Self>, StoreError> {
        let Some(AccountParts { plan, upstream, budget }) = wiring.accounts.get(name) else {
            return Ok(None);
        };
        let Some(account) = wiring.settings.accounts.get(name) else { return Ok(None) };
        let setting = account.upstream.endpoints.path(Endpoint::MarkReviewRead);
        let store = shared.store.clone();
        let seed = name.bytes().fold(shared.seed, |seed, byte| seed.rotate_left(8) ^ u64::from(byte));
        Ok(Some(Self {
            name: name.to_owned(),
            plan: plan.clone(),
            poller: Poller::new(name, upstream.clone(), store.clone()).await?,
            acknowledger: Acknowledger::new(name, upstream.clone(), store.clone(), setting, seed),
            upstream: upstream.clone(),
            budget: budget.clone(),
            store,
            clock: shared.clock.clone(),
            steps: StepWatch::new(&shared.clock),
        }))
    }

    /// Takes up the newest configuration: a listing under way goes on by the new rules. Where the account is
    /// reached in another way it begins anew, for it may be another list. `false` where the account is gone.
    pub(super) async fn follow(&mut self, wiring: &Wiring, shared: &Shared) -> Result<bool, StoreError> {
        let Some(own) = wiring.accounts.get(&self.name) else { return Ok(false) };
        if !Arc::ptr_eq(&own.upstream, &self.upstream) {
            if let Some(anew) = Self::new(&self.name, wiring, shared).await? {
                *self = anew;
            }
        } else if !Arc::ptr_eq(&own.plan, &self.plan) {
            self.plan = own.plan.clone();
            self.poller.poll_by(self.clock.now().plus(self.plan.policy.poll_interval));
        }
        Ok(true)
    }
}

/// What a step of an account did.
#[derive(Debug, Default)]
pub struct Step {
    /// New deliveries wait to be sent.
    pub enqueued: bool,
    /// A poll ended.
    pub poll: Option<Poll>,
    /// Marks that failed.
    pub marks_failed: u64,
    /// Nothing to do before then; `None` where there is more.
    pub wait_until: Option<Timestamp>,
}

impl AccountWorker {
    /// Does one unit: a page, or between listings a batch of marks.
    pub async fn step(&mut self) -> Result<Step, StoreError> {
        if let Some(by_ms) = self.steps.look() {
            self.poller.clock_stepped(by_ms);
            self.acknowledger.clock_stepped(by_ms);
        }
        let now = self.clock.now();
        let mut step = Step::default();
        self.budget.listing_expected(self.poller.next_poll_at());
        match self.poller.tick(&self.plan, now).await? {
            Tick::Again => return Ok(step),
            Tick::Page(report) => {
                step.enqueued = report.deliveries > 0;
                return Ok(step);
            }
            Tick::Listed(poll) => {
                self.after_poll(&poll).await?;
                step.enqueued = poll.report.deliveries > 0;
                step.poll = Some(poll);
                return Ok(step);
            }
            Tick::Wait(until) => step.wait_until = Some(until),
        }
        // A mark during a listing would shift its pages.
        if !self.poller.is_listing() {
            let marked = self.acknowledger.tick(self.plan.policy.mark_read, now).await?;
            step.marks_failed = marked.failed;
            if let Some(until) = marked.wait_until {
                let until = step.wait_until.map_or(until, |known| known.min(until));
                step.wait_until = Some(until).filter(|until| *until > now);
            }
            if marked.done > 0 {
                tracing::info!(account = %self.name, count = marked.done, "marked read");
            }
        }
        Ok(step)
    }

    /// How long to sleep after `step`.
    pub fn pause_after(&self, step: &Step) -> Duration {
        step.wait_until.map_or(Duration::ZERO, |until| until.since(self.clock.now()).min(LONGEST_SLEEP))
    }

    /// One unit of polling, without marks.
    pub(super) async fn poll_step(&mut self) -> Result<Tick, StoreError> {
        let now = self.clock.now();
        self.poller.tick(&self.plan, now).await
    }

    pub(super) async fn after_poll(&self, poll: &Poll) -> Result<(), StoreError> {
        let expires_at = self.upstream.token_expires_at();
        if self.store.account(&self.name).await?.token_expires_at != expires_at {
            self.store.save_token_expiry(&self.name, expires_at).await?;
        }
        let (account, report) = (&*self.name, &poll.report);
        match &poll.error {
            Some(error) => {
                tracing::warn!(account, kind = error.kind.as_str(), error = %error, "poll failed; it is tried again");
            }
            None if poll.baseline => {
                let told = report.matched + report.waiting;
                let rest = match (report.remembered, report.unmatched) {
                    (_, 0) => "the rest remembered".to_owned(),
                    (remembered, unmatched) => {
                        format!("{unmatched} match no rule, {remembered} are remembered")
                    }
                };
                tracing::info!(account, "first listing: {} unread, {told} will be told, {rest}", poll.length);
            }
            None if report.new + report.edited > 0 => tracing::info!(
                account,
                unread = poll.length,
                new = report.new,
                edited = report.edited,
                deliveries = report.deliveries,
                unmatched = report.unmatched,
                remembered = report.remembered,
                "polled"
            ),
            None => tracing::debug!(account, unread = poll.length, "polled: nothing new"),
        }
        if report.malformed > 0 {
            tracing::warn!(
                account,
                count = report.malformed,
                "items without a usable uuid are kept, not routed"
            );
        }
        if report.undecided > 0 {
            tracing::warn!(account, count = report.undecided, "matched no rule, for their source is unknown");
        }
        Ok(())
    }
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
