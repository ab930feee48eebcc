//! The store's own promises: what a transaction leaves behind, which states follow which.

use crate::harness::folder;
use review_bridge::domain::{
    Attempt, Change, DeliveryState, Form, NativeRating, Outcome, Reason, Review, RuleHit, Timestamp,
};
use review_bridge::store::sqlite::{Access, SqliteStore};
use review_bridge::store::*;
use review_bridge::upstream::Purpose;
use std::time::Duration;

const ACCOUNT: &str = "main";

async fn open() -> (tempfile::TempDir, SqliteStore) {
    let folder = folder();
    let store = SqliteStore::open(&folder.path().join("state.db"), Access::Own).await.unwrap();
    (folder, store)
}

fn review(uuid: &str, rating: f64, text: &str) -> Fingerprinted {
    let review = Review {
        account: ACCOUNT.into(),
        uuid: uuid.into(),
        rating: NativeRating::Number(rating),
        text: (!text.is_empty()).then(|| text.to_owned()),
        ..Review::default()
    };
    let hash = ids::fingerprint(&serde_json::to_vec(&review).unwrap());
    Fingerprinted { review, content_hash: hash.clone(), body_hash: hash }
}

fn to(destination: &str) -> NewDelivery {
    let rules = vec![RuleHit { rule: "r".into(), because: vec!["b".into()] }];
    NewDelivery { destination: destination.into(), recipient: String::new(), rules, at_once: true }
}

fn revision(change: Change, destinations: &[&str]) -> Decision {
    let routed = RouteDecision {
        state: if destinations.is_empty() { ReviewState::Unmatched } else { ReviewState::Matched },
        match_at: None,
        deliveries: destinations.iter().map(|name| to(name)).collect(),
        undecided: false,
        mark: false,
        scale: None,
    };
    Decision::Revise(Box::new(Revision { change, previous: None, routed }))
}

async fn take(
    store: &SqliteStore,
    reviews: &[Fingerprinted],
    destinations: &[&str],
    now: i64,
) -> IntakeReport {
    let batch = IntakeBatch { account: ACCOUNT, reviews, malformed: &[], now: Timestamp(now) };
    let decide = |arrival: Arrival<'_>| {
        let change =
            if arrival.known.is_some_and(|known| known.attempted) { Change::Rating } else { Change::New };
        revision(change, destinations)
    };
    store.intake(&batch, &decide).await.unwrap()
}

fn lease_of(destination: &str) -> LeaseRequest {
    LeaseRequest {
        destination: destination.into(),
        limit: 100,
        without_reviews: false,
        is_probe: false,
        only: None,
        except: Vec::new(),
        hold: Duration::from_secs(40),
    }
}

async fn lease(store: &SqliteStore, destination: &str, now: i64) -> Vec<Leased> {
    store.lease(&[lease_of(destination)], Timestamp(now), "owner").await.unwrap()
}

fn settlement(leased: &Leased, outcome: Outcome, state: DeliveryState, next_at: i64) -> Settlement {
    let evidence = outcome.clone();
    Settlement {
        id: leased.id.clone(),
        number: leased.attempt,
        attempt: Attempt { outcome, status: Some(200), detail: "d".into(), excerpt: None },
        duration: Duration::from_millis(5),
        state,
        reason: (state == DeliveryState::Dead).then_some(Reason::PayloadRefused),
        next_at: Timestamp(next_at),
        form: Form::Full,
        possible_repeat: false,
        destination: leased.destination.clone(),
        about: vec![leased.destination.clone()],
        random: 0.0,
        hold: None,
        evidence,
        shown: leased
            .reviews
            .iter()
            .map(|one| Shown { delivery: one.delivery, revision: one.revision, shown: one.shown })
            .collect(),
        split: Split::No,
        content: None,
    }
}

async fn delivered(store: &SqliteStore, leased: &[Leased], now: i64) {
    let settlements: Vec<_> =
        leased.iter().map(|one| settlement(one, Outcome::Delivered, DeliveryState::Delivered, now)).collect();
    store.settle(&settlements, Timestamp(now)).await.unwrap();
}

async fn due_marks(store: &SqliteStore) -> Vec<String> {
    let due = store.due_marks(ACCOUNT, Timestamp(i64::MAX / 2), 100).await.unwrap();
    due.into_iter().map(|mark| mark.uuid).collect()
}

