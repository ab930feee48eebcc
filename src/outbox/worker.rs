//! Sends one leased message: from its record to a payload to an attempt.

use super::Target;
use crate::clock::Stopwatch;
use crate::domain::{
    Attempt, Catalog, Content, Digest, Figures, Member, Message, MessageKind, Notice, Outcome, RatingScales,
    Reason, Subject, Summary,
};
use crate::store::{Gathered, Leased, LeasedReview, Window};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

/// A message whose attempt has ended.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) leased: Leased,
    pub(super) attempt: Attempt,
    pub(super) duration: Duration,
    /// Why the template could not be used, where the plain form was sent instead.
    pub(super) fallback: Option<String>,
    /// All steps of the wall clock when it began.
    pub(super) stepped_ms: i64,
    /// What was rendered; `None` where nothing of it is left in state.
    pub(super) message: Option<Message>,
}

impl Sent {
    /// Of a digest: what the next one is compared with.
    pub(super) fn figures(&self) -> Option<Figures> {
        match &self.message.as_ref()?.content {
            Content::Digest(digest) => Some(digest.figures()),
            _ => None,
        }
    }
}

/// What a message is rendered with.
#[derive(Clone, Debug)]
pub(super) struct AccountNames {
    pub(super) catalog: Arc<Catalog>,
    pub(super) scales: RatingScales,
}

/// Sends `leased` once.
pub(super) async fn send(
    target: Target,
    leased: Leased,
    names: HashMap<String, AccountNames>,
    problems: Vec<String>,
    stepped_ms: i64,
) -> Sent {
    let watch = Stopwatch::start();
    let message = message_of(&leased, &names, problems);
    let (attempt, fallback) = match &message {
        Some(message) => deliver(&target, message).await,
        None => (unreadable(), None),
    };
    Sent { leased, attempt, duration: watch.elapsed(), fallback, stepped_ms, message }
}

async fn deliver(target: &Target, message: &Message) -> (Attempt, Option<String>) {
    let payload = target.destination.render(message);
    // The destination bounds itself; this only holds if it does not.
    let bound = target.longest_attempt() + Duration::from_secs(5);
    let attempt = match tokio::time::timeout(bound, target.destination.send(message, &payload)).await {
        Ok(attempt) => attempt,
        Err(_) => Attempt {
            outcome: Outcome::Retry { reason: Reason::TimedOut, after: None, ambiguous: true },
            status: None,
            detail: "no answer in time".into(),
            excerpt: None,
        },
    };
    (attempt, payload.fallback)
}

fn message_of(
    leased: &Leased,
    names: &HashMap<String, AccountNames>,
    problems: Vec<String>,
) -> Option<Message> {
    let mut members = leased.reviews.iter().filter_map(|leased| member_of(leased, names));
    let content = match leased.kind {
        MessageKind::Review => {
            let Member { subject, rules } = members.next()?;
            Content::Review { subject: Box::new(subject), rules }
        }
        MessageKind::Digest => {
            let Window { from, to, before, .. } = serde_json::from_str(leased.content.as_deref()?).ok()?;
            let members = members.collect();
            let destination = leased.destination.clone();
            Content::Digest(Box::new(Digest { destination, from, to, before, members, troubles: problems }))
        }
        MessageKind::Operator => {
            Content::Operator(serde_json::from_str::<Notice>(leased.content.as_deref()?).ok()?)
        }
        MessageKind::Test => Content::Test { text: leased.content.clone()? },
        MessageKind::Summary => {
            let Gathered { cause, from, to } = serde_json::from_str(leased.content.as_deref()?).ok()?;
            let (destination, members) = (leased.destination.clone(), members.collect());
            let reviews = Digest { destination, from, to, before: None, members, troubles: Vec::new() };
            Content::Summary(Box::new(Summary { cause, reviews }))
        }
    };
    Some(Message {
        id: leased.id.clone(),
        recipient: leased.recipient.clone(),
        content,
        form: leased.form,
        possible_repeat: leased.possible_repeat,
        now: leased.begun_at,
    })
}

fn member_of(leased: &LeasedReview, names: &HashMap<String, AccountNames>) -> Option<Member> {
    let names = names.get(&leased.review.account)?;
    let (review, previous) = (leased.review.clone(), leased.previous.clone());
    let subject = Subject::resolve(review, &names.catalog, &names.scales, leased.change, previous);
    Some(Member { subject, rules: leased.rules.clone() })
}

fn unreadable() -> Attempt {
    Attempt {
        outcome: Outcome::Dead { reason: Reason::RenderFailed },
        status: None,
        detail: "the content of this message is no longer in the state".into(),
        excerpt: None,
    }
}
