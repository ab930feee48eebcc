//! What Mattermost answers, and which mentions it knows.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::KIND;
use crate::destination::suite::{assert_means, assert_refused, read, retry};
use crate::domain::{Outcome, Reason};

#[tokio::test]
async fn the_answers_of_mattermost_decide() {
    use Outcome::{Broken, Dead, Delivered};
    let error = |id: &str| format!(r#"{{"id": "{id}", "message": "What is wrong.", "status_code": 0}}"#);
    for (status, body, expected, part) in [
        (200, "ok".to_owned(), Delivered, "received the message"),
        (200, " OK\n".into(), Delivered, "received the message"),
        (200, "<!DOCTYPE html>".into(), Broken { reason: Reason::UnexpectedAnswer }, "a web page"),
        (200, String::new(), Broken { reason: Reason::UnexpectedAnswer }, "Mattermost's `ok`"),
        (
            400,
            error("web.incoming_webhook.invalid.app_error"),
            Broken { reason: Reason::Revoked },
            "was deleted",
        ),
        // J12
        (
            200,
            error("web.incoming_webhook.invalid.app_error"),
            Broken { reason: Reason::Revoked },
            "was deleted",
        ),
        (200, error("other"), Dead { reason: Reason::PayloadRefused }, "What is wrong"),
        (
            200,
            r#"{"id": "other", "message": "x", "status_code": 503}"#.into(),
            retry(Reason::ServerError, None, false),
            "failed (503)",
        ),
        (
            400,
            error("web.incoming_webhook.split_props_length.app_error"),
            Dead { reason: Reason::TooLarge },
            "too long",
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
            "no longer in the channel",
        ),
        (
            403,
            error("web.incoming_webhook.user.app_error"),
            Broken { reason: Reason::Revoked },
            "no longer has an account",
        ),
        (403, String::new(), Broken { reason: Reason::Forbidden }, "`destinations.support.webhook_url`"),
        (
            404,
            "<html>no channel</html>".into(),
            Broken { reason: Reason::NotFound },
            "does not accept messages at this URL",
        ),
        (400, "Unable to parse incoming data".into(), Dead { reason: Reason::PayloadRefused }, "cannot read"),
        (
            400,
            error("web.incoming_webhook.text.app_error"),
            Dead { reason: Reason::PayloadRefused },
            "is empty",
        ),
        (
            400,
            error("other"),
            Dead { reason: Reason::PayloadRefused },
            "Mattermost says `other` (400): What is wrong",
        ),
        (500, error("other"), retry(Reason::ServerError, None, false), "failed (500)"),
    ] {
        assert_means(&KIND, status, "", &body, expected, part).await;
    }
    let expected = retry(Reason::RateLimited, Some(9), false);
    assert_means(&KIND, 429, "retry-after: 9\r\n", "limit exceeded", expected, "slow").await;
}

#[test]
fn settings_are_checked() {
    const HOOK: &str = "type = \"mattermost\"\nwebhook_url = \"https://chat.example/hooks/secretpath\"";
    assert_refused(&[
        ("type = \"mattermost\"", "webhook_url: is missing"),
        (&format!("{HOOK}\nmention = \"<!here>\""), "mention: is not a valid Mattermost mention"),
        (&format!("{HOOK}\nmention = \"@a b\""), "mention: is not a valid Mattermost mention"),
    ]);
    for mention in ["@here", "@channel", "@all", "@jan.de-vries_2"] {
        assert!(read(&format!("{HOOK}\nmention = \"{mention}\"")).1.is_empty(), "{mention}");
    }
}
