//! An overview of each destination, for `destinations list` and `status`.

use super::super::CliError;
use super::super::names;
use super::super::output::{Table, ago, ahead, counted, json_time, time};
use super::super::state::State;
use super::targets;
use crate::config::Settings;
use crate::domain::text::one_line;
use crate::domain::{DeliveryState, HealthState, Timestamp};
use crate::store::{DeliveryCount, DestinationRecord};
use serde_json::{Value, json};

/// The longest name and address that a list shows: it fits 80 columns.
const NAME: usize = 20;

/// A destination: its configuration and its stored record.
pub(in crate::cli) struct Overview {
    name: String,
    configured: Option<Configured>,
    /// Whether the configuration is only known as far as a refused one can be read.
    is_uncertain: bool,
    record: DestinationRecord,
    /// Reviews that are queued.
    pending: u64,
    oldest_pending_at: Option<Timestamp>,
    dead: u64,
    /// When its next digest is due.
    digest_at: Option<Timestamp>,
}

struct Configured {
    kind: &'static str,
    address: String,
    rate: String,
}

/// Every destination, configured ones first.
pub(in crate::cli) async fn overviews(settings: &Settings, state: &State) -> Result<Vec<Overview>, CliError> {
    let targets = targets(settings)?;
    let records = state.store.destinations().await?;
    let counts = state.store.count_deliveries().await?;
    let windows = state.store.digest_windows().await?;
    let configured = |name: &str| {
        let own = settings.destinations.get(name)?;
        let address = targets.by_name.get(name).map(|target| target.destination.address());
        let rate = own.common.rate_limit.to_string();
        Some(Configured { kind: own.kind.name, address: address.unwrap_or_default(), rate })
    };
    let mut all = Vec::new();
    for name in names::destinations(settings, state).await? {
        let (_, oldest_pending_at) = count(&counts, &name, DeliveryState::Pending);
        let (dead, _) = count(&counts, &name, DeliveryState::Dead);
        // Reviews, not deliveries: a review has one for each recipient.
        let ever = Timestamp(i64::MAX);
        let pending = match oldest_pending_at {
            Some(_) => state.store.backlog(&name, ever, ever).await?.waiting,
            None => 0,
        };
        let is_digest = targets.by_name.get(&name).is_some_and(|target| target.digest.is_some());
        let window = windows.iter().find(|window| is_digest && window.destination == name);
        all.push(Overview {
            configured: configured(&name),
            is_uncertain: state.refused.is_some(),
            record: records.iter().find(|record| record.name == name).cloned().unwrap_or_default(),
            pending,
            oldest_pending_at,
            dead,
            digest_at: window.map(|window| window.next_at),
            name,
        });
    }
    all.sort_by_key(|one| one.configured.is_none());
    Ok(all)
}

fn count(counts: &[DeliveryCount], name: &str, state: DeliveryState) -> (u64, Option<Timestamp>) {
    let found = counts.iter().find(|count| count.destination == name && count.state == state);
    found.map_or((0, None), |count| (count.count, Some(count.oldest)))
}

/// Destinations as a table.
pub(in crate::cli) fn table(all: &[Overview], now: Timestamp) -> Table {
    let mut table = Table::new(&["destination", "type", "state", "pending", "oldest", "dead", "next"]);
    for one in all {
        let none = || "-".to_owned();
        let kind = match &one.configured {
            Some(own) => own.kind.to_owned(),
            None if one.is_uncertain => none(),
            None => "not configured".into(),
        };
        table.row([
            one_line(&one.name, NAME),
            kind,
            one.record.state().into(),
            one.pending.to_string(),
            one.oldest_pending_at.map_or_else(none, |at| ago(Some(at), now)),
            one.dead.to_string(),
            one.next(now),
        ]);
    }
    table
}

/// Where destinations send, and how fast.
pub(in crate::cli) fn addresses(all: &[Overview]) -> Table {
    let mut table = Table::new(&["destination", "rate", "address"]);
    for one in all {
        if let Some(own) = &one.configured {
            table.row([one_line(&one.name, NAME), own.rate.clone(), own.address.clone()]);
        }
    }
    table
}

