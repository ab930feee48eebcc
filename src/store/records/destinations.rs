//! Destinations and their digests.

use crate::domain::{Cause, Figures, Health, HealthState, Reason, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The state of a destination.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DestinationRecord {
    /// Its name.
    pub name: String,
    /// Paused by a person since.
    pub paused_at: Option<Timestamp>,
    /// Broken since.
    pub broken_at: Option<Timestamp>,
    /// Why: a name of `domain::Reason`.
    pub broken_reason: Option<String>,
    /// Why, for people.
    pub broken_detail: Option<String>,
    /// The next probe.
    pub retry_at: Option<Timestamp>,
    /// Whether it works.
    pub health: Health,
    /// It asked for a pause until then.
    pub hold_until: Timestamp,
    /// Paused or broken since.
    pub stopped_since: Option<Timestamp>,
    /// Paused or broken before that, in all.
    pub stopped: Duration,
    /// Resumed or repaired the last time; zero where it never was.
    pub opened_at: Timestamp,
}

impl DestinationRecord {
    /// `paused`, or the state of its health.
    pub fn state(&self) -> &'static str {
        if self.paused_at.is_some() { "paused" } else { self.health.state.as_str() }
    }

    /// With the health that its columns show.
    #[must_use]
    pub fn with_health(mut self) -> Self {
        let state = if self.broken_at.is_some() { HealthState::Broken } else { HealthState::Working };
        self.health = Health {
            state,
            since: self.broken_at,
            reason: self.broken_reason.as_deref().and_then(Reason::parse),
            detail: self.broken_detail.clone(),
            probe_at: self.retry_at,
            ..Health::default()
        };
        self
    }

    /// How long it was paused or broken in all, until `now`.
    pub fn stopped_total(&self, now: Timestamp) -> Duration {
        self.stopped + self.stopped_since.map(|since| now.since(since)).unwrap_or_default()
    }
}

/// When a destination's digest was sent, and is due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DigestWindow {
    /// The destination.
    pub destination: String,
    /// The schedule by which `next_at` was reckoned.
    pub schedule: String,
    /// The end of the last window.
    pub from: Timestamp,
    /// When the next is due.
    pub next_at: Timestamp,
}

/// The window of a digest, as its message keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// Its start.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// The figures of the one that was delivered before.
    #[serde(default)]
    pub before: Option<Figures>,
    /// Its own, once it is delivered.
    #[serde(default)]
    pub figures: Option<Figures>,
}

/// What a summary gathers, as its message keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gathered {
    /// Why.
    pub cause: Cause,
    /// When the first of its reviews was to be sent.
    pub from: Timestamp,
    /// When they were gathered.
    pub to: Timestamp,
}

/// A digest to be made.
#[derive(Clone, Debug)]
pub struct NewDigest<'a> {
    /// The window that follows it.
    pub next: &'a DigestWindow,
    /// The recipients by the configuration.
    pub recipients: &'a [String],
    /// Whether one without reviews is sent.
    pub send_empty: bool,
}
