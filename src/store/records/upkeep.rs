//! What people do to deliveries, what is too old, and marks.

use crate::domain::Timestamp;

/// Who is to get deliveries that are moved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveTo<'a> {
    /// The destination.
    pub destination: &'a str,
    /// Its recipients.
    pub recipients: &'a [String],
    /// Whether each is a message of its own; otherwise they wait for a digest.
    pub at_once: bool,
}

/// What a person does to deliveries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intervention {
    /// Try dead ones again, as if for the first time.
    Retry,
    /// Send delivered ones again, as repeats.
    Resend,
    /// Give up pending or dead ones.
    Discard,
}

/// What is too old to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    /// What has not changed since.
    pub aged_before: Timestamp,
    /// What was not listed since.
    pub unlisted_before: Timestamp,
    /// The maximum of reviews.
    pub limit: u32,
}

/// What was removed as too old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Reviews of which a tombstone is left.
    pub reviews: u64,
    /// Messages that carry no review any more: notices, tests, digests, and what was folded into one.
    pub messages: u64,
}

/// A review to be marked read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DueMark {
    /// The state's id.
    pub review_id: i64,
    /// The API's uuid.
    pub uuid: String,
    /// The revision that was settled.
    pub revision: u32,
    /// Tries so far.
    pub attempts: u32,
    /// Whether the last one was answered 409, 410 or 422, and a complete listing has ended since.
    pub refused: bool,
}

/// How a mark ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkResult {
    /// What was to be marked.
    pub mark: DueMark,
    /// Whether it is marked; else why not and when to try again.
    pub result: Result<(), (String, Timestamp)>,
    /// Whether it was answered 409, 410 or 422: settled once a complete listing since does not show the review.
    pub refused: bool,
    /// The path it was sent to, where it was accepted.
    pub setting: Option<String>,
    /// A configuration failure of the account; `Some("")` clears it.
    pub account_error: Option<String>,
}
