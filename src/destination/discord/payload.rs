//! Discord's payload: what of it is literal and what is Markdown, its limits, and its plain form.
//!
//! Who is pinged is not left to the text: `allowed_mentions` names the configured mention alone. Embeds are read
//! as Markdown, but for their footers.

use super::limits::{
    BUDGET, CONTENT, DESCRIPTION, EMBED_URL, FIELD_NAME, FIELD_VALUE, FIELDS, FOOTER, MAX_COLOR, TITLE,
};
use crate::destination::chat::markdown::{self, cut, length, unmentioned};
use crate::destination::chat::parts::{self, list, object, opening, text};
use crate::domain::Message;
use crate::presentation::words::unlinked;
use crate::presentation::{View, context, safe_url};
use crate::template::{Dialect, Filled, Format, Place, Rule};
use serde_json::{Map, Value, json};

/// Discord's payload.
pub static FORMAT: Format = Format::json("discord", &DIALECT, fit, plain);

static DIALECT: Dialect = Dialect { types: &[], rule, escape, markup: markdown::check };

fn rule(place: &Place<'_>) -> Rule {
    match place.key {
        "content" if place.top => Rule::Only(parts::MENTION),
        "title" | "description" | "name" | "value" => Rule::Escaped,
        // Of a footer.
        "text" => Rule::Literal,
        "url" => Rule::Link,
        "color" => Rule::Only("{{shown.tone}}"),
        _ => Rule::Fixed,
    }
}

fn escape(text: &str) -> String {
    markdown::escape(text, |c| (c == '<').then_some("\\<"))
}

/// Makes `payload` one that Discord takes: within its limits, without empty parts, pinging the configured mention
/// at most.
fn fit(payload: Value, filled: &Filled<'_>) -> Result<Value, String> {
    let mut payload = object(payload, &["content", "embeds"])?;
    let token = parts::token(filled.context);
    let mut fitted = Map::new();
    let content = opening(text(&payload, "content"), token);
    fitted.extend(content.map(|content| ("content".to_owned(), content.into())));
    let (mut embeds, missing) = BUDGET.fit(list(&mut payload, "embeds", embed)?)?;
    if let Some(Value::Object(last)) = embeds.last_mut().filter(|_| missing > 0) {
        let own = last.get("footer").and_then(|footer| footer["text"].as_str()).unwrap_or_default();
        let note = format!("… ({missing} more not shown) {}", cut(own, FOOTER - 60));
        last.insert("footer".into(), json!({"text": note.trim()}));
    }
    if !embeds.is_empty() {
        fitted.insert("embeds".into(), embeds.into());
    }
    if fitted.is_empty() {
        return Err("has neither `content` nor an embed that shows anything".into());
    }
    fitted.insert("allowed_mentions".into(), allowed(token));
    Ok(fitted.into())
}

/// `None` where nothing readable is in it.
fn embed(value: Value) -> Result<Option<Value>, String> {
    let mut fields = object(value, &["title", "description", "url", "color", "fields", "footer"])?;
    let mut fitted = Map::new();
    let mut set = |key: &str, value: Option<Value>| fitted.extend(value.map(|value| (key.to_owned(), value)));
    set("title", line(&fields, "title", TITLE));
    set("description", within(text(&fields, "description"), DESCRIPTION));
    let named = list(&mut fields, "fields", field)?;
    set("fields", (!named.is_empty()).then(|| named.into_iter().take(FIELDS).collect()));
    if let Some(footer) = fields.remove("footer") {
        let shown = within(&unlinked(text(&object(footer, &["text"])?, "text")), FOOTER);
        set("footer", shown.map(|shown| json!({"text": shown})));
    }
    if fitted.is_empty() {
        return Ok(None);
    }
    let url = safe_url(text(&fields, "url")).filter(|url| length(url) <= EMBED_URL);
    fitted.extend(url.map(|url| ("url".to_owned(), url.into())));
    if let Some(value) = fields.get("color") {
        fitted.insert("color".into(), color(value)?.into());
    }
    Ok(Some(fitted.into()))
}

/// `None` where its name or its value shows nothing: Discord refuses such a field.
fn field(value: Value) -> Result<Option<Value>, String> {
    let fields = object(value, &["name", "value", "inline"])?;
    let (name, value) = (line(&fields, "name", FIELD_NAME), within(text(&fields, "value"), FIELD_VALUE));
    let inline = fields.get("inline") == Some(&Value::Bool(true));
    Ok(name.zip(value).map(|(name, value)| json!({"name": name, "value": value, "inline": inline})))
}

fn line(fields: &Map<String, Value>, name: &str, limit: usize) -> Option<Value> {
    within(&text(fields, name).split_whitespace().collect::<Vec<_>>().join(" "), limit)
}

/// `None` where it shows nothing.
fn within(text: &str, limit: usize) -> Option<Value> {
    (!text.is_empty()).then(|| cut(&unmentioned(text), limit).into())
}

fn color(value: &Value) -> Result<u64, String> {
    match (value.as_str(), value.as_u64()) {
        (Some("attention"), _) => Ok(0xD9_36_3E),
        (Some("warning"), _) => Ok(0xE0_A1_0B),
        (Some("good"), _) => Ok(0x2E_9E_5B),
        (Some("default"), _) => Ok(0x8A_8F_98),
        (None, Some(number)) if number <= MAX_COLOR => Ok(number),
        _ => {
            Err("has a `color` that is neither a number nor one of `attention`, `warning`, `good`, `default`"
                .into())
        }
    }
}

/// Who may be pinged: `token` and nobody else.
fn allowed(token: Option<&str>) -> Value {
    let id = |before: &str| token.and_then(|token| token.strip_prefix(before)?.strip_suffix('>'));
    match (token, id("<@&"), id("<@")) {
        (Some("@here" | "@everyone"), ..) => json!({"parse": ["everyone"]}),
        (_, Some(role), _) => json!({"parse": [], "roles": [role]}),
        (_, None, Some(user)) => json!({"parse": [], "users": [user]}),
        _ => json!({"parse": []}),
    }
}

/// The plain form: `content` alone. Never fails, whatever the message says.
fn plain(message: &Message, view: &View) -> Value {
    let token = context::mention(message, view).map(|mention| mention.token.as_str());
    json!({"content": parts::plain(message, view, escape, CONTENT), "allowed_mentions": allowed(token)})
}
