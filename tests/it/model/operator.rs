//! Facts from which problems are assessed, and which of them the operator was notified of.

use super::state::State;
use review_bridge::domain::{Catalog, DeliveryState, Reason, ScaleReason, Timestamp};
use review_bridge::store::*;
use std::collections::{BTreeMap, BTreeSet};

impl State {
    pub fn problem_facts(&self) -> ProblemFacts {
        let of_reviews = self.reviews.index().accounts.iter();
        let tally = |subject: &str, count: usize| Tally { subject: subject.to_owned(), count: count as u64 };
        let account = |(name, account): (&String, &super::state::Account)| AccountFacts {
            name: name.clone(),
            record: self.account(name),
            catalog: account.catalog.as_ref().map(|catalog| Catalog::clone(catalog)),
        };
        let mut facts = ProblemFacts {
            accounts: self.accounts.iter().map(account).collect(),
            destinations: self.destinations(),
            queued: self.queued_for_broken(),
            dead: self.dead_letters(),
            unknown_names: self.unknown_names.clone(),
            scales: self.noted_scales(),
            ..ProblemFacts::default()
        };
        for (name, of) in of_reviews {
            if !of.yet_listed.is_empty() {
                facts.marked_yet_listed.push(tally(name, of.yet_listed.len()));
            }
            if !of.malformed.is_empty() {
                facts.malformed.push(tally(name, of.malformed.len()));
            }
            if !of.undecided.is_empty() {
                facts.undecided.push(tally(name, of.undecided.len()));
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

    fn queued_for_broken(&self) -> Vec<Tally> {
        let mut queued = Vec::new();
        for (name, record) in &self.destinations {
            let pending = self.deliveries.index().in_state(name, DeliveryState::Pending);
            let reviews: BTreeSet<i64> = pending.map(|id| self.delivery(id).review).collect();
            if record.health.is_stopped() && !reviews.is_empty() {
                queued.push(Tally { subject: name.clone(), count: reviews.len() as u64 });
            }
        }
        queued
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
        started: &[ProblemRecord],
        over: &[ProblemKey],
        notices: &[NewMessage],
        now: Timestamp,
    ) {
        for key in over {
            self.problems.remove(key);
        }
        for problem in started {
            self.problems.insert(problem.key(), ProblemRecord { notified_at: now, ..problem.clone() });
        }
        self.enqueue(notices, now);
    }
}
