//! Where messages go. One file a kind, one row in its TABLE; kinds know no rules, no store, no each other.

use crate::domain::{Attempt, Message};
use async_trait::async_trait;

/// A rendered message, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub body: String,
    /// Whether the template failed on this message and the built-in plain form stands in: the failure, for
    /// the operator.
    pub fallback: Option<String>,
}

/// A destination that messages can be sent to.
#[async_trait]
pub trait Destination: Send + Sync {
    /// Renders `message`; a template that fails falls back to the plain form, which never fails.
    fn render(&self, message: &Message) -> Payload;
    /// Sends it once. Bounded by the destination's time-out; never panics, never repeats by itself.
    async fn send(&self, message: &Message, payload: &Payload) -> Attempt;
    /// Where it sends, without secrets: `hooks.slack.com`.
    fn address(&self) -> String;
    /// The recipients that deliveries are split by; a single empty text where the kind knows none.
    fn recipients(&self) -> Vec<String> {
        vec![String::new()]
    }
}

#[derive(Clone, Debug)]
pub struct ActiveHours;
impl ActiveHours {
    pub fn is_open(&self, _at: crate::domain::Timestamp) -> bool {
        true
    }
    pub fn next_opening(&self, at: crate::domain::Timestamp) -> crate::domain::Timestamp {
        at
    }
    pub fn closed_between(
        &self,
        _a: crate::domain::Timestamp,
        _b: crate::domain::Timestamp,
    ) -> std::time::Duration {
        Default::default()
    }
}
