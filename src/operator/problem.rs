//! What counts as a problem, and how notices word its start and its end. Pure: facts in, problems out.

use crate::clock::{in_words, minute};
use crate::domain::{ProblemKind, Source, Timestamp};
use crate::store::{AccountFacts, DestinationRecord, ProblemFacts, ProblemKey, ProblemRecord, Tally};
use crate::upstream::ErrorName;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// Failed polls in a row that are a problem.
const FAILED_POLLS: u32 = 5;
/// How long a destination is broken before that is a problem.
const BROKEN_FOR: Duration = Duration::from_secs(15 * 60);
/// How long before its end an expiring token is a problem.
const TOKEN_WARNING: Duration = Duration::from_secs(7 * 86_400);
/// How long past its planned reading a source is stale.
const STALE_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Whether the operator is notified again where a problem of this kind grows.
pub fn grows(kind: ProblemKind) -> bool {
    use ProblemKind::{DeadLetters, MalformedReviews, UndecidedReviews};
    matches!(kind, DeadLetters | MalformedReviews | UndecidedReviews)
}

/// Whether the subject of this kind is a destination.
pub fn is_about_destination(kind: ProblemKind) -> bool {
    use ProblemKind::{DeadLetters, DestinationBroken, TemplateFailed};
    matches!(kind, DestinationBroken | DeadLetters | TemplateFailed)
}

/// A problem as its notice words it: kind, subject, what happened, what to do.
type Worded = super::names::Worded;

/// All problems there are now. `fallbacks` are templates that failed, by destination.
pub fn assess(
    facts: &ProblemFacts,
    fallbacks: &BTreeMap<String, String>,
    now: Timestamp,
) -> Vec<ProblemRecord> {
    let mut problems = Vec::new();
    for account in &facts.accounts {
        problems.extend(of_account(account, now));
    }
    for record in &facts.destinations {
        problems.extend(broken(record, facts, now));
    }
    problems.extend(dead_letters(facts));
    problems.extend(of_reviews(facts));
    problems.extend(super::names::assess(facts));
    for account in &facts.accounts {
        problems.extend(stale(account, now));
    }
    for (destination, error) in fallbacks {
        let text =
            format!("a template of `{destination}` failed, so the built-in plain form was sent: {error}");
        let hint = "fix the template".to_owned();
        problems.push((ProblemKind::TemplateFailed, destination.clone(), text, hint));
    }
    let record = |(kind, subject, text, hint)| ProblemRecord { kind, subject, text, hint, notified_at: now };
    problems.into_iter().map(record).collect()
}

fn of_account(account: &AccountFacts, now: Timestamp) -> Vec<Worded> {
    let AccountFacts { name, record, .. } = account;
    let mut problems: Vec<Worded> = polls(account).into_iter().collect();
    if let Some(at) = record.token_expires_at.filter(|at| *at <= now.plus(TOKEN_WARNING)) {
        let text = format!("the token of account `{name}` expires at {}", minute(at));
        problems.push((ProblemKind::TokenExpiring, name.clone(), text, new_token(name)));
    }
    if let Some(error) = &record.mark_error {
        let text = format!("reviews of account `{name}` cannot be marked read: {error}");
        let hint = format!(
            "fix `accounts.{name}.endpoints.mark_review_read`; marking is then retried automatically"
        );
        problems.push((ProblemKind::MarksFailing, name.clone(), text, hint));
    }
    problems
}

fn polls(account: &AccountFacts) -> Option<Worded> {
    let AccountFacts { name, record, .. } = account;
    if record.failed_polls == 0 {
        return None;
    }
    let since = record.failing_since.map(|since| format!(" since {}", minute(since))).unwrap_or_default();
    if record.last_error_kind == Some(ErrorName::Unauthenticated) {
        let text =
            format!("ShopReviews refuses the token of account `{name}`; no reviews can be read{since}");
        return Some((ProblemKind::TokenRefused, name.clone(), text, new_token(name)));
    }
    if record.failed_polls < FAILED_POLLS {
        return None;
    }
    let error = record.last_error.as_deref().unwrap_or_default();
    let text = format!("reviews of account `{name}` cannot be read{since}: {error}");
    let hint = "the bridge keeps retrying, and no review is lost; see `review-bridge status` and \
                `review-bridge check`";
    Some((ProblemKind::PollsFailing, name.clone(), text, hint.into()))
}

