//! The fake by itself: its endpoints, its seed, its faults, its receivers, its end.

use super::*;
use crate::upstream::Endpoint;
use serde_json::{Value, json};

/// One request; the status and the body.
async fn ask(method: &str, url: &str, token: &str, body: Value) -> Result<(u16, Value), reqwest::Error> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder().no_proxy().build()?;
    let request = client.request(method.parse().unwrap(), url).bearer_auth(token).body(body.to_string());
    let response = request.send().await?;
    let status = response.status().as_u16();
    Ok((status, serde_json::from_str(&response.text().await?).unwrap_or_default()))
}

fn method(endpoint: Endpoint) -> &'static str {
    match endpoint {
        Endpoint::Login
        | Endpoint::ForgotPassword
        | Endpoint::Register
        | Endpoint::OauthApprove
        | Endpoint::MarkReviewRead => "POST",
        _ => "GET",
    }
}

#[tokio::test]
async fn all_seventeen_endpoints_answer() {
    let served = Served::start(Options::default()).await;
    served.sandbox.add(json!({"uuid": "a"}));
    let body = json!({
        "email": "reviews@shop.example", "password": "sandbox-password", "company_name": "x", "first_name": "x",
        "last_name": "x",
    });
    for endpoint in Endpoint::ALL {
        let path = endpoint.default_path().replace("{uuid}", "a").replace("{code}", "sandbox");
        let url = format!("http://{}{BASE_PATH}/{path}", served.address);
        let (status, answer) = ask(method(*endpoint), &url, "sandbox-token", body.clone()).await.unwrap();
        assert_eq!(status, 200, "{endpoint:?}: {answer}");
        let known = answer.get("data").is_some() || answer.get("error").is_some() || answer.is_string();
        assert!(known, "{endpoint:?}: {answer}");
        let other = if method(*endpoint) == "GET" { "POST" } else { "GET" };
        assert_eq!(ask(other, &url, "sandbox-token", body.clone()).await.unwrap().0, 405, "{endpoint:?}");
        let open =
            ["login", "forgot", "register", "oauth", "platforms"].iter().any(|name| path.starts_with(name));
        let (status, answer) = ask(method(*endpoint), &url, "another", body.clone()).await.unwrap();
        if !open {
            assert_eq!((status, answer), (400, json!({"error": "Unauthenticated."})), "{endpoint:?}");
        }
    }
    let url = format!("http://{}/nothing", served.address);
    assert_eq!(ask("GET", &url, "sandbox-token", json!(null)).await.unwrap().0, 404);
}

#[tokio::test]
async fn lists_can_be_narrowed_as_the_official_client_does() {
    let served = Served::start(Options { reviews: 30, ..Options::default() }).await;
    let url = |query: &str| format!("http://{}{BASE_PATH}/reviews?{query}", served.address);
    let uuid = &served.sandbox.unread()[3];
    for (query, expected) in [
        ("limit=100000".into(), 30),
        ("limit=4&offset=28".into(), 2),
        (format!("reviewUuid={uuid}"), 1),
        ("sourceUuid=none".into(), 0),
    ] {
        let (_, answer) = ask("GET", &url(&query), "sandbox-token", json!(null)).await.unwrap();
        assert_eq!(answer["data"].as_array().unwrap().len(), expected, "{query}");
    }
}

#[test]
fn a_seed_gives_the_same_sandbox() {
    let start =
        |seed| Sandbox::new(Options { seed, reviews: 20, ..Options::default() }, Clock::manual(NOW)).unread();
    assert_eq!(start(1), start(1));
    assert_ne!(start(1), start(2));
}

#[test]
fn reviews_live() {
    let sandbox = Sandbox::new(Options::default(), Clock::manual(NOW));
    sandbox.arrive(2);
    sandbox.add(json!({"uuid": "a", "rating": 5}));
    assert_eq!(sandbox.unread().len(), 3);
    assert_eq!(sandbox.unread()[0], "a", "newest first");
    assert!(sandbox.edit("a", &json!({"rating": 1})));
    assert!(!sandbox.edit("b", &json!({"rating": 1})));
    assert!(sandbox.set_unread("a", false));
    assert_eq!(sandbox.unread().len(), 2);
    assert!(sandbox.set_unread("a", true) && sandbox.remove("a") && !sandbox.remove("a"));
    assert!(sandbox.marks().is_empty());
}

