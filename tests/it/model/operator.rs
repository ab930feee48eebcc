//! ProblemFacts from which problem is assessed, and what the operator was told.

use super::state::State;
use review_bridge::domain::{Catalog, DeliveryState, Timestamp};
use review_bridge::store::*;
use std::collections::BTreeSet;

impl State {
    pub fn problem_facts(&self) -> ProblemFacts {
        let accounts = self.accounts.iter();
        let of_reviews = self.reviews.index().accounts.iter();
        let newest = |ids: &BTreeSet<i64>, at: fn(&super::rows::ReviewEntry) -> Timestamp| {
            let newest = ids.iter().map(|id| at(self.reviews.get(*id).unwrap())).max();
            newest.map(|newest| (ids.len() as u64, newest))
        };
        let mut facts = ProblemFacts {
            accounts: accounts
                .clone()
                .map(|(name, account)| (name.clone(), account.record.clone()))
                .collect(),
            destinations: self.destinations(),
            dead: self.dead(),
            catalogs: accounts
                .filter_map(|(name, account)| Some((name.clone(), Catalog::clone(account.catalog.as_ref()?))))
                .collect(),
            ..ProblemFacts::default()
        };
        for (name, of) in of_reviews {
            if !of.yet_listed.is_empty() {
                facts.marked_yet_listed.push((name.to_owned(), of.yet_listed.len() as u64));
            }
            if let Some((count, newest)) = newest(&of.malformed, |entry| entry.first_seen_at) {
                facts.malformed.push((name.to_owned(), count, newest));
            }
            if let Some((count, newest)) = newest(&of.undecided, |entry| entry.changed_at) {
                facts.undecided.push((name.to_owned(), count, newest));
            }
        }
        facts
    }

    fn dead(&self) -> Vec<(String, u64, Timestamp)> {
        let mut dead = Vec::new();
        for (name, _) in self.deliveries.index().by_state.iter() {
            let of = self.deliveries.index().in_state(name, DeliveryState::Dead).map(|id| self.delivery(id));
            let times: Vec<Timestamp> =
                of.filter(|delivery| delivery.newest).filter_map(|delivery| delivery.settled_at).collect();
            if let Some(newest) = times.iter().max() {
                dead.push((name.to_owned(), times.len() as u64, *newest));
            }
        }
        dead
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
        over: &[(String, String)],
        notices: &[NewMessage],
        now: Timestamp,
    ) {
        for key in over {
            self.problems.remove(key);
        }
        for problem in started {
            let key = (problem.kind.clone(), problem.subject.clone());
            self.problems.insert(key, ProblemRecord { notified_at: now, ..problem.clone() });
        }
        self.enqueue(notices, now);
    }
}
