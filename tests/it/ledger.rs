//! The store's SQL is held to the tables of `domain::ledger`: every combination of states goes through both.

use crate::harness::{folder, listing};
use review_bridge::domain::ledger;
use review_bridge::domain::{Change, DeliveryState, Reason, Review, Timestamp};
use review_bridge::store::sqlite::{Access, SqliteStore};
use review_bridge::store::*;

const ACCOUNT: &str = "main";
const DESTINATIONS: [&str; 2] = ["one", "two"];

fn fingerprinted(number: usize) -> Fingerprinted {
    let uuid = format!("r{number}");
    let review = Review { account: ACCOUNT.into(), uuid: uuid.clone(), ..Review::default() };
    Fingerprinted { review, content_hash: uuid.clone(), body_hash: uuid }
}

fn decision() -> RouteDecision {
    let to = |name: &&str| NewDelivery {
        destination: (*name).to_owned(),
        recipient: String::new(),
        at_once: true,
        rules: Vec::new(),
    };
    let deliveries = DESTINATIONS.iter().map(to).collect();
    RouteDecision {
        state: ReviewState::Matched,
        match_at: None,
        deliveries,
        undecided: false,
        scale: None,
        mark: false,
    }
}

/// Takes in as many reviews, each with a delivery to both destinations; the ids.
async fn take(store: &SqliteStore, count: usize) -> Vec<i64> {
    let reviews: Vec<Fingerprinted> = (0..count).map(fingerprinted).collect();
    let batch = IntakeBatch { account: ACCOUNT, reviews: &reviews, malformed: &[], now: Timestamp(1) };
    let decide = |_: Arrival<'_>| {
        Decision::Revise(Box::new(Revision { change: Change::New, previous: None, routed: decision() }))
    };
    let mut ids = store.intake(&batch, &decide).await.unwrap().seen;
    ids.sort_unstable();
    ids
}

type Newest = (DeliveryState, Option<Reason>);

/// What the newest delivery of a destination can be.
fn all() -> Vec<Newest> {
    let reasons = [None, Some(Reason::ReadElsewhere), Some(Reason::Unchanged), Some(Reason::GaveUp)];
    let states = DeliveryState::ALL.into_iter().filter(|state| *state != DeliveryState::Superseded);
    states.flat_map(|state| reasons.map(|reason| (state, reason))).collect()
}

async fn set(pool: &sqlx::SqlitePool, review: i64, destination: &str, (state, reason): Newest) {
    sqlx::query(
        "UPDATE deliveries SET state = $3, reason = $4, settled_at = CASE WHEN $3 = 'pending' THEN NULL ELSE 2 END
         WHERE review_id = $1 AND destination = $2",
    )
    .bind(review)
    .bind(destination)
    .bind(state.as_str())
    .bind(reason.map(Reason::as_str))
    .execute(pool)
    .await
    .unwrap();
}

// F1, H8
#[tokio::test]
async fn marks_are_due_and_skips_are_taken_back_as_the_tables_say() {
    let folder = folder();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path, Access::Own).await.unwrap();
    let pairs: Vec<[Newest; 2]> =
        all().into_iter().flat_map(|one| all().into_iter().map(move |other| [one, other])).collect();
    let ids = take(&store, pairs.len()).await;
    let pool = sqlx::SqlitePool::connect_with(sqlx::sqlite::SqliteConnectOptions::new().filename(&path))
        .await
        .unwrap();
    for (id, pair) in ids.iter().zip(&pairs) {
        for (destination, newest) in DESTINATIONS.iter().zip(pair) {
            set(&pool, *id, destination, *newest).await;
        }
    }
    // Routing them without a delivery asks for each whether its mark is due.
    sqlx::query("UPDATE reviews SET state = 'held'").execute(&pool).await.unwrap();
    let route = |_: &UnroutedReview| RouteDecision { deliveries: Vec::new(), ..decision() };
    store.route_waiting(ACCOUNT, Timestamp(3), 10_000, &route).await.unwrap();
    let due = store.due_marks(ACCOUNT, Timestamp(3), 10_000).await.unwrap();
    for (id, pair) in ids.iter().zip(&pairs) {
        let is_due = due.iter().any(|mark| mark.review_id == *id);
        assert_eq!(is_due, ledger::mark_is_due(*pair), "{pair:?}");
    }
    // They leave the list and come back.
    sqlx::query("UPDATE reviews SET listed = 0, shown = 0").execute(&pool).await.unwrap();
    let reviews: Vec<Fingerprinted> = (0..pairs.len()).map(fingerprinted).collect();
    let batch = IntakeBatch { account: ACCOUNT, reviews: &reviews, malformed: &[], now: Timestamp(4) };
    let report = store.intake(&batch, &|_: Arrival<'_>| Decision::Ignore).await.unwrap();
    let taken_back = |newest: &&Newest| ledger::is_taken_back(newest.0, newest.1);
    let expected = pairs.iter().flatten().filter(taken_back).count();
    assert_eq!(report.taken_back, expected as u64);
    let states: Vec<(i64, String, String)> =
        sqlx::query_as("SELECT review_id, destination, state FROM deliveries")
            .fetch_all(&pool)
            .await
            .unwrap();
    for (id, pair) in ids.iter().zip(&pairs) {
        for (destination, (state, reason)) in DESTINATIONS.iter().zip(pair) {
            let now = states.iter().find(|(review, to, _)| review == id && to == destination).unwrap();
            let expected =
                if ledger::is_taken_back(*state, *reason) { DeliveryState::Pending } else { *state };
            assert_eq!(now.2, expected.as_str(), "{pair:?}");
        }
    }
}

