//! One account in `status`.

use super::super::CliError;
use super::super::endpoints::{EndpointStatus, IN_USE, status_of};
use super::super::output::{self, Table, ago, counted, fact, json_time, time};
use super::super::state::State;
use super::super::subject::Names;
use super::json_ahead;
use crate::config::Settings;
use crate::domain::text::one_line;
use crate::domain::{Catalog, Change, NativeRating, ProblemKind, Source, Timestamp};
use crate::intake::scales;
use crate::operator::problem::Problem;
use crate::rules::Scales;
use crate::settings::units::show_duration;
use crate::store::{AccountRecord, ReviewFilter, ReviewState};
use crate::upstream::Endpoint;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How many of the newest reviews are checked for ratings above their scale.
const RATED: u32 = 1000;
/// How many sources are shown, stale ones first.
const SOURCES: usize = 30;

/// The status of an account.
pub(super) struct AccountStatus {
    name: String,
    /// How often it is polled; `None` where it is not configured.
    interval: Option<Duration>,
    /// Whether the configuration is only known as far as a refused one can be read.
    is_uncertain: bool,
    record: AccountRecord,
    catalog: Option<Catalog>,
    stale: BTreeSet<String>,
    endpoints: Vec<(Endpoint, EndpointStatus)>,
    reviews: BTreeMap<&'static str, u64>,
    marks_due: u64,
    /// Ratings above their scale, by platform or source.
    off_scale: BTreeMap<String, u64>,
    scales: Scales,
}

impl AccountStatus {
    /// Reads the status of account `name` from the database.
    pub(super) async fn read(
        settings: &Settings,
        state: &State,
        name: &str,
        problems: &[Problem],
    ) -> Result<Self, CliError> {
        let own = settings.accounts.get(name);
        let record = state.store.account(name).await?;
        let seen = state.store.endpoints(name).await?;
        let endpoints =
            IN_USE.iter().map(|endpoint| (*endpoint, status_of(*endpoint, own, &record, &seen))).collect();
        let counts = state.store.count_reviews().await?;
        let counts = counts.iter().filter(|count| count.account == name);
        let prefix = format!("{name}/");
        let stale = problems.iter().filter(|problem| problem.kind == ProblemKind::SourceStale);
        Ok(Self {
            interval: own.map(|own| own.policy.poll_interval),
            is_uncertain: state.refused.is_some(),
            catalog: state.store.catalog(name).await?.map(|(catalog, _)| catalog),
            stale: stale
                .filter_map(|problem| Some(problem.subject.strip_prefix(&prefix)?.to_owned()))
                .collect(),
            reviews: counts.clone().map(|count| (count.state.as_str(), count.count)).collect(),
            marks_due: counts.map(|count| count.marks_due).sum(),
            off_scale: off_scale(settings, state, name).await?,
            scales: scales::of(
                &own.map(|own| own.policy.clone()).unwrap_or_default(),
                &state.store.scales(name).await?,
            ),
            name: name.to_owned(),
            record,
            endpoints,
        })
    }

    /// That ratings are above their scale.
    pub(super) fn unreadable(&self) -> Option<String> {
        let count: u64 = self.off_scale.values().sum();
        let ratings = counted(count, "rating", "ratings");
        let names: Vec<String> = self.off_scale.keys().map(|name| one_line(name, 60)).collect();
        let of = names.join(", ");
        (count > 0).then(|| format!("{ratings} of account `{}` above the scale, of {of}", self.name))
    }

