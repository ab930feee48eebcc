//! Digests by the clock: when one is due, what is queued for it becomes one message for each recipient.

use super::Targets;
use crate::clock::rfc3339;
use crate::destination::Schedule;
use crate::domain::Timestamp;
use crate::store::{DigestWindow, NewDigest, SharedStore, StoreError};
use std::collections::BTreeMap;
use std::time::Duration;

/// A window that began so much later than now shows that the clock was set back since.
const CLOCK_SET_BACK: Duration = Duration::from_secs(3600);

/// Watches the schedules of all digests.
pub struct Digester {
    store: SharedStore,
    windows: BTreeMap<String, DigestWindow>,
}

impl Digester {
    /// Takes the windows from state. A digest that is new, or whose schedule changed, is due at the next time
    /// after `now`; one that was missed while nothing ran is due immediately.
    pub async fn new(store: SharedStore, targets: &Targets, now: Timestamp) -> Result<Self, StoreError> {
        let mut kept: BTreeMap<String, DigestWindow> = store
            .digest_windows()
            .await?
            .into_iter()
            .map(|window| (window.destination.clone(), window))
            .collect();
        let mut windows = BTreeMap::new();
        for (name, target) in &targets.by_name {
            let Some(schedule) = &target.digest else { continue };
            let known = kept.remove(name);
            let window = match known {
                Some(window) if window.schedule == identity(schedule) => window,
                known => {
                    let window = DigestWindow {
                        destination: name.clone(),
                        schedule: identity(schedule),
                        from: known.map_or(now, |window| window.from),
                        next_at: next_after(schedule, now),
                    };
                    store.save_digest_window(&window).await?;
                    window
                }
            };
            windows.insert(name.clone(), window);
        }
        Ok(Self { store, windows })
    }

    /// Makes the digests that are due, and says when the next one is.
    pub async fn tick(&mut self, targets: &Targets, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        for (name, window) in &mut self.windows {
            let Some(target) = targets.by_name.get(name) else { continue };
            let Some(schedule) = &target.digest else { continue };
            if window.from > now.plus(CLOCK_SET_BACK) {
                // The last digest was made in what is the future now: the next may be years away.
                window.from = now;
                window.next_at = next_after(schedule, now);
                self.store.save_digest_window(window).await?;
            }
            if window.next_at > now {
                continue;
            }
            let next = DigestWindow {
                from: now,
                // Never before what was due: a clock that was set back must not run it twice.
                next_at: next_after(schedule, now.max(window.next_at)),
                ..window.clone()
            };
            let recipients = target.destination.recipients();
            let digest = NewDigest { next: &next, recipients: &recipients, send_empty: schedule.send_empty };
            let made = self.store.make_digest(&digest, now).await?;
            tracing::info!(destination = %name, messages = made, next_at = %rfc3339(next.next_at), "digest created");
            *window = next;
        }
        Ok(self.windows.values().map(|window| window.next_at).min())
    }
}

fn identity(schedule: &Schedule) -> String {
    format!("{} {}", schedule.text, schedule.zone.iana_name().unwrap_or("UTC"))
}

/// The next time; where none comes any more, a year on, to look again.
fn next_after(schedule: &Schedule, at: Timestamp) -> Timestamp {
    schedule.next_after(at).unwrap_or_else(|| at.plus(Duration::from_secs(366 * 86_400)))
}
