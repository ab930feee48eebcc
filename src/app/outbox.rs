//! The loop of the outbox: digests, sends, and what came of them.

use super::AppError;
use super::daemon::{Newest, Signals};
use super::wiring::Wiring;
use crate::domain::Timestamp;
use crate::outbox::{Digester, Dispatcher};
use crate::store::{SharedStore, StoreError};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

/// How long sends in flight may take to finish after a shutdown was requested.
const GRACE: Duration = Duration::from_secs(8);
/// The longest the outbox sleeps: commands change the state while it does.
const OUTBOX_SLEEP: Duration = Duration::from_secs(2);

/// How often destinations are looked for that are gone from the configuration.
const ORPHANS_INTERVAL: Duration = Duration::from_secs(60);

/// Sends what is due, by the newest configuration.
pub(super) struct OutboxLoop {
    pub dispatcher: Dispatcher,
    pub digester: Digester,
    pub newest: Newest,
    pub signals: Signals,
    pub fallbacks: mpsc::Sender<(String, String)>,
    pub store: SharedStore,
    /// When destinations that are gone were last looked for.
    pub orphans_at: Timestamp,
}

impl OutboxLoop {
    pub async fn run(mut self) -> Result<(), AppError> {
        while !self.signals.is_stopped() {
            self.round().await?;
        }
        let wiring = self.newest.borrow().clone();
        let deadline = tokio::time::sleep(GRACE);
        tokio::pin!(deadline);
        while self.dispatcher.in_flight() > 0 {
            tokio::select! {
                () = self.dispatcher.ended() => self.record(&wiring).await?,
                () = &mut deadline => break,
            }
        }
        let left = self.dispatcher.in_flight();
        if left > 0 {
            tracing::warn!(
                count = left,
                "sends did not finish before the shutdown; they are repeated after the next start"
            );
            let now = self.dispatcher.now();
            drop(self.dispatcher);
            self.store.recover(now).await?;
        }
        Ok(())
    }

    /// The newest configuration, with what is queued brought into line where it is new, or where something was
    /// enqueued under an earlier one.
    async fn follow(&mut self) -> Result<Arc<Wiring>, StoreError> {
        let changed = self.newest.has_changed().unwrap_or(false);
        let outdated = self.signals.take_outdated();
        let wiring = self.newest.borrow_and_update().clone();
        if changed || outdated {
            let now = self.dispatcher.now();
            self.digester = wiring.align(&self.store, now).await?;
            if changed {
                self.store.probe_broken(now).await?;
            }
        }
        let now = self.dispatcher.now();
        if self.orphans_at > now || now.since(self.orphans_at) >= ORPHANS_INTERVAL {
            self.orphans_at = now;
            wiring.dead_letter_orphans(&self.store, now).await?;
        }
        Ok(wiring)
    }

    async fn round(&mut self) -> Result<(), StoreError> {
        let units = self.signals.units.clone();
        let begin = async {
            let wiring = self.follow().await?;
            let digest_at = self.digester.tick(&wiring.targets, self.dispatcher.now()).await?;
            Ok::<_, StoreError>((self.dispatcher.start_due(&wiring.targets).await?, digest_at, wiring))
        };
        let (started, digest_at, wiring) = units.whole(begin).await?;
        let now = self.dispatcher.now();
        let wake_at = [started.next_at, started.rate_free_at, digest_at].into_iter().flatten().min();
        let pause = wake_at.map_or(OUTBOX_SLEEP, |at| at.since(now).min(OUTBOX_SLEEP));
        if started.sends == 0 || self.dispatcher.in_flight() > 0 {
            let pause = pause.max(Duration::from_millis(1));
            tokio::select! {
                () = self.dispatcher.ended() => self.dispatcher.linger().await,
                () = self.signals.sleep(pause, &self.signals.enqueued) => {}
            }
        }
        units.whole(self.record(&wiring)).await
    }

    async fn record(&mut self, wiring: &Wiring) -> Result<(), StoreError> {
        let settled = self.dispatcher.record(&wiring.targets).await?;
        if !settled.is_empty() {
            self.signals.settled.notify_waiters();
        }
        for settled in settled {
            if !wiring.targets.by_name.contains_key(&settled.destination) {
                // It was removed while this was being sent: if that failed, nothing sends it again.
                self.signals.enqueued_outdated();
            }
            if let Some(error) = settled.fallback {
                // A full channel means that the operator is notified of enough of them already.
                let _ = self.fallbacks.try_send((settled.destination, error));
            }
        }
        Ok(())
    }
}