#[tokio::test]
async fn it_ends_while_an_answer_is_outstanding() {
    let served = Served::start(Options::default()).await;
    served.sandbox.fault(Endpoint::UnreadReviews, Fault::Slow);
    let client = served.client(&served.settings());
    let (sandbox, stop) = (Arc::clone(&served.sandbox), served.stop());
    let stop = async {
        while sandbox.requests().is_empty() {
            tokio::task::yield_now().await;
        }
        stop.await;
    };
    let (page, ()) = tokio::join!(client.unread_page(None), stop);
    assert_eq!(kind(page), ErrorKind::Unreachable);
}

#[tokio::test]
async fn reviews_arrive_while_it_is_served() {
    let every = Some(Duration::from_millis(1));
    let sandbox = Sandbox::new(Options { every, ..Options::default() }, Clock::manual(NOW));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let watched = Arc::clone(&sandbox);
    let three_arrived = async move {
        while watched.unread().len() < 3 {
            tokio::task::yield_now().await;
        }
    };
    serve(listener, sandbox, three_arrived).await.unwrap();
}

#[tokio::test]
async fn receivers_keep_messages_and_answer_as_told() {
    let inbox = Inbox::new(Clock::manual(NOW));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(serve_inbox(listener, Arc::clone(&inbox), std::future::pending()));
    let post = async |path: &str| ask("POST", &format!("http://{address}{path}"), "t", json!({"x": 1})).await;
    assert_eq!(post("/slack/a").await.unwrap().0, 200);
    assert_eq!(post("/teams/a").await.unwrap().0, 202);
    assert_eq!(post("/discord/a").await.unwrap().0, 200);
    assert_eq!(post("/mattermost/a").await.unwrap().0, 200);
    assert_eq!(post("/webhook/a").await.unwrap().0, 204);
    assert_eq!(post("/other/a").await.unwrap().0, 404);
    inbox.answer("/slack/a", Answer::status(410, "channel_is_archived"));
    inbox.answer("/slack/a", Answer::Reset);
    inbox.answer("/slack/a", Answer::ResetAfterReading);
    assert_eq!(post("/slack/b").await.unwrap().0, 200, "answers are by path");
    assert_eq!(post("/slack/a").await.unwrap().0, 410);
    assert!(post("/slack/a").await.is_err());
    assert!(post("/slack/a").await.is_err());
    let received = inbox.received_at("/slack/a");
    assert_eq!(received.len(), 3, "the first reset came before reading");
    assert_eq!((received[0].body.as_str(), received[0].at), ("{\"x\":1}", NOW));
    assert_eq!(inbox.received().len(), 8);
}

#[tokio::test]
async fn a_receiver_can_be_out_until_it_works_again() {
    let inbox = Inbox::new(Clock::manual(NOW));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/slack/support", listener.local_addr().unwrap());
    let mut server = crate::task::Group::default();
    server.start(crate::sandbox::serve_inbox(listener, inbox.clone(), std::future::pending()));
    inbox.answer_all("/slack/support", Answer::status(503, "out"));
    inbox.answer("/slack/support", Answer::status(429, "slow down"));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(ask("POST", &url, "x", json!({})).await.unwrap().0);
    }
    inbox.answer_all("/slack/support", Answer::Fine);
    statuses.push(ask("POST", &url, "x", json!({})).await.unwrap().0);
    assert_eq!(statuses, [429, 503, 503, 200]);
    let kept: Vec<_> =
        inbox.received_from(1).into_iter().map(|received| (received.number, received.status)).collect();
    assert_eq!(kept, [(1, Some(503)), (2, Some(503)), (3, Some(200))]);
    assert_eq!(inbox.received().len(), 4);
}

#[test]
fn what_was_read_can_be_forgotten_and_what_is_unread_cannot() {
    let sandbox = Sandbox::new(Options { reviews: 10, ..Options::default() }, Clock::manual(NOW));
    let unread = sandbox.unread();
    for uuid in &unread[2..8] {
        sandbox.set_unread(uuid, false);
    }
    sandbox.forget_read(8);
    assert_eq!(sandbox.unread_count(), 4);
    // The oldest went: the newest of what was read is still there.
    assert!(sandbox.set_unread(&unread[2], true) && !sandbox.set_unread(&unread[7], true));
    sandbox.forget_read(0);
    assert_eq!(sandbox.unread().len(), 5);
    assert!(sandbox.marks_after(0).is_empty() && sandbox.marks_after(9).is_empty());
}
