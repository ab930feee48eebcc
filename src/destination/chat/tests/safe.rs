//! What a payload made of Markdown must hold whatever a review says, and an unescaper of its own to see it.

use super::Case;
use crate::destination::chat::markdown::{ESCAPED, length};
use crate::domain::Message;
use crate::domain::text::is_unsafe;
use crate::presentation::words::ZERO_WIDTH;
use crate::presentation::{View, context};
use serde_json::{Value, json};

/// Every text of `payload` with the path of its keys.
fn texts(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| texts(item, path, found)),
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| texts(value, &format!("{path}/{key}"), found));
        }
        Value::String(text) => found.push((path.to_owned(), text.clone())),
        _ => {}
    }
}

/// What the receiver must take and nobody must be hurt by. Gives the size of all texts.
pub fn assert_safe(case: &Case, payload: &Value, token: Option<&str>) -> usize {
    let mut found = Vec::new();
    texts(payload, "", &mut found);
    let discord = case.format.name == "discord";
    let plain = payload.get("embeds").or(payload.get("attachments")).is_none();
    let mut size = 0;
    for (path, text) in &found {
        assert!(!text.contains(is_unsafe) && !text.trim().is_empty(), "{path}: {text:?}");
        if path.starts_with("/allowed_mentions") {
            continue;
        }
        let top = matches!(path.as_str(), "/content" | "/text");
        if path.ends_with("/url") || path.ends_with("/title_link") {
            assert!(text.starts_with("https://reviews.example/"), "{path}: {text}");
            continue;
        }
        size += length(text);
        if top && Some(text.as_str()) == token {
            continue;
        }
        let own = match top && plain {
            true => text.strip_prefix(token.unwrap_or("-")).unwrap_or(text),
            false => text,
        };
        let own = own.replace("](https://reviews.example/)", "]");
        // The plain form ends with the link.
        let end = own.rfind("\n<https://reviews.example/").filter(|_| top && plain && own.ends_with('>'));
        let own = &own[..end.unwrap_or(own.len())];
        assert_inert(own, path);
        assert!(discord || !own.contains('$'), "{path} is a formula: {text}");
        let limit = match path.rsplit('/').next().unwrap() {
            _ if !discord => 12_000,
            "content" => 2_000,
            "title" | "name" => 256,
            "value" => 1_024,
            "text" => 2_048,
            _ => 4_096,
        };
        assert!(length(text) <= limit, "{path}: {}", length(text));
    }
    assert!(size <= if discord { 6_000 + 2_000 } else { 12_000 }, "{size}");
    assert!(payload["embeds"].as_array().is_none_or(|embeds| embeds.len() <= 10));
    if discord {
        let expected = match token {
            None => json!({"parse": []}),
            Some("@here") => json!({"parse": ["everyone"]}),
            Some(_) => json!({"parse": [], "roles": ["123456789012345678"]}),
        };
        assert_eq!(payload["allowed_mentions"], expected);
    }
    size
}

/// Nothing that pings, links or is looked for, wherever the text is read as Markdown or not.
fn assert_inert(text: &str, path: &str) {
    // Discord's footers are shown as they are.
    let literal = path.ends_with("/footer/text");
    let characters: Vec<char> = text.chars().collect();
    for (index, c) in characters.iter().enumerate() {
        let next = characters.get(index + 1).copied().unwrap_or(' ');
        let before = index.checked_sub(1).map_or(' ', |before| characters[before]);
        assert!(*c != '@' || !next.is_alphanumeric(), "{path} pings: {text}");
        assert!(
            literal || *c != '<' || !matches!(next, '@' | '!' | '#' | ':') || before == '\\',
            "{path}: {text}"
        );
        assert!(*c != '.' || !next.is_alphabetic() || !before.is_alphanumeric(), "{path} links: {text}");
    }
    assert!(literal || !text.contains("]("), "{path} links: {text}");
    assert!(!text.contains("://"), "{path} links: {text}");
}

/// What a reader sees: an unescaper of its own, and the look-alikes back.
pub fn seen(markdown: &str) -> String {
    let mut shown = String::new();
    let mut characters = markdown.chars();
    while let Some(c) = characters.next() {
        shown.extend(match c {
            '\\' => characters.next().filter(|c| c.is_ascii_punctuation() || *c == '\\'),
            ZERO_WIDTH => None,
            '‹' => Some('<'),
            '﹩' => Some('$'),
            c => Some(c),
        });
    }
    shown
}

/// The formatting of a text: every special character that no backslash precedes.
fn formatting(markdown: &str) -> String {
    let mut found = String::new();
    let mut characters = markdown.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            c if ESCAPED.contains(c) || c == '<' => found.push(c),
            _ => {}
        }
    }
    found
}

/// What a hostile text gives must be made like what a harmless one gives: fields, parts, and formatting.
pub fn assert_alike(harmless: &Value, hostile: &Value, key: &str, whole: &Value) {
    match (harmless, hostile) {
        (Value::Array(harmless), Value::Array(hostile)) => {
            assert_eq!(harmless.len(), hostile.len(), "{key}: {whole}");
            harmless
                .iter()
                .zip(hostile)
                .for_each(|(harmless, hostile)| assert_alike(harmless, hostile, key, whole));
        }
        (Value::Object(harmless), Value::Object(hostile)) => {
            let keys = |fields: &serde_json::Map<String, Value>| fields.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(harmless), keys(hostile), "{key}: {whole}");
            harmless.iter().for_each(|(key, value)| assert_alike(value, &hostile[key], key, whole));
        }
        (Value::String(_), Value::String(_)) if ["url", "title_link"].contains(&key) => {}
        (Value::String(harmless), Value::String(hostile)) => {
            let mattermost = whole.get("attachments").is_some();
            if mattermost && ["title", "footer", "fallback"].contains(&key) {
                assert!(
                    !hostile.contains(['*', '_', '~', '`', '[', ']', '<', '>', '#', '|', '\\', '$']),
                    "{hostile}"
                );
            } else if let Some(at) = hostile.rfind("… (").filter(|_| is_cut(hostile)) {
                // What stood behind the cut is gone.
                assert!(formatting(harmless).starts_with(&formatting(&hostile[..at])), "{hostile}");
            } else if key != "text" || mattermost || whole.get("embeds").is_none() {
                assert_eq!(formatting(harmless), formatting(hostile), "{hostile}");
            }
        }
        (harmless, hostile) => assert_eq!(harmless, hostile),
    }
}

fn is_cut(text: &str) -> bool {
    text.ends_with(" more characters)") || text.ends_with(" more character)")
}

/// The text that shows what the customer said.
fn said<'a>(case: &Case, payload: &'a Value) -> &'a str {
    let shown = match case.format.name {
        "discord" => &payload["embeds"][0]["description"],
        _ => &payload["attachments"][0]["text"],
    };
    shown.as_str().unwrap()
}

pub fn assert_readable(case: &Case, message: &Message, payload: &Value, view: &View) {
    let context = context::context(message, view);
    let (shown, text) = (said(case, payload), context["shown"]["text"].as_str().unwrap());
    let same = |text: &str| text.replace(ZERO_WIDTH, "").replace('‹', "<").replace('﹩', "$");
    assert!(is_cut(shown) || seen(shown).contains(&same(text)), "{shown:?} shows not {text:?}");
}
