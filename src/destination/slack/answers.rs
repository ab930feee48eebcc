//! What Slack's answers mean. Success is 200 with the body `ok`; what failed is told by a word in the body
//! first and by the status second, since Slack gives the same word under different statuses.
//! The words: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>.

use crate::destination::http::{Answer, Sender};
use crate::domain::{Attempt, Outcome, Reason};
use std::time::Duration;

/// How long a 429 without `Retry-After` asks for: Slack names none then, and pressing on disables the app.
const PAUSE: Duration = Duration::from_secs(30);

/// What an answer means for a message.
pub fn classify(sender: &Sender, answer: &Answer) -> Attempt {
    Slack { sender }.classify(answer)
}

/// An answer to one message.
struct Slack<'a> {
    sender: &'a Sender,
}

impl Slack<'_> {
    fn classify(&self, answer: &Answer) -> Attempt {
        match (answer.status, answer.body.as_deref()) {
            // A 2xx whose body was lost: Slack had taken it, and sending again would repeat it.
            (200..=299, None) => return self.sender.by_status(answer),
            (200..=299, Some(body)) if body.trim().eq_ignore_ascii_case("ok") => {
                return self.sender.by_status(answer);
            }
            (200..=299, Some(_)) => {
                return self
                    .sender
                    .taken_by_another("but not with Slack's `ok`, so it may not be Slack", answer);
            }
            _ => {}
        }
        let word = answer.body.as_deref().map(word).unwrap_or_default();
        match WORDS.iter().find(|(known, ..)| *known == word) {
            Some((word, meaning, what)) => self.meant(answer, word, *meaning, what),
            None => self.by_status(answer),
        }
    }

    fn by_status(&self, answer: &Answer) -> Attempt {
        let pause = answer.retry_after.or((answer.status == 429).then_some(PAUSE));
        self.sender.by_status(&Answer { retry_after: pause, ..answer.clone() })
    }

    fn meant(&self, answer: &Answer, word: &str, meaning: Meaning, what: &str) -> Attempt {
        let (outcome, advice) = match meaning {
            Meaning::Retry(reason) => {
                let pause = answer.retry_after.or((reason == Reason::RateLimited).then_some(PAUSE));
                let outcome = Outcome::Retry { reason, after: pause, ambiguous: false };
                (outcome, "The message is retried automatically".to_owned())
            }
            Meaning::Refused => {
                let outcome = Outcome::Dead { reason: Reason::PayloadRefused };
                (outcome, self.sender.refused_for_good().to_owned())
            }
            Meaning::Change(reason) => {
                let advice = "Change that in Slack; pending messages are then sent automatically".to_owned();
                (Outcome::Broken { reason }, advice)
            }
            Meaning::Replace(reason) => {
                let advice =
                    format!("Create a new incoming webhook in Slack and {}", self.sender.new_url_needed());
                (Outcome::Broken { reason }, advice)
            }
        };
        let detail = format!("Slack says `{word}` ({}): {what}. {advice}.", answer.status);
        self.sender.attempt(outcome, answer, detail)
    }
}

/// What a word of Slack's means for the message and the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    /// It may pass later.
    Retry(Reason),
    /// This message can never pass. Never "too large": the plain form is tried first.
    Refused,
    /// Somebody must change something in Slack.
    Change(Reason),
    /// The webhook must be replaced.
    Replace(Reason),
}

/// Slack's words for what failed.
const WORDS: &[(&str, Meaning, &str)] = &[
    ("invalid_payload", Meaning::Refused, "it cannot read this message"),
    ("invalid_blocks", Meaning::Refused, "it refuses the layout of this message"),
    ("invalid_blocks_format", Meaning::Refused, "it refuses the layout of this message"),
    ("invalid_attachments", Meaning::Refused, "it refuses the layout of this message"),
    ("msg_blocks_too_long", Meaning::Refused, "this message is too long"),
    ("no_text", Meaning::Refused, "this message is empty"),
    ("missing_text_or_fallback_or_attachments", Meaning::Refused, "this message is empty"),
    ("too_many_attachments", Meaning::Refused, "this message has too many attachments"),
    ("user_not_found", Meaning::Replace(Reason::RecipientUnknown), "the person it posts to is unknown"),
    (
        "action_prohibited",
        Meaning::Change(Reason::Forbidden),
        "a workspace setting forbids this post; contact its admin",
    ),
    (
        "posting_to_general_channel_denied",
        Meaning::Change(Reason::Forbidden),
        "only admins may post to this channel; let others post, or use another channel",
    ),
    (
        "invalid_token",
        Meaning::Replace(Reason::CredentialsRefused),
        "the webhook's URL is wrong or has expired",
    ),
    (
        "channel_not_found",
        Meaning::Replace(Reason::ChannelGone),
        "the channel was deleted, or made private without the app in it",
    ),
    ("channel_is_archived", Meaning::Change(Reason::ChannelGone), "the channel is archived; unarchive it"),
    ("no_active_hooks", Meaning::Replace(Reason::Revoked), "the webhook was disabled or its app removed"),
    ("no_service", Meaning::Replace(Reason::Revoked), "the webhook was disabled or removed"),
    ("no_service_id", Meaning::Replace(Reason::Revoked), "the webhook was disabled or removed"),
    ("no_team", Meaning::Replace(Reason::Revoked), "the workspace is gone"),
    ("team_disabled", Meaning::Replace(Reason::Revoked), "the workspace is disabled"),
    ("rollup_error", Meaning::Retry(Reason::ServerError), "something went wrong at Slack"),
    ("ratelimited", Meaning::Retry(Reason::RateLimited), "too many messages"),
    ("rate_limited", Meaning::Retry(Reason::RateLimited), "too many messages"),
];

/// The word an answer begins with, lower-cased; of JSON its `error`.
fn word(body: &str) -> String {
    let error = serde_json::from_str::<serde_json::Value>(body).ok();
    let error = error.as_ref().and_then(|json| json.get("error")?.as_str());
    let text = error.unwrap_or(body).trim().to_ascii_lowercase();
    text.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').take(60).collect()
}
