//! What problem is assessed from, and what the operator was told.

use super::{AccountRecord, DestinationRecord};
use crate::domain::{Catalog, Timestamp};

/// What problem is assessed from.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProblemFacts {
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

/// Problem the operator was told of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProblemRecord {
    /// Its kind.
    pub kind: String,
    /// The account, destination, … it is about.
    pub subject: String,
    /// What happened.
    pub text: String,
    /// What to do.
    pub hint: String,
    /// When the operator was last notified.
    pub notified_at: Timestamp,
}
