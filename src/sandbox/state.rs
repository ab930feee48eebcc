//! What the fake API knows: reviews, which are read, tokens, requests, planned faults.

use super::listing::Shape;
use super::{Fault, Options, hostile, reviews};
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::upstream::Endpoint;
use fastrand::Rng;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::sync::watch;

/// A fake ShopReviews API. Cheap to share; every method may be called while it is served.
pub struct Sandbox {
    pub(super) options: Options,
    pub(super) clock: Clock,
    closing: watch::Sender<bool>,
    state: Mutex<State>,
}

pub(super) struct State {
    rng: Rng,
    /// Oldest first.
    pub(super) entries: Vec<Entry>,
    pub(super) marks: Vec<(String, Timestamp)>,
    pub(super) shape: Shape,
    tokens: BTreeSet<String>,
    logins: u64,
    requests: BTreeMap<Endpoint, u64>,
    faults: BTreeMap<Endpoint, VecDeque<Fault>>,
    /// The throttle's minute: when it began, and how many came.
    minute: (Timestamp, u32),
}

/// One item that the API may list.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) uuid: String,
    pub(super) raw: String,
    pub(super) unread: bool,
}

impl Entry {
    fn new(raw: String) -> Self {
        // Only the members are read: an item may hold what no `Value` can.
        let members: BTreeMap<String, &RawValue> = serde_json::from_str(&raw).unwrap_or_default();
        let uuid = members.get("uuid").and_then(|raw| serde_json::from_str(raw.get()).ok());
        let uuid = match uuid {
            Some(Value::String(uuid)) => uuid,
            Some(Value::Number(number)) => number.to_string(),
            _ => String::new(),
        };
        Self { uuid, raw, unread: true }
    }
}

/// What the throttle says to a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Throttle {
    pub(super) remaining: u32,
    pub(super) over: bool,
    pub(super) resets_at: Timestamp,
}

impl Sandbox {
    /// A sandbox with the reviews that `options` ask for.
    pub fn new(options: Options, clock: Clock) -> Arc<Self> {
        let mut rng = Rng::with_seed(options.seed);
        let now = clock.now();
        let mut times: Vec<Timestamp> =
            (0..options.reviews).map(|_| now.minus(reviews::first_age(&mut rng))).collect();
        times.sort_unstable();
        let mut entries: Vec<Entry> =
            times.into_iter().map(|at| Entry::new(reviews::review(&mut rng, at).to_string())).collect();
        if options.hostile {
            entries.extend(hostile::cases().into_iter().map(|(_, raw)| Entry::new(raw)));
        }
        let state = State {
            rng,
            entries,
            marks: Vec::new(),
            shape: options.shape,
            tokens: BTreeSet::from([options.token.clone()]),
            logins: 0,
            requests: BTreeMap::new(),
            faults: BTreeMap::new(),
            minute: (now, 0),
        };
        Arc::new(Self { options, clock, closing: watch::Sender::new(false), state: Mutex::new(state) })
    }

    /// `count` new reviews arrive, written a little before now.
    pub fn arrive(&self, count: usize) {
        let now = self.clock.now();
        let mut state = self.state();
        for _ in 0..count {
            let at = now.minus(reviews::arrival_age(&mut state.rng));
            let review = reviews::review(&mut state.rng, at);
            state.entries.push(Entry::new(review.to_string()));
        }
    }

    /// Adds an unread item of any form.
    pub fn add(&self, item: Value) {
        self.add_raw(item.to_string());
    }

    /// Adds an unread item as the JSON text that it is sent as.
    pub fn add_raw(&self, item: impl Into<String>) {
        self.state().entries.push(Entry::new(item.into()));
    }

    /// Replaces the fields of review `uuid` that `patch` has; whether there is such a review.
    pub fn edit(&self, uuid: &str, patch: &Value) -> bool {
        let mut edited = false;
        for entry in self.state().entries.iter_mut().filter(|entry| entry.uuid == uuid) {
            let mut value: Value = serde_json::from_str(&entry.raw).unwrap_or_default();
            if let (Some(members), Some(patch)) = (value.as_object_mut(), patch.as_object()) {
                members.extend(patch.clone());
                entry.raw = value.to_string();
                edited = true;
            }
        }
        edited
    }

