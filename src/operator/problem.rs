//! What counts as a problem. Pure: facts in, problems out. How the end of one is worded is in `words`.

use super::words::{self, counted};
use crate::clock::minute;
use crate::domain::{Concern, HealthState, ProblemKind, Reason, Source, Timestamp, text::one_line};
use crate::store::{AccountFacts, DestinationRecord, ProblemFacts, ProblemKey, QueueFacts, Tally};
use crate::upstream::ErrorName;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Failed polls in a row that are a problem, where one succeeded before.
const FAILED_POLLS: u32 = 2;
/// Failed attempts to mark one review that are a problem.
const MARK_TRIES: u32 = 3;
/// How long a mark is due without being tried before that is a problem.
const MARKS_LATE: Duration = Duration::from_secs(10 * 60);
/// How long a listing may take beyond two poll intervals before that is a problem.
const LISTING_LATE: Duration = Duration::from_secs(15 * 60);
/// An account whose budget granted a request this lately is being listed.
const REQUESTED_LATELY: Duration = Duration::from_secs(3 * 60);
/// How long a message that could be sent may wait before that is a problem.
const DELIVERY_LATE: Duration = Duration::from_secs(15 * 60);
/// A destination that delivered this lately is working off its queue at its own rate.
const DELIVERED_LATELY: Duration = Duration::from_secs(5 * 60);
/// How long a review is undecided before that is a problem.
const UNDECIDED_FOR: Duration = Duration::from_secs(10 * 60);
/// How long before its end an expiring token is a problem.
const TOKEN_WARNING: Duration = Duration::from_secs(7 * 86_400);
/// How long past its planned reading a source is stale.
const STALE_AFTER: Duration = Duration::from_secs(24 * 3600);
/// How long a destination is paused before that is a problem.
const PAUSED_FOR_LONG: Duration = Duration::from_secs(24 * 3600);

/// What of the configuration problems depend on.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The accounts, by name; `None` while none is known: every account that the state has counts.
    pub accounts: Option<BTreeMap<String, AccountView>>,
    /// The destinations, by name.
    pub destinations: BTreeMap<String, DestinationView>,
    /// Templates that failed, by destination.
    pub fallbacks: BTreeMap<String, String>,
    /// Whether a bridge is running: where none is, nothing is late.
    pub running: bool,
}

/// An account, as its problems depend on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccountView {
    /// The key that holds its credentials: `token`, `token_file`, `password`, ….
    pub credential: String,
    /// Whether its reviews are marked read at all.
    pub marks: bool,
    /// How often it is polled.
    pub poll_interval: Duration,
}

/// A destination, as its problems depend on it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DestinationView {
    /// Since when its hours allow sending, zero where they always do; `None` while they do not.
    pub open_since: Option<Timestamp>,
}

/// A problem there is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// Its kind.
    pub kind: ProblemKind,
    /// The account, destination, … it is about.
    pub subject: String,
    /// What happened, since when.
    pub text: String,
    /// What to do.
    pub hint: String,
    /// When it began, where that is known.
    pub since: Option<Timestamp>,
    /// Whether it may be notified once it has lasted long enough: one failed poll proves little.
    pub is_ripe: bool,
}

impl Problem {
    fn new(kind: ProblemKind, subject: &str, since: Option<Timestamp>, text: String, hint: String) -> Self {
        Self { kind, subject: subject.to_owned(), text, hint, since, is_ripe: true }
    }

    /// What identifies it.
    pub fn key(&self) -> ProblemKey {
        ProblemKey { kind: self.kind, subject: self.subject.clone() }
    }
}

