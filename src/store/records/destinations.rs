//! Destinations and their digests.

use super::Settlement;
use crate::domain::health::Evidence;
use crate::domain::{Cause, Figures, Health, HealthState, Part, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// The state of a destination.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DestinationRecord {
    /// Its name.
    pub name: String,
    /// Paused by a person since.
    pub paused_at: Option<Timestamp>,
    /// Whether it works, and why not.
    pub health: Health,
    /// It requested a pause until then.
    pub hold_until: Timestamp,
    /// Paused, failing or broken since.
    pub stopped_since: Option<Timestamp>,
    /// Paused, failing or broken before that, in all.
    pub stopped: Duration,
    /// When it last worked again or was resumed; zero where it never was.
    pub opened_at: Timestamp,
}

impl DestinationRecord {
    /// `paused`, or the state of its health.
    pub fn state(&self) -> &'static str {
        if self.paused_at.is_some() { "paused" } else { self.health.state.as_str() }
    }

    /// Whether its last answers were fine.
    pub fn is_fine(&self) -> bool {
        self.health.state == HealthState::Working && self.health.failures == 0
    }

    /// Whether it is broken.
    pub fn is_broken(&self) -> bool {
        self.health.state == HealthState::Broken
    }

    /// Whether everything but one probe waits, or everything.
    pub fn is_stopped(&self) -> bool {
        self.paused_at.is_some() || self.health.is_stopped()
    }

    /// How long it was paused, failing or broken in all, until `now`.
    pub fn stopped_total(&self, now: Timestamp) -> Duration {
        self.stopped + self.stopped_since.map(|since| now.since(since)).unwrap_or_default()
    }

    /// An attempt ended at `now` that is evidence about this destination; whether that changed anything.
    pub fn follow(&mut self, settlement: &Settlement, now: Timestamp) -> bool {
        let before = self.clone();
        let evidence = Evidence {
            outcome: &settlement.evidence,
            detail: &settlement.attempt.detail,
            now,
            random: settlement.random,
        };
        if self.name == settlement.destination {
            self.set_health(self.health.after(&evidence), now);
            self.hold_until = settlement.hold.map_or(self.hold_until, |until| self.hold_until.max(until));
        } else {
            self.set_health(self.health.after_shared(&evidence), now);
        }
        *self != before
    }

    /// Its health changes at `now`: counts the time that it stood still. The one place that does.
    pub fn set_health(&mut self, health: Health, now: Timestamp) {
        self.health = health;
        self.follow_stops(now);
    }

    /// A person pauses or resumes it at `now`; a resumed one that fails or is broken is probed immediately.
    pub fn set_paused(&mut self, paused: bool, now: Timestamp) {
        self.paused_at = paused.then(|| self.paused_at.unwrap_or(now));
        if !paused && self.health.probe_at.is_some() {
            self.health.probe_at = Some(now);
        }
        self.follow_stops(now);
    }

    fn follow_stops(&mut self, now: Timestamp) {
        match (self.stopped_since, self.is_stopped()) {
            (None, true) => self.stopped_since = Some(now),
            (Some(_), false) => {
                self.stopped = self.stopped_total(now);
                self.stopped_since = None;
                self.opened_at = now;
            }
            (None, false) | (Some(_), true) => {}
        }
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
    /// Which part it is of one that was too large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
}

/// What a summary gathers, as its message keeps it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Gathered {
    /// Why.
    pub cause: Cause,
    /// When the first of its reviews was to be sent.
    pub from: Timestamp,
    /// When they were gathered.
    pub to: Timestamp,
    /// Which part it is of one that was too large.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub part: Option<Part>,
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
