//! Bursts: so many single messages, then one for the rest; likewise for what waited while nothing could be sent.

use crate::harness::*;
use review_bridge::domain::DeliveryState;
use review_bridge::sandbox::{Answer, Mailbox, serve_mailbox};
use review_bridge::store::{Intervention, Store};
use serde_json::{Value, json};
use std::time::Duration;

const MINUTE: Duration = Duration::from_secs(60);

const PACED: &str = r#"
[destinations.crm]
type = "webhook"
url = "INBOX/webhook/crm"
rate_limit = "10000/s"
burst = { limit = 3, window = "5m" }
[[rules]]
name = "all"
to = ["crm"]
"#;

async fn paced() -> Bench {
    let mut bench = Bench::new().await;
    bench.rest = PACED.into();
    bench
}

fn arrive(bench: &Bench, names: std::ops::Range<u32>) {
    for index in names {
        bench.review(&format!("r{index:03}"), GOOGLE_NL, f64::from(index % 5 + 1), "Zo gaat dat");
    }
}

/// What was told: the uuid of a single message, or how many a summary held.
fn told(bench: &Bench) -> Vec<String> {
    let one = |body: &Value| match body["type"].as_str().unwrap() {
        "summary.created" => {
            format!("{} of {}", members(body).len(), body["data"]["cause"].as_str().unwrap())
        }
        "review.created" | "review.updated" => body["data"]["review"]["uuid"].as_str().unwrap().to_owned(),
        other => other.to_owned(),
    };
    bench.webhook("crm").iter().map(one).collect()
}

fn members(body: &Value) -> Vec<String> {
    let reviews = body["data"]["reviews"].as_array().unwrap().iter();
    reviews.map(|member| member["review"]["uuid"].as_str().unwrap().to_owned()).collect()
}

async fn all_delivered(bench: &Bench, count: usize) {
    let rows = bench.deliveries().await;
    assert_eq!(rows.len(), count);
    assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered), "{rows:?}");
    let reviews: std::collections::BTreeSet<_> = rows.iter().map(|row| &row.uuid).collect();
    assert_eq!(bench.marked().len(), reviews.len(), "each is marked read, once");
}

#[tokio::test]
async fn a_flood_becomes_a_few_messages_and_one_and_then_single_ones_resume() {
    let bench = paced().await;
    arrive(&bench, 0..10);
    assert!(bench.once().await.is_fine());
    assert_eq!(told(&bench).len(), 3);
    assert_eq!(bench.marked().len(), 3, "only what was told");
    bench.clock.advance(MINUTE * 4);
    arrive(&bench, 10..12);
    bench.once().await;
    assert_eq!(told(&bench).len(), 3, "the window lasts, over a restart too");
    bench.clock.advance(MINUTE);
    assert!(bench.once().await.is_fine());
    assert_eq!(told(&bench)[3..], ["9 of burst"]);
    all_delivered(&bench, 12).await;
    let summary = &bench.webhook("crm")[3]["data"];
    assert_eq!(summary["counts"]["reviews"], 9);
    assert_eq!(summary["from"], "2026-03-01T12:00:00Z");
    assert_eq!(summary["to"], "2026-03-01T12:05:00Z");
    let singles: Vec<String> = told(&bench)[..3].to_vec();
    let mut all: Vec<String> = singles.into_iter().chain(members(&bench.webhook("crm")[3])).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 12, "each is told once");
    arrive(&bench, 12..14);
    bench.once().await;
    let mut last = told(&bench)[4..].to_vec();
    last.sort();
    assert_eq!(last, ["r012", "r013"]);
}

#[tokio::test]
async fn what_is_no_burst_comes_one_by_one() {
    let bench = paced().await;
    for round in 0..6 {
        arrive(&bench, round * 2..round * 2 + 2);
        bench.once().await;
        bench.clock.advance(MINUTE * 5);
    }
    assert_eq!(told(&bench).len(), 12);
    all_delivered(&bench, 12).await;
}

#[tokio::test]
async fn what_waited_while_it_was_paused_is_told_at_once_when_it_resumes() {
    let bench = paced().await;
    bench.store().await.pause_for_test("crm").await;
    for round in 0..4 {
        arrive(&bench, round * 2..round * 2 + 2);
        bench.once().await;
        bench.clock.advance(MINUTE * 10);
    }
    assert!(told(&bench).is_empty());
    bench.store().await.resume_for_test_at("crm", bench.clock.now()).await;
    bench.once().await;
    assert_eq!(told(&bench), ["8 of backlog"]);
    all_delivered(&bench, 8).await;
    arrive(&bench, 8..9);
    bench.once().await;
    assert_eq!(told(&bench)[1..], ["r008"]);
}

#[tokio::test]
async fn a_small_backlog_is_told_one_by_one() {
    let bench = paced().await;
    bench.store().await.pause_for_test("crm").await;
    arrive(&bench, 0..3);
    bench.once().await;
    bench.clock.advance(MINUTE);
    bench.store().await.resume_for_test_at("crm", bench.clock.now()).await;
    bench.once().await;
    assert_eq!(told(&bench).len(), 3);
}

