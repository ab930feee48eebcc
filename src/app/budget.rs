//! The request budget of an account, kept in state: no process on it, and no restart, exceeds it.

use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::store::{Grant, REQUEST_SPAN, SharedStore, TakeRequests};
use crate::upstream::{Budget, Denied, Purpose, StateFailure};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;

/// How long requests taken ahead may be used: the second that [`REQUEST_SPAN`] allows for.
const AHEAD: Duration = Duration::from_secs(1);

/// One account's share of its API.
pub struct StoreBudget {
    store: SharedStore,
    clock: Clock,
    account: String,
    limit: u32,
    /// Held while the state is read, so that requests at the same time do not each take ahead.
    ahead: Mutex<HashMap<Purpose, Ahead>>,
    next_listing_at: AtomicI64,
}

/// Requests taken from state at once, and not used yet.
#[derive(Clone, Copy, Debug)]
struct Ahead {
    left: u32,
    size: u32,
    taken_at: Timestamp,
}

impl StoreBudget {
    /// A budget of `limit` requests in any minute.
    pub fn new(store: SharedStore, clock: Clock, account: &str, limit: u32) -> Self {
        Self {
            store,
            clock,
            account: account.to_owned(),
            limit,
            ahead: Mutex::default(),
            next_listing_at: AtomicI64::new(0),
        }
    }

    /// When the next listing needs requests: marks leave it half of the minute before.
    pub fn listing_expected(&self, at: Timestamp) {
        self.next_listing_at.store(at.0, Ordering::Relaxed);
    }

    /// How many to take at once: one at first, doubling while they are used up within their second, up to a
    /// second's worth. What is taken and not used is lost to the budget, so a slow caller takes one by one, and
    /// a fast one does not pay a transaction a request.
    fn wanted(&self, before: Option<Ahead>, now: Timestamp) -> u32 {
        match before {
            Some(ahead) if ahead.left == 0 && ahead.is_fresh(now) => {
                ahead.size.saturating_mul(2).min(self.limit.div_ceil(60))
            }
            _ => 1,
        }
    }
}

impl Ahead {
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.taken_at <= now && now.since(self.taken_at) < AHEAD
    }
}

#[async_trait]
impl Budget for StoreBudget {
    async fn take(&self, purpose: Purpose) -> Result<(), Denied> {
        let now = self.clock.now();
        let mut kept = self.ahead.lock().await;
        let before = kept.get_mut(&purpose);
        if let Some(ahead) = before
            && ahead.left > 0
            && ahead.is_fresh(now)
        {
            ahead.left -= 1;
            return Ok(());
        }
        let listing_waits = self.next_listing_at.load(Ordering::Relaxed) <= now.plus(REQUEST_SPAN).0;
        let purpose_limit = match purpose {
            Purpose::Mark if listing_waits => (self.limit / 2).max(1),
            _ => self.limit,
        };
        let want = self.wanted(kept.get(&purpose).copied(), now);
        let take =
            TakeRequests { account: &self.account, purpose, want, limit: self.limit, purpose_limit, now };
        match self.store.take_requests(&take).await {
            Ok(Grant::Taken(count)) => {
                kept.insert(purpose, Ahead { left: count - 1, size: count, taken_at: now });
                Ok(())
            }
            Ok(Grant::Until(at)) => Err(Denied::Until(at)),
            Err(error) => Err(Denied::State(StateFailure::new(error))),
        }
    }

    async fn hold(&self, until: Timestamp) {
        self.ahead.lock().await.clear();
        if let Err(error) = self.store.hold_account(&self.account, until).await {
            tracing::error!(error = %error, "the pause that the API asked for could not be saved");
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::store::sqlite::{Access, SqliteStore};
    use std::sync::Arc;

    async fn budget(limit: u32) -> (tempfile::TempDir, Clock, StoreBudget) {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("s.db"), Access::Own).await.unwrap();
        let clock = Clock::manual(Timestamp(1_000_000));
        let budget = StoreBudget::new(Arc::new(store), clock.clone(), "main", limit);
        (folder, clock, budget)
    }

    /// How many of `wanted` requests are granted without a pause.
    async fn granted(budget: &StoreBudget, purpose: Purpose, wanted: u32) -> u32 {
        let mut count = 0;
        while count < wanted && budget.take(purpose).await.is_ok() {
            count += 1;
        }
        count
    }

    #[tokio::test]
    async fn all_of_the_budget_can_be_used_and_no_more() {
        for limit in [1, 30, 600, 10_000] {
            let (_folder, clock, budget) = budget(limit).await;
            assert_eq!(granted(&budget, Purpose::Listing, limit * 2).await, limit, "limit {limit}");
            assert!(matches!(budget.take(Purpose::Listing).await, Err(Denied::Until(_))));
            clock.advance(REQUEST_SPAN);
            assert!(budget.take(Purpose::Listing).await.is_ok());
        }
    }

    #[tokio::test]
    async fn a_slow_caller_loses_nothing_of_it() {
        let (_folder, clock, budget) = budget(600).await;
        for second in 0..120 {
            assert!(budget.take(Purpose::Listing).await.is_ok(), "second {second}");
            clock.advance(Duration::from_secs(1));
        }
    }

    #[tokio::test]
    async fn marks_leave_half_to_a_listing_that_waits() {
        let (_folder, clock, budget) = budget(30).await;
        budget.listing_expected(clock.now());
        assert_eq!(granted(&budget, Purpose::Mark, 60).await, 15);
        assert_eq!(granted(&budget, Purpose::Listing, 60).await, 15);
        clock.advance(REQUEST_SPAN);
        budget.listing_expected(clock.now().plus(Duration::from_secs(3600)));
        assert_eq!(granted(&budget, Purpose::Mark, 60).await, 30);
    }
}
