//! `reviews`: the reviews the bridge knows, what happened to each, and what people do about them.

mod forget;
mod list;
mod mark_read;
mod route;
mod select;
mod show;

use super::output::json_time;
use super::state::State;
use super::subject::{self, Names};
use super::{CliError, Context};
use crate::domain::Change;
use crate::store::{DeliveryFilter, DeliveryRow, ReviewRow, RevisionRow};
use clap::Subcommand;
use serde_json::{Value, json};

#[derive(Debug, Subcommand)]
pub(super) enum Arguments {
    /// List reviews, most recently changed first
    List(list::List),
    /// Show one review: its text, revisions, deliveries, and whether it is marked read
    Show(show::Show),
    /// Re-run the current rules on reviews, after you fixed a rule
    Route(route::Route),
    /// Mark reviews read in ShopReviews, delivered or not
    MarkRead(mark_read::MarkRead),
    /// Erase a review and never deliver it again
    Forget(forget::Forget),
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<(), CliError> {
    match arguments {
        Arguments::List(arguments) => list::run(context, arguments).await,
        Arguments::Show(arguments) => show::run(context, &arguments).await,
        Arguments::Route(arguments) => route::run(context, arguments).await,
        Arguments::MarkRead(arguments) => mark_read::run(context, arguments).await,
        Arguments::Forget(arguments) => forget::run(context, arguments).await,
    }
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
