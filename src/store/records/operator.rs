//! What problems are assessed from, and which of them the operator was notified of.

use super::{AccountRecord, DestinationRecord, ScaleRecord, UnknownName};
use crate::domain::{Catalog, ProblemKind, Reason, Timestamp};

/// What problems are assessed from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProblemFacts {
    /// Every account that was ever polled.
    pub accounts: Vec<AccountFacts>,
    /// Every destination that ever had a state.
    pub destinations: Vec<DestinationRecord>,
    /// Reviews that are queued for a broken destination, by destination.
    pub queued: Vec<Tally>,
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
}

/// How many there are of something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally {
    /// The account or destination.
    pub subject: String,
    /// How many.
    pub count: u64,
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

/// What identifies a problem: there is one of each kind and subject at most.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProblemKey {
    /// Its kind.
    pub kind: ProblemKind,
    /// The account, destination, … it is about.
    pub subject: String,
}

/// A problem the operator was notified of.
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
    /// When the operator was last notified.
    pub notified_at: Timestamp,
}

impl ProblemRecord {
    /// What identifies it.
    pub fn key(&self) -> ProblemKey {
        ProblemKey { kind: self.kind, subject: self.subject.clone() }
    }
}
