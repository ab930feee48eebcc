//! The listings of an account's unread reviews, page by page, handed to intake.
//!
//! [`Poller::tick`] does one unit of work and says when to call it again; its caller owns
//! the loop. A listing never overlaps another, and goes on where the request budget interrupted it.

mod listing;
mod names;
mod page;

use crate::domain::{Catalog, Timestamp, ledger};
use crate::intake::{Intake, Plan};
use crate::store::{CompleteListing, IntakeReport, SharedStore, StoreError};
use crate::upstream::{Cursor, ErrorKind, Item, Upstream, UpstreamError};
use listing::Listing;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

pub use names::NAMES_INTERVAL;

/// Failed pages after which a listing is given up until the next poll.
const PAGE_ERRORS: u32 = 3;
/// The longest pause between polls that fail.
const LONGEST_BACKOFF: Duration = Duration::from_secs(10 * 60);
/// A wait for requests that is logged, once in each poll: shorter ones look like no gap.
const PAUSE_WORTH_A_LINE: Duration = Duration::from_secs(5);
/// Held or settling reviews routed in one step.
const ROUTE_BATCH: u32 = 500;

/// What a tick did.
#[derive(Clone, Debug, PartialEq)]
pub enum Tick {
    /// More can be done immediately.
    Again,
    /// A page was taken in; more can be done immediately.
    Page(IntakeReport),
    /// A listing ended: the poll is over.
    Listed(Poll),
    /// Nothing to do before then.
    Wait(Timestamp),
}

/// How a poll ended.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Poll {
    /// What it brought, over all pages.
    pub report: IntakeReport,
    /// The reviews on the list.
    pub length: u64,
    /// Whether it was the account's first complete listing.
    pub baseline: bool,
    /// Why it was not complete.
    pub error: Option<UpstreamError>,
}

/// Polls one account.
pub struct Poller {
    account: String,
    upstream: Arc<dyn Upstream>,
    store: SharedStore,
    listing: Option<Listing>,
    catalog: Option<Arc<Catalog>>,
    names_at: Option<Timestamp>,
    names_tried_at: Option<Timestamp>,
    next_poll_at: Timestamp,
    waits_until: Timestamp,
    /// From the end of a poll to the next.
    pause: Duration,
    /// The length of the longest page of all listings so far.
    usual_page: usize,
    /// Whether the log says why this poll waits.
    said_why: bool,
}

impl Poller {
    /// A poller that polls as soon as it is ticked; names already in state are used until they are loaded.
    pub async fn new(
        account: &str,
        upstream: Arc<dyn Upstream>,
        store: SharedStore,
    ) -> Result<Self, StoreError> {
        let known = store.catalog(account).await?;
        Ok(Self {
            account: account.to_owned(),
            upstream,
            listing: None,
            names_at: known.as_ref().map(|(_, at)| *at),
            catalog: known.map(|(catalog, _)| Arc::new(catalog)),
            names_tried_at: None,
            next_poll_at: Timestamp(0),
            waits_until: Timestamp(0),
            pause: Duration::ZERO,
            usual_page: 0,
            said_why: false,
            store,
        })
    }

    /// Whether a listing is under way: then nothing may be marked but when it yields, for it would shift the pages.
    pub fn is_listing(&self) -> bool {
        self.listing.is_some()
    }

    /// Whether the listing under way leaves due marks their turn now.
    pub fn yields(&self, now: Timestamp) -> bool {
        self.listing.as_ref().is_some_and(|listing| listing.yields(now))
    }

    /// Marks had their turn, and `count` were made: the listing steps back to the pages that they moved.
    pub fn marked(&mut self, count: u64, now: Timestamp) {
        if let Some(listing) = &mut self.listing {
            listing.marked(count, now);
        }
    }

    /// The poll that ended last did so at `now`: the next one counts from then.
    pub fn ended_at(&mut self, now: Timestamp) {
        self.next_poll_at = now.plus(self.pause);
    }