fn new_token(account: &str) -> String {
    format!(
        "generate a new API token in the ShopReviews dashboard (Generate API token) and put it in \
         `accounts.{account}.token`, or in the file that `accounts.{account}.token_file` names: it is used \
         within seconds. If the account logs in, check its `email` and `password`"
    )
}

fn broken(record: &DestinationRecord, facts: &ProblemFacts, now: Timestamp) -> Option<Worded> {
    let since = record.health.since.filter(|at| record.is_broken() && now.since(*at) >= BROKEN_FOR)?;
    let name = &record.name;
    let queued = match queued_for(facts, name) {
        0 => String::new(),
        1 => ", and 1 review is queued for it".to_owned(),
        count => format!(", and {count} reviews are queued for it"),
    };
    let detail = record.health.detail.as_deref().unwrap_or_default();
    let text = format!("destination `{name}` has been broken since {}{queued}: {detail}", minute(since));
    let hint = format!(
        "fix it, then run `review-bridge destinations resume {name}`; it is also retried every 15 minutes"
    );
    Some((ProblemKind::DestinationBroken, name.clone(), text, hint))
}

fn dead_letters(facts: &ProblemFacts) -> Vec<Worded> {
    let destinations: BTreeSet<&str> = facts.dead.iter().map(|dead| dead.destination.as_str()).collect();
    let problem = |name: &str| {
        let of: Vec<_> = facts.dead.iter().filter(|dead| dead.destination == name).collect();
        let total: u64 = of.iter().map(|dead| dead.count).sum();
        let reasons: Vec<String> = of
            .iter()
            .filter_map(|dead| Some(format!("{} {}", dead.count, dead.reason?.as_str().replace('_', " "))))
            .collect();
        let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) };
        let text =
            format!("{} to `{name}` could not be delivered{reasons}", counted(total, "message", "messages"));
        let hint = format!("see `review-bridge deliveries list --state dead --destination {name}`");
        (ProblemKind::DeadLetters, name.to_owned(), text, hint)
    };
    destinations.into_iter().map(problem).collect()
}

fn of_reviews(facts: &ProblemFacts) -> Vec<Worded> {
    let mut problems = Vec::new();
    for Tally { subject, count } in &facts.marked_yet_listed {
        let (reviews, were) =
            (counted(*count, "review", "reviews"), if *count == 1 { "was" } else { "were" });
        let text = format!("{reviews} of account `{subject}` {were} marked read, yet still listed as unread");
        let hint =
            "check in ShopReviews whether marking shows, and whether the token belongs to the right user";
        problems.push((ProblemKind::MarksWithoutEffect, subject.clone(), text, hint.into()));
    }
    for Tally { subject, count } in &facts.malformed {
        let items = counted(*count, "item", "items");
        let text = format!("{items} of account `{subject}` without a usable uuid: stored, but not routed");
        let hint = "see `review-bridge reviews list --state malformed`";
        problems.push((ProblemKind::MalformedReviews, subject.clone(), text, hint.into()));
    }
    for Tally { subject, count } in &facts.undecided {
        let reviews = counted(*count, "review", "reviews");
        let text = format!("{reviews} of account `{subject}` matched no rule because the source is unknown");
        let hint = "see `review-bridge reviews list --state unmatched`, and the sources in ShopReviews";
        problems.push((ProblemKind::UndecidedReviews, subject.clone(), text, hint.into()));
    }
    problems
}

fn stale(account: &AccountFacts, now: Timestamp) -> Vec<Worded> {
    let sources = account.catalog.iter().flat_map(|catalog| catalog.sources.values());
    let problem = |source: &Source| {
        // Without a reading at all it was never connected: nothing is missed.
        let last = source.last_sync_at?;
        source.next_sync_at.filter(|at| now.since(*at) >= STALE_AFTER)?;
        let text = format!(
            "ShopReviews has not read source `{}` of account `{}` since {}, more than a day longer than planned",
            source.named.name,
            account.name,
            minute(last)
        );
        let hint = "check the source in ShopReviews: it may need to be connected again";
        let subject = format!("{}/{}", account.name, source.named.uuid);
        Some((ProblemKind::SourceStale, subject, text, hint.to_owned()))
    };
    sources.filter_map(problem).collect()
}

