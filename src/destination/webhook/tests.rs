//! What a webhook gets, and what of its answers is success.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::KIND;
use crate::destination::suite::server::{Server, answer};
use crate::destination::suite::{assert_refused, config, make, send};
use crate::domain::{Form, Message, Outcome, Reason};
use crate::presentation::{sample, samples};

#[tokio::test]
async fn any_2xx_is_success() {
    for status in [200, 201, 202, 204] {
        let server = Server::start(answer(status, "", ""));
        let attempt = send(&KIND, &*make(&config(&KIND, &server.url()))).await;
        assert_eq!(attempt.outcome, Outcome::Delivered);
    }
}

#[tokio::test]
async fn what_is_sent_is_signed_over_exactly_its_bytes() {
    let server = Server::start(answer(200, "", "ok"));
    let destination = make(&config(&KIND, &server.url()));
    for (name, message) in samples() {
        let payload = destination.render(&message);
        assert_eq!(destination.send(&message, &payload).await.outcome, Outcome::Delivered, "{name}");
        let request = server.request();
        assert_eq!(request.body, payload.body, "{name}");
        for header in
            ["webhook-signature: v1,", "webhook-timestamp: 1773518700\r\n", "webhook-id: msg_sample\r\n"]
        {
            assert!(request.head.contains(header), "{name}: {header}");
        }
    }
    let server = Server::start(answer(200, "", ""));
    let unsigned = make(&format!("type = \"webhook\"\nurl = \"{}\"", server.url()));
    send(&KIND, &*unsigned).await;
    assert!(!server.request().head.contains("webhook-signature"));
}

#[test]
fn a_secret_is_one_of_standard_webhooks() {
    assert_refused(&[(
        "type = \"webhook\"\nurl = \"https://x.example\"\nsecret = \"whsec_secretpath\"",
        "secret: is not a Standard Webhooks secret",
    )]);
}

// F4
#[tokio::test]
async fn what_is_over_max_body_is_not_sent() {
    let server = Server::start(answer(200, "", ""));
    let destination = make(&format!("type = \"webhook\"\nurl = \"{}\"\nmax_body = \"4KiB\"", server.url()));
    let message = sample("20,000 characters");
    let payload = destination.render(&message);
    let attempt = destination.send(&message, &payload).await;
    assert_eq!((attempt.outcome, attempt.status), (Outcome::Dead { reason: Reason::TooLarge }, None));
    let detail = attempt.detail;
    assert!(detail.contains("`destinations.support.max_body` allows 4 KiB: it was not sent"), "{detail}");
    assert!(server.requests.try_recv().is_err(), "no request was made");
    let short = Message { form: Form::Short, ..message };
    let payload = destination.render(&short);
    assert_eq!(destination.send(&short, &payload).await.outcome, Outcome::Delivered);
    assert!(server.request().body.len() < 4_000);
}

#[test]
fn max_body_is_a_size() {
    let hook = "type = \"webhook\"\nurl = \"https://x.example\"";
    for bad in ["\"256\"", "\"1KiB\"", "\"65MiB\"", "\"a lot\""] {
        assert_refused(&[(&format!("{hook}\nmax_body = {bad}"), "max_body: is not a valid size")]);
    }
    assert_refused(&[(&format!("{hook}\nmax_body = 256"), "max_body: ")]);
    make(&format!("{hook}\nmax_body = \"100KB\""));
}
