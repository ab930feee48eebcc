//! Mattermost, through incoming webhooks: its settings.

mod answers;
mod fixture;
mod limits;
mod payload;
#[cfg(test)]
mod tests;

pub use payload::FORMAT;

use super::chat::Chat;
use super::settings::{Common, Key, Shared, TEMPLATE, read_url};
use super::{Kind, Make};
use crate::presentation::Mention;
use crate::settings::{Rate, Table};
use std::sync::Arc;

/// The row of this kind.
pub static KIND: Kind = Kind {
    name: "mattermost",
    title: "Mattermost",
    summary: "a Mattermost channel, via an incoming webhook",
    default_rate: Rate::per_second(1),
    keys: &[
        Key { name: "webhook_url", summary: "the webhook's URL, from Mattermost", secret: true },
        Key {
            name: "mention",
            summary: "who is pinged by reviews and problems: @here, @channel, @all, @username",
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
            let hint = "write \"@here\", \"@channel\", \"@all\", or \"@\" and the name of a user or a group";
            table.problem("mention", "is not a valid Mattermost mention", hint);
        }
        mention
    });
    Some(Arc::new(Chat::webhook(&FORMAT, webhook_url?, mention.flatten(), &answers::ANSWERS)))
}

/// Reads `@` and a name: `here`, `channel`, `all`, or that of a user or a group.
fn parse_mention(text: &str) -> Option<Mention> {
    let text = text.trim();
    let name = text.strip_prefix('@')?;
    let fits = (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"._-".contains(&c));
    fits.then(|| Mention::new(text))
}
