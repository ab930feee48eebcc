//! Trouble on the way: nothing is lost, nothing is told twice but where nobody can know, and what waits waits
//! for the right reason.

use crate::harness::*;
use review_bridge::domain::DeliveryState;
use review_bridge::sandbox::{Answer, Fault, Options};
use review_bridge::store::DeliveryRow;
use review_bridge::upstream::Endpoint;
use std::time::Duration;

async fn with_reviews(count: usize) -> Bench {
    let bench = Bench::new().await;
    for index in 0..count {
        bench.review(&format!("r{index:03}"), GOOGLE_NL, 1.0, "Slecht");
    }
    bench
}

fn header(name: &str, value: &str) -> (String, String) {
    (name.into(), value.into())
}

fn status(code: u16, headers: Vec<(String, String)>, body: &str) -> Answer {
    Answer::Status { code, headers, body: body.into() }
}

#[tokio::test]
async fn a_retry_after_holds_the_whole_destination_and_nothing_else() {
    let bench = with_reviews(3).await;
    bench.inbox.answer("/slack/support", status(429, vec![header("retry-after", "90")], ""));
    let once = bench.once().await;
    assert!(!once.is_fine());
    assert_eq!(bench.told("crm").len(), 3, "the other destination is not held up");
    let before = bench.slack("support").len();
    bench.clock.advance(Duration::from_secs(60));
    bench.once().await;
    assert_eq!(bench.slack("support").len(), before, "held for 90 s");
    assert!(bench.marked().len() < 3);
    bench.clock.advance(Duration::from_secs(31));
    assert!(bench.once().await.is_fine());
    assert_eq!(bench.marked().len(), 3);
    bench.settle().await;
}

#[tokio::test]
async fn server_errors_and_lost_connections_lose_nothing() {
    let bench = with_reviews(30).await;
    for index in 0..60 {
        let answer = match index % 6 {
            0 => Answer::status(503, ""),
            1 => Answer::Reset,
            2 => Answer::ResetAfterReading,
            3 => status(429, vec![header("retry-after", "1")], "{}"),
            4 => Answer::status(408, ""),
            _ => Answer::status(500, "rollup_error"),
        };
        bench.inbox.answer("/slack/support", answer.clone());
        bench.inbox.answer("/webhook/crm", answer);
    }
    bench.settle().await;
    let rows = bench.deliveries().await;
    assert_eq!(rows.len(), 60);
    assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered));
    assert_eq!(bench.marked().len(), 30);
    assert_eq!(bench.told("crm").len(), 30);
}

#[tokio::test]
async fn a_repeat_bears_the_same_id_and_says_so_only_after_an_ambiguous_end() {
    let bench = with_reviews(1).await;
    bench.inbox.answer("/webhook/crm", Answer::status(503, ""));
    bench.inbox.answer("/webhook/crm", Answer::ResetAfterReading);
    bench.settle().await;
    let received = bench.inbox.received_at("/webhook/crm");
    let repeats: Vec<bool> =
        bench.webhook("crm").iter().map(|body| body["data"]["repeat"].as_bool().unwrap()).collect();
    assert_eq!(repeats, [false, false, true]);
    let id = |index: usize| received[index].headers["webhook-id"].clone();
    assert_eq!(id(0), id(2));
}

#[tokio::test]
async fn a_payload_that_is_refused_is_tried_once_more_in_its_plainest_form() {
    let bench = with_reviews(1).await;
    bench.inbox.answer("/slack/support", Answer::status(400, "invalid_blocks"));
    bench.settle().await;
    let slack = bench.slack("support");
    assert!(slack[0].body.contains("\"blocks\"") && !slack[1].body.contains("\"blocks\""));
    assert_eq!(bench.marked(), ["r000"]);
}

#[tokio::test]
async fn a_dead_letter_keeps_its_review_unread() {
    let bench = with_reviews(1).await;
    bench.inbox.answer("/slack/support", Answer::status(400, "invalid_payload"));
    bench.inbox.answer("/slack/support", Answer::status(400, "invalid_payload"));
    for _ in 0..3 {
        bench.once().await;
        bench.clock.advance(Duration::from_secs(3600));
    }
    let rows = bench.deliveries().await;
    let dead: Vec<_> = rows.iter().filter(|row| row.state == DeliveryState::Dead).collect();
    assert_eq!(dead.len(), 1);
    assert_eq!(dead[0].reason.as_deref(), Some("payload_refused"));
    assert!(bench.marked().is_empty());
    assert_eq!(bench.told("crm")["r000"], 1);
}

#[tokio::test]
async fn a_broken_destination_keeps_everything_and_is_probed_with_one_message() {
    let bench = with_reviews(5).await;
    for _ in 0..12 {
        bench.inbox.answer("/slack/support", Answer::status(404, "no_active_hooks"));
    }
    bench.once().await;
    let first = bench.slack("support").len();
    bench.clock.advance(Duration::from_secs(15 * 60));
    // A new process probes at once; within one process it is every 15 minutes.
    let mut app = bench.app().await;
    app.run_once().await.unwrap();
    assert_eq!(bench.slack("support").len(), first + 1);
    app.run_once().await.unwrap();
    assert_eq!(bench.slack("support").len(), first + 1, "not before 15 minutes have passed");
    bench.clock.advance(Duration::from_secs(15 * 60));
    app.run_once().await.unwrap();
    assert_eq!(bench.slack("support").len(), first + 2);
    app.close().await;
    assert!(bench.marked().is_empty());
    // Three days broken do not count towards giving up.
    bench.clock.advance(Duration::from_secs(72 * 3600));
    while bench.slack("support").len() < 12 {
        bench.once().await;
    }
    bench.settle().await;
    assert_eq!(bench.marked().len(), 5);
    let rows = bench.deliveries().await;
    assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered));
}

