//! Messages: what is leased, how attempts end, and what follows.

use crate::domain::{
    Attempt, Called, DeliveryState, Figures, Form, MessageKind, Outcome, Reason, Review, RuleHit, Timestamp,
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
    /// One message as a probe, due or not: notices first, then what was tried least.
    pub is_probe: bool,
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
    /// The delivery.
    pub delivery: i64,
    /// The revision that the delivery is of.
    pub revision: u32,
    /// The revision that is shown: the newest.
    pub shown: u32,
    /// The review in that revision.
    pub review: Review,
    /// What the message calls it, by what its recipient has.
    pub called: Called,
    /// Why it is sent.
    pub rules: Vec<RuleHit>,
    /// The top of the scale that its rating was read on.
    pub scale: Option<f64>,
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
    /// The destinations whose health the attempt is evidence about: its own, or all that share its server.
    pub about: Vec<String>,
    /// In 0..1, for the jitter of probes.
    pub random: f64,
    /// It requested a pause until then.
    pub hold: Option<Timestamp>,
    /// What the attempt is evidence of: mostly how it ended.
    pub evidence: Outcome,
    /// The revisions that it showed.
    pub shown: Vec<Shown>,
    /// What is sent instead, where this message can never pass.
    pub split: Split,
    /// What the message keeps as its content from now on, where that is something else.
    pub content: Option<String>,
}

/// The revision of a review that an attempt showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// The delivery.
    pub delivery: i64,
    /// The revision that the delivery is of.
    pub revision: u32,
    /// The revision that was shown.
    pub shown: u32,
}

/// What is sent instead of a message that can never pass.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Split {
    /// Nothing.
    #[default]
    No,
    /// Each of its reviews on its own.
    Reviews,
    /// Two halves of it, each of which says so.
    Halves(Box<Figures>),
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