#[tokio::test]
async fn when_a_broken_one_works_again_one_message_shows_it_and_one_tells_the_rest() {
    let bench = paced().await;
    bench.inbox.answer_all("/webhook/crm", Answer::status(410, ""));
    for round in 0..4 {
        arrive(&bench, round * 2..round * 2 + 2);
        bench.once().await;
        bench.clock.advance(MINUTE * 20);
    }
    bench.inbox.answer_all("/webhook/crm", Answer::Fine);
    let before = told(&bench).len();
    for _ in 0..2 {
        bench.once().await;
        bench.clock.advance(MINUTE);
    }
    let after = told(&bench)[before..].to_vec();
    assert!(after == ["8 of burst"] || after.last().unwrap().ends_with("of backlog"), "{after:?}");
    assert!(after.len() <= 2, "{after:?}");
    all_delivered(&bench, 8).await;
}

#[tokio::test]
async fn what_came_at_night_is_told_in_one_message_in_the_morning() {
    let mut bench = paced().await;
    // The bench begins on a Sunday at noon.
    bench.rest = PACED.replace(
        "burst =",
        "active_hours = { days = [\"mon-fri\"], from = \"08:00\", to = \"18:00\" }\nburst =",
    );
    for round in 0..4 {
        arrive(&bench, round * 2..round * 2 + 2);
        bench.once().await;
        bench.clock.advance(MINUTE * 60);
    }
    assert!(told(&bench).is_empty());
    bench.clock.advance(MINUTE * 60 * 16);
    bench.once().await;
    assert_eq!(told(&bench), ["8 of backlog"]);
    all_delivered(&bench, 8).await;
}

#[tokio::test]
async fn an_outage_ends_in_one_message_that_says_it_may_be_a_repeat() {
    let bench = paced().await;
    arrive(&bench, 0..8);
    bench.inbox.answer("/webhook/crm", Answer::ResetAfterReading);
    for _ in 0..2 {
        bench.inbox.answer("/webhook/crm", Answer::status(503, ""));
    }
    bench.once().await;
    bench.inbox.answer_all("/webhook/crm", Answer::status(503, ""));
    bench.clock.advance(MINUTE * 5);
    bench.once().await;
    bench.inbox.answer_all("/webhook/crm", Answer::Fine);
    bench.settle().await;
    let last = bench.webhook("crm").pop().unwrap();
    assert_eq!((members(&last).len(), &last["data"]["cause"]), (8, &json!("burst")));
    assert_eq!(last["data"]["reviews"][0]["repeat"], true);
    all_delivered(&bench, 8).await;
}

#[tokio::test]
async fn giving_up_counts_from_the_first_attempt_of_what_was_gathered() {
    let mut bench = paced().await;
    bench.rest = PACED.replace("burst =", "give_up_after = \"1h\"\nburst =");
    arrive(&bench, 0..8);
    // Evidence about messages: nothing is given up because a destination is down.
    bench.inbox.answer_all("/webhook/crm", Answer::status(429, ""));
    // The last pause may be as long as an hour, and its jitter differs from run to run.
    for _ in 0..30 {
        bench.once().await;
        bench.clock.advance(MINUTE * 5);
    }
    let rows = bench.deliveries().await;
    assert!(rows.iter().all(|row| row.state == DeliveryState::Dead), "{rows:?}");
    assert!(rows.iter().all(|row| row.reason.as_deref() == Some("gave_up")), "{rows:?}");
    assert!(bench.marked().is_empty(), "dead letters stay unread");
    // A person tries them again: few enough come one by one, with time of their own.
    let ids: Vec<i64> = rows.iter().take(2).map(|row| row.id).collect();
    let retried = bench.store().await.intervene(Intervention::Retry, &ids, bench.clock.now()).await.unwrap();
    assert_eq!(retried.len(), 2);
    let before = told(&bench).len();
    bench.once().await;
    bench.inbox.answer_all("/webhook/crm", Answer::Fine);
    bench.clock.advance(MINUTE);
    bench.once().await;
    assert_eq!(bench.marked().len(), 2, "{:?}", &told(&bench)[before..]);
}

#[tokio::test]
async fn a_member_of_a_summary_is_sent_again_by_itself_as_a_repeat() {
    let bench = paced().await;
    arrive(&bench, 0..8);
    bench.once().await;
    bench.clock.advance(MINUTE * 5);
    bench.once().await;
    let summary = bench.webhook("crm").pop().unwrap();
    let uuid = members(&summary)[0].clone();
    let row = bench.deliveries().await.into_iter().find(|row| row.uuid == uuid).unwrap();
    bench.store().await.intervene(Intervention::Resend, &[row.id], bench.clock.now()).await.unwrap();
    bench.once().await;
    let again = bench.webhook("crm").pop().unwrap();
    assert_eq!((&again["data"]["review"]["uuid"], &again["data"]["repeat"]), (&json!(uuid), &json!(true)));
}

