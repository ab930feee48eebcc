//! The client against the fake: every envelope, every failure, logins, the budget, limits.

use super::*;
use crate::domain::text::is_unsafe;
use crate::upstream::{Endpoint, Item, StateFailure};
use serde_json::json;
use std::collections::BTreeSet;

fn uuids(items: &[Item]) -> BTreeSet<String> {
    items
        .iter()
        .filter_map(|item| match item {
            Item::Review(review) => Some(review.uuid.clone()),
            Item::Malformed(_) => None,
        })
        .collect()
}

#[tokio::test]
async fn every_envelope_lists_every_review() {
    for shape in Shape::ALL {
        for reviews in [0, 1, 7, 14, 20] {
            let served = Served::start(Options { reviews, page_size: 7, shape, ..Options::default() }).await;
            let client = served.client(&served.settings());
            let items = list_all(&client).await.unwrap();
            let expected: BTreeSet<String> = served.sandbox.unread().into_iter().collect();
            assert_eq!(uuids(&items), expected, "{shape:?}, {reviews}");
            assert_eq!(items.len(), reviews, "{shape:?}");
            let pages = served.sandbox.requests()[&Endpoint::UnreadReviews];
            assert!(pages <= 4, "{shape:?}, {reviews}: {pages} requests");
            assert!(
                served
                    .budget
                    .taken
                    .lock()
                    .unwrap()
                    .iter()
                    .all(|purpose| matches!(purpose, Purpose::Newest | Purpose::Listing))
            );
            served.stop().await;
        }
    }
}

#[tokio::test]
async fn the_total_is_passed_on() {
    let served = Served::start(Options { reviews: 20, ..Options::default() }).await;
    let page = served.client(&served.settings()).unread_page(None).await.unwrap();
    assert_eq!((page.total, page.items.len()), (Some(20), 15));
}

#[tokio::test]
async fn names_load_whole_in_every_envelope() {
    for shape in Shape::ALL {
        let options = Options { page_size: 4, shape, hostile: true, ..Options::default() };
        let served = Served::start(options).await;
        let catalog = served.client(&served.settings()).catalog().await.unwrap();
        assert_eq!((catalog.websites.len(), catalog.platforms.len()), (3, 11), "{shape:?}");
        assert_eq!(catalog.sources.len(), 16 + 5, "{shape:?}");
        let shared = catalog.sources.values().find(|source| source.named.name == "Trustpilot").unwrap();
        assert_eq!(shared.website_uuids.len(), 3);
        assert_eq!(catalog.sources["odd-null-name"].named.name, "odd-null-name");
        assert_eq!(catalog.sources["odd-inactive"].review_link, None);
        assert!(served.budget.taken.lock().unwrap().iter().all(|purpose| *purpose == Purpose::Names));
    }
}

#[tokio::test]
async fn marks_go_by_path_or_by_body() {
    let served = Served::start(Options::default()).await;
    for uuid in ["a", "KIYNL-1:2_3.4"] {
        served.sandbox.add(json!({"uuid": uuid}));
    }
    let settings = served.settings();
    served.client(&settings).mark_read("KIYNL-1:2_3.4").await.unwrap();
    let endpoints = Endpoints::default().with(Endpoint::MarkReviewRead, "reviews/read").unwrap();
    served.client(&Settings { endpoints, ..settings }).mark_read("a").await.unwrap();
    assert_eq!(served.sandbox.marks(), [("KIYNL-1:2_3.4".into(), NOW), ("a".into(), NOW)]);
    assert_eq!(served.sandbox.unread(), Vec::<String>::new());
    assert_eq!(*served.budget.taken.lock().unwrap(), [Purpose::Mark, Purpose::Mark]);
}

#[tokio::test]
async fn a_uuid_never_leads_out_of_the_path() {
    let served = Served::start(Options::default()).await;
    for uuid in ["..", ".", "", "a/b", "a?b"] {
        assert_eq!(
            kind(served.client(&served.settings()).mark_read(uuid).await),
            ErrorKind::Refused,
            "{uuid}"
        );
    }
    assert!(served.sandbox.requests().is_empty());
}

