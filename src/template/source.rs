//! A template file as JSON with the place of every value, so that a mistake is told with line and column.

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use std::fmt;

/// How deep a template may nest.
pub const MAX_DEPTH: usize = 50;

/// A mistake at a byte of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The byte's offset.
    pub at: usize,
    /// What is wrong.
    pub what: String,
}

/// A value and where it begins.
#[derive(Clone, Debug, PartialEq)]
pub struct Placed {
    /// The byte's offset in the file.
    pub at: usize,
    /// The value.
    pub value: Source,
}

/// A JSON value, its fields in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A string.
    Text(String),
    /// An object.
    Object(Vec<(String, Placed)>),
    /// An array.
    Array(Vec<Placed>),
    /// Anything else.
    Other(serde_json::Value),
}

/// Reads a whole file.
pub fn parse(file: &str) -> Result<Placed, Mistake> {
    let raw: &RawValue = serde_json::from_str(file).map_err(|error| Mistake {
        at: offset_of(file, error.line(), error.column()),
        what: format!("is not JSON: {}", without_place(&error.to_string())),
    })?;
    place(raw, file, 0)
}

/// The line and column, both from 1 and columns in characters, of the byte at `at`.
pub fn line_and_column(file: &str, at: usize) -> (usize, usize) {
    let before = file.get(..at).unwrap_or(file);
    let line_start = before.rfind('\n').map_or(0, |end| end + 1);
    (before.matches('\n').count() + 1, before[line_start..].chars().count() + 1)
}

/// The byte of `file` where the character `line`:`column` (from 1) of the string that starts at `at` was
/// written, undoing JSON's escapes.
pub fn offset_in_text(file: &str, at: usize, text: &str, line: usize, column: usize) -> usize {
    let wanted = offset_of(text, line, column);
    let characters = text.get(..wanted).unwrap_or(text).encode_utf16().count();
    let written = file.get(at + 1..).unwrap_or_default();
    let (mut units, mut offset) = (0, 0);
    while units < characters {
        let rest = &written[offset..];
        let (length, width) = match rest.as_bytes() {
            // A surrogate pair is two `\uXXXX` and two units of UTF-16.
            [b'\\', b'u', ..] => (6, 1),
            [b'\\', ..] => (2, 1),
            _ => match rest.chars().next() {
                Some(c) => (c.len_utf8(), c.len_utf16()),
                None => break,
            },
        };
        offset = (offset + length).min(written.len());
        units += width;
    }
    at + 1 + offset
}

/// The byte of the character `line`:`column`, both from 1.
fn offset_of(text: &str, line: usize, column: usize) -> usize {
    let line_start: usize = text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
    let rest = &text[line_start..];
    line_start + rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at)
}

fn place(raw: &RawValue, file: &str, depth: usize) -> Result<Placed, Mistake> {
    let text = raw.get();
    // A borrowed raw value is a part of the file: their addresses differ by its offset.
    let at = (text.as_ptr() as usize).saturating_sub(file.as_ptr() as usize);
    let wrong = |error: serde_json::Error| Mistake { at, what: without_place(&error.to_string()) };
    if depth > MAX_DEPTH {
        return Err(Mistake { at, what: format!("is nested deeper than {MAX_DEPTH}") });
    }
    let value = match text.as_bytes().first() {
        Some(b'{') => {
            let Fields(fields) = serde_json::from_str(text).map_err(wrong)?;
            let mut placed: Vec<(String, Placed)> = Vec::with_capacity(fields.len());
            for (key, value) in fields {
                if placed.iter().any(|(known, _)| *known == key) {
                    return Err(Mistake { at, what: format!("has the key `{key}` twice") });
                }
                placed.push((key, place(value, file, depth + 1)?));
            }
            Source::Object(placed)
        }
        Some(b'[') => {
            let items: Vec<&RawValue> = serde_json::from_str(text).map_err(wrong)?;
            let items: Result<_, _> = items.into_iter().map(|item| place(item, file, depth + 1)).collect();
            Source::Array(items?)
        }
        Some(b'"') => Source::Text(serde_json::from_str(text).map_err(wrong)?),
        _ => Source::Other(serde_json::from_str(text).map_err(wrong)?),
    };
    Ok(Placed { at, value })
}

fn without_place(error: &str) -> String {
    error.split(" at line ").next().unwrap_or(error).to_owned()
}

/// An object's fields in order, twins included.
struct Fields<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Fields<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut fields = Vec::new();
                while let Some(field) = map.next_entry()? {
                    fields.push(field);
                }
                Ok(Fields(fields))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn values_know_their_place() {
        let file = "{\n  \"a\": \"x\\n\\u00e9é\\ud83d\\ude00{{b}}\"\n}";
        let Source::Object(fields) = parse(file).unwrap().value else { panic!("not an object") };
        let (at, Source::Text(text)) = (fields[0].1.at, &fields[0].1.value) else { panic!("not a text") };
        assert_eq!(line_and_column(file, at), (2, 8));
        assert_eq!(text, "x\néé😀{{b}}");
        let inside = offset_in_text(file, at, text, 2, 4);
        assert_eq!(&file[inside..inside + 5], "{{b}}");
    }

    #[test]
    fn mistakes_are_told_with_their_place() {
        let place = |file: &str| {
            let mistake = parse(file).unwrap_err();
            (line_and_column(file, mistake.at), mistake.what)
        };
        assert_eq!(place("{\n  \"a\": 1,\n}").0.0, 3);
        assert!(place("{\"a\": 1, \"a\": 2}").1.contains("`a` twice"));
        assert!(place(&"[".repeat(60_000)).1.contains("not JSON"));
        let deep = format!("{}1{}", "[".repeat(60), "]".repeat(60));
        assert!(place(&deep).1.contains("deeper than 50"));
        assert!(place("").1.contains("not JSON"));
        assert!(parse("{\"a\": \"\\ud800\"}").is_err());
    }
}
