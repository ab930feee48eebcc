//! Makes a rendered card one that Teams takes: one card of version 1.5 at most, one paragraph a block, no
//! empty parts, links to http(s) only, and within its size.
//!
//! A card that is too large or wrong fails *after* the Workflow has taken it, so nobody would ever know. Teams
//! counts 28 KB on its own serialisation: a request of 24,453 bytes was counted as 28,897
//! (<https://github.com/MicrosoftDocs/msteams-docs/issues/11274>). Hence 20 KB as sent, and 24,000 bytes were
//! each character beyond ASCII written as `\uXXXX`.

use crate::presentation::safe_url;
use crate::presentation::words::{cut, cut_line, thousands};
use serde_json::{Map, Value, json};

/// A message as it is sent, in bytes.
pub const MAX_BYTES: usize = 20 * 1024;
/// A message with `\uXXXX` for whatever is not ASCII, in bytes.
pub const MAX_ESCAPED_BYTES: usize = 24_000;
/// The one type of attachment.
pub const CONTENT_TYPE: &str = "application/vnd.microsoft.card.adaptive";

/// Versions of the schema that Teams shows.
const VERSIONS: &[&str] = &["1.0", "1.1", "1.2", "1.3", "1.4", "1.5"];
/// The fields that people read.
const SHOWN: &[&str] = &["text", "title", "value", "fallbackText"];
/// Paragraphs made of one block.
const MAX_PARAGRAPHS: usize = 20;
/// How long a text may be, in graphemes, and a link's address: the first at which the whole fits.
const SHORTER: &[(usize, usize)] =
    &[(1_200, 3_000), (600, 3_000), (300, 3_000), (300, 200), (150, 200), (75, 200), (30, 200)];

/// Makes `payload` one that Teams takes, or says why that cannot be.
pub fn fit(payload: Value) -> Result<Value, String> {
    let Value::Object(mut payload) = payload else { return Err("is not an object".into()) };
    if let Some(key) = payload.keys().find(|key| !["type", "summary", "attachments"].contains(&key.as_str()))
    {
        return Err(format!("has the key `{key}`; use only `type`, `summary`, `attachments`"));
    }
    if payload.get("type").and_then(Value::as_str) != Some("message") {
        return Err("needs \"type\": \"message\"".into());
    }
    if let Some(Value::String(summary)) = payload.get_mut("summary") {
        *summary = unbraced(&cut_line(summary, 200));
    }
    let card = card_of(&mut payload)?;
    let fitted = match fit_value(Value::Object(std::mem::take(card))).into_iter().next() {
        Some(Value::Object(fitted)) => fitted,
        _ => return Err("has a card without content".into()),
    };
    if fitted.get("body").and_then(Value::as_array).is_none_or(Vec::is_empty) {
        return Err("has a card without a `body`".into());
    }
    *card = fitted;
    shorten(Value::Object(payload))
}

/// The card of a message that has exactly one.
fn card_of(payload: &mut Map<String, Value>) -> Result<&mut Map<String, Value>, String> {
    let Some(Value::Array(attachments)) = payload.get_mut("attachments") else {
        return Err("has no list of `attachments`".into());
    };
    let [Value::Object(attachment)] = attachments.as_mut_slice() else {
        return Err("must have exactly one item in `attachments`: most Workflows post only the first".into());
    };
    if attachment.get("contentType").and_then(Value::as_str) != Some(CONTENT_TYPE) {
        return Err(format!("needs \"contentType\": \"{CONTENT_TYPE}\""));
    }
    let Some(Value::Object(card)) = attachment.get_mut("content") else {
        return Err("has an attachment without `content`".into());
    };
    if card.get("type").and_then(Value::as_str) != Some("AdaptiveCard") {
        return Err("needs \"type\": \"AdaptiveCard\" in `content`".into());
    }
    if !card.get("version").and_then(Value::as_str).is_some_and(|version| VERSIONS.contains(&version)) {
        return Err("needs a card of at most \"version\": \"1.5\", the newest that Teams shows".into());
    }
    Ok(card)
}

/// What is left of a value: nothing, itself, or several paragraphs.
fn fit_value(value: Value) -> Vec<Value> {
    match value {
        Value::Object(fields) => match fields.get("type").and_then(Value::as_str) {
            Some("RichTextBlock") => paragraphs(fields),
            Some("Action.OpenUrl") => action(fields).into_iter().collect(),
            Some("TextBlock") if is_blank(fields.get("text")) => Vec::new(),
            _ => container(fields).into_iter().collect(),
        },
        Value::Array(items) => vec![items.into_iter().flat_map(fit_value).collect()],
        Value::String(text) => vec![Value::String(unbraced(&text))],
        other => vec![other],
    }
}

/// An object whose lists have been fitted; `None` where that left nothing to show in it.
fn container(fields: Map<String, Value>) -> Option<Value> {
    let mut fitted = Map::new();
    for (key, value) in fields {
        let listed = value.is_array();
        let Some(value) = fit_value(value).into_iter().next() else { continue };
        if listed && value.as_array().is_some_and(Vec::is_empty) {
            match key.as_str() {
                "items" | "columns" | "facts" | "inlines" => return None,
                "actions" if fitted.get("type").and_then(Value::as_str) == Some("ActionSet") => return None,
                _ => continue,
            }
        }
        fitted.insert(key, value);
    }
    let only_actions = fitted.get("type").and_then(Value::as_str) == Some("ActionSet");
    (!only_actions || fitted.contains_key("actions")).then_some(Value::Object(fitted))
}

