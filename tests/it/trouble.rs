//! The operator hears of trouble once, and once more when it is over.

use crate::harness::*;
use review_bridge::domain::ProblemKind;
use review_bridge::operator::Operator;
use review_bridge::sandbox::{Answer, Fault};
use review_bridge::store::{BridgeRecord, Store};
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

/// Looks for trouble as the daemon does after a restart, and sends what there is to say.
async fn watch(bench: &Bench) {
    look(bench).await;
    bench.once().await;
}

/// Looks for trouble only.
async fn look(bench: &Bench) {
    let none: [(String, String); 0] = [];
    let loaded = review_bridge::config::load(Some(&bench.write_config()), none, bench.folder.path()).unwrap();
    let targets = review_bridge::app::build_targets(&loaded.settings).unwrap();
    let store = Arc::new(bench.store().await);
    let mut operator = Operator::new(store.clone());
    operator.tick(&loaded.settings.operator.notify, &targets, bench.clock.now()).await.unwrap();
    store.close().await;
}

/// The texts of the notices of a kind.
fn texts(bench: &Bench, kind: &str) -> Vec<String> {
    let told = bench.webhook("ops");
    let of = told.iter().filter(|body| body["data"]["kind"] == kind);
    of.map(|body| body["data"]["text"].as_str().unwrap().to_owned()).collect()
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

// first-use 1, 4
#[tokio::test]
async fn a_broken_destination_is_told_after_ten_minutes_through_the_others_daily_and_when_it_is_over() {
    let bench = bench().await;
    bench.review("a", GOOGLE_NL, 1.0, "x");
    bench.review("b", GOOGLE_NL, 1.0, "y");
    bench.inbox.answer_all("/slack/support", Answer::status(403, "invalid_token"));
    bench.once().await;
    watch(&bench).await;
    bench.clock.advance(MINUTE * 9);
    watch(&bench).await;
    assert!(notices(&bench).is_empty());
    bench.clock.advance(MINUTE);
    watch(&bench).await;
    watch(&bench).await;
    assert_eq!(notices(&bench), [pair("destination_broken", "started")]);
    let body = &bench.webhook("ops").into_iter().find(|body| body["type"] == "operator").unwrap();
    assert!(body["data"]["hint"].as_str().unwrap().contains("destinations resume support"));
    let text = body["data"]["text"].as_str().unwrap();
    assert!(text.contains("2026-03-01 12:00 UTC") && text.contains("2 reviews are queued"), "{text}");
    bench.clock.advance(MINUTE * 60 * 24);
    watch(&bench).await;
    let daily = texts(&bench, "destination_broken");
    assert_eq!(daily.len(), 2);
    assert!(daily[1].starts_with("this has lasted for 24 hours: "), "{daily:?}");
    bench.inbox.answer_all("/slack/support", Answer::Fine);
    bench.settle().await;
    watch(&bench).await;
    assert_eq!(notices(&bench)[2..], [pair("destination_broken", "over")]);
    let over = texts(&bench, "destination_broken").pop().unwrap();
    assert!(over.starts_with("destination `support` works again after "), "{over}");
    assert!(over.ends_with("; 2 waiting reviews were sent"), "{over}");
    // Of what never lasted long enough nobody is notified, neither then nor at its end.
    bench.inbox.answer("/slack/support", Answer::status(403, "invalid_token"));
    bench.review("c", GOOGLE_NL, 1.0, "z");
    bench.once().await;
    watch(&bench).await;
    bench.settle().await;
    watch(&bench).await;
    assert_eq!(notices(&bench).len(), 3);
}

// first-use 4
#[tokio::test]
async fn the_end_is_told_once_what_waited_is_sent_or_after_five_minutes() {
    let bench = bench().await;
    bench.review("a", GOOGLE_NL, 1.0, "x");
    bench.inbox.answer_all("/slack/support", Answer::status(403, "invalid_token"));
    bench.once().await;
    bench.clock.advance(MINUTE * 10);
    watch(&bench).await;
    bench.inbox.answer_all("/slack/support", Answer::Fine);
    bench.clock.advance(MINUTE * 15);
    bench.once().await;
    // It works again; one more waits, which is sent later.
    bench.review("b", GOOGLE_NL, 1.0, "y");
    let mut app = bench.app().await;
    app.poll_only().await.unwrap();
    app.close().await;
    look(&bench).await;
    bench.clock.advance(MINUTE * 4);
    look(&bench).await;
    assert_eq!(notices(&bench), [pair("destination_broken", "started")]);
    bench.clock.advance(MINUTE);
    watch(&bench).await;
    let over = texts(&bench, "destination_broken").pop().unwrap();
    assert!(over.contains("after 25 minutes; 1 waiting review was sent, 1 more is queued"), "{over}");
}

// first-use 1, 3
#[tokio::test]
async fn failing_polls_and_a_refused_token_are_told_after_ten_minutes() {
    let bench = bench().await;
    bench.once().await;
    bench.sandbox.fault(Endpoint::UnreadReviews, Fault::status(503, ""));
    bench.once().await;
    bench.clock.advance(MINUTE * 10);
    look(&bench).await;
    assert!(notices(&bench).is_empty(), "one failed poll proves little");
    bench.sandbox.fault(Endpoint::UnreadReviews, Fault::status(503, ""));
    bench.once().await;
    let store = Arc::new(bench.store().await);
    assert_eq!(store.account_for_test().await.failed_polls, 2);
    bench.sandbox.fault(Endpoint::UnreadReviews, Fault::status(503, ""));
    watch(&bench).await;
    assert_eq!(notices(&bench), [pair("polls_failing", "started")]);
    bench.clock.advance(MINUTE * 20);
    bench.once().await;
    watch(&bench).await;
    bench.sandbox.revoke_tokens();
    bench.clock.advance(MINUTE * 20);
    bench.once().await;
    watch(&bench).await;
    bench.clock.advance(MINUTE * 10);
    watch(&bench).await;
    watch(&bench).await;
    let told = notices(&bench);
    assert_eq!(told[1..], [pair("polls_failing", "over"), pair("token_refused", "started")]);
    let all: Vec<String> = bench.inbox.received().into_iter().map(|one| one.body).collect();
    assert!(!all.concat().contains("sandbox-token"));
}

// first-use 1: whatever the reason, what is not sent is reported
#[tokio::test]
async fn a_review_that_nobody_sends_is_told_after_a_quarter_of_an_hour() {
    let bench = bench().await;
    bench.review("a", GOOGLE_NL, 5.0, "x");
    let mut app = bench.app().await;
    app.poll_only().await.unwrap();
    app.close().await;
    for (minutes, expected) in [(0, 0), (14, 0), (1, 1), (5, 1)] {
        bench.clock.advance(MINUTE * minutes);
        look(&bench).await;
        let store = bench.store().await;
        let known = store.problems().await.unwrap();
        let late = known.iter().filter(|one| one.kind == ProblemKind::DeliveryLate);
        assert_eq!(late.filter(|one| one.notified_at.is_some()).count(), expected, "{minutes}");
    }
    watch(&bench).await;
    watch(&bench).await;
    assert_eq!(notices(&bench), [pair("delivery_late", "started"), pair("delivery_late", "over")]);
    assert!(texts(&bench, "delivery_late")[0].contains("`crm`"));
}

// first-use 5, J23
#[tokio::test]
async fn a_refused_edit_is_told_after_two_minutes_and_when_it_is_accepted() {
    let bench = bench().await;
    bench.once().await;
    let store = bench.store().await;
    let refused = BridgeRecord {
        loaded_at: Some(bench.clock.now()),
        refused_at: Some(bench.clock.now()),
        refused_why: Some("config.toml: rules[0].when.max_ratng: unknown key".into()),
        ..BridgeRecord::default()
    };
    store.save_bridge(&refused).await.unwrap();
    watch(&bench).await;
    assert!(notices(&bench).is_empty());
    bench.clock.advance(MINUTE * 2);
    watch(&bench).await;
    watch(&bench).await;
    assert_eq!(notices(&bench), [pair("configuration_refused", "started")]);
    assert!(texts(&bench, "configuration_refused")[0].contains("max_ratng"));
    store.save_bridge(&BridgeRecord { refused_at: None, refused_why: None, ..refused }).await.unwrap();
    watch(&bench).await;
    assert_eq!(notices(&bench)[1..], [pair("configuration_refused", "over")]);
    assert_eq!(
        texts(&bench, "configuration_refused")[1],
        "the edited configuration is accepted after 2 minutes"
    );
}

// first-use 4: the only target is the one that fails
#[tokio::test]
async fn where_nobody_else_is_left_only_the_end_is_told() {
    let mut bench = bench().await;
    bench.rest = bench.rest.replace("[\"ops\", \"support\"]", "[\"crm\"]");
    bench.inbox.answer_all("/webhook/crm", Answer::status(403, "no"));
    bench.review("a", GOOGLE_NL, 5.0, "x");
    bench.once().await;
    bench.clock.advance(MINUTE * 10);
    watch(&bench).await;
    bench.inbox.answer_all("/webhook/crm", Answer::Fine);
    bench.settle().await;
    watch(&bench).await;
    let bodies = bench.inbox.received_at("/webhook/crm");
    let told = bodies.iter().filter(|one| one.body.contains("\"type\":\"operator\"")).collect::<Vec<_>>();
    let [only] = told.as_slice() else { panic!("{told:?}") };
    assert!(only.body.contains("works again") && only.body.contains("\"over\""), "{}", only.body);
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
