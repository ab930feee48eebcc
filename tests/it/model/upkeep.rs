//! Upkeep: tombstones for what is forgotten or too old, and a wall clock that was moved.

use super::rows::{Body, Mark, ReviewEntry};
use super::state::State;
use review_bridge::domain::{DeliveryState, MessageKind, Timestamp};
use review_bridge::store::*;

impl State {
    pub fn forget(&mut self, review: i64, now: Timestamp) {
        self.leave_tombstones(review, ReviewState::Forgotten, now);
    }

    pub fn expire_old(&mut self, expiry: &Expiry, now: Timestamp) -> Expired {
        let aged = self.reviews.index().by_age.range(..(expiry.aged_before, i64::MIN));
        let old: Vec<i64> = aged
            .map(|(_, id)| *id)
            .filter(|id| self.is_old(*id, expiry))
            .take(expiry.limit as usize)
            .collect();
        for id in &old {
            self.leave_tombstones(*id, ReviewState::Expired, now);
        }
        let ended = self.messages.index().ended.range(..(expiry.aged_before, i64::MIN));
        let empty: Vec<i64> =
            ended.map(|(_, seq)| *seq).filter(|seq| self.carried(*seq).is_empty()).collect();
        for seq in &empty {
            self.remove_message(*seq);
        }
        Expired { reviews: old.len() as u64, messages: empty.len() as u64 }
    }

    fn is_old(&self, id: i64, expiry: &Expiry) -> bool {
        let entry = self.reviews.get(id).unwrap();
        let polled = self.accounts.get(&*entry.account).and_then(|account| account.record.last_success_at);
        // The last listing of an account that is polled no more says nothing about today.
        let listed = entry.listed && polled.is_some_and(|at| at >= expiry.unlisted_before);
        let recent = |id: i64| {
            let delivery = self.delivery(id);
            delivery.settled_at.is_none_or(|at| at >= expiry.aged_before)
        };
        entry.unlisted_at < expiry.unlisted_before
            && !listed
            && !matches!(entry.state, ReviewState::Held | ReviewState::Settling)
            && !self.deliveries_of(id).into_iter().any(recent)
    }

    /// Leaves a tombstone: account, uuid, times, and the hash of rating and of text. A mark that is due stays due.
    fn leave_tombstones(&mut self, review: i64, state: ReviewState, now: Timestamp) {
        for id in self.deliveries_of(review) {
            let Some(seq) = self.deliveries.remove(id).and_then(|delivery| delivery.message) else {
                continue;
            };
            let message = self.message(seq);
            // A digest in flight would have nothing to tell at its next attempt.
            let empty_in_flight = message.leased_until.is_some() && self.carried(seq).is_empty();
            if message.kind == MessageKind::Review || empty_in_flight {
                self.remove_message(seq);
            } else {
                self.end_emptied(seq, DeliveryState::Discarded, now);
            }
        }
        self.reviews.change(review, |entry| {
            entry.revisions.clear();
            (entry.state, entry.body) = (state, Body::Gone);
            entry.body_hash.clone_from(&entry.content_hash);
            (entry.match_at, entry.undecided, entry.told) = (None, false, false);
            entry.rematch = false;
            entry.mark_error = None;
            entry.changed_at = now;
        });
    }

    /// Moves every time from which something is reckoned; those that only tell what happened stay.
    pub fn clock_stepped(&mut self, by_ms: i64) {
        let moved = |at: Timestamp| Timestamp(at.0 + by_ms);
        let held = |at: Timestamp| Timestamp((at.0 + by_ms).max(0));
        for seq in self.messages.ids() {
            if self.message(seq).state == DeliveryState::Pending {
                self.messages.change(seq, |message| {
                    (message.next_at, message.created_at) =
                        (moved(message.next_at), moved(message.created_at));
                    message.first_attempt_at = message.first_attempt_at.map(moved);
                    message.leased_until = message.leased_until.map(moved);
                });
            }
        }
        for id in self.deliveries.ids() {
            if self.delivery(id).state == DeliveryState::Pending {
                self.deliveries.change(id, |delivery| delivery.created_at = moved(delivery.created_at));
            }
        }
        for record in self.destinations.values_mut() {
            record.health.probe_at = record.health.probe_at.map(moved);
            record.health.failures_from = record.health.failures_from.map(moved);
            if record.health.is_stopped() {
                record.health.since = record.health.since.map(moved);
            }
            record.stopped_since = record.stopped_since.map(moved);
            (record.hold_until, record.opened_at) = (held(record.hold_until), held(record.opened_at));
        }
        for since in self.removed.values_mut() {
            *since = moved(*since);
        }
        for window in self.bursts.values_mut() {
            window.from = moved(window.from);
        }
        for account in self.accounts.values_mut() {
            account.record.hold_until = held(account.record.hold_until);
            account.record.failing_since = account.record.failing_since.map(moved);
            account.record.first_listing_at = account.record.first_listing_at.map(moved);
            account.record.last_success_at = account.record.last_success_at.map(moved);
        }
        for (since, until) in self.queue.values_mut() {
            (*since, *until) = (moved(*since), moved(*until));
        }
        for (at, ..) in self.requests.values_mut().flatten() {
            *at = moved(*at);
        }
        for id in self.reviews.ids() {
            self.reviews.change(id, |entry: &mut ReviewEntry| {
                entry.match_at = entry.match_at.map(moved);
                if let Mark::Due(at) = entry.mark {
                    entry.mark = Mark::Due(moved(at));
                    entry.mark_due_at = entry.mark_due_at.map(moved);
                    entry.mark_refused_at = entry.mark_refused_at.map(moved);
                }
                if !matches!(entry.body, Body::Gone) {
                    (entry.aged_at, entry.unlisted_at) = (moved(entry.aged_at), moved(entry.unlisted_at));
                }
            });
        }
        for problem in self.problems.values_mut() {
            problem.since = moved(problem.since);
            problem.notified_at = problem.notified_at.map(moved);
            problem.over_at = problem.over_at.map(moved);
        }
        for report in self.reports.values_mut() {
            report.since = moved(report.since);
        }
        self.bridge.started_at = self.bridge.started_at.map(moved);
        self.bridge.refused_at = self.bridge.refused_at.map(moved);
    }
}