    /// Its name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// In JSON.
    pub(super) fn to_json(&self, now: Timestamp) -> Value {
        let record = &self.record;
        let endpoint = |(endpoint, status): &(Endpoint, EndpointStatus)| {
            let error = if let EndpointStatus::Failed(error) = status { Some(error) } else { None };
            json!({ "endpoint": endpoint.name(), "state": status.as_str(), "error": error })
        };
        let empty = Catalog::default();
        let catalog = self.catalog.as_ref().unwrap_or(&empty);
        json!({
            "name": self.name,
            "configured": self.interval.is_some(),
            "last_poll_at": json_time(record.last_poll_at),
            "last_success_at": json_time(record.last_success_at),
            "failed_polls": record.failed_polls,
            "failing_since": json_time(record.failing_since),
            "last_error": record.last_error,
            "last_error_kind": record.last_error_kind,
            "unread": record.listing_length,
            "baseline_at": json_time(record.baseline_at),
            "hold_until": json_ahead(record.hold_until, now),
            "token_expires_at": json_time(record.token_expires_at),
            "names_at": json_time(record.catalog_at),
            "reviews": self.reviews,
            "marks_due": self.marks_due,
            "mark_error": record.mark_error,
            "endpoints": self.endpoints.iter().map(endpoint).collect::<Vec<_>>(),
            "ratings_above_scale": self.off_scale,
            "websites": catalog.websites.values().map(|website| json!({
                "uuid": website.uuid,
                "name": website.name,
                "sources": self.sources_of(catalog, &website.uuid).count(),
                "stale_sources": self.sources_of(catalog, &website.uuid).filter(|one| self.is_stale(one)).count(),
                "last_sync_at": json_time(self.sources_of(catalog, &website.uuid).filter_map(|one| one.last_sync_at).max()),
            })).collect::<Vec<_>>(),
            "sources": catalog.sources.values().map(|source| json!({
                "uuid": source.named.uuid,
                "name": source.named.name,
                "platform": platform(catalog, source),
                "websites": websites(catalog, source),
                "last_sync_at": json_time(source.last_sync_at),
                "next_sync_at": json_time(source.next_sync_at),
                "stale": self.is_stale(source),
                "rating_scale": self.scales.of_source(source, catalog),
            })).collect::<Vec<_>>(),
        })
    }

    fn is_stale(&self, source: &Source) -> bool {
        self.stale.contains(&source.named.uuid)
    }

    fn sources_of<'a>(&self, catalog: &'a Catalog, website: &'a str) -> impl Iterator<Item = &'a Source> {
        catalog.sources.values().filter(move |source| source.website_uuids.iter().any(|uuid| uuid == website))
    }

    /// Prints it for people.
    pub(super) fn print(&self, now: Timestamp) {
        let record = &self.record;
        let configured = if self.interval.is_some() || self.is_uncertain {
            ""
        } else {
            " (not in the configuration, so not polled)"
        };
        fact("account", &format!("{}{configured}", self.name));
        fact("polled", &self.polled(now));
        fact(
            "unread",
            &match record.listing_length {
                Some(length) => format!("{length} in the last complete listing"),
                None => {
                    "no complete listing yet; the first one decides what is delivered (`backfill`)".into()
                }
            },
        );
        fact("reviews", &self.counts());
        fact("marks due", &self.marks());
        fact("names", &self.names(now));
        if let Some(at) = output::ahead(record.hold_until, now) {
            fact("rate limited", &format!("by the API; next request {}", ago(Some(at), now)));
        }
        if let Some(at) = record.token_expires_at {
            fact("token", &format!("expires {} ({})", ago(Some(at), now), time(Some(at))));
        }
        self.print_endpoints();
        self.print_scales();
        for (name, count) in &self.off_scale {
            let ratings = counted(*count, "rating", "ratings");
            let counts = if *count == 1 { "counts" } else { "count" };
            let (key, account) = (one_line(name, 100), &self.name);
            fact(
                "scale",
                &format!(
                    "{ratings} of `{key}` above the scale {counts} as unknown; set accounts.{account}.rating_scales = {{ \
                     \"{key}\" = 10 }}, or the scale it uses"
                ),
            );
        }
        self.print_sources(now);
    }

    fn polled(&self, now: Timestamp) -> String {
        let record = &self.record;
        let every =
            self.interval.map(|every| format!(", every {}", show_duration(every))).unwrap_or_default();
        match (record.last_poll_at, record.failed_polls) {
            (None, _) => "never".into(),
            (Some(at), 0) => format!("{}, OK{every}", ago(Some(at), now)),
            (Some(at), failed) => format!(
                "{}, FAILED: {}\n{} in a row since {}; last success {}",
                ago(Some(at), now),
                one_line(record.last_error.as_deref().unwrap_or_default(), 300),
                counted(u64::from(failed), "failure", "failures"),
                time(record.failing_since),
                ago(record.last_success_at, now),
            ),
        }
    }

    fn counts(&self) -> String {
        let in_order = ReviewState::ALL.iter().filter_map(|state| {
            let count = self.reviews.get(state.as_str())?;
            Some(format!("{count} {}", state.as_str()))
        });
        let text = in_order.collect::<Vec<_>>().join(", ");
        if text.is_empty() { "none yet".into() } else { text }
    }

    fn marks(&self) -> String {
        match self.record.mark_error.as_ref().filter(|error| !error.is_empty()) {
            Some(error) => format!("{}, FAILED: {}", self.marks_due, one_line(error, 300)),
            None => self.marks_due.to_string(),
        }
    }

