//! Bursts: what is let through, what waits, what becomes one message.

use super::state::State;
use review_bridge::domain::{Cause, DeliveryState, MessageKind, Timestamp};
use review_bridge::store::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

type To = (Arc<str>, Arc<str>);

impl State {
    pub fn pace_bursts(
        &mut self,
        requests: &[BurstRequest],
        now: Timestamp,
        decide: PaceBursts<'_>,
    ) -> Grouped {
        let due: Vec<&BurstRequest> =
            requests.iter().filter(|request| self.anything_to_pace(request, now)).collect();
        let mut grouped = Grouped::default();
        for request in due {
            for (recipient, seen) in self.waiting(request) {
                let to: To = (request.destination.as_str().into(), recipient);
                match decide(request, &seen) {
                    BurstStep::Gather(cause) => {
                        grouped.reviews += self.gather_burst(&to, cause, now);
                        grouped.summaries += 1;
                    }
                    BurstStep::Admit { from, room } => self.admit(request, &to, from, room, now),
                }
            }
        }
        grouped
    }

    /// The single messages of a destination that may be sent, the longest due first.
    fn singles(&self, destination: &str) -> Vec<i64> {
        let due = self.messages.index().due.get(destination).into_iter().flatten();
        due.map(|(_, seq)| *seq).filter(|seq| self.message(*seq).kind == MessageKind::Review).collect()
    }

    fn opened_at(&self, request: &BurstRequest) -> Timestamp {
        let record = self.destinations.get(&request.destination);
        record.map_or(request.opened_at, |record| record.opened_at.max(request.opened_at))
    }

    fn anything_to_pace(&self, request: &BurstRequest, now: Timestamp) -> bool {
        let opened_at = self.opened_at(request);
        self.singles(&request.destination)
            .into_iter()
            .map(|seq| self.message(seq))
            .any(|message| message.next_at <= now && (!message.admitted || message.created_at < opened_at))
    }

    fn waiting(&self, request: &BurstRequest) -> BTreeMap<Arc<str>, BurstSeen> {
        let (opened_at, mut waiting) = (self.opened_at(request), BTreeMap::<Arc<str>, BurstSeen>::new());
        for seq in self.singles(&request.destination) {
            let message = self.message(seq);
            let to = (message.destination.clone(), message.recipient.clone());
            let window = self.bursts.get(&to).copied();
            let seen = waiting.entry(message.recipient.clone()).or_default();
            let inside = |window: BurstWindow| message.created_at < window.from.plus(request.window);
            seen.window = window;
            seen.in_window += u64::from(!message.admitted && window.is_some_and(inside));
            seen.backlog += u64::from(message.created_at < opened_at);
        }
        waiting
    }

    fn admit(&mut self, request: &BurstRequest, to: &To, from: Timestamp, room: u32, now: Timestamp) {
        let fresh: Vec<i64> = self
            .singles(&to.0)
            .into_iter()
            .filter(|seq| {
                let message = self.message(*seq);
                message.recipient == to.1 && !message.admitted && message.next_at <= now
            })
            .collect();
        let mut total =
            self.bursts.get(to).filter(|known| known.from == from).map_or(0, |known| known.admitted);
        for (index, seq) in fresh.into_iter().enumerate() {
            let admitted = index < room as usize;
            total += u32::from(admitted);
            self.messages.change(seq, |message| {
                message.admitted = admitted;
                if !admitted {
                    message.next_at = from.plus(request.window);
                }
            });
        }
        match total {
            0 => drop(self.bursts.remove(to)),
            admitted => drop(self.bursts.insert(to.clone(), BurstWindow { from, admitted })),
        }
    }

    /// Gathers all that waits for one recipient, an earlier summary too, into one message.
    fn gather_burst(&mut self, to: &To, cause: Cause, now: Timestamp) -> u64 {
        let waiting = self.messages.index().due.get(&to.0).into_iter().flatten().map(|(_, seq)| *seq);
        let folded: BTreeSet<i64> = waiting
            .filter(|seq| {
                let message = self.message(*seq);
                let kind = matches!(message.kind, MessageKind::Review | MessageKind::Summary);
                message.recipient == to.1 && kind
            })
            .collect();
        let entries = || folded.iter().map(|seq| self.message(*seq));
        let begun = |entry: &super::rows::MessageEntry| match &entry.content {
            Some(content) => serde_json::from_str::<Gathered>(content).unwrap().from,
            None => entry.created_at,
        };
        let from = entries().map(begun).min().unwrap().min(now);
        let repeats = entries().any(|entry| entry.possible_repeat);
        let attempts = entries().map(|entry| entry.attempts).max().unwrap();
        let first = entries().filter(|entry| entry.attempts > 0).min_by_key(|entry| entry.first_attempt_at);
        let first = first.map(|entry| (entry.first_attempt_at, entry.stopped_base));
        let (first_attempt_at, stopped_base) = first.unwrap_or((None, Duration::ZERO));
        let id =
            ids::summary_ids(&to.0, &to.1, now).find(|id| !self.message_ids.contains_key(&**id)).unwrap();
        let content = serde_json::to_string(&Gathered { cause, from, to: now, part: None }).unwrap();
        let seq = self.add_message(id, (&to.0, &to.1), MessageKind::Summary, Some(content), now);
        self.messages.change(seq, |message| {
            (message.possible_repeat, message.attempts) = (repeats, attempts);
            (message.first_attempt_at, message.stopped_base) = (first_attempt_at, stopped_base);
        });
        let mut reviews = 0;
        for earlier in folded {
            for id in self.carried(earlier) {
                if self.delivery(id).state == DeliveryState::Pending {
                    reviews += 1;
                    self.deliveries.change(id, |delivery| delivery.message = Some(seq));
                }
            }
            let entry = self.message(earlier);
            if entry.kind == MessageKind::Review && entry.attempts == 0 {
                self.remove_message(earlier);
            } else {
                self.end_message(earlier, DeliveryState::Superseded, now);
            }
        }
        self.bursts.remove(to);
        reviews
    }

    /// Lets everything that a burst holds back be due.
    pub fn release_held(&mut self, now: Timestamp) {
        for seq in self.messages.ids() {
            let message = self.message(seq);
            let held = message.kind == MessageKind::Review && !message.admitted && message.attempts == 0;
            if held && message.waits() && message.next_at > now {
                self.messages.change(seq, |message| message.next_at = now);
            }
        }
    }
}
