//! The loops that look after the bridge: problems for the operator, and the heartbeat.

use super::AppError;
use super::daemon::{Newest, Signals};
use super::wiring::Shared;
use crate::clock::Clock;
use crate::config::Settings;
use crate::destination;
use crate::domain::MarkRead;
use crate::operator::problem::AccountView;
use crate::operator::{Heart, Look, Operator};
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};

/// How often problems are looked for.
const OPERATOR_INTERVAL: Duration = Duration::from_secs(15);
/// Good polls that may wait for a heartbeat under way; more say nothing new.
const POLLS: usize = 64;

/// What problems depend on of the accounts of a configuration.
pub fn account_views(settings: &Settings) -> BTreeMap<String, AccountView> {
    let view = |(name, account): (&String, &crate::config::Account)| {
        let view = AccountView {
            credential: account.credential.to_owned(),
            marks: account.policy.mark_read != MarkRead::Never,
            poll_interval: account.policy.poll_interval,
        };
        (name.clone(), view)
    };
    settings.accounts.iter().map(view).collect()
}

/// Looks for problems.
pub(super) struct OperatorLoop {
    operator: Operator,
    newest: Newest,
    clock: Clock,
    failed_templates: mpsc::Receiver<(String, String)>,
    looks: watch::Sender<Look>,
}

impl OperatorLoop {
    /// `failed_templates` are destinations and why their templates could not be used; what is seen goes to `looks`.
    pub fn new(
        shared: &Shared,
        newest: Newest,
        failed_templates: mpsc::Receiver<(String, String)>,
        looks: watch::Sender<Look>,
    ) -> Self {
        let mut operator = Operator::new(shared.store.clone());
        configure(&mut operator, &newest.borrow().settings);
        let clock = shared.clock.clone();
        Self { operator, newest, clock, failed_templates, looks }
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
            let now = self.clock.now();
            if changed {
                configure(&mut self.operator, &wiring.settings);
            }
            let notify = &wiring.settings.operator.notify;
            let tick = async { self.operator.tick(notify, &wiring.targets, now).await };
            let notified = signals.units.whole(tick).await?;
            self.looks.send_replace(self.operator.look().clone());
            if notified > 0 {
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

fn configure(operator: &mut Operator, settings: &Settings) {
    operator.configured(&settings.operator.name, account_views(settings));
}

/// Where good polls are reported; nothing waits for what becomes of that.
#[derive(Clone)]
pub(super) struct Pulse(mpsc::Sender<String>);

impl Pulse {
    /// `account` was polled well.
    pub fn polled(&self, account: &str) {
        // A full channel means that the last heartbeat is still under way.
        let _ = self.0.try_send(account.to_owned());
    }
}

/// Calls `operator.heartbeat_url` once every account has been polled well since the last call: a task of its own, so
/// that a slow or hanging URL delays nothing.
pub(super) struct HeartbeatLoop {
    newest: Newest,
    looks: watch::Receiver<Look>,
    polled: mpsc::Receiver<String>,
}

impl HeartbeatLoop {
    /// The loop, and where good polls are reported to it.
    pub fn new(newest: Newest, looks: watch::Receiver<Look>) -> (Self, Pulse) {
        let (pulse, polled) = mpsc::channel(POLLS);
        (Self { newest, looks, polled }, Pulse(pulse))
    }

    pub async fn run(mut self, signals: Signals) -> Result<(), AppError> {
        let mut heart = Heart::default();
        loop {
            let first = tokio::select! {
                polled = self.polled.recv() => polled,
                () = signals.stopped() => None,
            };
            let Some(first) = first else { return Ok(()) };
            let wiring = self.newest.borrow().clone();
            let is_alarmed = self.looks.borrow().is_alarmed;
            let mut beats = heart.polled(&first, wiring.accounts.keys(), is_alarmed);
            while let Ok(account) = self.polled.try_recv() {
                beats |= heart.polled(&account, wiring.accounts.keys(), is_alarmed);
            }
            let Some(url) = wiring.settings.operator.heartbeat_url.as_ref().filter(|_| beats) else {
                continue;
            };
            if let Err(why) = destination::ping(&wiring.settings.outbound, url).await {
                tracing::warn!(error = %why, "the call of `operator.heartbeat_url` failed");
            }
        }
    }
}
