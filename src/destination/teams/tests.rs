//! What Workflows answer, and which URLs are refused.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::KIND;
use crate::destination::suite::server::{Server, answer};
use crate::destination::suite::{assert_refused, config, make, retry, send};
use crate::domain::{Outcome, Reason};

#[tokio::test]
async fn the_answers_of_workflows_decide() {
    use Outcome::{Accepted, Broken, Dead};
    let relayed = |status: u16| {
        format!(
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error {status} with x."
        )
    };
    let error = |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"What is wrong."}}}}"#);
    for (status, body, expected, part) in [
        (202, String::new(), Accepted, "is not reported"),
        (200, "1".into(), Accepted, "is not reported"),
        (200, r#"{"anything": true}"#.into(), Accepted, "is not reported"),
        (202, error("WorkflowTriggerIsNotEnabled"), Broken { reason: Reason::Revoked }, "switch it on"),
        (200, "<!DOCTYPE html><html>".into(), Broken { reason: Reason::UnexpectedAnswer }, "a web page"),
        // J12
        (
            200,
            error("SomethingElse"),
            Dead { reason: Reason::PayloadRefused },
            "`SomethingElse` (400): What is wrong",
        ),
        (
            200,
            r#"{"statusCode": 404, "message": "Resource not found"}"#.into(),
            Broken { reason: Reason::NotFound },
            "copy the URL",
        ),
        // F12
        (
            400,
            error("TriggerInputSchemaMismatch"),
            Broken { reason: Reason::PayloadRefused },
            "another kind of message",
        ),
        (400, error("WorkflowSuspended"), Broken { reason: Reason::Revoked }, "switch it on"),
        (400, error("FlowDisabled"), Broken { reason: Reason::Revoked }, "switch it on"),
        (400, error("FlowDeleted"), Broken { reason: Reason::Revoked }, "no longer exists"),
        (400, error("FlowNotFound"), Broken { reason: Reason::NotFound }, "no longer exists"),
        (
            400,
            error("SharedAccessSignatureExpired"),
            Broken { reason: Reason::CredentialsRefused },
            "including `sig`",
        ),
        (400, error("AuthorizationFailed"), Broken { reason: Reason::CredentialsRefused }, "including `sig`"),
        (400, error("MissingApiVersionParameter"), Broken { reason: Reason::NotFound }, "`api-version`"),
        (429, error("FlowRunQuotaExceeded"), retry(Reason::Quota, Some(3_600), false), "quota"),
        (400, error("RequestEntityTooLarge"), Dead { reason: Reason::TooLarge }, "Teams says"),
        (502, error("NoResponse"), retry(Reason::ServerError, None, false), "Microsoft"),
        (200, relayed(429), retry(Reason::RateLimited, Some(60), false), "slow down (429)"),
        (200, relayed(503), retry(Reason::ServerError, None, false), "(503)"),
        (200, relayed(413), Dead { reason: Reason::TooLarge }, "too large"),
        (200, relayed(400), Dead { reason: Reason::PayloadRefused }, "refused the message"),
        (200, relayed(404), Broken { reason: Reason::NotFound }, "copy the URL"),
        (
            400,
            error("InvalidRequestContent"),
            Dead { reason: Reason::PayloadRefused },
            "`InvalidRequestContent` (400): What is wrong",
        ),
        (400, error("WorkflowTriggerIsNotEnabled"), Broken { reason: Reason::Revoked }, "switch it on"),
        (
            404,
            error("WorkflowNotFound"),
            Broken { reason: Reason::NotFound },
            "the Workflow no longer exists",
        ),
        (
            401,
            error("DirectApiAuthorizationRequired"),
            Broken { reason: Reason::CredentialsRefused },
            "“Anyone”",
        ),
        (401, error("Other"), Broken { reason: Reason::CredentialsRefused }, "“Who can trigger the flow”"),
        (403, String::new(), Broken { reason: Reason::Forbidden }, "`destinations.support.webhook_url`"),
        (410, String::new(), Broken { reason: Reason::Revoked }, "its owner has left"),
    ] {
        let server = Server::start(answer(status, "", &body));
        let attempt = send(&KIND, &*make(&config(&KIND, &server.url()))).await;
        assert_eq!(attempt.outcome, expected, "{status} {body}");
        assert_eq!(attempt.status, Some(status));
        assert!(attempt.detail.contains(part), "{status} {body}: {}", attempt.detail);
    }
}

#[test]
fn urls_of_connectors_are_refused() {
    assert_refused(&[(
        "type = \"teams\"\nwebhook_url = \"https://shop.webhook.office.com/webhookb2/secretpath\"",
        "webhook_url: belongs to an Office 365 connector",
    )]);
}
