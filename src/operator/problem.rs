//! What counts as problem. Pure: facts in, problems out.

use crate::domain::Timestamp;
use crate::store::{AccountRecord, DestinationRecord, ProblemFacts, ProblemRecord};
use std::collections::BTreeMap;
use std::time::Duration;

/// Failed polls in a row that are a problem.
const FAILED_POLLS: u32 = 5;
/// How long a destination is broken before that is a problem.
const BROKEN_FOR: Duration = Duration::from_secs(15 * 60);
/// How long ahead the end of a token is told.
const TOKEN_WARNING: Duration = Duration::from_secs(7 * 86_400);
/// How long past its planned reading a source is stale.
const STALE_AFTER: Duration = Duration::from_secs(24 * 3600);

/// Every kind of problem; docs/operations.md has a row for each.
pub const KINDS: &[&str] = &[
    "token_refused",
    "token_expiring",
    "polls_failing",
    "marks_failing",
    "marks_without_effect",
    "destination_broken",
    "dead_letters",
    "malformed_reviews",
    "undecided_reviews",
    "source_stale",
    "template_failed",
];

/// Whether trouble of this kind is told again where there is more of it.
pub fn grows(kind: &str) -> bool {
    matches!(kind, "dead_letters" | "malformed_reviews" | "undecided_reviews")
}

/// Whether the subject of this kind is a destination.
pub fn is_about_destination(kind: &str) -> bool {
    matches!(kind, "destination_broken" | "dead_letters" | "template_failed")
}

/// All problem there is now. `fallbacks` are templates that failed, by destination.
pub fn assess(
    facts: &ProblemFacts,
    fallbacks: &BTreeMap<String, String>,
    now: Timestamp,
) -> Vec<ProblemRecord> {
    let mut problems = Vec::new();
    let mut add = |kind: &str, subject: &str, text: String, hint: String| {
        problems.push(ProblemRecord {
            kind: kind.into(),
            subject: subject.into(),
            text,
            hint,
            notified_at: now,
        });
    };
    for (account, record) in &facts.accounts {
        if let Some((kind, text, hint)) = polls(account, record) {
            add(kind, account, text, hint);
        }
        if record.token_expires_at.is_some_and(|at| at <= now.plus(TOKEN_WARNING)) {
            let text = format!("the token of account `{account}` expires within a week");
            add("token_expiring", account, text, new_token(account));
        }
        if let Some(error) = &record.mark_error {
            let text = format!("reviews of account `{account}` cannot be marked read: {error}");
            let hint = format!("correct `accounts.{account}.endpoints.mark_review_read`; marks stay due");
            add("marks_failing", account, text, hint);
        }
    }
    for record in &facts.destinations {
        if let Some((text, hint)) = broken(record, now) {
            add("destination_broken", &record.name, text, hint);
        }
    }
    for (destination, count, _) in &facts.dead {
        let text = format!("{} to `{destination}` could not be delivered", letters(*count));
        let hint = format!("see `review-bridge deliveries list --state dead --destination {destination}`");
        add("dead_letters", destination, text, hint);
    }
    for (account, count) in &facts.marked_yet_listed {
        let text = format!("{count} of account `{account}` marked read, yet still listed as unread");
        let hint =
            "see whether marking shows in ShopReviews, and whether the user of the token is the right one";
        add("marks_without_effect", account, text, hint.into());
    }
    for (account, count, _) in &facts.malformed {
        let text = format!("{count} of account `{account}` without a usable uuid: kept, but not routed");
        let hint = "see `review-bridge reviews list --state malformed`";
        add("malformed_reviews", account, text, hint.into());
    }
    for (account, count, _) in &facts.undecided {
        let text = format!("{count} of account `{account}` matched no rule, for their source is unknown");
        let hint = "see `review-bridge reviews list --state unmatched`, and the sources in ShopReviews";
        add("undecided_reviews", account, text, hint.into());
    }
    for (account, source, text) in stale(facts, now) {
        let hint = "see the source in ShopReviews: it may need to be connected again";
        add("source_stale", &format!("{account}/{source}"), text, hint.into());
    }
    for (destination, error) in fallbacks {
        let text = format!("a template of `{destination}` failed; the plain form was sent: {error}");
        add("template_failed", destination, text, "correct the template".into());
    }
    problems
}

