//! `reviews`: what the bridge knows of reviews, and what became of each.

use super::output::{self, Table, ago, fact, json_time, time};
use super::state::State;
use super::subject::{self, Names};
use super::{CliError, Context, Later, deliveries, names};
use crate::clock::Clock;
use crate::domain::text::one_line;
use crate::domain::{Change, Timestamp};
use crate::store::{DeliveryFilter, DeliveryRow, ReviewFilter, ReviewRow, ReviewState, RevisionRow};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(super) enum Arguments {
    /// List reviews, newest change first
    List(List),
    /// Show one review: what it says, its revisions, its deliveries, whether it is marked read
    Show(Show),
    #[command(hide = true)]
    Route(Later),
    #[command(hide = true)]
    MarkRead(Later),
    #[command(hide = true)]
    Forget(Later),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those in this state
    #[arg(long, value_parser = PossibleValuesParser::new(ReviewState::ALL.map(ReviewState::as_str))
        .try_map(|name| ReviewState::parse(&name).ok_or("no such state")))]
    state: Option<ReviewState>,
    /// Only those of this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 50, value_name = "COUNT")]
    limit: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Its uuid, as `reviews list` shows it
    uuid: String,
    /// Its account, where several have a review of that uuid
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<(), CliError> {
    match arguments {
        Arguments::List(arguments) => list(context, arguments).await,
        Arguments::Show(arguments) => show(context, &arguments).await,
        Arguments::Route(_) => Err(CliError::not_in_this_version("reviews route")),
        Arguments::MarkRead(_) => Err(CliError::not_in_this_version("reviews mark-read")),
        Arguments::Forget(_) => Err(CliError::not_in_this_version("reviews forget")),
    }
}

async fn list(context: &Context, arguments: List) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    let state = State::read(&settings).await?;
    names::account(&settings, &state, arguments.account.as_deref()).await?;
    let filter = ReviewFilter {
        account: arguments.account,
        uuid: None,
        state: arguments.state,
        limit: arguments.limit,
    };
    let rows = state.store.list_reviews(&filter).await?;
    let names = Names::of(&settings, &state, rows.iter().map(|row| row.account.as_str())).await?;
    if arguments.json {
        return output::json(&rows.iter().map(|row| to_json(row, &names, None)).collect::<Vec<_>>());
    }
    let now = Clock::System.now();
    let mut table = Table::new(&["review", "account", "rating", "state", "changed", "text"]);
    for row in &rows {
        let subject = row.review.as_ref().map(|review| names.subject(review, Change::New, None));
        let rating = subject.as_ref().map_or_else(|| "-".into(), subject::rating);
        let text = one_line(&summary(row), 40);
        let changed = ago(Some(row.changed_at), now);
        table.row([row.uuid.clone(), row.account.clone(), rating, state_of(row), changed, text]);
    }
    table.print_or(match filter.account.is_some() || filter.state.is_some() {
        true => "no review is like that",
        false => "no reviews yet: they come with the first poll of `review-bridge run`",
    });
    if rows.len() as u64 == u64::from(arguments.limit) {
        output::line(&format!("the newest {}; more with --limit", arguments.limit));
    }
    Ok(())
}

fn state_of(row: &ReviewRow) -> String {
    match row.undecided {
        true => format!("{} (undecided)", row.state.as_str()),
        false => row.state.as_str().into(),
    }
}

fn summary(row: &ReviewRow) -> String {
    match (&row.review, &row.malformed) {
        (Some(review), _) => review.text.clone().unwrap_or_else(|| "(no text)".into()),
        (None, Some(malformed)) => malformed["reason"].as_str().unwrap_or("unreadable").to_owned(),
        (None, None) => "(forgotten)".into(),
    }
}

fn to_json(row: &ReviewRow, names: &Names, newest: Option<&RevisionRow>) -> Value {
    let change = newest.map_or(Change::New, |revision| revision.change);
    let previous = newest.and_then(|revision| revision.previous.clone());
    let subject = row.review.as_ref().map(|review| names.subject(review, change, previous));
    json!({
        "account": row.account,
        "uuid": row.uuid,
        "state": row.state,
        "undecided": row.undecided,
        "revision": row.revision,
        "review": subject.as_ref().map(subject::to_json),
        "malformed": row.malformed,
        "first_seen_at": json_time(Some(row.first_seen_at)),
        "changed_at": json_time(Some(row.changed_at)),
        "listed": row.listed,
        "mark": row.mark,
        "mark_at": json_time(row.mark_at),
        "mark_error": row.mark_error,
    })
}

async fn show(context: &Context, arguments: &Show) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    let state = State::read(&settings).await?;
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
    deliveries::table(&deliveries, now).print_or("no delivery: no rule sent it anywhere");
    Ok(())
}

/// Every delivery of a review, newest first.
pub(super) async fn deliveries_of(state: &State, row: &ReviewRow) -> Result<Vec<DeliveryRow>, CliError> {
    let filter = DeliveryFilter {
        account: Some(row.account.clone()),
        uuid: Some(row.uuid.clone()),
        limit: u32::MAX,
        ..DeliveryFilter::default()
    };
    Ok(state.store.list_deliveries(&filter).await?)
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
        fact("problem", malformed["reason"].as_str().unwrap_or("it cannot be read"));
        fact("payload", malformed["payload"].as_str().unwrap_or_default());
    }
    fact("first seen", &format!("{} ({})", time(Some(row.first_seen_at)), ago(Some(row.first_seen_at), now)));
    fact("marked read", &mark(row, now));
}

fn meaning(row: &ReviewRow) -> &'static str {
    match row.state {
        ReviewState::Held => "it waits until the account's names have loaded",
        ReviewState::Settling => "it waits for `settle`",
        ReviewState::Matched => "a rule wants it told",
        ReviewState::Unmatched if row.undecided => "its source is unknown, so no rule could be sure",
        ReviewState::Unmatched => "no rule wants it told",
        ReviewState::Remembered => "too old to tell when it was first seen",
        ReviewState::Malformed => "without a usable uuid it is kept, not routed",
        ReviewState::Expired => "its retention is over: only a change of it would still be told",
        ReviewState::Forgotten => "it was forgotten on demand, and is never told again",
    }
}

fn mark(row: &ReviewRow, now: Timestamp) -> String {
    let why = row.mark_error.as_ref().map(|why| format!("; the last try failed: {why}")).unwrap_or_default();
    match row.mark.as_str() {
        "done" => format!("{} ({})", time(row.mark_at), ago(row.mark_at, now)),
        "due" if row.mark_at.is_some_and(|at| at > now) => format!("next try {}{why}", ago(row.mark_at, now)),
        "due" => format!("due{why}"),
        _ if row.state == ReviewState::Matched => "not yet: once it is told".into(),
        _ => "no".into(),
    }
}

fn print_revisions(revisions: &[RevisionRow]) {
    let mut table = Table::new(&["revision", "kind", "seen", "before"]);
    for revision in revisions {
        let before = revision.previous.as_ref().map_or_else(String::new, |previous| {
            let rating = previous.rating.shown().unwrap_or_else(|| "no rating".into());
            format!("{rating}: {}", previous.text.as_deref().unwrap_or("(no text)"))
        });
        let kind = revision.change.as_str().to_owned();
        let before = one_line(&before, 60);
        table.row([revision.revision.to_string(), kind, time(Some(revision.seen_at)), before]);
    }
    table.print_or("no revision is kept");
}
