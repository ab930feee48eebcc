//! `reviews show`: what one review says, its revisions, its deliveries, whether it is marked read.

use super::super::output::{self, Table, ago, fact, json_time, time};
use super::super::subject::{self, Names};
use super::super::{CliError, Context, deliveries, names};
use super::{deliveries_of, to_json};
use crate::clock::Clock;
use crate::domain::text::one_line;
use crate::domain::{Change, Timestamp};
use crate::store::{ReviewRow, ReviewState, RevisionRow};
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Args)]
pub(in crate::cli) struct Show {
    /// UUID of the review, as shown by `reviews list`
    uuid: String,
    /// Account of the review, if several accounts have this UUID
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, arguments: &Show) -> Result<(), CliError> {
    let (settings, state) = context.load_beside().await?;
    names::account(&settings, &state, arguments.account.as_deref()).await?;
    let row = state.review(&arguments.uuid, arguments.account.as_deref()).await?;
    let revisions = state.store.list_revisions(row.id).await?;
    let deliveries = deliveries_of(&state, &row).await?;
    let names = Names::of(&settings, &state, [row.account.as_str()]).await?;
    if arguments.json {
        let mut review = to_json(&row, &names, revisions.last());
        review["revisions"] = revisions.iter().map(revision_json).collect();
        review["deliveries"] = deliveries.iter().map(deliveries::to_json).collect();
        return output::json(&review);
    }
    let now = Clock::System.now();
    print(&row, &names, now);
    output::line("");
    print_revisions(&revisions);
    output::line("");
    deliveries::table(&deliveries, now).print_or("no deliveries: no rule sent it anywhere");
    Ok(())
}

fn revision_json(revision: &RevisionRow) -> Value {
    json!({
        "revision": revision.revision,
        "change": revision.change,
        "previous": revision.previous,
        "seen_at": json_time(Some(revision.seen_at)),
    })
}

fn print(row: &ReviewRow, names: &Names, now: Timestamp) {
    fact("review", &row.uuid);
    fact("account", &row.account);
    let listed = if row.listed { "listed as unread" } else { "no longer listed as unread" };
    fact("state", &format!("{}, {listed}: {}", row.state.as_str(), meaning(row)));
    if let Some(review) = &row.review {
        subject::print(&names.subject(review, Change::New, None));
    }
    if let Some(malformed) = &row.malformed {
        fact("problem", malformed["reason"].as_str().unwrap_or("unreadable"));
        fact("payload", malformed["payload"].as_str().unwrap_or_default());
    }
    fact("first seen", &format!("{} ({})", time(Some(row.first_seen_at)), ago(Some(row.first_seen_at), now)));
    fact("marked read", &mark(row, now));
}

fn meaning(row: &ReviewRow) -> &'static str {
    match row.state {
        ReviewState::Held => "waiting for the account's names to load",
        ReviewState::Settling => "waiting for `settle`",
        ReviewState::Matched => "at least one rule matched",
        ReviewState::Unmatched if row.undecided => {
            "undecided: its source is unknown, so a rule could not decide"
        }
        ReviewState::Unmatched => "no rule matched",
        ReviewState::Remembered => "too old to deliver when first seen",
        ReviewState::Malformed => "no usable uuid: kept, but not routed",
        ReviewState::Expired => "retention expired: only a change would still be delivered",
        ReviewState::Forgotten => "forgotten on request: never delivered again",
    }
}

fn mark(row: &ReviewRow, now: Timestamp) -> String {
    let why = row.mark_error.as_ref().map(|why| format!("; last attempt failed: {why}")).unwrap_or_default();
    match row.mark.as_str() {
        "done" => format!("{} ({})", time(row.mark_at), ago(row.mark_at, now)),
        "due" if row.mark_at.is_some_and(|at| at > now) => {
            format!("next attempt {}{why}", ago(row.mark_at, now))
        }
        "due" => format!("due now{why}"),
        _ if row.state == ReviewState::Matched => "not yet: after delivery".into(),
        _ => "no".into(),
    }
}

fn print_revisions(revisions: &[RevisionRow]) {
    let mut table = Table::new(&["revision", "change", "seen", "before"]);
    for revision in revisions {
        let before = revision.previous.as_ref().map_or_else(String::new, |previous| {
            let rating = previous.rating.shown().unwrap_or_else(|| "no rating".into());
            format!("{rating}: {}", previous.text.as_deref().unwrap_or("(no text)"))
        });
        let kind = revision.change.as_str().to_owned();
        let before = one_line(&before, 60);
        table.row([revision.revision.to_string(), kind, time(Some(revision.seen_at)), before]);
    }
    table.print_or("no revisions stored");
}
