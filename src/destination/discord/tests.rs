//! What Discord answers, which mentions it knows, and that it is asked to wait.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::KIND;
use crate::destination::suite::server::{Server, answer};
use crate::destination::suite::{assert_means, assert_refused, config, make, read, retry, send};
use crate::domain::{Outcome, Reason};

#[tokio::test]
async fn the_answers_of_discord_decide() {
    use Outcome::{Broken, Dead, Delivered};
    let error = |code: u32| format!(r#"{{"message": "What is wrong.", "code": {code}}}"#);
    for (status, body, expected, part) in [
        (200, r#"{"id": "1", "content": ""}"#.to_owned(), Delivered, "received the message"),
        (204, String::new(), Delivered, "received the message"),
        (200, "<!DOCTYPE html>".into(), Dead { reason: Reason::UnexpectedAnswer }, "a web page"),
        (400, error(50_035), Dead { reason: Reason::PayloadRefused }, "`50035`: What is wrong"),
        (400, error(220_001), Broken { reason: Reason::Forbidden }, "?thread_id="),
        (401, error(50_027), Broken { reason: Reason::CredentialsRefused }, "token is wrong"),
        (401, String::new(), Broken { reason: Reason::CredentialsRefused }, "create a new webhook"),
        (403, error(50_013), Broken { reason: Reason::Forbidden }, "`destinations.support.webhook_url`"),
        (404, error(10_015), Broken { reason: Reason::Revoked }, "the webhook was deleted"),
        (404, error(10_003), Broken { reason: Reason::ChannelGone }, "channel or thread was deleted"),
        (404, "<html>".into(), Broken { reason: Reason::NotFound }, "create a new webhook"),
        (413, String::new(), Dead { reason: Reason::TooLarge }, "too large"),
        (500, error(0), retry(Reason::ServerError, None, false), "failed (500)"),
        (
            429,
            r#"{"retry_after": 2.0, "global": false}"#.into(),
            retry(Reason::RateLimited, Some(2), false),
            "slow",
        ),
        (429, r#"{"retry_after": 1e12}"#.into(), retry(Reason::RateLimited, Some(3_600), false), "slow"),
        (429, r#"{"retry_after": -1}"#.into(), retry(Reason::RateLimited, None, false), "slow"),
    ] {
        assert_means(&KIND, status, "", &body, expected, part).await;
    }
    // The shorter counts: an old version of the API wrote milliseconds.
    let body = r#"{"retry_after": 7000}"#;
    let expected = retry(Reason::RateLimited, Some(7), false);
    assert_means(&KIND, 429, "retry-after: 7\r\n", body, expected, "slow").await;
}

#[tokio::test]
async fn discord_waits_and_keeps_the_rest_of_its_url() {
    for (query, expected) in [
        ("", "?wait=true"),
        ("?thread_id=12345", "?thread_id=12345&wait=true"),
        ("?wait=false&thread_id=1%32", "?thread_id=1%32&wait=true"),
    ] {
        let server = Server::start(answer(200, "", "{}"));
        let url = format!("http://127.0.0.1:{}/api/webhooks/1/x{query}", server.port);
        send(&KIND, &*make(&config(&KIND, &url))).await;
        assert_eq!(server.request().target, format!("/api/webhooks/1/x{expected}"));
    }
}

#[test]
fn settings_are_checked() {
    const HOOK: &str = "type = \"discord\"\nwebhook_url = \"https://discord.example/secretpath\"";
    assert_refused(&[
        ("type = \"discord\"\nwebhook_url = \"http://discord.example/secretpath\"", "webhook_url: is http"),
        (&format!("{HOOK}\nmention = \"<!here>\""), "mention: is not a valid Discord mention"),
        (&format!("{HOOK}\nmention = \"<@name>\""), "mention: is not a valid Discord mention"),
    ]);
    for mention in ["@here", "@everyone", "<@123456789012345678>", "<@&123456789012345678>"] {
        assert!(read(&format!("{HOOK}\nmention = \"{mention}\"")).1.is_empty(), "{mention}");
    }
}
