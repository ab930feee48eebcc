//! What always holds of reviews and deliveries, and which states follow which.

use super::observed::Observed;
use super::ops::{Op, Wish};
use super::rows::Mark;
use super::state::State;
use review_bridge::domain::ledger::{self, Voice};
use review_bridge::domain::{DeliveryState, Reason};
use review_bridge::store::{DeliveryRow, ReviewRow, ReviewState};
use std::collections::{BTreeMap, BTreeSet};

/// Watches a state from operation to operation.
#[derive(Default)]
pub struct Watch {
    reviews: BTreeMap<i64, ReviewRow>,
    deliveries: BTreeMap<Key, DeliveryState>,
    /// Reviews whose marks a person asked for, and the revision they were asked for.
    asked: BTreeSet<(i64, u32)>,
}

/// One revision of one review to one recipient: a delivery's identity, whatever its number.
type Key = (String, String, u32, String, String);

fn key(row: &DeliveryRow) -> Key {
    let (account, uuid) = (row.account.clone(), row.uuid.clone());
    (account, uuid, row.revision, row.destination.clone(), row.recipient.clone())
}

impl Watch {
    /// Checks what `op` made of the state.
    pub fn check(&mut self, op: &Op, state: &State, seen: &Observed) {
        for row in &seen.reviews {
            let before = self.reviews.get(&row.id);
            assert!(may_become(before.map(|row| row.state), row.state, op), "{before:?} became {row:?}");
            let done = |row: &ReviewRow| row.mark == "done";
            let edited = before.is_some_and(|before| before.revision < row.revision);
            if before.is_some_and(done) {
                assert!(done(row) || edited, "the mark of {row:?} was taken back");
            } else if done(row) {
                assert!(matches!(op, Op::Marks { .. } | Op::EndListing(_)), "{row:?} was marked by {op:?}");
            }
            if matches!(op, Op::RequestMarks(_)) && row.mark == "due" {
                self.asked.insert((row.id, row.revision));
            }
        }
        let mut deliveries = BTreeMap::new();
        for row in &seen.deliveries {
            let key = key(row);
            let before = self.deliveries.remove(&key);
            assert!(may_follow(before, row.state, op), "{before:?} became {row:?}");
            deliveries.insert(key, row.state);
        }
        for (gone, state) in &self.deliveries {
            let settled = *state != DeliveryState::Pending;
            let removed = matches!(op, Op::Forget(_)) || settled && matches!(op, Op::ExpireOld { .. });
            assert!(removed, "{gone:?} in {state:?} was lost");
        }
        self.deliveries = deliveries;
        self.reviews = seen.reviews.iter().map(|row| (row.id, row.clone())).collect();
        newest_are_newest(state);
        self.marks_follow_deliveries(state);
    }

    /// A mark is due only where each destination and recipient has settled its newest delivery, or where a person
    /// asked for it.
    fn marks_follow_deliveries(&self, state: &State) {
        for (id, entry) in state.reviews.iter() {
            let asked = self.asked.contains(&(id, entry.revision));
            if matches!(entry.mark, Mark::Due(_)) && !asked {
                for delivery in state.deliveries_of(id).into_iter().map(|id| state.delivery(id)) {
                    let reason = delivery.reason.and_then(Reason::parse);
                    let blocks = ledger::voice(delivery.state, reason) == Voice::Blocks;
                    assert!(!blocks || !delivery.newest, "{entry:?} is to be marked despite {delivery:?}");
                }
            }
        }
    }
}

/// Of the deliveries of a review to the same recipient exactly the one of the latest revision is the newest, and
/// what is superseded stands behind one.
fn newest_are_newest(state: &State) {
    let mut by_recipient: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for (_, delivery) in state.deliveries.iter() {
        let recipient = (delivery.review, &delivery.destination, &delivery.recipient);
        by_recipient.entry(recipient).or_default().push(delivery);
    }
    for (recipient, deliveries) in by_recipient {
        let latest = deliveries.iter().map(|delivery| delivery.revision).max();
        for delivery in deliveries {
            assert_eq!(delivery.newest, Some(delivery.revision) == latest, "{recipient:?}: {delivery:?}");
            let behind = delivery.state == DeliveryState::Superseded;
            assert!(!behind || !delivery.newest, "{delivery:?} has nothing that supersedes it");
            let leased = state.is_leased(delivery.message);
            let waits = delivery.state == DeliveryState::Pending && !leased;
            assert!(!waits || delivery.newest, "{delivery:?} waits behind a newer one");
        }
    }
}

/// Whether a review's state may follow from another by `op`.
fn may_become(before: Option<ReviewState>, after: ReviewState, op: &Op) -> bool {
    use ReviewState::{Expired, Forgotten, Held, Malformed, Matched, Remembered, Settling, Unmatched};
    let Some(before) = before else {
        return matches!(op, Op::Page { .. }) && !matches!(after, Expired | Forgotten);
    };
    let page = matches!(op, Op::Page { .. });
    match (before, after) {
        _ if before == after => true,
        (Forgotten, _) => false,
        (_, Forgotten) => matches!(op, Op::Forget(_)),
        (Matched | Unmatched | Remembered | Malformed, Expired) => matches!(op, Op::ExpireOld { .. }),
        (Held | Settling, Matched | Unmatched | Settling) => page || matches!(op, Op::RouteWaiting { .. }),
        (Matched, Settling) | (Expired, Held | Settling | Matched | Unmatched) => page,
        // Names or a scale changed.
        (Unmatched, Matched) => page || matches!(op, Op::RouteAgain { .. } | Op::RouteWaiting { .. }),
        (Remembered, Matched) => page || matches!(op, Op::RouteAgain { .. }),
        (Unmatched, Settling) | (Remembered, Held | Settling | Unmatched) => page,
        _ => false,
    }
}

/// Whether a delivery's state may follow from another by `op`.
fn may_follow(before: Option<DeliveryState>, after: DeliveryState, op: &Op) -> bool {
    use DeliveryState::{Dead, Delivered, Discarded, Pending, Skipped, Superseded};
    let routes = matches!(op, Op::Page { .. } | Op::RouteWaiting { .. } | Op::RouteAgain { .. });
    let moves = matches!(op, Op::Wish { wish: Wish::Move(..), .. });
    let wish = |wanted: Wish| match op {
        Op::Wish { wish, .. } => std::mem::discriminant(wish) == std::mem::discriminant(&wanted),
        _ => false,
    };
    match (before, after) {
        (None, Pending) => routes || moves,
        (None, _) => false,
        (Some(before), after) if before == after => true,
        (Some(Pending), Delivered) => matches!(op, Op::Settle { .. } | Op::Send { .. }),
        (Some(Pending), Dead) => matches!(op, Op::Settle { .. } | Op::Send { .. } | Op::BuryRemoved { .. }),
        (Some(Pending), Skipped) => {
            matches!(op, Op::EndListing(_) | Op::Lease { .. } | Op::Send { .. })
        }
        (Some(Skipped), Pending) => matches!(op, Op::Page { .. }),
        (Some(Pending), Superseded) => {
            routes || moves || matches!(op, Op::Settle { .. } | Op::Send { .. } | Op::Expire | Op::Recover)
        }
        (Some(Pending), Discarded) => wish(Wish::Discard),
        (Some(Dead), Discarded) => wish(Wish::Discard) || moves,
        (Some(Dead), Pending) => wish(Wish::Retry),
        (Some(Delivered), Pending) => wish(Wish::Resend),
        _ => false,
    }
}
