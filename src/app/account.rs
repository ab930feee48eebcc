//! One account at work: its listings, and its marks between them.

use super::budget::StoreBudget;
use super::wiring::{AccountParts, Shared, Wiring};
use crate::clock::{Clock, StepWatch, rfc3339};
use crate::domain::Timestamp;
use crate::intake::Plan;
use crate::outbox::{Acknowledger, Marked};
use crate::poller::{Poll, Poller, Tick};
use crate::store::{SharedStore, StoreError};
use crate::upstream::{Endpoint, Upstream};
use std::sync::Arc;
use std::time::Duration;

/// The longest an account sleeps: marks come due, and commands change the state, while it does.
const LONGEST_SLEEP: Duration = Duration::from_secs(2);

/// The longest a turn of marks may take, and wait for requests, before a listing goes on.
const LONGEST_TURN: Duration = Duration::from_secs(90);

/// Due marks are made now, and no page is read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    ends_at: Timestamp,
    /// Marks made so far.
    made: u64,
}

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
    pub(super) turn: Option<Turn>,
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
            turn: None,
        }))
    }

    /// Applies the newest configuration: a listing under way goes on by the new rules. Where the account is
    /// reached in another way it starts again, for it may be another list. `false` where the account is gone.
    pub(super) async fn follow(&mut self, wiring: &Wiring, shared: &Shared) -> Result<bool, StoreError> {
        let Some(own) = wiring.accounts.get(&self.name) else { return Ok(false) };
        if !Arc::ptr_eq(&own.upstream, &self.upstream) {
            if let Some(again) = Self::new(&self.name, wiring, shared).await? {
                *self = again;
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
    /// New deliveries are queued.
    pub enqueued: bool,
    /// A poll ended.
    pub poll: Option<Poll>,
    /// Marks that failed.
    pub marks_failed: u64,
    /// Nothing to do before then; `None` where there is more.
    pub wait_until: Option<Timestamp>,
}

impl AccountWorker {
    /// Does one unit: a page, or a batch of marks. Marks have their turn after each listing, and in a long one.
    pub async fn step(&mut self) -> Result<Step, StoreError> {
        if let Some(by_ms) = self.steps.look() {
            self.poller.clock_stepped(by_ms);
            self.acknowledger.clock_stepped(by_ms);
        }
        let now = self.clock.now();
        if self.turn.is_none() && self.poller.yields(now) {
            self.turn = Some(Turn { ends_at: now.plus(LONGEST_TURN), made: 0 });
        }
        if let Some(step) = self.marks_turn(now).await? {
            return Ok(step);
        }
        let mut step = Step::default();
        self.budget.marks_wait(
            self.poller.is_listing() && self.acknowledger.is_due(self.plan.policy.mark_read, now).await?,
        );
        match self.poller.tick(&self.plan, now).await? {
            Tick::Again => return Ok(step),
            Tick::Page(report) => {
                step.enqueued = report.deliveries + report.taken_back > 0;
                return Ok(step);
            }
            Tick::Listed(poll) => {
                // What a slow API took is no part of the pause.
                let now = self.clock.now();
                self.poller.ended_at(now);
                self.turn = Some(Turn { ends_at: now.plus(LONGEST_TURN), made: 0 });
                self.after_poll(&poll).await?;
                step.enqueued = poll.report.deliveries + poll.report.taken_back > 0;
                step.poll = Some(poll);
                return Ok(step);
            }
            Tick::Wait(until) => step.wait_until = Some(until),
        }
        // A mark during a listing would shift its pages.
        if !self.poller.is_listing() {
            let marked = self.mark(now).await?;
            step.marks_failed = marked.failed;
            if let Some(until) = marked.wait_until {
                let until = step.wait_until.map_or(until, |known| known.min(until));
                step.wait_until = Some(until).filter(|until| *until > now);
            }
        }
        Ok(step)
    }

    async fn mark(&mut self, now: Timestamp) -> Result<Marked, StoreError> {
        let marked = self.acknowledger.tick(self.plan.policy.mark_read, now).await?;
        if marked.done > 0 {
            tracing::info!(account = %self.name, count = marked.done, "marked read");
        }
        Ok(marked)
    }

    /// Makes due marks while it is their turn. Without anything left to do for them the turn ends, and `None` is returned.
    async fn marks_turn(&mut self, now: Timestamp) -> Result<Option<Step>, StoreError> {
        let Some(mut turn) = self.turn.take() else { return Ok(None) };
        let is_listing = self.poller.is_listing();
        let marked = self.mark(now).await?;
        turn.made += marked.done;
        let more = match marked.wait_until {
            // A listing leaves marks the requests that come free; between listings they need no turn for that.
            Some(until) => until <= now || (is_listing && marked.starved && until < turn.ends_at),
            None => false,
        };
        let mut step = Step { marks_failed: marked.failed, ..Step::default() };
        if more && now < turn.ends_at {
            self.turn = Some(turn);
            step.wait_until = marked.wait_until.filter(|until| *until > now);
            return Ok(Some(step));
        }
        self.poller.marked(turn.made, self.clock.now());
        Ok((turn.made > 0 || marked.failed > 0).then_some(step))
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
        self.log_poll(poll);
        Ok(())
    }

    fn log_poll(&self, poll: &Poll) {
        let (account, report) = (&self.name, &poll.report);
        match &poll.error {
            Some(error) => tracing::warn!(
                account = %account,
                kind = %error.kind.name().as_str(),
                next_at = %rfc3339(self.poller.next_poll_at()),
                error = %error,
                "poll failed, will be retried"
            ),
            None if poll.baseline => tracing::info!(
                account = %account,
                "first listing: {} unread, {} will be sent, {} held or settling, {} match no rule, {} remembered",
                poll.length,
                report.matched,
                report.waiting,
                report.unmatched,
                report.remembered
            ),
            None if report.new + report.edited > 0 => tracing::info!(
                account = %account,
                unread = poll.length,
                new = report.new,
                edited = report.edited,
                deliveries = report.deliveries,
                unmatched = report.unmatched,
                remembered = report.remembered,
                "polled"
            ),
            None => tracing::debug!(account = %account, unread = poll.length, "polled: nothing new"),
        }
        if report.malformed > 0 {
            tracing::warn!(
                account = %account,
                count = report.malformed,
                "items without a usable uuid were stored, but not routed"
            );
        }
        if report.undecided > 0 {
            tracing::warn!(
                account = %account,
                count = report.undecided,
                "reviews matched no rule because their source is unknown"
            );
        }
    }
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
