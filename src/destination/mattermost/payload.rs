//! Mattermost's payload: what of it is literal and what is Markdown, and its plain form.
//!
//! Whoever is named in a text is pinged, in attachments too. The texts of attachments are read as Markdown; their
//! titles, footers and fallbacks are Markdown in one client and plain in another, so look-alikes stand there.

use super::limits::{BUDGET, FALLBACK, TEXT, TITLE};
use crate::destination::chat::lookalikes::inert;
use crate::destination::chat::markdown::{self, cut, unmentioned};
use crate::destination::chat::parts::{self, list, object, opening, text};
use crate::domain::Message;
use crate::presentation::words::unlinked;
use crate::presentation::{View, safe_url};
use crate::template::{Dialect, Filled, Format, Place, Rule};
use serde_json::{Map, Value, json};

/// Mattermost's payload.
pub static FORMAT: Format = Format::json("mattermost", &DIALECT, fit, plain);

static DIALECT: Dialect = Dialect { types: &[], rule, escape, markup: markdown::check };

fn rule(place: &Place<'_>) -> Rule {
    match place.key {
        "text" if place.top => Rule::Only(parts::MENTION),
        "text" | "value" => Rule::Escaped,
        // Made inert as a whole, in `line`.
        "fallback" | "title" | "footer" => Rule::Literal,
        "title_link" => Rule::Link,
        "color" => Rule::Only("{{shown.tone}}"),
        _ => Rule::Fixed,
    }
}

/// There is no escape for `<`, which servers read as Slack does, and for `$`, which begins a formula.
fn escape(text: &str) -> String {
    markdown::escape(text, |c| match c {
        '<' => Some("‹"),
        '$' => Some("﹩"),
        _ => None,
    })
}

/// Makes `payload` one that Mattermost shows as one post, pinging the configured mention at most.
fn fit(payload: Value, filled: &Filled<'_>) -> Result<Value, String> {
    let mut payload = object(payload, &["text", "attachments"])?;
    let mut fitted = Map::new();
    let opening = opening(text(&payload, "text"), parts::token(filled.context));
    fitted.extend(opening.map(|opening| ("text".to_owned(), opening.into())));
    let (mut attachments, missing) = BUDGET.fit(list(&mut payload, "attachments", attachment)?)?;
    if let Some(Value::Object(last)) = attachments.last_mut().filter(|_| missing > 0) {
        let note = format!("… ({missing} more not shown) {}", text(last, "footer"));
        last.insert("footer".into(), note.trim().into());
    }
    if !attachments.is_empty() {
        fitted.insert("attachments".into(), attachments.into());
    }
    if fitted.is_empty() {
        return Err("has neither `text` nor an attachment that shows anything".into());
    }
    Ok(fitted.into())
}

/// `None` where nothing readable is in it.
fn attachment(value: Value) -> Result<Option<Value>, String> {
    let keys = &["fallback", "color", "title", "title_link", "text", "fields", "footer"];
    let mut fields = object(value, keys)?;
    let mut fitted = Map::new();
    let mut set = |key: &str, value: Option<Value>| fitted.extend(value.map(|value| (key.to_owned(), value)));
    set("title", line(&fields, "title", TITLE));
    set("text", markup(&fields, "text"));
    set("footer", line(&fields, "footer", TITLE));
    let named = list(&mut fields, "fields", field)?;
    set("fields", (!named.is_empty()).then(|| named.into()));
    if fitted.is_empty() {
        return Ok(None);
    }
    let link = safe_url(text(&fields, "title_link")).map(Value::from);
    let color = fields.get("color").map(color).transpose()?;
    for (key, value) in
        [("fallback", line(&fields, "fallback", FALLBACK)), ("title_link", link), ("color", color)]
    {
        fitted.extend(value.map(|value| (key.to_owned(), value)));
    }
    Ok(Some(fitted.into()))
}

/// `None` where its value shows nothing.
fn field(value: Value) -> Result<Option<Value>, String> {
    let fields = object(value, &["short", "title", "value"])?;
    let title = line(&fields, "title", TITLE).unwrap_or_else(|| "".into());
    let short = fields.get("short") == Some(&Value::Bool(true));
    Ok(markup(&fields, "value").map(|value| json!({"short": short, "title": title, "value": value})))
}

/// One line that looks the same as Markdown and as plain text.
fn line(fields: &Map<String, Value>, name: &str, limit: usize) -> Option<Value> {
    let line = text(fields, name).split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = unmentioned(&inert(&unlinked(&line)).replace('$', "﹩"));
    (!shown.is_empty()).then(|| cut(&shown, limit).into())
}

fn markup(fields: &Map<String, Value>, name: &str) -> Option<Value> {
    Some(text(fields, name)).filter(|text| !text.is_empty()).map(|text| cut(&unmentioned(text), TEXT).into())
}

fn color(value: &Value) -> Result<Value, String> {
    let text = value.as_str().unwrap_or_default();
    let own = text
        .strip_prefix('#')
        .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|c| c.is_ascii_hexdigit()));
    match text {
        "attention" => Ok("#D9363E".into()),
        "warning" => Ok("#E0A10B".into()),
        "good" => Ok("#2E9E5B".into()),
        "default" => Ok("#8A8F98".into()),
        _ if own => Ok(text.into()),
        _ => Err(
            "has a `color` that is neither `#RRGGBB` nor one of `attention`, `warning`, `good`, `default`"
                .into(),
        ),
    }
}

/// The plain form: `text` alone. Never fails, whatever the message says.
fn plain(message: &Message, view: &View) -> Value {
    json!({"text": parts::plain(message, view, escape, TEXT)})
}
