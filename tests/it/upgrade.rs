//! A state that version 0.1.0 wrote, killed in the middle of its work, opened by this version: everything that was
//! pending is delivered once, nothing that had been delivered is delivered again.
//!
//! `fixtures/state-0.1.0.sql` is such a state as SQL: four sends in flight, two pending digests that folded in others,
//! a pending summary, messages to a revoked and to a paused destination, dead letters, a tombstone, one mark done.

use crate::harness::*;
use review_bridge::domain::{DeliveryState, Timestamp};
use review_bridge::sandbox::{Mailbox, serve_mailbox};
use review_bridge::store::{DeliveryRow, ReviewState, Store};
use std::collections::BTreeMap;
use std::time::Duration;

const STATE: &str = include_str!("fixtures/state-0.1.0.sql");

/// After the last attempt in the fixture and the end of its leases.
const LATER: Timestamp = Timestamp(1_795_868_125_000 + 10 * 60_000);

const CONFIG: &str = r#"
[destinations.ok]
type = "webhook"
url = "INBOX/webhook/ok"
rate_limit = "10000/s"
[destinations.bursty]
type = "webhook"
url = "INBOX/webhook/bursty"
rate_limit = "10000/s"
burst = { limit = 2, window = "5s" }
[destinations.refusing]
type = "webhook"
url = "INBOX/webhook/refusing"
rate_limit = "10000/s"
[destinations.revoked]
type = "webhook"
url = "INBOX/webhook/revoked"
rate_limit = "10000/s"
[destinations.hanging]
type = "webhook"
url = "INBOX/webhook/hanging"
rate_limit = "10000/s"
[destinations.paused]
type = "webhook"
url = "INBOX/webhook/paused"
rate_limit = "10000/s"
[destinations.owner]
type = "email"
from = "Reviews <reviews@shop.example>"
to = ["owner@shop.example", "second@shop.example"]
digest = { schedule = "0 8 * * *", timezone = "Europe/Amsterdam" }
[[rules]]
name = "good"
when = { min_rating = 4 }
to = ["ok"]
[[rules]]
name = "unhappy"
when = { max_rating = 2 }
to = ["ok", "bursty", "revoked", "hanging"]
[[rules]]
name = "poor"
when = { max_rating = 2 }
to = ["refusing", "paused", "bursty"]
[[rules]]
name = "digest"
when = { min_rating = 4.5 }
to = ["owner"]
"#;

/// Writes the fixture where the bench has its state.
async fn restore(bench: &Bench) {
    // The dump names its tables in the order of the alphabet.
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(bench.state())
        .create_if_missing(true)
        .foreign_keys(false);
    let pool = sqlx::SqlitePool::connect_with(options).await.unwrap();
    sqlx::raw_sql(STATE).execute(&pool).await.unwrap();
    pool.close().await;
}

/// How many deliveries each destination has in each state.
fn counts(rows: &[DeliveryRow]) -> BTreeMap<(String, &'static str), usize> {
    let mut counts = BTreeMap::new();
    for row in rows {
        *counts.entry((row.destination.clone(), row.state.as_str())).or_default() += 1;
    }
    counts
}

#[tokio::test]
async fn what_0_1_0_left_pending_arrives_once_and_nothing_arrives_again() {
    let mut bench = Bench::new().await;
    restore(&bench).await;
    bench.clock.advance(Duration::from_millis((LATER.0 - NOW.0) as u64));
    let mailbox = Mailbox::new(bench.clock.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(serve_mailbox(listener, mailbox.clone(), std::future::pending()));
    let smtp = format!("[smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"none\"\n");
    bench.rest = format!("{smtp}{CONFIG}");
    bench.account = "rating_scales = { Kiyoh = 10, WebwinkelKeur = 10, \"Feedback Company\" = 10 }".into();
    // ShopReviews still lists what was not marked, word for word.
    let known = bench.reviews().await;
    let forgotten = known.values().find(|row| row.state == ReviewState::Forgotten).unwrap().uuid.clone();
    let mut listed = 0;
    for row in known.values() {
        let Some(said) = &row.review else { continue };
        let mut item = review(
            &row.uuid,
            said.source_uuid.as_deref().unwrap(),
            0.0,
            said.text.as_deref().unwrap_or_default(),
            said.reviewed_at.unwrap_or(NOW),
        );
        if said.reviewed_at.is_none() {
            item["review_at"] = serde_json::Value::Null;
        }
        item["rating"] = serde_json::to_value(&said.rating).unwrap();
        item["name"] = said.author.clone().into();
        item["local_code"] = said.language.clone().into();
        item["platform_uuid"] = said.platform_uuid.clone().into();
        bench.sandbox.add(item);
        listed += 1;
    }
    assert_eq!(listed, 35);

    let before = bench.deliveries().await;
    let delivered_before: Vec<&DeliveryRow> =
        before.iter().filter(|row| row.state == DeliveryState::Delivered).collect();
    assert_eq!(delivered_before.len(), 23);
    bench.once().await;
    let store = bench.store().await;
    store.resume_for_test_at("paused", bench.clock.now()).await;
    store.close().await;
    for _ in 0..6 {
        bench.clock.advance(Duration::from_secs(20 * 60));
        bench.once().await;
    }
    // The next digest.
    bench.clock.advance(Duration::from_secs(24 * 3_600));
    bench.once().await;

    let rows = bench.deliveries().await;
    let expected = [
        (("bursty", "delivered"), 4),
        (("hanging", "delivered"), 4),
        (("ok", "delivered"), 23),
        (("owner", "delivered"), 36),
        (("paused", "delivered"), 4),
        (("refusing", "dead"), 4),
        (("revoked", "delivered"), 4),
    ];
    let expected: BTreeMap<_, _> =
        expected.into_iter().map(|((name, state), count)| ((name.to_owned(), state), count)).collect();
    assert_eq!(counts(&rows), expected, "every pending delivery is settled, every other is as it was");

    assert!(bench.webhook("ok").is_empty(), "what 0.1.0 delivered is not delivered again");
    assert!(bench.webhook("refusing").is_empty(), "dead letters stay so until somebody retries them");
    for name in ["hanging", "revoked", "paused"] {
        let mut uuids = uuids(&bench, name);
        uuids.sort();
        uuids.dedup();
        assert_eq!((uuids.len(), bench.webhook(name).len()), (4, 4), "{name}: each once");
    }
    let repeats = bench.webhook("hanging");
    assert!(
        repeats.iter().all(|body| body["data"]["repeat"] == true),
        "what was in flight may have arrived: the repeat says so"
    );
    for recipient in ["owner@shop.example", "second@shop.example"] {
        let mails = mailbox.received().into_iter().filter(|mail| mail.recipients == [recipient]);
        assert_eq!(
            mails.count(),
            2,
            "{recipient}: the digest that was pending, and that of the next morning"
        );
    }
    assert!(bench.reviews().await[&forgotten].review.is_none(), "a tombstone stays one");
    // Four have a dead letter and stay unread, ten were remembered, two unmatched, one had been marked.
    assert_eq!(bench.marked().len(), 18);
}

fn uuids(bench: &Bench, name: &str) -> Vec<String> {
    let uuid = |body: serde_json::Value| body["data"]["review"]["uuid"].as_str().map(str::to_owned);
    bench.webhook(name).into_iter().filter_map(uuid).collect()
}
