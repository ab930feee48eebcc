//! Leases and settlements: what is being sent, how it ended, and what follows.

use super::rows::{DeliveryEntry, MessageEntry};
use super::state::State;
use review_bridge::domain::{DeliveryState, Form, Reason, Timestamp};
use review_bridge::store::*;
use std::sync::Arc;

impl State {
    pub fn recover(&mut self, now: Timestamp) -> u64 {
        self.release(Timestamp(i64::MAX), now)
    }

    pub fn expire(&mut self, now: Timestamp) -> u64 {
        self.release(now, now)
    }

    /// Frees leases that ran out before `before`: whether what was being sent arrived is unknown.
    fn release(&mut self, before: Timestamp, now: Timestamp) -> u64 {
        let ran_out: Vec<i64> =
            self.messages.index().leased.range(..(before, i64::MIN)).map(|(_, seq)| *seq).collect();
        for seq in &ran_out {
            self.messages.change(*seq, |message| {
                (message.leased_until, message.next_at) = (None, now);
                message.possible_repeat = true;
                for attempt in message.log.iter_mut().filter(|attempt| attempt.outcome.is_none()) {
                    attempt.outcome = Some("unknown".into());
                    attempt.reason = Some(Reason::Interrupted.as_str().into());
                    attempt.detail =
                        Some("the process ended, or the lease ran out, while this was being sent".into());
                }
            });
        }
        for seq in &ran_out {
            self.supersede_failed(*seq, now);
        }
        ran_out.len() as u64
    }

    /// Ends what a failed message carried while a newer revision took its place.
    fn supersede_failed(&mut self, seq: i64, now: Timestamp) {
        if self.messages.get(seq).is_none() || self.is_leased(Some(seq)) {
            return;
        }
        for id in self.carried(seq) {
            let delivery = self.delivery(id);
            if delivery.state == DeliveryState::Pending && !delivery.newest {
                self.end_delivery(id, DeliveryState::Superseded, None, now);
            }
        }
        let superseded = |id: &i64| self.delivery(*id).state == DeliveryState::Superseded;
        if self.carried(seq).iter().any(superseded) {
            self.end_emptied(seq, DeliveryState::Superseded, now);
        }
    }

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
            None => due.range(..=(now, i64::MAX)).take(limit).map(|(_, seq)| *seq).collect(),
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

    pub fn settle(&mut self, settlements: &[Settlement], now: Timestamp) {
        for settlement in settlements {
            self.settle_one(settlement, now);
        }
        let seqs: Vec<(i64, bool)> = settlements
            .iter()
            .filter_map(|one| {
                let seq = self.message_ids.get(&*one.id)?;
                Some((*seq, one.state == DeliveryState::Pending))
            })
            .collect();
        for (seq, _) in seqs.iter().filter(|(_, failed)| *failed) {
            self.supersede_failed(*seq, now);
        }
        for (seq, _) in &seqs {
            for id in self.carried(*seq) {
                let delivery = self.delivery(id);
                if delivery.state != DeliveryState::Pending {
                    self.mark_settled(delivery.review, now);
                }
            }
        }
        for settlement in settlements {
            self.affect(&settlement.destination, &settlement.effect, now);
        }
    }

    fn settle_one(&mut self, settlement: &Settlement, now: Timestamp) {
        let Some(seq) = self.message_ids.get(&*settlement.id).copied() else { return };
        let current = self.messages.change(seq, |message| {
            record(message, settlement);
            // One that was leased again meanwhile is not this attempt's to settle.
            message.state == DeliveryState::Pending && message.attempts == settlement.number
        });
        if current != Some(true) {
            return;
        }
        let pending = settlement.state == DeliveryState::Pending;
        self.messages.change(seq, |message| {
            (message.state, message.leased_until) = (settlement.state, None);
            message.next_at = settlement.next_at.max(now);
            message.plain = settlement.form == Form::Plain;
            message.possible_repeat = settlement.possible_repeat;
            message.settled_at = (!pending).then_some(now);
        });
        for id in self.carried(seq) {
            if !pending && self.delivery(id).state == DeliveryState::Pending {
                self.end_delivery(id, settlement.state, settlement.reason.map(Reason::as_str), now);
            }
        }
    }

    pub fn next_due(&self, destinations: &[&str]) -> Vec<(String, Timestamp)> {
        let due = &self.messages.index().due;
        let first = |name: &&str| Some(((*name).to_owned(), due.get(name)?.first()?.0));
        destinations.iter().filter_map(first).collect()
    }

    pub fn attempts_since(&self, destination: &str, since: Timestamp) -> Vec<Timestamp> {
        let begun = self.begun.get(destination).into_iter();
        begun.flat_map(|begun| begun.range((since, i64::MAX, u32::MAX)..)).map(|(at, ..)| *at).collect()
    }

    pub fn enqueue(&mut self, messages: &[NewMessage], now: Timestamp) {
        for message in messages {
            if self.message_ids.contains_key(&*message.id) {
                continue;
            }
            let to: (Arc<str>, Arc<str>) =
                (message.destination.as_str().into(), message.recipient.as_str().into());
            self.add_message(
                message.id.clone(),
                (&to.0, &to.1),
                message.kind,
                Some(message.content.clone()),
                now,
            );
        }
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

/// Writes down how an attempt ended, however late that is known.
fn record(message: &mut MessageEntry, settlement: &Settlement) {
    let Some(row) = message.log.iter_mut().find(|row| row.number == settlement.number) else { return };
    let attempt = &settlement.attempt;
    row.duration_ms = Some(settlement.duration.as_millis() as u64);
    row.outcome = Some(attempt.outcome.as_str().to_owned());
    row.reason = attempt.outcome.reason().map(|reason| reason.as_str().to_owned());
    row.status = attempt.status;
    row.detail = Some(attempt.detail.clone());
    row.excerpt.clone_from(&attempt.excerpt);
}
