//! What the model keeps of reviews and messages, and by what each is found.

use super::table::{Named, Row};
use review_bridge::domain::ledger::LISTINGS_AFTER_MARK;
use review_bridge::domain::{DeliveryState, Form, MessageKind, Review, Timestamp};
use review_bridge::store::{AttemptRow, ReviewState, RevisionRow};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

type ByTime = BTreeSet<(Timestamp, i64)>;

/// Whether a review is to be marked read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    None,
    /// To be tried at that time.
    Due(Timestamp),
    Done(Timestamp),
}

/// What a review says.
#[derive(Clone, Debug)]
pub enum Body {
    Review(Arc<Review>),
    Malformed(Arc<serde_json::Value>),
    /// It is a tombstone.
    Gone,
}

#[derive(Clone, Debug)]
pub struct ReviewEntry {
    pub account: Arc<str>,
    pub uuid: Arc<str>,
    pub state: ReviewState,
    pub content_hash: String,
    pub body_hash: String,
    pub body: Body,
    pub revision: u32,
    pub revisions: Vec<RevisionRow>,
    pub first_seen_at: Timestamp,
    pub changed_at: Timestamp,
    pub match_at: Option<Timestamp>,
    pub undecided: bool,
    /// Names or a scale changed: the rules run again.
    pub rematch: bool,
    /// Whether an attempt to tell it began.
    pub told: bool,
    pub listed: bool,
    /// Whether the last complete listing, or a page since, showed it.
    pub shown: bool,
    pub unlisted_at: Timestamp,
    pub aged_at: Timestamp,
    pub missing: u32,
    pub mark: Mark,
    pub mark_attempts: u32,
    pub mark_error: Option<String>,
    /// When the mark became due, once an attempt has failed.
    pub mark_due_at: Option<Timestamp>,
    /// When the last attempt was refused.
    pub mark_refused_at: Option<Timestamp>,
    pub listed_since_mark: i64,
}

impl ReviewEntry {
    pub fn review(&self) -> Option<&Arc<Review>> {
        match &self.body {
            Body::Review(review) => Some(review),
            Body::Malformed(_) | Body::Gone => None,
        }
    }
}

/// The reviews of one account, by what is asked of them.
#[derive(Clone, Debug, Default)]
pub struct OfAccount {
    pub held: BTreeSet<i64>,
    pub settling: ByTime,
    /// To be marked, of those that are shown.
    pub due: ByTime,
    pub listed: BTreeSet<i64>,
    pub yet_listed: BTreeSet<i64>,
    pub malformed: BTreeSet<i64>,
    pub undecided: BTreeSet<i64>,
    pub rematch: BTreeSet<i64>,
    pub unmatched: BTreeSet<i64>,
    /// Undecided, in whatever state.
    pub open: BTreeSet<i64>,
}

#[derive(Clone, Debug, Default)]
pub struct ReviewIndex {
    pub accounts: Named<OfAccount>,
    /// Those with a body, by age.
    pub by_age: ByTime,
}

/// Adds to a set or takes from it.
pub fn put<T: Ord>(set: &mut BTreeSet<T>, item: T, within: bool) {
    if within {
        set.insert(item);
    } else {
        set.remove(&item);
    }
}

impl ReviewEntry {
    fn place(&self, id: i64, index: &mut ReviewIndex, within: bool) {
        if !matches!(self.body, Body::Gone) {
            put(&mut index.by_age, (self.aged_at, id), within);
        }
        let of = index.accounts.at(&self.account);
        match (self.state, self.match_at) {
            (ReviewState::Held, _) => put(&mut of.held, id, within),
            (ReviewState::Settling, Some(at)) => put(&mut of.settling, (at, id), within),
            (ReviewState::Malformed, _) => put(&mut of.malformed, id, within),
            (ReviewState::Unmatched, _) if self.undecided => put(&mut of.undecided, id, within),
            _ => {}
        }
        if self.undecided {
            put(&mut of.open, id, within);
        }
        if self.state == ReviewState::Unmatched {
            put(&mut of.unmatched, id, within);
        }
        if self.rematch && matches!(self.state, ReviewState::Matched | ReviewState::Unmatched) {
            put(&mut of.rematch, id, within);
        }
        if let (Mark::Due(at), true) = (self.mark, self.shown) {
            put(&mut of.due, (at, id), within);
        }
        if self.listed {
            put(&mut of.listed, id, within);
        }
        if self.listed && matches!(self.mark, Mark::Done(_)) && self.listed_since_mark >= LISTINGS_AFTER_MARK
        {
            put(&mut of.yet_listed, id, within);
        }
    }
}

impl Row for ReviewEntry {
    type Index = ReviewIndex;

    fn enter(&self, id: i64, index: &mut ReviewIndex) {
        self.place(id, index, true);
    }

    fn leave(&self, id: i64, index: &mut ReviewIndex) {
        self.place(id, index, false);
    }
}

#[derive(Clone, Debug)]
pub struct MessageEntry {
    pub id: Arc<str>,
    pub destination: Arc<str>,
    pub recipient: Arc<str>,
    pub kind: MessageKind,
    pub state: DeliveryState,
    pub content: Option<String>,
    pub form: Form,
    pub possible_repeat: bool,
    /// How many began; of the oldest, `log` may hold none any more.
    pub attempts: u32,
    pub log: Vec<AttemptRow>,
    pub first_attempt_at: Option<Timestamp>,
    pub stopped_base: Duration,
    pub next_at: Timestamp,
    pub created_at: Timestamp,
    /// Whether a burst's window let it through.
    pub admitted: bool,
    pub leased_until: Option<Timestamp>,
    pub settled_at: Option<Timestamp>,
}

impl MessageEntry {
    pub fn is_notice(&self) -> bool {
        matches!(self.kind, MessageKind::Operator | MessageKind::Test)
    }

    pub fn waits(&self) -> bool {
        self.state == DeliveryState::Pending && self.leased_until.is_none()
    }
}

#[derive(Clone, Debug, Default)]
pub struct MessageIndex {
    /// Pending and not leased, by destination.
    pub due: Named<ByTime>,
    /// Of these, notices and tests.
    pub notices: Named<ByTime>,
    pub leased: ByTime,
    /// Settled ones of other kinds than a single review, and those that were folded into another.
    pub ended: ByTime,
}

impl MessageEntry {
    fn place(&self, seq: i64, index: &mut MessageIndex, within: bool) {
        if self.waits() {
            put(index.due.at(&self.destination), (self.next_at, seq), within);
            if self.is_notice() {
                put(index.notices.at(&self.destination), (self.next_at, seq), within);
            }
        }
        let folded = self.state == DeliveryState::Superseded;
        if let Some(until) = self.leased_until {
            put(&mut index.leased, (until, seq), within);
        }
        if let Some(at) = self.settled_at.filter(|_| self.kind != MessageKind::Review || folded) {
            put(&mut index.ended, (at, seq), within);
        }
    }
}

impl Row for MessageEntry {
    type Index = MessageIndex;

    fn enter(&self, seq: i64, index: &mut MessageIndex) {
        self.place(seq, index, true);
    }

    fn leave(&self, seq: i64, index: &mut MessageIndex) {
        self.place(seq, index, false);
    }
}
