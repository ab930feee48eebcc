//! Which reviews `route` and `mark-read` apply to: selected by uuid, or by why they were not delivered.

use super::super::state::State;
use super::super::{CliError, names};
use crate::clock::Clock;
use crate::config::Settings;
use crate::settings::table::quoted;
use crate::settings::units::parse_duration;
use crate::store::{ReviewFilter, ReviewRow, ReviewState};
use clap::Args;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::time::Duration;

/// Reviews changed in one transaction: a running bridge writes in between.
pub(super) const BATCH: usize = 500;

#[derive(Debug, Args)]
pub(super) struct Which {
    /// UUIDs of the reviews, as shown by `reviews list`
    #[arg(value_name = "UUID", conflicts_with_all = ["unmatched", "remembered", "since"])]
    uuids: Vec<String>,
    /// All that matched no rule
    #[arg(long)]
    unmatched: bool,
    /// All that were too old to deliver when first seen
    #[arg(long)]
    remembered: bool,
    /// Of these, only reviews first seen within this time, such as 30d
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<Duration>,
    /// Only reviews of this account
    #[arg(long, value_name = "NAME")]
    pub(super) account: Option<String>,
}

fn since(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "expected a duration such as 30d, 12h or 10m".into())
}

/// The selected reviews.
#[derive(Debug, Default)]
pub(super) struct Selected {
    /// Most recently changed first, if selected by state.
    pub(super) rows: Vec<ReviewRow>,
    /// Those not found.
    pub(super) refused: Vec<Refused>,
    /// They were selected by state, not named one by one.
    pub(super) by_filter: bool,
}

/// A review that was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) account: Option<String>,
    pub(super) uuid: String,
    pub(super) why: String,
}

impl Refused {
    pub(super) fn of(row: &ReviewRow, why: impl Into<String>) -> Self {
        Self { account: Some(row.account.clone()), uuid: row.uuid.clone(), why: why.into() }
    }

    pub(super) fn to_json(&self) -> Value {
        json!({ "account": self.account, "uuid": self.uuid, "why": self.why })
    }

    pub(super) fn text(&self) -> String {
        format!("review {}: {}", self.uuid, self.why)
    }
}

impl Which {
    /// Finds them.
    pub(super) async fn select(&self, settings: &Settings, state: &State) -> Result<Selected, CliError> {
        names::account(settings, state, self.account.as_deref()).await?;
        if !self.uuids.is_empty() {
            return self.by_uuid(state).await;
        }
        let mut states = Vec::new();
        states.extend(self.unmatched.then_some(ReviewState::Unmatched));
        states.extend(self.remembered.then_some(ReviewState::Remembered));
        if states.is_empty() {
            let hint = "pass UUIDs, or select with --unmatched or --remembered";
            return Err(CliError::Usage(format!("no reviews selected; {hint}")));
        }
        let oldest = self.since.map(|since| Clock::System.now().minus(since));
        let mut rows = Vec::new();
        for state_of in states {
            let account = self.account.clone();
            let filter = ReviewFilter { account, uuid: None, state: Some(state_of), limit: u32::MAX };
            rows.extend(state.store.list_reviews(&filter).await?);
        }
        rows.retain(|row| oldest.is_none_or(|oldest| row.first_seen_at >= oldest));
        Ok(Selected { rows, refused: Vec::new(), by_filter: true })
    }

    async fn by_uuid(&self, state: &State) -> Result<Selected, CliError> {
        let mut selected = Selected::default();
        for uuid in self.uuids.iter().collect::<BTreeSet<_>>() {
            let filter = ReviewFilter {
                account: self.account.clone(),
                uuid: Some(uuid.clone()),
                state: None,
                limit: 100,
            };
            let mut rows = state.store.list_reviews(&filter).await?;
            match (rows.pop(), rows.as_slice()) {
                (Some(row), []) => selected.rows.push(row),
                (Some(row), others) => {
                    let mut accounts: Vec<&str> = others.iter().map(|row| row.account.as_str()).collect();
                    accounts.push(&row.account);
                    let accounts = quoted(&accounts);
                    return Err(CliError::Usage(format!(
                        "several accounts have review {uuid} ({accounts}); choose one with --account"
                    )));
                }
                (None, _) => selected.refused.push(Refused {
                    account: self.account.clone(),
                    uuid: uuid.clone(),
                    why: "not in the database; run `review-bridge reviews list` to see all".into(),
                }),
            }
        }
        Ok(selected)
    }
}
