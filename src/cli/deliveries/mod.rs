//! `deliveries`: what was sent where, why, and with which result; and what people do about it.

mod interventions;
mod list;
mod outcome;
mod select;
mod show;

pub(super) use show::print_attempts;

use super::output::{Table, ago, json_time};
use super::{CliError, Context};
use crate::domain::{DeliveryState, Timestamp};
use crate::store::DeliveryRow;
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(super) enum Arguments {
    /// List deliveries, newest first
    List(list::List),
    /// Show one delivery: its rules, every attempt, what happens next
    Show(show::Show),
    /// Retry dead letters, at the same destination or another one
    Retry(select::Retry),
    /// Send delivered messages again, marked as repeats; digest items go into the next digest, unmarked
    Resend(select::Resend),
    /// Give up on pending or dead deliveries; their reviews are then marked read
    Discard(select::Discard),
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<(), CliError> {
    match arguments {
        Arguments::List(arguments) => list::run(context, arguments).await,
        Arguments::Show(arguments) => show::run(context, &arguments).await,
        Arguments::Retry(arguments) => interventions::run(context, arguments.into()).await,
        Arguments::Resend(arguments) => interventions::run(context, arguments.into()).await,
        Arguments::Discard(arguments) => interventions::run(context, arguments.into()).await,
    }
}

/// Deliveries as a table.
pub(super) fn table(rows: &[DeliveryRow], now: Timestamp) -> Table {
    let mut table =
        Table::new(&["id", "state", "destination", "account", "review", "created", "attempts", "note"]);
    for row in rows {
        table.row([
            row.id.to_string(),
            row.state.as_str().into(),
            to(row),
            row.account.clone(),
            row.uuid.clone(),
            ago(Some(row.created_at), now),
            row.attempts.to_string(),
            note(row, now),
        ]);
    }
    table
}

/// The destination, and the recipient if there is one.
pub(super) fn to(row: &DeliveryRow) -> String {
    match row.recipient.as_str() {
        "" => row.destination.clone(),
        recipient => format!("{} ({recipient})", row.destination),
    }
}

fn note(row: &DeliveryRow, now: Timestamp) -> String {
    match (row.state, row.next_at) {
        (DeliveryState::Pending, None) => "next digest".into(),
        (DeliveryState::Pending, Some(at)) if at > now => format!("next {}", ago(Some(at), now)),
        (DeliveryState::Pending, _) => "due".into(),
        _ => row.reason.clone().unwrap_or_default(),
    }
}

/// A delivery in JSON.
pub(super) fn to_json(row: &DeliveryRow) -> Value {
    json!({
        "id": row.id,
        "account": row.account,
        "uuid": row.uuid,
        "revision": row.revision,
        "destination": row.destination,
        "recipient": row.recipient,
        "state": row.state,
        "reason": row.reason,
        "rules": row.rules,
        "message_id": row.message_id,
        "attempts": row.attempts,
        "next_at": json_time(row.next_at),
        "last_detail": row.last_detail,
        "created_at": json_time(Some(row.created_at)),
        "settled_at": json_time(row.settled_at),
    })
}
