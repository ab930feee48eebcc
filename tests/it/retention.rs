//! What is kept for how long, what is left of it, and what was read elsewhere.

use crate::harness::*;
use review_bridge::domain::DeliveryState;
use review_bridge::outbox::Janitor;
use review_bridge::sandbox::Fault;
use review_bridge::store::{LeaseRequest, ReviewState, Store};
use review_bridge::upstream::Endpoint;
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// Removes what is older than half a year.
async fn sweep(bench: &Bench) {
    let store = Arc::new(bench.store().await);
    Janitor::new(store.clone(), bench.clock.clone(), DAY * 180).sweep().await.unwrap();
    store.close().await;
}

#[tokio::test]
async fn an_old_review_becomes_a_tombstone_from_which_an_edit_is_still_told() {
    let bench = Bench::new().await;
    bench.review("a", GOOGLE_NL, 2.0, "Slecht");
    for _ in 0..3 {
        bench.once().await;
    }
    assert_eq!(bench.marked(), ["a"]);
    bench.clock.advance(DAY * 179);
    sweep(&bench).await;
    assert_eq!(bench.state_of("a").await, ReviewState::Matched);
    bench.clock.advance(DAY * 2);
    sweep(&bench).await;
    let tombstone = bench.reviews().await.remove("a").unwrap();
    assert_eq!((tombstone.state, tombstone.review), (ReviewState::Expired, None));
    assert!(bench.deliveries().await.is_empty());
    // Listed again unchanged it is nothing; changed it is an edit of what nobody knows any more.
    bench.sandbox.set_unread("a", true);
    bench.once().await;
    assert_eq!(bench.told("crm")["a"], 1);
    bench.sandbox.edit("a", &json!({ "rating": 5 }));
    bench.once().await;
    let told = bench.webhook("crm").pop().unwrap();
    assert_eq!((&told["type"], &told["data"]["change"]), (&"review.updated".into(), &"rating".into()));
    assert_eq!(told["data"]["previous"], Value::Null);
    assert_eq!(told["data"]["review"]["text"], "Slecht");
    assert_eq!(bench.marked(), ["a", "a"]);
}

#[tokio::test]
async fn neither_what_is_listed_nor_what_waits_is_removed() {
    let bench = Bench::new().await;
    let store = bench.store().await;
    store.pause_for_test("crm").await;
    store.close().await;
    bench.review("waits", GOOGLE_NL, 5.0, "Mooi");
    let old = bench.clock.now().minus(DAY * 30);
    bench.sandbox.add(review("listed", GOOGLE_NL, 1.0, "Oud", old));
    bench.once().await;
    bench.sandbox.set_unread("waits", false);
    bench.clock.advance(DAY * 400);
    for _ in 0..2 {
        bench.once().await;
    }
    bench.clock.advance(DAY * 40);
    bench.once().await;
    sweep(&bench).await;
    assert_eq!(bench.state_of("waits").await, ReviewState::Matched);
    assert_eq!(bench.state_of("listed").await, ReviewState::Remembered);
}

#[tokio::test]
async fn what_two_complete_listings_do_not_show_is_not_told_where_that_is_wanted() {
    let mut bench = Bench::new().await;
    bench.rest = bench.rest.replace("type = \"webhook\"", "type = \"webhook\"\nskip_if_read = true");
    let store = bench.store().await;
    for destination in ["crm", "support"] {
        store.pause_for_test(destination).await;
    }
    bench.review("a", GOOGLE_NL, 1.0, "Slecht");
    bench.review("b", GOOGLE_NL, 1.0, "Slecht");
    bench.once().await;
    bench.sandbox.set_unread("a", false);
    let states = |rows: Vec<review_bridge::store::DeliveryRow>| {
        let mut states: Vec<(String, String, DeliveryState)> =
            rows.into_iter().map(|row| (row.uuid, row.destination, row.state)).collect();
        states.sort_by(|one, other| (&one.0, &one.1).cmp(&(&other.0, &other.1)));
        states.into_iter().map(|(.., state)| state).collect::<Vec<_>>()
    };
    let pending = vec![DeliveryState::Pending; 4];
    bench.once().await;
    assert_eq!(states(bench.deliveries().await), pending, "one listing is not enough");
    bench.sandbox.fault(Endpoint::UnreadReviews, Fault::status(503, ""));
    assert!(!bench.once().await.failed_polls.is_empty());
    assert_eq!(states(bench.deliveries().await), pending, "and one that failed does not count");
    bench.clock.advance(Duration::from_secs(3600));
    bench.once().await;
    let mut expected = pending;
    expected[0] = DeliveryState::Skipped;
    assert_eq!(states(bench.deliveries().await), expected, "`a` to `crm`, and nothing else");
    for destination in ["crm", "support"] {
        store.resume_for_test(destination).await;
    }
    store.close().await;
    bench.once().await;
    assert_eq!(bench.told("crm").into_keys().collect::<Vec<_>>(), ["b"]);
    assert_eq!(bench.slack("support").len(), 2, "where it is not wanted it is told all the same");
}

#[tokio::test]
async fn of_what_is_forgotten_not_a_byte_is_left_in_the_file() {
    let bench = Bench::new().await;
    let text = |index: usize| {
        // Short ones, and such as fill pages.
        format!("<begin-{index:03}>{}<end-{index:03}>", "z".repeat(index * index * 3))
    };
    for index in 0..60 {
        bench.review(&format!("r{index:03}"), GOOGLE_NL, 5.0, &text(index));
    }
    bench.once().await;
    let store = bench.store().await;
    let ids = bench.reviews().await;
    for index in (1..60).step_by(2) {
        store.forget(ids[&format!("r{index:03}")].id, bench.clock.now()).await.unwrap();
        // What comes in between moves things around.
        bench.review(&format!("s{index:03}"), GOOGLE_NL, 5.0, &"y".repeat(index * 40));
        if index % 10 == 1 {
            bench.once().await;
        }
    }
    store.close().await;
    let bytes = std::fs::read(bench.state()).unwrap();
    let file = String::from_utf8_lossy(&bytes);
    for index in 0..60 {
        for part in [format!("<begin-{index:03}>"), format!("<end-{index:03}>")] {
            assert_eq!(file.contains(&part), index % 2 == 0, "{part}");
        }
    }
}

#[tokio::test]
async fn a_digest_in_flight_of_which_everything_is_forgotten_is_not_tried_again() {
    let mut bench = Bench::new().await;
    bench.rest =
        bench.rest.replace("type = \"webhook\"", "type = \"webhook\"\ndigest = { schedule = \"0 8 * * *\" }");
    bench.review("a", GOOGLE_NL, 5.0, "Mooi");
    bench.once().await;
    let store = bench.store().await;
    store.pause_for_test("crm").await;
    bench.clock.advance(DAY);
    bench.once().await;
    // The process is killed while it sends.
    let request = LeaseRequest {
        destination: "crm".into(),
        limit: 1,
        without_reviews: false,
        is_probe: false,
        only: None,
        except: Vec::new(),
        hold: Duration::from_secs(40),
    };
    assert_eq!(store.lease(&[request], bench.clock.now(), "test").await.unwrap()[0].reviews.len(), 1);
    store.forget(bench.reviews().await["a"].id, bench.clock.now()).await.unwrap();
    store.resume_for_test("crm").await;
    store.close().await;
    bench.once().await;
    assert!(bench.inbox.received().is_empty());
}
