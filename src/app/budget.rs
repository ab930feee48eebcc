//! The request budget of an account, kept in state: no process on it, and no restart, exceeds it.

use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::store::{Grant, REQUEST_SPAN, SharedStore, TakeRequests};
use crate::upstream::{Budget, Denied, Purpose};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

/// How long requests taken ahead may be used: the second that [`REQUEST_SPAN`] allows for.
const AHEAD: Duration = Duration::from_secs(1);

/// One account's share of its API.
pub struct StoreBudget {
    store: SharedStore,
    clock: Clock,
    account: String,
    limit: u32,
    /// Taken from state and not used yet: how many, and when they were taken.
    ahead: Mutex<HashMap<Purpose, (u32, Timestamp)>>,
    next_listing_at: AtomicI64,
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

    /// When the next listing wants requests: marks leave it half of the minute before.
    pub fn listing_expected(&self, at: Timestamp) {
        self.next_listing_at.store(at.0, Ordering::Relaxed);
    }

    fn use_ahead(&self, purpose: Purpose, now: Timestamp) -> bool {
        let Ok(mut ahead) = self.ahead.lock() else { return false };
        match ahead.get_mut(&purpose) {
            Some((left, taken_at)) if *left > 0 && *taken_at <= now && now.since(*taken_at) < AHEAD => {
                *left -= 1;
                true
            }
            _ => false,
        }
    }
}

#[async_trait]
impl Budget for StoreBudget {
    async fn take(&self, purpose: Purpose) -> Result<(), Denied> {
        let now = self.clock.now();
        if self.use_ahead(purpose, now) {
            return Ok(());
        }
        let listing_waits = self.next_listing_at.load(Ordering::Relaxed) <= now.plus(REQUEST_SPAN).0;
        let purpose_limit = match purpose {
            Purpose::Mark if listing_waits => (self.limit / 2).max(1),
            _ => self.limit,
        };
        // One second's worth at a time: a large budget must not cost a transaction a request.
        let want = self.limit.div_ceil(60);
        let take =
            TakeRequests { account: &self.account, purpose, want, limit: self.limit, purpose_limit, now };
        match self.store.take_requests(&take).await {
            Ok(Grant::Taken(count)) => {
                if let (Ok(mut ahead), true) = (self.ahead.lock(), count > 1) {
                    ahead.insert(purpose, (count - 1, now));
                }
                Ok(())
            }
            Ok(Grant::Until(at)) => Err(Denied::Until(at)),
            Err(error) => Err(Denied::State(error.to_string())),
        }
    }

    async fn hold(&self, until: Timestamp) {
        if let Ok(mut ahead) = self.ahead.lock() {
            ahead.clear();
        }
        if let Err(error) = self.store.hold_account(&self.account, until).await {
            tracing::error!(account = %self.account, error = %error, "the pause the API asked for was not kept");
        }
    }
}
