//! The health of a destination: the one place that decides whether it works. Pure: no I/O, no clock.
//!
//! ```text
//!            delivered                    5 failures in a row over 30 s, a quota,
//! untried ──────────────> working ─────── a refused login, a pause of over 15 min ──────> failing
//!    │                     │    ^                                                         │    │
//!    │ broken              │    └──────────── any answer about a message ─────────────────┘    │
//!    └────────────────────>│ broken <────────────────────── broken ───────────────────────────┘
//! ```
//!
//! While a destination is failing or broken, one message at a time is a probe and everything else stays pending.

use super::{About, Outcome, Reason, Timestamp};
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How many failures in a row make a destination fail.
pub const FAILURES: u32 = 5;
/// The least time that they must span: what was in flight together fails together.
pub const FAILURES_SPAN: Duration = Duration::from_secs(30);
/// The pause before the first probe of a failing destination; it doubles after each.
pub const FIRST_PROBE: Duration = Duration::from_secs(5);
/// The longest pause between probes of a failing destination.
pub const LONGEST_PROBE: Duration = Duration::from_secs(5 * 60);
/// The pause before the first probe where a login was refused for now: servers lock accounts that insist.
pub const FIRST_LOGIN: Duration = Duration::from_secs(60);
/// The longest pause between such probes.
pub const LONGEST_LOGIN: Duration = Duration::from_secs(15 * 60);
/// How often a destination is probed whose sending quota is used up.
pub const QUOTA_PROBE: Duration = Duration::from_secs(3600);
/// How often a broken destination is probed.
pub const BROKEN_PROBE: Duration = Duration::from_secs(15 * 60);
/// A destination that asks for a longer pause counts as failing.
pub const LONG_PAUSE: Duration = Duration::from_secs(15 * 60);
/// The longest pause that a destination may ask for.
pub const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// Whether a destination works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HealthState {
    /// Nothing was delivered yet, and nothing has failed for long.
    #[default]
    Untried,
    /// The last answers were fine.
    Working,
    /// It does not answer as it should; it may recover without help.
    Failing,
    /// It cannot work until somebody acts.
    Broken,
}

impl HealthState {
    /// Every state.
    pub const ALL: [Self; 4] = [Self::Untried, Self::Working, Self::Failing, Self::Broken];

    /// Its name in state, commands and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Untried => "untried",
            Self::Working => "working",
            Self::Failing => "failing",
            Self::Broken => "broken",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }

    /// Whether everything but one probe waits.
    pub fn is_stopped(self) -> bool {
        matches!(self, Self::Failing | Self::Broken)
    }
}

/// The health of a destination, as state keeps it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Health {
    /// Whether it works.
    pub state: HealthState,
    /// Since when; of a failing one, when the first of its failures in a row ended.
    pub since: Option<Timestamp>,
    /// Why, where it fails or is broken.
    pub reason: Option<Reason>,
    /// Why, for people.
    pub detail: Option<String>,
    /// The next probe, where it fails or is broken.
    pub probe_at: Option<Timestamp>,
    /// Probes since it fails, all in vain.
    pub probes: u32,
    /// Failures in a row, while it is not failing yet.
    pub failures: u32,
    /// When the first of them ended.
    pub failures_from: Option<Timestamp>,
}

/// An attempt that ended, as evidence.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// How it ended.
    pub outcome: &'a Outcome,
    /// What happened and what to do, for people.
    pub detail: &'a str,
    /// When it ended.
    pub now: Timestamp,
    /// In 0..1, for the jitter of probes.
    pub random: f64,
}

impl Health {
    /// A destination whose last answer was fine.
    pub fn working(since: Timestamp) -> Self {
        Self { state: HealthState::Working, since: Some(since), ..Self::default() }
    }

    /// Whether everything but one probe waits.
    pub fn is_stopped(&self) -> bool {
        self.state.is_stopped()
    }

    /// The health after an attempt that ended as `evidence` says.
    #[must_use]
    pub fn after(&self, evidence: &Evidence<'_>) -> Self {
        match evidence.outcome {
            // A message that is refused shows as well as a delivered one that the destination answers.
            Outcome::Delivered | Outcome::Accepted | Outcome::Dead { .. } => self.answered(evidence),
            Outcome::Broken { reason } => self.broken(*reason, evidence),
            Outcome::Retry { reason, after, .. } => match self.state {
                HealthState::Broken => self.still_broken(*after, evidence),
                HealthState::Failing => self.still_failing(*reason, *after, evidence),
                HealthState::Untried | HealthState::Working => self.failed(*reason, *after, evidence),
            },
        }
    }

