//! One listing of an account's unread reviews, page by page, handed to intake.
//!
//! [`Poller::tick`] does one unit of work and says when to call it again; its caller owns
//! the loop. A listing never overlaps another, and goes on where the request budget interrupted it.

use crate::domain::{Catalog, Timestamp};
use crate::intake::{Intake, Plan};
use crate::store::{AccountRecord, CompleteListing, IntakeReport, SharedStore, StoreError};
use crate::upstream::{Cursor, ErrorKind, Item, Upstream, UpstreamError};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// How often names are loaded again.
pub const NAMES_INTERVAL: Duration = Duration::from_secs(15 * 60);
/// The least time between two loads of names because of an unknown uuid.
const NAMES_ON_DEMAND: Duration = Duration::from_secs(60);
/// The least time between two attempts to load names that have never loaded.
const NAMES_AT_FIRST: Duration = Duration::from_secs(10);
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

/// A listing under way.
#[derive(Debug, Default)]
struct Listing {
    begun_at: Timestamp,
    cursor: Option<Cursor>,
    pages: u32,
    uuids: HashSet<String>,
    seen: Vec<i64>,
    /// How many reviews the pages said there are, where they said so.
    total: Option<u64>,
    /// Whether that changed from page to page: then they shifted meanwhile.
    shifted: bool,
    report: IntakeReport,
    errors: u32,
    limited: u32,
    error: Option<UpstreamError>,
}

impl Listing {
    fn count(&mut self, total: Option<u64>) {
        self.shifted |= self.pages > 0 && total != self.total;
        self.total = total;
        self.pages += 1;
    }