/// All problems there are now.
pub fn assess(facts: &ProblemFacts, view: &View, now: Timestamp) -> Vec<Problem> {
    let accounts = || facts.accounts.iter().filter(|account| view.has_account(&account.name));
    let mut problems: Vec<Problem> =
        accounts().flat_map(|account| of_account(account, facts, view, now)).collect();
    for record in &facts.destinations {
        problems.extend(of_destination(record, facts, view, now));
    }
    problems.extend(facts.queues.iter().filter_map(|queue| late(queue, facts, view, now)));
    problems.extend(dead_letters(facts));
    problems.extend(of_reviews(facts, now).into_iter().filter(|problem| view.has_account(&problem.subject)));
    for (kind, account, text, hint) in super::names::assess(facts) {
        if view.has_account(&account) {
            problems.push(Problem::new(kind, &account, None, text, hint));
        }
    }
    problems.extend(accounts().flat_map(|account| stale(account, now)));
    for (destination, error) in &view.fallbacks {
        let text =
            format!("a template of `{destination}` failed, so the built-in plain form was sent: {error}");
        let hint = "fix the template".to_owned();
        problems.push(Problem::new(ProblemKind::TemplateFailed, destination, None, text, hint));
    }
    problems.extend(refused(facts));
    for report in &facts.reported {
        let (text, hint) = (report.text.clone(), report.hint.clone());
        if report.kind.concern() != Concern::Account || view.has_account(account_of(&report.subject)) {
            problems.push(Problem::new(report.kind, &report.subject, Some(report.since), text, hint));
        }
    }
    problems
}

impl View {
    /// Whether there is such an account.
    pub fn has_account(&self, name: &str) -> bool {
        self.accounts.as_ref().is_none_or(|accounts| accounts.contains_key(name))
    }

    fn logs_in(&self, name: &str) -> bool {
        self.account(name).is_some_and(|own| own.credential.starts_with("password"))
    }

    fn account(&self, name: &str) -> Option<&AccountView> {
        self.accounts.as_ref()?.get(name)
    }
}

/// The account of a subject that may name one of its sources, too.
pub(super) fn account_of(subject: &str) -> &str {
    subject.split('/').next().unwrap_or_default()
}

fn of_account(account: &AccountFacts, facts: &ProblemFacts, view: &View, now: Timestamp) -> Vec<Problem> {
    let AccountFacts { name, record, .. } = account;
    let polls = polls(account, view).or_else(|| listing(account, facts, view, now));
    let reads = polls.is_none();
    let mut problems: Vec<Problem> = polls.into_iter().collect();
    if let Some(at) = record.token_expires_at.filter(|at| *at <= now.plus(TOKEN_WARNING)) {
        let text = format!("the token of account `{name}` expires at {}", minute(at));
        problems.push(Problem::new(ProblemKind::TokenExpiring, name, None, text, new_token(name, view)));
    }
    if let Some(error) = record.mark_error.as_ref().filter(|error| !error.is_empty()) {
        let text = format!("reviews of account `{name}` cannot be marked read: {error}");
        let hint = format!(
            "fix `accounts.{name}.endpoints.mark_review_read`; marking is then retried automatically"
        );
        problems.push(Problem::new(ProblemKind::MarksFailing, name, None, text, hint));
    } else if let Some((_, error)) = account.mark_tries.as_ref().filter(|(tries, _)| *tries >= MARK_TRIES) {
        let text = format!("reviews of account `{name}` cannot be marked read: {}", one_line(error, 500));
        let hint = "marking is retried automatically; `review-bridge check` shows whether the endpoint works";
        problems.push(Problem::new(ProblemKind::MarksFailing, name, None, text, hint.into()));
    } else if reads {
        problems.extend(starved(account, facts, view, now));
    }
    problems
}