#[tokio::test]
async fn a_message_is_given_up_after_its_time_and_not_while_its_destination_is_paused() {
    let mut bench = with_reviews(1).await;
    bench.rest = bench.rest.replace("type = \"slack\"", "type = \"slack\"\ngive_up_after = \"3h\"");
    for _ in 0..30 {
        bench.inbox.answer("/slack/support", Answer::status(429, ""));
    }
    bench.once().await;
    let store = bench.store().await;
    store.pause_for_test_at("support", bench.clock.now()).await;
    bench.clock.advance(Duration::from_secs(48 * 3600));
    store.resume_for_test_at("support", bench.clock.now()).await;
    bench.once().await;
    let state = |rows: Vec<review_bridge::store::DeliveryRow>| {
        rows.into_iter().find(|row| row.destination == "support").map(|row| (row.state, row.reason))
    };
    assert_eq!(state(bench.deliveries().await), Some((DeliveryState::Pending, None)));
    for _ in 0..4 {
        bench.clock.advance(Duration::from_secs(3600));
        bench.once().await;
    }
    assert_eq!(state(bench.deliveries().await), Some((DeliveryState::Dead, Some("gave_up".into()))));
}

#[tokio::test]
async fn outside_its_hours_a_destination_keeps_what_it_has() {
    // 2026-03-01 is a Sunday.
    let mut bench = with_reviews(1).await;
    let hours = "active_hours = { days = [\"mon-fri\"], from = \"08:00\", to = \"18:00\", timezone = \"Europe/Amsterdam\" }";
    bench.rest = bench.rest.replace("type = \"slack\"", &format!("type = \"slack\"\n{hours}"));
    let once = bench.once().await;
    assert!(once.is_fine(), "waiting work alone is no failure: {once:?}");
    assert!(bench.slack("support").is_empty() && bench.marked().is_empty());
    bench.clock.advance(Duration::from_secs(20 * 3600));
    bench.once().await;
    assert_eq!(bench.slack("support").len(), 1);
    assert_eq!(bench.marked(), ["r000"]);
}

#[tokio::test]
async fn the_api_may_fail_in_every_known_way_and_nothing_is_lost_or_told_twice() {
    let bench = Bench::with(Options { page_size: 5, ..Options::default() }).await;
    for index in 0..23 {
        bench.review(&format!("r{index:03}"), GOOGLE_NL, 1.0, "x");
    }
    let faults = [
        Fault::status(503, "<html>upstream</html>"),
        Fault::Html,
        Fault::Cut,
        Fault::Reset,
        Fault::ErrorUnder200,
        Fault::Unauthenticated,
        Fault::Status { code: 429, headers: vec![header("retry-after", "7")], body: String::new() },
    ];
    for fault in faults {
        bench.sandbox.fault(Endpoint::UnreadReviews, fault.clone());
        bench.sandbox.fault(Endpoint::MarkReviewRead, fault);
        bench.clock.advance(Duration::from_secs(1800));
        let poll = tokio::time::timeout(Duration::from_secs(20), bench.once_moving()).await;
        poll.expect("it does not hang");
    }
    bench.settle().await;
    assert_eq!(bench.told("crm").len(), 23);
    assert!(bench.told("crm").values().all(|times| *times == 1));
    let mut marked = bench.marked();
    marked.sort();
    marked.dedup();
    assert_eq!(marked.len(), 23);
}

#[tokio::test]
async fn a_mark_path_that_was_never_right_is_told_and_loses_no_mark() {
    let mut bench = with_reviews(2).await;
    bench.account = "[accounts.main.endpoints]\nmark_review_read = \"reviews/{uuid}/seen\"".into();
    bench.once().await;
    let store = bench.store().await;
    let record = store.account_for_test().await;
    assert!(record.mark_error.unwrap().contains("endpoints.mark_review_read"));
    assert!(bench.marked().is_empty());
    // Corrected, what was due is marked.
    bench.account = String::new();
    bench.clock.advance(Duration::from_secs(3600));
    bench.settle().await;
    assert_eq!(bench.marked().len(), 2);
    assert_eq!(store.account_for_test().await.mark_error, None);
    // Now that it has worked, a 404 means that the review is gone.
    bench.review("gone", GOOGLE_NL, 1.0, "x");
    bench.sandbox.fault(Endpoint::MarkReviewRead, Fault::status(404, "{\"message\":\"Not found\"}"));
    bench.once().await;
    assert!(bench.once().await.is_fine());
    assert_eq!(bench.reviews().await["gone"].mark, "done");
}

#[tokio::test]
async fn a_removed_destination_leaves_dead_letters_not_silence() {
    let mut bench = with_reviews(1).await;
    let store = bench.store().await;
    store.pause_for_test("crm").await;
    bench.once().await;
    bench.rest = r#"
[destinations.support]
type = "slack"
webhook_url = "INBOX/slack/support"
[[rules]]
name = "bad"
to = ["support"]
"#
    .into();
    let of_crm = |rows: Vec<DeliveryRow>| rows.into_iter().find(|row| row.destination == "crm").unwrap();
    bench.once().await;
    bench.clock.advance(Duration::from_secs(9 * 60));
    bench.once().await;
    assert_eq!(of_crm(bench.deliveries().await).state, DeliveryState::Pending, "a file that is being edited");
    bench.clock.advance(Duration::from_secs(60));
    bench.once().await;
    let dead = of_crm(bench.deliveries().await);
    assert_eq!((dead.state, dead.reason.as_deref()), (DeliveryState::Dead, Some("destination_removed")));
    assert!(bench.marked().is_empty());
}
