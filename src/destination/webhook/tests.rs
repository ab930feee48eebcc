//! What a webhook gets, and what of its answers is success.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::KIND;
use crate::destination::suite::server::{Server, answer};
use crate::destination::suite::{assert_refused, config, make, send};
use crate::domain::Outcome;
use crate::presentation::samples;

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
        "secret: is not a secret of Standard Webhooks",
    )]);
}