#[tokio::test]
async fn every_failure_has_its_kind() {
    let served = Served::start(Options { reviews: 3, ..Options::default() }).await;
    let client = served.client(&served.settings());
    let later = NOW.plus(Duration::from_secs(7));
    let retry_after =
        Fault::Status { code: 429, headers: vec![("retry-after".into(), "7".into())], body: String::new() };
    for (fault, expected) in [
        (Fault::Unauthenticated, ErrorKind::Unauthenticated),
        (Fault::status(401, ""), ErrorKind::Unauthenticated),
        (Fault::status(403, r#"{"message":"Forbidden"}"#), ErrorKind::Refused),
        (Fault::status(404, "<html>"), ErrorKind::NotFound),
        (Fault::status(405, ""), ErrorKind::NotFound),
        (Fault::status(409, ""), ErrorKind::Refused),
        (Fault::status(422, r#"{"message":"no"}"#), ErrorKind::Refused),
        (retry_after, ErrorKind::RateLimited(later)),
        (Fault::status(429, ""), ErrorKind::RateLimited(NOW.plus(Duration::from_secs(60)))),
        (Fault::status(500, ""), ErrorKind::Unavailable),
        (Fault::status(502, "<html>Bad Gateway</html>"), ErrorKind::Unavailable),
        (Fault::status(302, ""), ErrorKind::Refused),
        (Fault::Html, ErrorKind::Unavailable),
        (Fault::status(200, ""), ErrorKind::Unavailable),
        (Fault::status(200, r#"{"data":[{"uuid":"#), ErrorKind::Unavailable),
        (Fault::status(200, r#"{"message":"hello"}"#), ErrorKind::Unavailable),
        (Fault::ErrorUnder200, ErrorKind::Refused),
        (Fault::status(200, r#"{"error":"Unauthenticated."}"#), ErrorKind::Unauthenticated),
        (Fault::Cut, ErrorKind::Unavailable),
        (Fault::Reset, ErrorKind::Unreachable),
    ] {
        served.sandbox.fault(Endpoint::UnreadReviews, fault.clone());
        let error = client.unread_page(None).await.expect_err("a fault");
        assert_eq!(error.kind, expected, "{fault:?}: {error}");
        assert!(!error.detail.contains(is_unsafe) && !error.detail.contains('\n'), "{error}");
        assert!(!error.detail.contains("http://"), "{error}");
    }
    assert_eq!(client.unread_page(None).await.unwrap().items.len(), 3);
    assert!(served.budget.holds.lock().unwrap().contains(&later));
}

#[tokio::test]
async fn a_mark_looks_at_the_answer() {
    let served = Served::start(Options::default()).await;
    served.sandbox.add(json!({"uuid": "a"}));
    let client = served.client(&served.settings());
    for (fault, expected) in [
        (Fault::Html, ErrorKind::Unavailable),
        (Fault::ErrorUnder200, ErrorKind::Refused),
        (Fault::status(200, r#"{"success":false}"#), ErrorKind::Refused),
        (Fault::status(404, "{}"), ErrorKind::NotFound),
    ] {
        served.sandbox.fault(Endpoint::MarkReviewRead, fault);
        assert_eq!(kind(client.mark_read("a").await), expected);
    }
    assert!(served.sandbox.marks().is_empty());
    served.sandbox.fault(Endpoint::MarkReviewRead, Fault::ResetAfterApplying);
    assert_eq!(kind(client.mark_read("a").await), ErrorKind::Unreachable);
    assert_eq!(served.sandbox.marks().len(), 1);
    served.sandbox.fault(Endpoint::MarkReviewRead, Fault::status(204, ""));
    client.mark_read("a").await.unwrap();
}

#[tokio::test]
async fn nobody_there_is_unreachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = client(&settings(&base_url, token("s3cret-token")), &Arc::default(), &Clock::manual(NOW));
    assert_eq!(kind(client.unread_page(None).await), ErrorKind::Unreachable);
}

#[tokio::test]
async fn a_login_is_made_once_and_renewed_once() {
    let served = Served::start(Options { reviews: 1, ..Options::default() }).await;
    let client = served.client(&served.login_settings());
    assert_eq!(client.token_expires_at(), None);
    let calls = (0..5).map(|_| client.unread_page(None));
    for page in futures::future::join_all(calls).await {
        assert_eq!(page.unwrap().items.len(), 1);
    }
    assert_eq!(served.sandbox.requests()[&Endpoint::Login], 1);
    assert_eq!(client.token_expires_at(), Some(NOW.plus(Duration::from_secs(30 * 86_400))));
    served.sandbox.revoke_tokens();
    client.unread_page(None).await.unwrap();
    assert_eq!(served.sandbox.requests()[&Endpoint::Login], 2);
    // Refused again right after a fresh login: once more, and no further.
    served.sandbox.fault(Endpoint::UnreadReviews, Fault::Unauthenticated);
    served.sandbox.fault(Endpoint::UnreadReviews, Fault::Unauthenticated);
    assert_eq!(kind(client.unread_page(None).await), ErrorKind::Unauthenticated);
    assert_eq!(served.sandbox.requests()[&Endpoint::Login], 3);
    assert_eq!(
        served.budget.taken.lock().unwrap().iter().filter(|purpose| **purpose == Purpose::Other).count(),
        3
    );
}

#[tokio::test]
async fn a_refused_login_or_token_says_what_to_do_and_no_secret() {
    let served = Served::start(Options::default()).await;
    let wrong =
        Credentials::Login { email: "x@shop.example".into(), password: Secret::new("s3cret-password") };
    let client = served.client(&Settings { credentials: wrong, ..served.settings() });
    let error = client.unread_page(None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unauthenticated);
    assert!(error.detail.contains("`accounts.main.password`"), "{error}");
    assert!(!served.sandbox.requests().contains_key(&Endpoint::UnreadReviews));
    let client = served.client(&Settings { credentials: token("s3cret-token"), ..served.settings() });
    let error = client.unread_page(None).await.unwrap_err();
    assert!(error.detail.contains("generate a new one"), "{error}");
    assert_eq!(served.sandbox.requests()[&Endpoint::Login], 1);
    served.sandbox.fault(Endpoint::UnreadReviews, Fault::status(422, r#"{"error":"bad s3cret-token"}"#));
    let error = client.unread_page(None).await.unwrap_err();
    assert!(error.detail.contains("[redacted]") && !error.detail.contains("s3cret"), "{error}");
}

#[tokio::test]
async fn nothing_is_asked_without_the_budget() {
    let served = Served::start(Options::default()).await;
    let client = served.client(&served.login_settings());
    *served.budget.deny.lock().unwrap() = Some(Denied::Until(NOW));
    assert_eq!(kind(client.unread_page(None).await), ErrorKind::Budget(NOW));
    let failure = StateFailure::new(std::io::Error::other("disk full"));
    *served.budget.deny.lock().unwrap() = Some(Denied::State(failure.clone()));
    assert_eq!(kind(client.mark_read("a").await), ErrorKind::State(failure));
    assert!(served.sandbox.requests().is_empty());
}

#[tokio::test]
async fn pauses_that_the_api_asks_for_reach_the_budget() {
    let served = Served::start(Options { requests_per_minute: 2, ..Options::default() }).await;
    let client = served.client(&served.settings());
    client.unread_page(None).await.unwrap();
    assert!(served.budget.holds.lock().unwrap().is_empty());
    client.unread_page(None).await.unwrap();
    let minute = NOW.plus(Duration::from_secs(60));
    assert_eq!(*served.budget.holds.lock().unwrap(), [minute], "no request remaining");
    served.clock.advance(Duration::from_secs(20));
    assert_eq!(kind(client.unread_page(None).await), ErrorKind::RateLimited(minute));
    served.clock.advance(Duration::from_secs(40));
    client.unread_page(None).await.unwrap();
}

#[tokio::test]
async fn a_page_is_read_up_to_its_limit() {
    let served = Served::start(Options::default()).await;
    served.sandbox.add(json!({"uuid": "a", "body": "x".repeat(4000)}));
    let client = served.client(&Settings { max_page_bytes: 3000, ..served.settings() });
    let error = client.unread_page(None).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unavailable);
    assert!(error.detail.contains("`max_page_bytes` (3000 bytes)"), "{error}");
    // The limit is the page's alone: a failure is told however long its text is.
    served.sandbox.fault(Endpoint::UnreadReviews, Fault::status(500, &"x".repeat(200_000)));
    assert_eq!(kind(client.unread_page(None).await), ErrorKind::Unavailable);
}

#[tokio::test]
async fn hostile_items_arrive_safe_and_each_by_itself() {
    let served = Served::start(Options { hostile: true, page_size: 1000, ..Options::default() }).await;
    let page = served.client(&served.settings()).unread_page(None).await.unwrap();
    assert_eq!(page.items.len(), hostile::cases().len());
    for item in &page.items {
        let Item::Review(review) = item else { continue };
        for text in [&review.text, &review.author, &review.title, &review.language, &review.source_uuid] {
            assert!(!text.iter().any(|text| text.contains(is_unsafe)), "{review:?}");
            assert!(!text.iter().any(|text| text.trim().is_empty()), "{review:?}");
        }
        assert_eq!(review.email, None);
        assert!(!review.author.iter().any(|author| author.contains('\n')), "{review:?}");
    }
    let malformed: Vec<_> = page.items.iter().filter(|item| matches!(item, Item::Malformed(_))).collect();
    assert_eq!(malformed.len(), 12, "{malformed:#?}");
    assert!(!format!("{malformed:?}").contains("sam@mail.example"));
    let known = uuids(&page.items);
    for (name, _) in
        hostile::cases().iter().filter(|(name, _)| !name.starts_with("uuid-") && !name.starts_with("raw-"))
    {
        assert!(known.contains(&format!("hostile-{name}")), "{name}");
    }
    for name in ["lone-surrogate", "nul", "huge-number", "depth", "duplicate-keys", "missing-fields"] {
        assert!(known.contains(&format!("hostile-raw-{name}")), "{name}");
    }
}

#[tokio::test]
async fn raw_line_ends_in_a_text_do_not_cost_the_page() {
    let served = Served::start(Options::default()).await;
    served.sandbox.add_raw("{\"uuid\":\"a\",\"body\":\"one\ntwo\"}");
    let page = served.client(&served.settings()).unread_page(None).await.unwrap();
    assert!(matches!(&page.items[..], [Item::Review(review)] if review.text.as_deref() == Some("one two")));
}

#[tokio::test]
async fn requests_say_who_asks_and_what_for() {
    let inbox = Inbox::new(Clock::manual(NOW));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base_url = format!("http://{}/webhook", listener.local_addr().unwrap());
    tokio::spawn(serve_inbox(listener, Arc::clone(&inbox), std::future::pending()));
    let endpoints = Endpoints::default().with(Endpoint::MarkReviewRead, "{uuid}").unwrap();
    let settings = Settings { endpoints, ..settings(&base_url, token("the-token")) };
    client(&settings, &Arc::default(), &Clock::manual(NOW)).mark_read("a").await.unwrap();
    let received = inbox.received_at("/webhook/a");
    let header = |name: &str| received[0].headers.get(name).map(String::as_str);
    assert_eq!(header("authorization"), Some("Bearer the-token"));
    assert_eq!(header("accept"), Some("application/json"));
    assert_eq!(header("content-type"), Some("application/json"));
    assert_eq!(header("content-length"), Some("0"));
    assert_eq!(header("user-agent"), Some(concat!("review-bridge/", env!("CARGO_PKG_VERSION"))));
    assert!(header("accept-encoding").is_some_and(|encodings| encodings.contains("gzip")));
}