async fn states(store: &SqliteStore) -> Vec<(u32, String, DeliveryState)> {
    let filter = DeliveryFilter { limit: 100, ..DeliveryFilter::default() };
    let mut rows: Vec<_> = store
        .list_deliveries(&filter)
        .await
        .unwrap()
        .into_iter()
        .map(|row| (row.revision, row.destination, row.state))
        .collect();
    rows.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    rows
}

#[tokio::test]
async fn an_edit_that_no_rule_matches_is_marked_once_what_went_out_before_is_settled() {
    let (_folder, store) = open().await;
    take(&store, &[review("a", 1.0, "x")], &["one"], 1).await;
    let under_way = lease(&store, "one", 2).await;
    let edited = [review("a", 5.0, "y")];
    let batch = IntakeBatch { account: ACCOUNT, reviews: &edited, malformed: &[], now: Timestamp(3) };
    let decide = |_: Arrival<'_>| {
        let Decision::Revise(mut revision) = revision(Change::Rating, &[]) else { unreachable!() };
        revision.routed.mark = true;
        Decision::Revise(revision)
    };
    store.intake(&batch, &decide).await.unwrap();
    assert!(due_marks(&store).await.is_empty(), "the first is still under way");
    delivered(&store, &under_way, 4).await;
    assert_eq!(due_marks(&store).await, ["a"]);
}

#[tokio::test]
async fn a_mark_that_was_under_way_during_an_edit_is_not_the_edits() {
    let (_folder, store) = open().await;
    take(&store, &[review("a", 1.0, "x")], &["one"], 1).await;
    delivered(&store, &lease(&store, "one", 2).await, 3).await;
    let due = store.due_marks(ACCOUNT, Timestamp(5), 9).await.unwrap();
    // Before the API answers, the edit comes in and is delivered.
    take(&store, &[review("a", 2.0, "y")], &["one"], 6).await;
    delivered(&store, &lease(&store, "one", 7).await, 8).await;
    let result = MarkResult {
        mark: due[0].clone(),
        result: Ok(()),
        refused: false,
        setting: None,
        account_error: None,
    };
    store.record_marks(ACCOUNT, &[result], Timestamp(9)).await.unwrap();
    assert_eq!(due_marks(&store).await, ["a"], "the edit is still to be marked");
}

#[tokio::test]
async fn a_review_is_marked_only_when_every_destination_has_it() {
    let (_folder, store) = open().await;
    let report = take(&store, &[review("a", 1.0, "x")], &["one", "two"], 1).await;
    assert_eq!((report.new, report.deliveries, report.seen.len()), (1, 2, 1));
    delivered(&store, &lease(&store, "one", 2).await, 3).await;
    assert!(due_marks(&store).await.is_empty());
    let leased = lease(&store, "two", 4).await;
    assert_eq!(leased[0].reviews[0].review.uuid, "a");
    delivered(&store, &leased, 5).await;
    assert_eq!(due_marks(&store).await, ["a"]);
    let due = store.due_marks(ACCOUNT, Timestamp(5), 9).await.unwrap();
    let result = MarkResult {
        mark: due[0].clone(),
        result: Ok(()),
        refused: false,
        setting: Some("p".into()),
        account_error: Some(String::new()),
    };
    store.record_marks(ACCOUNT, &[result], Timestamp(6)).await.unwrap();
    assert!(due_marks(&store).await.is_empty());
    assert_eq!(store.account(ACCOUNT).await.unwrap().mark_setting.as_deref(), Some("p"));
}

#[tokio::test]
async fn a_dead_letter_keeps_its_review_unread_until_a_newer_revision_settles() {
    let (_folder, store) = open().await;
    take(&store, &[review("a", 1.0, "x")], &["one"], 1).await;
    let leased = lease(&store, "one", 2).await;
    let dead = Outcome::Dead { reason: Reason::PayloadRefused };
    store.settle(&[settlement(&leased[0], dead, DeliveryState::Dead, 3)], Timestamp(3)).await.unwrap();
    assert!(due_marks(&store).await.is_empty());
    let report = take(&store, &[review("a", 2.0, "x")], &["one"], 4).await;
    assert_eq!((report.edited, report.changes), (1, vec![(Change::Rating, 1)]));
    delivered(&store, &lease(&store, "one", 5).await, 6).await;
    assert_eq!(due_marks(&store).await, ["a"]);
}

