//! `reviews forget`: erases a review, and leaves a tombstone.

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
    /// UUID of the review, as shown by `reviews list`
    uuid: String,
    /// Account of the review, if several accounts have this UUID
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    #[command(flatten)]
    consent: Consent,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What remains.
const REMAINS: &str = "a tombstone remains (account, uuid, times, a hash of the rating and text) so that the review is \
                       never delivered again; messages already sent stay where they are, one that is being sent \
                       right now may still arrive, and ShopReviews and backups of the database keep their own copies";

pub(super) async fn run(context: &Context, args: Forget) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    let state = State::read(&settings).await?;
    names::account(&settings, &state, args.account.as_deref()).await?;
    let row = state.review(&args.uuid, args.account.as_deref()).await?;
    if row.state == ReviewState::Forgotten {
        if args.json {
            return print_json(&row, &[], 0, false);
        }
        output::line(&format!("review {} was already forgotten", row.uuid));
        return Ok(());
    }
    let deliveries = deliveries_of(&state, &row).await?;
    let revisions = state.store.list_revisions(row.id).await?.len();
    let what = removed(&row, &deliveries, revisions);
    let uuid = one_line(&row.uuid, 100);
    let account = one_line(&row.account, 60);
    args.consent.to(&format!("permanently erase review {uuid} of account `{account}`: {what}"))?;
    state.store.forget(row.id, Clock::System.now()).await?;
    if args.json {
        return print_json(&row, &deliveries, revisions, true);
    }
    output::line(&format!("review {uuid} forgotten; erased: {what}"));
    output::line(REMAINS);
    Ok(())
}

/// What is stored of it, in words.
fn removed(row: &ReviewRow, deliveries: &[DeliveryRow], revisions: usize) -> String {
    let mut parts = match row.state {
        ReviewState::Expired => Vec::new(),
        ReviewState::Malformed => vec!["the stored item".to_owned()],
        _ => vec!["its rating, text and author".to_owned()],
    };
    if revisions > 0 {
        parts.push(counted(revisions as u64, "revision", "revisions"));
    }
    if !deliveries.is_empty() {
        let all = counted(deliveries.len() as u64, "delivery", "deliveries");
        let pending = deliveries.iter().filter(|row| row.state == DeliveryState::Pending).count();
        let pending = match pending {
            0 => String::new(),
            some => format!(" ({some} not sent yet, and now never sent)"),
        };
        parts.push(format!("{all}{pending} with all attempts"));
    }
    match parts.is_empty() {
        true => "nothing, it is already a tombstone; but its changes are no longer delivered".into(),
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
