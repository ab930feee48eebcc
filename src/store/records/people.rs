//! Listings for people.

use super::ReviewState;
use crate::domain::{Change, DeliveryState, Previous, Review, RuleHit, Timestamp};
use serde::Serialize;

/// Which deliveries to list.
#[derive(Clone, Debug, Default)]
pub struct DeliveryFilter {
    /// Only this one.
    pub id: Option<i64>,
    /// Only of this account.
    pub account: Option<String>,
    /// Only to this destination.
    pub destination: Option<String>,
    /// Only in this state.
    pub state: Option<DeliveryState>,
    /// Only of this review.
    pub uuid: Option<String>,
    /// The maximum.
    pub limit: u32,
}

/// A delivery for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeliveryRow {
    /// Its id.
    pub id: i64,
    /// The account.
    pub account: String,
    /// The review.
    pub uuid: String,
    /// The revision.
    pub revision: u32,
    /// Where to.
    pub destination: String,
    /// To whom.
    pub recipient: String,
    /// Its state.
    pub state: DeliveryState,
    /// Why, where it is dead.
    pub reason: Option<String>,
    /// Why it is sent.
    pub rules: Vec<RuleHit>,
    /// Its message.
    pub message_id: Option<String>,
    /// Attempts so far.
    pub attempts: u32,
    /// The next attempt, while pending.
    pub next_at: Option<Timestamp>,
    /// Why the last attempt did not succeed.
    pub last_detail: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was settled.
    pub settled_at: Option<Timestamp>,
}

/// An attempt for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct AttemptRow {
    /// Its number.
    pub number: u32,
    /// When it began.
    pub begun_at: Timestamp,
    /// How long it took; none while it is under way, or where it was interrupted.
    pub duration_ms: Option<u64>,
    /// How it ended; `unknown` after a crash, none while it is under way.
    pub outcome: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// For people.
    pub detail: Option<String>,
    /// The start of the answer.
    pub excerpt: Option<String>,
}

/// Which reviews to list.
#[derive(Clone, Debug, Default)]
pub struct ReviewFilter {
    /// Only of this account.
    pub account: Option<String>,
    /// Only this one.
    pub uuid: Option<String>,
    /// Only in this state.
    pub state: Option<ReviewState>,
    /// The maximum.
    pub limit: u32,
}

/// A review for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReviewRow {
    /// The state's id.
    #[serde(skip)]
    pub id: i64,
    /// The account.
    pub account: String,
    /// Its uuid, or the hash of an item without one.
    pub uuid: String,
    /// Its state.
    pub state: ReviewState,
    /// Its newest revision's number.
    pub revision: u32,
    /// Its newest revision.
    pub review: Option<Review>,
    /// What a malformed item holds and what is wrong with it.
    pub malformed: Option<serde_json::Value>,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
    /// When it last changed.
    pub changed_at: Timestamp,
    /// Whether it is on the unread list.
    pub listed: bool,
    /// Unmatched because a name is unknown.
    pub undecided: bool,
    /// `none`, `due` or `done`.
    pub mark: String,
    /// When it was marked, or when the next attempt is due.
    pub mark_at: Option<Timestamp>,
    /// Why the last attempt did not succeed.
    pub mark_error: Option<String>,
}

/// A revision for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RevisionRow {
    /// Its number.
    pub revision: u32,
    /// Its kind.
    pub change: Change,
    /// What it was before.
    pub previous: Option<Previous>,
    /// The top of the scale that its rating was read on; none where no rule has run.
    pub scale: Option<f64>,
    /// When it was seen.
    pub seen_at: Timestamp,
}

/// How many deliveries a destination has in a state.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeliveryCount {
    /// The destination.
    pub destination: String,
    /// The state.
    pub state: DeliveryState,
    /// How many.
    pub count: u64,
    /// The oldest of them.
    pub oldest: Timestamp,
}

/// How many reviews an account has in a state.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReviewCount {
    /// The account.
    pub account: String,
    /// The state.
    pub state: ReviewState,
    /// How many.
    pub count: u64,
    /// Of these, waiting to be marked read.
    pub marks_due: u64,
}

/// A message without deliveries, for people.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MessageRow {
    /// Its id.
    pub id: String,
    /// Where to.
    pub destination: String,
    /// Its state.
    pub state: DeliveryState,
    /// Attempts so far.
    pub attempts: u32,
}
