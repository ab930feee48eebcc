//! What people do to deliveries: retry, resend, discard, move.

use super::state::State;
use review_bridge::domain::{DeliveryState, MessageKind, Timestamp};
use review_bridge::store::*;
use std::collections::BTreeSet;

impl State {
    pub fn intervene(&mut self, what: Intervention, deliveries: &[i64], now: Timestamp) -> Vec<i64> {
        let ids: BTreeSet<i64> = deliveries.iter().copied().collect();
        let done = |id: &i64| match what {
            Intervention::Retry => self.revive(*id, DeliveryState::Dead, now),
            Intervention::Resend => self.revive(*id, DeliveryState::Delivered, now),
            Intervention::Discard => self.discard(*id, now),
        };
        ids.into_iter().filter(done).collect()
    }

    /// Makes a delivery in state `from` pending again. A message of its own keeps its id and goes on counting its
    /// attempts, but gives up later; a member of a summary gets one of its own, of a digest waits for the next one.
    fn revive(&mut self, id: i64, from: DeliveryState, now: Timestamp) -> bool {
        let Some(delivery) = self.deliveries.get(id) else { return false };
        if delivery.state != from || !delivery.newest {
            return false;
        }
        let review = delivery.review;
        let before = delivery.message.map(|seq| self.message(seq));
        let single = before.is_some_and(|message| message.kind != MessageKind::Digest);
        let repeat =
            before.is_some_and(|message| message.possible_repeat) || from == DeliveryState::Delivered;
        self.deliveries.change(id, |delivery| {
            if delivery.state == DeliveryState::Delivered {
                delivery.received = None;
            }
            (delivery.state, delivery.reason) = (DeliveryState::Pending, None);
            (delivery.settled_at, delivery.message) = (None, None);
        });
        if single {
            let seq = self.bind(id, now);
            self.messages.change(seq, |message| message.possible_repeat |= repeat);
        }
        self.take_back_mark(review);
        true
    }

    fn discard(&mut self, id: i64, now: Timestamp) -> bool {
        let Some(delivery) = self.deliveries.get(id) else { return false };
        let (review, message) = (delivery.review, delivery.message);
        if !matches!(delivery.state, DeliveryState::Pending | DeliveryState::Dead) || self.is_leased(message)
        {
            return false;
        }
        self.end_delivery(id, DeliveryState::Discarded, None, now);
        if let Some(seq) = message {
            self.end_emptied(seq, DeliveryState::Discarded, now);
        }
        self.mark_settled(review, now);
        true
    }

    pub fn move_deliveries(&mut self, deliveries: &[i64], to: &MoveTo<'_>, now: Timestamp) -> Vec<i64> {
        let ids: BTreeSet<i64> = deliveries.iter().copied().collect();
        let moves = |id: &i64| {
            self.deliveries.get(*id).is_some_and(|delivery| {
                delivery.state == DeliveryState::Dead
                    && delivery.newest
                    && *delivery.destination != *to.destination
            })
        };
        let moved: Vec<i64> = ids.into_iter().filter(moves).collect();
        for id in &moved {
            for recipient in to.recipients {
                self.deliver_instead(*id, to, recipient, now);
            }
        }
        for id in &moved {
            self.end_delivery(*id, DeliveryState::Discarded, Some("moved"), now);
        }
        for id in &moved {
            self.mark_settled(self.delivery(*id).review, now);
        }
        moved
    }

    /// Makes the delivery that stands in for a dead one, unless that recipient has one of this revision or a newer.
    fn deliver_instead(&mut self, dead: i64, to: &MoveTo<'_>, recipient: &str, now: Timestamp) {
        let dead = self.delivery(dead);
        let (review, revision, rules) = (dead.review, dead.revision, dead.rules.clone());
        let known = self.deliveries_of(review).into_iter().any(|id| {
            let other = self.delivery(id);
            *other.destination == *to.destination
                && *other.recipient == *recipient
                && other.revision >= revision
        });
        if known {
            return;
        }
        self.deliver((review, revision), (to.destination, recipient), rules, to.at_once, now);
        self.supersede(review, now);
        self.take_back_mark(review);
    }
}
