//! How notices word the course of a problem: its start, that it lasts, its end. Pure.

use super::problem::{View, account_of};
use crate::clock::in_words;
use crate::domain::{Concern, ProblemKind, Reason, Timestamp};
use crate::store::{AccountFacts, Backlog, ProblemFacts, ProblemKey, ProblemRecord};

/// `1 review`, `3 reviews`.
pub fn counted(count: u64, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Why messages could not be delivered, as it follows their number.
pub fn of_reason(reason: Reason) -> String {
    match reason {
        Reason::GaveUp => "given up after `give_up_after`".into(),
        Reason::PayloadRefused => "refused as they are (payload refused)".into(),
        Reason::TooLarge => "too large".into(),
        Reason::RecipientUnknown => "for an unknown recipient".into(),
        Reason::DestinationRemoved => "for a destination that was removed".into(),
        Reason::RenderFailed => "that could not be rendered".into(),
        reason => reason.as_str().replace('_', " "),
    }
}

/// What a notice of the start says, with what is `waiting` because of it.
pub fn started(problem: &ProblemRecord, waiting: u64) -> String {
    format!("{}{}", problem.text.trim_end_matches('.'), queued(waiting))
}

/// What a reminder says.
pub fn lasting(problem: &ProblemRecord, waiting: u64, now: Timestamp) -> String {
    let since = in_words(now.since(problem.since));
    format!("this has lasted for {since}: {}{}", problem.text.trim_end_matches('.'), queued(waiting))
}

/// How many reviews are queued because of a problem, as a sentence after its text.
pub fn queued(waiting: u64) -> String {
    match waiting {
        0 => String::new(),
        1 => ". 1 review is queued".into(),
        count => format!(". {count} reviews are queued"),
    }
}

/// What a notice of the end of `problem` says, `backlog` being what had waited because of it. What was removed from
/// the configuration does not work again.
pub fn resolved(
    facts: &ProblemFacts,
    view: &View,
    problem: &ProblemRecord,
    backlog: Backlog,
    now: Timestamp,
) -> String {
    let ProblemKey { kind, subject } = &problem.key();
    let (account, source) = subject.split_once('/').unwrap_or((subject, ""));
    let gone = match kind.concern() {
        Concern::Destination => {
            (!view.destinations.contains_key(subject)).then(|| format!("destination `{subject}`"))
        }
        Concern::Account | Concern::Source => {
            (!view.has_account(account_of(subject))).then(|| format!("account `{account}`"))
        }
        Concern::Bridge => None,
    };
    if let Some(what) = gone {
        return format!("{what} is no longer in the configuration");
    }
    let after = format!(" after {}", in_words(problem.over_at.unwrap_or(now).since(problem.since)));
    match kind {
        ProblemKind::TokenRefused => {
            format!("ShopReviews accepts the credentials of account `{subject}` again{after}")
        }
        ProblemKind::PollsFailing | ProblemKind::ListingIncomplete => {
            format!("reviews of account `{subject}` are read again{after}")
        }
        ProblemKind::BaselineIncomplete => {
            format!("the first listing of account `{subject}` has ended{after}")
        }
        ProblemKind::TokenExpiring => {
            format!("the token of account `{subject}` no longer expires within a week")
        }
        ProblemKind::MarksFailing | ProblemKind::MarksStarved => {
            format!("reviews of account `{subject}` are marked read again{after}")
        }
        ProblemKind::MarksWithoutEffect => {
            format!("all reviews of account `{subject}` that were marked read are off its unread list")
        }
        ProblemKind::DestinationBroken | ProblemKind::DestinationFailing | ProblemKind::DeliveryLate => {
            of_destination(facts, subject, &after, backlog)
        }
        ProblemKind::PausedForLong => format!("destination `{subject}` is no longer paused{}", sent(backlog)),
        ProblemKind::DeadLetters => format!("no undelivered messages to `{subject}` are left"),
        ProblemKind::MalformedReviews => {
            format!("account `{subject}` has no items without a usable uuid any more")
        }
        ProblemKind::UndecidedReviews => format!("account `{subject}` has no undecided reviews any more"),
        ProblemKind::SourceStale => {
            let name = name_of(facts, account, source);
            format!("ShopReviews reads source `{name}` of account `{account}` again")
        }
        ProblemKind::TemplateFailed => format!("the templates of `{subject}` were reloaded"),
        ProblemKind::State => format!("the state can be read and written again{after}"),
        ProblemKind::ConfigurationRefused => format!("the edited configuration is accepted{after}"),
        ProblemKind::RatingsUnreadable => {
            format!("the newest ratings of account `{subject}` are all within their scales")
        }
        ProblemKind::ScaleLearnt => format!("the rating scales of account `{subject}` are settled"),
        ProblemKind::UnknownNames => {
            format!("account `{subject}`: every name in the rules is the name of something again")
        }
    }
}

fn of_destination(facts: &ProblemFacts, name: &str, after: &str, backlog: Backlog) -> String {
    let record = facts.destinations.iter().find(|record| record.name == name);
    if record.is_some_and(|record| record.paused_at.is_some()) {
        return format!("destination `{name}` was paused by a person{after}; its messages stay queued");
    }
    format!("destination `{name}` works again{after}{}", sent(backlog))
}

/// What became of the reviews that had waited.
fn sent(Backlog { waiting, sent }: Backlog) -> String {
    match (sent, waiting) {
        (0, 0) => String::new(),
        (0, 1) => "; 1 review is still queued and is being sent".into(),
        (0, more) => format!("; {more} reviews are still queued and are being sent"),
        (1, 0) => "; the review that was queued was sent".into(),
        (sent, 0) => format!("; {sent} waiting reviews were sent"),
        (sent, more) => {
            let were = if sent == 1 { "review was" } else { "reviews were" };
            let are = if more == 1 { "is" } else { "are" };
            format!("; {sent} waiting {were} sent, {more} more {are} queued")
        }
    }
}

/// The name of a source; its uuid where it has gone.
fn name_of<'a>(facts: &'a ProblemFacts, account: &str, source: &'a str) -> &'a str {
    let account = facts.accounts.iter().find(|known| known.name == account);
    let source_of = |account: &'a AccountFacts| account.catalog.as_ref()?.sources.get(source);
    account.and_then(source_of).map_or(source, |source| source.named.name.as_str())
}
