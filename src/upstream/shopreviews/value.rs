//! JSON of one item, read whatever it holds: a lone surrogate, a number beyond all bounds or a depth bomb
//! costs the part it is in, never the item, and an item never costs the page.

use crate::domain::Timestamp;
use serde_json::value::RawValue;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Deeper parts of an item that cannot be read at once become null.
const MAX_DEPTH: usize = 16;

/// Reads `raw`, which is one JSON value.
pub(super) fn tolerant(raw: &str) -> Value {
    serde_json::from_str(raw).unwrap_or_else(|_| {
        // A line end within a text is no JSON, yet some platforms' texts come through with one.
        let spaced = raw.replace(|c: char| c < ' ', " ");
        piecewise(&repair_surrogates(&spaced), 0)
    })
}

fn piecewise(raw: &str, depth: usize) -> Value {
    if let Ok(value) = serde_json::from_str(raw) {
        return value;
    }
    if depth == MAX_DEPTH {
        return Value::Null;
    }
    match raw.trim_start().as_bytes().first() {
        Some(b'{') => {
            let members: BTreeMap<String, &RawValue> = serde_json::from_str(raw).unwrap_or_default();
            let read = |(key, raw): (String, &RawValue)| (key, piecewise(raw.get(), depth + 1));
            Value::Object(members.into_iter().map(read).collect::<Map<_, _>>())
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(raw).unwrap_or_default();
            Value::Array(items.into_iter().map(|raw| piecewise(raw.get(), depth + 1)).collect())
        }
        // `1e999`: kept as it was written, so that people can see it.
        Some(b'-' | b'0'..=b'9') => Value::String(raw.trim().chars().take(64).collect()),
        _ => Value::Null,
    }
}

/// `raw` with U+FFFD for every `\uD800`..`\uDFFF` escape that is not one half of a pair.
fn repair_surrogates(raw: &str) -> String {
    let mut repaired = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = rest.find('\\') {
        repaired.push_str(&rest[..at]);
        rest = &rest[at..];
        let taken = match (surrogate(rest), rest.get(6..).and_then(surrogate)) {
            (Some(0xD800..=0xDBFF), Some(0xDC00..=0xDFFF)) => 12,
            (Some(_), _) => {
                repaired.push_str("\\uFFFD");
                rest = &rest[6..];
                continue;
            }
            // Any other escape is copied with the character after it, which may be a backslash.
            (None, _) => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        };
        repaired.push_str(&rest[..taken]);
        rest = &rest[taken..];
    }
    repaired.push_str(rest);
    repaired
}

/// The surrogate that `text` starts with as an escape.
fn surrogate(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    u16::from_str_radix(digits, 16).ok().filter(|unit| (0xD800..=0xDFFF).contains(unit))
}

/// A text: a string, or a number as it is written. Other types are none.
pub(super) fn as_text(value: Option<&Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

/// A count: a number, or a string that holds one.
pub(super) fn as_count(value: Option<&Value>) -> Option<u64> {
    match value? {
        Value::Number(number) => number
            .as_u64()
            .or_else(|| number.as_f64().filter(|n| *n >= 0.0 && n.fract() == 0.0).map(|n| n as u64)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

/// A point in time: any known form of text, seconds or milliseconds since the epoch.
pub(super) fn as_time(value: Option<&Value>) -> Option<Timestamp> {
    match value? {
        Value::String(text) if text.len() <= 64 => {
            crate::clock::parse(text).or_else(|| epoch(text.trim().parse().ok()?))
        }
        Value::Number(number) => epoch(number.as_f64()?),
        _ => None,
    }
}

/// Seconds or milliseconds since the epoch.
fn epoch(number: f64) -> Option<Timestamp> {
    let whole = number.trunc() as i64;
    // Beyond the year 5138 in seconds: it is milliseconds.
    let seconds = if whole.unsigned_abs() >= 100_000_000_000 { whole / 1000 } else { whole };
    number.is_finite().then(|| crate::clock::parse(&seconds.to_string())).flatten()
}

/// The items of a list: an array, or an object whose keys are numbers; none where it is neither. PHP writes arrays as
/// either.
pub(super) fn as_list(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Array(items) => Some(items.iter().collect()),
        Value::Object(members) => {
            let number = |key: &String| !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_digit());
            members.keys().all(number).then(|| members.values().collect())
        }
        _ => None,
    }
}

/// Removes every member whose key speaks of an e-mail address, at any depth.
pub(super) fn strip_email(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|key, _| {
                let key: String = key.chars().filter(|c| c.is_alphanumeric()).collect();
                let key = key.to_lowercase();
                !key.contains("email") && key != "mail"
            });
            members.values_mut().for_each(strip_email);
        }
        Value::Array(items) => items.iter_mut().for_each(strip_email),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_is_broken_costs_only_itself() {
        assert_eq!(tolerant(r#"{"a":1e999,"b":"x"}"#), json!({"a": "1e999", "b": "x"}));
        assert_eq!(
            tolerant(r#"{"a":"x\uD83Dy","b":["\uDE00"]}"#),
            json!({"a": "x\u{FFFD}y", "b": ["\u{FFFD}"]})
        );
        assert_eq!(tolerant(r#"{"a":"\uD83D\uDE00 \\uD83D \ud83d"}"#), json!({"a": "😀 \\uD83D \u{FFFD}"}));
        let bomb = format!("{{\"a\":\"x\",\"b\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(tolerant(&bomb)["a"], json!("x"));
        for hopeless in ["", "nul", "{", "\"\\uD8\"", "\\", "{\"\\uD800\":"] {
            let _ = tolerant(hopeless);
        }
    }

    #[test]
    fn a_line_end_within_a_text_costs_nothing() {
        assert_eq!(tolerant("{\"a\":\"x\ny\tz\u{1}\",\"b\":1}"), json!({"a": "x y z ", "b": 1}));
    }

    // F9
    #[test]
    fn php_writes_lists_as_objects() {
        let items = |value: Value| as_list(&value).map(|items| items.len());
        assert_eq!(items(json!({})), Some(0));
        assert_eq!(items(json!([1, 2])), Some(2));
        assert_eq!(items(json!({"1": "a", "3": "b"})), Some(2));
        for none in [json!({"a": 1}), json!({"1": 1, "": 2}), json!("x"), json!(null)] {
            assert_eq!(items(none.clone()), None, "{none}");
        }
    }

    #[test]
    fn addresses_are_stripped_at_any_depth() {
        let mut value = json!({"Email": 1, "a": [{"customer_e-mail": 2, "b": {"mail": 3, "mailbox": 4}}]});
        strip_email(&mut value);
        assert_eq!(value, json!({"a": [{"b": {"mailbox": 4}}]}));
    }

    #[test]
    fn times_of_every_kind() {
        let seconds = Some(Timestamp(1_656_592_496_000));
        assert_eq!(as_time(Some(&json!(1_656_592_496))), seconds);
        assert_eq!(as_time(Some(&json!(1_656_592_496_123_i64))), seconds);
        for text in ["2022-06-30 12:34:56", "1656592496", "1656592496123", "1656592496.5", " 1656592496 "] {
            assert_eq!(as_time(Some(&json!(text))), seconds, "{text}");
        }
        assert_eq!(as_time(Some(&json!(1_656_592_496.25))), seconds);
        for none in [json!(null), json!(true), json!([1]), json!("x"), json!(1e300), json!(-1e300)] {
            assert_eq!(as_time(Some(&none)), None, "{none}");
        }
    }
}
