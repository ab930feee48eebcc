//! ntfy's payload: a title, a message of plain text, and what is opened on a tap. Apps make links of whatever looks like
//! an address, so in what customers wrote nothing may.

use super::limits::{MAX_BYTES, MAX_CLICK, MAX_TITLE, SHORTER};
use crate::destination::chat::markdown;
use crate::destination::chat::parts::{object, text};
use crate::domain::{Content, Message, NoticeState};
use crate::presentation::words::{Cut, ZERO_WIDTH, cut_line, is_plain_address, tone, unlinked};
use crate::presentation::{Lines, View, safe_url};
use crate::settings::Secret;
use crate::template::{Dialect, Filled, Format, Place, Rule};
use serde_json::{Map, Value, json};
use unicode_segmentation::UnicodeSegmentation;

/// ntfy's payload.
pub static FORMAT: Format = Format::json("ntfy", &DIALECT, fit, plain);

static DIALECT: Dialect = Dialect { types: &[], rule, escape: unlinked, markup: markdown::check };

/// What the payload needs of a destination's settings.
#[derive(Debug)]
pub struct Settings {
    /// Where it is published.
    pub topic: Secret,
    /// How urgent messages are.
    pub priority: Priorities,
    /// What every message is tagged with.
    pub tags: Vec<String>,
}

/// From 1 (no sound) to 5 (rings on), by the colour's name of a rating.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Priorities {
    /// Up to 2 stars, and something that went wrong.
    pub attention: u8,
    /// Below 4 stars.
    pub warning: u8,
    /// From 4 stars on.
    pub good: u8,
    /// Whatever else.
    pub default: u8,
}

impl Default for Priorities {
    fn default() -> Self {
        Self { attention: 4, warning: 3, good: 2, default: 3 }
    }
}

impl Priorities {
    fn of(self, message: &Message) -> u8 {
        match &message.content {
            Content::Review { subject, .. } => match tone(subject.rating.normalised) {
                "attention" => self.attention,
                "warning" => self.warning,
                "good" => self.good,
                _ => self.default,
            },
            Content::Summary(_) if message.content.reviews().iter().any(|(one, _)| one.needs_attention()) => {
                self.attention
            }
            Content::Operator(notice) if notice.state != NoticeState::Over => self.attention,
            _ => self.default,
        }
    }
}

fn rule(place: &Place<'_>) -> Rule {
    match place.key {
        "title" | "message" if place.top => Rule::Escaped,
        "click" if place.top => Rule::Link,
        _ => Rule::Fixed,
    }
}

/// Makes `payload` one that ntfy takes as a message and not as an attachment.
fn fit(payload: Value, filled: &Filled<'_>) -> Result<Value, String> {
    let (message, view) = (filled.message, filled.view);
    let payload = object(payload, &["title", "message", "click", "tags", "priority"])?;
    let said = shown(text(&payload, "message"), message, view);
    if said.is_empty() {
        return Err("has no `message`".into());
    }
    let mut fitted = Map::new();
    let title = cut_line(&shown(text(&payload, "title"), message, view), MAX_TITLE);
    fitted.extend((!title.is_empty()).then(|| ("title".to_owned(), title.into())));
    let click = safe_url(text(&payload, "click")).filter(|url| url.len() <= MAX_CLICK);
    fitted.extend(click.map(|url| ("click".to_owned(), url.into())));
    match payload.get("tags") {
        None => {}
        Some(Value::Array(tags)) if tags.iter().all(Value::is_string) => {
            fitted.insert("tags".into(), tags.clone().into());
        }
        Some(_) => return Err("has `tags` that are not a list of strings".into()),
    }
    match payload.get("priority").map(Value::as_u64) {
        None => {}
        Some(Some(level @ 1..=5)) => drop(fitted.insert("priority".into(), level.into())),
        Some(_) => return Err("has a `priority` that is not a number from 1 to 5".into()),
    }
    Ok(complete(fitted, &said, message, view))
}

/// What a template gives as people read it: our own words as they are, with names of settings to copy, and so are the
/// addresses that are shown on purpose.
fn shown(text: &str, message: &Message, view: &View) -> String {
    if matches!(message.content, Content::Operator(_) | Content::Test { .. }) {
        return text.replace(ZERO_WIDTH, "");
    }
    let reviews = message.content.reviews().into_iter();
    let emails = reviews.filter_map(|(subject, _)| subject.review.email.as_deref());
    let emails = emails.filter(|email| view.show_email && is_plain_address(email));
    emails.fold(text.to_owned(), |text, email| text.replace(&unlinked(email), email))
}

/// With the destination's own settings, and as much of the message as there is room for.
fn complete(mut fields: Map<String, Value>, said: &str, message: &Message, view: &View) -> Value {
    let own = view.own.get::<Settings>();
    let topic = own.map_or("topic", |own| own.topic.expose());
    fields.insert("topic".into(), topic.into());
    let priority = own.map(|own| own.priority).unwrap_or_default().of(message);
    fields.entry("priority").or_insert_with(|| priority.into());
    let tags = own.map(|own| own.tags.as_slice()).unwrap_or_default();
    if !tags.is_empty() {
        fields.entry("tags").or_insert_with(|| json!(tags));
    }
    let mut whole = Value::Null;
    for limit in SHORTER {
        fields.insert("message".into(), cut(said, *limit).into());
        whole = Value::Object(fields.clone());
        if whole.to_string().len() <= MAX_BYTES {
            break;
        }
    }
    whole
}

/// At most `limit` bytes of a text, saying how much is missing.
fn cut(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let note = |missing| Cut { shown: String::new(), missing }.more().unwrap_or_default();
    let room = limit.saturating_sub(note(text.len()).len());
    let ends = text.grapheme_indices(true).map(|(start, grapheme)| start + grapheme.len());
    let end = ends.take_while(|end| *end <= room).last().unwrap_or(0);
    let visible = |rest: &str| rest.replace(ZERO_WIDTH, "").trim().graphemes(true).count();
    text[..end].trim_end().to_owned() + &note(visible(&text[end..]))
}

/// The plain form: lines of text. Never fails, whatever the message says.
fn plain(message: &Message, view: &View) -> Value {
    let Lines { lines, link } = Lines::of(message, view);
    let lines: Vec<String> = lines.iter().map(|line| shown(&unlinked(line), message, view)).collect();
    let mut fields = Map::new();
    let click = link.map(|(_, url)| url).filter(|url| url.len() <= MAX_CLICK);
    fields.extend(click.map(|url| ("click".to_owned(), url.into())));
    complete(fields, &lines.join("\n"), message, view)
}