#[tokio::test]
async fn a_newer_revision_supersedes_what_waits_but_not_what_is_in_flight() {
    let (_folder, store) = open().await;
    take(&store, &[review("a", 1.0, "x")], &["one", "two"], 1).await;
    let flying = lease(&store, "one", 2).await;
    take(&store, &[review("a", 2.0, "x")], &["one", "two"], 3).await;
    use DeliveryState::{Delivered, Pending, Superseded};
    let row = |revision, name: &str, state| (revision, name.to_owned(), state);
    let expected =
        [row(1, "one", Pending), row(1, "two", Superseded), row(2, "one", Pending), row(2, "two", Pending)];
    assert_eq!(states(&store).await, expected);
    // It arrived after all: both were told.
    delivered(&store, &flying, 4).await;
    assert_eq!(states(&store).await[0], row(1, "one", Delivered));
    assert!(due_marks(&store).await.is_empty());
}

#[tokio::test]
async fn an_attempt_that_fails_behind_a_newer_revision_is_superseded() {
    let (_folder, store) = open().await;
    take(&store, &[review("a", 1.0, "x")], &["one"], 1).await;
    let flying = lease(&store, "one", 2).await;
    take(&store, &[review("a", 2.0, "x")], &["one"], 3).await;
    let failed = Outcome::Retry { reason: Reason::ServerError, after: None, ambiguous: false };
    store.settle(&[settlement(&flying[0], failed, DeliveryState::Pending, 9)], Timestamp(4)).await.unwrap();
    assert_eq!(states(&store).await[0].2, DeliveryState::Superseded);
    let again = lease(&store, "one", 100).await;
    assert_eq!(again.len(), 1);
    delivered(&store, &again, 101).await;
    assert_eq!(due_marks(&store).await, ["a"]);
}

#[tokio::test]
async fn what_a_crash_interrupted_is_sent_again_as_a_possible_repeat() {
    let (_folder, store) = open().await;
    take(&store, &[review("a", 1.0, "x")], &["one"], 1).await;
    let first = lease(&store, "one", 2).await;
    assert!(lease(&store, "one", 3).await.is_empty());
    assert_eq!(store.recover(Timestamp(4)).await.unwrap(), 1);
    let second = lease(&store, "one", 5).await;
    assert_eq!(second[0].id, first[0].id);
    assert!(second[0].possible_repeat && !first[0].possible_repeat);
    assert_eq!(second[0].attempt, 2);
    let attempts = store.list_attempts(&first[0].id).await.unwrap();
    assert_eq!(attempts[0].outcome.as_deref(), Some("unknown"));
    // The first process's late answer changes nothing that is not its own.
    delivered(&store, &first, 6).await;
    assert_eq!(states(&store).await[0].2, DeliveryState::Pending);
    delivered(&store, &second, 7).await;
    assert_eq!(states(&store).await[0].2, DeliveryState::Delivered);
}

#[tokio::test]
async fn the_request_budget_is_never_exceeded() {
    let (_folder, store) = open().await;
    let take = |purpose, now| TakeRequests {
        account: ACCOUNT,
        purpose,
        want: 1,
        limit: 4,
        purpose_limit: if purpose == Purpose::Mark { 2 } else { 4 },
        now: Timestamp(now),
    };
    for now in [0, 1] {
        assert_eq!(store.take_requests(&take(Purpose::Mark, now)).await.unwrap(), Grant::Taken(1));
    }
    assert_eq!(store.take_requests(&take(Purpose::Mark, 2)).await.unwrap(), Grant::Until(Timestamp(61_000)));
    for now in [3, 4] {
        assert_eq!(store.take_requests(&take(Purpose::Listing, now)).await.unwrap(), Grant::Taken(1));
    }
    assert_eq!(
        store.take_requests(&take(Purpose::Listing, 5)).await.unwrap(),
        Grant::Until(Timestamp(61_000))
    );
    // The mark that waits goes first; it was not asked again in time.
    let behind = store.take_requests(&take(Purpose::Listing, 61_000)).await.unwrap();
    assert_eq!(behind, Grant::Until(Timestamp(62_000)));
    assert_eq!(store.take_requests(&take(Purpose::Listing, 66_001)).await.unwrap(), Grant::Taken(1));
    store.hold_account(ACCOUNT, Timestamp(200_000)).await.unwrap();
    let held = store.take_requests(&take(Purpose::Listing, 150_000)).await.unwrap();
    assert_eq!(held, Grant::Until(Timestamp(200_000)));
}

