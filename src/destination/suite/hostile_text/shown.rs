//! What a reader sees of every hostile message, kind by kind: snapshots to read, in the full form.

use super::{TARGETS, Target, mail};
use crate::domain::Message;
use crate::presentation::hostile_messages;
use crate::presentation::words::ZERO_WIDTH;
use serde_json::Value;

/// Fields that nobody reads.
const HIDDEN: &[&str] = &[
    "type",
    "style",
    "version",
    "contentType",
    "$schema",
    "url",
    "color",
    "size",
    "weight",
    "spacing",
    "cardId",
    "width",
    "range",
    "fontType",
    "fallbackText",
    "summary",
    "uuid",
    "timestamp",
];
/// How much of a case is kept.
const KEPT: usize = 300;
/// Where most cases lead.
const USUAL: &str = "https://reviews.example/shop";

fn strings(value: &Value, shown: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| strings(item, shown)),
        Value::Object(fields) => {
            let fields = fields.iter().filter(|(key, _)| !HIDDEN.contains(&key.as_str()));
            fields.for_each(|(_, value)| strings(value, shown));
        }
        Value::String(text) => shown.push(text.clone()),
        _ => {}
    }
}

fn shown(target: &Target, message: &Message) -> String {
    let payload = target.destination.render(message);
    let mut shown = Vec::new();
    match serde_json::from_str(&payload.body) {
        Ok(body) => strings(&body, &mut shown),
        Err(_) => {
            let (subject, parts) = mail::decoded(&payload.body);
            shown.extend([subject, parts.into_iter().next().unwrap_or_default().1]);
        }
    }
    let mut text = shown.join(" / ").replace("\r\n", "\n").replace('\n', "⏎").replace('\t', "⇥");
    // Marks that cannot be seen would hide in a snapshot, too.
    text = text.replace(ZERO_WIDTH, "¦").replace('\u{A0}', "⍽");
    let text: String = text.chars().take(KEPT).collect();
    let mut lines = format!("    {}\n", text.trim_end());
    for link in addresses(&payload.body) {
        lines.push_str(&format!("    → {link}\n"));
    }
    lines
}

/// Where a payload's links lead, but for the usual place.
fn addresses(body: &str) -> Vec<String> {
    fn find(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| find(item, found)),
            Value::Object(fields) => {
                let url = fields.get("url").and_then(Value::as_str).filter(|url| *url != USUAL);
                found.extend(url.map(|url| url.chars().take(80).collect()));
                fields.values().for_each(|value| find(value, found));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    if let Ok(body) = serde_json::from_str(body) {
        find(&body, &mut found);
    }
    found.dedup();
    found.truncate(3);
    found
}

#[test]
fn hostile_messages_read_well() {
    for target in &*TARGETS {
        let cases = hostile_messages()
            .into_iter()
            .map(|(name, message)| format!("{name}\n{}", shown(target, &message)));
        // Each kind has its own in its folder.
        let folder = format!("../../{}/snapshots", target.kind.name);
        insta::with_settings!({snapshot_path => folder, prepend_module_to_snapshot => false}, {
            insta::assert_snapshot!("hostile_text", cases.collect::<String>());
        });
    }
}
