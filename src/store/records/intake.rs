//! Pages and listings: what is taken in, and what that brought.

use super::Fingerprinted;
use crate::domain::{Change, Timestamp};
use crate::upstream::Malformed;
use serde::Serialize;

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

/// What a page brought.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct IntakeReport {
    /// First seen.
    pub new: u64,
    /// Changed rating or text.
    pub edited: u64,
    /// Too old to send.
    pub remembered: u64,
    /// Waiting for names or `settle`.
    pub waiting: u64,
    /// Matched by a rule.
    pub matched: u64,
    /// Matched by none.
    pub unmatched: u64,
    /// Of these, because a name is unknown.
    pub undecided: u64,
    /// Deliveries made.
    pub deliveries: u64,
    /// Deliveries that had been skipped and are pending again, because their reviews are listed as unread again.
    pub taken_back: u64,
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
        self.taken_back += other.taken_back;
        self.malformed += other.malformed;
        for (change, count) in other.changes {
            self.count_change(change, count);
        }
        self.seen.extend(other.seen);
    }

    /// Adds what was routed of reviews that this report counts as waiting.
    pub fn release(&mut self, routed: Self) {
        self.waiting = self.waiting.saturating_sub(routed.matched + routed.unmatched);
        self.add(Self { waiting: 0, ..routed });
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
    /// Reviews that turned out to be off the list and that were not marked by us.
    pub read_elsewhere: u64,
}

/// The end of a complete listing.
#[derive(Clone, Copy, Debug)]
pub struct CompleteListing<'a> {
    /// The account.
    pub account: &'a str,
    /// The state's ids of all reviews on it.
    pub seen: &'a [i64],
    /// Whether what it does not show is not on the list; `false` where its pages may have shifted meanwhile.
    pub steady: bool,
    /// When it began: what was marked since may still be on it.
    pub begun_at: Timestamp,
    /// Destinations that skip a review which was read elsewhere.
    pub skip_if_read: &'a [&'a str],
    /// Now.
    pub now: Timestamp,
}