#[tokio::test]
async fn a_paused_or_broken_destination_stops_its_clock() {
    let (_folder, store) = open().await;
    let record = |records: Vec<DestinationRecord>| records.into_iter().next().unwrap();
    store.pause("one", true, Timestamp(1_000)).await.unwrap();
    let paused = record(store.destinations().await.unwrap());
    assert_eq!(paused.state(), "paused");
    assert_eq!(paused.stopped_total(Timestamp(3_000)), Duration::from_secs(2));
    store.pause("one", false, Timestamp(4_000)).await.unwrap();
    let working = record(store.destinations().await.unwrap());
    assert_eq!(
        (working.state(), working.stopped_total(Timestamp(9_000))),
        ("untried", Duration::from_secs(3))
    );
    take(&store, &[review("a", 1.0, "x")], &["one"], 9_000).await;
    let leased = lease(&store, "one", 10_000).await;
    assert_eq!(leased[0].stopped_base, Duration::from_secs(3));
    let broken =
        settlement(&leased[0], Outcome::Broken { reason: Reason::Revoked }, DeliveryState::Pending, 10_000);
    store.settle(&[broken], Timestamp(10_000)).await.unwrap();
    assert_eq!(record(store.destinations().await.unwrap()).state(), "broken");
    let again = lease(&store, "one", 20_000).await;
    let works = settlement(&again[0], Outcome::Delivered, DeliveryState::Delivered, 20_000);
    store.settle(&[works], Timestamp(20_000)).await.unwrap();
    let working = record(store.destinations().await.unwrap());
    assert_eq!((working.state(), working.stopped), ("working", Duration::from_secs(13)));
}

#[tokio::test]
async fn complete_listings_tell_what_was_read_elsewhere() {
    let (_folder, store) = open().await;
    let report = take(&store, &[review("a", 1.0, "x"), review("b", 1.0, "x")], &[], 1).await;
    let first =
        store.complete_listing(&crate::harness::listing(ACCOUNT, &report.seen, Timestamp(2))).await.unwrap();
    assert_eq!((first.baseline, first.length), (true, 2));
    let only_a = take(&store, &[review("a", 1.0, "x")], &[], 3).await.seen;
    let second =
        store.complete_listing(&crate::harness::listing(ACCOUNT, &only_a, Timestamp(4))).await.unwrap();
    assert_eq!((second.baseline, second.read_elsewhere), (false, 0));
    let third =
        store.complete_listing(&crate::harness::listing(ACCOUNT, &only_a, Timestamp(5))).await.unwrap();
    assert_eq!(third.read_elsewhere, 1);
    assert_eq!(store.account(ACCOUNT).await.unwrap().listings, 3);
}

#[tokio::test]
async fn one_process_owns_the_state_and_commands_work_beside_it() {
    let (folder, store) = open().await;
    let path = folder.path().join("state.db");
    let refused = SqliteStore::open(&path, Access::Own).await.unwrap_err().to_string();
    assert!(refused.contains(&std::process::id().to_string()), "{refused}");
    let beside = SqliteStore::open(&path, Access::Beside).await.unwrap();
    beside.pause("one", true, Timestamp(1)).await.unwrap();
    assert_eq!(store.destinations().await.unwrap().len(), 1);
    store.close().await;
    drop(store);
    SqliteStore::open(&path, Access::Own).await.unwrap();
}

#[cfg(unix)]
#[tokio::test]
async fn no_other_user_can_read_the_state() {
    use std::os::unix::fs::PermissionsExt;
    let (folder, store) = open().await;
    take(&store, &[review("a", 1.0, "x")], &["one"], 1).await;
    let mut files = 0;
    for entry in std::fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        let mode = entry.metadata().unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", entry.path().display());
        files += 1;
    }
    assert!(files >= 3, "the file, its -wal and its -shm");
}

#[tokio::test]
async fn a_state_of_a_newer_version_and_a_file_that_is_none_are_refused_in_words() {
    let (folder, store) = open().await;
    let path = folder.path().join("state.db");
    store.close().await;
    drop(store);
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'later', 1, x'00', 0)",
    )
    .execute(&pool)
    .await
    .unwrap();
    pool.close().await;
    let newer = SqliteStore::open(&path, Access::Own).await.unwrap_err().to_string();
    assert!(newer.contains("newer version"), "{newer}");
    let garbage = folder.path().join("garbage.db");
    std::fs::write(&garbage, vec![7_u8; 8192]).unwrap();
    let refused = SqliteStore::open(&garbage, Access::Own).await.unwrap_err().to_string();
    assert!(refused.contains("garbage.db") && refused.contains("not a database"), "{refused}");
}