fn polls(account: &AccountFacts, view: &View) -> Option<Problem> {
    let AccountFacts { name, record, .. } = account;
    if record.failed_polls == 0 {
        return None;
    }
    let since = record.failing_since.map(|since| format!(" since {}", minute(since))).unwrap_or_default();
    if record.last_error_kind == Some(ErrorName::Unauthenticated) {
        let what = if view.logs_in(name) { "login" } else { "token" };
        let text =
            format!("ShopReviews refuses the {what} of account `{name}`; no reviews can be read{since}");
        let hint = new_token(name, view);
        return Some(Problem::new(ProblemKind::TokenRefused, name, record.failing_since, text, hint));
    }
    if record.failed_polls < FAILED_POLLS && record.last_success_at.is_some() {
        return None;
    }
    let error = one_line(record.last_error.as_deref().unwrap_or_default(), 500);
    let text = format!("reviews of account `{name}` cannot be read{since}: {error}");
    let hint = "the bridge keeps retrying, and no review is lost; `review-bridge check` shows what fails";
    let mut problem = Problem::new(ProblemKind::PollsFailing, name, record.failing_since, text, hint.into());
    problem.is_ripe = record.failed_polls >= FAILED_POLLS;
    Some(problem)
}

/// A listing that neither ends nor fails.
fn listing(account: &AccountFacts, facts: &ProblemFacts, view: &View, now: Timestamp) -> Option<Problem> {
    let AccountFacts { name, record, .. } = account;
    let own = view.account(name).filter(|_| view.running)?;
    let started_at = facts.bridge.started_at?;
    let since = record.last_success_at.map_or(started_at, |at| at.max(started_at));
    if now.since(since) < LISTING_LATE + own.poll_interval * 2 {
        return None;
    }
    let requested = account.requested_at.is_some_and(|at| now.since(at) < REQUESTED_LATELY);
    let kind = match (record.baseline_at, requested) {
        (None, _) => ProblemKind::BaselineIncomplete,
        (Some(_), false) => ProblemKind::ListingIncomplete,
        // Pages come in and are routed; it is only long.
        (Some(_), true) => return None,
    };
    let why = match record.hold_until {
        until if until > now => format!("; ShopReviews asked for a pause until {}", minute(until)),
        _ => String::new(),
    };
    let which = if kind == ProblemKind::BaselineIncomplete { "the first listing" } else { "a listing" };
    let text = format!("{which} of account `{name}` has not ended since {}{why}", minute(since));
    let hint = format!(
        "see `review-bridge status`; for long lists, raise `accounts.{name}.requests_per_minute` as far as \
         ShopReviews allows"
    );
    Some(Problem::new(kind, name, Some(since), text, hint))
}

/// Marks that are due and that nobody tries.
fn starved(account: &AccountFacts, facts: &ProblemFacts, view: &View, now: Timestamp) -> Option<Problem> {
    let name = &account.name;
    view.account(name).filter(|own| own.marks && view.running)?;
    let since = account.mark_due_at?.max(facts.bridge.started_at?);
    if now.since(since) < MARKS_LATE {
        return None;
    }
    let text = format!("reviews of account `{name}` have been due to be marked read since {}", minute(since));
    let hint = format!(
        "raise `accounts.{name}.requests_per_minute`, or `poll_interval`; `review-bridge status` shows how many \
         are due"
    );
    Some(Problem::new(ProblemKind::MarksStarved, name, Some(since), text, hint))
}

fn new_token(account: &str, view: &View) -> String {
    let key = view.account(account).map_or("token", |own| own.credential.as_str());
    match key {
        "password" | "password_file" => format!(
            "check that `accounts.{account}.email` and `accounts.{account}.{key}` still log in to ShopReviews; a \
             new value is used within seconds"
        ),
        _ => {
            let place = if key == "token_file" {
                format!("the file that `accounts.{account}.token_file` names")
            } else {
                format!("`accounts.{account}.{key}`")
            };
            format!(
                "generate a new API token in the ShopReviews dashboard (Generate API token) and put it in {place}: \
                 it is used within seconds"
            )
        }
    }
}

