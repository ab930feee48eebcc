//! What problems are assessed from, which of them the operator was notified of, and what a bridge notes of itself.

use super::{AccountRecord, DestinationRecord, ScaleRecord, UnknownName};
use crate::domain::{Catalog, ProblemKind, Reason, Timestamp};

/// What problems are assessed from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProblemFacts {
    /// Every account that was ever polled.
    pub accounts: Vec<AccountFacts>,
    /// Every destination that ever had a state.
    pub destinations: Vec<DestinationRecord>,
    /// What is queued for destinations.
    pub queues: Vec<QueueFacts>,
    /// Dead letters, by destination and reason.
    pub dead: Vec<DeadLetters>,
    /// Reviews marked read and yet on three complete listings since, by account.
    pub marked_yet_listed: Vec<Tally>,
    /// Items without a usable uuid, by account.
    pub malformed: Vec<Tally>,
    /// Reviews unmatched because a name is unknown, by account.
    pub undecided: Vec<Tally>,
    /// Names in the configuration that nothing bears.
    pub unknown_names: Vec<UnknownName>,
    /// Scales that were learnt or are contradicted, and those that a rating exceeds.
    pub scales: Vec<ScaleRecord>,
    /// Problems that other parts of the bridge have reported.
    pub reported: Vec<ProblemRecord>,
    /// What the bridge noted of itself.
    pub bridge: BridgeRecord,
}

/// An account, and its names where they were loaded once.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountFacts {
    /// Its name.
    pub name: String,
    /// What is known of it.
    pub record: AccountRecord,
    /// Its sources, websites and platforms.
    pub catalog: Option<Catalog>,
    /// The last request that its budget granted, within about a minute.
    pub requested_at: Option<Timestamp>,
    /// The mark that is due for longest.
    pub mark_due_at: Option<Timestamp>,
    /// How often the mark whose next try is furthest ahead has failed, and why.
    pub mark_tries: Option<(u32, String)>,
}

/// What waits for a destination; notices and tests are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueueFacts {
    /// The destination.
    pub destination: String,
    /// Since when the first of those that are due and were never tried is due.
    pub due_since: Option<Timestamp>,
    /// When the first attempt of those that were tried, all without success, began.
    pub tried_since: Option<Timestamp>,
    /// The last delivery, among the latest attempts.
    pub delivered_at: Option<Timestamp>,
}

/// How many there are of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The account or destination.
    pub subject: String,
    /// How many.
    pub count: u64,
    /// The time of the first, where it is known.
    pub since: Option<Timestamp>,
}

/// Messages to a destination that could not be delivered for one reason.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLetters {
    /// The destination.
    pub destination: String,
    /// Why.
    pub reason: Option<Reason>,
    /// How many.
    pub count: u64,
}

/// The reviews that waited for a destination.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Those that still wait.
    pub waiting: u64,
    /// Those that were sent.
    pub sent: u64,
}

/// What a bridge notes of itself, for commands that run beside it or after it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BridgeRecord {
    /// When `run` was started the last time.
    pub started_at: Option<Timestamp>,
    /// When it was stopped in good order, where it was.
    pub stopped_at: Option<Timestamp>,
    /// Since when its configuration is active.
    pub loaded_at: Option<Timestamp>,
    /// The active configuration as `config show` prints it: without secrets.
    pub shown: Option<String>,
    /// Since when the edited configuration is refused.
    pub refused_at: Option<Timestamp>,
    /// Why it is refused; holds no secret.
    pub refused_why: Option<String>,
    /// When `run --once` ended the last time.
    pub once_at: Option<Timestamp>,
    /// What failed in it; `None` where nothing did.
    pub once_failure: Option<String>,
}

/// What identifies a problem: there is one of each kind and subject at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProblemKey {
    /// Its kind.
    pub kind: ProblemKind,
    /// The account, destination, … it is about.
    pub subject: String,
}

/// A problem, from when it was first seen until its end was notified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemRecord {
    /// Its kind.
    pub kind: ProblemKind,
    /// The account, destination, … it is about.
    pub subject: String,
    /// What happened.
    pub text: String,
    /// What to do.
    pub hint: String,
    /// When it began.
    pub since: Timestamp,
    /// When the operator was last notified; `None` before the first notice.
    pub notified_at: Option<Timestamp>,
    /// When it ended, while what had waited because of it is still being sent.
    pub over_at: Option<Timestamp>,
}

impl ProblemRecord {
    /// What identifies it.
    pub fn key(&self) -> ProblemKey {
        ProblemKey { kind: self.kind, subject: self.subject.clone() }
    }
}