    /// Somebody reads the review elsewhere, or marks it unread again; whether there is such a review.
    pub fn set_unread(&self, uuid: &str, unread: bool) -> bool {
        self.state().set_unread(uuid, unread)
    }

    /// The review disappears; whether there was one.
    pub fn remove(&self, uuid: &str) -> bool {
        let mut state = self.state();
        let before = state.entries.len();
        state.entries.retain(|entry| entry.uuid != uuid);
        state.entries.len() < before
    }

    /// The uuids of what is unread, in the order that it is listed: newest first; empty for an item without.
    pub fn unread(&self) -> Vec<String> {
        let unread = |entry: &&Entry| entry.unread;
        self.state().entries.iter().rev().filter(unread).map(|entry| entry.uuid.clone()).collect()
    }

    /// Every mark that was made, in order.
    pub fn marks(&self) -> Vec<(String, Timestamp)> {
        self.state().marks.clone()
    }

    /// The marks that were made after the first `known`, in order.
    pub fn marks_after(&self, known: usize) -> Vec<(String, Timestamp)> {
        self.state().marks.get(known..).unwrap_or_default().to_vec()
    }

    /// How many items are unread.
    pub fn unread_count(&self) -> usize {
        self.state().entries.iter().filter(|entry| entry.unread).count()
    }

    /// Drops the oldest items that were read, until no more than `keep` items are left or all are unread.
    pub fn forget_read(&self, keep: usize) {
        let mut state = self.state();
        let mut surplus = state.entries.len().saturating_sub(keep);
        state.entries.retain(|entry| {
            let goes = surplus > 0 && !entry.unread;
            surplus -= usize::from(goes);
            !goes
        });
    }

    /// How many requests came, by endpoint.
    pub fn requests(&self) -> BTreeMap<Endpoint, u64> {
        self.state().requests.clone()
    }

    /// The next request of `endpoint` that has no fault yet meets this one.
    pub fn fault(&self, endpoint: Endpoint, fault: Fault) {
        self.state().faults.entry(endpoint).or_default().push_back(fault);
    }

    /// Lists come in this shape from now on.
    pub fn set_shape(&self, shape: Shape) {
        self.state().shape = shape;
    }

    /// No token given so far is accepted any more; a login gives a new one.
    pub fn revoke_tokens(&self) {
        self.state().tokens.clear();
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn closing(&self) -> watch::Sender<bool> {
        self.closing.clone()
    }

    pub(super) fn every(&self) -> Option<Duration> {
        self.options.every
    }
}

impl State {
    /// Counts a request; what is to go wrong with it, and what the throttle says.
    pub(super) fn request(
        &mut self,
        endpoint: Endpoint,
        now: Timestamp,
        limit: u32,
    ) -> (Throttle, Option<Fault>) {
        *self.requests.entry(endpoint).or_default() += 1;
        if now.since(self.minute.0) >= Duration::from_secs(60) {
            self.minute = (now, 0);
        }
        self.minute.1 = self.minute.1.saturating_add(1);
        let throttle = Throttle {
            remaining: limit.saturating_sub(self.minute.1),
            over: self.minute.1 > limit,
            resets_at: self.minute.0.plus(Duration::from_secs(60)),
        };
        let fault =
            if throttle.over { None } else { self.faults.get_mut(&endpoint).and_then(VecDeque::pop_front) };
        (throttle, fault)
    }

    pub(super) fn accepts(&self, token: &str) -> bool {
        self.tokens.contains(token)
    }

    /// A new token, as a login gives it.
    pub(super) fn log_in(&mut self) -> String {
        self.logins += 1;
        let token = format!("sandbox-session-{}", self.logins);
        self.tokens.insert(token.clone());
        token
    }

    pub(super) fn set_unread(&mut self, uuid: &str, unread: bool) -> bool {
        let mut found = false;
        for entry in self.entries.iter_mut().filter(|entry| entry.uuid == uuid && !uuid.is_empty()) {
            entry.unread = unread;
            found = true;
        }
        found
    }
}
