//! What the bridge does again and again costs the same, however much it did before. Counted in steps of SQLite, which
//! are the same on every machine.

use crate::harness::{NOW, folder, listing};
use review_bridge::domain::{
    Attempt, Change, DeliveryState, Form, NativeRating, Outcome, Reason, Review, Timestamp,
};
use review_bridge::store::sqlite::{Access, SqliteStore};
use review_bridge::store::*;
use review_bridge::upstream::Purpose;
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection};
use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

const ACCOUNT: &str = "main";

fn review(uuid: String) -> Fingerprinted {
    let review = Review {
        account: ACCOUNT.into(),
        uuid,
        rating: NativeRating::Number(5.0),
        text: Some("Mooi".into()),
        ..Review::default()
    };
    let hash = ids::fingerprint(&serde_json::to_vec(&review).unwrap());
    Fingerprinted { review, content_hash: hash.clone(), body_hash: hash }
}

/// Reviews that were delivered and marked long ago, with all that is kept of that.
async fn fill(path: &Path, count: u32) {
    let mut state =
        SqliteConnection::connect_with(&SqliteConnectOptions::new().filename(path)).await.unwrap();
    let numbers =
        format!("WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {count})");
    let at = NOW.0 - 30 * 86_400_000;
    for (into, values) in [
        (
            "reviews (id, account, uuid, state, revision, content_hash, body_hash, body, first_seen_at, changed_at,
                unlisted_at, aged_at, mark, mark_at)",
            format!("i + 1000, 'main', 'old' || i, 'matched', 1, 'h' || i, 'h' || i, '{{}}', {at} + i, {at} + i, {at} + i, {at} + i, 'done', {at}"),
        ),
        ("revisions (review_id, revision, change, seen_at)", format!("i + 1000, 1, 'new', {at}")),
        (
            "messages (id, destination, kind, state, attempts, first_attempt_at, next_at, created_at, settled_at)",
            format!("'m' || i, 'crm', 'review', 'delivered', 1, {at}, {at}, {at}, {at}"),
        ),
        (
            "deliveries (review_id, revision, destination, state, rules, message_id, created_at, settled_at)",
            format!("i + 1000, 1, 'crm', 'delivered', '[]', 'm' || i, {at}, {at}"),
        ),
        ("attempts (message_id, number, destination, begun_at, outcome)", format!("'m' || i, 1, 'crm', {at}, 'delivered'")),
    ] {
        let statement = format!("INSERT INTO {into} {numbers} SELECT {values} FROM n");
        sqlx::query(AssertSqlSafe(statement)).execute(&mut state).await.unwrap();
    }
    state.close().await.unwrap();
}

async fn poll(store: &SqliteStore, reviews: &[Fingerprinted], now: Timestamp) {
    let take = TakeRequests {
        account: ACCOUNT,
        purpose: Purpose::Listing,
        want: 1,
        limit: 60,
        purpose_limit: 60,
        now,
    };
    store.take_requests(&take).await.unwrap();
    let nowhere = RouteDecision {
        state: ReviewState::Unmatched,
        match_at: None,
        deliveries: Vec::new(),
        undecided: false,
        scale: None,
        mark: false,
    };
    let revision = Revision { change: Change::New, previous: None, routed: nowhere.clone() };
    let batch = IntakeBatch { account: ACCOUNT, reviews, malformed: &[], now };
    let seen = store.intake(&batch, &|_| Decision::Revise(Box::new(revision.clone()))).await.unwrap().seen;
    store.complete_listing(&listing(ACCOUNT, &seen, now)).await.unwrap();
    store.route_waiting(ACCOUNT, now, 100, &|_| nowhere.clone()).await.unwrap();
    store.next_match(ACCOUNT).await.unwrap();
    store.due_marks(ACCOUNT, now, 100).await.unwrap();
    store.next_mark(ACCOUNT).await.unwrap();
}

/// What is done every few seconds, whether anything happens or not.
async fn rest(store: &SqliteStore, now: Timestamp) {
    store.next_due(&["crm"]).await.unwrap();
    store.attempts_since("crm", now.minus(Duration::from_secs(1))).await.unwrap();
    store.destinations().await.unwrap();
    store.digest_windows().await.unwrap();
    store.expire(now).await.unwrap();
    store.problem_facts(now).await.unwrap();
    store.problems().await.unwrap();
}

/// A message that fails, as often as it is attempted.
async fn failed_attempt(store: &SqliteStore, number: u32, now: Timestamp) {
    let hold = Duration::from_secs(40);
    let except = Vec::new();
    let request = LeaseRequest {
        destination: "crm".into(),
        limit: 10,
        without_reviews: false,
        is_probe: false,
        only: None,
        except,
        hold,
    };
    let leased = store.lease(&[request], now, "owner").await.unwrap();
    assert_eq!(leased.len(), 1);
    let settlement = Settlement {
        id: leased[0].id.clone(),
        number,
        attempt: Attempt {
            outcome: Outcome::Retry { reason: Reason::TimedOut, after: None, ambiguous: false },
            status: None,
            detail: "no answer".into(),
            excerpt: None,
        },
        duration: Duration::from_millis(5),
        state: DeliveryState::Pending,
        reason: None,
        next_at: now,
        form: Form::Full,
        possible_repeat: false,
        destination: "crm".into(),
        about: vec!["crm".into()],
        random: 0.0,
        hold: None,
        evidence: Outcome::Retry { reason: Reason::TimedOut, after: None, ambiguous: false },
        shown: Vec::new(),
        split: Split::No,
        content: None,
    };
    store.settle(&[settlement], now).await.unwrap();
}

/// Steps of an empty poll, of being at rest, and of a failed attempt, with so many reviews in state.
async fn steps(known: u32) -> [u64; 3] {
    let folder = folder();
    let path = folder.path().join("state.db");
    SqliteStore::open(&path, Access::Own).await.unwrap().close().await;
    fill(&path, known).await;
    let store = SqliteStore::open(&path, Access::Own).await.unwrap();
    let reviews: Vec<Fingerprinted> = (0..20).map(|number| review(format!("listed{number}"))).collect();
    let notice = NewMessage {
        id: "notice".into(),
        destination: "crm".into(),
        recipient: String::new(),
        kind: review_bridge::domain::MessageKind::Test,
        content: "test".into(),
    };
    store.enqueue(&[notice], NOW).await.unwrap();
    poll(&store, &reviews, NOW).await;
    failed_attempt(&store, 1, NOW).await;
    let counter = store.count_steps().await.unwrap();
    let now = NOW.plus(Duration::from_secs(60));
    poll(&store, &reviews, now).await;
    let polled = counter.swap(0, Ordering::SeqCst);
    rest(&store, now).await;
    let rested = counter.swap(0, Ordering::SeqCst);
    failed_attempt(&store, 2, now).await;
    let failed = counter.swap(0, Ordering::SeqCst);
    store.close().await;
    [polled, rested, failed]
}

#[tokio::test]
async fn a_poll_a_rest_and_a_failed_attempt_cost_the_same_with_a_hundred_times_the_reviews() {
    let (few, many) = (steps(1_000).await, steps(100_000).await);
    eprintln!("steps of an empty poll of 20, at rest, of a failed attempt: {few:?}, then {many:?}");
    for (few, many) in few.into_iter().zip(many) {
        assert!(few > 50 && many <= few + few / 20, "{few} steps became {many}");
    }
}
