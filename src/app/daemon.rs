//! The loops of the daemon: each takes steps until it is told to stop.

use super::{AccountWorker, App, AppError};
use crate::clock::Clock;
use crate::operator::Operator;
use crate::outbox::{Digester, Dispatcher, Targets};
use crate::store::{SharedStore, StoreError};
use crate::task::Group;
use crate::{destination, web};
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::sync::{Notify, mpsc, watch};

/// How long sends in flight may take to end once the bridge is told to stop.
const GRACE: Duration = Duration::from_secs(8);
/// The longest the outbox sleeps: commands beside the daemon change the state while it does.
const OUTBOX_SLEEP: Duration = Duration::from_secs(2);
/// How often trouble is looked for.
const OPERATOR_INTERVAL: Duration = Duration::from_secs(15);

/// What the loops tell each other.
#[derive(Clone)]
struct Signals {
    /// Messages were enqueued.
    enqueued: Arc<Notify>,
    /// Deliveries were settled: marks may be due.
    settled: Arc<Notify>,
    stop: watch::Receiver<bool>,
}

impl Signals {
    async fn stopped(&self) {
        let mut stop = self.stop.clone();
        // A sender that is gone means the same.
        let _ = stop.wait_for(|stop| *stop).await;
    }

    async fn sleep(&self, duration: Duration, wake: &Notify) {
        if duration.is_zero() {
            return tokio::task::yield_now().await;
        }
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            () = wake.notified() => {}
            () = self.stopped() => {}
        }
    }
}

impl App {
    /// Runs until `shutdown` ends, or the state fails. Sends in flight get 8 s.
    ///
    /// # Errors
    /// The state failed: without it nothing may be polled or sent.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), AppError> {
        let health = self.health();
        let (stop, stopping) = watch::channel(false);
        let signals = Signals { enqueued: Arc::default(), settled: Arc::default(), stop: stopping };
        let (fallbacks, failed_templates) = mpsc::channel(64);
        let heartbeat = Heartbeat::new(&self);
        let mut loops: Group<Result<(), StoreError>> = Group::default();
        for worker in self.accounts {
            loops.start(account_loop(worker, signals.clone(), heartbeat.clone()));
        }
        let operator = OperatorLoop {
            operator: Operator::new(self.store.clone()),
            notify: self.settings.operator.notify.clone(),
            targets: self.targets.clone(),
            clock: self.clock.clone(),
            failed_templates,
        };
        loops.start(operator_loop(operator, signals.clone()));
        if let Some(listener) = self.listener {
            let stop = signals.clone();
            loops.start(async move {
                web::serve(listener, health, async move { stop.stopped().await }).await;
                Ok(())
            });
        }
        let mut outbox: Group<Result<(), StoreError>> = Group::default();
        outbox.start(outbox_loop(
            self.dispatcher,
            self.digester,
            self.targets,
            signals,
            fallbacks,
            self.store.clone(),
        ));

        let failure = tokio::select! {
            () = shutdown => None,
            ended = loops.next() => ended,
            ended = outbox.next() => ended,
        };
        let _ = stop.send(true);
        // Polls and marks can be dropped anywhere: what they did is in state or will be done again.
        drop(loops);
        while outbox.next().await.is_some() {}
        self.store.close().await;
        match failure {
            None | Some(Ok(Ok(()))) => Ok(()),
            Some(Ok(Err(error))) => Err(error.into()),
            Some(Err(panic)) => {
                Err(AppError::Build(format!("a part of the bridge ended unexpectedly: {panic}")))
            }
        }
    }
}

async fn account_loop(
    mut worker: AccountWorker,
    signals: Signals,
    heartbeat: Option<Arc<Heartbeat>>,
) -> Result<(), StoreError> {
    while !*signals.stop.borrow() {
        let step = worker.step().await?;
        if step.enqueued {
            signals.enqueued.notify_one();
        }
        if let (Some(poll), Some(heartbeat)) = (&step.poll, &heartbeat) {
            heartbeat.polled(&worker.name, poll.error.is_none()).await;
        }
        signals.sleep(worker.pause_after(&step), &signals.settled).await;
    }
    Ok(())
}

