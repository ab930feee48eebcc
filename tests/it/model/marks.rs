//! Marks: which are due, and how they ended.

use super::rows::Mark;
use super::state::State;
use review_bridge::domain::Timestamp;
use review_bridge::store::*;
use std::collections::BTreeSet;

impl State {
    pub fn due_marks(&self, account: &str, now: Timestamp, limit: u32) -> Vec<DueMark> {
        let Some(of) = self.reviews.index().accounts.get(account) else { return Vec::new() };
        let listed_at = self.accounts.get(account).and_then(|account| account.record.last_success_at);
        let due = of.due.range(..=(now, i64::MAX)).take(limit as usize);
        due.map(|(_, id)| {
            let entry = self.reviews.get(*id).unwrap();
            DueMark {
                review_id: *id,
                uuid: entry.uuid.to_string(),
                revision: entry.revision,
                attempts: entry.mark_attempts,
                refused: entry.mark_attempts > 0
                    && entry.mark_refused_at.is_some_and(|at| Some(at) < listed_at),
            }
        })
        .collect()
    }

    pub fn next_mark(&self, account: &str) -> Option<Timestamp> {
        Some(self.reviews.index().accounts.get(account)?.due.first()?.0)
    }

    /// Since when the mark that is due for longest has been due.
    pub fn marks_due_since(&self, account: &str) -> Option<Timestamp> {
        let due = &self.reviews.index().accounts.get(account)?.due;
        let since = |(at, id): &(Timestamp, i64)| {
            let entry = self.reviews.get(*id).unwrap();
            if entry.mark_attempts == 0 { Some(*at) } else { entry.mark_due_at }
        };
        due.iter().filter_map(since).min()
    }

    pub fn request_marks(&mut self, reviews: &[i64], now: Timestamp) -> Vec<i64> {
        let ids: BTreeSet<i64> = reviews.iter().copied().collect();
        let wanted = |id: &i64| {
            self.reviews.get(*id).is_some_and(|entry| {
                !matches!(entry.mark, Mark::Done(_))
                    && !matches!(
                        entry.state,
                        ReviewState::Held | ReviewState::Settling | ReviewState::Malformed
                    )
            })
        };
        let due: Vec<i64> = ids.into_iter().filter(wanted).collect();
        for id in &due {
            self.set_mark(*id, Mark::Due(now));
        }
        due
    }

    pub fn record_marks(&mut self, account: &str, results: &[MarkResult], now: Timestamp) {
        for MarkResult { mark, result, refused, .. } in results {
            let Some(entry) = self.reviews.get(mark.review_id) else { continue };
            if !matches!(entry.mark, Mark::Due(_)) {
                continue;
            }
            // Only the revision that was settled: an edit that came in meanwhile is told and marked by itself.
            let current = entry.revision == mark.revision;
            self.reviews.change(mark.review_id, |entry| match result {
                Ok(()) if current => {
                    (entry.mark, entry.mark_error, entry.listed_since_mark) = (Mark::Done(now), None, 0);
                }
                Ok(()) => {}
                Err((error, next_at)) => {
                    if let (Mark::Due(at), 0) = (entry.mark, entry.mark_attempts) {
                        entry.mark_due_at = Some(at);
                    }
                    entry.mark_refused_at = refused.then_some(now);
                    entry.mark_attempts += 1;
                    (entry.mark, entry.mark_error) = (Mark::Due(*next_at), Some(error.clone()));
                }
            });
        }
        let record = &mut self.account_mut(account).record;
        for MarkResult { setting, account_error, .. } in results {
            if setting.is_some() {
                record.mark_setting.clone_from(setting);
            }
            if let Some(error) = account_error {
                record.mark_error = Some(error.clone()).filter(|error| !error.is_empty());
            }
        }
    }
}
