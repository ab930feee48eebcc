//! Names given to commands, checked against the configuration and the database first: a misspelt name must not
//! look like an empty result.

use super::CliError;
use super::state::State;
use crate::config::Settings;
use crate::domain::text::one_line;
use crate::settings::table::{nearest, quoted};
use std::collections::BTreeSet;

/// Rejects an account that neither the configuration nor the database has.
pub(super) async fn account(
    settings: &Settings,
    state: &State,
    wanted: Option<&str>,
) -> Result<(), CliError> {
    let Some(wanted) = wanted.filter(|wanted| !settings.accounts.contains_key(*wanted)) else {
        return Ok(());
    };
    let in_state = state.store.count_reviews().await?;
    if in_state.iter().any(|count| count.account == wanted) {
        return Ok(());
    }
    Err(unknown("account", wanted, settings.accounts.keys().map(String::as_str)))
}

/// Rejects an account that the configuration does not have.
pub(super) fn configured_account(settings: &Settings, wanted: &str) -> Result<(), CliError> {
    match settings.accounts.contains_key(wanted) {
        true => Ok(()),
        false => Err(unknown("account", wanted, settings.accounts.keys().map(String::as_str))),
    }
}

/// Rejects a destination that neither the configuration nor the database has.
pub(super) async fn destination(
    settings: &Settings,
    state: &State,
    wanted: Option<&str>,
) -> Result<(), CliError> {
    let Some(wanted) = wanted else { return Ok(()) };
    let known = destinations(settings, state).await?;
    match known.contains(wanted) {
        true => Ok(()),
        false => Err(unknown("destination", wanted, known.iter().map(String::as_str))),
    }
}

/// Rejects a destination that the configuration does not have.
pub(super) fn configured_destination(settings: &Settings, wanted: &str) -> Result<(), CliError> {
    match settings.destinations.contains_key(wanted) {
        true => Ok(()),
        false => Err(unknown("destination", wanted, settings.destinations.keys().map(String::as_str))),
    }
}

/// Every destination of the configuration and the database.
pub(super) async fn destinations(settings: &Settings, state: &State) -> Result<BTreeSet<String>, CliError> {
    let mut names: BTreeSet<String> = settings.destinations.keys().cloned().collect();
    names.extend(state.store.destinations().await?.into_iter().map(|record| record.name));
    names.extend(state.store.count_deliveries().await?.into_iter().map(|count| count.destination));
    Ok(names)
}

fn unknown<'a>(what: &str, wanted: &str, known: impl Iterator<Item = &'a str>) -> CliError {
    let known: Vec<&str> = known.collect();
    let hint = match nearest(wanted, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => format!("the configuration has no {what}s"),
        None => format!("known {what}s: {}", quoted(&known)),
    };
    CliError::Usage(format!("unknown {what} `{}`; {hint}", one_line(wanted, 60)))
}
