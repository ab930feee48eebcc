//! What the log says of attempts and pauses. Nothing is formatted where the log leaves it out.

use super::worker::Sent;
use crate::clock::rfc3339;
use crate::domain::{DeliveryState, HealthState, NativeRating, Rating, Reason, Subject, Timestamp};
use crate::store::{DestinationRecord, Leased, LeasedReview, Settlement};
use std::collections::HashMap;
use std::fmt;
use tracing::{Span, field};

/// The span of an attempt.
pub(super) fn span(message: &Leased) -> Span {
    let span = tracing::error_span!(
        "attempt",
        destination = %message.destination,
        message_id = %message.id,
        attempt = message.attempt,
        review = field::Empty,
    );
    if let [only] = &*message.reviews {
        span.record("review", field::display(&only.review.uuid));
    }
    span
}

/// How an attempt ended. That a probe of a destination that `was_stopped` fails is no news.
pub(super) fn attempt(sent: &Sent, settlement: &Settlement, was_stopped: bool) {
    match settlement.state {
        DeliveryState::Delivered => delivered(sent, settlement),
        DeliveryState::Pending if was_stopped => probed(settlement),
        DeliveryState::Superseded => split(sent, settlement),
        _ => failed(sent, settlement),
    }
    if let Some(fallback) = &sent.fallback {
        tracing::warn!(
            destination = %settlement.destination,
            message_id = %settlement.id,
            error = %fallback,
            "a template failed, so the built-in plain form was sent"
        );
    }
}

fn delivered(sent: &Sent, settlement: &Settlement) {
    let Settlement { destination, id, number, .. } = settlement;
    let outcome = settlement.attempt.outcome.as_str();
    let took_ms = u64::try_from(sent.duration.as_millis()).unwrap_or(u64::MAX);
    let mut reviews = sent.message.iter().flat_map(|message| message.content.reviews());
    match (&*sent.leased.reviews, reviews.next()) {
        ([LeasedReview { review, .. }], Some((subject, rules))) => tracing::info!(
            destination = %destination,
            review = %review.uuid,
            rating = %Stars(&subject.rating),
            website = %Websites(subject),
            rule = %Joined(|| rules.iter().map(|hit| hit.rule.as_str())),
            message_id = %id,
            attempt = number,
            outcome = %outcome,
            took_ms,
            "sent"
        ),
        (many, _) => tracing::info!(
            destination = %destination,
            kind = %sent.leased.kind.as_str(),
            reviews = many.len(),
            message_id = %id,
            attempt = number,
            outcome = %outcome,
            took_ms,
            "sent"
        ),
    }
}

fn probed(settlement: &Settlement) {
    let Settlement { destination, id, number, attempt, .. } = settlement;
    let reason = attempt.outcome.reason().map_or("", Reason::as_str);
    tracing::debug!(
        destination = %destination,
        message_id = %id,
        attempt = number,
        reason = %reason,
        detail = %attempt.detail,
        "a probe failed"
    );
}

fn split(sent: &Sent, settlement: &Settlement) {
    let Settlement { destination, id, number, attempt, .. } = settlement;
    tracing::warn!(
        destination = %destination,
        kind = %sent.leased.kind.as_str(),
        reviews = sent.leased.reviews.len(),
        message_id = %id,
        attempt = number,
        detail = %attempt.detail,
        "too large for the destination: sent in two parts instead"
    );
}

fn failed(sent: &Sent, settlement: &Settlement) {
    let Settlement { destination, id, number, .. } = settlement;
    let outcome = settlement.attempt.outcome.as_str();
    let reason = settlement.reason.or(settlement.attempt.outcome.reason());
    let reason = reason.map_or("", Reason::as_str);
    let detail = &settlement.attempt.detail;
    let reviews = Joined(|| sent.leased.reviews.iter().take(NAMED).map(|one| one.review.uuid.as_str()));
    if settlement.state == DeliveryState::Pending {
        tracing::warn!(
            destination = %destination,
            kind = %sent.leased.kind.as_str(),
            review = %reviews,
            message_id = %id,
            attempt = number,
            outcome = %outcome,
            reason = %reason,
            next_at = %Time(next_at(settlement)),
            detail = %detail,
            "not sent, will be retried"
        );
    } else {
        tracing::warn!(
            destination = %destination,
            kind = %sent.leased.kind.as_str(),
            review = %reviews,
            message_id = %id,
            attempt = number,
            outcome = %outcome,
            reason = %reason,
            state = %settlement.state.as_str(),
            detail = %detail,
            "not sent, and not retried automatically"
        );
    }
}

/// Reviews of a message that are named where it fails.
const NAMED: usize = 5;

/// When the next attempt may be made: its destination may have to wait longer than the message.
fn next_at(settlement: &Settlement) -> Timestamp {
    settlement.hold.map_or(settlement.next_at, |until| settlement.next_at.max(until))
}

/// What changed of destinations between two readings of their states: a command pauses and resumes them in another
/// process.
pub(super) fn changes(
    before: &HashMap<String, DestinationRecord>,
    after: &HashMap<String, DestinationRecord>,
) {
    for (name, record) in after {
        let was = before.get(name);
        match (was.and_then(|record| record.paused_at), record.paused_at) {
            (None, Some(since)) => tracing::info!(
                destination = %name,
                since = %Time(since),
                "destination paused: its messages stay queued until it is resumed"
            ),
            (Some(_), None) => tracing::info!(destination = %name, "destination resumed"),
            _ => {}
        }
        let was = was.map(|record| record.health.state).unwrap_or_default();
        if was != record.health.state {
            health(name, was, record);
        }
    }
}

fn health(name: &str, was: HealthState, record: &DestinationRecord) {
    let health = &record.health;
    match health.state {
        HealthState::Failing | HealthState::Broken => tracing::warn!(
            destination = %name,
            state = %health.state.as_str(),
            reason = %health.reason.map_or("", Reason::as_str),
            since = %Time(health.since.unwrap_or_default()),
            next_at = %Time(health.probe_at.unwrap_or_default()),
            detail = %health.detail.as_deref().unwrap_or_default(),
            "destination is {}: its messages stay queued, and one at a time is retried",
            health.state.as_str()
        ),
        HealthState::Working if was.is_stopped() => {
            tracing::info!(destination = %name, was = %was.as_str(), "destination works again");
        }
        HealthState::Working | HealthState::Untried => {}
    }
}

/// A time, formatted only where it is shown.
struct Time(Timestamp);

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&rfc3339(self.0))
    }
}

/// `2/5`, or what the platform gave where that cannot be read.
struct Stars<'a>(&'a Rating);

impl fmt::Display for Stars<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.0.native, self.0.normalised) {
            (NativeRating::Number(number), Some(_)) => write!(f, "{number}/{}", self.0.scale),
            (NativeRating::Number(number), None) => write!(f, "unknown ({number})"),
            (NativeRating::Word(word), _) => f.write_str(word),
            (NativeRating::Missing, _) => f.write_str("none"),
        }
    }
}

/// The websites that show a review.
struct Websites<'a>(&'a Subject);

impl fmt::Display for Websites<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Joined(|| self.0.websites.iter().map(|website| website.name.as_str())).fmt(f)
    }
}

/// Texts with commas between them; `-` for none.
struct Joined<F>(F);

impl<'a, I: Iterator<Item = &'a str>, F: Fn() -> I> fmt::Display for Joined<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut texts = (self.0)();
        f.write_str(texts.next().unwrap_or("-"))?;
        texts.try_for_each(|text| write!(f, ", {text}"))
    }
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
