//! The request budget of an account, kept in state: no process on it, and no restart, exceeds it.

use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::store::{Grant, SharedStore, TakeRequests};
use crate::upstream::{Budget, Denied, Purpose, StateFailure};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::Mutex;

/// How long requests taken ahead may be used: the second that [`crate::store::REQUEST_SPAN`] allows for.
const AHEAD: Duration = Duration::from_secs(1);

/// One account's share of its API.
pub struct StoreBudget {
    store: SharedStore,
    clock: Clock,
    account: String,
    limit: u32,
    /// Held while the state is read, so that requests at the same time do not each take ahead.
    ahead: Mutex<HashMap<Purpose, Ahead>>,
    marks_wait: AtomicBool,
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
            marks_wait: AtomicBool::new(false),
        }
    }

    /// Whether marks are due while a listing is under way: it leaves them, and the newest page, a quarter of each minute.
    pub fn marks_wait(&self, wait: bool) {
        self.marks_wait.store(wait, Ordering::Relaxed);
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
        let purpose_limit = match purpose {
            Purpose::Listing if self.marks_wait.load(Ordering::Relaxed) => {
                self.limit.saturating_sub((self.limit / 4).max(1)).max(1)
            }
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
    use crate::store::REQUEST_SPAN;
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

    // H4, H15
    #[tokio::test]
    async fn the_rest_of_a_listing_leaves_a_quarter_to_marks_that_wait() {
        let (_folder, clock, budget) = budget(40).await;
        budget.marks_wait(true);
        assert_eq!(granted(&budget, Purpose::Listing, 60).await, 30);
        assert_eq!(granted(&budget, Purpose::Newest, 1).await, 1);
        assert_eq!(granted(&budget, Purpose::Mark, 60).await, 9);
        clock.advance(REQUEST_SPAN);
        budget.marks_wait(false);
        clock.advance(Duration::from_secs(60));
        assert_eq!(granted(&budget, Purpose::Listing, 60).await, 40);
    }

    // H4
    #[tokio::test]
    async fn who_waits_is_served_by_rank_and_everyone_within_two_minutes() {
        let (_folder, clock, budget) = budget(2).await;
        let classes = [Purpose::Newest, Purpose::Mark, Purpose::Listing, Purpose::Names];
        let mut served: HashMap<Purpose, Vec<i64>> = HashMap::new();
        let start = clock.now().0;
        // All of them want more than there is, at any time; the lowest asks first.
        for _ in 0..900 {
            for class in classes.iter().rev() {
                if budget.take(*class).await.is_ok() {
                    served.entry(*class).or_default().push(clock.now().0 - start);
                }
            }
            clock.advance(Duration::from_secs(1));
        }
        let total: usize = served.values().map(Vec::len).sum();
        assert!((26..=30).contains(&total), "the budget is used: {total}");
        for class in classes {
            let times = &served[&class];
            let gaps = times.windows(2).map(|pair| pair[1] - pair[0]);
            let longest = gaps.chain([times[0]]).max().unwrap();
            // Two requests a minute are not enough for four classes every two minutes and more for some.
            assert!(longest <= 250_000, "{class:?} waited {longest} ms");
        }
    }

    // H4
    #[tokio::test]
    async fn while_all_classes_want_more_each_gets_one_in_two_minutes() {
        let (_folder, clock, budget) = budget(30).await;
        let classes = [Purpose::Newest, Purpose::Mark, Purpose::Listing, Purpose::Names];
        let mut last: HashMap<Purpose, i64> = classes.iter().map(|class| (*class, clock.now().0)).collect();
        let mut counts: HashMap<Purpose, u32> = HashMap::new();
        for _ in 0..600 {
            for class in classes.iter().rev() {
                while budget.take(*class).await.is_ok() {
                    last.insert(*class, clock.now().0);
                    *counts.entry(*class).or_default() += 1;
                }
                let waited = clock.now().0 - last[class];
                assert!(waited <= 120_000, "{class:?} waited {waited} ms");
            }
            clock.advance(Duration::from_secs(1));
        }
        assert!(counts[&Purpose::Newest] > 3 * counts[&Purpose::Names], "{counts:?}");
    }
}
