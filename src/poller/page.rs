//! The pages of a listing: read, taken in as they arrive, and what follows when one cannot be had.

use super::listing::{Brought, Listing, MAX_ITEMS};
use super::*;
use crate::upstream::{Items, PageEnd};
use async_trait::async_trait;

/// Reviews taken in together.
const CHUNK: usize = 500;

/// Takes the items of a page in as they arrive.
struct Taking<'a> {
    poller: &'a mut Poller,
    plan: &'a Plan,
    baseline: bool,
    now: Timestamp,
    report: IntakeReport,
    brought: Brought,
    failed: Option<StoreError>,
}

/// A page that was read, or not.
struct Taken {
    end: Result<PageEnd, UpstreamError>,
    report: IntakeReport,
    brought: Brought,
}

#[async_trait]
impl Items for Taking<'_> {
    async fn take(&mut self, items: Vec<Item>) -> bool {
        match self.take_in(items).await {
            Ok(()) => true,
            Err(error) => {
                self.failed = Some(error);
                false
            }
        }
    }
}

impl Taking<'_> {
    async fn take_in(&mut self, mut items: Vec<Item>) -> Result<(), StoreError> {
        self.brought.items += items.len();
        if self.poller.wants_names(&items, self.now) {
            // A pause here only means that the new name is unknown for this once.
            self.poller.load_names(self.now).await?;
            self.poller.waits_until = Timestamp(0);
        }
        if let Some(listing) = &mut self.poller.listing {
            items.retain(|item| listing.uuids.insert(identity(item)));
        }
        self.brought.new += items.len();
        while !items.is_empty() {
            let rest = items.split_off(items.len().min(CHUNK));
            let store = self.poller.store.clone();
            let intake = self.poller.intake(self.plan, self.baseline, self.now);
            let report = intake.take(&*store, std::mem::replace(&mut items, rest)).await?;
            if let Some(listing) = &mut self.poller.listing {
                listing.seen.extend(&report.seen);
                listing.report.add(IntakeReport { seen: Vec::new(), ..report.clone() });
            }
            self.report.add(report);
        }
        Ok(())
    }
}

impl Poller {
    /// Reads the page at `cursor` and takes it in.
    async fn read(
        &mut self,
        plan: &Plan,
        cursor: Option<&Cursor>,
        now: Timestamp,
    ) -> Result<Taken, StoreError> {
        let baseline = match self.listing.as_ref().and_then(|listing| listing.baseline) {
            Some(baseline) => baseline,
            None => self.store.account(&self.account).await?.baseline_at.is_none(),
        };
        if let Some(listing) = &mut self.listing {
            listing.baseline = Some(baseline);
        }
        let upstream = self.upstream.clone();
        let (report, brought) = (IntakeReport::default(), Brought::default());
        let mut taking = Taking { poller: self, plan, baseline, now, report, brought, failed: None };
        let end = upstream.read_page(cursor, &mut taking).await;
        let Taking { report, brought, failed, .. } = taking;
        match failed {
            None => Ok(Taken { end, report, brought }),
            Some(error) => {
                // The listing is over, and not complete: the next poll starts again.
                self.listing = None;
                self.next_poll_at = now.plus(plan.policy.poll_interval);
                Err(error)
            }
        }
    }

    /// Takes in the next page of the listing.
    pub(super) async fn page(&mut self, plan: &Plan, now: Timestamp) -> Result<Tick, StoreError> {
        let cursor = self.listing.as_ref().and_then(|listing| listing.cursor.clone());
        let Taken { end, report, brought } = self.read(plan, cursor.as_ref(), now).await?;
        let end = match end {
            Ok(end) => end,
            Err(error) => return self.page_failed(plan, error, now).await,
        };
        let usual = self.usual_page;
        let Some(listing) = &mut self.listing else { return Ok(Tick::Again) };
        listing.read(end, brought, usual);
        let (begun_at, first) = (listing.begun_at, listing.pages == 1 && listing.baseline == Some(true));
        if listing.is_endless() {
            listing.error = Some(endless(&self.account));
            listing.cursor = None;
        }
        let more = listing.cursor.is_some();
        if first {
            self.store.listing_begun(&self.account, begun_at).await?;
        }
        if more { Ok(Tick::Page(report)) } else { self.end(plan, now).await }
    }

