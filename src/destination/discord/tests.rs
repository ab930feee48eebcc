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
        (200, "<!DOCTYPE html>".into(), Broken { reason: Reason::UnexpectedAnswer }, "a web page"),
        (200, "{}".into(), Broken { reason: Reason::UnexpectedAnswer }, "the message's `id`"),
        // J12
        (200, error(50_006), Dead { reason: Reason::PayloadRefused }, "this message is empty"),
        (200, error(50_035), Dead { reason: Reason::PayloadRefused }, "What is wrong"),
        (200, error(10_015), Broken { reason: Reason::Revoked }, "the webhook was deleted"),
        (200, error(999_999), Dead { reason: Reason::PayloadRefused }, "`999999` (400): What is wrong"),
        (
            200,
            r#"{"message": "You are being rate limited.", "retry_after": 3}"#.into(),
            retry(Reason::RateLimited, Some(3), false),
            "slow",
        ),
        // F12
        (400, error(160_005), Broken { reason: Reason::Forbidden }, "the thread is locked"),
        (400, error(50_083), Broken { reason: Reason::ChannelGone }, "archived"),
        (403, error(50_001), Broken { reason: Reason::Forbidden }, "Change that in Discord"),
        (400, error(30_033), Broken { reason: Reason::Forbidden }, "What is wrong"),
        (400, error(30_046), Broken { reason: Reason::Forbidden }, "What is wrong"),
        (400, error(10_070), Broken { reason: Reason::NotFound }, "What is wrong"),
        (400, error(40_067), Broken { reason: Reason::Forbidden }, "a tag"),
        (400, "{\"message\": \"Unknown Webhook\"}".into(), Broken { reason: Reason::Revoked }, "was deleted"),
        (400, error(240_000), Dead { reason: Reason::PayloadRefused }, "harmful links"),
        (400, error(40_005), Dead { reason: Reason::TooLarge }, "too large"),
        (403, error(130_000), retry(Reason::ServerError, None, false), "overloaded"),
        (400, error(50_035), Dead { reason: Reason::PayloadRefused }, "`50035` (400): What is wrong"),
        (400, error(220_001), Broken { reason: Reason::Forbidden }, "?thread_id="),
        (401, error(50_027), Broken { reason: Reason::CredentialsRefused }, "token is wrong"),
        (401, String::new(), Broken { reason: Reason::CredentialsRefused }, "create a new webhook"),
        (403, error(50_013), Broken { reason: Reason::Forbidden }, "lacks the permission"),
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
