//! What the answers of Discord and Mattermost mean.

use super::*;

/// What `kind` makes of an answer, and a part of what it says.
async fn assert_means(kind: &Kind, status: u16, headers: &str, body: &str, expected: Outcome, part: &str) {
    let server = Server::start(answer(status, headers, body));
    let attempt = send(&*make(&config(kind, &server.url()))).await;
    assert_eq!(attempt.outcome, expected, "{status} {body}");
    assert_eq!(attempt.status, Some(status));
    assert!(attempt.detail.contains(part), "{status} {body}: {}", attempt.detail);
}

#[tokio::test]
async fn the_answers_of_discord_decide() {
    use Outcome::{Broken, Dead, Delivered};
    let error = |code: u32| format!(r#"{{"message": "What is wrong.", "code": {code}}}"#);
    for (status, body, expected, part) in [
        (200, r#"{"id": "1", "content": ""}"#.to_owned(), Delivered, "took the message"),
        (204, String::new(), Delivered, "took the message"),
        (200, "<!DOCTYPE html>".into(), Dead { reason: Reason::UnexpectedAnswer }, "a web page"),
        (400, error(50_035), Dead { reason: Reason::PayloadRefused }, "`50035`: What is wrong"),
        (400, error(220_001), Broken { reason: Reason::Forbidden }, "?thread_id="),
        (401, error(50_027), Broken { reason: Reason::CredentialsRefused }, "token is wrong"),
        (401, String::new(), Broken { reason: Reason::CredentialsRefused }, "make a new webhook"),
        (403, error(50_013), Broken { reason: Reason::Forbidden }, "`destinations.support.webhook_url`"),
        (404, error(10_015), Broken { reason: Reason::Revoked }, "the webhook was deleted"),
        (404, error(10_003), Broken { reason: Reason::ChannelGone }, "channel or thread was deleted"),
        (404, "<html>".into(), Broken { reason: Reason::NotFound }, "make a new webhook"),
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
        assert_means(&discord::KIND, status, "", &body, expected, part).await;
    }
    // The shorter counts: an old version of the API wrote milliseconds.
    let body = r#"{"retry_after": 7000}"#;
    let expected = retry(Reason::RateLimited, Some(7), false);
    assert_means(&discord::KIND, 429, "retry-after: 7\r\n", body, expected, "slow").await;
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
        send(&*make(&config(&discord::KIND, &url))).await;
        assert_eq!(server.request().target, format!("/api/webhooks/1/x{expected}"));
    }
}

#[tokio::test]
async fn the_answers_of_mattermost_decide() {
    use Outcome::{Broken, Dead, Delivered};
    let error = |id: &str| format!(r#"{{"id": "{id}", "message": "What is wrong.", "status_code": 0}}"#);
    for (status, body, expected, part) in [
        (200, "ok".to_owned(), Delivered, "took the message"),
        (200, " OK\n".into(), Delivered, "took the message"),
        (200, "<!DOCTYPE html>".into(), Dead { reason: Reason::UnexpectedAnswer }, "Mattermost's `ok`"),
        (200, String::new(), Dead { reason: Reason::UnexpectedAnswer }, "Mattermost's `ok`"),
        (
            400,
            error("web.incoming_webhook.invalid.app_error"),
            Broken { reason: Reason::Revoked },
            "was deleted",
        ),
        (400, "Invalid webhook".into(), Broken { reason: Reason::Revoked }, "was deleted"),
        (
            501,
            error("web.incoming_webhook.disabled.app_error"),
            Broken { reason: Reason::Revoked },
            "switched off",
        ),
        (
            404,
            "Couldn't find the channel".into(),
            Broken { reason: Reason::ChannelGone },
            "deleted or renamed",
        ),
        (
            500,
            error("web.incoming_webhook.channel.app_error"),
            Broken { reason: Reason::ChannelGone },
            "renamed",
        ),
        (
            404,
            error("app.channel.get.existing.app_error"),
            Broken { reason: Reason::ChannelGone },
            "was deleted",
        ),
        (
            400,
            error("api.post.create_post.can_not_post_to_deleted.error"),
            Broken { reason: Reason::ChannelGone },
            "archived",
        ),
        (
            403,
            error("web.incoming_webhook.channel_locked.app_error"),
            Broken { reason: Reason::Forbidden },
            "locked",
        ),
        (
            403,
            error("web.incoming_webhook.permissions.app_error"),
            Broken { reason: Reason::Forbidden },
            "not in the",
        ),
        (
            403,
            error("web.incoming_webhook.user.app_error"),
            Broken { reason: Reason::Revoked },
            "not there any more",
        ),
        (403, String::new(), Broken { reason: Reason::Forbidden }, "`destinations.support.webhook_url`"),
        (404, "<html>no channel</html>".into(), Broken { reason: Reason::NotFound }, "knows nothing"),
        (400, "Unable to parse incoming data".into(), Dead { reason: Reason::PayloadRefused }, "cannot read"),
        (
            400,
            error("web.incoming_webhook.text.app_error"),
            Dead { reason: Reason::PayloadRefused },
            "is empty",
        ),
        (400, error("other"), Dead { reason: Reason::PayloadRefused }, "Mattermost says: What is wrong"),
        (500, error("other"), retry(Reason::ServerError, None, false), "failed (500)"),
    ] {
        assert_means(&mattermost::KIND, status, "", &body, expected, part).await;
    }
    let expected = retry(Reason::RateLimited, Some(9), false);
    assert_means(&mattermost::KIND, 429, "retry-after: 9\r\n", "limit exceeded", expected, "slow").await;
}
