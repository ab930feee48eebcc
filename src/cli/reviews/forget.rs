//! `reviews forget`: removes what is known of a review, and leaves a tombstone.

use super::super::consent::Consent;
use super::super::output::{self, counted};
use super::super::state::State;
use super::super::{CliError, Context, names};
use super::deliveries_of;
use crate::clock::Clock;
use crate::domain::DeliveryState;
use crate::domain::text::one_line;
use crate::store::{DeliveryRow, ReviewRow, ReviewState};
use clap::Args;
use serde_json::json;

#[derive(Debug, Args)]
pub(in crate::cli) struct Forget {
    /// Its uuid, as `reviews list` shows it
    uuid: String,
    /// Its account, where several have a review of that uuid
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    #[command(flatten)]
    consent: Consent,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What stays behind.
const REMAINS: &str = "a tombstone remains (account, uuid, times, a hash of rating and of text), so that it is never told \
                       again; what was sent stays where it was sent, what is being sent right now may still arrive, \
                       and ShopReviews and backups of the state keep their own copies";

pub(super) async fn run(context: &Context, asked: Forget) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    let state = State::read(&settings).await?;
    names::account(&settings, &state, asked.account.as_deref()).await?;
    let row = state.review(&asked.uuid, asked.account.as_deref()).await?;
    if row.state == ReviewState::Forgotten {
        if asked.json {
            return print_json(&row, &[], 0, false);
        }
        output::line(&format!("review {} was forgotten already", row.uuid));
        return Ok(());
    }
    let deliveries = deliveries_of(&state, &row).await?;
    let revisions = state.store.list_revisions(row.id).await?.len();
    let what = removed(&row, &deliveries, revisions);
    let uuid = one_line(&row.uuid, 100);
    asked.consent.to(&format!(
        "of review {uuid} of account {} would be removed, for good: {what}",
        one_line(&row.account, 60)
    ))?;
    state.store.forget(row.id, Clock::System.now()).await?;
    if asked.json {
        return print_json(&row, &deliveries, revisions, true);
    }
    output::line(&format!("review {uuid} is forgotten; removed: {what}"));
    output::line(REMAINS);
    Ok(())
}

/// What there is of it, in words.
fn removed(row: &ReviewRow, deliveries: &[DeliveryRow], revisions: usize) -> String {
    let mut parts = match row.state {
        ReviewState::Expired => Vec::new(),
        ReviewState::Malformed => vec!["what was kept of the item".to_owned()],
        _ => vec!["its rating, text and author".to_owned()],
    };
    if revisions > 0 {
        parts.push(counted(revisions as u64, "revision", "revisions"));
    }
    if !deliveries.is_empty() {
        let all = counted(deliveries.len() as u64, "delivery", "deliveries");
        let waiting = deliveries.iter().filter(|row| row.state == DeliveryState::Pending).count();
        let waiting = match waiting {
            0 => String::new(),
            some => format!(" ({some} not sent yet, and not to be sent any more)"),
        };
        parts.push(format!("{all}{waiting} with all attempts"));
    }
    match parts.is_empty() {
        true => "nothing, it is a tombstone already; but no change of it is told any more".into(),
        false => parts.join(", "),
    }
}

fn print_json(
    row: &ReviewRow,
    deliveries: &[DeliveryRow],
    revisions: usize,
    done: bool,
) -> Result<(), CliError> {
    let pending = deliveries.iter().filter(|row| row.state == DeliveryState::Pending).count();
    output::json(&json!({
        "action": "forget",
        "done": done,
        "account": row.account,
        "uuid": row.uuid,
        "removed": { "revisions": revisions, "deliveries": deliveries.len(), "pending": pending },
        "remains": REMAINS,
    }))
}
