//! The daemon: loops that take steps until a shutdown is requested, each by the newest configuration.

use super::accounts::AccountLoops;
use super::notes;
use super::outbox::OutboxLoop;
use super::reload::{Reload, ReloadLoop};
use super::units::Units;
use super::watch::{HeartbeatLoop, OperatorLoop};
use super::wiring::{Shared, Wiring};
use super::{App, AppError};
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::outbox::Janitor;
use crate::store::sqlite::Files;
use crate::task::Group;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};

/// The newest configuration.
pub(super) type Newest = watch::Receiver<Arc<Wiring>>;

pub(super) type Loops = Group<Result<(), AppError>>;

/// How the loops wake each other.
#[derive(Clone)]
pub(super) struct Signals {
    /// Messages were enqueued.
    pub enqueued: Arc<Notify>,
    /// Deliveries were settled: marks may be due.
    pub settled: Arc<Notify>,
    /// Something was enqueued under a configuration that is no longer active.
    outdated: Arc<AtomicBool>,
    /// What every unit of work is done in.
    pub units: Units,
    pub stop: watch::Receiver<bool>,
}

impl Signals {
    fn new(stop: watch::Receiver<bool>) -> Self {
        Self {
            enqueued: Arc::default(),
            settled: Arc::default(),
            outdated: Arc::default(),
            units: Units::default(),
            stop,
        }
    }

    pub async fn stopped(&self) {
        let mut stop = self.stop.clone();
        // A sender that is gone means the same.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    pub fn is_stopped(&self) -> bool {
        *self.stop.borrow()
    }

    pub async fn sleep(&self, duration: Duration, wake: &Notify) {
        if duration.is_zero() {
            return tokio::task::yield_now().await;
        }
        self.sleep_until(duration, wake.notified()).await;
    }

    /// Sleeps until `wake` ends, at the longest for so long.
    pub async fn sleep_until(&self, longest: Duration, wake: impl Future<Output = ()>) {
        tokio::select! {
            () = tokio::time::sleep(longest) => {}
            () = wake => {}
            () = self.stopped() => {}
        }
    }

    pub fn enqueued_outdated(&self) {
        self.outdated.store(true, Ordering::Release);
        self.enqueued.notify_one();
    }

    /// Whether that happened since the last call.
    pub fn take_outdated(&self) -> bool {
        self.outdated.swap(false, Ordering::AcqRel)
    }
}

/// The longest that upkeep sleeps: it notices within that time that the wall clock was set.
const UPKEEP_SLEEP: Duration = Duration::from_secs(60);

/// Removes what is too old, periodically.
async fn upkeep(mut janitor: Janitor, clock: Clock, signals: Signals) -> Result<(), AppError> {
    let never = Notify::new();
    while !signals.is_stopped() {
        let again_at = signals.units.whole(janitor.tick()).await?;
        signals.sleep(again_at.since(clock.now()).min(UPKEEP_SLEEP), &never).await;
    }
    Ok(())
}

/// How often the clock is looked at where nobody asks for the time.
const CLOCK_INTERVAL: Duration = Duration::from_secs(1);

/// Follows the clock where it is set, or the machine slept.
async fn follow_clock(shared: Shared, signals: Signals) -> Result<(), AppError> {
    while !signals.is_stopped() {
        if signals.units.follow(&shared.clock, &shared.store).await? {
            signals.enqueued.notify_one();
        }
        signals.sleep_until(CLOCK_INTERVAL, shared.clock.stepped()).await;
    }
    Ok(())
}

/// How often it is looked whether the files of the state are still those that were opened.
const FILES_INTERVAL: Duration = Duration::from_secs(2);

/// Ends where another file took the place of the state: what is recorded in one that was deleted is lost.
async fn watch_files(files: Files, signals: Signals) -> Result<(), AppError> {
    while !signals.is_stopped() {
        files.check()?;
        signals.sleep_until(FILES_INTERVAL, std::future::pending()).await;
    }
    Ok(())
}

impl App {
    /// Runs until `shutdown` ends, or the state fails. Sends in flight get 8 s. With `reload`, changes of the
    /// configuration are applied.
    ///
    /// # Errors
    /// The state failed: without it nothing may be polled or sent.
    pub async fn run(
        self,
        shutdown: impl Future<Output = ()>,
        reload: Option<Reload>,
    ) -> Result<(), AppError> {
        let store = self.shared.store.clone();
        let clock = self.shared.clock.clone();
        let stop = self.health.stop.clone();
        notes::started(&store, reload.as_ref().map(|reload| reload.shown.clone()), clock.now()).await?;
        let (mut loops, mut outbox) = self.start(Signals::new(stop.subscribe()), reload);
        let failure = tokio::select! {
            () = shutdown => None,
            ended = loops.next() => ended,
            ended = outbox.next() => ended,
        };
        let _ = stop.send(true);
        // Polls and marks can be dropped anywhere: what they did is in state or will be done again.
        drop(loops);
        while outbox.next().await.is_some() {}
        let ended = match &failure {
            None | Some(Ok(Ok(()))) => notes::stopped(&store, clock.now()).await,
            _ => Ok(()),
        };
        store.close().await;
        match failure {
            None | Some(Ok(Ok(()))) => Ok(ended?),
            Some(Ok(Err(error))) => Err(error),
            Some(Err(panic)) => Err(panic.into()),
        }
    }

    /// Starts all loops; that of the outbox on its own, because it is not to be dropped.
    fn start(self, signals: Signals, reload: Option<Reload>) -> (Loops, Loops) {
        let Self { wiring, shared, accounts, dispatcher, digester, janitor, health, files } = self;
        let (fallbacks, failed_templates) = mpsc::channel(64);
        let wiring = watch::Sender::new(wiring);
        let (mut loops, mut outbox) = (health.loops, Loops::default());
        let looks = health.looks;
        let (heartbeat, pulse) = HeartbeatLoop::new(wiring.subscribe(), looks.subscribe());
        loops.start(heartbeat.run(signals.clone()));
        let operator = OperatorLoop::new(&shared, wiring.subscribe(), failed_templates, looks);
        loops.start(operator.run(signals.clone()));
        loops.start(upkeep(janitor, shared.clock.clone(), signals.clone()));
        loops.start(follow_clock(shared.clone(), signals.clone()));
        if let Some(files) = files {
            loops.start(watch_files(files, signals.clone()));
        }
        let account_loops = AccountLoops {
            shared: shared.clone(),
            newest: wiring.subscribe(),
            signals: signals.clone(),
            pulse,
        };
        loops.start(account_loops.run(accounts));
        let dispatching = OutboxLoop {
            dispatcher,
            digester,
            newest: wiring.subscribe(),
            signals: signals.clone(),
            fallbacks,
            store: shared.store.clone(),
            orphans_at: Timestamp::default(),
        };
        outbox.start(dispatching.run());
        if let Some(reload) = reload {
            loops.start(
                ReloadLoop { shared, wiring, config_status: health.config_status, signals }.run(reload),
            );
        }
        (loops, outbox)
    }
}
