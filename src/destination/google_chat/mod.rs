//! Google Chat, through the incoming webhook of a space: its settings.

mod answers;
mod card;
mod fixture;
mod limits;
mod markup;
mod payload;
#[cfg(test)]
mod payload_tests;
mod plain;
#[cfg(test)]
mod tests;

pub use payload::FORMAT;

use super::chat::Chat;
use super::settings::{Common, Key, Shared, TEMPLATE, read_url};
use super::{Kind, Make};
use crate::presentation::Mention;
use crate::settings::{Rate, Secret, Table};
use std::sync::Arc;

/// The row of this kind.
pub static KIND: Kind = Kind {
    name: "google_chat",
    title: "Google Chat",
    summary: "a Google Chat space, via an incoming webhook",
    // Google's own limit for all that writes to a space.
    default_rate: Rate::per_second(1),
    keys: &[
        Key {
            name: "webhook_url",
            summary: "the webhook's URL, from Google Chat, including `key` and `token`",
            secret: true,
        },
        Key {
            name: "mention",
            summary: "who is pinged by reviews and problems: <users/all>, <users/…>",
            secret: false,
        },
        TEMPLATE,
    ],
    format: Some(&FORMAT),
    example: include_str!("example.toml"),
    shared: None,
    read,
    fixture: fixture::FIXTURE,
};

fn read(table: &Table<'_>, common: &Common, _: &Shared) -> Option<Arc<dyn Make>> {
    let webhook_url = read_url(table, "webhook_url", common);
    let mention = table.text("mention").map(|text| {
        let mention = parse_mention(&text);
        if mention.is_none() {
            let hint = "write \"<users/all>\", or \"<users/…>\" with a person's ID in Google Chat";
            table.problem("mention", "is not a valid Google Chat mention", hint);
        }
        mention
    });
    let webhook_url = webhook_url?;
    if is_incomplete(&webhook_url) {
        let place = if table.has("webhook_url") { "webhook_url" } else { "webhook_url_file" };
        let hint = "in the space, open Apps & integrations > Webhooks and copy the whole URL";
        table.problem(place, "lacks `key` or `token`, which Google Chat requires", hint);
        return None;
    }
    Some(Arc::new(Chat::webhook(&FORMAT, webhook_url, mention.flatten(), &answers::ANSWERS)))
}

/// Reads `<users/all>` or `<users/…>`.
fn parse_mention(text: &str) -> Option<Mention> {
    let id = text.trim().strip_prefix("<users/")?.strip_suffix('>')?;
    let fits = (1..=40).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric());
    fits.then(|| Mention::new(format!("<users/{id}>")))
}

/// Whether `url` is Google's without what lets us in.
fn is_incomplete(url: &Secret) -> bool {
    let Ok(url) = url::Url::parse(url.expose()) else { return false };
    let has = |wanted: &str| url.query_pairs().any(|(name, value)| name == wanted && !value.is_empty());
    url.host_str() == Some("chat.googleapis.com") && !(has("key") && has("token"))
}
