//! What Slack answers.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::KIND;
use crate::destination::suite::server::{Server, answer};
use crate::destination::suite::{config, make, retry, send};
use crate::domain::{Outcome, Reason};

// F12
#[tokio::test]
async fn slacks_words_count_before_its_status() {
    use Outcome::{Broken, Dead};
    for (status, body, expected) in [
        (400, "invalid_payload", Dead { reason: Reason::PayloadRefused }),
        (400, "invalid_blocks\n", Dead { reason: Reason::PayloadRefused }),
        (400, "{\"ok\":false,\"error\":\"msg_blocks_too_long\"}", Dead { reason: Reason::TooLarge }),
        (400, "msg_too_long", Dead { reason: Reason::TooLarge }),
        (400, "user_not_found", Broken { reason: Reason::RecipientUnknown }),
        (403, "channel_not_found", Broken { reason: Reason::ChannelGone }),
        (404, "Channel_Not_Found", Broken { reason: Reason::ChannelGone }),
        (410, "channel_is_archived", Broken { reason: Reason::ChannelGone }),
        (403, "invalid_token", Broken { reason: Reason::CredentialsRefused }),
        (403, "action_prohibited", Broken { reason: Reason::Forbidden }),
        (404, "no_service", Broken { reason: Reason::Revoked }),
        (400, "no_service", Broken { reason: Reason::Revoked }),
        (404, "no_team", Broken { reason: Reason::Revoked }),
        (500, "rollup_error", retry(Reason::ServerError, None, false)),
        (429, "rate_limited", retry(Reason::RateLimited, Some(30), false)),
        (404, "<html>no_service</html>", Broken { reason: Reason::NotFound }),
        // J12
        (200, "no_service", Broken { reason: Reason::Revoked }),
        (200, "invalid_blocks", Dead { reason: Reason::PayloadRefused }),
        (200, "{\"ok\":false,\"error\":\"is_archived\"}", Broken { reason: Reason::ChannelGone }),
        (200, "{\"ok\":false,\"error\":\"new_word\"}", Dead { reason: Reason::PayloadRefused }),
        (200, "{\"ok\":false,\"error\":\"ratelimited\"}", retry(Reason::RateLimited, Some(30), false)),
        (200, "{\"ok\":true}", Outcome::Delivered),
        (200, "not one of its words", Broken { reason: Reason::UnexpectedAnswer }),
        (200, "", Broken { reason: Reason::UnexpectedAnswer }),
        (403, "token_revoked", Broken { reason: Reason::CredentialsRefused }),
        (400, "not_in_channel", Broken { reason: Reason::Forbidden }),
        (200, " OK\n", Outcome::Delivered),
    ] {
        let server = Server::start(answer(status, "", body));
        let attempt = send(&KIND, &*make(&config(&KIND, &server.url()))).await;
        assert_eq!(attempt.outcome, expected, "{status} {body}");
        if body == "no_service" && status == 404 {
            assert!(attempt.detail.contains("Create a new incoming webhook in Slack"), "{}", attempt.detail);
            assert!(attempt.detail.contains("`destinations.support.webhook_url`"), "{}", attempt.detail);
        }
    }
}