#[tokio::test]
async fn an_edit_while_it_waits_is_told_once_as_it_is_by_then() {
    let bench = paced().await;
    arrive(&bench, 0..6);
    bench.once().await;
    let waiting =
        bench.deliveries().await.into_iter().find(|row| row.state == DeliveryState::Pending).unwrap();
    bench.sandbox.edit(&waiting.uuid, &json!({ "rating": 5, "body": "Toch goed" }));
    bench.once().await;
    bench.clock.advance(MINUTE * 5);
    bench.once().await;
    let summary = bench.webhook("crm").pop().unwrap();
    let reviews = summary["data"]["reviews"].as_array().unwrap();
    let told: Vec<&Value> = reviews.iter().filter(|one| one["review"]["uuid"] == waiting.uuid).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["review"]["text"], "Toch goed");
    assert_eq!(bench.marked().len(), 6);
}

#[tokio::test]
async fn a_summary_that_is_refused_is_sent_in_its_plainest_form() {
    let mut bench = paced().await;
    let slack = "type = \"slack\"\nwebhook_url = \"INBOX/slack/crm\"";
    bench.rest = PACED.replace("type = \"webhook\"\nurl = \"INBOX/webhook/crm\"", slack);
    for index in 0..40 {
        bench.review(&format!("r{index}"), GOOGLE_NL, f64::from(index % 5 + 1), "<!channel> *kapot*");
    }
    bench.once().await;
    bench.clock.advance(MINUTE * 5);
    bench.inbox.answer("/slack/crm", Answer::status(400, "invalid_blocks"));
    bench.once().await;
    let slack = bench.slack("crm");
    assert_eq!(slack.len(), 5);
    let [full, plain] = [3, 4].map(|index: usize| serde_json::from_str::<Value>(&slack[index].body).unwrap());
    assert!(full["text"].as_str().unwrap().starts_with("🔥 37 reviews in a short time · "), "{full}");
    assert!(full["blocks"].is_array() && plain["blocks"].is_null());
    assert!(!plain["text"].as_str().unwrap().contains("<!"));
    assert_eq!(bench.marked().len(), 40);
}

#[tokio::test]
async fn a_summary_that_is_refused_for_good_gives_way_to_single_messages() {
    let bench = paced().await;
    arrive(&bench, 0..6);
    bench.once().await;
    bench.clock.advance(MINUTE * 5);
    for _ in 0..2 {
        bench.inbox.answer("/webhook/crm", Answer::status(422, "one of these is too much"));
    }
    bench.once().await;
    bench.once().await;
    assert_eq!(told(&bench).len(), 3 + 2 + 3, "{:?}", told(&bench));
    all_delivered(&bench, 6).await;
}

#[tokio::test]
async fn notices_are_held_back_by_no_burst() {
    let mut bench = paced().await;
    bench.rest = format!("{PACED}[operator]\nnotify = [\"crm\"]\n");
    arrive(&bench, 0..8);
    bench.once().await;
    let notice = review_bridge::store::NewMessage {
        id: "msg_notice".into(),
        destination: "crm".into(),
        recipient: String::new(),
        kind: review_bridge::domain::MessageKind::Operator,
        content: json!({"kind": "polls_failing", "state": "started", "text": "x", "hint": "y"}).to_string(),
    };
    bench.store().await.enqueue(&[notice], bench.clock.now()).await.unwrap();
    bench.once().await;
    assert_eq!(told(&bench)[3..], ["operator"]);
}

#[tokio::test]
async fn each_recipient_has_windows_of_their_own() {
    let mut bench = paced().await;
    let mailbox = Mailbox::new(bench.clock.clone());
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let smtp = format!(
        "[smtp]\nhost = \"127.0.0.1\"\nport = {}\ntls = \"none\"\nfrom = \"reviews@shop.example\"\n",
        listener.local_addr().unwrap().port()
    );
    tokio::spawn(serve_mailbox(listener, mailbox.clone(), std::future::pending()));
    let email = "type = \"email\"\nto = [\"a@shop.example\", \"b@shop.example\"]";
    let paced = PACED.replace("type = \"webhook\"\nurl = \"INBOX/webhook/crm\"", email);
    bench.rest = format!("{smtp}{paced}");
    arrive(&bench, 0..8);
    bench.once().await;
    let to = |recipient: &str| {
        let mails = mailbox.received().into_iter().filter(|mail| mail.recipients == [recipient]);
        mails.map(|mail| mail.parsed.header("Subject").unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!((to("a@shop.example").len(), to("b@shop.example").len()), (3, 3));
    bench.clock.advance(MINUTE * 5);
    bench.once().await;
    for recipient in ["a@shop.example", "b@shop.example"] {
        let subjects = to(recipient);
        assert_eq!(subjects.len(), 4);
        assert!(subjects[3].starts_with("🔥 5 reviews in a short time · "), "{subjects:?}");
    }
    all_delivered(&bench, 16).await;
}

#[tokio::test]
async fn a_changed_limit_counts_at_once() {
    let mut bench = paced().await;
    arrive(&bench, 0..8);
    bench.once().await;
    bench.rest = PACED.replace("burst = { limit = 3, window = \"5m\" }", "");
    bench.once().await;
    assert_eq!(told(&bench).len(), 8, "nothing is held back any more");
    all_delivered(&bench, 8).await;
}
