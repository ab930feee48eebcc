//! Removes what is older than `state.retention`: the texts of reviews and the attempts to deliver them. A
//! tombstone is left of each review, so that it is neither delivered again nor an edit of it missed.

use crate::clock::{Clock, StepWatch};
use crate::domain::Timestamp;
use crate::store::{Expiry, SharedStore, StoreError};
use std::time::Duration;

/// How often old things are looked for.
const INTERVAL: Duration = Duration::from_secs(3600);
/// What was listed within this time is kept, however old: it may be listed again.
const LISTED_WITHIN: Duration = Duration::from_secs(30 * 86_400);
/// Reviews removed in one transaction.
const BATCH: u32 = 500;

/// Keeps the state bounded.
pub struct Janitor {
    store: SharedStore,
    clock: Clock,
    retention: Duration,
    steps: StepWatch,
    next_at: Timestamp,
}

impl Janitor {
    /// Removes what is older than `retention`, now and then every hour.
    pub fn new(store: SharedStore, clock: Clock, retention: Duration) -> Self {
        Self { steps: StepWatch::new(&clock), store, clock, retention, next_at: Timestamp(0) }
    }

    /// Removes one batch where it is time to, and says when to come again.
    pub async fn tick(&mut self) -> Result<Timestamp, StoreError> {
        let now = self.clock.now();
        if let Some(by_ms) = self.steps.look() {
            self.next_at.0 = self.next_at.0.saturating_add(by_ms);
        }
        if now < self.next_at {
            return Ok(self.next_at);
        }
        let expiry = Expiry {
            aged_before: now.minus(self.retention),
            unlisted_before: now.minus(LISTED_WITHIN),
            limit: BATCH,
        };
        let expired = self.store.expire_old(&expiry, now).await?;
        if expired.reviews + expired.messages > 0 {
            let (reviews, messages) = (expired.reviews, expired.messages);
            tracing::info!(reviews, messages, "removed what is older than `state.retention`");
        }
        if expired.reviews < u64::from(BATCH) {
            self.next_at = now.plus(INTERVAL);
        }
        Ok(self.next_at.max(now))
    }

    /// Removes all that is too old now.
    pub async fn sweep(&mut self) -> Result<(), StoreError> {
        while self.tick().await? <= self.clock.now() {}
        Ok(())
    }
}
