//! Which deliveries `retry`, `resend` and `discard` are about: by number, or by what they have in common.

use super::super::consent::Consent;
use super::super::state::State;
use super::super::{CliError, names};
use crate::config::Settings;
use crate::domain::DeliveryState;
use crate::store::{DeliveryFilter, DeliveryRow};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::collections::BTreeSet;

/// What deliveries have in common.
#[derive(Debug, Default, Args)]
pub(super) struct Alike {
    /// All of them to this destination
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    /// All of them of this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// All of them of this review
    #[arg(long)]
    uuid: Option<String>,
    /// At most so many of these, the newest
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
}

/// The names of what selects without numbers.
const ALIKE: [&str; 5] = ["state", "destination", "account", "uuid", "limit"];

#[derive(Debug, Args)]
pub(in crate::cli) struct Retry {
    /// Their numbers, as `deliveries list` shows them
    #[arg(value_name = "ID", conflicts_with_all = ALIKE)]
    ids: Vec<i64>,
    /// All that are dead; other deliveries cannot be retried
    #[arg(long, value_parser = state(&[DeliveryState::Dead]))]
    state: Option<DeliveryState>,
    #[command(flatten)]
    alike: Alike,
    /// Send them to this destination instead
    #[arg(long, value_name = "NAME")]
    to: Option<String>,
    #[command(flatten)]
    consent: Consent,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Resend {
    /// Their numbers, as `deliveries list` shows them
    #[arg(value_name = "ID", required = true)]
    ids: Vec<i64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Discard {
    /// Their numbers, as `deliveries list` shows them
    #[arg(value_name = "ID", conflicts_with_all = ALIKE)]
    ids: Vec<i64>,
    /// All in this state [default: both]
    #[arg(long, value_parser = state(&DISCARDABLE))]
    state: Option<DeliveryState>,
    #[command(flatten)]
    alike: Alike,
    #[command(flatten)]
    consent: Consent,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const DISCARDABLE: [DeliveryState; 2] = [DeliveryState::Pending, DeliveryState::Dead];

fn state(allowed: &[DeliveryState]) -> impl TypedValueParser<Value = DeliveryState> + use<> {
    let names: Vec<&'static str> = allowed.iter().map(|state| state.as_str()).collect();
    PossibleValuesParser::new(names).try_map(|name| DeliveryState::parse(&name).ok_or("no such state"))
}

/// What is done to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Retry,
    /// Retry at another destination.
    Move(String),
    Resend,
    Discard,
}

/// What was asked for.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) verb: Verb,
    ids: Vec<i64>,
    /// Which states a selection without numbers takes.
    states: Vec<DeliveryState>,
    /// A state was named.
    by_state: bool,
    alike: Alike,
    pub(super) consent: Consent,
    pub(super) json: bool,
}

impl From<Retry> for Request {
    fn from(asked: Retry) -> Self {
        Self {
            verb: asked.to.map_or(Verb::Retry, Verb::Move),
            ids: asked.ids,
            states: vec![DeliveryState::Dead],
            by_state: asked.state.is_some(),
            alike: asked.alike,
            consent: asked.consent,
            json: asked.json,
        }
    }
}

impl From<Resend> for Request {
    fn from(asked: Resend) -> Self {
        Self {
            verb: Verb::Resend,
            ids: asked.ids,
            states: Vec::new(),
            by_state: false,
            alike: Alike::default(),
            // Every one of them was named.
            consent: Consent { yes: true },
            json: asked.json,
        }
    }
}

impl From<Discard> for Request {
    fn from(asked: Discard) -> Self {
        Self {
            verb: Verb::Discard,
            ids: asked.ids,
            states: asked.state.map_or(DISCARDABLE.to_vec(), |state| vec![state]),
            by_state: asked.state.is_some(),
            alike: asked.alike,
            consent: asked.consent,
            json: asked.json,
        }
    }
}

/// The deliveries that were named.
#[derive(Debug, Default)]
pub(super) struct Selected {
    pub(super) rows: Vec<DeliveryRow>,
    /// Numbers that no delivery has.
    pub(super) unknown: Vec<i64>,
    /// They have something in common, instead of having been named one by one.
    pub(super) alike: bool,
}

impl Request {
    /// Finds them, oldest first.
    pub(super) async fn select(&self, settings: &Settings, state: &State) -> Result<Selected, CliError> {
        if !self.ids.is_empty() {
            return by_number(state, &self.ids).await;
        }
        let Alike { destination, account, uuid, limit } = &self.alike;
        if !self.by_state && destination.is_none() && account.is_none() && uuid.is_none() {
            let hint = "name them by number, or say what they have in common: --state, --destination, --account, --uuid";
            return Err(CliError::Usage(format!("which deliveries? {hint}")));
        }
        names::account(settings, state, account.as_deref()).await?;
        names::destination(settings, state, destination.as_deref()).await?;
        let limit = limit.unwrap_or(u32::MAX);
        let mut rows = Vec::new();
        for state_of in &self.states {
            let filter = DeliveryFilter {
                id: None,
                account: account.clone(),
                destination: destination.clone(),
                state: Some(*state_of),
                uuid: uuid.clone(),
                limit,
            };
            rows.extend(state.store.list_deliveries(&filter).await?);
        }
        rows.sort_by_key(|row| std::cmp::Reverse(row.id));
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        rows.reverse();
        Ok(Selected { rows, unknown: Vec::new(), alike: true })
    }
}

async fn by_number(state: &State, ids: &[i64]) -> Result<Selected, CliError> {
    let mut selected = Selected::default();
    for id in ids.iter().copied().collect::<BTreeSet<i64>>() {
        match row(state, id).await? {
            Some(row) => selected.rows.push(row),
            None => selected.unknown.push(id),
        }
    }
    Ok(selected)
}

/// One delivery.
pub(super) async fn row(state: &State, id: i64) -> Result<Option<DeliveryRow>, CliError> {
    let filter = DeliveryFilter { id: Some(id), limit: 1, ..DeliveryFilter::default() };
    Ok(state.store.list_deliveries(&filter).await?.pop())
}
