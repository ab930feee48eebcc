//! All that the model keeps, and the small steps that its transactions are made of.

use super::delivery::DeliveryEntry;
use super::rows::{Mark, MessageEntry, ReviewEntry};
use super::table::{Named, Table};
use review_bridge::domain::ledger::{self, Voice};
use review_bridge::domain::{Catalog, DeliveryState, Form, MessageKind, Reason, Timestamp};
use review_bridge::store::*;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

/// One account.
#[derive(Clone, Debug, Default)]
pub struct Account {
    pub record: AccountRecord,
    pub catalog: Option<Arc<Catalog>>,
}

/// Granted requests: when, for what, how many.
pub type Requests = VecDeque<(Timestamp, &'static str, u32)>;

/// The state of the bridge.
#[derive(Clone, Default)]
pub struct State {
    pub accounts: BTreeMap<String, Account>,
    pub requests: BTreeMap<String, Requests>,
    /// Who waits for a request: by account and purpose, since when, and until when.
    pub queue: BTreeMap<(String, &'static str), (Timestamp, Timestamp)>,
    pub endpoints: BTreeMap<(String, String), EndpointRecord>,
    pub reviews: Table<ReviewEntry>,
    /// Ids of reviews by account and uuid.
    pub uuids: Named<BTreeMap<Arc<str>, i64>>,
    pub messages: Table<MessageEntry>,
    /// Rows of messages by their ids.
    pub message_ids: BTreeMap<Arc<str>, i64>,
    pub deliveries: Table<DeliveryEntry>,
    /// When attempts of a destination began: the time, the message's row, the attempt's number.
    pub begun: Named<BTreeSet<(Timestamp, i64, u32)>>,
    pub destinations: BTreeMap<String, DestinationRecord>,
    /// Those that are gone while something is queued for them, since when.
    pub removed: BTreeMap<String, Timestamp>,
    pub digests: BTreeMap<String, DigestWindow>,
    /// By destination and recipient.
    pub bursts: BTreeMap<(Arc<str>, Arc<str>), BurstWindow>,
    pub problems: BTreeMap<ProblemKey, ProblemRecord>,
    /// By account and source.
    pub scales: BTreeMap<(String, String), ScaleRecord>,
    pub unknown_names: Vec<UnknownName>,
    pub reports: BTreeMap<ProblemKey, ProblemRecord>,
    pub bridge: BridgeRecord,
}

impl State {
    pub fn account_mut(&mut self, name: &str) -> &mut Account {
        if !self.accounts.contains_key(name) {
            self.accounts.insert(name.to_owned(), Account::default());
        }
        self.accounts.get_mut(name).unwrap()
    }

    pub fn destination_mut(&mut self, name: &str) -> &mut DestinationRecord {
        self.destinations
            .entry(name.to_owned())
            .or_insert_with(|| DestinationRecord { name: name.to_owned(), ..DestinationRecord::default() })
    }

    /// How long a destination was paused or broken in all, until now.
    pub fn stopped(&self, destination: &str, now: Timestamp) -> Duration {
        self.destinations.get(destination).map_or(Duration::ZERO, |record| record.stopped_total(now))
    }

    pub fn review_id(&self, account: &str, uuid: &str) -> Option<i64> {
        self.uuids.get(account)?.get(uuid).copied()
    }

    /// The deliveries of a review, oldest first.
    pub fn deliveries_of(&self, review: i64) -> Vec<i64> {
        self.deliveries.index().by_review.get(&review).into_iter().flatten().copied().collect()
    }

    /// The deliveries that a message carries, oldest first.
    pub fn carried(&self, message: i64) -> Vec<i64> {
        self.deliveries.index().by_message.get(&message).into_iter().flatten().copied().collect()
    }

    pub fn delivery(&self, id: i64) -> &DeliveryEntry {
        self.deliveries.get(id).unwrap()
    }

    pub fn message(&self, seq: i64) -> &MessageEntry {
        self.messages.get(seq).unwrap()
    }

    pub fn is_leased(&self, message: Option<i64>) -> bool {
        message.is_some_and(|seq| self.message(seq).leased_until.is_some())
    }

    /// Adds a message that is due now.
    pub fn add_message(
        &mut self,
        id: String,
        to: (&Arc<str>, &Arc<str>),
        kind: MessageKind,
        content: Option<String>,
        now: Timestamp,
    ) -> i64 {
        let id: Arc<str> = id.into();
        self.message_ids.insert(id.clone(), self.messages.next_id());
        self.messages.add(MessageEntry {
            id,
            destination: to.0.clone(),
            recipient: to.1.clone(),
            kind,
            state: DeliveryState::Pending,
            content,
            form: Form::Full,
            possible_repeat: false,
            attempts: 0,
            log: Vec::new(),
            first_attempt_at: None,
            stopped_base: Duration::ZERO,
            next_at: now,
            created_at: now,
            admitted: false,
            leased_until: None,
            settled_at: None,
        })
    }

    /// Forgets a message and its attempts.
    pub fn remove_message(&mut self, seq: i64) {
        if let Some(message) = self.messages.remove(seq) {
            self.message_ids.remove(&message.id);
            let begun = self.begun.at(&message.destination);
            for attempt in &message.log {
                begun.remove(&(attempt.begun_at, seq, attempt.number));
            }
        }
    }

    pub fn end_delivery(
        &mut self,
        id: i64,
        state: DeliveryState,
        reason: Option<&'static str>,
        now: Timestamp,
    ) {
        self.deliveries.change(id, |delivery| {
            (delivery.state, delivery.reason, delivery.settled_at) = (state, reason, Some(now));
        });
    }

    pub fn end_message(&mut self, seq: i64, state: DeliveryState, now: Timestamp) {
        self.messages.change(seq, |message| {
            (message.state, message.settled_at, message.leased_until) = (state, Some(now), None);
        });
    }

    /// Ends a message that waits and carries nothing pending any more.
    pub fn end_emptied(&mut self, seq: i64, state: DeliveryState, now: Timestamp) {
        let waits = self.messages.get(seq).is_some_and(|message| message.waits());
        let carries = |id: &i64| self.delivery(*id).state == DeliveryState::Pending;
        if waits && !self.carried(seq).iter().any(carries) {
            self.end_message(seq, state, now);
        }
    }

    /// Ends what waits behind a newer delivery of the same review to the same destination and recipient. One in
    /// flight is left: only if that attempt fails is it superseded.
    pub fn supersede(&mut self, review: i64, now: Timestamp) {
        for id in self.deliveries_of(review) {
            let DeliveryEntry { newest, state, message, .. } = *self.delivery(id);
            if !newest && state == DeliveryState::Pending && !self.is_leased(message) {
                self.end_delivery(id, DeliveryState::Superseded, None, now);
                if let Some(seq) = message {
                    self.end_emptied(seq, DeliveryState::Superseded, now);
                }
            }
        }
    }

    /// Makes a review's mark due where each destination and recipient has settled its newest delivery. A dead
    /// letter is not settled.
    pub fn mark_settled(&mut self, review: i64, now: Timestamp) {
        let Some(entry) = self.reviews.get(review) else { return };
        let routed =
            matches!(entry.state, ReviewState::Matched | ReviewState::Unmatched | ReviewState::Remembered);
        if !routed || entry.mark != Mark::None {
            return;
        }
        if ledger::mark_is_due(self.newest_of(review)) {
            self.set_mark(review, Mark::Due(now));
        }
    }

    /// The states of a review's newest deliveries, and why.
    fn newest_of(&self, review: i64) -> Vec<(DeliveryState, Option<Reason>)> {
        let all = self.deliveries_of(review).into_iter().map(|id| self.delivery(id));
        let reason = |one: &DeliveryEntry| one.reason.and_then(Reason::parse);
        all.filter(|delivery| delivery.newest).map(|delivery| (delivery.state, reason(delivery))).collect()
    }

    /// Whether nothing of a review keeps it from being marked.
    pub fn is_settled(&self, review: i64) -> bool {
        self.newest_of(review)
            .into_iter()
            .all(|(state, reason)| ledger::voice(state, reason) != Voice::Blocks)
    }

    /// Sets a mark that was not tried yet.
    pub fn set_mark(&mut self, review: i64, mark: Mark) {
        self.reviews.change(review, |entry| {
            (entry.mark, entry.mark_attempts, entry.mark_error) = (mark, 0, None);
        });
    }

    /// Takes back the mark of a review that is to be told once more; a done one stays.
    pub fn take_back_mark(&mut self, review: i64) {
        if self.reviews.get(review).is_some_and(|entry| matches!(entry.mark, Mark::Due(_))) {
            self.set_mark(review, Mark::None);
        }
    }
}
