//! Leases: what is sent now, with all that is needed to send it.

use super::delivery::DeliveryEntry;
use super::state::State;
use review_bridge::domain::{DeliveryState, Form, Timestamp};
use review_bridge::store::*;

impl State {
    pub fn lease(&mut self, requests: &[LeaseRequest], now: Timestamp) -> Vec<Leased> {
        let mut leased = Vec::new();
        for request in requests {
            let mut due = self.due(request, now);
            due.sort_unstable();
            for seq in due {
                let stopped = self.stopped(&request.destination, now);
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

    /// The messages that a request takes, as many as it asks for, the longest due first.
    fn due(&self, request: &LeaseRequest, now: Timestamp) -> Vec<i64> {
        let limit = request.limit as usize;
        let index = self.messages.index();
        let due = if request.without_reviews { &index.notices } else { &index.due };
        let Some(due) = due.get(&request.destination) else { return Vec::new() };
        match &request.only {
            None => {
                let tried = |id: &str| request.except.iter().any(|other| other == id);
                let wanted = |seq: &i64| !tried(&self.message(*seq).id);
                let seqs = due.range(..=(now, i64::MAX)).map(|(_, seq)| *seq);
                seqs.filter(wanted).take(limit).collect()
            }
            Some(id) => {
                let seq = self.message_ids.get(&**id).copied();
                let is_due = |seq: &i64| {
                    let next_at = self.message(*seq).next_at;
                    next_at <= now && due.contains(&(next_at, *seq))
                };
                seq.filter(is_due).into_iter().take(limit).collect()
            }
        }
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
            form: if message.plain { Form::Plain } else { Form::Full },
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
                review: (**review).clone(),
                change: newest.change,
                previous: newest.previous.clone(),
                rules: (*delivery.rules).clone(),
            };
            let at = review.review.reviewed_at;
            told.push(((at.is_none(), at, delivery.review), review));
        }
        told.sort_by_key(|(order, _)| *order);
        told.into_iter().map(|(_, review)| review).collect()
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
