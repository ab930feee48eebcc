//! The composition root: settings and adapters become an [`App`] that runs, or runs once.

mod account;
mod budget;
mod daemon;
mod durability;
mod observed;
mod once;

pub use account::{AccountWorker, Step};
pub use budget::StoreBudget;
pub use durability::warning as durability_warning;
pub use observed::Observed;
pub use once::Once;

use crate::clock::{Clock, StepWatch};
use crate::config::Settings;
use crate::intake::{Audience, Plan};
use crate::outbox::{Acknowledger, Digester, Dispatcher, Target, Targets};
use crate::poller::Poller;
use crate::render::{Renderer, TemplateProblem};
use crate::store::sqlite::{Access, SqliteStore};
use crate::store::{SharedStore, StoreError};
use crate::upstream::{Client, Endpoint, Upstream};
use crate::web;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;

/// Why the bridge cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The state failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address for `http.listen` is not to be had.
    #[error(
        "cannot listen on {addr} (`http.listen`): {why}; free the port, name another, or write \"\" for none"
    )]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// Why not.
        why: String,
    },
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
    settings: Settings,
    store: SharedStore,
    clock: Clock,
    targets: Arc<Targets>,
    accounts: Vec<AccountWorker>,
    dispatcher: Dispatcher,
    digester: Digester,
    listener: Option<TcpListener>,
}

/// A bridge on a copy of the state.
pub struct Dry {
    /// The bridge.
    pub app: App,
    // Removed when dropped.
    _folder: tempfile::TempDir,
}

/// The destinations of a configuration, with their templates compiled and tried on samples.
pub fn build_targets(settings: &Settings) -> Result<Targets, AppError> {
    let renderer = Renderer::load(settings.templates_dir.as_deref()).map_err(AppError::Templates)?;
    let renderer = Arc::new(renderer);
    let mut by_name = BTreeMap::new();
    for (name, settings) in &settings.destinations {
        let destination = settings
            .make
            .make(name, &settings.common, renderer.clone())
            .map_err(|why| AppError::Build(format!("destinations.{name}: {why}")))?;
        let common = &settings.common;
        by_name.insert(
            name.clone(),
            Target {
                destination,
                rate: common.rate_limit,
                timeout: common.timeout,
                give_up_after: common.give_up_after,
                hours: common.active_hours.clone(),
                digest: common.digest.clone(),
                skip_if_read: common.skip_if_read,
            },
        );
    }
    let scales = settings
        .accounts
        .iter()
        .map(|(name, account)| (name.clone(), account.policy.rating_scales.clone()))
        .collect();
    Ok(Targets { by_name, scales })
}

/// The plan of each account: its policy, the rules, and who is behind each destination.
pub fn build_plans(settings: &Settings, targets: &Targets) -> BTreeMap<String, Arc<Plan>> {
    let audience = |target: &Target| Audience {
        recipients: target.destination.recipients(),
        at_once: target.digest.is_none(),
        skip_if_read: target.skip_if_read,
    };
    let audiences: BTreeMap<String, Audience> =
        targets.by_name.iter().map(|(name, target)| (name.clone(), audience(target))).collect();
    let audiences = Arc::new(audiences);
    settings
        .accounts
        .iter()
        .map(|(name, account)| {
            let plan = Plan {
                policy: account.policy.clone(),
                rules: settings.rules.clone(),
                audiences: audiences.clone(),
            };
            (name.clone(), Arc::new(plan))
        })
        .collect()
}

/// The API of an account, drawing on its budget in `budgets`, its answers noted in `store`.
pub fn build_upstream(
    settings: &Settings,
    account: &str,
    store: &SharedStore,
    budgets: &SharedStore,
    clock: &Clock,
) -> Result<(Arc<dyn Upstream>, Arc<StoreBudget>), AppError> {
    let Some(own) = settings.accounts.get(account) else {
        return Err(AppError::Build(format!("there is no account `{account}`")));
    };
    let limit = own.upstream.requests_per_minute;
    let budget = Arc::new(StoreBudget::new(budgets.clone(), clock.clone(), account, limit));
    let keep_email = settings.destinations.values().any(|destination| destination.common.show_email);
    let client = Client::new(&own.upstream, account, budget.clone(), clock.clone(), keep_email)
        .map_err(AppError::Build)?;
    let observed = Observed::new(Arc::new(client), store.clone(), clock.clone(), account);
    Ok((Arc::new(observed), budget))
}

