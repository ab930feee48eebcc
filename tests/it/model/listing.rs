//! The ends of listings, and the reviews that wait for names, for `settle`, or for a person's wish.

use super::intake::tally;
use super::rows::{Mark, ReviewEntry};
use super::state::State;
use review_bridge::domain::{DeliveryState, Timestamp};
use review_bridge::store::*;
use std::collections::BTreeSet;

impl State {
    pub fn complete_listing(&mut self, listing: &CompleteListing<'_>) -> ListingReport {
        let CompleteListing { account, now, .. } = *listing;
        let seen: BTreeSet<i64> = listing.seen.iter().copied().collect();
        for id in &seen {
            self.saw(*id, account);
        }
        let read_elsewhere = if listing.steady { self.missed(account, &seen, now) } else { 0 };
        for destination in listing.skip_if_read {
            self.skip_read(account, destination, now);
        }
        let length = listing.seen.len() as u64;
        let record = &mut self.account_mut(account).record;
        let baseline = record.baseline_at.is_none();
        record.baseline_at.get_or_insert(now);
        record.listings += 1;
        record.listing_length = Some(length);
        (record.last_poll_at, record.last_success_at) = (Some(now), Some(now));
        (record.failed_polls, record.failing_since) = (0, None);
        ListingReport { baseline, length, read_elsewhere }
    }

    fn saw(&mut self, id: i64, account: &str) {
        let Some(entry) = self.reviews.get(id).filter(|entry| &*entry.account == account) else { return };
        let counts =
            matches!(entry.mark, Mark::Done(_)) && entry.listed_since_mark < super::rows::LISTINGS_AFTER_MARK;
        if !entry.listed || entry.missing > 0 || counts {
            self.reviews.change(id, |entry| {
                (entry.listed, entry.missing) = (true, 0);
                entry.listed_since_mark += u32::from(counts);
            });
        }
    }

    /// Notes what a complete listing did not show. Returns how many that two in a row did not show, and that we
    /// did not mark: they were read elsewhere.
    fn missed(&mut self, account: &str, seen: &BTreeSet<i64>, now: Timestamp) -> u64 {
        let Some(of) = self.reviews.index().accounts.get(account) else { return 0 };
        let missing: Vec<i64> = of.listed.difference(seen).copied().collect();
        let mut read_elsewhere = 0;
        for id in missing {
            let gone = self.reviews.change(id, |entry: &mut ReviewEntry| {
                entry.missing += 1;
                if entry.missing < 2 {
                    return false;
                }
                (entry.listed, entry.missing, entry.unlisted_at) = (false, 0, now);
                !matches!(entry.mark, Mark::Done(_))
            });
            read_elsewhere += u64::from(gone == Some(true));
        }
        read_elsewhere
    }

    /// Ends what waits for a destination that wants nothing of what was read elsewhere. What was made since then
    /// is meant to be told, and what is in flight may have arrived.
    fn skip_read(&mut self, account: &str, destination: &str, now: Timestamp) {
        let pending: Vec<i64> =
            self.deliveries.index().in_state(destination, DeliveryState::Pending).collect();
        let mut reviews = Vec::new();
        for id in pending {
            let delivery = self.delivery(id);
            let (review, message) = (delivery.review, delivery.message);
            let entry = self.reviews.get(review).unwrap();
            let read = &*entry.account == account
                && !entry.listed
                && !matches!(entry.mark, Mark::Done(_))
                && delivery.created_at <= entry.unlisted_at;
            if !read || self.is_leased(message) {
                continue;
            }
            self.end_delivery(id, DeliveryState::Skipped, None, now);
            if let Some(seq) = message {
                self.end_emptied(seq, DeliveryState::Skipped, now);
            }
            reviews.push(review);
        }
        for review in reviews {
            self.mark_settled(review, now);
        }
    }

