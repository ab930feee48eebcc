//! Reviews: their states, what arrives, what is known of it, and what is decided.

use crate::domain::{Change, Previous, Review, RuleHit, Timestamp};
use serde::{Deserialize, Serialize};

/// The states of a review; the schema's CHECK constraints hold the same list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// Waiting for the account's names.
    Held,
    /// Waiting for `settle`.
    Settling,
    /// A rule matched.
    Matched,
    /// No rule did.
    Unmatched,
    /// Too old when first seen: not sent.
    Remembered,
    /// Without a usable uuid: never routed.
    Malformed,
    /// Past its retention: a tombstone, from which a change can still be noticed.
    Expired,
    /// Forgotten on demand: a tombstone, never sent again.
    Forgotten,
}

impl ReviewState {
    /// Every state.
    pub const ALL: [Self; 8] = [
        Self::Held,
        Self::Settling,
        Self::Matched,
        Self::Unmatched,
        Self::Remembered,
        Self::Malformed,
        Self::Expired,
        Self::Forgotten,
    ];

    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Settling => "settling",
            Self::Matched => "matched",
            Self::Unmatched => "unmatched",
            Self::Remembered => "remembered",
            Self::Malformed => "malformed",
            Self::Expired => "expired",
            Self::Forgotten => "forgotten",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// A review with its hashes, so that the store recognises the unchanged without reading bodies.
#[derive(Clone, Debug, PartialEq)]
pub struct Fingerprinted {
    /// The review.
    pub review: Review,
    /// Of rating and of text, so that a tombstone shows which of them changed.
    pub content_hash: String,
    /// Of everything.
    pub body_hash: String,
}

/// A listed review with what is known of it.
#[derive(Clone, Copy, Debug)]
pub struct Arrival<'a> {
    /// As listed.
    pub review: &'a Review,
    /// Its hash of rating and of text.
    pub content_hash: &'a str,
    /// As known; `None` at first sight.
    pub known: Option<&'a Known>,
}

/// What is known of a review whose body changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Its state.
    pub state: ReviewState,
    /// Its newest revision as it was; `None` in a tombstone.
    pub review: Option<Review>,
    /// Its hash of rating and of text.
    pub content_hash: String,
    /// The kind of its newest revision.
    pub change: Change,
    /// What preceded its newest revision.
    pub previous: Option<Previous>,
    /// Whether an attempt of any of its deliveries began.
    pub attempted: bool,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
    /// When its newest revision was seen.
    pub changed_at: Timestamp,
}

/// What to do with a listed review.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Nothing.
    Ignore,
    /// Keep the fields that make no revision.
    Refresh,
    /// Keep it as a new review, or as a new revision of a known one.
    Revise(Box<Revision>),
}

/// A new revision.
#[derive(Clone, Debug, PartialEq)]
pub struct Revision {
    /// Its kind.
    pub change: Change,
    /// What it was before.
    pub previous: Option<Previous>,
    /// Where it goes.
    pub routed: RouteDecision,
}

/// Where a review goes.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteDecision {
    /// Its new state.
    pub state: ReviewState,
    /// When the rules run, while settling.
    pub match_at: Option<Timestamp>,
    /// Its deliveries.
    pub deliveries: Vec<NewDelivery>,
    /// Unmatched because a name is unknown.
    pub undecided: bool,
    /// To be marked read although it is sent to nobody.
    pub mark: bool,
    /// The top of the scale that its rating was read on; none where no rule has run.
    pub scale: Option<f64>,
}

/// A delivery to be made.
#[derive(Clone, Debug, PartialEq)]
pub struct NewDelivery {
    /// Where to.
    pub destination: String,
    /// To whom; empty where the destination knows no recipients.
    pub recipient: String,
    /// Why.
    pub rules: Vec<RuleHit>,
    /// Whether it is a message of its own; otherwise it waits for a digest.
    pub at_once: bool,
}

/// A review on which the rules are to run: held, settling, or to be matched again.
#[derive(Clone, Debug, PartialEq)]
pub struct UnroutedReview {
    /// Its newest revision.
    pub review: Review,
    /// The kind of it.
    pub change: Change,
    /// What it was before.
    pub previous: Option<Previous>,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
    /// Whether it waits for `settle` (and not for names), or was matched before.
    pub state: ReviewState,
    /// The top of the scale that its rating was read on before.
    pub scale: Option<f64>,
}
