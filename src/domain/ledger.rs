//! What the ledger of deliveries and marks may do: one table for each decision, pure. The store's SQL and the tests'
//! model are both held to it.

use super::{DeliveryState, Reason, Timestamp};
use std::time::Duration;

// ---- marks ------------------------------------------------------------------------------------------------

/// What the newest delivery to one destination and recipient says about marking its review read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// The review is not marked before this changes.
    Blocks,
    /// It stands in nobody's way, and is no reason to mark.
    Abstains,
    /// A reason to mark.
    Asks,
}

/// What a newest delivery in `state` for `reason` says about the mark of its review.
///
/// | state | reason | says |
/// |---|---|---|
/// | `delivered`, `discarded` | any | asks |
/// | `skipped` | `unchanged` | asks |
/// | `skipped` | `read_elsewhere`, any other | abstains: nobody here was notified |
/// | `pending` | any | blocks |
/// | `dead` | any | blocks: a dead letter keeps its review unread |
/// | `superseded` | any | blocks: it is never the newest |
pub fn voice(state: DeliveryState, reason: Option<Reason>) -> Voice {
    match (state, reason) {
        (DeliveryState::Delivered | DeliveryState::Discarded, _)
        | (DeliveryState::Skipped, Some(Reason::Unchanged)) => Voice::Asks,
        (DeliveryState::Skipped, _) => Voice::Abstains,
        (DeliveryState::Pending | DeliveryState::Dead | DeliveryState::Superseded, _) => Voice::Blocks,
    }
}

/// Whether a review is to be marked read: of the newest deliveries of each destination and recipient none blocks, and
/// one at least asks.
pub fn mark_is_due(newest: impl IntoIterator<Item = (DeliveryState, Option<Reason>)>) -> bool {
    let mut asks = false;
    for (state, reason) in newest {
        match voice(state, reason) {
            Voice::Blocks => return false,
            Voice::Abstains => {}
            Voice::Asks => asks = true,
        }
    }
    asks
}

/// Complete listings that may show a marked review, without a break, before the operator is notified.
pub const LISTINGS_AFTER_MARK: i64 = 3;
/// Stands for that count once a complete listing since the mark did not show the review: the mark worked. Should it be
/// listed again, a person set it to unread.
pub const MARK_WORKED: i64 = -1;

/// How many complete listings since its mark have shown a review, after one more that began after the mark.
pub fn listed_since_mark(before: i64, is_shown: bool) -> i64 {
    match (before, is_shown) {
        (MARK_WORKED, _) | (_, false) => MARK_WORKED,
        (before, true) => (before + 1).min(LISTINGS_AFTER_MARK),
    }
}

// ---- read elsewhere ---------------------------------------------------------------------------------------

/// An empty list is believed with care where the one before it was longer.
pub const LONG_LISTING: u64 = 10;
/// Empty listings in a row, after a long one, that are believed.
pub const EMPTY_LISTINGS: u32 = 3;
/// Listings in a row that prove a review to be off the list.
pub const MISSING_LISTINGS: u32 = 2;

/// By how much a complete and steady listing of `length` brings what it lacks nearer to [`MISSING_LISTINGS`].
/// `long_before` is the length of the last listing that was not empty, `empty` how many in a row are, this one included.
///
/// | this listing | the one before | counts as |
/// |---|---|---|
/// | shows something | any | one |
/// | is empty | was at most ten long | one |
/// | is empty, the first or second in a row | was longer than ten | none |
/// | is empty, the third or later in a row | was longer than ten | enough |
pub fn absence(length: u64, long_before: u64, empty: u32) -> u32 {
    match length {
        0 if long_before > LONG_LISTING && empty < EMPTY_LISTINGS => 0,
        0 if long_before > LONG_LISTING => MISSING_LISTINGS,
        _ => 1,
    }
}

/// What is known of a delivery when its review turns out to have been read elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Its state.
    pub state: DeliveryState,
    /// Whether a send of it is under way.
    pub in_flight: bool,
    /// Whether its destination has `skip_if_read`.
    pub skips: bool,
    /// Whether its review is still on the unread list.
    pub is_listed: bool,
    /// Whether we marked its review read.
    pub is_marked: bool,
    /// Whether it was made after its review left the list: a person wants it sent.
    pub is_later: bool,
}

/// Whether a delivery is skipped as read elsewhere.
pub fn may_skip(delivery: Candidate) -> bool {
    let Candidate { state, in_flight, skips, is_listed, is_marked, is_later } = delivery;
    state == DeliveryState::Pending && skips && !in_flight && !is_listed && !is_marked && !is_later
}

/// Whether a newest delivery is pending again once its review is listed as unread again.
pub fn is_taken_back(state: DeliveryState, reason: Option<Reason>) -> bool {
    state == DeliveryState::Skipped && reason != Some(Reason::Unchanged)
}

// ---- the baseline -----------------------------------------------------------------------------------------

/// A listing that begins this long after the first ends the baseline, complete or not.
pub const LONGEST_BASELINE: Duration = Duration::from_secs(24 * 3600);

/// Whether an incomplete listing ends the baseline of its account. `first_at` is when the first listing began that
/// brought a page; one that brings none says nothing about the account's past.
pub fn ends_baseline(first_at: Option<Timestamp>, begun_at: Timestamp, brought_pages: bool) -> bool {
    brought_pages && first_at.is_some_and(|first| begun_at.since(first) >= LONGEST_BASELINE)
}

// ---- dates ------------------------------------------------------------------------------------------------

/// 2000-01-01: no review is older; such a date is a placeholder.
pub const EARLIEST_DATE: Timestamp = Timestamp(946_684_800_000);
/// A date further ahead is a mistake.
pub const LATEST_DATE: Duration = Duration::from_secs(86_400);

/// `date`, unless no review can be of it: then it is unknown.
pub fn believable(date: Option<Timestamp>, now: Timestamp) -> Option<Timestamp> {
    date.filter(|date| *date >= EARLIEST_DATE && *date <= now.plus(LATEST_DATE))
}

#[cfg(test)]
#[path = "ledger_tests.rs"]
mod tests;