impl Overview {
    /// Its name.
    pub(in crate::cli) fn name(&self) -> &str {
        &self.name
    }

    /// How many reviews are queued for it.
    pub(in crate::cli) fn pending(&self) -> u64 {
        self.pending
    }

    /// That a person has paused it, and what is queued.
    pub(in crate::cli) fn pause(&self, now: Timestamp) -> Option<String> {
        let since = self.record.paused_at?;
        let queued = match self.pending {
            0 => String::new(),
            count => format!(", {} queued", counted(count, "review", "reviews")),
        };
        let since = ago(Some(since), now);
        Some(format!("destination `{}` was paused by a person {since}{queued}", self.name))
    }

    /// What has to happen before it sends again.
    fn next(&self, now: Timestamp) -> String {
        let probe_at = self.record.health.probe_at.filter(|_| self.record.health.is_stopped());
        let hold = ahead(self.record.hold_until, now);
        match (self.record.paused_at, probe_at, hold, self.digest_at) {
            (Some(since), ..) => format!("paused {}", ago(Some(since), now)),
            (None, Some(at), ..) if at <= now => "retry due".into(),
            (None, Some(at), ..) => format!("retry {}", ago(Some(at), now)),
            (None, None, Some(at), _) => format!("rate limited, {}", ago(Some(at), now)),
            (None, None, None, Some(at)) if at <= now => "digest due".into(),
            (None, None, None, Some(at)) => format!("digest {}", ago(Some(at), now)),
            (None, None, None, None) => String::new(),
        }
    }

    /// What is wrong with it and how to fix it.
    pub(in crate::cli) fn problem(&self, now: Timestamp) -> Option<String> {
        let name = &self.name;
        if let Some(since) = self.record.paused_at {
            let since = ago(Some(since), now);
            return Some(format!(
                "{name}: paused by a person {since}; to resume: `review-bridge destinations resume {name}`"
            ));
        }
        let health = &self.record.health;
        let detail = one_line(health.detail.as_deref().unwrap_or("the reason is unknown"), 300);
        let since = time(health.since);
        match health.state {
            HealthState::Broken => Some(format!(
                "{name}: broken since {since}: {detail}\n  it is retried every 15 minutes; fix it, then run\n  \
                 `review-bridge destinations resume {name}`"
            )),
            HealthState::Failing => Some(format!(
                "{name}: failing since {since}: {detail}\n  next try {}; to try it now, run\n  `review-bridge \
                 destinations resume {name}`",
                ago(health.probe_at, now)
            )),
            _ => (self.configured.is_none() && !self.is_uncertain && self.pending > 0).then(|| {
                format!(
                    "{name}: not in the configuration; its pending deliveries become dead letters after 10 minutes"
                )
            }),
        }
    }

    /// In JSON.
    pub(in crate::cli) fn to_json(&self, now: Timestamp) -> Value {
        let own = self.configured.as_ref();
        let health = &self.record.health;
        let is_broken = health.state == HealthState::Broken;
        json!({
            "name": self.name,
            "configured": own.is_some(),
            "kind": own.map(|own| own.kind),
            "address": own.map(|own| &own.address),
            "rate_limit": own.map(|own| &own.rate),
            "state": self.record.state(),
            "paused_at": json_time(self.record.paused_at),
            "since": json_time(health.since),
            "reason": health.reason.map(|reason| reason.as_str()),
            "detail": health.detail,
            "broken_at": json_time(health.since.filter(|_| is_broken)),
            "broken_reason": health.reason.filter(|_| is_broken).map(|reason| reason.as_str()),
            "broken_detail": health.detail.as_ref().filter(|_| is_broken),
            "next_probe_at": json_time(health.probe_at),
            "next_digest_at": json_time(self.digest_at),
            "hold_until": json_time(ahead(self.record.hold_until, now)),
            "pending": self.pending,
            "oldest_pending_at": json_time(self.oldest_pending_at),
            "dead": self.dead,
        })
    }
}
