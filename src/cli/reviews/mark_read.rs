//! `reviews mark-read`: schedules marks; the running bridge, or the next one, makes them.

use super::super::consent::Consent;
use super::super::output::{self, counted};
use super::super::state::State;
use super::super::{CliError, Context};
use super::select::{BATCH, Refused, Selected, Which};
use crate::clock::Clock;
use crate::config::Settings;
use crate::store::{ReviewRow, ReviewState};
use clap::Args;
use serde_json::json;
use std::collections::{BTreeSet, HashSet};

#[derive(Debug, Args)]
pub(in crate::cli) struct MarkRead {
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    consent: Consent,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, args: MarkRead) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    let state = State::read(&settings).await?;
    let Selected { mut rows, mut refused, by_filter } = args.which.select(&settings, &state).await?;
    if by_filter {
        // Reviews not listed were read elsewhere: marking them would only use up requests.
        rows.retain(|row| row.listed && row.mark != "done");
        if rows.is_empty() && !args.json {
            return Err(CliError::Failed("no matching unread reviews; nothing was changed".into()));
        }
    }
    let mut wanted = Vec::new();
    for row in rows {
        match obstacle(&row, &settings) {
            Some(why) => refused.push(Refused::of(&row, why)),
            None => wanted.push(row),
        }
    }
    if by_filter && wanted.len() > 1 {
        let count = counted(wanted.len() as u64, "review", "reviews");
        args.consent.to(&format!("mark {count} read in ShopReviews"))?;
    }
    let now = Clock::System.now();
    let mut due = HashSet::new();
    for batch in wanted.chunks(BATCH) {
        let ids: Vec<i64> = batch.iter().map(|row| row.id).collect();
        due.extend(state.store.request_marks(&ids, now).await?);
    }
    let (done, left): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|row| due.contains(&row.id));
    refused.extend(left.iter().map(|row| Refused::of(row, "it was marked read in the meantime")));
    print(&args, &state, &done, &refused).await?;
    if done.is_empty() { Err(CliError::Reported) } else { Ok(()) }
}

/// Why it cannot be marked.
fn obstacle(row: &ReviewRow, settings: &Settings) -> Option<String> {
    let account = &row.account;
    match settings.accounts.get(account) {
        None => return Some(format!("its account `{account}` is not in the configuration")),
        Some(own) if own.policy.mark_read_never() => {
            return Some(format!(
                "`accounts.{account}.mark_read` is \"never\", so the bridge marks no reviews of this account"
            ));
        }
        Some(_) => {}
    }
    let why = match row.state {
        _ if row.mark == "done" => "it is already marked read",
        ReviewState::Malformed => "it has no usable uuid, so ShopReviews cannot identify it",
        ReviewState::Held | ReviewState::Settling => "its rules have not run yet; try again later",
        _ => return None,
    };
    Some(why.into())
}

async fn print(
    args: &MarkRead,
    state: &State,
    done: &[ReviewRow],
    refused: &[Refused],
) -> Result<(), CliError> {
    let notes = notes(state, done).await?;
    if args.json {
        let one = |row: &ReviewRow| json!({ "account": row.account, "uuid": row.uuid });
        return output::json(&json!({
            "action": "mark_read",
            "done": done.iter().map(one).collect::<Vec<_>>(),
            "refused": refused.iter().map(Refused::to_json).collect::<Vec<_>>(),
            "notes": notes,
            "running": state.owner.is_some(),
        }));
    }
    match done.len() as u64 {
        0 => output::line("nothing was changed"),
        count => output::line(&format!("{} will be marked read", counted(count, "review", "reviews"))),
    }
    for note in notes {
        output::line(&note);
    }
    for refused in refused {
        output::line(&refused.text());
    }
    Ok(())
}

async fn notes(state: &State, done: &[ReviewRow]) -> Result<Vec<String>, CliError> {
    let mut notes = Vec::new();
    if done.is_empty() {
        return Ok(notes);
    }
    notes.push(match state.owner {
        Some(_) => "the running bridge marks them between polls, as its request budget allows".into(),
        None => "they will be marked when `review-bridge run` is started (not running now)".to_owned(),
    });
    for account in done.iter().map(|row| row.account.as_str()).collect::<BTreeSet<_>>() {
        if let Some(error) = state.store.account(account).await?.mark_error {
            notes.push(format!("marking currently fails in account `{account}`: {error}"));
        }
    }
    Ok(notes)
}
