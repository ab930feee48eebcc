//! Destinations that do not answer as they should: nothing is lost, given up or repeated because of it, and others are
//! not held up.

use crate::harness::process::until;
use crate::harness::receiver::{Receiver, Reply};
use crate::harness::*;
use review_bridge::domain::{DeliveryState, HealthState, Reason};
use review_bridge::store::{DestinationRecord, Store};
use serde_json::json;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);

fn webhook(name: &str, url: &str, more: &str) -> String {
    format!("[destinations.{name}]\ntype = \"webhook\"\nurl = \"{url}\"\nrate_limit = \"10000/s\"\n{more}\n")
}

async fn bench_of(destinations: &str, names: &[&str], reviews: usize) -> Bench {
    let mut bench = Bench::new().await;
    bench.rest = format!("{destinations}[[rules]]\nname = \"all\"\nto = {}\n", json!(names));
    for index in 0..reviews {
        bench.review(&format!("r{index:03}"), GOOGLE_NL, 1.0, "Slecht");
    }
    bench
}

async fn record(bench: &Bench, name: &str) -> DestinationRecord {
    let store = bench.store().await;
    let records = store.destinations().await.unwrap();
    store.close().await;
    records.into_iter().find(|record| record.name == name).unwrap_or_default()
}

/// A receiver that fails while the flag is set.
async fn moody() -> (Receiver, Arc<AtomicBool>) {
    let fails = Arc::new(AtomicBool::new(true));
    let seen = fails.clone();
    let status = move |_: &str| Reply::Status(if seen.load(Ordering::SeqCst) { 500 } else { 200 });
    (Receiver::start(status).await, fails)
}

// first-use 1
#[tokio::test]
async fn a_destination_that_answers_500_for_days_is_failing_and_loses_nothing() {
    let (receiver, fails) = moody().await;
    let bench = bench_of(&webhook("crm", receiver.url(), ""), &["crm"], 20).await;
    while record(&bench, "crm").await.health.state != HealthState::Failing {
        bench.once().await;
        bench.clock.advance(SECOND * 10);
        assert!(receiver.answered() < 200);
    }
    let failing = record(&bench, "crm").await;
    assert_eq!(failing.health.reason, Some(Reason::ServerError));
    // Then one probe at a time, and everything else waits.
    for _ in 0..3 {
        let before = receiver.answered();
        bench.once().await;
        bench.clock.advance(Duration::from_secs(301));
        assert!(receiver.answered() <= before + 1);
    }
    bench.clock.advance(Duration::from_secs(72 * 3600));
    bench.once().await;
    let rows = bench.deliveries().await;
    assert!(rows.iter().all(|row| row.state == DeliveryState::Pending), "nothing dies of it");
    fails.store(false, Ordering::SeqCst);
    bench.clock.advance(Duration::from_secs(301));
    bench.settle().await;
    assert_eq!(receiver.accepted().len(), 20);
    assert_eq!(record(&bench, "crm").await.health.state, HealthState::Working);
    assert_eq!(bench.marked().len(), 20);
}

#[tokio::test]
async fn a_message_that_alone_fails_leaves_the_destination_working_and_is_given_up_by_its_own_time() {
    let status = |body: &str| Reply::Status(if body.contains("poison") { 500 } else { 200 });
    let receiver = Receiver::start(status).await;
    let bench = bench_of(&webhook("crm", receiver.url(), "give_up_after = \"2h\""), &["crm"], 1).await;
    bench.review("poison", GOOGLE_NL, 1.0, "poison");
    let mut app = bench.app().await;
    for minute in 0..200 {
        // Others pass all the time.
        bench.review(&format!("later{minute}"), GOOGLE_NL, 1.0, "Slecht");
        app.run_once().await.unwrap();
        bench.clock.advance(SECOND * 60);
    }
    app.close().await;
    assert_eq!(record(&bench, "crm").await.health.state, HealthState::Working);
    let rows = bench.deliveries().await;
    let poison = rows.iter().find(|row| row.uuid == "poison").unwrap();
    assert_eq!((poison.state, poison.reason.as_deref()), (DeliveryState::Dead, Some("gave_up")));
    assert_eq!(receiver.accepted().len(), 201);
}