    /// Whether what was not listed is not on the list: a review that somebody reads between two pages moves
    /// another one from the second to the first, where it is not seen.
    fn is_steady(&self) -> bool {
        // Without totals nothing shows whether they shifted.
        let all = self.total.is_some_and(|total| total == self.uuids.len() as u64);
        self.pages <= 1 || (all && !self.shifted)
    }
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
            said_why: false,
            store,
        })
    }

    /// Whether a listing is under way: then nothing may be marked, for it would shift the pages.
    pub fn is_listing(&self) -> bool {
        self.listing.is_some()
    }

    /// Makes the next poll due immediately.
    pub fn poll_now(&mut self) {
        self.next_poll_at = Timestamp(0);
    }

    /// The time of day was set: what is waited for is as far away as before.
    pub fn clock_stepped(&mut self, by_ms: i64) {
        self.next_poll_at.0 = self.next_poll_at.0.saturating_add(by_ms);
        self.waits_until.0 = self.waits_until.0.saturating_add(by_ms);
    }

    /// Makes the next poll due at `at` at the latest.
    pub fn poll_by(&mut self, at: Timestamp) {
        self.next_poll_at = self.next_poll_at.min(at);
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
        if now < self.waits_until {
            return Ok(Tick::Wait(self.waits_until));
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
            self.listing = Some(Listing { begun_at: now, ..Listing::default() });
        }
        let page = self.listing.as_ref().map_or(0, |listing| listing.pages) + 1;
        self.page(plan, now).instrument(tracing::error_span!("listing", page)).await
    }

    fn intake<'a>(&'a self, plan: &'a Plan, baseline: bool, now: Timestamp) -> Intake<'a> {
        Intake { account: &self.account, plan, catalog: self.catalog.as_deref(), baseline, now }
    }

    // ---- names ----------------------------------------------------------------------------------------

    async fn load_names_when_due(&mut self, now: Timestamp) -> Result<Option<Tick>, StoreError> {
        let due = self.names_at.is_none_or(|at| now >= at.plus(NAMES_INTERVAL) || now < at);
        // Until they have loaded once, every review waits for them.
        let pause = if self.catalog.is_some() { NAMES_ON_DEMAND } else { NAMES_AT_FIRST };
        let tried = self.names_tried_at.is_some_and(|at| now >= at && now < at.plus(pause));
        if !due || tried {
            return Ok(None);
        }
        self.load_names(now).await
    }

    /// Loads the names. Where they cannot be loaded the old ones remain, and the poll goes on: it will report
    /// what is wrong, and reviews are held until names have loaded once.
    async fn load_names(&mut self, now: Timestamp) -> Result<Option<Tick>, StoreError> {
        match self.upstream.catalog().await {
            Ok(catalog) => {
                self.names_tried_at = Some(now);
                self.store.save_catalog(&self.account, &catalog, now).await?;
                self.names_at = Some(now);
                self.catalog = Some(Arc::new(catalog));
                Ok(Some(Tick::Again))
            }
            Err(UpstreamError { kind: ErrorKind::State(failure), .. }) => Err(StoreError::Budget(failure)),
            Err(error) => match pause_of(&error) {
                Some(until) => Ok(Some(self.wait_for_budget(&error.kind, until, now))),
                None => {
                    self.names_tried_at = Some(now);
                    tracing::warn!(error = %error, "the names of sources, websites and platforms could not be loaded");
                    Ok(None)
                }
            },
        }
    }

    /// Whether `items` name something that is not known, and it is worth loading for.
    fn wants_names(&self, items: &[Item], now: Timestamp) -> bool {
        let Some(catalog) = &self.catalog else { return false };
        let tried = self.names_tried_at.is_some_and(|at| now >= at && now < at.plus(NAMES_ON_DEMAND));
        !tried
            && items.iter().any(|item| match item {
                Item::Review(review) => !catalog.knows(review),
                Item::Malformed(_) => false,
            })
    }

    // ---- pages ----------------------------------------------------------------------------------------

    async fn page(&mut self, plan: &Plan, now: Timestamp) -> Result<Tick, StoreError> {
        let cursor = self.listing.as_ref().and_then(|listing| listing.cursor.clone());
        let mut page = match self.upstream.unread_page(cursor.as_ref()).await {
            Ok(page) => page,
            Err(error) => return self.page_failed(plan, error, now).await,
        };
        if self.wants_names(&page.items, now) {
            // A pause here only means that the new name is unknown for this once.
            self.load_names(now).await?;
            self.waits_until = Timestamp(0);
        }
        let known: AccountRecord = self.store.account(&self.account).await?;
        let Some(mut listing) = self.listing.take() else { return Ok(Tick::Again) };
        let before = listing.uuids.len();
        page.items.retain(|item| listing.uuids.insert(identity(item)));
        let brought = listing.uuids.len() > before;
        let items = std::mem::take(&mut page.items);
        let taken = self.intake(plan, known.baseline_at.is_none(), now).take(&*self.store, items).await;
        let report = match taken {
            Ok(report) => report,
            Err(error) => {
                // The listing is over, and not complete: the next poll starts again.
                self.next_poll_at = now.plus(plan.policy.poll_interval);
                return Err(error);
            }
        };
        listing.limited = 0;
        listing.count(page.total);
        listing.seen.extend(&report.seen);
        listing.report.add(IntakeReport { seen: Vec::new(), ..report.clone() });
        listing.cursor = page.next.filter(|_| brought);
        let more = listing.cursor.is_some();
        self.listing = Some(listing);
        if more { Ok(Tick::Page(report)) } else { self.end(plan, now).await }
    }

    async fn page_failed(
        &mut self,
        plan: &Plan,
        error: UpstreamError,
        now: Timestamp,
    ) -> Result<Tick, StoreError> {
        let Some(listing) = &mut self.listing else { return Ok(Tick::Again) };
        match &error.kind {
            // Without its state the bridge does not poll, and does not stay.
            ErrorKind::State(failure) => return Err(StoreError::Budget(failure.clone())),
            ErrorKind::Budget(until) => return Ok(self.wait_for_budget(&error.kind, *until, now)),
            ErrorKind::RateLimited(until) if listing.limited < PAGE_ERRORS => {
                listing.limited += 1;
                return Ok(self.wait_for_budget(&error.kind, *until, now));
            }
            _ => {}
        }
        listing.errors += 1;
        listing.error = Some(error.clone());
        // One page that the API cannot give must not hide the pages behind it.
        let poisoned = matches!(error.kind, ErrorKind::Unavailable | ErrorKind::TimedOut);
        if let (true, Some(Cursor::Page(page))) = (poisoned && listing.errors < PAGE_ERRORS, &listing.cursor)
        {
            listing.cursor = Some(Cursor::Page(page + 1));
            return Ok(Tick::Again);
        }
        self.end(plan, now).await
    }

    async fn end(&mut self, plan: &Plan, now: Timestamp) -> Result<Tick, StoreError> {
        let Some(listing) = self.listing.take() else { return Ok(Tick::Again) };
        self.said_why = false;
        let steady = listing.is_steady();
        let mut poll = Poll {
            length: listing.seen.len() as u64,
            report: listing.report,
            error: listing.error,
            baseline: false,
        };
        self.next_poll_at = now.plus(plan.policy.poll_interval);
        match &poll.error {
            None => {
                let skip_if_read: Vec<&str> = plan.skip_if_read().collect();
                let report = self
                    .store
                    .complete_listing(&CompleteListing {
                        account: &self.account,
                        seen: &listing.seen,
                        skip_if_read: &skip_if_read,
                        steady,
                        begun_at: listing.begun_at,
                        now,
                    })
                    .await?;
                poll.baseline = report.baseline;
            }
            Some(error) => {
                self.store.poll_failed(&self.account, error.kind.name(), &error.detail, now).await?;
                let failed = self.store.account(&self.account).await?.failed_polls;
                let doublings = failed.saturating_sub(1).min(10);
                let backoff = plan.policy.poll_interval.saturating_mul(1 << doublings);
                let longest = LONGEST_BACKOFF.max(plan.policy.poll_interval);
                self.next_poll_at = now.plus(backoff.min(longest));
            }
        }
        Ok(Tick::Listed(poll))
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

fn identity(item: &Item) -> String {
    match item {
        Item::Review(review) => review.uuid.clone(),
        Item::Malformed(item) => format!("sha256:{}", item.hash),
    }
}

fn pause_of(error: &UpstreamError) -> Option<Timestamp> {
    match error.kind {
        ErrorKind::Budget(until) | ErrorKind::RateLimited(until) => Some(until),
        _ => None,
    }
}

#[cfg(test)]
#[path = "poller_tests.rs"]
mod tests;
