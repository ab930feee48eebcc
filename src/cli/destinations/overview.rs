//! An overview of each destination, for `destinations list` and `status`.

use super::super::CliError;
use super::super::names;
use super::super::output::{Table, ago, ahead, json_time, time};
use super::super::state::State;
use super::targets;
use crate::config::Settings;
use crate::domain::{DeliveryState, Timestamp};
use crate::store::{DeliveryCount, DestinationRecord};
use serde_json::{Value, json};

/// A destination: its configuration and its stored record.
pub(in crate::cli) struct Overview {
    name: String,
    configured: Option<Configured>,
    record: DestinationRecord,
    pending: u64,
    oldest_pending_at: Option<Timestamp>,
    dead: u64,
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
    let configured = |name: &str| {
        let own = settings.destinations.get(name)?;
        let address = targets.by_name.get(name).map(|target| target.destination.address());
        let rate = own.common.rate_limit.to_string();
        Some(Configured { kind: own.kind.name, address: address.unwrap_or_default(), rate })
    };
    let overview = |name: String| {
        let (pending, oldest_pending_at) = count(&counts, &name, DeliveryState::Pending);
        let (dead, _) = count(&counts, &name, DeliveryState::Dead);
        let record = records.iter().find(|record| record.name == name).cloned().unwrap_or_default();
        Overview { configured: configured(&name), record, pending, oldest_pending_at, dead, name }
    };
    let mut all: Vec<Overview> =
        names::destinations(settings, state).await?.into_iter().map(overview).collect();
    all.sort_by_key(|one| one.configured.is_none());
    Ok(all)
}

fn count(counts: &[DeliveryCount], name: &str, state: DeliveryState) -> (u64, Option<Timestamp>) {
    let found = counts.iter().find(|count| count.destination == name && count.state == state);
    found.map_or((0, None), |count| (count.count, Some(count.oldest)))
}

/// Destinations as a table.
pub(in crate::cli) fn table(all: &[Overview], now: Timestamp) -> Table {
    let mut table =
        Table::new(&["destination", "type", "address", "state", "rate", "pending", "oldest", "dead", "next"]);
    for one in all {
        let none = || "-".to_owned();
        let (kind, address, rate) = match &one.configured {
            Some(own) => (own.kind.to_owned(), own.address.clone(), own.rate.clone()),
            None => (none(), "not configured".into(), none()),
        };
        let oldest = one.oldest_pending_at.map_or_else(none, |at| ago(Some(at), now));
        table.row([
            one.name.clone(),
            kind,
            address,
            one.record.state().into(),
            rate,
            one.pending.to_string(),
            oldest,
            one.dead.to_string(),
            one.next(now),
        ]);
    }
    table
}

impl Overview {
    /// What has to happen before it sends again.
    fn next(&self, now: Timestamp) -> String {
        match (self.record.paused_at, self.record.health.probe_at, ahead(self.record.hold_until, now)) {
            (Some(_), ..) => "when resumed".into(),
            (None, Some(at), _) if at <= now => "retry due".into(),
            (None, Some(at), _) => format!("retry {}", ago(Some(at), now)),
            (None, None, Some(at)) => format!("rate limited, {}", ago(Some(at), now)),
            (None, None, None) => String::new(),
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
        if health.is_stopped() {
            let detail = health.detail.as_deref().unwrap_or_default();
            let (state, since) = (health.state.as_str(), time(health.since));
            let next = ago(health.probe_at, now);
            return Some(format!(
                "{name}: {state} since {since}: {detail}\n  it is retried {next}, or immediately with \
                 `review-bridge destinations resume {name}`"
            ));
        }
        (self.configured.is_none() && self.pending > 0).then(|| {
            format!(
                "{name}: not in the configuration; its pending deliveries become dead letters after 10 minutes"
            )
        })
    }

    /// In JSON.
    pub(in crate::cli) fn to_json(&self, now: Timestamp) -> Value {
        let own = self.configured.as_ref();
        json!({
            "name": self.name,
            "configured": own.is_some(),
            "kind": own.map(|own| own.kind),
            "address": own.map(|own| &own.address),
            "rate_limit": own.map(|own| &own.rate),
            "state": self.record.state(),
            "paused_at": json_time(self.record.paused_at),
            "state_since": json_time(self.record.paused_at.or(self.record.health.since)),
            "broken_at": json_time(self.record.health.since.filter(|_| self.record.is_broken())),
            "broken_reason": self.record.health.reason.filter(|_| self.record.is_broken()),
            "broken_detail": self.record.health.detail.as_ref().filter(|_| self.record.is_broken()),
            "reason": self.record.health.reason,
            "detail": self.record.health.detail,
            "next_probe_at": json_time(self.record.health.probe_at),
            "hold_until": json_time(ahead(self.record.hold_until, now)),
            "pending": self.pending,
            "oldest_pending_at": json_time(self.oldest_pending_at),
            "dead": self.dead,
        })
    }
}
