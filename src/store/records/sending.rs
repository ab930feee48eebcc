//! Messages: what is leased, how attempts end, and what follows.

use crate::domain::{
    Attempt, Change, DeliveryState, Form, MessageKind, Previous, Reason, Review, RuleHit, Timestamp,
};
use std::time::Duration;

/// A wish for messages of one destination.
#[derive(Clone, Debug, PartialEq)]
pub struct LeaseRequest {
    /// The destination.
    pub destination: String,
    /// How many at most.
    pub limit: u32,
    /// Only notices and tests: it is outside its hours.
    pub without_reviews: bool,
    /// Only this message.
    pub only: Option<String>,
    /// None of these, though they are due.
    pub except: Vec<String>,
    /// How long the lease holds.
    pub hold: Duration,
}

/// A leased message, with all that is needed to send it.
#[derive(Clone, Debug, PartialEq)]
pub struct Leased {
    /// Its id.
    pub id: String,
    /// The destination.
    pub destination: String,
    /// The recipient.
    pub recipient: String,
    /// The kind.
    pub kind: MessageKind,
    /// The content of a notice or test: JSON.
    pub content: Option<String>,
    /// The reviews it carries, newest revision of each, oldest first.
    pub reviews: Vec<LeasedReview>,
    /// How to render it.
    pub form: Form,
    /// Whether an earlier attempt may have arrived.
    pub possible_repeat: bool,
    /// The number of this attempt, from 1.
    pub attempt: u32,
    /// When the first began.
    pub first_attempt_at: Timestamp,
    /// The destination's stopped time when the first began.
    pub stopped_base: Duration,
    /// When this attempt began.
    pub begun_at: Timestamp,
}

/// The review of a leased message.
#[derive(Clone, Debug, PartialEq)]
pub struct LeasedReview {
    /// Its newest revision.
    pub review: Review,
    /// The kind of it.
    pub change: Change,
    /// What it was before.
    pub previous: Option<Previous>,
    /// Why it is sent.
    pub rules: Vec<RuleHit>,
}

/// How an attempt ended and what follows.
#[derive(Clone, Debug)]
pub struct Settlement {
    /// The message.
    pub id: String,
    /// The attempt's number: a message that was leased again meanwhile has a later one.
    pub number: u32,
    /// How it ended.
    pub attempt: Attempt,
    /// How long it took.
    pub duration: Duration,
    /// The message's state from now on.
    pub state: DeliveryState,
    /// Why, where it is dead.
    pub reason: Option<Reason>,
    /// When to try again, while pending.
    pub next_at: Timestamp,
    /// Try again in the plainest form.
    pub form: Form,
    /// An attempt may have arrived.
    pub possible_repeat: bool,
    /// The destination.
    pub destination: String,
    /// What follows for it.
    pub effect: DestinationEffect,
    /// Whether its reviews are sent one by one instead: a summary that can never pass.
    pub split_summary: bool,
    /// What the message keeps as its content from now on, where that is something else.
    pub content: Option<String>,
}

/// What an attempt means for its destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DestinationEffect {
    /// Nothing.
    None,
    /// It works.
    Working,
    /// It asked for a pause.
    Hold(Timestamp),
    /// It cannot work until somebody acts; probe it then.
    Broken {
        /// Why.
        reason: Reason,
        /// For people.
        detail: String,
        /// The next probe.
        retry_at: Timestamp,
    },
}

/// A message without deliveries.
#[derive(Clone, Debug, PartialEq)]
pub struct NewMessage {
    /// Its id.
    pub id: String,
    /// Where to.
    pub destination: String,
    /// To whom.
    pub recipient: String,
    /// Operator or test.
    pub kind: MessageKind,
    /// Its content: JSON.
    pub content: String,
}
