//! Slack's limits. They are its documented ones (<https://docs.slack.dev/reference/block-kit/blocks>), and 10,000
//! characters for all blocks together: an undocumented limit (<https://github.com/slackapi/bolt-js/issues/2509>) refuses
//! messages from about 11,000.

use crate::domain::text::is_visible;
use crate::presentation::safe_url;
use serde_json::{Map, Value};

/// Blocks of one message.
pub const MAX_BLOCKS: usize = 50;
/// A header's text: <https://docs.slack.dev/reference/block-kit/blocks/header-block>.
pub const MAX_HEADER: usize = 150;
/// Any other text: <https://docs.slack.dev/reference/block-kit/blocks/section-block>.
pub const MAX_TEXT: usize = 3_000;
/// All texts of all blocks together.
pub const MAX_TOTAL: usize = 10_000;

/// Makes a rendered payload one that Slack takes: cuts to its limits, drops what is empty (Slack refuses
/// empty texts) and links that are not http(s), turns unfurling off.
pub fn fit(payload: Value) -> Result<Value, String> {
    let Value::Object(mut payload) = payload else { return Err("is not an object".into()) };
    if let Some(key) = payload.keys().find(|key| !KEYS.contains(&key.as_str())) {
        return Err(format!(
            "has the key `{key}`; use only `text`, `blocks`, `unfurl_links`, `unfurl_media`"
        ));
    }
    match payload.get_mut("text") {
        Some(Value::String(text)) if is_visible(text) => cut_markup(text, MAX_TEXT),
        _ => return Err("has no `text`, which notifications and screen readers show".into()),
    }
    if let Some(blocks) = payload.remove("blocks") {
        let Value::Array(blocks) = blocks else { return Err("has `blocks` that are not a list".into()) };
        let mut room = MAX_TOTAL;
        let blocks: Vec<Value> =
            blocks.into_iter().filter_map(|block| fit_value(block, &mut room)).take(MAX_BLOCKS).collect();
        if !blocks.is_empty() {
            payload.insert("blocks".into(), Value::Array(blocks));
        }
    }
    payload.insert("unfurl_links".into(), false.into());
    payload.insert("unfurl_media".into(), false.into());
    Ok(Value::Object(payload))
}

const KEYS: &[&str] = &["text", "blocks", "unfurl_links", "unfurl_media"];

fn fit_value(value: Value, room: &mut usize) -> Option<Value> {
    match value {
        Value::Object(fields) => fit_object(fields, room),
        Value::Array(items) => {
            let items: Vec<Value> = items.into_iter().filter_map(|item| fit_value(item, room)).collect();
            (!items.is_empty()).then_some(Value::Array(items))
        }
        other => Some(other),
    }
}

/// `None` where nothing readable is left of it.
fn fit_object(mut fields: Map<String, Value>, room: &mut usize) -> Option<Value> {
    let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
    if kind == "link" {
        match fields.get("url").and_then(Value::as_str).and_then(safe_url) {
            Some(url) => fields.insert("url".into(), url.into()),
            None => return None,
        };
    }
    let mut fitted = Map::new();
    for (key, value) in fields {
        let value = match value {
            Value::String(text) if key == "text" => {
                let text = fit_text(text, &kind, room);
                if text.is_empty() {
                    return None;
                }
                text.into()
            }
            Value::Object(inner) if kind == "header" => cut_header(inner, room)?,
            Value::Object(_) | Value::Array(_) => fit_value(value, room)?,
            other => other,
        };
        fitted.insert(key, value);
    }
    Some(Value::Object(fitted))
}

fn cut_header(mut text: Map<String, Value>, room: &mut usize) -> Option<Value> {
    if let Some(Value::String(line)) = text.get_mut("text") {
        // A header is one line.
        *line = cut(&line.split_whitespace().collect::<Vec<_>>().join(" "), MAX_HEADER);
    }
    fit_object(text, room)
}

fn fit_text(mut text: String, kind: &str, room: &mut usize) -> String {
    // Between the elements of rich text a space is text; alone in an object it is refused.
    if matches!(kind, "plain_text" | "mrkdwn") && !is_visible(&text) {
        return String::new();
    }
    let limit = MAX_TEXT.min(*room);
    if kind == "mrkdwn" {
        cut_markup(&mut text, limit);
    } else {
        text = cut(&text, limit);
    }
    *room -= length(&text).min(*room);
    text
}

/// The length as Slack may count it: whether it counts code points or UTF-16 is not documented, and the
/// latter is never less.
pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

fn cut(text: &str, limit: usize) -> String {
    if length(text) <= limit {
        return text.to_owned();
    }
    let mut left = limit.saturating_sub(1);
    let fits = |c: &char| {
        let fits = c.len_utf16() <= left;
        left -= c.len_utf16().min(left);
        fits
    };
    let mut shown: String = text.chars().take_while(fits).collect();
    if limit > 0 {
        shown.push('…');
    }
    shown
}

/// Cuts markup, never inside `&amp;` and never leaving a token open.
fn cut_markup(text: &mut String, limit: usize) {
    if length(text) <= limit {
        return;
    }
    let mut shown = cut(text, limit);
    for (open, close) in [('&', ';'), ('<', '>')] {
        let opened = shown.rfind(open).filter(|at| !shown[*at..].contains(close));
        if let Some(at) = opened.filter(|at| open == '<' || shown.len() - at <= 8) {
            shown.truncate(at);
            shown.push('…');
        }
    }
    *text = shown;
}
