//! What Google Chat answers, and which settings it refuses.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::KIND;
use crate::destination::suite::server::{Server, answer};
use crate::destination::suite::{assert_refused, config, make, retry, send};
use crate::domain::{Outcome, Reason};

#[tokio::test]
async fn the_errors_of_google_chat_say_whose_fault_it_is() {
    use Outcome::{Broken, Dead, Delivered};
    let error = |status: &str, message: &str, reason: &str| {
        format!(
            r#"{{"error":{{"code":1,"message":"{message}","status":"{status}","details":[{{"@type":"x"}},{{"reason":"{reason}"}}]}}}}"#
        )
    };
    let unknown = "Invalid JSON payload received. Unknown name \\\"x\\\": Cannot find field.";
    for (status, body, expected, part) in [
        (200, r#"{"name":"spaces/A/messages/B.B"}"#.to_owned(), Delivered, "received the message"),
        (200, "<!DOCTYPE html>".into(), Broken { reason: Reason::UnexpectedAnswer }, "a web page"),
        (
            400,
            error("INVALID_ARGUMENT", unknown, ""),
            Dead { reason: Reason::PayloadRefused },
            "Google Chat says `INVALID_ARGUMENT` (400): Invalid JSON payload",
        ),
        (
            400,
            error("INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", "API_KEY_INVALID"),
            Broken { reason: Reason::CredentialsRefused },
            "copy the URL again",
        ),
        // F12, J12
        (
            400,
            error("FAILED_PRECONDITION", "The space is read-only.", ""),
            Broken { reason: Reason::Forbidden },
            "read-only",
        ),
        (200, error("NOT_FOUND", "Gone.", ""), Broken { reason: Reason::NotFound }, "copy the URL again"),
        (
            200,
            error("INVALID_ARGUMENT", unknown, ""),
            Dead { reason: Reason::PayloadRefused },
            "Unknown name",
        ),
        (
            400,
            error("INVALID_ARGUMENT", "Message is too long.", ""),
            Dead { reason: Reason::TooLarge },
            "too long",
        ),
        (
            403,
            error("PERMISSION_DENIED", "No.", "BILLING_DISABLED"),
            Broken { reason: Reason::PaymentRequired },
            "billing",
        ),
        (200, "{}".into(), Broken { reason: Reason::UnexpectedAnswer }, "`name`"),
        (
            429,
            error("RESOURCE_EXHAUSTED", "Quota exceeded for limit 'Writes per day'.", ""),
            retry(Reason::Quota, Some(3_600), false),
            "used up",
        ),
        (
            401,
            error("UNAUTHENTICATED", "Request had invalid authentication credentials.", ""),
            Broken { reason: Reason::CredentialsRefused },
            "`UNAUTHENTICATED` (401)",
        ),
        (
            403,
            error("PERMISSION_DENIED", "This webhook is disabled.", ""),
            Broken { reason: Reason::Forbidden },
            "`destinations.support.webhook_url`",
        ),
        (
            404,
            error("NOT_FOUND", "Requested entity was not found.", ""),
            Broken { reason: Reason::NotFound },
            "Apps & integrations > Webhooks",
        ),
        (
            404,
            String::new(),
            Broken { reason: Reason::NotFound },
            "does not accept messages at this URL (404)",
        ),
        (
            429,
            error("RESOURCE_EXHAUSTED", "Quota exceeded.", "RATE_LIMIT_EXCEEDED"),
            retry(Reason::RateLimited, None, false),
            "retried automatically",
        ),
        (
            503,
            error("UNAVAILABLE", "Try later.", ""),
            retry(Reason::ServerError, None, false),
            "retried automatically",
        ),
    ] {
        let server = Server::start(answer(status, "", &body));
        let attempt = send(&KIND, &*make(&config(&KIND, &server.url()))).await;
        assert_eq!(attempt.outcome, expected, "{status} {body}");
        assert!(attempt.detail.contains(part), "{status} {body}: {}", attempt.detail);
    }
}

#[test]
fn settings_are_checked() {
    assert_refused(&[
        (
            "type = \"google_chat\"\nwebhook_url = \"https://chat.googleapis.com/v1/spaces/secretpath/messages?key=a\"",
            "webhook_url: lacks `key` or `token`",
        ),
        (
            "type = \"google_chat\"\nwebhook_url = \"https://x.example/secretpath\"\nmention = \"@all\"",
            "mention: is not a valid Google Chat mention",
        ),
    ]);
}
