//! `reviews mark-read`: makes marks due; the bridge that runs, or the next one, makes them.

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

pub(super) async fn run(context: &Context, asked: MarkRead) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    let state = State::read(&settings).await?;
    let Selected { mut rows, mut refused, alike } = asked.which.select(&settings, &state).await?;
    if alike {
        // What is not listed was read elsewhere: to mark it would only use up requests.
        rows.retain(|row| row.listed && row.mark != "done");
        if rows.is_empty() && !asked.json {
            let why = "no review that is listed as unread is like that";
            return Err(CliError::Failed(format!("{why}; nothing was done")));
        }
    }
    let mut wanted = Vec::new();
    for row in rows {
        match obstacle(&row, &settings) {
            Some(why) => refused.push(Refused::of(&row, why)),
            None => wanted.push(row),
        }
    }
    if alike && wanted.len() > 1 {
        let count = counted(wanted.len() as u64, "review", "reviews");
        asked.consent.to(&format!("{count} would be marked read in ShopReviews"))?;
    }
    let now = Clock::System.now();
    let mut due = HashSet::new();
    for batch in wanted.chunks(BATCH) {
        let ids: Vec<i64> = batch.iter().map(|row| row.id).collect();
        due.extend(state.store.request_marks(&ids, now).await?);
    }
    let (done, left): (Vec<_>, Vec<_>) = wanted.into_iter().partition(|row| due.contains(&row.id));
    refused.extend(left.iter().map(|row| Refused::of(row, "it was marked read meanwhile")));
    print(&asked, &state, &done, &refused).await?;
    if done.is_empty() { Err(CliError::Said) } else { Ok(()) }
}

/// Why it cannot be marked.
fn obstacle(row: &ReviewRow, settings: &Settings) -> Option<String> {
    let account = &row.account;
    match settings.accounts.get(account) {
        None => return Some(format!("its account `{account}` is not in the configuration")),
        Some(own) if own.policy.mark_read_never() => {
            return Some(format!(
                "`accounts.{account}.mark_read` is \"never\": the bridge marks nothing of this account"
            ));
        }
        Some(_) => {}
    }
    let why = match row.state {
        _ if row.mark == "done" => "it is marked read already",
        ReviewState::Malformed => "without a usable uuid it cannot be named to ShopReviews",
        ReviewState::Held | ReviewState::Settling => {
            "it waits for its rules: what they make of it is not known yet"
        }
        _ => return None,
    };
    Some(why.into())
}

async fn print(
    asked: &MarkRead,
    state: &State,
    done: &[ReviewRow],
    refused: &[Refused],
) -> Result<(), CliError> {
    let notes = notes(state, done).await?;
    if asked.json {
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
        0 => output::line("nothing was done"),
        count => output::line(&format!("{} to be marked read", counted(count, "review is", "reviews are"))),
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
        Some(_) => "the bridge that runs marks them between two polls, as its request budget allows".into(),
        None => "the next `review-bridge run` marks them: none runs now".to_owned(),
    });
    for account in done.iter().map(|row| row.account.as_str()).collect::<BTreeSet<_>>() {
        if let Some(error) = state.store.account(account).await?.mark_error {
            notes.push(format!("marking does not work in account `{account}`: {error}"));
        }
    }
    Ok(notes)
}