/// Opens the state of a configuration.
pub async fn open_state(path: &Path, access: Access) -> Result<Arc<SqliteStore>, AppError> {
    Ok(Arc::new(SqliteStore::open(path, access).await?))
}

impl App {
    /// Builds everything: templates, destinations, state (owned by this process), accounts, the listener.
    pub async fn build(settings: Settings, clock: Clock) -> Result<Self, AppError> {
        let targets = Arc::new(build_targets(&settings)?);
        let listener =
            match settings.http.listen {
                None => None,
                Some(addr) => Some(TcpListener::bind(addr).await.map_err(|error| AppError::Listen {
                    addr,
                    why: crate::settings::table::io_text(&error),
                })?),
            };
        let store: SharedStore = open_state(&settings.state.path, Access::Own).await?;
        Self::assemble(settings, targets, store.clone(), store, listener, clock).await
    }

    /// Like [`Self::build`], on a state that is already open, and without a listener: for who wraps the state.
    pub async fn on(settings: Settings, store: SharedStore, clock: Clock) -> Result<Self, AppError> {
        let targets = Arc::new(build_targets(&settings)?);
        Self::assemble(settings, targets, store.clone(), store, None, clock).await
    }

    /// Like [`Self::build`], on a copy of the state that is thrown away with it. The request budget is still
    /// the real one: what a dry run asks counts.
    pub async fn build_dry(settings: Settings, clock: Clock) -> Result<Dry, AppError> {
        let targets = Arc::new(build_targets(&settings)?);
        let folder = tempfile::Builder::new().prefix("review-bridge-").tempdir();
        let folder = folder.map_err(|error| {
            AppError::Build(format!(
                "no folder for a copy of the state: {}",
                crate::settings::table::io_text(&error)
            ))
        })?;
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
        let app = Self::assemble(settings, targets, store, budget, None, clock).await?;
        Ok(Dry { app, _folder: folder })
    }

    async fn assemble(
        settings: Settings,
        targets: Arc<Targets>,
        store: SharedStore,
        budgets: SharedStore,
        listener: Option<TcpListener>,
        clock: Clock,
    ) -> Result<Self, AppError> {
        let now = clock.now();
        let interrupted = store.recover(now).await?;
        if interrupted > 0 {
            tracing::warn!(
                count = interrupted,
                "messages were being sent when the last process ended; they are sent again, marked as possible repeats"
            );
        }
        let configured: Vec<String> = settings.destinations.keys().cloned().collect();
        let buried = store.bury_removed(&configured, now).await?;
        if buried > 0 {
            tracing::warn!(
                count = buried,
                "messages to destinations that are no longer configured are dead letters"
            );
        }
        let digests = targets.by_name.iter().filter(|(_, target)| target.digest.is_some());
        let digests: Vec<&str> = digests.map(|(name, _)| name.as_str()).collect();
        store.regroup(&digests, now).await?;
        let digester = Digester::new(store.clone(), &targets, now).await?;
        store.probe_broken(now).await?;
        let seed = u64::try_from(now.0).unwrap_or(0) ^ u64::from(std::process::id());
        let plans = build_plans(&settings, &targets);
        let mut accounts = Vec::new();
        for (index, (name, plan)) in plans.into_iter().enumerate() {
            let (upstream, budget) = build_upstream(&settings, &name, &store, &budgets, &clock)?;
            let setting =
                settings.accounts.get(&name).map(|own| own.upstream.endpoints.path(Endpoint::MarkReviewRead));
            let acknowledger = Acknowledger::new(
                &name,
                upstream.clone(),
                store.clone(),
                setting.unwrap_or_default(),
                seed.wrapping_add(index as u64 + 1),
            );
            accounts.push(AccountWorker {
                poller: Poller::new(&name, upstream.clone(), store.clone()).await?,
                acknowledger,
                plan,
                upstream,
                budget,
                store: store.clone(),
                clock: clock.clone(),
                steps: StepWatch::new(&clock),
                name,
            });
        }
        let owner = format!("{}-{}", std::process::id(), now.0);
        let dispatcher = Dispatcher::new(store.clone(), clock.clone(), &owner, seed);
        Ok(Self { settings, store, clock, targets, accounts, dispatcher, digester, listener })
    }

    /// Where health is served; none with `http.listen = ""`.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.listener.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// The state.
    pub fn store(&self) -> &SharedStore {
        &self.store
    }

    fn health(&self) -> web::Health {
        web::Health::new(
            self.store.clone(),
            self.clock.clone(),
            self.settings.accounts.keys().cloned().collect(),
        )
    }
}
