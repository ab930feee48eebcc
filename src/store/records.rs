//! What the store takes and gives: plain records, no behaviour.

use crate::domain::{
    Attempt, Catalog, Change, DeliveryState, Form, MessageKind, Previous, Reason, Review, RuleHit, Timestamp,
};
use crate::upstream::{Malformed, Purpose};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The states of a review; the schema's CHECK constraints hold the same list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReviewState {
    /// Waiting for the account's names.
    Held,
    /// Waiting for `settle`.
    Settling,
    /// A rule wanted it told.
    Matched,
    /// No rule did.
    Unmatched,
    /// Too old when first seen: not told.
    Remembered,
    /// Without a usable uuid: never routed.
    Malformed,
    /// Past its retention: a tombstone, from which a change can still be told.
    Expired,
    /// Forgotten on demand: a tombstone, never told again.
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

/// What is known of an account.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AccountRecord {
    /// When its names were last loaded.
    pub catalog_at: Option<Timestamp>,
    /// When its first complete listing ended.
    pub baseline_at: Option<Timestamp>,
    /// Complete listings so far.
    pub listings: u64,
    /// The reviews on the last complete listing.
    pub listing_length: Option<u64>,
    /// When the last poll ended, well or not.
    pub last_poll_at: Option<Timestamp>,
    /// When the last good one ended.
    pub last_success_at: Option<Timestamp>,
    /// Failed polls in a row.
    pub failed_polls: u32,
    /// Since when they fail.
    pub failing_since: Option<Timestamp>,
    /// The last failure.
    pub last_error: Option<String>,
    /// Its kind, a name of `upstream::ErrorKind`.
    pub last_error_kind: Option<String>,
    /// Nothing is asked before then.
    pub hold_until: Timestamp,
    /// When its token expires, where that is known.
    pub token_expires_at: Option<Timestamp>,
    /// The path for marks that has succeeded.
    pub mark_setting: Option<String>,
    /// Why marking cannot work with the present setting.
    pub mark_error: Option<String>,
}

/// An endpoint as it answered last.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EndpointRecord {
    /// Its name, as in `endpoints.NAME`.
    pub endpoint: String,
    /// When it last answered well.
    pub ok_at: Option<Timestamp>,
    /// When it last did not.
    pub failed_at: Option<Timestamp>,
    /// Why.
    pub error: Option<String>,
}

/// A wish for requests from a budget.
#[derive(Clone, Copy, Debug)]
pub struct TakeRequests<'a> {
    /// The account.
    pub account: &'a str,
    /// What for.
    pub purpose: Purpose,
    /// How many at most.
    pub want: u32,
    /// How many of any purpose in any span.
    pub limit: u32,
    /// How many of this purpose in any span.
    pub purpose_limit: u32,
    /// Now.
    pub now: Timestamp,
}

/// The answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// So many were taken.
    Taken(u32),
    /// None is left until then.
    Until(Timestamp),
}

/// One page of an unread list.
#[derive(Clone, Copy, Debug)]
pub struct IntakeBatch<'a> {
    /// The account.
    pub account: &'a str,
    /// Its reviews, each uuid once.
    pub reviews: &'a [Fingerprinted],
    /// What cannot be routed.
    pub malformed: &'a [Malformed],
    /// Now.
    pub now: Timestamp,
}

/// A review with its hashes, so that the store can tell the unchanged without reading bodies.
#[derive(Clone, Debug, PartialEq)]
pub struct Fingerprinted {
    /// The review.
    pub review: Review,
    /// Of rating and of text, so that a tombstone tells which of them changed.
    pub content_hash: String,
    /// Of everything.
    pub body_hash: String,
}

/// A listed review beside what is known of it.
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
    pub told: bool,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
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
    pub routed: Routed,
}

/// Where a review goes.
#[derive(Clone, Debug, PartialEq)]
pub struct Routed {
    /// Its new state.
    pub state: ReviewState,
    /// When the rules run, while settling.
    pub match_at: Option<Timestamp>,
    /// Its deliveries.
    pub deliveries: Vec<NewDelivery>,
    /// Unmatched because a name is unknown.
    pub undecided: bool,
    /// To be marked read although nobody is told.
    pub mark: bool,
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

/// What a page brought.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct IntakeReport {
    /// First seen.
    pub new: u64,
    /// Changed rating or text.
    pub edited: u64,
    /// Too old to tell.
    pub remembered: u64,
    /// Waiting for names or `settle`.
    pub waiting: u64,
    /// Wanted by a rule.
    pub matched: u64,
    /// Wanted by none.
    pub unmatched: u64,
    /// Of these, because a name is unknown.
    pub undecided: u64,
    /// Deliveries made.
    pub deliveries: u64,
    /// Items without a usable uuid, first seen.
    pub malformed: u64,
    /// New revisions by kind, for metrics: (kind, count).
    pub changes: Vec<(Change, u64)>,
    /// The state's ids of all reviews on the page.
    #[serde(skip)]
    pub seen: Vec<i64>,
}

impl IntakeReport {
    /// Adds another page's figures.
    pub fn add(&mut self, other: Self) {
        self.new += other.new;
        self.edited += other.edited;
        self.remembered += other.remembered;
        self.waiting += other.waiting;
        self.matched += other.matched;
        self.unmatched += other.unmatched;
        self.undecided += other.undecided;
        self.deliveries += other.deliveries;
        self.malformed += other.malformed;
        for (change, count) in other.changes {
            self.count_change(change, count);
        }
        self.seen.extend(other.seen);
    }