fn action(mut fields: Map<String, Value>) -> Option<Value> {
    let url = fields.get("url").and_then(Value::as_str).and_then(safe_url)?;
    let title = fields.get("title").and_then(Value::as_str).map(|title| cut_line(&unbraced(title), 60))?;
    if title.is_empty() {
        return None;
    }
    // `{{` would be filled in by the reader's client; after a `#` it stands as it is.
    fields.insert("url".into(), url.replace('{', "%7B").replace('}', "%7D").into());
    fields.insert("title".into(), title.into());
    Some(Value::Object(fields))
}

/// One block a paragraph: what a line end does inside of a `TextRun` differs from client to client.
fn paragraphs(fields: Map<String, Value>) -> Vec<Value> {
    let Some(Value::Array(inlines)) = fields.get("inlines") else { return Vec::new() };
    let mut lines: Vec<Vec<Value>> = vec![Vec::new()];
    for inline in &inlines.iter().cloned().flat_map(fit_value).collect::<Vec<_>>() {
        let text = inline.get("text").and_then(Value::as_str).or(inline.as_str()).unwrap_or_default();
        for (index, part) in text.split('\n').enumerate() {
            if index > 0 {
                lines.push(Vec::new());
            }
            if let Some(line) = lines.last_mut().filter(|_| !part.is_empty()) {
                line.push(with_text(inline, part.to_owned()));
            }
        }
    }
    lines.retain(|line| !line.iter().all(|run| is_blank(run.get("text").or(Some(run)))));
    let more = lines.len().saturating_sub(MAX_PARAGRAPHS);
    if more > 0 {
        lines.truncate(MAX_PARAGRAPHS);
        lines.push(vec![
            json!({"type": "TextRun", "text": format!("… ({} more lines)", thousands(more as u64))}),
        ]);
    }
    let block = |(index, line): (usize, Vec<Value>)| {
        let mut block = fields.clone();
        block.insert("inlines".into(), line.into());
        if index > 0 {
            block.insert("spacing".into(), "Small".into());
            block.remove("separator");
        }
        Value::Object(block)
    };
    lines.into_iter().enumerate().map(block).collect()
}

fn with_text(inline: &Value, text: String) -> Value {
    let mut inline = inline.clone();
    match inline.as_object_mut() {
        Some(fields) => drop(fields.insert("text".into(), text.into())),
        None => inline = text.into(),
    }
    inline
}

fn is_blank(text: Option<&Value>) -> bool {
    text.and_then(Value::as_str).is_none_or(|text| text.trim().is_empty())
}

/// `text` in which no `{{DATE(…)}}` remains for the reader's client to fill in.
fn unbraced(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '{' && safe.ends_with('{') {
            safe.push('\u{200B}');
        }
        safe.push(c);
    }
    safe
}

/// Cuts long texts until the whole fits, saying how much is missing. Addresses cannot be cut: a long one goes where it
/// takes the room of many.
fn shorten(payload: Value) -> Result<Value, String> {
    if fits(&payload) {
        return Ok(payload);
    }
    for (limit, longest_link) in SHORTER {
        let mut shorter = payload.clone();
        cut_texts(&mut shorter, *limit);
        drop_links(&mut shorter, *longest_link);
        if fits(&shorter) {
            return Ok(shorter);
        }
    }
    Err("is larger than 20 KB, even with its texts cut".into())
}

/// Takes out the actions whose address is longer than `longest`.
fn drop_links(value: &mut Value, longest: usize) {
    let is_long = |value: &Value| {
        let url = value.get("url").and_then(Value::as_str);
        url.is_some_and(|url| url.len() > longest)
    };
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| drop_links(item, longest)),
        Value::Object(fields) => {
            fields.retain(|_, value| !is_long(value));
            if let Some(Value::Array(actions)) = fields.get_mut("actions") {
                actions.retain(|action| !is_long(action));
            }
            let none = |value: &Value| value.as_array().is_some_and(Vec::is_empty);
            fields.retain(|key, value| key != "actions" || !none(value));
            fields.values_mut().for_each(|value| drop_links(value, longest));
        }
        _ => {}
    }
}

fn cut_texts(value: &mut Value, limit: usize) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(|item| cut_texts(item, limit)),
        Value::Object(fields) => {
            for (key, value) in fields {
                match value {
                    Value::String(text) if SHOWN.contains(&key.as_str()) => {
                        let cut = cut(text, limit, limit * 2, 1);
                        if let Some(more) = cut.more() {
                            *text = cut.shown + &more;
                        }
                    }
                    value => cut_texts(value, limit),
                }
            }
        }
        _ => {}
    }
}

fn fits(payload: &Value) -> bool {
    let text = payload.to_string();
    text.len() <= MAX_BYTES && escaped_bytes(&text) <= MAX_ESCAPED_BYTES
}

/// The length of `json` were each character beyond ASCII written as `\uXXXX`.
pub fn escaped_bytes(json: &str) -> usize {
    json.chars().map(|c| if c.is_ascii() { 1 } else { 6 * c.len_utf16() }).sum()
}
