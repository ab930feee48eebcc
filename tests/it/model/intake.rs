//! Taking reviews in: what is known of them, new ones and new revisions, and the deliveries these make.

use super::delivery::DeliveryEntry;
use super::rows::{Body, Mark, ReviewEntry};
use super::state::State;
use review_bridge::domain::{Change, DeliveryState, MessageKind, Review, SeenRatings, Timestamp};
use review_bridge::store::*;
use std::sync::Arc;
use std::time::Duration;

/// How often it is noted that an item without a uuid is still listed.
const SEEN_AGAIN: Duration = Duration::from_secs(86_400);

impl State {
    pub fn intake(&mut self, batch: &IntakeBatch<'_>, decide: Decide<'_>) -> IntakeReport {
        let mut report = IntakeReport { malformed: self.keep_malformed(batch), ..IntakeReport::default() };
        let (mut fresh, mut revised) = (Vec::new(), Vec::new());
        let mut again = Vec::new();
        for item in batch.reviews {
            let id = self.review_id(batch.account, &item.review.uuid);
            report.seen.extend(id);
            again.extend(id.filter(|id| self.shown_again(*id)));
            let known = match id.and_then(|id| self.reviews.get(id)) {
                Some(entry) if entry.body_hash == item.body_hash => continue,
                Some(entry) => Some(known(entry)),
                None => None,
            };
            let (review, content_hash) = (&item.review, &*item.content_hash);
            match (decide(Arrival { review, content_hash, known: known.as_ref() }), id) {
                (Decision::Ignore, _) | (Decision::Refresh, None) => {}
                (Decision::Refresh, Some(id)) => self.refresh(id, item),
                (Decision::Revise(revision), Some(id)) => revised.push((id, item, revision)),
                (Decision::Revise(revision), None) => fresh.push((item, revision)),
            }
        }
        for (item, _) in &fresh {
            self.see(batch.account, None, &item.review);
        }
        for (id, item, _) in &revised {
            let before = self.reviews.get(*id).and_then(|entry| entry.review().cloned());
            self.see(batch.account, before.as_deref(), &item.review);
        }
        let mut placements = Vec::new();
        for (item, revision) in fresh {
            let id = self.insert(batch, item, &revision);
            tally(&mut report, &revision.routed, Some(revision.change));
            report.new += 1;
            report.seen.push(id);
            placements.push((id, revision.routed));
        }
        let known = placements.len();
        for (id, item, revision) in revised {
            self.revise(id, item, &revision, batch.now);
            tally(&mut report, &revision.routed, Some(revision.change));
            report.edited += 1;
            placements.push((id, revision.routed));
        }
        for (id, routed) in &placements {
            self.place(*id, routed, batch.now);
        }
        for (id, _) in &placements[known..] {
            self.supersede(*id, batch.now);
        }
        again.sort_unstable();
        for members in [true, false] {
            for id in &again {
                report.taken_back += self.take_back_skips(*id, members, batch.now);
            }
        }
        for (id, _) in &placements[known..] {
            self.mark_settled(*id, batch.now);
        }
        report
    }

    /// Adds to what was seen of a source what a review shows, which said `before`.
    fn see(&mut self, account: &str, before: Option<&Review>, review: &Review) {
        let Some(source) = &review.source_uuid else { return };
        let news = SeenRatings::news(before.map(|before| &before.rating), &review.rating);
        let key = (account.to_owned(), source.clone());
        if news == SeenRatings::default() {
            return;
        }
        let record = self.scales.entry(key).or_insert_with(|| ScaleRecord {
            account: account.to_owned(),
            source: source.clone(),
            seen: SeenRatings::default(),
            scale: None,
            since: None,
        });
        record.seen = record.seen.plus(news);
    }

    /// A page shows a known review; whether it was off the list before.
    fn shown_again(&mut self, id: i64) -> bool {
        let entry = self.reviews.get(id).unwrap();
        let (listed, shown) = (entry.listed, entry.shown);
        if !shown {
            self.reviews.change(id, |entry| (entry.listed, entry.missing, entry.shown) = (true, 0, true));
        }
        !listed
    }

    fn keep_malformed(&mut self, batch: &IntakeBatch<'_>) -> u64 {
        let mut kept = 0;
        for item in batch.malformed {
            let uuid = format!("sha256:{}", item.hash);
            if let Some(id) = self.review_id(batch.account, &uuid) {
                let entry = self.reviews.get(id).unwrap();
                if entry.unlisted_at < batch.now.minus(SEEN_AGAIN) {
                    self.reviews.change(id, |entry| entry.unlisted_at = batch.now);
                }
                continue;
            }
            let body = serde_json::json!({ "reason": item.reason, "payload": item.payload });
            let mut entry = self.new_entry(batch.account, &uuid, &uuid, batch.now);
            (entry.state, entry.body) = (ReviewState::Malformed, Body::Malformed(Arc::new(body)));
            self.add_review(entry);
            kept += 1;
        }
        kept
    }

    /// A review first seen now, of which nothing is said yet.
    fn new_entry(&self, account: &str, uuid: &str, hash: &str, now: Timestamp) -> ReviewEntry {
        ReviewEntry {
            account: account.into(),
            uuid: uuid.into(),
            state: ReviewState::Held,
            content_hash: hash.to_owned(),
            body_hash: hash.to_owned(),
            body: Body::Gone,
            revision: 1,
            revisions: Vec::new(),
            first_seen_at: now,
            changed_at: now,
            match_at: None,
            undecided: false,
            rematch: false,
            told: false,
            listed: false,
            shown: false,
            unlisted_at: now,
            aged_at: now,
            missing: 0,
            mark: Mark::None,
            mark_attempts: 0,
            mark_error: None,
            mark_due_at: None,
            mark_refused_at: None,
            listed_since_mark: 0,
        }
    }

