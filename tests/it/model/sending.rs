//! Settlements: how what was sent ended, and what follows.

use super::rows::MessageEntry;
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
        if settlement.split_summary {
            self.split_summary(seq, now);
        }
        let pending = settlement.state == DeliveryState::Pending;
        self.messages.change(seq, |message| {
            (message.state, message.leased_until) = (settlement.state, None);
            message.next_at = settlement.next_at.max(now);
            message.plain = settlement.form == Form::Plain;
            message.possible_repeat = settlement.possible_repeat;
            if let Some(content) = &settlement.content {
                message.content = Some(content.clone());
            }
            message.settled_at = (!pending).then_some(now);
        });
        for id in self.carried(seq) {
            if !pending && self.delivery(id).state == DeliveryState::Pending {
                self.end_delivery(id, settlement.state, settlement.reason.map(Reason::as_str), now);
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
