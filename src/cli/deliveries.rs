//! `deliveries`: the ledger of what was sent where, why, and how it went.

use super::output::{self, Table, ago, fact, json_time, time};
use super::state::State;
use super::{CliError, Context, Later, names};
use crate::clock::Clock;
use crate::domain::{DeliveryState, Timestamp};
use crate::store::{AttemptRow, DeliveryFilter, DeliveryRow};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(super) enum Arguments {
    /// List deliveries, newest first
    List(List),
    /// Show one delivery: why it is made, every attempt, what is next
    Show(Show),
    #[command(hide = true)]
    Retry(Later),
    #[command(hide = true)]
    Resend(Later),
    #[command(hide = true)]
    Discard(Later),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those in this state
    #[arg(long, value_parser = PossibleValuesParser::new(DeliveryState::ALL.map(DeliveryState::as_str))
        .try_map(|name| DeliveryState::parse(&name).ok_or("no such state")))]
    state: Option<DeliveryState>,
    /// Only those to this destination
    #[arg(long, value_name = "NAME")]
    destination: Option<String>,
    /// Only those of this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Only those of this review
    #[arg(long)]
    uuid: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Its number, as `deliveries list` shows it
    id: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<(), CliError> {
    match arguments {
        Arguments::List(arguments) => list(context, arguments).await,
        Arguments::Show(arguments) => show(context, &arguments).await,
        Arguments::Retry(_) => Err(CliError::not_in_this_version("deliveries retry")),
        Arguments::Resend(_) => Err(CliError::not_in_this_version("deliveries resend")),
        Arguments::Discard(_) => Err(CliError::not_in_this_version("deliveries discard")),
    }
}

async fn list(context: &Context, arguments: List) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    let state = State::read(&settings).await?;
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
        true => "no delivery is like that",
        false => "no deliveries yet: `review-bridge run` makes one wherever a rule sends a review",
    });
    if rows.len() as u64 == u64::from(arguments.limit) {
        output::line(&format!("the newest {}; more with --limit", arguments.limit));
    }
    Ok(())
}

/// Deliveries as a table.
pub(super) fn table(rows: &[DeliveryRow], now: Timestamp) -> Table {
    let mut table = Table::new(&["id", "state", "destination", "account", "review", "made", "tries", "note"]);
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

/// Where to, and to whom.
fn to(row: &DeliveryRow) -> String {
    match row.recipient.as_str() {
        "" => row.destination.clone(),
        recipient => format!("{} ({recipient})", row.destination),
    }
}

fn note(row: &DeliveryRow, now: Timestamp) -> String {
    match (row.state, row.next_at) {
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

async fn show(context: &Context, arguments: &Show) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    let state = State::read(&settings).await?;
    let filter = DeliveryFilter { id: Some(arguments.id), limit: 1, ..DeliveryFilter::default() };
    let Some(row) = state.store.list_deliveries(&filter).await?.pop() else {
        let hint = "`review-bridge deliveries list` shows those there are";
        return Err(CliError::Failed(format!("there is no delivery {}; {hint}", arguments.id)));
    };
    let attempts = match &row.message_id {
        Some(message) => state.store.list_attempts(message).await?,
        None => Vec::new(),
    };
    if arguments.json {
        let mut delivery = to_json(&row);
        delivery["attempts"] = attempts.iter().map(attempt_json).collect();
        return output::json(&delivery);
    }
    print(&row, &attempts, Clock::System.now());
    Ok(())
}

fn attempt_json(attempt: &AttemptRow) -> Value {
    json!({
        "number": attempt.number,
        "begun_at": json_time(Some(attempt.begun_at)),
        "duration_ms": attempt.duration_ms,
        "outcome": attempt.outcome,
        "reason": attempt.reason,
        "status": attempt.status,
        "detail": attempt.detail,
        "excerpt": attempt.excerpt,
    })
}

fn print(row: &DeliveryRow, attempts: &[AttemptRow], now: Timestamp) {
    fact("delivery", &row.id.to_string());
    fact("review", &format!("{} of account {}, revision {}", row.uuid, row.account, row.revision));
    fact("to", &to(row));
    let reason = row.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
    fact("state", &format!("{}{reason}", row.state.as_str()));
    fact("made", &format!("{} ({})", time(Some(row.created_at)), ago(Some(row.created_at), now)));
    match (row.settled_at, row.next_at) {
        (Some(at), _) => fact("settled", &format!("{} ({})", time(Some(at)), ago(Some(at), now))),
        (None, Some(at)) if at > now => {
            fact("next attempt", &format!("{} ({})", time(Some(at)), ago(Some(at), now)));
        }
        (None, _) => fact("next attempt", "due"),
    }
    for hit in &row.rules {
        fact("rule", &format!("{}: {}", hit.rule, hit.because.join(", ")));
    }
    if let Some(message) = &row.message_id {
        fact("message", message);
    }
    print_attempts(attempts);
}

/// Prints attempts: a line each, and what was said below it.
pub(super) fn print_attempts(attempts: &[AttemptRow]) {
    output::line("");
    if attempts.is_empty() {
        return output::line("no attempt yet");
    }
    for attempt in attempts {
        let took = attempt.duration_ms.map(|took| format!(", {took} ms")).unwrap_or_default();
        let status = attempt.status.map(|status| format!(", status {status}")).unwrap_or_default();
        let reason = attempt.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let outcome = attempt.outcome.as_deref().unwrap_or("under way");
        let at = time(Some(attempt.begun_at));
        fact(&format!("attempt {}", attempt.number), &format!("{at}  {outcome}{reason}{status}{took}"));
        if let Some(detail) = &attempt.detail {
            fact("", detail);
        }
        if let Some(excerpt) = &attempt.excerpt {
            fact("", &format!("answer: {excerpt}"));
        }
    }
}
