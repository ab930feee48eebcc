//! What the payloads of chats share that are made of Markdown in several parts: reading their objects, their limits,
//! and the plain form. What a field is called and may hold is each kind's own.

use super::markdown::{cut, length, unmentioned};
use crate::domain::Message;
use crate::domain::text::{is_visible, one_line};
use crate::presentation::context;
use crate::presentation::words::{cut_line, thousands};
use crate::presentation::{Lines, View};
use serde_json::{Map, Value};

/// All that the text of a message may be made of, beside what is fixed.
pub const MENTION: &str = "{{#if mention}}{{mention.token}}{{/if}}";

/// An object with no other keys than `keys`.
pub fn object(value: Value, keys: &[&str]) -> Result<Map<String, Value>, String> {
    let Value::Object(fields) = value else { return Err("holds something that is not an object".into()) };
    match fields.keys().find(|key| !keys.contains(&key.as_str())) {
        None => Ok(fields),
        Some(key) => {
            let known = crate::settings::table::quoted(keys);
            Err(format!("has the key `{}`; use only {known}", one_line(key, 60)))
        }
    }
}

/// What `part` leaves of the items of the list `name`; empty where there is none.
pub fn list(
    fields: &mut Map<String, Value>,
    name: &str,
    part: fn(Value) -> Result<Option<Value>, String>,
) -> Result<Vec<Value>, String> {
    match fields.remove(name) {
        None => Ok(Vec::new()),
        Some(Value::Array(items)) => items.into_iter().map(part).filter_map(Result::transpose).collect(),
        Some(_) => Err(format!("has `{name}` that are not a list")),
    }
}

/// The text of the field `name`, without space around it; empty where there is none that can be seen.
pub fn text<'a>(fields: &'a Map<String, Value>, name: &str) -> &'a str {
    let text = fields.get(name).and_then(Value::as_str).unwrap_or_default().trim();
    if is_visible(text) { text } else { "" }
}

/// The token of the mention that this message pings, of the context its template was filled with.
pub fn token(context: &Value) -> Option<&str> {
    context["mention"]["token"].as_str()
}

/// The text of a message: `token` as it is, and what is written by hand without mentions.
pub fn opening(text: &str, token: Option<&str>) -> Option<String> {
    let shown = if Some(text) == token { text.to_owned() } else { unmentioned(text) };
    (!shown.is_empty()).then(|| cut(&shown, 400))
}

/// How many graphemes of each line the plain form shows: the first with which the whole is within its limit.
const LINE: &[usize] = &[700, 300, 150, 80, 40];
/// A longer address is left out.
const PLAIN_LINK: usize = 600;

/// An address as it may stand in Markdown: a name behind an `@` may be pinged even inside of one, and brackets may begin
/// another.
pub fn encoded(url: &str) -> String {
    let code = |c: char| match c {
        '@' => "%40",
        '[' => "%5B",
        ']' => "%5D",
        '(' => "%28",
        ')' => "%29",
        _ => "",
    };
    let mut safe = String::with_capacity(url.len());
    for c in url.chars() {
        match code(c) {
            "" => safe.push(c),
            code => safe.push_str(code),
        }
    }
    safe
}

/// The plain form: the mention, each line as `escape` makes it, and the link. At most `limit` units.
pub fn plain(message: &Message, view: &View, escape: fn(&str) -> String, limit: usize) -> String {
    let token = context::mention(message, view).map(|mention| mention.token.as_str());
    let Lines { lines, link } = Lines::of(message, view);
    let link = link.map(|(_, url)| format!("<{}>", encoded(&url))).filter(|url| length(url) <= PLAIN_LINK);
    let others = [token, link.as_deref()].into_iter().flatten().map(|part| length(part) + 1).sum::<usize>();
    let room = limit.saturating_sub(others);
    let said = |graphemes: &usize| {
        let lines = lines.iter().map(|line| escape(&cut_line(line, *graphemes)));
        lines.collect::<Vec<_>>().join("\n")
    };
    let shown = LINE.iter().map(said).find(|text| length(text) <= room);
    let shown = shown.unwrap_or_else(|| cut(&said(&40), room));
    token.into_iter().chain([shown.as_str()]).chain(link.as_deref()).collect::<Vec<_>>().join("\n")
}

/// What a message of several parts has room for.
#[derive(Debug)]
pub struct SizeBudget {
    /// Parts.
    pub parts: usize,
    /// Units of all texts together.
    pub units: usize,
    /// The fields that are counted, and cut.
    pub texts: &'static [&'static str],
}

/// How long each text may be, in units: the first at which the whole fits.
const SHORTER: &[usize] = &[2_000, 1_000, 500, 250, 120];

impl SizeBudget {
    /// Shortens texts, and then leaves out parts before the last, until the rest fits. Gives it and how many parts
    /// are left out.
    pub fn fit(&self, mut parts: Vec<Value>) -> Result<(Vec<Value>, usize), String> {
        let all = parts.len();
        // The last one ends the message: what is left out stands before it.
        while parts.len() > self.parts.max(1) {
            parts.remove(parts.len() - 2);
        }
        for limit in SHORTER {
            if self.holds(&parts) {
                break;
            }
            parts.iter_mut().for_each(|part| self.shorten(part, *limit));
        }
        while !self.holds(&parts) && parts.len() > 2 {
            parts.remove(parts.len() - 2);
        }
        if !self.holds(&parts) {
            return Err(format!(
                "is larger than {} characters, even with its texts cut",
                thousands(self.units as u64)
            ));
        }
        let missing = all - parts.len();
        Ok((parts, missing))
    }

    fn holds(&self, parts: &[Value]) -> bool {
        parts.iter().map(|part| self.count(part)).sum::<usize>() <= self.units
    }

    fn count(&self, value: &Value) -> usize {
        match value {
            Value::Array(items) => items.iter().map(|item| self.count(item)).sum(),
            Value::Object(fields) => fields
                .iter()
                .map(|(key, value)| match value {
                    Value::String(text) if self.texts.contains(&key.as_str()) => length(text),
                    value => self.count(value),
                })
                .sum(),
            _ => 0,
        }
    }

    fn shorten(&self, value: &mut Value, limit: usize) {
        match value {
            Value::Array(items) => items.iter_mut().for_each(|item| self.shorten(item, limit)),
            Value::Object(fields) => {
                for (key, value) in fields {
                    match value {
                        Value::String(text) if self.texts.contains(&key.as_str()) => {
                            *text = cut(text, limit);
                        }
                        value => self.shorten(value, limit),
                    }
                }
            }
            _ => {}
        }
    }
}
