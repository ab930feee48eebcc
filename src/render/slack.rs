//! Slack's payload: which fields are literal and which are markup, its limits, and its plain form.
//!
//! Limits are Slack's documented ones, and 10,000 characters for all blocks together: an undocumented limit
//! refuses messages from about 11,000. Only `&`, `<` and `>` are control characters of Slack's markup;
//! formatting characters have no escape, which is why a review is shown in literal fields (`plain_text`,
//! `rich_text`). In the top-level `text` beside blocks (only notifications and screen readers show it) a
//! `*` stays a `*`; in the plain form, which is displayed, look-alikes take its place.

use super::body::safe_url;
use super::context::{Mention, ShownNotice, ShownReview, View};
use super::tree::{Dialect, Place, Rule};
use super::words::cut_line;
use crate::domain::{Content, Message};
use serde_json::{Map, Value, json};

/// Blocks of one message.
pub const MAX_BLOCKS: usize = 50;
/// A header's text.
pub const MAX_HEADER: usize = 150;
/// Any other text.
pub const MAX_TEXT: usize = 3_000;
/// All texts of all blocks together.
pub const MAX_TOTAL: usize = 10_000;

/// What Slack's format allows where.
pub static DIALECT: Dialect = Dialect {
    types: &[
        "header",
        "section",
        "context",
        "divider",
        "rich_text",
        "rich_text_section",
        "rich_text_quote",
        "rich_text_list",
        "rich_text_preformatted",
        "plain_text",
        "mrkdwn",
        "text",
        "link",
        "emoji",
        "broadcast",
        "user",
        "usergroup",
    ],
    rule,
    escape,
};

/// Only texts and links can hold values: a `type`, a `style` or an image's address made of a review's text
/// could ping or fetch. Mentions hold the destination's own mention and nothing else.
fn rule(place: &Place<'_>) -> Rule {
    match (place.key, place.kind) {
        ("text", Some("mrkdwn")) => Rule::Escaped,
        ("text", None) if place.top => Rule::Escaped,
        ("text", Some("plain_text" | "text" | "link")) | ("url", Some("link")) => Rule::Literal,
        ("range", Some("broadcast")) => Rule::Only("{{mention.range}}"),
        ("user_id", Some("user")) => Rule::Only("{{mention.user_id}}"),
        ("usergroup_id", Some("usergroup")) => Rule::Only("{{mention.usergroup_id}}"),
        _ => Rule::Fixed,
    }
}

/// Disables every token (`<!here>`, `<@U…>`, `<https://…|…>`); exactly these three, Slack shows others as is.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// [`escape`], and look-alikes for what formats or makes a link: for review text in a displayed `text`.
fn inert(text: &str) -> String {
    let swap = |c: char| match c {
        '*' => '∗',
        '_' => 'ˍ',
        '~' => '˜',
        '`' => 'ˋ',
        ':' => '꞉',
        c => c,
    };
    let mut safe = String::new();
    let mut characters = text.chars().map(swap).peekable();
    while let Some(c) = characters.next() {
        let inside_a_name = c == '.' && characters.peek().is_some_and(|next| next.is_alphanumeric());
        safe.push(if inside_a_name { '․' } else { c });
    }
    escape(&safe)
}

/// Reads `<!here>`, `<!channel>`, `<!everyone>`, `<@U…>` or `<!subteam^S…>`.
pub fn parse_mention(text: &str) -> Option<Mention> {
    let inner = text.trim().strip_prefix('<')?.strip_suffix('>')?;
    let id = |id: &str, first: &[char]| {
        let fits = id.starts_with(first) && (2..=40).contains(&id.len());
        (fits && id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())).then(|| id.to_owned())
    };
    let mut mention = Mention::default();
    if let Some(range @ ("here" | "channel" | "everyone")) = inner.strip_prefix('!') {
        mention.range = Some(range.to_owned());
    } else if let Some(group) = inner.strip_prefix("!subteam^") {
        mention.usergroup_id = Some(id(group, &['S'])?);
    } else {
        mention.user_id = Some(id(inner.strip_prefix('@')?, &['U', 'W'])?);
    }
    Some(mention)
}

/// The plain form: `text` alone, no blocks. Never fails, whatever the message says.
pub fn plain(message: &Message, view: &View) -> Value {
    let mention = super::context::mention(message, view).map(token);
    let mut parts: Vec<String> = mention.into_iter().collect();
    match &message.content {
        Content::Review { subject, rules } => {
            let shown = ShownReview::of(subject, rules, message, view);
            let place = [shown.platform.as_deref(), Some(&shown.place)].into_iter().flatten();
            let place: Vec<String> = place.map(inert).collect();
            let native = shown.native.map(|native| format!(" ({})", inert(&native))).unwrap_or_default();
            parts.push(format!("{} {}{native} · {}", shown.severity, shown.rating, place.join(" · ")));
            parts.extend(shown.edit);
            // One line: a line that begins with `>` would be a quotation.
            let said = shown.text.as_deref().or(shown.title.as_deref());
            parts.push(said.map_or(shown.quote, |said| format!("“{}”", inert(&cut_line(said, 2_000)))));
            parts.extend(shown.more);
            parts.push(format!("— {}, {}", inert(&shown.author), shown.date));
            let url = subject.url.as_deref().and_then(safe_url);
            parts.extend(url.map(|url| format!("<{}|{}>", escape(&url), inert(&shown.link))));
            parts.extend(shown.repeat.map(str::to_owned));
        }
        content => {
            let shown = ShownNotice::of(content, message.possible_repeat);
            // Our own words, with names of settings to copy: escaped, but as they are.
            parts.push(format!("{} {}", shown.symbol, escape(&shown.title)));
            parts.push(escape(&cut_line(&shown.text, 2_000)));
            parts.extend(shown.hint.map(|hint| escape(&cut_line(&hint, 2_000))));
            parts.extend(shown.repeat.map(str::to_owned));
        }
    }
    json!({"text": parts.join("\n"), "unfurl_links": false, "unfurl_media": false})
}

fn token(mention: &Mention) -> String {
    let of = |id: &Option<String>, before: &str| id.as_ref().map(|id| format!("<{before}{id}>"));
    let token = of(&mention.range, "!").or(of(&mention.user_id, "@"));
    token.or(of(&mention.usergroup_id, "!subteam^")).unwrap_or_default()
}

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
        Some(Value::String(text)) if !text.trim().is_empty() => cut_markup(text, MAX_TEXT),
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
    if matches!(kind, "plain_text" | "mrkdwn") && text.trim().is_empty() {
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
