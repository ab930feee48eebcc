//! Which deliveries `retry`, `resend` and `discard` apply to: selected by ID or by filter.

use super::super::consent::Consent;
use super::super::state::State;
use super::super::{CliError, names};
use crate::config::Settings;
use crate::domain::DeliveryState;
use crate::store::{DeliveryFilter, DeliveryRow};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use std::collections::BTreeSet;

/// Filters that select deliveries.
#[derive(Debug, Default, Args)]
pub(super) struct Filters {
    /// All to this destination
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    /// All of this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// All of this review
    #[arg(long)]
    uuid: Option<String>,
    /// At most this many, newest first
    #[arg(long, value_name = "COUNT")]
    limit: Option<u32>,
}

/// The names of the filters.
const FILTERS: [&str; 5] = ["state", "destination", "account", "uuid", "limit"];

#[derive(Debug, Args)]
pub(in crate::cli) struct Retry {
    /// IDs of the deliveries, as shown by `deliveries list`
    #[arg(value_name = "ID", conflicts_with_all = FILTERS)]
    ids: Vec<i64>,
    /// All dead letters; nothing else can be retried
    #[arg(long, value_parser = state(&[DeliveryState::Dead]))]
    state: Option<DeliveryState>,
    #[command(flatten)]
    filters: Filters,
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
    /// IDs of the deliveries, as shown by `deliveries list`
    #[arg(value_name = "ID", required = true)]
    ids: Vec<i64>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Discard {
    /// IDs of the deliveries, as shown by `deliveries list`
    #[arg(value_name = "ID", conflicts_with_all = FILTERS)]
    ids: Vec<i64>,
    /// All in this state [default: both]
    #[arg(long, value_parser = state(&DISCARDABLE))]
    state: Option<DeliveryState>,
    #[command(flatten)]
    filters: Filters,
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

/// What to do with them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Retry,
    /// Retry at another destination.
    Move(String),
    Resend,
    Discard,
}

/// The request.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) verb: Verb,
    ids: Vec<i64>,
    /// The states that the filters select from.
    states: Vec<DeliveryState>,
    /// A state was named.
    by_state: bool,
    filters: Filters,
    pub(super) consent: Consent,
    pub(super) json: bool,
}

impl From<Retry> for Request {
    fn from(args: Retry) -> Self {
        Self {
            verb: args.to.map_or(Verb::Retry, Verb::Move),
            ids: args.ids,
            states: vec![DeliveryState::Dead],
            by_state: args.state.is_some(),
            filters: args.filters,
            consent: args.consent,
            json: args.json,
        }
    }
}

impl From<Resend> for Request {
    fn from(args: Resend) -> Self {
        Self {
            verb: Verb::Resend,
            ids: args.ids,
            states: Vec::new(),
            by_state: false,
            filters: Filters::default(),
            // Each of them was named.
            consent: Consent { yes: true },
            json: args.json,
        }
    }
}

impl From<Discard> for Request {
    fn from(args: Discard) -> Self {
        Self {
            verb: Verb::Discard,
            ids: args.ids,
            states: args.state.map_or(DISCARDABLE.to_vec(), |state| vec![state]),
            by_state: args.state.is_some(),
            filters: args.filters,
            consent: args.consent,
            json: args.json,
        }
    }
}

/// The selected deliveries.
#[derive(Debug, Default)]
pub(super) struct Selected {
    pub(super) rows: Vec<DeliveryRow>,
    /// IDs that no delivery has.
    pub(super) unknown: Vec<i64>,
    /// They were selected by filters, not named one by one.
    pub(super) by_filter: bool,
}

impl Request {
    /// Finds them, oldest first.
    pub(super) async fn select(&self, settings: &Settings, state: &State) -> Result<Selected, CliError> {
        if !self.ids.is_empty() {
            return by_id(state, &self.ids).await;
        }
        let Filters { destination, account, uuid, limit } = &self.filters;
        if !self.by_state && destination.is_none() && account.is_none() && uuid.is_none() {
            let hint = "pass IDs, or select with --state, --destination, --account or --uuid";
            return Err(CliError::Usage(format!("no deliveries selected; {hint}")));
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
        Ok(Selected { rows, unknown: Vec::new(), by_filter: true })
    }
}

async fn by_id(state: &State, ids: &[i64]) -> Result<Selected, CliError> {
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