fn of_destination(
    record: &DestinationRecord,
    facts: &ProblemFacts,
    view: &View,
    now: Timestamp,
) -> Option<Problem> {
    let name = &record.name;
    view.destinations.get(name)?;
    let waits = facts.queues.iter().any(|queue| {
        queue.destination == *name && (queue.due_since.is_some() || queue.tried_since.is_some())
    });
    if let Some(since) = record.paused_at {
        if !waits || now.since(since) < PAUSED_FOR_LONG {
            return None;
        }
        let text =
            format!("destination `{name}` has been paused since {}, and reviews are queued", minute(since));
        let hint = format!("run `review-bridge destinations resume {name}`");
        return Some(Problem::new(ProblemKind::PausedForLong, name, Some(since), text, hint));
    }
    let health = &record.health;
    let since = health.since.map(|since| format!(" since {}", minute(since))).unwrap_or_default();
    let detail = one_line(health.detail.as_deref().unwrap_or("the reason is unknown"), 500);
    let (kind, text, hint) = match (health.state, health.reason) {
        (HealthState::Broken, _) => (
            ProblemKind::DestinationBroken,
            format!("destination `{name}` has been broken{since}: {detail}"),
            format!(
                "fix it, then run `review-bridge destinations resume {name}`; it is also retried every 15 minutes"
            ),
        ),
        (HealthState::Failing, Some(Reason::Quota)) => (
            ProblemKind::DestinationFailing,
            format!("the sending limit of destination `{name}` has been reached{since}: {detail}"),
            "wait, or raise the limit: it is probed hourly, and nothing is lost".to_owned(),
        ),
        (HealthState::Failing, _) => (
            ProblemKind::DestinationFailing,
            format!("destination `{name}` has been failing{since}: {detail}"),
            format!(
                "see whether its server works (`review-bridge check`); it is probed every few minutes, nothing is \
                 lost, and `review-bridge destinations resume {name}` probes it immediately"
            ),
        ),
        _ => return None,
    };
    Some(Problem::new(kind, name, health.since, text, hint))
}

/// Messages that could have been sent long ago, where nothing else explains it.
fn late(queue: &QueueFacts, facts: &ProblemFacts, view: &View, now: Timestamp) -> Option<Problem> {
    let name = &queue.destination;
    let record = facts.destinations.iter().find(|record| record.name == *name);
    let Some(own) = view.destinations.get(name) else {
        let since = queue.due_since.or(queue.tried_since)?;
        let text = format!("reviews are queued for `{name}`, which is no longer in the configuration");
        let hint = format!(
            "add it to the configuration again, or run `review-bridge deliveries retry --state dead --destination \
             {name} --to OTHER` once they are dead letters"
        );
        return Some(Problem::new(ProblemKind::DeliveryLate, name, Some(since), text, hint));
    };
    if !view.running || record.is_some_and(|record| record.paused_at.is_some() || record.health.is_stopped())
    {
        return None;
    }
    let open_since = own
        .open_since?
        .max(record.map_or(Timestamp(0), |record| record.opened_at))
        .max(facts.bridge.started_at.unwrap_or_default());
    let working = queue.delivered_at.is_some_and(|at| now.since(at) < DELIVERED_LATELY);
    let due_since = queue.due_since.filter(|_| !working);
    let since = [due_since, queue.tried_since].into_iter().flatten().min()?.max(open_since);
    if now.since(since) < DELIVERY_LATE {
        return None;
    }
    let text =
        format!("reviews for destination `{name}` have been waiting to be sent since {}", minute(since));
    let hint = format!(
        "`review-bridge deliveries list --state pending --destination {name}` shows them, and `deliveries show` why"
    );
    Some(Problem::new(ProblemKind::DeliveryLate, name, Some(since), text, hint))
}