    fn names(&self, now: Timestamp) -> String {
        match &self.catalog {
            None => "not loaded yet; reviews are held until then".into(),
            Some(catalog) => format!(
                "loaded {}: {}, {}, {}",
                ago(self.record.catalog_at, now),
                counted(catalog.websites.len() as u64, "website", "websites"),
                counted(catalog.sources.len() as u64, "source", "sources"),
                counted(catalog.platforms.len() as u64, "platform", "platforms"),
            ),
        }
    }

    fn print_endpoints(&self) {
        let mut by_status: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for (endpoint, status) in &self.endpoints {
            by_status.entry(status.as_str()).or_default().push(endpoint.name());
        }
        let parts = by_status.iter().map(|(status, names)| format!("{} {status}", names.join(", ")));
        fact("endpoints", &parts.collect::<Vec<_>>().join("; "));
        for (endpoint, status) in &self.endpoints {
            if let (EndpointStatus::Failed(error), true) = (status, *endpoint != Endpoint::MarkReviewRead) {
                fact("", &format!("{}: {}", endpoint.name(), one_line(error, 300)));
            }
        }
    }

    fn print_scales(&self) {
        let mut counts: BTreeMap<(String, &str), u64> = BTreeMap::new();
        for source in self.catalog.iter().flat_map(|catalog| catalog.sources.values()) {
            let Some(catalog) = &self.catalog else { continue };
            let scale = self.scales.of_source(source, catalog);
            *counts.entry((scale.top.to_string(), scale.reason.because())).or_default() += 1;
        }
        let mut label = "scales";
        for ((top, because), count) in counts {
            fact(label, &format!("{top} for {}: {because}", counted(count, "source", "sources")));
            label = "";
        }
    }

    fn print_sources(&self, now: Timestamp) {
        let Some(catalog) = self.catalog.as_ref().filter(|catalog| !catalog.sources.is_empty()) else {
            return;
        };
        let mut sources: Vec<&Source> = catalog.sources.values().collect();
        sources.sort_by_key(|source| (!self.is_stale(source), &source.named.name));
        let mut table = Table::new(&["source", "platform", "last sync", "next sync", "websites"]);
        for source in sources.iter().take(SOURCES) {
            let next = match (self.is_stale(source), source.next_sync_at) {
                (true, at) => format!("STALE, was due {}", ago(at, now)),
                (false, None) => "-".into(),
                (false, at) => ago(at, now),
            };
            table.row([
                one_line(&source.named.name, 36),
                one_line(platform(catalog, source).unwrap_or("-"), 20),
                ago(source.last_sync_at, now),
                next,
                one_line(&websites(catalog, source).join(", "), 40),
            ]);
        }
        table.print();
        if let Some(more) = sources.len().checked_sub(SOURCES).filter(|more| *more > 0) {
            output::line(&format!(
                "and {} (see --json)",
                counted(more as u64, "more source", "more sources")
            ));
        }
    }
}

fn platform<'a>(catalog: &'a Catalog, source: &'a Source) -> Option<&'a str> {
    let uuid = source.platform_uuid.as_ref()?;
    Some(catalog.platforms.get(uuid).map_or(uuid.as_str(), |platform| platform.name.as_str()))
}

fn websites<'a>(catalog: &'a Catalog, source: &'a Source) -> Vec<&'a str> {
    let name =
        |uuid: &'a String| catalog.websites.get(uuid).map_or(uuid.as_str(), |website| website.name.as_str());
    source.website_uuids.iter().map(name).collect()
}

/// Ratings of the newest reviews that are above their scale: the scale is probably not set.
async fn off_scale(
    settings: &Settings,
    state: &State,
    account: &str,
) -> Result<BTreeMap<String, u64>, CliError> {
    let filter = ReviewFilter { account: Some(account.to_owned()), uuid: None, state: None, limit: RATED };
    let rows = state.store.list_reviews(&filter).await?;
    let names = Names::of(settings, state, [account]).await?;
    let mut found = BTreeMap::new();
    for review in rows.iter().filter_map(|row| row.review.as_ref()) {
        let subject = names.subject(review, Change::New, None);
        if matches!(subject.rating.native, NativeRating::Number(number) if number > subject.rating.scale) {
            let named = subject.platform.or(subject.source);
            *found.entry(named.map_or_else(|| "unknown".into(), |named| named.name)).or_default() += 1;
        }
    }
    Ok(found)
}