    fn add_review(&mut self, entry: ReviewEntry) -> i64 {
        let (account, uuid) = (entry.account.clone(), entry.uuid.clone());
        let id = self.reviews.add(entry);
        self.uuids.at(&account).insert(uuid, id);
        id
    }

    fn refresh(&mut self, id: i64, item: &Fingerprinted) {
        self.reviews.change(id, |entry| {
            entry.body = Body::Review(Arc::new(item.review.clone()));
            entry.body_hash.clone_from(&item.body_hash);
        });
    }

    fn insert(&mut self, batch: &IntakeBatch<'_>, item: &Fingerprinted, revision: &Revision) -> i64 {
        let mut entry = self.new_entry(batch.account, &item.review.uuid, &item.content_hash, batch.now);
        (entry.listed, entry.shown) = (true, true);
        say(&mut entry, item, revision, batch.now);
        self.add_review(entry)
    }

    fn revise(&mut self, id: i64, item: &Fingerprinted, revision: &Revision, now: Timestamp) {
        let settled = self.is_settled(id);
        self.reviews.change(id, |entry| {
            entry.revision += 1;
            (entry.changed_at, entry.aged_at) = (now, now);
            (entry.mark_attempts, entry.mark_error, entry.listed_since_mark) = (0, None, 0);
            say(entry, item, revision, now);
            if !settled {
                entry.mark = Mark::None;
            }
        });
    }

    /// Makes the deliveries of a review's newest revision, and the messages of those that are told at once.
    pub fn place(&mut self, review: i64, routed: &RouteDecision, now: Timestamp) {
        for delivery in &routed.deliveries {
            let (destination, recipient) = (&*delivery.destination, &*delivery.recipient);
            let rules = Arc::new(delivery.rules.clone());
            let revision = self.reviews.get(review).unwrap().revision;
            self.deliver((review, revision), (destination, recipient), rules, delivery.at_once, now);
        }
    }

    /// Makes one delivery; an earlier one to the same destination and recipient is the newest no more.
    pub fn deliver(
        &mut self,
        (review, revision): (i64, u32),
        (destination, recipient): (&str, &str),
        rules: Arc<Vec<review_bridge::domain::RuleHit>>,
        at_once: bool,
        now: Timestamp,
    ) {
        for id in self.deliveries_of(review) {
            let earlier = self.delivery(id);
            if earlier.newest && &*earlier.destination == destination && &*earlier.recipient == recipient {
                self.deliveries.change(id, |earlier| earlier.newest = false);
            }
        }
        let to: (Arc<str>, Arc<str>) = (destination.into(), recipient.into());
        let message = at_once.then(|| {
            let id = self.message_id(review, revision, destination, recipient);
            self.add_message(id, (&to.0, &to.1), MessageKind::Review, None, now)
        });
        self.deliveries.add(DeliveryEntry {
            review,
            revision,
            destination: to.0,
            recipient: to.1,
            state: DeliveryState::Pending,
            reason: None,
            rules,
            message,
            newest: true,
            received: None,
            doubt: None,
            created_at: now,
            settled_at: None,
        });
    }

    /// The id of the message that tells one revision of one review.
    pub fn message_id(&self, review: i64, revision: u32, destination: &str, recipient: &str) -> String {
        let entry = self.reviews.get(review).unwrap();
        let revision = revision.to_string();
        ids::message_id(&["review", destination, recipient, &entry.account, &entry.uuid, &revision])
    }
}

/// What is known of a review before a page shows it again.
fn known(entry: &ReviewEntry) -> Known {
    let newest = entry.revisions.last();
    Known {
        state: entry.state,
        review: entry.review().map(|review| (**review).clone()),
        content_hash: entry.content_hash.clone(),
        change: newest.map_or(Change::New, |revision| revision.change),
        previous: newest.and_then(|revision| revision.previous.clone()),
        attempted: entry.told,
        first_seen_at: entry.first_seen_at,
        changed_at: entry.changed_at,
    }
}

/// Writes what a revision says into its review.
fn say(entry: &mut ReviewEntry, item: &Fingerprinted, revision: &Revision, now: Timestamp) {
    entry.content_hash.clone_from(&item.content_hash);
    entry.body_hash.clone_from(&item.body_hash);
    entry.body = Body::Review(Arc::new(item.review.clone()));
    entry.revisions.push(RevisionRow {
        revision: entry.revision,
        change: revision.change,
        previous: revision.previous.clone(),
        scale: revision.routed.scale,
        seen_at: now,
    });
    let routed = &revision.routed;
    (entry.state, entry.match_at, entry.undecided) = (routed.state, routed.match_at, routed.undecided);
    entry.rematch = false;
    entry.mark = if routed.mark { Mark::Due(now) } else { Mark::None };
}

/// Counts where a review goes.
pub fn tally(report: &mut IntakeReport, routed: &RouteDecision, change: Option<Change>) {
    *match routed.state {
        ReviewState::Remembered => &mut report.remembered,
        ReviewState::Held | ReviewState::Settling => &mut report.waiting,
        _ if routed.deliveries.is_empty() => &mut report.unmatched,
        _ => &mut report.matched,
    } += 1;
    report.undecided += u64::from(routed.undecided);
    report.deliveries += routed.deliveries.len() as u64;
    if let Some(change) = change {
        report.count_change(change, 1);
    }
}
