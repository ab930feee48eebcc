//! Settlements: how what was sent ended, and what follows.

use super::delivery::DeliveryEntry;
use super::rows::MessageEntry;
use super::state::State;
use review_bridge::domain::{DeliveryState, Figures, Outcome, Part, Reason, Timestamp};
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
            for id in self.carried(*seq) {
                if self.delivery(id).state == DeliveryState::Pending {
                    self.deliveries.change(id, |delivery| delivery.doubted(delivery.revision));
                }
            }
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
        self.doubt(settlements);
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
        self.affect(settlements, now);
    }

    /// What may have arrived with attempts of which that cannot be known.
    fn doubt(&mut self, settlements: &[Settlement]) {
        let lost = |one: &&Settlement| matches!(one.attempt.outcome, Outcome::Retry { ambiguous: true, .. });
        for settlement in settlements.iter().filter(lost) {
            let Some(seq) = self.message_ids.get(&*settlement.id).copied() else { continue };
            for shown in &settlement.shown {
                let carried = self.deliveries.get(shown.delivery);
                let unsettled = |delivery: &DeliveryEntry| {
                    delivery.message == Some(seq) && delivery.state != DeliveryState::Delivered
                };
                if carried.is_some_and(unsettled) {
                    self.deliveries.change(shown.delivery, |delivery| delivery.doubted(shown.shown));
                }
            }
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
        match &settlement.split {
            Split::No => {}
            Split::Reviews => self.split_summary(seq, now),
            Split::Halves(whole) => self.halve(seq, whole, now),
        }
        let pending = settlement.state == DeliveryState::Pending;
        self.messages.change(seq, |message| {
            (message.state, message.leased_until) = (settlement.state, None);
            message.next_at = settlement.next_at.max(now);
            message.form = settlement.form;
            message.possible_repeat = settlement.possible_repeat;
            if let Some(content) = &settlement.content {
                message.content = Some(content.clone());
            }
            message.settled_at = (!pending).then_some(now);
        });
        for id in self.carried(seq) {
            if !pending && self.delivery(id).state == DeliveryState::Pending {
                if settlement.state == DeliveryState::Delivered {
                    let shown = settlement.shown.iter().find(|shown| shown.delivery == id);
                    self.deliveries.change(id, |delivery| {
                        let shown = shown.map_or(delivery.revision, |shown| shown.shown);
                        (delivery.received, delivery.doubt) = (Some(shown.max(delivery.revision)), None);
                    });
                }
                self.end_delivery(id, settlement.state, settlement.reason.map(Reason::as_str), now);
            }
        }
    }

    /// Sends what a message carries in two halves.
    fn halve(&mut self, whole: i64, figures: &Figures, now: Timestamp) {
        let mut members: Vec<i64> = self.carried(whole);
        members.retain(|id| self.delivery(*id).state == DeliveryState::Pending);
        members.sort_by_key(|id| {
            let review = self.delivery(*id).review;
            let at = self.reviews.get(review).unwrap().review().and_then(|review| review.reviewed_at);
            (at.is_none(), at, review, *id)
        });
        let parent = self.message(whole).clone();
        let (of, number, figures) = match part(&parent) {
            Some(part) => (part.of, part.number, part.whole),
            None => (1, 1, *figures),
        };
        let half = members.len().div_ceil(2).max(1);
        for (side, members) in members.chunks(half).enumerate() {
            let id = ids::message_id(&["half", &parent.id, &side.to_string()]);
            let part = Part { number: number * 2 - 1 + side as u32, of: of * 2, whole: figures };
            let mut content: serde_json::Value =
                serde_json::from_str(parent.content.as_deref().unwrap()).unwrap();
            content["part"] = serde_json::to_value(part).unwrap();
            let to = (&parent.destination, &parent.recipient);
            let seq = self.add_message(id, to, parent.kind, Some(content.to_string()), now);
            self.messages.change(seq, |message| message.possible_repeat = parent.possible_repeat);
            for id in members {
                self.deliveries.change(*id, |delivery| delivery.message = Some(seq));
            }
        }
    }

    /// Gives each review of a summary that can never pass a message of its own.
    fn split_summary(&mut self, summary: i64, now: Timestamp) {
        let repeats = self.message(summary).possible_repeat;
        for id in self.carried(summary) {
            let delivery = self.delivery(id);
            if delivery.state == DeliveryState::Pending && delivery.newest {
                let seq = self.bind(id, now);
                self.messages.change(seq, |message| message.possible_repeat |= repeats);
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

/// The part that a message is of a whole.
fn part(message: &MessageEntry) -> Option<Part> {
    let content: serde_json::Value = serde_json::from_str(message.content.as_deref()?).ok()?;
    serde_json::from_value(content.get("part")?.clone()).ok()
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
