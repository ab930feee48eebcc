//! What counts as news: edits, settling, the baseline, age, and names that are not known yet.

use crate::harness::*;
use review_bridge::domain::DeliveryState;
use review_bridge::sandbox::Fault;
use review_bridge::store::ReviewState;
use review_bridge::upstream::Endpoint;
use serde_json::json;
use std::time::Duration;

const DAY: Duration = Duration::from_secs(86_400);

/// A bench whose reviews stay listed, so that edits can be seen.
async fn unmarked() -> Bench {
    let mut bench = Bench::new().await;
    bench.account = "mark_read = \"never\"".into();
    bench
}

fn changes(bench: &Bench) -> Vec<(String, String)> {
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    bench.webhook("crm").iter().map(|body| (text(&body["type"]), text(&body["data"]["change"]))).collect()
}

fn pair(kind: &str, change: &str) -> (String, String) {
    (kind.into(), change.into())
}

#[tokio::test]
async fn edits_are_told_by_their_kind_with_what_was_before() {
    let mut bench = unmarked().await;
    bench.rest = bench.rest.replace(
        "name = \"all\"",
        "name = \"all\"\nwhen = { changes = [\"new\", \"rating\", \"text_added\", \"text\"] }",
    );
    bench.review("a", GOOGLE_NL, 2.0, "");
    bench.once().await;
    bench.sandbox.edit("a", &json!({ "body": "Nu met tekst" }));
    bench.once().await;
    bench.sandbox.edit("a", &json!({ "body": "Andere tekst", "rating": 5 }));
    bench.once().await;
    bench.sandbox.edit("a", &json!({ "body": "Nog eens" }));
    bench.once().await;
    bench.sandbox.edit("a", &json!({ "name": "Someone else" }));
    bench.once().await;
    let expected = [
        pair("review.created", "new"),
        pair("review.updated", "text_added"),
        pair("review.updated", "rating"),
        pair("review.updated", "text"),
    ];
    assert_eq!(changes(&bench), expected);
    let bodies = bench.webhook("crm");
    assert_eq!(bodies[0]["data"]["previous"], serde_json::Value::Null);
    let before = &bodies[2]["data"]["previous"];
    assert_eq!((before["rating"].as_f64(), before["text"].as_str()), (Some(2.0), Some("Nu met tekst")));
}

#[tokio::test]
async fn a_mere_change_of_text_is_not_told_by_default() {
    let bench = unmarked().await;
    bench.review("a", GOOGLE_NL, 2.0, "Een");
    bench.once().await;
    bench.sandbox.edit("a", &json!({ "body": "Twee" }));
    bench.once().await;
    assert_eq!(bench.told("crm")["a"], 1);
    assert_eq!(bench.reviews().await["a"].revision, 2);
}

#[tokio::test]
async fn a_review_is_new_until_an_attempt_began_and_then_shows_its_newest_revision() {
    let bench = unmarked().await;
    let store = bench.store().await;
    store.pause_for_test("crm").await;
    bench.review("a", GOOGLE_NL, 5.0, "Mooi");
    bench.once().await;
    bench.sandbox.edit("a", &json!({ "rating": 1, "body": "Toch niet" }));
    bench.once().await;
    assert_eq!(bench.slack("support").len(), 1, "the edit matches a rule that the first sight did not");
    store.resume_for_test("crm").await;
    bench.once().await;
    assert_eq!(changes(&bench), [pair("review.created", "new")]);
    assert_eq!(bench.webhook("crm")[0]["data"]["review"]["text"], "Toch niet");
    let superseded =
        bench.deliveries().await.iter().filter(|row| row.state == DeliveryState::Superseded).count();
    assert_eq!(superseded, 1);
}

#[tokio::test]
async fn a_returning_review_is_nothing_unchanged_and_an_edit_changed() {
    let bench = Bench::new().await;
    bench.review("a", GOOGLE_NL, 1.0, "Slecht");
    bench.once().await;
    assert_eq!(bench.marked(), ["a"]);
    bench.sandbox.set_unread("a", true);
    bench.once().await;
    assert_eq!(bench.told("crm")["a"], 1);
    bench.sandbox.edit("a", &json!({ "rating": 5, "body": "Opgelost" }));
    bench.once().await;
    assert_eq!(bench.told("crm")["a"], 2);
    assert_eq!(bench.marked(), ["a", "a"], "the edit was told, so it is marked again");
}

#[tokio::test]
async fn rules_run_on_what_a_review_has_become_when_it_has_settled() {
    let mut bench = unmarked().await;
    bench.account += "\nsettle = \"2m\"";
    bench.review("a", GOOGLE_NL, 1.0, "");
    bench.once().await;
    assert_eq!(bench.state_of("a").await, ReviewState::Settling);
    bench.clock.advance(Duration::from_secs(40));
    bench.sandbox.edit("a", &json!({ "body": "Met tekst", "rating": 5 }));
    bench.once().await;
    assert!(bench.inbox.received().is_empty());
    bench.clock.advance(Duration::from_secs(80));
    bench.once().await;
    assert_eq!(changes(&bench), [pair("review.created", "new")]);
    assert_eq!(bench.webhook("crm")[0]["data"]["review"]["text"], "Met tekst");
    assert!(bench.slack("support").is_empty(), "it is five stars by now");
}

