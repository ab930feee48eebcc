//! Leases: what is sent now, with all that is needed to send it.

use super::delivery::DeliveryEntry;
use super::state::State;
use review_bridge::domain::{Called, Change, DeliveryState, Receipt, Timestamp, receipt};
use review_bridge::store::*;

impl State {
    pub fn lease(&mut self, requests: &[LeaseRequest], now: Timestamp) -> Vec<Leased> {
        let mut leased = Vec::new();
        for request in requests {
            let mut due = self.due(request, now);
            due.sort_unstable();
            for seq in due {
                let stopped = self.stopped(&request.destination, now);
                let sent = self.told(seq);
                if self.skip_unchanged(seq, &sent, now) {
                    continue;
                }
                self.messages.change(seq, |message| {
                    if message.attempts == 0 {
                        message.stopped_base = stopped;
                    }
                    message.attempts += 1;
                    message.first_attempt_at.get_or_insert(now);
                    message.leased_until = Some(now.plus(request.hold));
                    message.log.push(begun(message.attempts, now));
                });
                let message = self.message(seq);
                let (destination, number) = (message.destination.clone(), message.attempts);
                self.begun.at(&destination).insert((now, seq, number));
                for id in self.carried(seq) {
                    let DeliveryEntry { review, state, .. } = *self.delivery(id);
                    if state == DeliveryState::Pending {
                        self.reviews.change(review, |entry| entry.told = true);
                    }
                }
                leased.push(self.leased(seq, now));
            }
        }
        leased
    }

    /// Settles what the recipients have already; whether nothing of the message is left.
    fn skip_unchanged(&mut self, seq: i64, sent: &[LeasedReview], now: Timestamp) -> bool {
        let same: Vec<i64> =
            sent.iter().filter(|one| one.called == Called::Unchanged).map(|one| one.delivery).collect();
        for id in &same {
            self.end_delivery(*id, DeliveryState::Skipped, Some("unchanged"), now);
        }
        let emptied = !same.is_empty() && same.len() == sent.len();
        if emptied {
            self.end_message(seq, DeliveryState::Skipped, now);
        }
        for id in same {
            self.mark_settled(self.delivery(id).review, now);
        }
        emptied
    }

    /// The messages that a request takes, as many as it asks for, the longest due first.
    fn due(&self, request: &LeaseRequest, now: Timestamp) -> Vec<i64> {
        let limit = request.limit as usize;
        let index = self.messages.index();
        let due = if request.without_reviews { &index.notices } else { &index.due };
        let Some(due) = due.get(&request.destination) else { return Vec::new() };
        let mut due: Vec<(Timestamp, i64)> = due.iter().copied().collect();
        due.retain(|(_, seq)| !request.except.iter().any(|id| **id == *self.message(*seq).id));
        if let Some(id) = &request.only {
            let seq = self.message_ids.get(&**id);
            due.retain(|(_, one)| Some(one) == seq);
        }
        if request.is_probe {
            due.sort_by_key(|(at, seq)| {
                let message = self.message(*seq);
                (!message.is_notice(), message.attempts, *at, *seq)
            });
        } else {
            due.retain(|(at, _)| *at <= now);
        }
        due.into_iter().take(limit).map(|(_, seq)| seq).collect()
    }

    fn leased(&self, seq: i64, now: Timestamp) -> Leased {
        let message = self.message(seq);
        Leased {
            id: message.id.to_string(),
            destination: message.destination.to_string(),
            recipient: message.recipient.to_string(),
            kind: message.kind,
            content: message.content.clone(),
            reviews: self.told(seq),
            form: message.form,
            possible_repeat: message.possible_repeat,
            attempt: message.attempts,
            first_attempt_at: message.first_attempt_at.unwrap(),
            stopped_base: message.stopped_base,
            begun_at: now,
        }
    }

    /// The reviews a message tells, the newest revision of each, oldest first, those without a date last.
    fn told(&self, seq: i64) -> Vec<LeasedReview> {
        let mut told = Vec::new();
        for id in self.carried(seq) {
            let delivery = self.delivery(id);
            let entry = self.reviews.get(delivery.review).unwrap();
            let (Some(review), Some(newest)) = (entry.review(), entry.revisions.last()) else { continue };
            if delivery.state != DeliveryState::Pending {
                continue;
            }
            let review = LeasedReview {
                delivery: id,
                revision: delivery.revision,
                shown: entry.revision,
                review: (**review).clone(),
                called: self.called(id, newest.change),
                rules: (*delivery.rules).clone(),
                scale: newest.scale,
            };
            let at = review.review.reviewed_at;
            told.push(((at.is_none(), at, delivery.review), review));
        }
        told.sort_by_key(|(order, _)| *order);
        told.into_iter().map(|(_, review)| review).collect()
    }

    /// What a message calls the review of a delivery.
    fn called(&self, id: i64, change: Change) -> Called {
        let own = self.delivery(id);
        let entry = self.reviews.get(own.review).unwrap();
        let same =
            |other: &&DeliveryEntry| other.destination == own.destination && other.recipient == own.recipient;
        let others = self.deliveries_of(own.review);
        let others = || others.iter().map(|id| self.delivery(*id)).filter(same);
        let edited = entry.revision > 1;
        let certain = others().filter_map(|other| other.received).max().filter(|_| edited);
        let doubts = others().filter_map(|other| other.doubt);
        let lost = entry.revisions.first().map(|first| first.revision - 1).filter(|lost| *lost > 0);
        let doubt = doubts.filter(|doubt| *doubt != entry.revision).max().or(lost).filter(|_| edited);
        let next = certain.and_then(|certain| entry.revisions.iter().find(|one| one.revision == certain + 1));
        let said = next.and_then(|next| next.previous.clone());
        receipt::called(entry.revision, entry.review().unwrap(), change, Receipt { certain, doubt, said })
    }
}

/// An attempt that begins.
fn begun(number: u32, now: Timestamp) -> AttemptRow {
    AttemptRow {
        number,
        begun_at: now,
        duration_ms: None,
        outcome: None,
        reason: None,
        status: None,
        detail: None,
        excerpt: None,
    }
}
