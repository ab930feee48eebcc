//! Google Chat, through the incoming webhook of a space: its settings, and what answers mean.

mod card;
mod markup;
mod plain;
#[cfg(test)]
mod tests;

use super::chat::Chat;
use super::http::{Answer, Sender};
use super::settings::{Common, Key, Shared, TEMPLATE, read_url};
use super::{Kind, Make};
use crate::domain::text::one_line;
use crate::domain::{Attempt, Outcome, Reason};
use crate::render::{Dialect, Format, Mention, Place, Rule, html};
use crate::settings::{Rate, Secret, Table};
use serde_json::Value;
use std::sync::Arc;

/// The row of this kind.
pub static KIND: Kind = Kind {
    name: "google_chat",
    summary: "a Google Chat space, through an incoming webhook",
    // Google's own limit for all that writes to a space.
    default_rate: Rate::per_second(1),
    keys: &[
        Key {
            name: "webhook_url",
            summary: "the webhook's URL, from Google Chat, with its `key` and `token`",
            secret: true,
        },
        Key {
            name: "mention",
            summary: "who is pinged by reviews and by trouble: <users/all>, <users/…>",
            secret: false,
        },
        TEMPLATE,
    ],
    format: Some(&FORMAT),
    read,
};

/// Google Chat's payload.
static FORMAT: Format =
    Format { name: "google_chat", dialect: &DIALECT, fit: card::fit, plain: plain::plain };

/// What a card allows where.
static DIALECT: Dialect = Dialect {
    // Of buttons; nothing else has a `type`.
    types: &["OUTLINED", "FILLED", "FILLED_TONAL", "BORDERLESS"],
    rule,
    escape: markup::escape,
    markup: html::check,
};

/// Values stand in texts, titles, labels and links; `text` beside the card holds the mention and nothing else.
fn rule(place: &Place<'_>) -> Rule {
    match (place.within, place.key) {
        ("", "text") => Rule::Only("{{#if mention}}{{mention.token}}{{/if}}"),
        ("", "fallbackText") | ("header", "title" | "subtitle") => Rule::Literal,
        ("decoratedText", "topLabel" | "bottomLabel") | ("buttons", "text") => Rule::Literal,
        ("textParagraph" | "decoratedText", "text") | ("sections", "header") => Rule::Escaped,
        ("openLink", "url") => Rule::Link,
        _ => Rule::Fixed,
    }
}

fn read(table: &Table<'_>, common: &Common, _: &Shared) -> Option<Arc<dyn Make>> {
    let webhook_url = read_url(table, "webhook_url", common);
    let mention = table.text("mention").map(|text| {
        let mention = parse_mention(&text);
        if mention.is_none() {
            let hint = "write \"<users/all>\", or \"<users/…>\" with the number of a person in Google Chat";
            table.problem("mention", "is not a mention that Google Chat knows", hint);
        }
        mention
    });
    let webhook_url = webhook_url?;
    if is_incomplete(&webhook_url) {
        let place = if table.has("webhook_url") { "webhook_url" } else { "webhook_url_file" };
        let hint = "in the space open Apps & integrations > Webhooks, and copy the whole URL";
        table.problem(place, "lacks `key` or `token`, without which Google Chat lets nobody in", hint);
        return None;
    }
    Some(Arc::new(Chat {
        format: &FORMAT,
        url: webhook_url,
        mention: mention.flatten(),
        judge: |sender, answer| GoogleChat { sender }.judge(answer),
    }))
}

/// Reads `<users/all>` or `<users/…>`.
fn parse_mention(text: &str) -> Option<Mention> {
    let id = text.trim().strip_prefix("<users/")?.strip_suffix('>')?;
    let fits = (1..=40).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric());
    fits.then(|| Mention { token: Some(format!("<users/{id}>")), ..Mention::default() })
}

/// Whether `url` is Google's without what lets us in.
fn is_incomplete(url: &Secret) -> bool {
    let Ok(url) = url::Url::parse(url.expose()) else { return false };
    let has = |wanted: &str| url.query_pairs().any(|(name, value)| name == wanted && !value.is_empty());
    url.host_str() == Some("chat.googleapis.com") && !(has("key") && has("token"))
}

/// An answer to one message.
struct GoogleChat<'a> {
    sender: &'a Sender,
}

impl GoogleChat<'_> {
    fn judge(&self, answer: &Answer) -> Attempt {
        let body = answer.body.as_deref().unwrap_or_default().trim();
        if (200..300).contains(&answer.status) {
            return match body.starts_with('<') {
                true => self.sender.taken_by_another("with a web page, so it may not be Google Chat", answer),
                false => self.sender.by_status(answer),
            };
        }
        let usual = self.sender.by_status(answer);
        let refusal = refusal(body);
        let said = refusal.as_ref().map_or_else(
            || format!("{} does not take messages at this URL ({})", self.sender.host(), answer.status),
            |refusal| format!("Google Chat says `{}` ({}): {}", refusal.code, answer.status, refusal.message),
        );
        match usual.outcome {
            // A wrong key is told as if the message were at fault.
            Outcome::Dead { .. } if refusal.as_ref().is_some_and(|refusal| refusal.wrong_key) => {
                let outcome = Outcome::Broken { reason: Reason::CredentialsRefused };
                self.sender.attempt(outcome, answer, self.with_url(&said))
            }
            Outcome::Broken { reason } if reason != Reason::Redirected => {
                self.sender.attempt(usual.outcome, answer, self.with_url(&said))
            }
            Outcome::Dead { .. } if refusal.is_some() => {
                self.sender.attempt(usual.outcome, answer, format!("{said}. {}", usual.detail))
            }
            _ => usual,
        }
    }

    fn with_url(&self, said: &str) -> String {
        format!(
            "{said}. In the space open Apps & integrations > Webhooks, copy the URL again, or add a webhook where it is \
             gone, and {}.",
            self.sender.new_url_needed()
        )
    }
}

/// What an error of Google's says.
struct Refusal {
    code: String,
    message: String,
    wrong_key: bool,
}

/// Reads `{"error": {"status": …, "message": …, "details": [{"reason": …}]}}`.
fn refusal(body: &str) -> Option<Refusal> {
    let body: Value = serde_json::from_str(body).ok()?;
    let error = body.get("error")?;
    let text = |key: &str, limit| Some(one_line(error.get(key)?.as_str()?.trim_end_matches('.'), limit));
    let details = error.get("details").and_then(Value::as_array);
    let reasons = details.into_iter().flatten().filter_map(|detail| detail.get("reason")?.as_str());
    let message = text("message", 200).unwrap_or_default();
    let wrong_key =
        reasons.into_iter().any(|reason| reason == "API_KEY_INVALID" || reason == "API_KEY_EXPIRED")
            || message.starts_with("API key");
    Some(Refusal { code: text("status", 60)?, message, wrong_key })
}
