//! Facts from which problems are assessed, and which of them the operator was notified of.

use super::state::State;
use review_bridge::domain::{Catalog, DeliveryState, Reason, ScaleReason, Timestamp};
use review_bridge::store::*;
use std::collections::{BTreeMap, BTreeSet};

/// Attempts among which the last delivery is looked for.
const LATEST: usize = 50;

impl State {
    pub fn problem_facts(&self, now: Timestamp) -> ProblemFacts {
        let of_reviews = self.reviews.index().accounts.iter();
        let tally = |subject: &str, count: usize, since| Tally {
            subject: subject.to_owned(),
            count: count as u64,
            since,
        };
        let account = |(name, account): (&String, &super::state::Account)| AccountFacts {
            name: name.clone(),
            record: self.account(name),
            catalog: account.catalog.as_ref().map(|catalog| Catalog::clone(catalog)),
            requested_at: self.requests.get(name).into_iter().flatten().map(|(at, ..)| *at).max(),
            mark_due_at: self.due_marks_of(name).next().map(|(at, _)| at),
            mark_tries: self.due_marks_of(name).next_back().and_then(|(_, id)| {
                let entry = self.reviews.get(id)?;
                Some((entry.mark_attempts, entry.mark_error.clone()?))
            }),
        };
        let mut facts = ProblemFacts {
            accounts: self.accounts.iter().map(account).collect(),
            destinations: self.destinations(),
            queues: self.queues(now),
            dead: self.dead_letters(),
            unknown_names: self.unknown_names.clone(),
            scales: self.noted_scales(),
            reported: self.reports.values().cloned().collect(),
            bridge: self.bridge.clone(),
            ..ProblemFacts::default()
        };
        for (name, of) in of_reviews {
            if !of.yet_listed.is_empty() {
                facts.marked_yet_listed.push(tally(name, of.yet_listed.len(), None));
            }
            if !of.malformed.is_empty() {
                facts.malformed.push(tally(name, of.malformed.len(), None));
            }
            let changed = of.undecided.iter().map(|id| self.reviews.get(*id).unwrap().changed_at);
            if let Some(first) = changed.min() {
                facts.undecided.push(tally(name, of.undecided.len(), Some(first)));
            }
        }
        facts
    }

    fn noted_scales(&self) -> Vec<ScaleRecord> {
        let noted = |record: &&ScaleRecord| {
            record.scale.is_some_and(|scale| {
                matches!(scale.reason, ScaleReason::Learnt | ScaleReason::Contradicted)
                    || record.seen.highest > scale.top
            })
        };
        self.scales.values().filter(noted).cloned().collect()
    }

    fn due_marks_of(&self, account: &str) -> impl DoubleEndedIterator<Item = (Timestamp, i64)> {
        let of = self.reviews.index().accounts.get(account);
        of.into_iter().flat_map(|of| of.due.iter().copied())
    }

    fn queues(&self, now: Timestamp) -> Vec<QueueFacts> {
        let index = self.messages.index().due.iter();
        let queue = |(name, due): (&str, &BTreeSet<(Timestamp, i64)>)| {
            let of = || due.iter().map(|(_, seq)| self.message(*seq)).filter(|message| !message.is_notice());
            let untried = of().filter(|message| message.attempts == 0 && message.next_at <= now);
            QueueFacts {
                destination: name.to_owned(),
                due_since: untried.map(|message| message.next_at).min(),
                tried_since: of().filter_map(|message| message.first_attempt_at).min(),
                delivered_at: self.last_delivery(name),
            }
        };
        index.filter(|(_, due)| !due.is_empty()).map(queue).collect()
    }

    fn last_delivery(&self, destination: &str) -> Option<Timestamp> {
        let latest = self.begun.get(destination)?.iter().rev().take(LATEST);
        let delivered = |(_, seq, number): &&(Timestamp, i64, u32)| {
            let mut log = self.message(*seq).log.iter();
            let outcome =
                log.find(|attempt| attempt.number == *number).and_then(|row| row.outcome.as_deref());
            matches!(outcome, Some("delivered" | "accepted"))
        };
        latest.filter(delivered).map(|(at, ..)| *at).max()
    }

    pub fn backlog(&self, destination: &str, since: Timestamp, until: Timestamp) -> Backlog {
        let waiting = self.deliveries.index().in_state(destination, DeliveryState::Pending);
        let waiting = waiting.map(|id| self.delivery(id)).filter(|delivery| delivery.created_at <= until);
        let mut sent = BTreeSet::new();
        for (at, seq, number) in self.begun.get(destination).into_iter().flatten() {
            let mut log = self.message(*seq).log.iter();
            let outcome =
                log.find(|attempt| attempt.number == *number).and_then(|row| row.outcome.as_deref());
            if *at >= since && matches!(outcome, Some("delivered" | "accepted")) {
                let carried = self.carried(*seq).into_iter().map(|id| self.delivery(id));
                let carried = carried.filter(|delivery| {
                    delivery.state == DeliveryState::Delivered && delivery.created_at <= until
                });
                sent.extend(carried.map(|delivery| delivery.review));
            }
        }
        let waiting: BTreeSet<i64> = waiting.map(|delivery| delivery.review).collect();
        Backlog { waiting: waiting.len() as u64, sent: sent.len() as u64 }
    }

    pub fn report(&mut self, key: &ProblemKey, said: Option<(&str, &str)>, now: Timestamp) {
        let Some((text, hint)) = said else {
            self.reports.remove(key);
            return;
        };
        let since = self.reports.get(key).map_or(now, |known| known.since);
        let report = ProblemRecord {
            kind: key.kind,
            subject: key.subject.clone(),
            text: text.to_owned(),
            hint: hint.to_owned(),
            since,
            notified_at: None,
            over_at: None,
        };
        self.reports.insert(key.clone(), report);
    }

    fn dead_letters(&self) -> Vec<DeadLetters> {
        let mut counts: BTreeMap<(String, Option<&str>), u64> = BTreeMap::new();
        for (name, _) in self.deliveries.index().by_state.iter() {
            let of = self.deliveries.index().in_state(name, DeliveryState::Dead).map(|id| self.delivery(id));
            for delivery in of.filter(|delivery| delivery.newest) {
                *counts.entry((name.to_owned(), delivery.reason)).or_default() += 1;
            }
        }
        let dead = |((destination, reason), count): ((String, Option<&str>), u64)| DeadLetters {
            destination,
            reason: reason.and_then(Reason::parse),
            count,
        };
        counts.into_iter().map(dead).collect()
    }

    pub fn destinations(&self) -> Vec<DestinationRecord> {
        self.destinations.values().cloned().collect()
    }

    pub fn problems(&self) -> Vec<ProblemRecord> {
        self.problems.values().cloned().collect()
    }

    pub fn notify_operator(
        &mut self,
        kept: &[ProblemRecord],
        over: &[ProblemKey],
        notices: &[NewMessage],
        now: Timestamp,
    ) {
        for key in over {
            self.problems.remove(key);
        }
        for problem in kept {
            self.problems.insert(problem.key(), problem.clone());
        }
        self.enqueue(notices, now);
    }
}