async fn outbox_loop(
    mut dispatcher: Dispatcher,
    mut digester: Digester,
    targets: Arc<Targets>,
    signals: Signals,
    fallbacks: mpsc::Sender<(String, String)>,
    store: SharedStore,
) -> Result<(), StoreError> {
    while !*signals.stop.borrow() {
        let digest_at = digester.tick(&targets, dispatcher.now()).await?;
        let started = dispatcher.start_due(&targets).await?;
        let now = dispatcher.now();
        let wake_at = [started.next_at, started.rate_free_at, digest_at].into_iter().flatten().min();
        let pause = wake_at.map_or(OUTBOX_SLEEP, |at| at.since(now).min(OUTBOX_SLEEP));
        if started.sends == 0 || dispatcher.in_flight() > 0 {
            tokio::select! {
                () = dispatcher.ended() => dispatcher.linger().await,
                () = signals.sleep(pause.max(Duration::from_millis(1)), &signals.enqueued) => {}
            }
        }
        record(&mut dispatcher, &targets, &signals, &fallbacks).await?;
    }
    let deadline = tokio::time::sleep(GRACE);
    tokio::pin!(deadline);
    while dispatcher.in_flight() > 0 {
        tokio::select! {
            () = dispatcher.ended() => record(&mut dispatcher, &targets, &signals, &fallbacks).await?,
            () = &mut deadline => break,
        }
    }
    let left = dispatcher.in_flight();
    if left > 0 {
        tracing::warn!(count = left, "sends did not end in time; they are repeated after the next start");
        let now = dispatcher.now();
        drop(dispatcher);
        store.recover(now).await?;
    }
    Ok(())
}

async fn record(
    dispatcher: &mut Dispatcher,
    targets: &Targets,
    signals: &Signals,
    fallbacks: &mpsc::Sender<(String, String)>,
) -> Result<(), StoreError> {
    let settled = dispatcher.record(targets).await?;
    if !settled.is_empty() {
        signals.settled.notify_waiters();
    }
    for settled in settled {
        if let Some(error) = settled.fallback {
            // A full channel means that the operator is told of enough of them already.
            let _ = fallbacks.try_send((settled.destination, error));
        }
    }
    Ok(())
}

struct OperatorLoop {
    operator: Operator,
    notify: Vec<String>,
    targets: Arc<Targets>,
    clock: Clock,
    failed_templates: mpsc::Receiver<(String, String)>,
}

async fn operator_loop(mut own: OperatorLoop, signals: Signals) -> Result<(), StoreError> {
    let never = Notify::new();
    while !*signals.stop.borrow() {
        while let Ok((destination, error)) = own.failed_templates.try_recv() {
            own.operator.template_failed(&destination, &error);
        }
        if own.operator.tick(&own.notify, &own.targets, own.clock.now()).await? > 0 {
            signals.enqueued.notify_one();
        }
        signals.sleep(OPERATOR_INTERVAL, &never).await;
    }
    Ok(())
}

/// Pings `operator.heartbeat_url` once every account has polled well since the last ping.
struct Heartbeat {
    url: crate::settings::Secret,
    waiting: Mutex<BTreeSet<String>>,
    accounts: BTreeSet<String>,
}

impl Heartbeat {
    fn new(app: &App) -> Option<Arc<Self>> {
        let url = app.settings.operator.heartbeat_url.clone()?;
        let accounts: BTreeSet<String> = app.settings.accounts.keys().cloned().collect();
        let waiting = Mutex::new(accounts.clone());
        Some(Arc::new(Self { url, waiting, accounts }))
    }

    async fn polled(&self, account: &str, well: bool) {
        let complete = match self.waiting.lock() {
            Ok(mut waiting) if well => {
                waiting.remove(account);
                let complete = waiting.is_empty();
                if complete {
                    waiting.clone_from(&self.accounts);
                }
                complete
            }
            _ => false,
        };
        if !complete {
            return;
        }
        if let Err(why) = destination::ping(&self.url).await {
            tracing::warn!(why, "the heartbeat (`operator.heartbeat_url`) was not taken");
        }
    }
}
