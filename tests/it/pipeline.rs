//! The main job: unread reviews, through rules, to the right destinations, once, and then marked read.

use crate::harness::*;
use review_bridge::sandbox::{Options, Shape};
use std::collections::{BTreeMap, BTreeSet};

const THREE_RULES: &str = r#"
[destinations.support]
type = "slack"
webhook_url = "INBOX/slack/support"
rate_limit = "10000/s"
[destinations.nl]
type = "webhook"
url = "INBOX/webhook/nl"
rate_limit = "10000/s"
[destinations.de]
type = "webhook"
url = "INBOX/webhook/de"
rate_limit = "10000/s"
[destinations.uk]
type = "webhook"
url = "INBOX/webhook/uk"
rate_limit = "10000/s"
[[rules]]
name = "unhappy in the Netherlands"
when = { websites = ["shop nl"], max_rating = 2 }
to = ["support", "nl"]
[[rules]]
name = "Germany"
when = { websites = ["Shop DE"] }
to = ["de"]
[[rules]]
name = "the rest of the Netherlands, and the United Kingdom"
when = { websites = ["Shop NL", "Shop UK"] }
to = ["nl", "uk"]
"#;

#[tokio::test]
async fn a_hundred_and_twenty_reviews_over_three_websites_reach_exactly_the_right_destinations_once() {
    for shape in Shape::ALL {
        let mut bench = Bench::with(Options { page_size: 17, shape, ..Options::default() }).await;
        bench.rest = THREE_RULES.into();
        let mut expected: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
        for index in 0..120 {
            let uuid = format!("review-{index:03}");
            let rating = f64::from(index % 5 + 1);
            let source = [GOOGLE_NL, GOOGLE_DE, GOOGLE_UK][index as usize % 3];
            let names: &[&str] = match (source, rating <= 2.0) {
                (GOOGLE_NL, true) => &["support", "nl", "uk"],
                (GOOGLE_DE, _) => &["de"],
                _ => &["nl", "uk"],
            };
            for name in names {
                expected.entry(name).or_default().insert(uuid.clone());
            }
            bench.review(&uuid, source, rating, &format!("Tekst {index}"));
        }
        let once = bench.once().await;
        assert!(once.is_fine(), "{shape:?}: {once:?}");
        assert_eq!(once.intake.new, 120, "{shape:?}");
        for name in ["nl", "de", "uk"] {
            let told = bench.told(name);
            assert!(told.values().all(|times| *times == 1), "{shape:?} {name}");
            assert_eq!(told.into_keys().collect::<BTreeSet<_>>(), expected[name], "{shape:?} {name}");
        }
        assert_eq!(bench.slack("support").len(), expected["support"].len());
        let marked = bench.marked();
        assert_eq!(marked.len(), 120, "{shape:?}");
        assert_eq!(marked.into_iter().collect::<BTreeSet<_>>().len(), 120);
        assert!(bench.sandbox.unread().is_empty());
        // And nothing more, ever.
        let before = bench.inbox.received().len();
        bench.once().await;
        assert_eq!(bench.inbox.received().len(), before, "{shape:?}");
    }
}

#[tokio::test]
async fn a_delivery_lists_every_rule_that_asked_for_it_and_is_sent_once() {
    let mut bench = Bench::new().await;
    bench.rest = THREE_RULES.into();
    bench.review("a", GOOGLE_NL, 1.0, "Kapot");
    bench.once().await;
    let body = &bench.webhook("nl")[0];
    assert_eq!(body["type"], "review.created");
    assert_eq!(
        body["data"]["rules"],
        serde_json::json!([
            "unhappy in the Netherlands",
            "the rest of the Netherlands, and the United Kingdom"
        ])
    );
    assert_eq!(body["data"]["review"]["websites"], serde_json::json!(["Shop NL"]));
    assert_eq!(body["data"]["review"]["rating"], 1.0);
    assert_eq!(body["data"]["repeat"], false);
    assert!(!body.to_string().contains("customer@example.org"), "the address is not for everybody");
}

#[tokio::test]
async fn unmatched_reviews_stay_unread_unless_they_are_to_be_cleared() {
    let mut bench = Bench::new().await;
    bench.rest = bench.rest.replace("name = \"all\"", "name = \"all\"\nwhen = { max_rating = 1 }");
    bench.review("happy", GOOGLE_NL, 5.0, "");
    bench.once().await;
    assert!(bench.marked().is_empty());
    bench.account = "unmatched = \"mark_read\"".into();
    bench.review("happy too", GOOGLE_NL, 5.0, "");
    bench.review("happy-too", GOOGLE_NL, 5.0, "");
    bench.once().await;
    // What was unmatched before is not looked at again, and what has no usable uuid is never marked.
    assert_eq!(bench.marked(), ["happy-too"]);
    bench.account = "unmatched = \"mark_read\"\nmark_read = \"never\"".into();
    bench.review("never", GOOGLE_NL, 5.0, "");
    bench.review("told", GOOGLE_NL, 1.0, "");
    bench.once().await;
    assert_eq!(bench.marked(), ["happy-too"]);
    assert_eq!(bench.told("crm").len(), 1);
}

