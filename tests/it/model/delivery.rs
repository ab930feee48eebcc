//! What the model keeps of deliveries, and by what they are found.

use super::rows::put;
use super::table::{Named, Row};
use review_bridge::domain::{DeliveryState, RuleHit, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

#[derive(Clone, Debug)]
pub struct DeliveryEntry {
    pub review: i64,
    pub revision: u32,
    pub destination: Arc<str>,
    pub recipient: Arc<str>,
    pub state: DeliveryState,
    pub reason: Option<&'static str>,
    pub rules: Arc<Vec<RuleHit>>,
    /// The message's row.
    pub message: Option<i64>,
    /// Whether there is no newer one of the same review to the same destination and recipient.
    pub newest: bool,
    /// The revision that the recipient certainly has by it, and the first that it may have since.
    pub received: Option<u32>,
    pub doubt: Option<u32>,
    pub created_at: Timestamp,
    pub settled_at: Option<Timestamp>,
}

#[derive(Clone, Debug, Default)]
pub struct DeliveryIndex {
    pub by_review: BTreeMap<i64, BTreeSet<i64>>,
    pub by_message: BTreeMap<i64, BTreeSet<i64>>,
    /// By destination and the name of the state.
    pub by_state: Named<BTreeMap<&'static str, BTreeSet<i64>>>,
}

impl DeliveryIndex {
    /// Deliveries of a destination in a state, oldest first.
    pub fn in_state(&self, destination: &str, state: DeliveryState) -> impl Iterator<Item = i64> {
        let found = self.by_state.get(destination).and_then(|states| states.get(state.as_str()));
        found.into_iter().flatten().copied()
    }
}

impl DeliveryEntry {
    /// An attempt that showed this revision may have arrived.
    pub fn doubted(&mut self, revision: u32) {
        self.doubt = Some(self.doubt.map_or(revision, |doubt| doubt.min(revision)));
    }

    fn place(&self, id: i64, index: &mut DeliveryIndex, within: bool) {
        put(index.by_review.entry(self.review).or_default(), id, within);
        if let Some(message) = self.message {
            put(index.by_message.entry(message).or_default(), id, within);
        }
        put(index.by_state.at(&self.destination).entry(self.state.as_str()).or_default(), id, within);
    }
}

impl Row for DeliveryEntry {
    type Index = DeliveryIndex;

    fn enter(&self, id: i64, index: &mut DeliveryIndex) {
        self.place(id, index, true);
    }

    fn leave(&self, id: i64, index: &mut DeliveryIndex) {
        self.place(id, index, false);
    }
}
