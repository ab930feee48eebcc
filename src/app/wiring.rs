//! What is built from one configuration: destinations, plans, clients. A reload builds another, and the running
//! parts use the newest.

use super::{AppError, Observed, StoreBudget};
use crate::clock::Clock;
use crate::config::Settings;
use crate::destination::{self, built_in_templates, templates};
use crate::domain::Timestamp;
use crate::intake::{Audience, Plan};
use crate::outbox::{Digester, Target, Targets};
use crate::settings::table::quoted;
use crate::store::{SharedStore, StoreError};
use crate::template::{Renderer, TemplateProblem};
use crate::upstream::{self, Client, Upstream};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What outlives a configuration.
#[derive(Clone)]
pub(super) struct Shared {
    pub store: SharedStore,
    /// Where request budgets are kept; another state in a dry run.
    pub budgets: SharedStore,
    pub clock: Clock,
    /// For jitter.
    pub seed: u64,
}

/// One configuration, built.
pub(super) struct Wiring {
    pub settings: Settings,
    pub targets: Targets,
    pub accounts: BTreeMap<String, AccountParts>,
}

/// What one account works with.
pub(super) struct AccountParts {
    pub plan: Arc<Plan>,
    pub upstream: Arc<dyn Upstream>,
    pub budget: Arc<StoreBudget>,
}

impl Wiring {
    /// Builds all of `settings`. An account that is reached as it was `before` keeps its client, and with it
    /// its session.
    pub fn build(
        settings: Settings,
        mut targets: Targets,
        shared: &Shared,
        before: Option<&Self>,
    ) -> Result<Self, AppError> {
        let mut accounts = BTreeMap::new();
        for (name, plan) in build_plans(&settings, &targets) {
            let known = before.and_then(|before| before.same_client(&settings, &name));
            let (upstream, budget) = match known {
                Some(known) => known,
                None => build_upstream(&settings, &name, &shared.store, &shared.budgets, &shared.clock)?,
            };
            accounts.insert(name, AccountParts { plan, upstream, budget });
        }
        // What is queued of an account that is gone is still sent, and by its own scales.
        for (account, scales) in before.iter().flat_map(|before| &before.targets.scales) {
            targets.scales.entry(account.clone()).or_insert_with(|| scales.clone());
        }
        Ok(Self { settings, targets, accounts })
    }

    fn same_client(
        &self,
        settings: &Settings,
        account: &str,
    ) -> Option<(Arc<dyn Upstream>, Arc<StoreBudget>)> {
        let own = self.accounts.get(account)?;
        let reached = |settings: &Settings| {
            let account = settings.accounts.get(account)?;
            Some((account.upstream.clone(), keeps_email(settings)))
        };
        let same: Option<(upstream::Settings, bool)> = reached(&self.settings);
        (same == reached(settings)).then(|| (own.upstream.clone(), own.budget.clone()))
    }

    /// What is queued for a destination that has been gone for ten minutes becomes dead letters. To be looked for every
    /// minute.
    pub async fn dead_letter_orphans(&self, store: &SharedStore, now: Timestamp) -> Result<(), StoreError> {
        let configured: Vec<String> = self.targets.by_name.keys().cloned().collect();
        let orphans = store.dead_letter_orphans(&configured, now).await?;
        if orphans > 0 {
            tracing::warn!(
                count = orphans,
                "messages to destinations that are no longer configured were moved to dead letters"
            );
        }
        Ok(())
    }

    /// Brings what is queued into line with this configuration, and begins to watch its digests. Not to be left
    /// out where anything was enqueued under another configuration: it would be queued forever.
    pub async fn align(&self, store: &SharedStore, now: Timestamp) -> Result<Digester, StoreError> {
        self.dead_letter_orphans(store, now).await?;
        store.regroup(&self.targets.digests(), now).await?;
        store.release_held(now).await?;
        Digester::new(store.clone(), &self.targets, now).await
    }
}

fn keeps_email(settings: &Settings) -> bool {
    settings.destinations.values().any(|destination| destination.common.show_email)
}

/// The destinations of a configuration; the templates that people wrote are compiled and tried on samples.
pub fn build_targets(settings: &Settings) -> Result<Targets, AppError> {
    let renderer = templates(settings.templates_dir.as_deref()).map_err(AppError::Templates)?;
    let named = settings.destinations.iter();
    let missing: Vec<TemplateProblem> =
        named.filter_map(|(name, settings)| no_such_template(&renderer, name, settings)).collect();
    if !missing.is_empty() {
        return Err(AppError::Templates(missing));
    }
    build_targets_with(settings, &renderer)
}

/// The destinations of a configuration for what renders no message: no template is looked at.
pub fn build_silent_targets(settings: &Settings) -> Result<Targets, AppError> {
    build_targets_with(settings, &built_in_templates())
}

/// The destinations of a configuration, with the templates of `renderer`.
pub fn build_targets_with(settings: &Settings, renderer: &Arc<Renderer>) -> Result<Targets, AppError> {
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
                burst: common.burst,
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

/// What is wrong with the name of the templates that a destination uses; `None` where there are some of that name.
fn no_such_template(
    renderer: &Renderer,
    name: &str,
    settings: &destination::Settings,
) -> Option<TemplateProblem> {
    let wanted = settings.common.template.as_ref()?;
    let (kind, known) = (settings.kind.name, renderer.template_names(settings.kind.name));
    if known.contains(&wanted.as_str()) {
        return None;
    }
    let hint = match known[..] {
        [] => format!(
            "put them into {kind}/{wanted}/ below `templates_dir`, such as {kind}/{wanted}/review.json"
        ),
        _ => format!("there are {}", quoted(&known)),
    };
    let file = format!("destinations.{name}.template");
    let what = format!("there are no templates `{wanted}` of {kind}; {hint}");
    Some(TemplateProblem { file, line: 0, column: 0, what })
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
        return Err(AppError::NoAccount(account.to_owned()));
    };
    let limit = own.upstream.requests_per_minute;
    let budget = Arc::new(StoreBudget::new(budgets.clone(), clock.clone(), account, limit));
    let keep_email = keeps_email(settings);
    let client =
        Client::new(&own.upstream, account, budget.clone(), clock.clone(), keep_email, &settings.outbound)
            .map_err(AppError::Build)?;
    let observed = Observed::new(Arc::new(client), store.clone(), clock.clone(), account);
    Ok((Arc::new(observed), budget))
}
