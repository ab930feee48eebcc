//! One item of the unread list: a review, or something without a usable uuid that is kept by its hash.

use super::address::is_usable_uuid;
use super::normalise::{self, MAX_NAME, MAX_TITLE};
use super::value::{as_list, as_text, as_time, strip_email, tolerant};
use super::{Item, Malformed};
use crate::domain::text::one_line;
use crate::domain::{NativeRating, Review, ledger};
use serde_json::Value;
use sha2::{Digest, Sha256};

/// The maximum of bytes kept of a malformed item's payload.
const MAX_PAYLOAD: usize = 16 * 1024;
/// More websites than any shop has.
const MAX_WEBSITES: usize = 1000;

/// Reads one item of an unread list, JSON, as a review of `account`; keeps the customer's e-mail address only
/// with `keep_email`. Never fails: what has no usable uuid is malformed.
pub fn read(raw: &str, account: &str, keep_email: bool) -> Item {
    let value = tolerant(raw);
    match uuid(&value) {
        Ok(uuid) => Item::Review(Box::new(review(&value, uuid, account, keep_email))),
        Err(reason) => Item::Malformed(malformed(value, reason.to_string())),
    }
}

/// Why an item has no usable uuid.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum NoUuid {
    #[error("the item is not an object")]
    NoObject,
    #[error("`uuid` is missing")]
    Missing,
    #[error("`uuid` is not text")]
    NoText,
    #[error("`uuid` is empty")]
    Empty,
    #[error("`uuid` is too long or contains invalid characters: `{0}`")]
    Unusable(String),
}

fn uuid(value: &Value) -> Result<String, NoUuid> {
    let Value::Object(members) = value else { return Err(NoUuid::NoObject) };
    let uuid = match members.get("uuid") {
        None | Some(Value::Null) => return Err(NoUuid::Missing),
        Some(Value::String(uuid)) => uuid.clone(),
        Some(Value::Number(number)) if !number.is_f64() => number.to_string(),
        Some(_) => return Err(NoUuid::NoText),
    };
    match uuid.trim() {
        _ if is_usable_uuid(&uuid) => Ok(uuid),
        "" => Err(NoUuid::Empty),
        _ => Err(NoUuid::Unusable(one_line(&uuid, 60))),
    }
}

fn review(value: &Value, uuid: String, account: &str, keep_email: bool) -> Review {
    let text = |key: &str| as_text(value.get(key));
    let email = text("email").map(|email| email.trim().to_owned()).filter(|email| normalise::is_email(email));
    let author = text("name").and_then(|name| normalise::line(&name, MAX_NAME));
    Review {
        account: account.to_owned(),
        uuid,
        rating: rating(value.get("rating")),
        title: text("title").and_then(|title| normalise::line(&title, MAX_TITLE)),
        text: text("body").and_then(|body| normalise::text(&body)),
        // Some platforms put the address where the name belongs; it is as little ours to keep there.
        author: author.filter(|author| keep_email || !normalise::is_email(author)),
        email: email.filter(|_| keep_email),
        language: text("local_code").and_then(|code| normalise::line(&code, 35)),
        // What is further ahead than a day is unknown, too: intake knows what time it is.
        reviewed_at: as_time(value.get("review_at")).filter(|at| *at >= ledger::EARLIEST_DATE),
        source_uuid: reference(value.get("source_uuid")),
        platform_uuid: reference(value.get("platform_uuid")),
        website_uuids: website_uuids(value),
        url: text("url").and_then(|url| normalise::link(&url)),
    }
}

/// A rating in any type that one was seen in; a boolean is a recommendation.
fn rating(value: Option<&Value>) -> NativeRating {
    match value {
        None | Some(Value::Null) => NativeRating::Missing,
        Some(Value::Bool(flag)) => NativeRating::Word(if *flag { "yes" } else { "no" }.into()),
        Some(Value::Number(number)) => match number.as_f64().filter(|number| number.is_finite()) {
            Some(number) => NativeRating::Number(number),
            None => NativeRating::Word(number.to_string()),
        },
        Some(Value::String(text)) => NativeRating::from_text(&one_line(text, 64)),
        Some(other) => NativeRating::Word(one_line(&other.to_string(), 64)),
    }
}

/// A uuid that refers to something else: kept as it is, as long as it is safe to show.
pub(super) fn reference(value: Option<&Value>) -> Option<String> {
    // Trimmed again: a control character may have kept the space behind it.
    let text = one_line(as_text(value)?.trim(), 200).trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// The websites that `value` names under `website_uuids` or `website_uuid`: a list (PHP may write it as an object with
/// numbered keys), a JSON text that holds one, uuids with commas between them, or null.
pub(super) fn website_uuids(value: &Value) -> Vec<String> {
    let mut uuids = Vec::new();
    for key in ["website_uuids", "website_uuid"] {
        collect(value.get(key), &mut uuids);
    }
    uuids
}

fn collect(value: Option<&Value>, uuids: &mut Vec<String>) {
    let listed = |value: &Value| -> Vec<String> {
        let items = as_list(value).unwrap_or_default();
        items.into_iter().filter_map(|item| reference(Some(item))).collect()
    };
    let texts: Vec<String> = match value {
        Some(list @ (Value::Array(_) | Value::Object(_))) => listed(list),
        Some(Value::String(text)) if text.trim_start().starts_with(['[', '{']) => listed(&tolerant(text)),
        Some(Value::String(text)) => {
            text.split(',').filter_map(|part| reference(Some(&Value::String(part.into())))).collect()
        }
        other => reference(other).into_iter().collect(),
    };
    for uuid in texts {
        if uuids.len() < MAX_WEBSITES && !uuids.contains(&uuid) {
            uuids.push(uuid);
        }
    }
}

fn malformed(mut value: Value, reason: String) -> Malformed {
    strip_email(&mut value);
    let mut payload = value.to_string();
    let hash = Sha256::digest(payload.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
    if payload.len() > MAX_PAYLOAD {
        payload.truncate(payload.floor_char_boundary(MAX_PAYLOAD));
    }
    Malformed { hash, reason, payload }
}

#[cfg(test)]
#[path = "item_tests.rs"]
mod tests;