// F4
#[tokio::test]
async fn what_is_too_large_is_sent_in_parts_and_nothing_of_it_is_lost() {
    let status = |body: &str| Reply::Status(if body.len() > 20_000 { 413 } else { 200 });
    let receiver = Receiver::start(status).await;
    let more = "digest = { schedule = \"0 8 * * *\" }";
    let bench = bench_of(&webhook("crm", receiver.url(), more), &["crm"], 60).await;
    bench.once().await;
    bench.clock.advance(Duration::from_secs(24 * 3600));
    for _ in 0..6 {
        bench.once().await;
    }
    let parts = receiver.accepted();
    let mut uuids: Vec<String> = Vec::new();
    for part in &parts {
        assert_eq!(part["type"], "digest.created");
        let reviews = part["data"]["reviews"].as_array().unwrap();
        uuids.extend(reviews.iter().map(|review| review["review"]["uuid"].as_str().unwrap().to_owned()));
    }
    uuids.sort();
    assert!(parts.len() > 1);
    assert_eq!(uuids, (0..60).map(|index| format!("r{index:03}")).collect::<Vec<_>>());
    let rows = bench.deliveries().await;
    assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered));
    assert_eq!(bench.marked().len(), 60);
}

// F4
#[tokio::test]
async fn where_even_a_single_review_is_too_large_the_destination_is_broken_and_nothing_dies() {
    let receiver = Receiver::start(|_: &str| Reply::Status(413)).await;
    let bench = bench_of(&webhook("crm", receiver.url(), ""), &["crm"], 30).await;
    for _ in 0..6 {
        bench.once().await;
        bench.clock.advance(SECOND * 60);
    }
    let broken = record(&bench, "crm").await;
    assert_eq!((broken.health.state, broken.health.reason), (HealthState::Broken, Some(Reason::TooLarge)));
    let rows = bench.deliveries().await;
    assert!(rows.iter().all(|row| row.state == DeliveryState::Pending), "{rows:?}");
}

// H3
#[tokio::test]
async fn fifty_that_hang_do_not_hold_up_one_that_works() {
    let hung = Receiver::start(|_: &str| Reply::Nothing).await;
    let count = Arc::new(AtomicUsize::new(0));
    let counted = count.clone();
    let healthy = Receiver::start(move |_: &str| {
        counted.fetch_add(1, Ordering::SeqCst);
        Reply::Status(200)
    })
    .await;
    let names: Vec<String> = (0..50).map(|number| format!("hung_{number}")).collect();
    let mut destinations: String =
        names.iter().map(|name| webhook(name, hung.url(), "timeout = \"1s\"")).collect();
    destinations += &webhook("healthy", healthy.url(), "");
    let all: Vec<&str> = names.iter().map(String::as_str).chain(["healthy"]).collect();
    let bench = bench_of(&destinations, &all, 100).await;
    let mut app = bench.app().await;
    // Each of the fifty hangs in each of its first hundred attempts: all of them take minutes.
    let all_there = until("the healthy one has all", SECOND * 60, || count.load(Ordering::SeqCst) == 100);
    tokio::select! {
        _ = app.run_once() => panic!("it ends before the healthy one has all"),
        () = all_there => {}
    }
}

// H10
#[tokio::test]
async fn an_edit_is_called_by_what_its_recipient_has() {
    let (receiver, fails) = moody().await;
    let mut bench = bench_of(&webhook("crm", receiver.url(), ""), &["crm"], 0).await;
    bench.account = "mark_read = \"never\"".into();
    bench.review("a", GOOGLE_NL, 1.0, "Slecht");
    bench.once().await;
    let edit = |rating: f64| {
        assert!(bench.sandbox.edit("a", &json!({ "rating": rating })));
        bench.clock.advance(SECOND * 60);
    };
    // Refused, then edited: it is new to whoever gets it.
    edit(4.0);
    fails.store(false, Ordering::SeqCst);
    bench.once().await;
    let accepted = receiver.accepted();
    assert_eq!(accepted.len(), 1, "{accepted:?}");
    assert_eq!(accepted[0]["type"], "review.created");
    assert_eq!(
        (&accepted[0]["data"]["previous"], &accepted[0]["data"]["review"]["rating"]),
        (&json!(null), &json!(4))
    );
    // From 4 to 3 in vain, then to 5: from 4 to 5.
    fails.store(true, Ordering::SeqCst);
    edit(3.0);
    bench.once().await;
    edit(5.0);
    fails.store(false, Ordering::SeqCst);
    bench.once().await;
    let accepted = receiver.accepted();
    assert_eq!(accepted.len(), 2, "{accepted:?}");
    assert_eq!(accepted[1]["type"], "review.updated");
    assert_eq!(accepted[1]["data"]["previous"]["rating"], json!(4));
    // To 2 in vain and back: nothing is sent.
    fails.store(true, Ordering::SeqCst);
    edit(2.0);
    bench.once().await;
    edit(5.0);
    fails.store(false, Ordering::SeqCst);
    bench.once().await;
    assert_eq!(receiver.accepted().len(), 2);
    let rows = bench.deliveries().await;
    let newest = rows.iter().max_by_key(|row| row.revision).unwrap();
    assert_eq!((newest.state, newest.reason.as_deref()), (DeliveryState::Skipped, Some("unchanged")));
}
