//! The ends of listings, and the reviews that wait for names, for `settle`, or for a person's wish.

use super::intake::tally;
use super::rows::{Mark, ReviewEntry};
use super::state::State;
use review_bridge::domain::ledger;
use review_bridge::domain::{DeliveryState, MessageKind, Reason, Timestamp};
use review_bridge::store::*;
use std::collections::BTreeSet;

impl State {
    pub fn complete_listing(&mut self, listing: &CompleteListing<'_>) -> ListingReport {
        let CompleteListing { account, now, .. } = *listing;
        let seen: BTreeSet<i64> = listing.seen.iter().copied().collect();
        let length = listing.seen.len() as u64;
        let record = &mut self.account_mut(account).record;
        let long_before = record.full_length;
        (record.full_length, record.empty_listings) =
            if length == 0 { (long_before, record.empty_listings + 1) } else { (length, 0) };
        let absence = ledger::absence(length, long_before, record.empty_listings);
        for id in &seen {
            self.saw(*id, listing);
        }
        let read_elsewhere = self.missed(listing, &seen, if listing.steady { absence } else { 0 });
        self.settle_refused(listing, &seen);
        for destination in listing.skip_if_read {
            self.skip_read(account, destination, now);
        }
        let record = &mut self.account_mut(account).record;
        let baseline = record.baseline_at.is_none();
        record.baseline_at.get_or_insert(now);
        record.listings += 1;
        record.listing_length = Some(length);
        if listing.steady {
            record.last_steady_at = Some(now);
        }
        (record.last_poll_at, record.last_success_at) = (Some(now), Some(now));
        (record.failed_polls, record.failing_since) = (0, None);
        ListingReport { baseline, length, read_elsewhere }
    }

    fn saw(&mut self, id: i64, listing: &CompleteListing<'_>) {
        let Some(entry) = self.reviews.get(id).filter(|entry| &*entry.account == listing.account) else {
            return;
        };
        let marked = matches!(entry.mark, Mark::Done(at) if at <= listing.begun_at);
        let since = if marked {
            ledger::listed_since_mark(entry.listed_since_mark, true)
        } else {
            entry.listed_since_mark
        };
        if !entry.listed || entry.missing > 0 || !entry.shown || since != entry.listed_since_mark {
            self.reviews.change(id, |entry| {
                (entry.listed, entry.missing, entry.shown) = (true, 0, true);
                entry.listed_since_mark = since;
            });
        }
    }

    /// Notes what a complete listing did not show, and by how much that brings it nearer to being off the list. Returns
    /// how many are off it now and were not marked by us: they were read elsewhere.
    fn missed(&mut self, listing: &CompleteListing<'_>, seen: &BTreeSet<i64>, absence: u32) -> u64 {
        let Some(of) = self.reviews.index().accounts.get(listing.account) else { return 0 };
        let missing: Vec<i64> = of.listed.difference(seen).copied().collect();
        let mut read_elsewhere = 0;
        for id in missing {
            let gone = self.reviews.change(id, |entry: &mut ReviewEntry| {
                entry.shown = false;
                if matches!(entry.mark, Mark::Done(at) if at <= listing.begun_at) {
                    entry.listed_since_mark = ledger::listed_since_mark(entry.listed_since_mark, false);
                }
                entry.missing += absence;
                if entry.missing < ledger::MISSING_LISTINGS {
                    return false;
                }
                (entry.listed, entry.missing, entry.unlisted_at) = (false, 0, listing.now);
                !matches!(entry.mark, Mark::Done(_))
            });
            read_elsewhere += u64::from(gone == Some(true));
        }
        read_elsewhere
    }

    /// Of reviews whose marks were refused, and that a complete listing since does not show, nothing is left to mark.
    fn settle_refused(&mut self, listing: &CompleteListing<'_>, seen: &BTreeSet<i64>) {
        let settles = |id: &i64| {
            let entry = self.reviews.get(*id).unwrap();
            &*entry.account == listing.account
                && matches!(entry.mark, Mark::Due(_))
                && entry.mark_attempts > 0
                && entry.mark_refused_at.is_some_and(|at| at <= listing.begun_at)
                && !seen.contains(id)
        };
        let settled: Vec<i64> = self.reviews.ids().into_iter().filter(settles).collect();
        for id in &settled {
            self.reviews.change(*id, |entry| {
                (entry.mark, entry.mark_error) = (Mark::Done(listing.now), None);
                entry.listed_since_mark = ledger::MARK_WORKED;
            });
        }
        if !settled.is_empty() && self.next_mark(listing.account).is_none() {
            self.account_mut(listing.account).record.mark_error = None;
        }
    }

    /// Ends what waits for a destination that wants nothing of what was read elsewhere.
    fn skip_read(&mut self, account: &str, destination: &str, now: Timestamp) {
        let pending: Vec<i64> =
            self.deliveries.index().in_state(destination, DeliveryState::Pending).collect();
        let mut reviews = Vec::new();
        for id in pending {
            let delivery = self.delivery(id);
            let (review, message) = (delivery.review, delivery.message);
            let entry = self.reviews.get(review).unwrap();
            let candidate = ledger::Candidate {
                state: delivery.state,
                in_flight: self.is_leased(message),
                skips: true,
                is_listed: entry.listed,
                is_marked: matches!(entry.mark, Mark::Done(_)),
                is_later: delivery.created_at > entry.unlisted_at,
            };
            if &*entry.account != account || !ledger::may_skip(candidate) {
                continue;
            }
            self.end_delivery(id, DeliveryState::Skipped, Some(Reason::ReadElsewhere.as_str()), now);
            if let Some(seq) = message {
                self.end_emptied(seq, DeliveryState::Skipped, now);
            }
            reviews.push(review);
        }
        for review in reviews {
            self.mark_settled(review, now);
        }
    }

    /// Takes back the skips of a review that is listed as unread again; returns how many there were. What is a member
    /// of a message that waits is one again.
    pub fn take_back_skips(&mut self, review: i64, members: bool, now: Timestamp) -> u64 {
        let mut taken_back = 0;
        for id in self.deliveries_of(review) {
            let delivery = self.delivery(id);
            let reason = delivery.reason.and_then(Reason::parse);
            if !delivery.newest || !ledger::is_taken_back(delivery.state, reason) {
                continue;
            }
            let before = delivery.message.map(|seq| self.message(seq));
            let gathers = |kind| matches!(kind, MessageKind::Digest | MessageKind::Summary);
            let member = before.is_some_and(|message| gathers(message.kind) && message.waits());
            if member != members {
                continue;
            }
            let single = before.is_some_and(|message| message.kind != MessageKind::Digest);
            let repeat = before.is_some_and(|message| message.possible_repeat);
            self.deliveries.change(id, |delivery| {
                (delivery.state, delivery.reason) = (DeliveryState::Pending, None);
                delivery.settled_at = None;
                if !member {
                    delivery.message = None;
                }
            });
            if single && !member {
                let seq = self.bind(id, now);
                self.messages.change(seq, |message| message.possible_repeat |= repeat);
            }
            self.take_back_mark(review);
            taken_back += 1;
        }
        taken_back
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