    /// Looks at the newest page while the rest of the list takes longer than a poll.
    pub(super) async fn look(&mut self, plan: &Plan, now: Timestamp) -> Result<Tick, StoreError> {
        let look_at = now.plus(plan.policy.poll_interval);
        let Taken { end, report, .. } = self.read(plan, None, now).await?;
        let Some(listing) = &mut self.listing else { return Ok(Tick::Again) };
        match end {
            Ok(end) => listing.looked(end.total, look_at),
            Err(UpstreamError { kind: ErrorKind::State(failure), .. }) => {
                return Err(StoreError::Budget(failure));
            }
            Err(error) => {
                // The list itself will say what is wrong.
                listing.look_at = look_at;
                if let Some(until) = pause_of(&error) {
                    listing.look_at = until;
                    return Ok(self.wait_for_budget(&error.kind, until, now));
                }
            }
        }
        Ok(Tick::Page(report))
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
        let is_poison = matches!(error.kind, ErrorKind::Unavailable | ErrorKind::TimedOut);
        listing.error = Some(error);
        // One page that the API cannot give must not hide the pages behind it. Behind the first one there may be no API at
        // all: only one more is tried.
        let tries = if listing.pages == 0 { 2 } else { PAGE_ERRORS };
        if is_poison && listing.errors < tries {
            let next = match &listing.cursor {
                None => Some(Cursor::Page(2)),
                Some(Cursor::Page(page)) => Some(Cursor::Page(page.saturating_add(1))),
                Some(Cursor::Sized { page, limit }) => {
                    Some(Cursor::Sized { page: page.saturating_add(1), limit: *limit })
                }
                Some(Cursor::Link(_)) => None,
            };
            if next.is_some() {
                listing.cursor = next;
                return Ok(Tick::Again);
            }
        }
        self.end(plan, now).await
    }

    async fn end(&mut self, plan: &Plan, now: Timestamp) -> Result<Tick, StoreError> {
        let Some(listing) = self.listing.take() else { return Ok(Tick::Again) };
        self.said_why = false;
        self.usual_page = self.usual_page.max(listing.longest_page());
        let mut poll = Poll {
            length: listing.seen.len() as u64,
            report: listing.report.clone(),
            error: listing.error.clone(),
            baseline: false,
        };
        if listing.baseline == Some(true) {
            // What was held for its scale waits for nothing more.
            let mut more = true;
            while more {
                let routed = self.intake(plan, false, now).route_waiting(&*self.store, ROUTE_BATCH).await?;
                more = routed.matched + routed.unmatched > 0;
                poll.report.release(routed);
            }
        }
        self.pause = plan.policy.poll_interval;
        match &poll.error {
            None => {
                let skip_if_read: Vec<&str> = plan.skip_if_read().collect();
                let complete = CompleteListing {
                    account: &self.account,
                    seen: &listing.seen,
                    skip_if_read: &skip_if_read,
                    steady: listing.is_steady(),
                    begun_at: listing.begun_at,
                    now,
                };
                poll.baseline = self.store.complete_listing(&complete).await?.baseline;
            }
            Some(error) => self.incomplete(plan, &listing, error, now).await?,
        }
        self.next_poll_at = now.plus(self.pause);
        Ok(Tick::Listed(poll))
    }

    async fn incomplete(
        &mut self,
        plan: &Plan,
        listing: &Listing,
        error: &UpstreamError,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.store.poll_failed(&self.account, error.kind.name(), &error.detail, now).await?;
        let known = self.store.account(&self.account).await?;
        let doublings = known.failed_polls.saturating_sub(1).min(10);
        let backoff = plan.policy.poll_interval.saturating_mul(1 << doublings);
        self.pause = backoff.min(LONGEST_BACKOFF.max(plan.policy.poll_interval));
        let over = ledger::ends_baseline(known.first_listing_at, listing.begun_at, listing.pages > 0);
        if over && known.baseline_at.is_none() {
            self.store.end_baseline(&self.account, now).await?;
            tracing::warn!(
                "no listing was complete for a day: from now on `max_age` decides which unread reviews are new"
            );
        }
        Ok(())
    }
}

fn endless(account: &str) -> UpstreamError {
    let detail = format!(
        "the list of unread reviews of `{account}` has more than {MAX_ITEMS} items, or no end: mark old reviews read in \
         ShopReviews, and check `accounts.{account}.endpoints.unread_reviews`"
    );
    UpstreamError { kind: ErrorKind::Endless, setting: "endpoints.unread_reviews", detail }
}

fn identity(item: &Item) -> String {
    match item {
        Item::Review(review) => review.uuid.clone(),
        Item::Malformed(item) => format!("sha256:{}", item.hash),
    }
}
