//! What Mattermost's answers mean. Success is 200 with the body `ok`; what failed is told by an id, or by a text where
//! an older server or a proxy leaves that out.

use crate::destination::http::{Answer, Sender};
use crate::domain::text::one_line;
use crate::domain::{Attempt, Outcome, Reason};
use serde_json::Value;

/// What an answer means for a message.
pub fn classify(sender: &Sender, answer: &Answer) -> Attempt {
    Mattermost { sender }.classify(answer)
}

/// An answer to one message.
struct Mattermost<'a> {
    sender: &'a Sender,
}

/// What an error means: its id, a part of its text in English, and what is wrong.
const ERRORS: &[(&str, &str, Option<Reason>, &str)] = &[
    ("web.incoming_webhook.invalid.", "invalid webhook", Some(Reason::Revoked), "the webhook was deleted"),
    (
        "web.incoming_webhook.disabled.",
        "webhooks have been disabled",
        Some(Reason::Revoked),
        "incoming webhooks are switched off; contact the server's admin",
    ),
    (
        "web.incoming_webhook.channel.",
        "find the channel",
        Some(Reason::ChannelGone),
        "the channel was deleted or renamed",
    ),
    ("app.channel.get.existing.", "", Some(Reason::ChannelGone), "the channel was deleted"),
    (
        "api.post.create_post.can_not_post_to_deleted.",
        "post to deleted channel",
        Some(Reason::ChannelGone),
        "the channel is archived",
    ),
    (
        "web.incoming_webhook.channel_locked.",
        "not permitted to post",
        Some(Reason::Forbidden),
        "the webhook is locked to another channel",
    ),
    (
        "web.incoming_webhook.permissions.",
        "channel permissions",
        Some(Reason::Forbidden),
        "the webhook's creator is no longer in the channel",
    ),
    (
        "api.post.create_post.town_square_read_only",
        "read-only",
        Some(Reason::Forbidden),
        "the channel is read-only",
    ),
    (
        "web.incoming_webhook.user.",
        "find the user",
        Some(Reason::Revoked),
        "the webhook's creator no longer has an account",
    ),
    ("web.incoming_webhook.text.", "no text specified", None, "this message is empty"),
    ("web.incoming_webhook.parse.", "unable to parse", None, "it cannot read this message"),
    ("web.incoming_webhook.split_props_length.", "", None, "this message is too long"),
];

impl Mattermost<'_> {
    fn classify(&self, answer: &Answer) -> Attempt {
        match (answer.status, answer.body.as_deref()) {
            (200..=299, Some(body)) if !body.trim().eq_ignore_ascii_case("ok") => {
                return self
                    .sender
                    .taken_by_another("but not with Mattermost's `ok`, so it may not be Mattermost", answer);
            }
            (200..=299, _) => return self.sender.by_status(answer),
            _ => {}
        }
        let (id, said) = said(answer.body.as_deref().unwrap_or_default());
        let lower = said.to_lowercase();
        let known = ERRORS.iter().find(|(known, text, ..)| {
            id.starts_with(known) || (id.is_empty() && !text.is_empty() && lower.contains(text))
        });
        let new_url = format!(
            "In Mattermost, open Integrations > Incoming Webhooks and create a new one; then {}",
            self.sender.new_url_needed()
        );
        match known {
            Some((.., Some(reason), what)) => {
                let detail =
                    format!("Mattermost refused the message ({}): {what}. {new_url}.", answer.status);
                self.sender.attempt(Outcome::Broken { reason: *reason }, answer, detail)
            }
            Some((.., None, what)) => {
                let outcome = Outcome::Dead { reason: Reason::PayloadRefused };
                let advice = self.sender.refused_for_good();
                let detail = format!("Mattermost refused the message ({}): {what}. {advice}.", answer.status);
                self.sender.attempt(outcome, answer, detail)
            }
            None => {
                let attempt = self.sender.by_status(answer);
                if said.is_empty() || !matches!(attempt.outcome, Outcome::Dead { .. }) {
                    return attempt;
                }
                let detail = format!("Mattermost says: {}. {}", said.trim_end_matches('.'), attempt.detail);
                self.sender.attempt(attempt.outcome, answer, detail)
            }
        }
    }
}

/// Reads `{"id": …, "message": …}`, else the first words of a text that is no web page.
fn said(body: &str) -> (String, String) {
    let body = body.trim();
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |key: &str| one_line(json[key].as_str().unwrap_or_default(), 200);
    match json.is_object() {
        true => (text("id"), text("message")),
        false if body.starts_with('<') => Default::default(),
        false => (String::new(), one_line(body, 200)),
    }
}