    /// Makes the next poll due immediately.
    pub fn poll_now(&mut self) {
        self.next_poll_at = Timestamp(0);
    }

    /// The time of day was set: what is waited for is as far away as before.
    pub fn clock_stepped(&mut self, by_ms: i64) {
        self.next_poll_at.0 = self.next_poll_at.0.saturating_add(by_ms);
        self.waits_until.0 = self.waits_until.0.saturating_add(by_ms);
        if let Some(listing) = &mut self.listing {
            listing.clock_stepped(by_ms);
        }
    }

    /// Makes the next poll due at `at` at the latest.
    pub fn poll_by(&mut self, at: Timestamp) {
        self.next_poll_at = self.next_poll_at.min(at);
    }

    /// When names were loaded last.
    pub fn names_at(&self) -> Option<Timestamp> {
        self.names_at
    }

    /// When the next poll is due.
    pub fn next_poll_at(&self) -> Timestamp {
        self.next_poll_at
    }

    /// Does one unit of work: load names, take in one page, end a listing, or route what was held or settling.
    pub async fn tick(&mut self, plan: &Plan, now: Timestamp) -> Result<Tick, StoreError> {
        let span = tracing::error_span!("poll", account = %self.account);
        self.step(plan, now).instrument(span).await
    }

    async fn step(&mut self, plan: &Plan, now: Timestamp) -> Result<Tick, StoreError> {
        let look_at =
            self.listing.as_ref().filter(|listing| listing.pages > 0).map(|listing| listing.look_at);
        if look_at.is_some_and(|at| now >= at) {
            return self.look(plan, now).instrument(tracing::error_span!("listing", page = 1)).await;
        }
        if now < self.waits_until {
            return Ok(Tick::Wait(look_at.unwrap_or(self.waits_until).min(self.waits_until)));
        }
        if self.listing.is_none() {
            if let Some(tick) = self.load_names_when_due(now).await? {
                return Ok(tick);
            }
            let routed = self.intake(plan, false, now).route_waiting(&*self.store, ROUTE_BATCH).await?;
            if routed.matched + routed.unmatched > 0 {
                return Ok(Tick::Page(routed));
            }
            if now < self.next_poll_at {
                let settles = self.store.next_match(&self.account).await?;
                return Ok(Tick::Wait(settles.unwrap_or(self.next_poll_at).min(self.next_poll_at)));
            }
            self.listing = Some(Listing::new(now, now.plus(plan.policy.poll_interval)));
        }
        let page = self.listing.as_ref().map_or(0, |listing| listing.pages) + 1;
        self.page(plan, now).instrument(tracing::error_span!("listing", page)).await
    }

    fn intake<'a>(&'a self, plan: &'a Plan, baseline: bool, now: Timestamp) -> Intake<'a> {
        Intake { account: &self.account, plan, catalog: self.catalog.as_deref(), baseline, now }
    }

    /// Waits for requests, and says why where people could take the gap for a failure.
    fn wait_for_budget(&mut self, kind: &ErrorKind, until: Timestamp, now: Timestamp) -> Tick {
        self.waits_until = until;
        let pause = until.since(now);
        if pause >= PAUSE_WORTH_A_LINE && !std::mem::replace(&mut self.said_why, true) {
            let seconds = pause.as_secs();
            match kind {
                ErrorKind::RateLimited(_) => {
                    tracing::info!(seconds, "the API asked for a pause; polling continues after it");
                }
                _ => tracing::info!(
                    seconds,
                    "the request budget (`requests_per_minute`) is used up; polling continues when it allows"
                ),
            }
        }
        Tick::Wait(until)
    }
}

fn pause_of(error: &UpstreamError) -> Option<Timestamp> {
    match error.kind {
        ErrorKind::Budget(until) | ErrorKind::RateLimited(until) => Some(until),
        _ => None,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
