//! Destinations: paused, broken, held, removed.

use super::state::State;
use review_bridge::domain::{DeliveryState, Reason, Timestamp};
use review_bridge::store::*;
use std::collections::{BTreeMap, BTreeSet};

impl State {
    /// What attempts mean for the destinations they are evidence about.
    pub fn affect(&mut self, settlements: &[Settlement], now: Timestamp) {
        let mut changed = BTreeSet::new();
        for settlement in settlements {
            for name in &settlement.about {
                let known = self.destinations.get(name).cloned();
                let mut record = known.unwrap_or_else(|| DestinationRecord {
                    name: name.clone(),
                    ..DestinationRecord::default()
                });
                if record.follow(settlement, now) {
                    changed.insert(name.clone());
                    self.destinations.insert(name.clone(), record);
                }
            }
        }
        for name in changed {
            let record = &self.destinations[&name];
            if record.opened_at == now && !record.is_stopped() {
                self.release_failed(&name, now);
            }
        }
    }

    /// It works again: what failed need not wait for its next attempt.
    fn release_failed(&mut self, name: &str, now: Timestamp) {
        let due = self.messages.index().due.get(name).into_iter().flatten();
        let waiting: Vec<i64> = due.filter(|(at, _)| *at > now).map(|(_, seq)| *seq).collect();
        for seq in waiting {
            if self.message(seq).attempts > 0 {
                self.messages.change(seq, |message| message.next_at = now);
            }
        }
    }

    pub fn pause(&mut self, name: &str, paused: bool, now: Timestamp) {
        self.destination_mut(name).set_paused(paused, now);
    }

    pub fn probe_broken(&mut self, now: Timestamp) {
        for record in self.destinations.values_mut() {
            record.health.probe_at = record.health.probe_at.map(|at| at.min(now));
        }
    }

    pub fn dead_letter_orphans(&mut self, configured: &[String], now: Timestamp) -> u64 {
        let reason = Some(Reason::DestinationRemoved.as_str());
        self.removed.retain(|name, _| !configured.contains(name));
        let pending = |(name, states): (&str, &BTreeMap<&'static str, BTreeSet<i64>>)| {
            states.get("pending").is_some_and(|ids| !ids.is_empty()).then(|| name.to_owned())
        };
        let mut queued: BTreeSet<String> =
            self.deliveries.index().by_state.iter().filter_map(pending).collect();
        let open = self.messages.iter().filter(|(_, message)| message.waits());
        queued.extend(open.map(|(_, message)| message.destination.to_string()));
        for name in queued.into_iter().filter(|name| !configured.contains(name)) {
            self.removed.entry(name).or_insert(now);
        }
        let long = |since: &Timestamp| since.0 <= now.0 - 10 * 60_000;
        let gone: Vec<String> =
            self.removed.iter().filter(|(_, since)| long(since)).map(|(name, _)| name.clone()).collect();
        let mut orphans = 0;
        for name in gone {
            let pending: Vec<i64> = self.deliveries.index().in_state(&name, DeliveryState::Pending).collect();
            for id in pending {
                if !self.is_leased(self.delivery(id).message) {
                    self.end_delivery(id, DeliveryState::Dead, reason, now);
                }
            }
            let due = self.messages.index().due.get(&name).into_iter().flatten();
            let waiting: Vec<i64> = due.map(|(_, seq)| *seq).collect();
            for seq in &waiting {
                self.end_message(*seq, DeliveryState::Dead, now);
            }
            orphans += waiting.len() as u64;
        }
        orphans
    }
}
