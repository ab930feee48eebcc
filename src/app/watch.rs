//! The loops that look after the bridge: problems for the operator, and the heartbeat.

use super::AppError;
use super::daemon::{Newest, Signals};
use super::wiring::Shared;
use crate::clock::Clock;
use crate::destination;
use crate::operator::Operator;
use std::collections::BTreeSet;
use std::sync::Mutex;
use std::time::Duration;
use tokio::sync::{Notify, mpsc};

/// How often problems are looked for.
const OPERATOR_INTERVAL: Duration = Duration::from_secs(15);

/// Looks for problems.
pub(super) struct OperatorLoop {
    operator: Operator,
    newest: Newest,
    clock: Clock,
    failed_templates: mpsc::Receiver<(String, String)>,
}

impl OperatorLoop {
    /// `failed_templates` are destinations and why their templates could not be used.
    pub fn new(shared: &Shared, newest: Newest, failed_templates: mpsc::Receiver<(String, String)>) -> Self {
        let mut operator = Operator::new(shared.store.clone());
        operator.configured(newest.borrow().accounts.keys().cloned());
        Self { operator, newest, clock: shared.clock.clone(), failed_templates }
    }

    pub async fn run(mut self, signals: Signals) -> Result<(), AppError> {
        let never = Notify::new();
        while !signals.is_stopped() {
            while let Ok((destination, error)) = self.failed_templates.try_recv() {
                self.operator.template_failed(&destination, &error);
            }
            // Those failed under the templates before.
            let changed = self.newest.has_changed().unwrap_or(false);
            let wiring = self.newest.borrow_and_update().clone();
            if changed {
                self.operator.configured(wiring.accounts.keys().cloned());
            }
            let notify = &wiring.settings.operator.notify;
            let tick = async { self.operator.tick(notify, &wiring.targets, self.clock.now()).await };
            if signals.units.whole(tick).await? > 0 {
                signals.enqueued.notify_one();
                // Notices to a destination that was removed meanwhile would be queued forever.
                if self.newest.has_changed().unwrap_or(false) {
                    signals.enqueued_outdated();
                }
            }
            signals.sleep(OPERATOR_INTERVAL, &never).await;
        }
        Ok(())
    }
}

/// Pings `operator.heartbeat_url` once every account has polled well since the last ping.
#[derive(Default)]
pub(super) struct Heartbeat {
    polled: Mutex<BTreeSet<String>>,
}

impl Heartbeat {
    /// `account` was polled, `well` or not.
    pub async fn polled(&self, newest: &Newest, account: &str, well: bool) {
        let wiring = newest.borrow().clone();
        let Some(url) = &wiring.settings.operator.heartbeat_url else { return };
        if !well || !self.completes(account, wiring.accounts.keys()) {
            return;
        }
        if let Err(why) = destination::ping(&wiring.settings.outbound, url).await {
            tracing::warn!(error = %why, "the heartbeat ping to `operator.heartbeat_url` failed");
        }
    }

    /// Whether all of `accounts` have polled well with this one; then the next round begins.
    fn completes<'a>(&self, account: &str, mut accounts: impl Iterator<Item = &'a String>) -> bool {
        let Ok(mut polled) = self.polled.lock() else { return false };
        polled.insert(account.to_owned());
        let complete = accounts.all(|account| polled.contains(account));
        if complete {
            polled.clear();
        }
        complete
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_heart_beats_once_for_each_round_of_all_accounts() {
        let heartbeat = Heartbeat::default();
        let (one, both) = (["a".to_owned()], ["a".to_owned(), "b".to_owned()]);
        let polled = |account: &str, accounts: &[String]| heartbeat.completes(account, accounts.iter());
        assert_eq!([polled("a", &both), polled("a", &both), polled("b", &both)], [false, false, true]);
        assert_eq!([polled("b", &both), polled("a", &both)], [false, true]);
        // An account that was removed does not hold up the ping.
        assert!(!polled("a", &both) && polled("a", &one));
    }
}