fn polls(account: &str, record: &AccountRecord) -> Option<(&'static str, String, String)> {
    let error = record.last_error.as_deref().unwrap_or_default();
    if record.failed_polls == 0 {
        return None;
    }
    if record.last_error_kind.as_deref() == Some("unauthenticated") {
        let text = format!("ShopReviews refuses the token of account `{account}`: {error}");
        return Some(("token_refused", text, new_token(account)));
    }
    if record.failed_polls < FAILED_POLLS {
        return None;
    }
    let text = format!("reviews of account `{account}` cannot be read: {error}");
    let hint = "it goes on trying, and nothing is lost; see `review-bridge status` and `review-bridge check`";
    Some(("polls_failing", text, hint.into()))
}

fn new_token(account: &str) -> String {
    format!(
        "make a new one in ShopReviews (dashboard, Generate API token), put it in \
         `accounts.{account}.token_file`: it is used at once"
    )
}

fn broken(record: &DestinationRecord, now: Timestamp) -> Option<(String, String)> {
    let since = record.broken_at.filter(|at| now.since(*at) >= BROKEN_FOR)?;
    let detail = record.broken_detail.as_deref().unwrap_or_default();
    let minutes = now.since(since).as_secs() / 60;
    let name = &record.name;
    let span = if minutes < 120 { "15 minutes" } else { "hours" };
    let text = format!("destination `{name}` has not worked for {span}: {detail}");
    let hint = format!(
        "what is meant for it waits; mend it, then `review-bridge destinations resume {name}` (it is also \
         tried every 15 minutes)"
    );
    Some((text, hint))
}

fn letters(count: u64) -> String {
    if count == 1 { "1 message".into() } else { format!("{count} messages") }
}

fn stale(facts: &ProblemFacts, now: Timestamp) -> Vec<(&str, &str, String)> {
    let mut stale = Vec::new();
    for (account, catalog) in &facts.catalogs {
        for source in catalog.sources.values() {
            let late = source.next_sync_at.is_some_and(|at| now.since(at) >= STALE_AFTER);
            // Without a reading at all it was never connected: nothing is missed.
            if late && source.last_sync_at.is_some() {
                let name = &source.named.name;
                let text = format!(
                    "ShopReviews has not read source `{name}` of account `{account}` for a day longer than planned"
                );
                stale.push((account.as_str(), source.named.uuid.as_str(), text));
            }
        }
    }
    stale
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(facts: &ProblemFacts, now: Timestamp) -> Vec<String> {
        assess(facts, &BTreeMap::new(), now).into_iter().map(|problem| problem.kind).collect()
    }

    fn account(failed_polls: u32, kind: &str) -> ProblemFacts {
        let record = AccountRecord {
            failed_polls,
            last_error_kind: Some(kind.into()),
            last_error: Some("503".into()),
            ..AccountRecord::default()
        };
        ProblemFacts { accounts: vec![("main".into(), record)], ..ProblemFacts::default() }
    }

    #[test]
    fn polls_are_trouble_from_the_fifth_failure_a_refused_token_at_once() {
        assert!(kinds(&account(4, "unavailable"), Timestamp(0)).is_empty());
        assert_eq!(kinds(&account(5, "unavailable"), Timestamp(0)), ["polls_failing"]);
        assert_eq!(kinds(&account(1, "unauthenticated"), Timestamp(0)), ["token_refused"]);
    }

    #[test]
    fn a_destination_is_trouble_after_fifteen_minutes() {
        let record = DestinationRecord {
            name: "support".into(),
            broken_at: Some(Timestamp(0)),
            ..DestinationRecord::default()
        };
        let facts = ProblemFacts { destinations: vec![record], ..ProblemFacts::default() };
        assert!(kinds(&facts, Timestamp(0).plus(BROKEN_FOR - Duration::from_secs(1))).is_empty());
        assert_eq!(kinds(&facts, Timestamp(0).plus(BROKEN_FOR)), ["destination_broken"]);
    }
}
