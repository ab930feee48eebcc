//! Units of work and steps of the clock exclude each other: what a unit reads, reckons and writes is all by one
//! timeline, and what waits is moved to another between units only.

use crate::clock::Clock;
use crate::store::{SharedStore, StoreError};
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::{RwLock, watch};

/// How long units under way may take to end by themselves, while no other begins.
const PATIENCE: Duration = Duration::from_secs(2);

/// Lets units of work run beside each other, and a step of the clock only between them.
#[derive(Clone)]
pub(super) struct Units {
    gate: Arc<RwLock<()>>,
    /// Whether a step waits for units that wait for a network.
    hurry: Arc<watch::Sender<bool>>,
    patience: Duration,
}

impl Default for Units {
    fn default() -> Self {
        Self { gate: Arc::default(), hurry: Arc::new(watch::Sender::new(false)), patience: PATIENCE }
    }
}

impl Units {
    /// Does a unit of work that waits for nothing but the state. Not to be nested.
    pub async fn whole<T>(&self, unit: impl Future<Output = T>) -> T {
        let _entered = self.gate.read().await;
        unit.await
    }

    /// Does a unit of work that may wait long; `None` where a step of the clock had it dropped, as the end of the
    /// process would have.
    pub async fn unless_stepped<T>(&self, unit: impl Future<Output = T>) -> Option<T> {
        let _entered = self.gate.read().await;
        let mut hurry = self.hurry.subscribe();
        tokio::select! {
            biased;
            done = unit => Some(done),
            _ = hurry.wait_for(|hurry| *hurry) => None,
        }
    }

    /// Where the clock was set, moves everything in state that waits for a time by as much, and adopts the new time.
    /// Says whether it was.
    pub async fn follow(&self, clock: &Clock, store: &SharedStore) -> Result<bool, StoreError> {
        if clock.pending_step().is_none() {
            return Ok(false);
        }
        let alone = match tokio::time::timeout(self.patience, self.gate.write()).await {
            Ok(alone) => alone,
            Err(_) => {
                self.hurry.send_replace(true);
                let alone = self.gate.write().await;
                self.hurry.send_replace(false);
                alone
            }
        };
        let followed = follow(clock, store).await;
        drop(alone);
        followed
    }
}

/// Like [`Units::follow`], where nothing runs beside it.
pub(super) async fn follow(clock: &Clock, store: &SharedStore) -> Result<bool, StoreError> {
    let mut followed = false;
    // It may have been set again while the state followed.
    while let Some(by_ms) = clock.pending_step() {
        tracing::warn!(
            seconds = by_ms / 1000,
            "the wall clock was set, or the machine slept: everything that waits for a time waits as long as before"
        );
        store.clock_stepped(by_ms).await?;
        clock.adopt(by_ms);
        followed = true;
    }
    Ok(followed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use crate::store::sqlite::{Access, SqliteStore};

    async fn store(folder: &tempfile::TempDir) -> SharedStore {
        Arc::new(SqliteStore::open(&folder.path().join("state.db"), Access::Own).await.unwrap())
    }

    // H2
    #[tokio::test]
    async fn a_unit_under_way_ends_by_the_old_time_and_the_next_begins_by_the_new() {
        let folder = tempfile::tempdir().unwrap();
        let store = store(&folder).await;
        let wall = Clock::manual(Timestamp(0));
        let (clock, units) = (wall.steady(), Units::default());
        let (begin, end) = (Arc::new(tokio::sync::Notify::new()), tokio::sync::Notify::new());
        let unit = units.whole(async {
            let began = clock.now();
            begin.notify_one();
            end.notified().await;
            (began, clock.now())
        });
        let step = async {
            begin.notified().await;
            wall.step(3_600_000);
            let following = units.follow(&clock, &store);
            tokio::pin!(following);
            assert!(futures::poll!(&mut following).is_pending(), "a unit is under way");
            let next = units.whole(async { clock.now() });
            tokio::pin!(next);
            assert!(futures::poll!(&mut next).is_pending(), "none begins while a step waits");
            end.notify_one();
            let (followed, next) = tokio::join!(following, next);
            assert!(followed.unwrap());
            next
        };
        let (unit, next) = tokio::join!(unit, step);
        assert_eq!((unit, next), ((Timestamp(0), Timestamp(0)), Timestamp(3_600_000)));
        assert!(!units.follow(&clock, &store).await.unwrap(), "once");
    }

    // H2
    #[tokio::test]
    async fn a_unit_that_hangs_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let clock = Clock::manual(Timestamp(0));
        let (steady, units) = (clock.steady(), Units { patience: Duration::ZERO, ..Units::default() });
        let store = store(&folder).await;
        clock.step(-3_600_000);
        let hangs = units.unless_stepped(std::future::pending::<()>());
        let (hangs, followed) = tokio::join!(hangs, units.follow(&steady, &store));
        assert_eq!((hangs, followed.unwrap()), (None, true));
        assert_eq!(units.unless_stepped(std::future::ready(1)).await, Some(1));
    }
}
