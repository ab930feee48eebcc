//! Slack, through incoming webhooks: its settings.

mod answers;
mod fixture;
#[cfg(test)]
mod hostile_tests;
pub mod limits;
mod payload;
#[cfg(test)]
mod tests;
mod tokens;

pub use payload::{DIALECT, FORMAT, parse_mention};

use super::chat::Chat;
use super::settings::{Common, Key, Shared, TEMPLATE, read_url};
use super::{Kind, Make};
use crate::settings::{Rate, Table};
use std::sync::Arc;

/// The row of this kind.
pub static KIND: Kind = Kind {
    name: "slack",
    title: "Slack",
    summary: "a Slack channel, via an incoming webhook",
    // Slack's own limit for webhooks; more gets an app disabled.
    default_rate: Rate::per_second(1),
    keys: &[
        Key { name: "webhook_url", summary: "the webhook's URL, from Slack", secret: true },
        Key {
            name: "mention",
            summary: "who is pinged by reviews and problems: <!here>, <!channel>, <!everyone>, <@U…>, <!subteam^S…>",
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
            let hint = "write \"<!here>\", \"<!channel>\", \"<!everyone>\", \"<@U…>\" or \"<!subteam^S…>\", with \
                        the ID that Slack shows under “Copy member ID”";
            table.problem("mention", "is not a valid Slack mention", hint);
        }
        mention
    });
    Some(Arc::new(Chat::webhook(&FORMAT, webhook_url?, mention.flatten(), &answers::ANSWERS)))
}