// F1
#[tokio::test]
async fn absences_are_counted_as_the_table_says() {
    for length in [10_usize, 11] {
        let folder = folder();
        let store = SqliteStore::open(&folder.path().join("state.db"), Access::Own).await.unwrap();
        let ids = take(&store, length).await;
        store.complete_listing(&listing(ACCOUNT, &ids, Timestamp(2))).await.unwrap();
        let (mut missing, mut gone) = (0, Vec::new());
        for empty in 1..=3 {
            missing += ledger::absence(0, length as u64, empty);
            let report = store.complete_listing(&listing(ACCOUNT, &[], Timestamp(3))).await.unwrap();
            gone.push(report.read_elsewhere);
            assert_eq!(gone.iter().sum::<u64>() > 0, missing >= ledger::MISSING_LISTINGS);
        }
        let all = length as u64;
        assert_eq!(gone, if length == 10 { [0, all, 0] } else { [0, 0, all] });
    }
}

async fn skipped(store: &SqliteStore) -> usize {
    let filter =
        DeliveryFilter { state: Some(DeliveryState::Skipped), limit: 9, ..DeliveryFilter::default() };
    store.list_deliveries(&filter).await.unwrap().len()
}

// F1
#[tokio::test]
async fn what_is_listed_again_is_sent_before_it_is_marked() {
    let folder = folder();
    let store = SqliteStore::open(&folder.path().join("state.db"), Access::Own).await.unwrap();
    let ids = take(&store, 1).await;
    store.complete_listing(&listing(ACCOUNT, &ids, Timestamp(2))).await.unwrap();
    for now in [3, 4] {
        let skips = CompleteListing { skip_if_read: &DESTINATIONS, ..listing(ACCOUNT, &[], Timestamp(now)) };
        store.complete_listing(&skips).await.unwrap();
    }
    assert_eq!(skipped(&store).await, 2);
    assert_eq!(store.next_mark(ACCOUNT).await.unwrap(), None, "a skip is no reason to mark");
    let reviews = [fingerprinted(0)];
    let batch = IntakeBatch { account: ACCOUNT, reviews: &reviews, malformed: &[], now: Timestamp(5) };
    let report = store.intake(&batch, &|_: Arrival<'_>| Decision::Ignore).await.unwrap();
    assert_eq!((report.taken_back, skipped(&store).await), (2, 0));
    let due = store.next_due(&DESTINATIONS).await.unwrap();
    assert_eq!(due.len(), 2, "their messages are queued again: {due:?}");
}

// S4, S8
#[tokio::test]
async fn marks_follow_what_complete_listings_show_since() {
    let folder = folder();
    let store = SqliteStore::open(&folder.path().join("state.db"), Access::Own).await.unwrap();
    let ids = take(&store, 2).await;
    let yet_listed = async || {
        let facts = store.problem_facts(Timestamp(0)).await.unwrap();
        facts.marked_yet_listed.iter().map(|tally| tally.count).sum::<u64>()
    };
    let list = async |seen: &[i64], now: i64| {
        store.complete_listing(&listing(ACCOUNT, seen, Timestamp(now))).await.unwrap()
    };
    list(&ids, 2).await;
    store.request_marks(&ids, Timestamp(3)).await.unwrap();
    let due = store.due_marks(ACCOUNT, Timestamp(3), 9).await.unwrap();
    let done = MarkResult {
        mark: due[0].clone(),
        result: Ok(()),
        refused: false,
        setting: None,
        account_error: None,
    };
    let refused = MarkResult {
        mark: due[1].clone(),
        result: Err(("410".into(), Timestamp(5))),
        refused: true,
        setting: None,
        account_error: Some("410".into()),
    };
    store.record_marks(ACCOUNT, &[done, refused], Timestamp(4)).await.unwrap();
    assert_eq!(store.account(ACCOUNT).await.unwrap().marks_due_since, Some(Timestamp(3)));
    // It began before, so it says nothing of them.
    let before = CompleteListing { begun_at: Timestamp(3), ..listing(ACCOUNT, &ids, Timestamp(5)) };
    store.complete_listing(&before).await.unwrap();
    list(&ids, 6).await;
    assert!(store.due_marks(ACCOUNT, Timestamp(6), 9).await.unwrap()[0].refused);
    // The refused one is gone; the marked one is missing once, and a person sets it to unread again.
    list(&[], 7).await;
    let account = store.account(ACCOUNT).await.unwrap();
    assert_eq!((account.mark_error, account.marks_due_since), (None, None), "nothing is left to mark");
    for now in 8..14 {
        list(&ids[..1], now).await;
    }
    assert_eq!(yet_listed().await, 0, "the mark worked");
}
