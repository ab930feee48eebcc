//! What stands around the API's lists and answers: other pages, errors, messages. The lists themselves are read by
//! `scan`.

use super::value::{as_count, tolerant};
use serde_json::Value;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeMap;

/// What an envelope says about other pages.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Paging {
    /// The number of this page, from 1.
    pub(super) current: Option<u64>,
    /// The number of the last page.
    pub(super) last: Option<u64>,
    /// The address of the next page: `Some(None)` where it says that there is none.
    pub(super) next: Option<Option<String>>,
    /// How many items there are in all.
    pub(super) total: Option<u64>,
}

/// Why a body is not what the API gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// An `error` and no `data`: the API refused under 200. The error.
    Error(String),
    /// Not the API's JSON. What it is instead.
    Body(String),
}

pub(super) type Members<'a> = BTreeMap<String, &'a RawValue>;

/// The text of a body: lossy, without a byte order mark and space around it.
pub(super) fn body_text(body: &[u8]) -> Cow<'_, str> {
    let body = body.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(body).trim_ascii();
    String::from_utf8_lossy(body)
}

/// Refuses what is no JSON, and an object with an `error` and no `data`; for calls whose answer is not read
/// further. An empty body is fine there.
pub(super) fn accept(text: &str) -> Result<(), Wrong> {
    match text.as_bytes().first() {
        Some(b'<') => Err(Wrong::Body(not_json(text))),
        Some(b'{') => match object(text) {
            Ok(members) if members.get("success").is_some_and(|flag| flag.get() == "false") => {
                Err(Wrong::Error(message(text).unwrap_or_else(|| "`success` is false".into())))
            }
            Ok(_) => Ok(()),
            Err(wrong @ Wrong::Error(_)) => Err(wrong),
            // The status said that it worked, and nothing of the rest is needed.
            Err(Wrong::Body(_)) => Ok(()),
        },
        _ => Ok(()),
    }
}

/// The API's own words in a body: `error`, else `message`.
pub(super) fn message(text: &str) -> Option<String> {
    let members: Members<'_> = serde_json::from_str(text).ok()?;
    error(&members).or_else(|| words(&tolerant(members.get("message")?.get())))
}

/// What `text` is, where it is not JSON.
pub(super) fn not_json(text: &str) -> String {
    match text.as_bytes().first() {
        None => "an empty body".into(),
        Some(b'<') => "an HTML page instead of JSON".into(),
        Some(b'"') => "a JSON text instead of a list".into(),
        _ => "something that is not JSON".into(),
    }
}

fn object(text: &str) -> Result<Members<'_>, Wrong> {
    let members: Members<'_> = parse(text)?;
    let data = members.get("data").is_some_and(|data| data.get() != "null");
    match error(&members) {
        Some(error) if !data => Err(Wrong::Error(error)),
        _ => Ok(members),
    }
}

pub(super) fn error(members: &Members<'_>) -> Option<String> {
    words(&tolerant(members.get("error")?.get()))
}

/// The words of an `error`; none where it says that there is no error.
fn words(value: &Value) -> Option<String> {
    match value {
        Value::Null | Value::Bool(false) => None,
        Value::String(text) => Some(text.clone()).filter(|text| !text.trim().is_empty()),
        Value::Object(members) if members.is_empty() => None,
        Value::Object(members) => match members.get("message") {
            Some(Value::String(text)) => Some(text.clone()),
            _ => Some(value.to_string()),
        },
        Value::Array(items) if items.is_empty() => None,
        other => Some(other.to_string()),
    }
}

/// What is said about other pages. Laravel's: `meta.current_page`, `links.next`, or the same at the top.
pub(super) fn paging(members: &Members<'_>) -> Paging {
    let sub = |key: &str| -> Members<'_> {
        members.get(key).and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default()
    };
    let numbers = |members: &Members<'_>| Paging {
        current: count(members, "current_page"),
        last: count(members, "last_page"),
        next: address(members, "next_page_url"),
        total: count(members, "total"),
    };
    let links = Paging { next: address(&sub("links"), "next"), ..Paging::default() };
    numbers(&sub("meta")).or(numbers(members)).or(links)
}

impl Paging {
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            current: self.current.or(other.current),
            last: self.last.or(other.last),
            next: self.next.or(other.next),
            total: self.total.or(other.total),
        }
    }
}

fn count(members: &Members<'_>, key: &str) -> Option<u64> {
    as_count(Some(&tolerant(members.get(key)?.get())))
}

fn address(members: &Members<'_>, key: &str) -> Option<Option<String>> {
    match tolerant(members.get(key)?.get()) {
        Value::Null => Some(None),
        Value::String(text) if text.trim().is_empty() => Some(None),
        Value::String(text) => Some(Some(text)),
        _ => None,
    }
}

pub(super) fn describe_without_data(members: &Members<'_>) -> String {
    let said = members.get("message").and_then(|raw| words(&tolerant(raw.get())));
    match said {
        Some(said) => format!("JSON without `data`: {said}"),
        None => "JSON without `data`".into(),
    }
}

fn parse<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, Wrong> {
    serde_json::from_str(text).map_err(|error| {
        // The error's own text may quote what was read: only its kind is said.
        Wrong::Body(if error.is_eof() { "JSON that is cut off".into() } else { "JSON that is broken".into() })
    })
}

#[cfg(test)]
#[path = "envelope_tests.rs"]
mod tests;