/// How far a problem reaches, for the notice of its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Since when there is one, where that is known.
    pub since: Option<Timestamp>,
    /// Reviews that are queued because of it.
    pub queued: u64,
}

/// How far the problem `key` reaches.
pub fn extent(facts: &ProblemFacts, key: &ProblemKey) -> Extent {
    let account = || facts.accounts.iter().find(|account| account.name == key.subject);
    let destination = || facts.destinations.iter().find(|record| record.name == key.subject);
    match key.kind {
        ProblemKind::TokenRefused | ProblemKind::PollsFailing => {
            Extent { since: account().and_then(|account| account.record.failing_since), queued: 0 }
        }
        ProblemKind::DestinationBroken => Extent {
            since: destination().and_then(|record| record.health.since),
            queued: queued_for(facts, &key.subject),
        },
        _ => Extent::default(),
    }
}

/// How the end of the problem `key` is worded, which reached as far as `extent`. `is_configured` says whether its
/// account or destination still is: one that was removed does not work again.
pub fn resolved(
    facts: &ProblemFacts,
    key: &ProblemKey,
    extent: Extent,
    is_configured: bool,
    now: Timestamp,
) -> String {
    let subject = &key.subject;
    let what = if is_about_destination(key.kind) { "destination" } else { "account" };
    let (account, source) = subject.split_once('/').unwrap_or((subject, ""));
    if !is_configured {
        return format!("{what} `{account}` is no longer configured");
    }
    let after =
        extent.since.map(|since| format!(" after {}", in_words(now.since(since)))).unwrap_or_default();
    match key.kind {
        ProblemKind::TokenRefused => {
            format!("ShopReviews accepts the token of account `{subject}` again{after}")
        }
        ProblemKind::PollsFailing => format!("reviews of account `{subject}` are read again{after}"),
        ProblemKind::TokenExpiring => {
            format!("the token of account `{subject}` no longer expires within a week")
        }
        ProblemKind::MarksFailing => format!("reviews of account `{subject}` are marked read again"),
        ProblemKind::MarksWithoutEffect => {
            format!("all reviews of account `{subject}` that were marked read are off its unread list")
        }
        ProblemKind::DestinationBroken => {
            let queued = match extent.queued {
                0 => String::new(),
                1 => "; the review that was queued for it is being sent".to_owned(),
                count => format!("; the {count} reviews that were queued for it are being sent"),
            };
            format!("destination `{subject}` works again{after}{queued}")
        }
        ProblemKind::DeadLetters => format!("no undelivered messages to `{subject}` are left"),
        ProblemKind::MalformedReviews => {
            format!("account `{subject}` has no items without a usable uuid any more")
        }
        ProblemKind::UndecidedReviews => format!("account `{subject}` has no undecided reviews any more"),
        ProblemKind::RatingsUnreadable => {
            format!("the ratings of account `{subject}` are within their scales")
        }
        ProblemKind::ScaleLearnt => format!("the rating scales of account `{subject}` are set or documented"),
        ProblemKind::UnknownNames => {
            format!("all names in the configuration exist in account `{subject}`, or are no longer used")
        }
        ProblemKind::SourceStale => {
            let name = name_of(facts, account, source);
            format!("ShopReviews reads source `{name}` of account `{account}` again")
        }
        ProblemKind::TemplateFailed => format!("the templates of `{subject}` were reloaded"),
    }
}

/// The name of a source; its uuid where it has gone.
fn name_of<'a>(facts: &'a ProblemFacts, account: &str, source: &'a str) -> &'a str {
    let account = facts.accounts.iter().find(|known| known.name == account);
    let source_of = |account: &'a AccountFacts| account.catalog.as_ref()?.sources.get(source);
    account.and_then(source_of).map_or(source, |source| source.named.name.as_str())
}

fn queued_for(facts: &ProblemFacts, destination: &str) -> u64 {
    facts.queued.iter().find(|tally| tally.subject == destination).map_or(0, |tally| tally.count)
}

fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
#[path = "problem_tests.rs"]
mod tests;
