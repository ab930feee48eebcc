//! Destinations: paused, broken, held, removed.

use super::state::State;
use review_bridge::domain::{DeliveryState, Reason, Timestamp};
use review_bridge::store::*;
use std::collections::BTreeSet;

impl State {
    /// What an attempt means for its destination.
    pub fn affect(&mut self, name: &str, effect: &DestinationEffect, now: Timestamp) {
        match effect {
            DestinationEffect::None => {}
            DestinationEffect::Working => {
                let Some(record) = self.destinations.get_mut(name) else { return };
                if record.broken_at.take().is_some() {
                    (record.broken_reason, record.broken_detail, record.retry_at) = (None, None, None);
                    go_on(record, now);
                }
            }
            DestinationEffect::Hold(until) => {
                let record = self.destination_mut(name);
                record.hold_until = record.hold_until.max(*until);
            }
            DestinationEffect::Broken { reason, detail, retry_at } => {
                let record = self.destination_mut(name);
                record.broken_at.get_or_insert(now);
                record.broken_reason = Some(reason.as_str().to_owned());
                record.broken_detail = Some(detail.clone());
                record.retry_at = Some(*retry_at);
                record.stopped_since.get_or_insert(now);
            }
        }
    }

    pub fn pause(&mut self, name: &str, paused: bool, now: Timestamp) {
        if paused {
            let record = self.destination_mut(name);
            record.paused_at.get_or_insert(now);
            record.stopped_since.get_or_insert(now);
        } else if let Some(record) = self.destinations.get_mut(name) {
            record.paused_at = None;
            if record.broken_at.is_some() {
                record.retry_at = Some(now);
            }
            go_on(record, now);
        }
    }

    pub fn probe_broken(&mut self, now: Timestamp) {
        for record in self.destinations.values_mut() {
            record.retry_at = record.retry_at.map(|at| at.min(now));
        }
    }

    pub fn dead_letter_orphans(&mut self, configured: &[String], now: Timestamp) -> u64 {
        let removed = |name: &str| !configured.iter().any(|known| known == name);
        let reason = Some(Reason::DestinationRemoved.as_str());
        let index = self.deliveries.index();
        let names: BTreeSet<String> = index.by_state.iter().map(|(name, _)| name.to_owned()).collect();
        for name in names.iter().filter(|name| removed(name)) {
            let pending: Vec<i64> = self.deliveries.index().in_state(name, DeliveryState::Pending).collect();
            for id in pending {
                if !self.is_leased(self.delivery(id).message) {
                    self.end_delivery(id, DeliveryState::Dead, reason, now);
                }
            }
        }
        let due = self.messages.index().due.iter().filter(|(name, _)| removed(name));
        let waiting: Vec<i64> = due.flat_map(|(_, due)| due.iter().map(|(_, seq)| *seq)).collect();
        for seq in &waiting {
            self.end_message(*seq, DeliveryState::Dead, now);
        }
        waiting.len() as u64
    }
}

/// Counts the time a destination stood still, where nothing stops it any more.
fn go_on(record: &mut DestinationRecord, now: Timestamp) {
    if record.stopped_since.is_some() && record.paused_at.is_none() && record.broken_at.is_none() {
        record.stopped = record.stopped_total(now);
        record.stopped_since = None;
        record.opened_at = now;
    }
}
