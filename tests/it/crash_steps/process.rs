//! The processes of the scenario: one that is played in this process and may end at any call of the state, and a
//! real one that dies.

use crate::harness::faulty::{FaultyStore, is_made_up};
use review_bridge::app::{App, build_targets};
use review_bridge::clock::Clock;
use review_bridge::config::{self, Settings};
use review_bridge::domain::Timestamp;
use review_bridge::outbox::Targets;
use review_bridge::store::SharedStore;
use review_bridge::store::sqlite::{Access, SqliteStore};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

pub use crate::harness::faulty::{FaultPlan, StoreFault};

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    Well,
    /// A call was made to fail, and it said so.
    Failed,
    /// It was gone in the middle of a call.
    Gone,
}

/// What a process is started with. What it makes of its configuration is the same each time, so it is made once.
pub struct Process {
    settings: Settings,
    targets: Targets,
    clock: Clock,
}

impl Process {
    pub fn new(config: &Path, clock: Clock) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let none: [(String, String); 0] = [];
        let mut settings = config::load(Some(config), none, config.parent().unwrap()).unwrap().settings;
        settings.http.listen = None;
        let targets = build_targets(&settings).unwrap_or_else(|error| panic!("{error}"));
        Self { settings, targets, clock }
    }

    /// It starts, runs once, and ends. One that is stopped is dropped where it is: nothing of it goes on.
    pub async fn run(&self, fate: FaultPlan) -> Ended {
        let store = SqliteStore::open(&self.settings.state.path, Access::Own).await.unwrap();
        let store = Arc::new(FaultyStore::new(Arc::new(store), fate));
        let stopped = store.stopped();
        tokio::select! {
            ended = self.run_on(store) => match ended {
                Ok(()) => Ended::Well,
                Err(error) => {
                    assert!(is_made_up(&error), "{error}");
                    Ended::Failed
                }
            },
            () = stopped.notified() => Ended::Gone,
        }
    }

    async fn run_on(&self, store: SharedStore) -> Result<(), String> {
        let (settings, targets) = (self.settings.clone(), self.targets.clone());
        let app = App::on(settings, targets, store, self.clock.clone()).await;
        let mut app = app.map_err(|error| error.to_string())?;
        let result = app.run_once().await.map(drop).map_err(|error| error.to_string());
        app.close().await;
        result
    }
}

const CONFIG: &str = "CRASH_STEPS_CONFIG";
const TIME: &str = "CRASH_STEPS_TIME";
const METHOD: &str = "CRASH_STEPS_METHOD";
const NUMBER: &str = "CRASH_STEPS_NUMBER";
const AFTER: &str = "CRASH_STEPS_AFTER";

/// Does `fault` to the call `number` of `method`, which counts from 1.
pub fn fate(method: impl Into<String>, number: u32, fault: StoreFault) -> FaultPlan {
    let (method, mut calls) = (method.into(), 0);
    Box::new(move |called| {
        calls += u32::from(called == method);
        (called == method && calls == number).then_some(fault)
    })
}

/// Starts this very program again, as the process that dies; whether it did.
pub async fn dies(config: &Path, now: Timestamp, method: &str, number: u32, fault: StoreFault) -> bool {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "crash_steps::process::a_process_that_is_to_die"])
        .env(CONFIG, config)
        .env(TIME, now.0.to_string())
        .env(METHOD, method)
        .env(NUMBER, number.to_string())
        .env(AFTER, (fault == StoreFault::AbortAfter).to_string())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    // The API and the inboxes live in this process, and must answer meanwhile.
    let status = tokio::task::spawn_blocking(move || command.status().unwrap()).await.unwrap();
    // SIGABRT: it must not have ended in any other way.
    assert!(status.success() || status.signal() == Some(6), "{status}");
    !status.success()
}

/// The other end of [`dies`]; nothing where it is run like a test.
#[tokio::test]
async fn a_process_that_is_to_die() {
    let Some(config) = std::env::var_os(CONFIG) else { return };
    let text = |name: &str| std::env::var(name).unwrap();
    let fault = if text(AFTER) == "true" { StoreFault::AbortAfter } else { StoreFault::AbortBefore };
    let fate = fate(text(METHOD), text(NUMBER).parse().unwrap(), fault);
    let clock = Clock::manual(Timestamp(text(TIME).parse().unwrap()));
    assert_eq!(Process::new(Path::new(&config), clock).run(fate).await, Ended::Well);
}
