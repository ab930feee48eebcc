//! `reviews list`.

use super::super::output::{self, Table, ago};
use super::super::subject::{self, Names};
use super::super::{CliError, Context, names};
use super::to_json;
use crate::clock::Clock;
use crate::domain::Change;
use crate::domain::text::one_line;
use crate::store::{ReviewFilter, ReviewRow, ReviewState};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};

#[derive(Debug, Args)]
pub(in crate::cli) struct List {
    /// Only reviews in this state
    #[arg(long, value_parser = PossibleValuesParser::new(ReviewState::ALL.map(ReviewState::as_str))
        .try_map(|name| ReviewState::parse(&name).ok_or("no such state")))]
    state: Option<ReviewState>,
    /// Only reviews of this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
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
        true => "no matching reviews",
        false => "no reviews yet; the first poll of `review-bridge run` brings them",
    });
    if rows.len() as u64 == u64::from(arguments.limit) {
        output::line(&format!("showing the newest {}; use --limit for more", arguments.limit));
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
