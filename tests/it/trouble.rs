//! The operator hears of trouble once, and once more when it is over.

use crate::harness::*;
use review_bridge::operator::Operator;
use review_bridge::sandbox::{Answer, Fault};
use review_bridge::upstream::Endpoint;
use std::sync::Arc;
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

const WITH_OPERATOR: &str = r#"
[destinations.ops]
type = "webhook"
url = "INBOX/webhook/ops"
rate_limit = "10000/s"
[operator]
notify = ["ops", "support"]
"#;

async fn bench() -> Bench {
    let mut bench = Bench::new().await;
    bench.rest += WITH_OPERATOR;
    bench
}

/// Looks for trouble as the daemon does, and sends what there is to say.
async fn watch(bench: &Bench) {
    let none: [(String, String); 0] = [];
    let loaded = review_bridge::config::load(Some(&bench.write_config()), none, bench.folder.path()).unwrap();
    let targets = review_bridge::app::build_targets(&loaded.settings).unwrap();
    let store = Arc::new(bench.store().await);
    let mut operator = Operator::new(store.clone());
    operator.tick(&loaded.settings.operator.notify, &targets, bench.clock.now()).await.unwrap();
    bench.once().await;
}

fn notices(bench: &Bench) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    bench
        .webhook("ops")
        .iter()
        .filter(|body| body["type"] == "operator")
        .map(|body| (text(&body["data"]["kind"]), text(&body["data"]["state"])))
        .collect()
}

fn pair(kind: &str, state: &str) -> (String, String) {
    (kind.into(), state.into())
}

#[tokio::test]
async fn a_broken_destination_is_told_after_a_quarter_of_an_hour_through_the_others() {
    let bench = bench().await;
    bench.review("a", GOOGLE_NL, 1.0, "x");
    for _ in 0..4 {
        bench.inbox.answer("/slack/support", Answer::status(403, "invalid_token"));
    }
    bench.once().await;
    watch(&bench).await;
    assert!(notices(&bench).is_empty());
    bench.clock.advance(MINUTE * 15);
    watch(&bench).await;
    watch(&bench).await;
    assert_eq!(notices(&bench), [pair("destination_broken", "started")]);
    let body = &bench.webhook("ops")[0];
    assert!(body["data"]["hint"].as_str().unwrap().contains("destinations resume support"));
    bench.settle().await;
    watch(&bench).await;
    assert_eq!(notices(&bench)[1..], [pair("destination_broken", "over")]);
}

#[tokio::test]
async fn failing_polls_are_told_from_the_fifth_and_a_refused_token_at_once() {
    let bench = bench().await;
    for failed in 1..=5 {
        bench.sandbox.fault(Endpoint::UnreadReviews, Fault::status(503, ""));
        bench.once().await;
        bench.clock.advance(MINUTE * 20);
        let store = Arc::new(bench.store().await);
        assert_eq!(store.account_for_test().await.failed_polls, failed);
    }
    bench.sandbox.fault(Endpoint::UnreadReviews, Fault::status(503, ""));
    watch(&bench).await;
    assert_eq!(notices(&bench), [pair("polls_failing", "started")]);
    bench.clock.advance(MINUTE * 20);
    bench.once().await;
    bench.sandbox.revoke_tokens();
    bench.clock.advance(MINUTE * 20);
    watch(&bench).await;
    watch(&bench).await;
    let told = notices(&bench);
    assert_eq!(told[1..], [pair("polls_failing", "over"), pair("token_refused", "started")]);
    let all: Vec<String> = bench.inbox.received().into_iter().map(|one| one.body).collect();
    assert!(!all.concat().contains("sandbox-token"));
}

#[tokio::test]
async fn dead_letters_and_items_without_identity_are_told() {
    let bench = bench().await;
    bench.review("a", GOOGLE_NL, 5.0, "x");
    bench.sandbox.add_raw("{\"rating\": 1}");
    bench.inbox.answer("/webhook/crm", Answer::status(422, "no"));
    bench.inbox.answer("/webhook/crm", Answer::status(422, "no"));
    bench.once().await;
    bench.once().await;
    watch(&bench).await;
    watch(&bench).await;
    assert_eq!(notices(&bench), [pair("dead_letters", "started"), pair("malformed_reviews", "started")]);
}

#[tokio::test]
async fn marks_without_effect_are_told_after_three_complete_listings() {
    let bench = bench().await;
    bench.review("a", GOOGLE_NL, 5.0, "x");
    bench.once().await;
    bench.sandbox.set_unread("a", true);
    for listing in 1..=3 {
        watch(&bench).await;
        assert!(notices(&bench).is_empty(), "listing {listing}");
        bench.clock.advance(MINUTE);
    }
    watch(&bench).await;
    assert_eq!(notices(&bench), [pair("marks_without_effect", "started")]);
}