    pub fn route_waiting(
        &mut self,
        account: &str,
        now: Timestamp,
        limit: u32,
        route: Route<'_>,
    ) -> IntakeReport {
        let mut report = IntakeReport::default();
        let Some(of) = self.reviews.index().accounts.get(account) else { return report };
        let settled = of.settling.range(..=(now, i64::MAX)).map(|(_, id)| *id);
        let again = of.rematch.iter().copied();
        let mut ids: Vec<i64> = of.held.iter().copied().chain(settled).chain(again).collect();
        ids.sort_unstable();
        ids.truncate(limit as usize);
        for id in &ids {
            let Some(waiting) = waiting(self.reviews.get(*id).unwrap()) else { continue };
            let mut routed = route(&waiting);
            routed.deliveries.retain(|delivery| !self.has_delivery(*id, delivery));
            tally(&mut report, &routed, None);
            if routed.state == ReviewState::Held {
                continue;
            }
            let mark = if routed.mark && self.is_settled(*id) { Mark::Due(now) } else { Mark::None };
            self.reviews.change(*id, |entry| {
                (entry.state, entry.match_at) = (routed.state, routed.match_at);
                (entry.undecided, entry.rematch) = (routed.undecided, false);
                keep_scale(entry, &routed);
                // What was marked stays so, and what is to be marked, too, where nothing new is sent.
                match entry.mark {
                    Mark::Done(_) => {}
                    Mark::Due(_) if routed.deliveries.is_empty() => {}
                    _ => entry.mark = mark,
                }
            });
            self.place(*id, &routed, now);
            self.supersede(*id, now);
            self.mark_settled(*id, now);
        }
        report
    }

    pub fn next_match(&self, account: &str) -> Option<Timestamp> {
        Some(self.reviews.index().accounts.get(account)?.settling.first()?.0)
    }

    pub fn route_again(
        &mut self,
        account: &str,
        reviews: &[i64],
        now: Timestamp,
        route: Route<'_>,
    ) -> IntakeReport {
        let mut report = IntakeReport::default();
        let reviews: BTreeSet<i64> = reviews.iter().copied().collect();
        for id in reviews {
            let Some(entry) = self.reviews.get(id).filter(|entry| &*entry.account == account) else {
                continue;
            };
            let Some(waiting) = waiting(entry) else { continue };
            if matches!(waiting.state, ReviewState::Held | ReviewState::Settling) {
                continue;
            }
            let mut routed = route(&waiting);
            routed.deliveries.retain(|delivery| !self.has_delivery(id, delivery));
            tally(&mut report, &routed, None);
            let mark = routed.mark && self.is_settled(id);
            self.reviews.change(id, |entry| {
                (entry.state, entry.undecided, entry.rematch) = (routed.state, routed.undecided, false);
                keep_scale(entry, &routed);
                match entry.mark {
                    // What is to be told once more is not marked before it is.
                    Mark::Due(_) if !routed.deliveries.is_empty() => entry.mark = Mark::None,
                    Mark::None if mark => entry.mark = Mark::Due(now),
                    _ => {}
                }
            });
            self.place(id, &routed, now);
            self.supersede(id, now);
        }
        report
    }
}

impl State {
    /// Whether the newest revision of a review has that delivery.
    fn has_delivery(&self, review: i64, new: &NewDelivery) -> bool {
        let revision = self.reviews.get(review).unwrap().revision;
        self.deliveries_of(review).into_iter().any(|id| {
            let old = self.delivery(id);
            old.revision == revision
                && *old.destination == *new.destination
                && *old.recipient == *new.recipient
        })
    }
}

fn keep_scale(entry: &mut ReviewEntry, routed: &RouteDecision) {
    if let (Some(newest), Some(scale)) = (entry.revisions.last_mut(), routed.scale) {
        newest.scale = Some(scale);
    }
}

/// A review with its newest revision, as rules see it.
fn waiting(entry: &ReviewEntry) -> Option<UnroutedReview> {
    let newest = entry.revisions.last()?;
    Some(UnroutedReview {
        review: (**entry.review()?).clone(),
        change: newest.change,
        previous: newest.previous.clone(),
        first_seen_at: entry.first_seen_at,
        state: entry.state,
        scale: newest.scale,
    })
}
