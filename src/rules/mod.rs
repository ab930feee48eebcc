//! Rules: which reviews are told to whom, and why. Pure: no I/O, no clock, not async.

pub mod fold;
pub mod phrase;

use crate::domain::{RuleHit, Subject, Timestamp};

/// A review at the moment it is matched.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The review with its names and rating.
    pub subject: &'a Subject,
    /// The time of matching, for `min_age` and `max_age`.
    pub now: Timestamp,
}

/// Where a review goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routing {
    /// Each destination once, in the order first asked for, with every rule that asked for it.
    pub targets: Vec<(String, Vec<RuleHit>)>,
    /// Nothing matched, and some rule could not be decided because a name is unknown.
    pub undecided: bool,
}
