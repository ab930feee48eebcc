//! Listings for people.

use super::delivery::DeliveryEntry;
use super::rows::{Body, Mark, ReviewEntry};
use super::state::State;
use review_bridge::domain::{DeliveryState, Timestamp};
use review_bridge::store::*;
use std::collections::BTreeMap;

/// Whether a filter, where it asks for something, asks for this.
fn fits<T: PartialEq + ?Sized>(wanted: Option<&T>, is: &T) -> bool {
    wanted.is_none_or(|wanted| wanted == is)
}

impl State {
    pub fn list_deliveries(&self, filter: &DeliveryFilter) -> Vec<DeliveryRow> {
        let wanted = |id: i64, delivery: &DeliveryEntry| {
            let entry = self.reviews.get(delivery.review).unwrap();
            fits(filter.id.as_ref(), &id)
                && fits(filter.account.as_deref(), &entry.account)
                && fits(filter.destination.as_deref(), &delivery.destination)
                && fits(filter.state.as_ref(), &delivery.state)
                && fits(filter.uuid.as_deref(), &entry.uuid)
        };
        let newest_first = self.deliveries.iter().rev().filter(|(id, delivery)| wanted(*id, delivery));
        newest_first.take(filter.limit as usize).map(|(id, delivery)| self.row(id, delivery)).collect()
    }

    fn row(&self, id: i64, delivery: &DeliveryEntry) -> DeliveryRow {
        let entry = self.reviews.get(delivery.review).unwrap();
        let message = delivery.message.map(|seq| self.message(seq));
        let ended =
            message.and_then(|message| message.log.iter().rev().find(|attempt| attempt.outcome.is_some()));
        DeliveryRow {
            id,
            account: entry.account.to_string(),
            uuid: entry.uuid.to_string(),
            revision: delivery.revision,
            destination: delivery.destination.to_string(),
            recipient: delivery.recipient.to_string(),
            state: delivery.state,
            reason: delivery.reason.map(str::to_owned),
            rules: (*delivery.rules).clone(),
            message_id: message.map(|message| message.id.to_string()),
            attempts: message.map_or(0, |message| message.attempts),
            next_at: message
                .filter(|_| delivery.state == DeliveryState::Pending)
                .map(|message| message.next_at),
            last_detail: ended.and_then(|attempt| attempt.detail.clone()),
            created_at: delivery.created_at,
            settled_at: delivery.settled_at,
        }
    }

    pub fn list_attempts(&self, message: &str) -> Vec<AttemptRow> {
        let seq = self.message_ids.get(message);
        seq.map(|seq| self.message(*seq).log.clone()).unwrap_or_default()
    }

    pub fn list_reviews(&self, filter: &ReviewFilter) -> Vec<ReviewRow> {
        let wanted = |entry: &ReviewEntry| {
            fits(filter.account.as_deref(), &entry.account)
                && fits(filter.uuid.as_deref(), &entry.uuid)
                && fits(filter.state.as_ref(), &entry.state)
        };
        let mut found: Vec<(i64, &ReviewEntry)> =
            self.reviews.iter().filter(|(_, entry)| wanted(entry)).collect();
        found.sort_by_key(|(id, entry)| std::cmp::Reverse((entry.changed_at, *id)));
        found.into_iter().take(filter.limit as usize).map(|(id, entry)| review_row(id, entry)).collect()
    }

    pub fn list_revisions(&self, review: i64) -> Vec<RevisionRow> {
        self.reviews.get(review).map(|entry| entry.revisions.clone()).unwrap_or_default()
    }

    pub fn count_deliveries(&self) -> Vec<DeliveryCount> {
        let mut counts = Vec::new();
        for (destination, states) in self.deliveries.index().by_state.iter() {
            for (state, ids) in states {
                let oldest = ids.iter().map(|id| self.delivery(*id).created_at).min();
                let (Some(oldest), Some(state)) = (oldest, DeliveryState::parse(state)) else { continue };
                let (destination, count) = (destination.to_owned(), ids.len() as u64);
                counts.push(DeliveryCount { destination, state, count, oldest });
            }
        }
        counts
    }

    pub fn message_row(&self, id: &str) -> Option<MessageRow> {
        let message = self.message(*self.message_ids.get(id)?);
        Some(MessageRow {
            id: message.id.to_string(),
            destination: message.destination.to_string(),
            state: message.state,
            attempts: message.attempts,
        })
    }

    pub fn count_reviews(&self) -> Vec<ReviewCount> {
        let mut counts: BTreeMap<(&str, &str), ReviewCount> = BTreeMap::new();
        for (_, entry) in self.reviews.iter() {
            let count = counts.entry((&entry.account, entry.state.as_str())).or_insert_with(|| ReviewCount {
                account: entry.account.to_string(),
                state: entry.state,
                count: 0,
                marks_due: 0,
            });
            count.count += 1;
            count.marks_due += u64::from(entry.shown && matches!(entry.mark, Mark::Due(_)));
        }
        counts.into_values().collect()
    }
}

fn review_row(id: i64, entry: &ReviewEntry) -> ReviewRow {
    let (mark, mark_at): (&str, Option<Timestamp>) = match entry.mark {
        Mark::None => ("none", None),
        Mark::Due(at) => ("due", Some(at)),
        Mark::Done(at) => ("done", Some(at)),
    };
    let malformed = match &entry.body {
        Body::Malformed(item) => Some((**item).clone()),
        Body::Review(_) | Body::Gone => None,
    };
    ReviewRow {
        id,
        account: entry.account.to_string(),
        uuid: entry.uuid.to_string(),
        state: entry.state,
        revision: entry.revision,
        review: entry.review().map(|review| (**review).clone()),
        malformed,
        first_seen_at: entry.first_seen_at,
        changed_at: entry.changed_at,
        listed: entry.listed,
        undecided: entry.undecided,
        mark: mark.to_owned(),
        mark_at,
        mark_error: entry.mark_error.clone(),
    }
}
