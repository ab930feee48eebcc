//! ntfy, by its JSON publish: <https://docs.ntfy.sh/publish/#publish-as-json>. A message goes to the root of the server
//! and names its topic in the body, so that no header says anything of a review.
//!
//! Whoever knows a topic can read it, so it is a secret.

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
use crate::presentation::Own;
use crate::settings::{Rate, Secret, Table};
use payload::{Priorities, Settings};
use std::sync::Arc;
use std::time::Duration;

/// The row of this kind.
pub static KIND: Kind = Kind {
    name: "ntfy",
    title: "ntfy",
    summary: "phones and browsers, via ntfy.sh or your own ntfy server",
    // ntfy.sh takes 60 at once, and then one in five seconds: <https://docs.ntfy.sh/publish/#limitations>.
    default_rate: Rate { count: 12, span: Duration::from_secs(60) },
    keys: &[
        Key { name: "url", summary: "the server; default: \"https://ntfy.sh\"", secret: false },
        Key { name: "topic", summary: "the topic; anyone who knows it can read it", secret: true },
        Key { name: "token", summary: "an access token, if the topic is protected", secret: true },
        Key {
            name: "priority",
            summary: "{ attention, warning, good, default }: from 1 to 5, by rating; default: 4, 3, 2 and 3",
            secret: false,
        },
        Key { name: "tags", summary: "tags for every message, a list; default: none", secret: false },
        TEMPLATE,
    ],
    format: Some(&FORMAT),
    example: include_str!("example.toml"),
    shared: None,
    read,
    fixture: fixture::FIXTURE,
};

/// The server, unless another is set.
const SERVER: &str = "https://ntfy.sh/";

fn read(table: &Table<'_>, common: &Common, _: &Shared) -> Option<Arc<dyn Make>> {
    let url = match table.has("url") {
        true => read_url(table, "url", common),
        false => Some(Secret::new(SERVER)),
    };
    let topic = read_topic(table);
    let token = table.secret("token").map(|token| Secret::new(token.expose().trim()));
    if token.as_ref().is_some_and(|token| !is_token(token.expose())) {
        let place = if table.has("token") { "token" } else { "token_file" };
        table.problem(place, "is not a valid access token", "copy the one that ntfy shows: token = \"tk_…\"");
        return None;
    }
    let priority = table.table("priority").map(read_priorities).unwrap_or_default();
    let tags = table.texts("tags").unwrap_or_default();
    if tags.len() > 10 || !tags.iter().all(|tag| is_tag(tag)) {
        let hint = "write up to 10 short words, such as tags = [\"star\"]: <https://docs.ntfy.sh/emojis/>";
        table.problem("tags", "are not valid tags", hint);
    }
    let topic = topic?;
    Some(Arc::new(Chat {
        format: &FORMAT,
        url: url?,
        mention: None,
        answers: &answers::ANSWERS,
        key: "url",
        token,
        secrets: vec![topic.clone()],
        own: Own::new(Settings { topic, priority, tags }),
    }))
}

/// `[-_A-Za-z0-9]{1,64}`, as ntfy takes it.
fn read_topic(table: &Table<'_>) -> Option<Secret> {
    let hint =
        "write letters, digits, `-` and `_`, preferably a long word that is hard to guess: topic = \"…\"";
    let topic = table.secret("topic").map(|topic| Secret::new(topic.expose().trim()));
    if !table.has("topic") && !table.has("topic_file") {
        table.problem("topic", "is missing", hint);
    }
    let known = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let fits = |topic: &Secret| (1..=64).contains(&topic.expose().len()) && topic.expose().chars().all(known);
    let place = if table.has("topic") { "topic" } else { "topic_file" };
    match topic {
        Some(topic) if fits(&topic) => Some(topic),
        Some(_) => {
            table.problem(place, "is not a valid topic", hint);
            None
        }
        None => None,
    }
}

fn read_priorities(table: Table<'_>) -> Priorities {
    let usual = Priorities::default();
    let level = |key: &str, usual: u8| {
        table.integer(key, 1..=5).and_then(|level| u8::try_from(level).ok()).unwrap_or(usual)
    };
    let priorities = Priorities {
        attention: level("attention", usual.attention),
        warning: level("warning", usual.warning),
        good: level("good", usual.good),
        default: level("default", usual.default),
    };
    table.finish();
    priorities
}

/// Whether it can stand in a header.
fn is_token(token: &str) -> bool {
    (1..=200).contains(&token.len()) && token.bytes().all(|byte| byte.is_ascii_graphic())
}

fn is_tag(tag: &str) -> bool {
    let known = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '+');
    (1..=40).contains(&tag.len()) && tag.chars().all(known)
}
