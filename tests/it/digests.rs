//! Digests: on time, each review in exactly one that arrives, marked read once it has.

use crate::harness::*;
use review_bridge::domain::DeliveryState;
use review_bridge::sandbox::Answer;
use serde_json::json;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3600);

const DAILY: &str = r#"
[destinations.owner]
type = "webhook"
url = "INBOX/webhook/owner"
rate_limit = "10000/s"
digest = { schedule = "0 8 * * *", timezone = "Europe/Amsterdam", send_empty = SEND }
[[rules]]
name = "everything, every morning"
to = ["owner"]
"#;

async fn daily(send_empty: bool) -> Bench {
    let mut bench = Bench::new().await;
    bench.rest = DAILY.replace("SEND", if send_empty { "true" } else { "false" });
    bench
}

fn members(body: &serde_json::Value) -> Vec<&str> {
    let reviews = body["data"]["reviews"].as_array().unwrap();
    reviews.iter().map(|member| member["review"]["uuid"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn what_came_since_the_last_is_told_together_at_eight_and_then_marked_read() {
    // It is noon UTC, 13:00 in Amsterdam.
    let bench = daily(false).await;
    bench.review("a", GOOGLE_NL, 1.0, "Slecht");
    assert!(bench.once().await.is_fine());
    bench.review("b", GOOGLE_DE, 5.0, "");
    bench.once().await;
    assert!(bench.inbox.received().is_empty() && bench.marked().is_empty());
    bench.clock.advance(HOUR * 19);
    bench.once().await;
    let bodies = bench.webhook("owner");
    assert_eq!(bodies.len(), 1);
    assert_eq!(bodies[0]["type"], "digest.created");
    assert_eq!(members(&bodies[0]), ["a", "b"]);
    let counts = &bodies[0]["data"]["counts"];
    assert_eq!((counts["reviews"].as_u64(), counts["needs_attention"].as_u64()), (Some(2), Some(1)));
    assert_eq!(bodies[0]["data"]["from"], "2026-03-01T12:00:00Z");
    assert_eq!(bodies[0]["data"]["to"], "2026-03-02T07:00:00Z");
    let mut marked = bench.marked();
    marked.sort();
    assert_eq!(marked, ["a", "b"]);
    bench.clock.advance(HOUR * 24);
    bench.once().await;
    assert_eq!(bench.webhook("owner").len(), 1, "nothing came, nothing is sent");
}

#[tokio::test]
async fn an_empty_one_is_sent_only_where_it_is_wanted() {
    let bench = daily(true).await;
    bench.once().await;
    bench.clock.advance(HOUR * 19);
    bench.once().await;
    let bodies = bench.webhook("owner");
    assert_eq!(bodies.len(), 1);
    assert!(members(&bodies[0]).is_empty());
}

#[tokio::test]
async fn one_missed_while_nothing_ran_runs_once_at_the_next_start() {
    let bench = daily(true).await;
    bench.review("a", GOOGLE_NL, 1.0, "Slecht");
    bench.once().await;
    bench.clock.advance(HOUR * 24 * 5 + HOUR * 3);
    bench.once().await;
    assert_eq!(bench.webhook("owner").len(), 1, "five were missed");
    bench.once().await;
    assert_eq!(bench.webhook("owner").len(), 1);
}

#[tokio::test]
async fn one_that_was_not_delivered_is_folded_into_the_next() {
    let bench = daily(false).await;
    bench.review("a", GOOGLE_NL, 1.0, "Slecht");
    bench.once().await;
    bench.clock.advance(HOUR * 19);
    bench.inbox.answer("/webhook/owner", Answer::status(503, ""));
    bench.once().await;
    bench.review("b", GOOGLE_NL, 5.0, "");
    bench.inbox.answer("/webhook/owner", Answer::status(503, ""));
    bench.clock.advance(HOUR * 23);
    bench.once().await;
    // The day turns while the first still waits for its next try.
    bench.clock.advance(HOUR);
    bench.once().await;
    let bodies = bench.webhook("owner");
    let last = bodies.last().unwrap();
    assert_eq!(members(last), ["a", "b"]);
    assert_eq!(last["data"]["from"], "2026-03-01T12:00:00Z", "the window is that of both");
    let rows = bench.deliveries().await;
    assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered));
    assert_eq!(bench.marked().len(), 2);
}

#[tokio::test]
async fn an_edit_before_the_digest_is_shown_once_as_it_is_by_then() {
    let bench = daily(false).await;
    bench.review("a", GOOGLE_NL, 1.0, "Slecht");
    bench.once().await;
    bench.sandbox.edit("a", &json!({ "rating": 5, "body": "Toch goed" }));
    bench.once().await;
    bench.clock.advance(HOUR * 19);
    bench.once().await;
    let bodies = bench.webhook("owner");
    assert_eq!(members(&bodies[0]), ["a"]);
    assert_eq!(bodies[0]["data"]["reviews"][0]["review"]["text"], "Toch goed");
    assert_eq!(bench.marked(), ["a"]);
}

#[tokio::test]
async fn what_waits_follows_the_configuration() {
    let mut bench = daily(false).await;
    bench.review("a", GOOGLE_NL, 1.0, "Slecht");
    bench.once().await;
    let digest = bench.rest.clone();
    bench.rest = digest.lines().filter(|line| !line.starts_with("digest")).collect::<Vec<_>>().join("\n");
    bench.once().await;
    assert_eq!(bench.webhook("owner")[0]["type"], "review.created");
    assert_eq!(bench.marked(), ["a"]);
    // And the other way round.
    bench.store().await.pause_for_test("owner").await;
    bench.review("b", GOOGLE_NL, 1.0, "Slecht");
    bench.once().await;
    bench.rest = digest;
    bench.store().await.resume_for_test("owner").await;
    bench.once().await;
    assert_eq!(bench.webhook("owner").len(), 1);
    bench.clock.advance(HOUR * 24);
    bench.once().await;
    assert_eq!(bench.webhook("owner")[1]["type"], "digest.created");
}

#[tokio::test]
async fn a_slack_digest_keeps_its_shape() {
    let mut bench = daily(false).await;
    bench.rest = bench.rest.replace(
        "type = \"webhook\"\nurl = \"INBOX/webhook/owner\"",
        "type = \"slack\"\nwebhook_url = \"INBOX/slack/owner\"",
    );
    for index in 0..60 {
        bench.review(&format!("r{index}"), GOOGLE_NL, f64::from(index % 5 + 1), "<!channel> *kapot*");
    }
    bench.once().await;
    bench.clock.advance(HOUR * 19);
    bench.once().await;
    let slack = bench.slack("owner");
    assert_eq!(slack.len(), 1);
    let payload: serde_json::Value = serde_json::from_str(&slack[0].body).unwrap();
    assert!(payload["blocks"].as_array().unwrap().len() <= 50);
    assert!(payload["text"].as_str().unwrap().starts_with("📬 60 new reviews · 24 need attention"));
    assert!(!payload["text"].as_str().unwrap().contains("<!"));
    assert_eq!(bench.marked().len(), 60);
}

#[tokio::test]
async fn the_next_one_says_how_the_last_one_was() {
    let mut bench = daily(false).await;
    bench.rest = bench.rest.replace(
        "type = \"webhook\"\nurl = \"INBOX/webhook/owner\"",
        "type = \"slack\"\nwebhook_url = \"INBOX/slack/owner\"",
    );
    for day in 0..3 {
        for index in 0..5 {
            bench.review(&format!("r{day}{index}"), GOOGLE_NL, f64::from(5 - day), "Prima");
        }
        bench.once().await;
        bench.clock.advance(HOUR * if day == 0 { 19 } else { 24 });
        // What fails once is compared with what was delivered before it all the same.
        if day == 2 {
            bench.inbox.answer("/slack/owner", Answer::status(503, ""));
            bench.once().await;
            bench.clock.advance(HOUR);
        }
        bench.once().await;
    }
    let slack = bench.slack("owner");
    let said = |index: usize| slack[index].body.clone();
    assert!(said(0).contains("\"5.0 average · "), "{}", said(0));
    assert!(said(1).contains("\"4.0 average (5.0 last time) · "), "{}", said(1));
    assert!(said(3).contains("\"3.0 average (4.0 last time) · "), "{}", said(3));
}