#[tokio::test]
async fn a_source_on_several_websites_satisfies_a_rule_for_any_of_them() {
    let mut bench = Bench::new().await;
    bench.rest = THREE_RULES.into();
    bench.review("a", EVERYWHERE, 4.0, "Fine");
    bench.once().await;
    for name in ["nl", "de", "uk"] {
        assert_eq!(bench.told(name).len(), 1, "{name}");
    }
}

#[tokio::test]
async fn ratings_are_compared_on_their_own_scale() {
    let mut bench = Bench::new().await;
    bench.account = "rating_scales = { Kiyoh = 10 }".into();
    bench.review("low", KIYOH_NL, 4.0, "Matig");
    bench.review("high", KIYOH_NL, 9.0, "Goed");
    bench.review("beyond", GOOGLE_NL, 9.0, "Negen van de vijf");
    bench.once().await;
    // 4 of 10 is 2 of 5; 9 of 5 is unknown and satisfies no bound.
    assert_eq!(bench.slack("support").len(), 1);
    let rating = |uuid: &str| {
        let bodies = bench.webhook("crm");
        let body = bodies.iter().find(|body| body["data"]["review"]["uuid"] == uuid).unwrap();
        let review = &body["data"]["review"];
        (review["rating"].as_f64(), review["rating_native"].as_f64(), review["rating_scale"].as_f64())
    };
    assert_eq!(rating("low"), (Some(2.0), Some(4.0), Some(10.0)));
    assert_eq!(rating("beyond"), (None, Some(9.0), Some(5.0)));
}

#[tokio::test]
async fn a_malformed_item_is_kept_and_reported_and_costs_the_rest_nothing() {
    let bench = Bench::new().await;
    bench.review("a", GOOGLE_NL, 1.0, "x");
    bench.sandbox.add_raw(r#"{"uuid": null, "body": "no identity", "email": "who@example.org"}"#);
    bench.sandbox.add_raw(r#"{"uuid": "b", "body": "\ud83d alone", "rating": [1]}"#);
    bench.once().await;
    assert_eq!(bench.told("crm").keys().collect::<Vec<_>>(), ["a", "b"]);
    let reviews = bench.reviews().await;
    let malformed: Vec<_> = reviews.values().filter_map(|row| row.malformed.as_ref()).collect();
    assert_eq!(malformed.len(), 1);
    assert!(!malformed[0].to_string().contains("who@example.org"));
    bench.once().await;
    assert_eq!(bench.reviews().await.len(), 3);
    assert_eq!(bench.sandbox.unread().len(), 1, "it is never marked");
}

#[tokio::test]
async fn the_customers_address_is_told_and_kept_only_where_a_destination_asks_for_it() {
    let mut bench = Bench::new().await;
    bench.review("a", GOOGLE_NL, 1.0, "x");
    bench.once().await;
    assert_eq!(bench.reviews().await["a"].review.as_ref().unwrap().email, None);
    bench.rest = bench.rest.replace("type = \"webhook\"", "type = \"webhook\"\nshow_email = true");
    bench.review("b", GOOGLE_NL, 1.0, "x");
    bench.once().await;
    assert!(bench.webhook("crm")[1].to_string().contains("customer@example.org"));
    let slack = bench.slack("support");
    assert!(!slack[1].body.contains("customer@example.org"));
}

#[tokio::test]
async fn a_dry_run_sends_marks_and_stores_nothing() {
    let bench = Bench::new().await;
    bench.review("a", GOOGLE_NL, 1.0, "x");
    let none: [(String, String); 0] = [];
    let loaded = review_bridge::config::load(Some(&bench.write_config()), none, bench.folder.path()).unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut dry = review_bridge::app::App::build_dry(loaded.settings, bench.clock.clone()).await.unwrap();
    let once = dry.app.poll_only().await.unwrap();
    assert_eq!((once.intake.new, once.intake.deliveries), (1, 2));
    drop(dry);
    assert!(bench.inbox.received().is_empty() && bench.marked().is_empty());
    assert!(!bench.state().exists());
    bench.once().await;
    assert_eq!(bench.told("crm").len(), 1);
}

#[tokio::test]
async fn one_accounts_refused_token_delays_no_other() {
    let mut bench = Bench::new().await;
    bench.account = format!(
        "[accounts.client]\ntoken = \"wrong\"\nbase_url = \"{}\"\nrequests_per_minute = 600000",
        bench.api
    );
    bench.review("a", GOOGLE_NL, 1.0, "x");
    let once = bench.once().await;
    assert_eq!(once.failed_polls.len(), 1);
    assert_eq!(once.failed_polls[0].0, "client");
    assert!(!once.failed_polls[0].1.contains("wrong"), "{once:?}");
    assert_eq!(bench.told("crm")["a"], 1);
    assert_eq!(bench.webhook("crm")[0]["data"]["account"], "main");
    assert_eq!(bench.marked(), ["a"]);
}
