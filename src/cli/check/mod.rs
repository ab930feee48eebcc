//! `check`: everything that can be verified before or during a run: what works, what does not, what to do.

mod api;
mod local;
mod names;
mod report;

use super::destinations::targets;
use super::state::State;
use super::subject::known;
use super::{CliError, Context, output};
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::Catalog;
use crate::store::DestinationRecord;
use clap::Args;
use report::Report;
use std::collections::BTreeMap;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Skip network checks: neither the API nor the destinations are contacted
    #[arg(long)]
    offline: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<(), CliError> {
    let loaded = context.load()?;
    let settings = &loaded.settings;
    let mut report = Report::default();
    local::configuration(&loaded, &mut report);
    local::templates(settings, &mut report);
    local::tests(settings, &known(settings, None).await?, &mut report);
    local::rules(settings, &mut report);
    let state = local::state(settings, &mut report).await;
    let catalogs = accounts(settings, state.as_ref(), arguments.offline, &mut report).await?;
    names::configured(settings, &catalogs, &mut report);
    names::scales(&known(settings, state.as_ref()).await?, &catalogs, &mut report);
    names::same_company(settings, &catalogs, &mut report);
    destinations(settings, state.as_ref(), arguments.offline, &mut report).await?;
    local::same_targets(settings, &mut report);
    local::http(settings, state.as_ref(), &mut report);
    if arguments.json {
        output::json(&report.to_json())?;
    } else {
        report.print();
    }
    if report.is_fine() { Ok(()) } else { Err(CliError::Reported) }
}

/// Checks each account's API; its names, from there or else from the database.
async fn accounts(
    settings: &Settings,
    state: Option<&State>,
    offline: bool,
    report: &mut Report,
) -> Result<BTreeMap<String, Catalog>, CliError> {
    let mut catalogs = BTreeMap::new();
    let names = settings.accounts.keys();
    let checked: Vec<_> = match state {
        Some(state) if !offline => {
            futures::future::join_all(names.map(|name| api::check(settings, name, state))).await
        }
        Some(state) => {
            futures::future::join_all(names.map(|name| api::from_database(settings, name, state))).await
        }
        None => {
            names.map(|name| api::skipped(name, "skipped: the request budget needs the database")).collect()
        }
    };
    for (name, (found, catalog)) in settings.accounts.keys().zip(checked) {
        report.extend(found);
        let known = match (catalog, state) {
            (None, Some(state)) => state.store.catalog(name).await?.map(|(catalog, _)| catalog),
            (catalog, _) => catalog,
        };
        catalogs.extend(known.map(|catalog| (name.clone(), catalog)));
    }
    Ok(catalogs)
}

/// Checks whether each destination's server is reachable; sends nothing.
async fn destinations(
    settings: &Settings,
    state: Option<&State>,
    offline: bool,
    report: &mut Report,
) -> Result<(), CliError> {
    let records = match state {
        Some(state) => state.store.destinations().await?,
        None => Vec::new(),
    };
    let targets = match targets(settings) {
        Ok(targets) => targets,
        Err(error) => {
            report.failed("destinations", &error.to_string(), "");
            return Ok(());
        }
    };
    let reached = futures::future::join_all(targets.by_name.iter().map(|(name, target)| async move {
        (name, target, if offline { None } else { Some(target.destination.reach().await) })
    }));
    for (name, target, reached) in reached.await {
        let kind = settings.destinations.get(name).map_or("", |own| own.kind.name);
        let what = format!("destination {name} ({kind})");
        let address = target.destination.address();
        match reached {
            Some(Err(why)) => {
                let hint = "check its address in the configuration, and that this machine can connect to it";
                report.failed(&what, &format!("cannot be reached: {why}"), hint);
            }
            _ if stopped(&what, records.iter().find(|record| record.name == *name), report) => {}
            Some(Ok(())) => report.ok(&what, &format!("{address} is reachable (no message sent)")),
            None => report.unverified(&what, &format!("{address}: skipped (--offline)"), ""),
        }
    }
    Ok(())
}

/// Reports a paused or broken destination; returns whether it is one.
fn stopped(what: &str, record: Option<&DestinationRecord>, report: &mut Report) -> bool {
    let Some(record) = record.filter(|record| record.paused_at.is_some() || record.health.is_stopped())
    else {
        return false;
    };
    let name = &record.name;
    let since = output::ago(record.stopped_since, Clock::System.now());
    let detail = record.health.detail.as_deref().unwrap_or("the reason is unknown");
    match record.paused_at {
        None => {
            let hint = format!("fix it, then run `review-bridge destinations resume {name}`");
            let state = record.health.state.as_str();
            report.warn(what, &format!("{state} (first seen {since}): {detail}"), &hint);
        }
        Some(_) => {
            let hint = format!("to resume it: `review-bridge destinations resume {name}`");
            report.warn(what, &format!("paused by a person {since}"), &hint);
        }
    }
    true
}
