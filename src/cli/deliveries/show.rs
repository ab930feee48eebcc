//! `deliveries show`: one delivery and every attempt.

use super::super::output::{self, ago, fact, json_time, time};
use super::super::{CliError, Context};
use super::{to, to_json};
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::store::{AttemptRow, DeliveryFilter, DeliveryRow};
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// ID of the delivery, as shown by `deliveries list`
    id: i64,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, arguments: &Show) -> Result<(), CliError> {
    let (_, state) = context.load_beside().await?;
    let filter = DeliveryFilter { id: Some(arguments.id), limit: 1, ..DeliveryFilter::default() };
    let Some(row) = state.store.list_deliveries(&filter).await?.pop() else {
        let hint = "run `review-bridge deliveries list` to see all";
        return Err(CliError::Failed(format!("no delivery {}; {hint}", arguments.id)));
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
    fact("created", &format!("{} ({})", time(Some(row.created_at)), ago(Some(row.created_at), now)));
    match (row.settled_at, row.next_at) {
        (Some(at), _) => fact("settled", &format!("{} ({})", time(Some(at)), ago(Some(at), now))),
        (None, Some(at)) if at > now => {
            fact("next attempt", &format!("{} ({})", time(Some(at)), ago(Some(at), now)));
        }
        (None, _) => fact("next attempt", "due now"),
    }
    for hit in &row.rules {
        fact("rule", &format!("{}: {}", hit.rule, hit.because.join(", ")));
    }
    if let Some(message) = &row.message_id {
        fact("message", message);
    }
    print_attempts(attempts);
}

/// Prints attempts: a line each, and the details below it.
pub(in crate::cli) fn print_attempts(attempts: &[AttemptRow]) {
    output::line("");
    if attempts.is_empty() {
        return output::line("no attempts yet");
    }
    for attempt in attempts {
        let took = attempt.duration_ms.map(|took| format!(", {took} ms")).unwrap_or_default();
        let status = attempt.status.map(|status| format!(", status {status}")).unwrap_or_default();
        let reason = attempt.reason.as_ref().map(|reason| format!(" ({reason})")).unwrap_or_default();
        let outcome = attempt.outcome.as_deref().unwrap_or("in progress");
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
