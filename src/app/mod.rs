//! The composition root: settings and adapters become an [`App`] that runs, or runs once.

mod account;
mod accounts;
mod budget;
mod daemon;
mod durability;
mod health;
mod names;
mod notes;
mod observed;
mod once;
mod outbox;
mod reload;
mod units;
mod watch;
mod wiring;

pub use account::{AccountWorker, Step};
pub use budget::StoreBudget;
pub use durability::warning as durability_warning;
pub use observed::Observed;
pub use once::{Once, Waiting};
pub use reload::Reload;
pub use watch::account_views;
pub use wiring::{build_plans, build_silent_targets, build_targets, build_targets_with, build_upstream};

use crate::clock::Clock;
use crate::config::Settings;
use crate::outbox::{Digester, Dispatcher, Janitor, Targets};
use crate::settings::table::io_text;
use crate::store::sqlite::{Access, Files, SqliteStore};
use crate::store::{SharedStore, StoreError};
use crate::task::Panicked;
use crate::template::TemplateProblem;
use health::{Health, listen};
use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use wiring::{Shared, Wiring};

/// Why the bridge cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The state failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address for `http.listen` is not available.
    #[error(
        "cannot listen on {addr} (`http.listen`): {}; free the port, set another, or set \"\" to serve nothing",
        io_text(.source)
    )]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// Why not.
        source: io::Error,
    },
    /// The folder for the copy of a dry run cannot be created.
    #[error("cannot create a temporary folder for a copy of the state: {}", io_text(.0))]
    Copy(#[source] io::Error),
    /// A task panicked.
    #[error(transparent)]
    Panicked(#[from] Panicked),
    /// There is no such account.
    #[error("there is no account `{0}`")]
    NoAccount(String),
    /// Templates with mistakes.
    #[error("{}", list(.0))]
    Templates(Vec<TemplateProblem>),
    /// A part that cannot be built from its settings.
    #[error("{0}")]
    Build(String),
}

fn list(problems: &[TemplateProblem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The bridge, ready to run.
pub struct App {
    wiring: Arc<Wiring>,
    shared: Shared,
    accounts: Vec<AccountWorker>,
    dispatcher: Dispatcher,
    digester: Digester,
    janitor: Janitor,
    health: Health,
    /// The files of the state, where they are this process's own.
    files: Option<Files>,
}

/// A bridge on a copy of the state.
pub struct Dry {
    /// The bridge.
    pub app: App,
    // Removed when dropped.
    _folder: tempfile::TempDir,
}

/// Opens the state of a configuration.
pub async fn open_state(path: &Path, access: Access) -> Result<Arc<SqliteStore>, AppError> {
    Ok(Arc::new(SqliteStore::open(path, access).await?))
}

impl App {
    /// Builds everything: templates, destinations, state (owned by this process), the listener, accounts. Health is
    /// served from when the state is open.
    pub async fn build(settings: Settings, clock: Clock) -> Result<Self, AppError> {
        let targets = build_targets(&settings)?;
        let clock = clock.steady();
        // Where another bridge runs, its port is taken, too: the state says which process it is.
        let state = open_state(&settings.state.path, Access::Own).await?;
        let listener = listen(&settings).await?;
        let store: SharedStore = state.clone();
        let health = Health::serve(listener, &settings, &store, &clock);
        let app = Self::assemble(settings, targets, store.clone(), store, health, clock).await?;
        Ok(Self { files: state.files().cloned(), ..app })
    }

    /// Like [`Self::build`], on a state that is already open, with destinations that are already built, and
    /// without a listener: for callers that wrap the state.
    pub async fn on(
        settings: Settings,
        targets: Targets,
        store: SharedStore,
        clock: Clock,
    ) -> Result<Self, AppError> {
        let clock = clock.steady();
        let health = Health::serve(None, &settings, &store, &clock);
        Self::assemble(settings, targets, store.clone(), store, health, clock).await
    }

    /// Like [`Self::build`], on a copy of the state that is thrown away with it. The request budget is still
    /// the real one: the requests of a dry run count.
    pub async fn build_dry(settings: Settings, clock: Clock) -> Result<Dry, AppError> {
        let targets = build_targets(&settings)?;
        let clock = clock.steady();
        let folder = tempfile::Builder::new().prefix("review-bridge-").tempdir();
        let folder = folder.map_err(AppError::Copy)?;
        let copy = folder.path().join("state.db");
        let known = settings.state.path.exists();
        let real: Option<SharedStore> = if known {
            let real = open_state(&settings.state.path, Access::Beside).await?;
            real.copy_to(&copy).await?;
            Some(real)
        } else {
            None
        };
        let store: SharedStore = open_state(&copy, Access::Own).await?;
        let budget = real.unwrap_or_else(|| store.clone());
        let health = Health::serve(None, &settings, &store, &clock);
        let app = Self::assemble(settings, targets, store, budget, health, clock).await?;
        Ok(Dry { app, _folder: folder })
    }

    async fn assemble(
        settings: Settings,
        targets: Targets,
        store: SharedStore,
        budgets: SharedStore,
        health: Health,
        clock: Clock,
    ) -> Result<Self, AppError> {
        let now = clock.now();
        let interrupted = store.recover(now).await?;
        if interrupted > 0 {
            tracing::warn!(
                count = interrupted,
                "messages were in flight when the last process ended; they are sent again, marked as possible repeats"
            );
        }
        let seed = u64::try_from(now.0).unwrap_or(0) ^ u64::from(std::process::id());
        let shared = Shared { store, budgets, clock, seed };
        let wiring = Wiring::build(settings, targets, &shared, None)?;
        let digester = wiring.align(&shared.store, now).await?;
        shared.store.probe_broken(now).await?;
        let mut accounts = Vec::new();
        for name in wiring.accounts.keys() {
            accounts.extend(AccountWorker::new(name, &wiring, &shared).await?);
        }
        let owner = format!("{}-{}", std::process::id(), now.0);
        let dispatcher = Dispatcher::new(shared.store.clone(), shared.clock.clone(), &owner, seed);
        let retention = wiring.settings.state.retention;
        let janitor = Janitor::new(shared.store.clone(), shared.clock.clone(), retention);
        Ok(Self {
            wiring: Arc::new(wiring),
            shared,
            accounts,
            dispatcher,
            digester,
            janitor,
            health,
            files: None,
        })
    }

    /// Where health is served; none with `http.listen = ""`.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.health.addr
    }

    /// The state.
    pub fn store(&self) -> &SharedStore {
        &self.shared.store
    }
}