    /// The health after an attempt of another destination that shares the server and the login.
    #[must_use]
    pub fn after_shared(&self, evidence: &Evidence<'_>) -> Self {
        let about_server =
            |reason: Option<Reason>| reason.is_some_and(|reason| reason.about() == About::Server);
        let concerns = match evidence.outcome {
            Outcome::Delivered | Outcome::Accepted | Outcome::Dead { .. } => {
                self.failures > 0 || about_server(self.reason)
            }
            Outcome::Retry { reason, .. } | Outcome::Broken { reason } => about_server(Some(*reason)),
        };
        if concerns { self.after(evidence) } else { self.clone() }
    }

    fn answered(&self, evidence: &Evidence<'_>) -> Self {
        let delivered = !matches!(evidence.outcome, Outcome::Dead { .. });
        match self.state {
            HealthState::Failing | HealthState::Broken => Self::working(evidence.now),
            HealthState::Untried if delivered => Self::working(evidence.now),
            HealthState::Untried | HealthState::Working => {
                Self { failures: 0, failures_from: None, ..self.clone() }
            }
        }
    }

    fn broken(&self, reason: Reason, evidence: &Evidence<'_>) -> Self {
        let since = if self.state == HealthState::Broken { self.since } else { self.failures_from };
        Self {
            state: HealthState::Broken,
            since: since.or(self.since.filter(|_| self.is_stopped())).or(Some(evidence.now)),
            reason: Some(reason),
            detail: Some(evidence.detail.to_owned()),
            probe_at: Some(evidence.now.plus(BROKEN_PROBE)),
            ..Self::default()
        }
    }

    /// A probe that found no answer proves nothing: it is still what it was.
    fn still_broken(&self, asked: Option<Duration>, evidence: &Evidence<'_>) -> Self {
        let pause = BROKEN_PROBE.max(asked.unwrap_or_default().min(LONGEST_PAUSE));
        Self { probe_at: Some(evidence.now.plus(pause)), ..self.clone() }
    }

    fn still_failing(&self, reason: Reason, asked: Option<Duration>, evidence: &Evidence<'_>) -> Self {
        if reason.about() == About::Message && asked.is_none() {
            // This message is refused for now: another one is the next probe.
            let pause = probe_pause(reason, 0, evidence.random);
            return Self { probe_at: Some(evidence.now.plus(pause)), ..self.clone() };
        }
        self.failing(reason, asked, self.probes.saturating_add(1), self.since, evidence)
    }

    fn failed(&self, reason: Reason, asked: Option<Duration>, evidence: &Evidence<'_>) -> Self {
        let from = self.failures_from.unwrap_or(evidence.now);
        let at_once = matches!(reason, Reason::Quota | Reason::LoginDeferred)
            || asked.is_some_and(|asked| asked > LONG_PAUSE);
        if reason.about() == About::Message && !at_once {
            return self.clone();
        }
        let failures = self.failures.saturating_add(1);
        if at_once || (failures >= FAILURES && evidence.now.since(from) >= FAILURES_SPAN) {
            return self.failing(reason, asked, 0, Some(from), evidence);
        }
        Self { failures, failures_from: Some(from), ..self.clone() }
    }

    fn failing(
        &self,
        reason: Reason,
        asked: Option<Duration>,
        probes: u32,
        since: Option<Timestamp>,
        evidence: &Evidence<'_>,
    ) -> Self {
        let pause = probe_pause(reason, probes, evidence.random);
        let pause = pause.max(asked.unwrap_or_default().min(LONGEST_PAUSE));
        Self {
            state: HealthState::Failing,
            since,
            reason: Some(reason),
            detail: Some(evidence.detail.to_owned()),
            probe_at: Some(evidence.now.plus(pause)),
            probes,
            ..Self::default()
        }
    }
}

/// The pause before the next probe after `probes` in vain, of which the last quarter is chance.
fn probe_pause(reason: Reason, probes: u32, random: f64) -> Duration {
    let (first, longest) = match reason {
        Reason::Quota => (QUOTA_PROBE, QUOTA_PROBE),
        Reason::LoginDeferred => (FIRST_LOGIN, LONGEST_LOGIN),
        _ => (FIRST_PROBE, LONGEST_PROBE),
    };
    let full = first.saturating_mul(1 << probes.min(16)).min(longest);
    match reason {
        // Never sooner than that.
        Reason::LoginDeferred | Reason::Quota => full,
        _ => full.mul_f64(0.75 + 0.25 * random.clamp(0.0, 1.0)),
    }
}

#[cfg(test)]
#[path = "health_tests.rs"]
mod tests;