    /// Counts revisions of a kind.
    pub fn count_change(&mut self, change: Change, count: u64) {
        match self.changes.iter_mut().find(|(known, _)| *known == change) {
            Some((_, total)) => *total += count,
            None => self.changes.push((change, count)),
        }
    }
}

/// What a complete listing changed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ListingReport {
    /// Whether it was the account's first.
    pub baseline: bool,
    /// Its length.
    pub length: u64,
    /// Reviews that two complete listings in a row did not show and that were not marked by us.
    pub read_elsewhere: u64,
}

/// The end of a complete listing.
#[derive(Clone, Copy, Debug)]
pub struct CompleteListing<'a> {
    /// The account.
    pub account: &'a str,
    /// The state's ids of all reviews on it.
    pub seen: &'a [i64],
    /// Whether what it does not show is not on the list; `false` where its pages shifted meanwhile.
    pub steady: bool,
    /// Destinations to which a review that was read elsewhere is not told any more.
    pub skip_if_read: &'a [&'a str],
    /// Now.
    pub now: Timestamp,
}

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
    /// At most so many reviews at once.
    pub limit: u32,
}

/// What was removed as too old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Expired {
    /// Reviews of which a tombstone is left.
    pub reviews: u64,
    /// Notices, tests and digests that carry no review any more.
    pub messages: u64,
    /// Attempts of what still waits.
    pub attempts: u64,
}

/// A held or settling review.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// Its newest revision.
    pub review: Review,
    /// The kind of it.
    pub change: Change,
    /// What it was before.
    pub previous: Option<Previous>,
    /// When it was first seen.
    pub first_seen_at: Timestamp,
    /// Whether it waits for `settle` (and not for names).
    pub state: ReviewState,
}

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
    /// The reviews it tells, newest revision of each, oldest first.
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
    /// Why it is told.
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

/// The state of a destination.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DestinationRecord {
    /// Its name.
    pub name: String,
    /// Paused by a person since.
    pub paused_at: Option<Timestamp>,
    /// Broken since.
    pub broken_at: Option<Timestamp>,
    /// Why: a name of `domain::Reason`.
    pub broken_reason: Option<String>,
    /// Why, for people.
    pub broken_detail: Option<String>,
    /// The next probe.
    pub retry_at: Option<Timestamp>,
    /// It asked for a pause until then.
    pub hold_until: Timestamp,
    /// Paused or broken since.
    pub stopped_since: Option<Timestamp>,
    /// Paused or broken before that, in all.
    pub stopped: Duration,
}

impl DestinationRecord {
    /// `paused`, `broken` or `working`.
    pub fn state(&self) -> &'static str {
        match (self.paused_at, self.broken_at) {
            (Some(_), _) => "paused",
            (None, Some(_)) => "broken",
            (None, None) => "working",
        }
    }

    /// How long it was paused or broken in all, until `now`.
    pub fn stopped_total(&self, now: Timestamp) -> Duration {
        self.stopped + self.stopped_since.map(|since| now.since(since)).unwrap_or_default()
    }
}

/// When a destination's digest was sent, and is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestWindow {
    /// The destination.
    pub destination: String,
    /// The schedule by which `next_at` was reckoned.
    pub schedule: String,
    /// The end of the last window.
    pub from: Timestamp,
    /// When the next is due.
    pub next_at: Timestamp,
}

/// The window of a digest, as its message keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// Its start.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
}

/// A digest to be made.
#[derive(Clone, Debug)]
pub struct NewDigest<'a> {
    /// The window that follows it.
    pub next: &'a DigestWindow,
    /// The recipients by the configuration.
    pub recipients: &'a [String],
    /// Whether one without reviews is sent.
    pub send_empty: bool,
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
}

/// How a mark ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MarkResult {
    /// What was to be marked.
    pub mark: DueMark,
    /// Whether it is marked; else why not and when to try again.
    pub result: Result<(), (String, Timestamp)>,
    /// The path it was sent to, where it was accepted.
    pub setting: Option<String>,
    /// A configuration failure of the account; `Some("")` clears it.
    pub account_error: Option<String>,
}

/// What trouble is assessed from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Facts {
    /// Every account that was ever polled.
    pub accounts: Vec<(String, AccountRecord)>,
    /// Every destination that ever had a state.
    pub destinations: Vec<DestinationRecord>,
    /// Dead letters: destination, count, newest.
    pub dead: Vec<(String, u64, Timestamp)>,
    /// Reviews marked and yet on three complete listings since: account, count.
    pub marked_yet_listed: Vec<(String, u64)>,
    /// Items without a usable uuid: account, count, newest.
    pub malformed: Vec<(String, u64, Timestamp)>,
    /// Reviews unmatched because a name is unknown: account, count, newest.
    pub undecided: Vec<(String, u64, Timestamp)>,
    /// The names of every account that has some.
    pub catalogs: Vec<(String, Catalog)>,
}

/// Trouble the operator was told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TroubleRecord {
    /// Its kind.
    pub kind: String,
    /// The account, destination, … it is about.
    pub subject: String,
    /// What happened.
    pub text: String,
    /// What to do.
    pub hint: String,
    /// When the operator was last told.
    pub told_at: Timestamp,
}

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
    /// At most so many.
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
    /// Why it is told.
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
    /// At most so many.
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
    /// When it was marked, or will be tried.
    pub mark_at: Option<Timestamp>,
    /// Why the last try did not succeed.
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
