//! All that can be seen of a state from outside, to compare two.

use super::ops::{ACCOUNTS, DESTINATIONS};
use review_bridge::domain::Timestamp;
use review_bridge::store::*;

/// What every operation may change.
#[derive(Debug, PartialEq)]
pub struct Observed {
    pub reviews: Vec<ReviewRow>,
    pub deliveries: Vec<DeliveryRow>,
    due: Vec<(String, Timestamp)>,
    destinations: Vec<DestinationRecord>,
    marks: Vec<Vec<DueMark>>,
    next: Vec<Option<Timestamp>>,
}

/// What changes more rarely, or follows from the rest.
#[derive(Debug, PartialEq)]
pub struct Details {
    facts: ProblemFacts,
    counts: (Vec<DeliveryCount>, Vec<ReviewCount>),
    attempts: Vec<Vec<AttemptRow>>,
    messages: Vec<Option<MessageRow>>,
    revisions: Vec<Vec<RevisionRow>>,
    began: Vec<Vec<Timestamp>>,
    windows: Vec<DigestWindow>,
    problems: Vec<ProblemRecord>,
    endpoints: Vec<Vec<EndpointRecord>>,
    scales: Vec<Vec<ScaleRecord>>,
}

const ALL: u32 = 1_000;

pub async fn observe(store: &dyn Store) -> Observed {
    let (mut marks, mut next) = (Vec::new(), Vec::new());
    for account in ACCOUNTS {
        marks.push(store.due_marks(account, Timestamp(i64::MAX), ALL).await.unwrap());
        next.push(store.next_mark(account).await.unwrap());
        next.push(store.next_match(account).await.unwrap());
    }
    Observed {
        reviews: store.list_reviews(&ReviewFilter { limit: ALL, ..Default::default() }).await.unwrap(),
        deliveries: store
            .list_deliveries(&DeliveryFilter { limit: ALL, ..Default::default() })
            .await
            .unwrap(),
        due: store.next_due(&DESTINATIONS).await.unwrap(),
        destinations: store.destinations().await.unwrap(),
        marks,
        next,
    }
}

/// The details; `messages` are the ids that are looked for.
pub async fn details(store: &dyn Store, seen: &Observed, messages: &[String]) -> Details {
    let (mut attempts, mut rows, mut revisions) = (Vec::new(), Vec::new(), Vec::new());
    for id in messages {
        attempts.push(store.list_attempts(id).await.unwrap());
        rows.push(store.message(id).await.unwrap());
    }
    for review in &seen.reviews {
        revisions.push(store.list_revisions(review.id).await.unwrap());
    }
    let (mut began, mut endpoints, mut scales) = (Vec::new(), Vec::new(), Vec::new());
    for destination in DESTINATIONS {
        began.push(store.attempts_since(destination, Timestamp(0)).await.unwrap());
    }
    for account in ACCOUNTS {
        endpoints.push(store.endpoints(account).await.unwrap());
        scales.push(store.scales(account).await.unwrap());
    }
    let mut windows = store.digest_windows().await.unwrap();
    windows.sort_by(|a, b| a.destination.cmp(&b.destination));
    Details {
        facts: store.problem_facts(Timestamp(i64::MAX)).await.unwrap(),
        counts: (store.count_deliveries().await.unwrap(), store.count_reviews().await.unwrap()),
        attempts,
        messages: rows,
        revisions,
        began,
        windows,
        problems: store.problems().await.unwrap(),
        endpoints,
        scales,
    }
}
