//! `deliveries list`.

use super::super::output;
use super::super::{CliError, Context, names};
use super::{table, to_json};
use crate::clock::Clock;
use crate::domain::DeliveryState;
use crate::store::DeliveryFilter;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Only deliveries in this state
    #[arg(long, value_parser = PossibleValuesParser::new(DeliveryState::ALL.map(DeliveryState::as_str))
        .try_map(|name| DeliveryState::parse(&name).ok_or("no such state")))]
    state: Option<DeliveryState>,
    /// Only deliveries to this destination
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    /// Only deliveries of this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Only deliveries of this review
    #[arg(long)]
    uuid: Option<String>,
    /// Show at most this many
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, arguments: List) -> Result<(), CliError> {
    let (settings, state) = context.load_beside().await?;
    names::account(&settings, &state, arguments.account.as_deref()).await?;
    names::destination(&settings, &state, arguments.destination.as_deref()).await?;
    let filter = DeliveryFilter {
        id: None,
        account: arguments.account,
        destination: arguments.destination,
        state: arguments.state,
        uuid: arguments.uuid,
        limit: arguments.limit,
    };
    let filtered = filter.account.is_some()
        || filter.destination.is_some()
        || filter.state.is_some()
        || filter.uuid.is_some();
    let rows = state.store.list_deliveries(&filter).await?;
    if arguments.json {
        return output::json(&rows.iter().map(to_json).collect::<Vec<_>>());
    }
    table(&rows, Clock::System.now()).print_or(match filtered {
        true => "no matching deliveries",
        false => "no deliveries yet; `review-bridge run` creates them when a review matches a rule",
    });
    if rows.len() as u64 == u64::from(arguments.limit) {
        output::line(&format!("showing the newest {}; use --limit for more", arguments.limit));
    }
    Ok(())
}
