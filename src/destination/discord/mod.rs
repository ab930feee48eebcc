//! Discord's webhooks. They are asked to wait (`?wait=true`): without that, an answer says nothing of whether the
//! message was kept.

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
use crate::settings::{Rate, Secret, Table};
use std::sync::Arc;

/// The row of this kind.
pub static KIND: Kind = Kind {
    name: "discord",
    title: "Discord",
    summary: "a Discord channel, via a webhook",
    default_rate: Rate::per_second(1),
    keys: &[
        Key { name: "webhook_url", summary: "the webhook's URL, from Discord", secret: true },
        Key {
            name: "mention",
            summary: "who is pinged by reviews and problems: @here, @everyone, <@USER_ID>, <@&ROLE_ID>",
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
            let hint = "write \"@here\", \"@everyone\", \"<@USER_ID>\" or \"<@&ROLE_ID>\", with the ID that \
                        Discord copies in developer mode";
            table.problem("mention", "is not a valid Discord mention", hint);
        }
        mention
    });
    Some(Arc::new(Chat::webhook(&FORMAT, waiting(&webhook_url?), mention.flatten(), &answers::ANSWERS)))
}

fn parse_mention(text: &str) -> Option<Mention> {
    let text = text.trim();
    let id = text.strip_prefix("<@").and_then(|rest| rest.strip_suffix('>'));
    let id = id.map(|id| id.strip_prefix('&').unwrap_or(id));
    let is_id = |id: &str| (5..=20).contains(&id.len()) && id.bytes().all(|digit| digit.is_ascii_digit());
    let known = matches!(text, "@here" | "@everyone") || id.is_some_and(is_id);
    known.then(|| Mention::new(text))
}

/// `url` with `wait=true`; all else in it, such as `thread_id`, stays as it is.
fn waiting(url: &Secret) -> Secret {
    let (address, query) = url.expose().split_once('?').unwrap_or((url.expose(), ""));
    let own = query.split('&').filter(|part| !part.is_empty() && !part.starts_with("wait="));
    let query = own.chain(["wait=true"]).collect::<Vec<_>>().join("&");
    Secret::new(format!("{address}?{query}"))
}