#[tokio::test]
async fn the_first_complete_listing_remembers_what_is_older_than_backfill() {
    let mut bench = Bench::new().await;
    let old = bench.clock.now().minus(DAY * 3);
    bench.sandbox.add(review("old", GOOGLE_NL, 1.0, "Oud", old));
    bench.sandbox.add(json!({ "uuid": "undated", "rating": 1, "source_uuid": GOOGLE_NL, "review_at": null }));
    bench.review("fresh", GOOGLE_NL, 1.0, "Vers");
    bench.once().await;
    assert_eq!(bench.told("crm").into_keys().collect::<Vec<_>>(), ["fresh", "undated"]);
    assert_eq!(bench.state_of("old").await, ReviewState::Remembered);
    assert_eq!(bench.sandbox.unread(), ["old"], "left unread");
    // Later only `max_age` counts.
    bench.sandbox.add(review("late", GOOGLE_NL, 1.0, "Laat", old));
    bench.sandbox.add(review("imported", GOOGLE_NL, 1.0, "Ooit", bench.clock.now().minus(DAY * 120)));
    bench.once().await;
    assert!(bench.told("crm").contains_key("late"));
    assert_eq!(bench.state_of("imported").await, ReviewState::Remembered);
    // An edit of a remembered review is matched.
    bench.account = "mark_read = \"never\"".into();
    bench.sandbox.edit("old", &json!({ "body": "Nu echt boos" }));
    bench.once().await;
    assert!(bench.told("crm").contains_key("old"));
}

#[tokio::test]
async fn backfill_can_be_everything_or_nothing() {
    for (backfill, told) in [("all", 2), ("none", 0), ("7d", 1)] {
        let mut bench = Bench::new().await;
        bench.account = format!("backfill = \"{backfill}\"");
        bench.sandbox.add(review("a", GOOGLE_NL, 1.0, "x", bench.clock.now().minus(DAY * 2)));
        bench.sandbox.add(review("b", GOOGLE_NL, 1.0, "x", bench.clock.now().minus(DAY * 400)));
        bench.once().await;
        assert_eq!(bench.told("crm").len(), told, "{backfill}");
    }
}

#[tokio::test]
async fn a_baseline_that_was_interrupted_is_still_a_baseline() {
    let bench = Bench::new().await;
    let old = bench.clock.now().minus(DAY * 3);
    for index in 0..20 {
        bench.sandbox.add(review(&format!("old-{index}"), GOOGLE_NL, 1.0, "Oud", old));
    }
    bench.sandbox.fault(Endpoint::UnreadReviews, Fault::status(503, ""));
    assert!(!bench.once().await.failed_polls.is_empty());
    bench.clock.advance(Duration::from_secs(3600));
    assert!(bench.once().await.failed_polls.is_empty());
    assert!(bench.inbox.received().is_empty(), "all of it is remembered");
    assert_eq!(bench.reviews().await.len(), 20);
}

#[tokio::test]
async fn reviews_are_held_until_the_names_have_loaded_once() {
    let bench = Bench::new().await;
    bench.review("a", GOOGLE_NL, 1.0, "x");
    bench.sandbox.fault(Endpoint::Sources, Fault::status(500, ""));
    bench.once().await;
    assert_eq!(bench.state_of("a").await, ReviewState::Held);
    assert!(bench.inbox.received().is_empty() && bench.marked().is_empty());
    bench.clock.advance(Duration::from_secs(120));
    bench.once().await;
    assert_eq!(bench.told("crm")["a"], 1);
    assert_eq!(bench.marked(), ["a"]);
}

#[tokio::test]
async fn an_unknown_source_satisfies_no_website_condition_and_is_reported() {
    let mut bench = Bench::new().await;
    bench.rest = bench.rest.replace("when = { max_rating = 2 }", "when = { websites = [\"Shop NL\"] }");
    bench.rest = bench.rest.replace(
        "name = \"all\"",
        "name = \"all\"\nunless = { websites = [\"Shop NL\"] }\nwhen = { max_rating = 3 }",
    );
    bench.review("low", "no-such-source", 1.0, "x");
    bench.review("high", "no-such-source", 5.0, "x");
    let once = bench.once().await;
    // `unless` on an unknown website excludes nothing.
    assert_eq!(bench.told("crm").into_keys().collect::<Vec<_>>(), ["low"]);
    assert_eq!(once.intake.undecided, 1);
    assert!(bench.reviews().await["high"].undecided);
    assert!(bench.sandbox.unread().contains(&"high".into()));
}

#[tokio::test]
async fn a_uuid_twice_on_a_page_and_on_two_pages_is_one_review() {
    let bench = Bench::new().await;
    for index in 0..40 {
        bench.review(&format!("r{}", index % 20), GOOGLE_NL, 1.0, "x");
    }
    bench.once().await;
    assert_eq!(bench.told("crm").len(), 20);
    assert!(bench.told("crm").values().all(|times| *times == 1));
}