fn dead_letters(facts: &ProblemFacts) -> Vec<Problem> {
    let destinations: BTreeSet<&str> = facts.dead.iter().map(|dead| dead.destination.as_str()).collect();
    let problem = |name: &str| {
        let of: Vec<_> = facts.dead.iter().filter(|dead| dead.destination == name).collect();
        let total: u64 = of.iter().map(|dead| dead.count).sum();
        let reasons = of.iter().map(|dead| match dead.reason {
            Some(reason) => format!("{} {}", dead.count, words::of_reason(reason)),
            None => format!("{} for an unknown reason", dead.count),
        });
        let reasons = reasons.collect::<Vec<_>>().join(", ");
        let messages = counted(total, "message", "messages");
        let text = format!("{messages} to `{name}` could not be delivered ({reasons})");
        let hint = format!(
            "see `review-bridge deliveries list --state dead --destination {name}`; fix the cause, then run \
             `review-bridge deliveries retry --state dead --destination {name}`"
        );
        Problem::new(ProblemKind::DeadLetters, name, None, text, hint)
    };
    destinations.into_iter().map(problem).collect()
}

fn of_reviews(facts: &ProblemFacts, now: Timestamp) -> Vec<Problem> {
    let mut problems = Vec::new();
    for Tally { subject, count, .. } in &facts.marked_yet_listed {
        let (reviews, were) =
            (counted(*count, "review", "reviews"), if *count == 1 { "was" } else { "were" });
        let text = format!("{reviews} of account `{subject}` {were} marked read, yet still listed as unread");
        let hint =
            "check in ShopReviews whether marking shows, and whether the token belongs to the right user";
        problems.push(Problem::new(ProblemKind::MarksWithoutEffect, subject, None, text, hint.into()));
    }
    for Tally { subject, count, .. } in &facts.malformed {
        let items = counted(*count, "item", "items");
        let text = format!("{items} of account `{subject}` without a usable uuid: stored, but not routed");
        let hint = "see `review-bridge reviews list --state malformed`";
        problems.push(Problem::new(ProblemKind::MalformedReviews, subject, None, text, hint.into()));
    }
    // Names may still be on their way.
    let undecided = facts.undecided.iter();
    for Tally { subject, count, since } in
        undecided.filter(|tally| tally.since.is_none_or(|since| now.since(since) >= UNDECIDED_FOR))
    {
        let reviews = counted(*count, "review", "reviews");
        let text = format!("{reviews} of account `{subject}` matched no rule because the source is unknown");
        let hint = "see `review-bridge reviews list --state unmatched`, and the sources in ShopReviews";
        problems.push(Problem::new(ProblemKind::UndecidedReviews, subject, *since, text, hint.into()));
    }
    problems
}

fn stale(account: &AccountFacts, now: Timestamp) -> Vec<Problem> {
    let sources = account.catalog.iter().flat_map(|catalog| catalog.sources.values());
    let problem = |source: &Source| {
        // Without a reading at all it was never connected: nothing is missed.
        let last = source.last_sync_at?;
        source.next_sync_at.filter(|at| now.since(*at) >= STALE_AFTER)?;
        let text = format!(
            "ShopReviews has not read source `{}` of account `{}` since {}, more than a day longer than planned",
            one_line(&source.named.name, 100),
            account.name,
            minute(last)
        );
        let hint = "see the source in ShopReviews: it may need to be connected again";
        let subject = format!("{}/{}", account.name, source.named.uuid);
        Some(Problem::new(ProblemKind::SourceStale, &subject, Some(last), text, hint.into()))
    };
    sources.filter_map(problem).collect()
}

/// An edited configuration that is refused.
fn refused(facts: &ProblemFacts) -> Option<Problem> {
    let since = facts.bridge.refused_at?;
    let why = facts.bridge.refused_why.as_deref().unwrap_or_default();
    let active = facts.bridge.loaded_at.map(|at| format!(" of {}", minute(at))).unwrap_or_default();
    let text = format!(
        "the edited configuration is refused since {}, and the bridge runs with the configuration{active}: {}",
        minute(since),
        one_line(why, 1_000)
    );
    let hint =
        "fix it; it is then reloaded within seconds. `review-bridge check` shows every error".to_owned();
    Some(Problem::new(ProblemKind::ConfigurationRefused, "configuration", Some(since), text, hint))
}

#[cfg(test)]
#[path = "problem_tests.rs"]
mod tests;
