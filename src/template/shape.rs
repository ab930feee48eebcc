//! The documented context as one value: what a template may name.

use crate::settings::table::nearest;
use serde_json::{Map, Value};

/// Everything that `contexts` hold, in one value: objects by key, arrays as one merged item.
pub fn shape(contexts: impl IntoIterator<Item = Value>) -> Value {
    contexts.into_iter().fold(Value::Null, merge)
}

fn merge(known: Value, more: Value) -> Value {
    match (known, more) {
        (Value::Object(mut known), Value::Object(more)) => {
            for (key, value) in more {
                let merged = merge(known.remove(&key).unwrap_or_default(), value);
                known.insert(key, merged);
            }
            Value::Object(known)
        }
        (Value::Null, Value::Object(more)) => merge(Value::Object(Map::new()), Value::Object(more)),
        (Value::Array(known), Value::Array(more)) => {
            Value::Array(vec![known.into_iter().chain(more).fold(Value::Null, merge)])
        }
        (Value::Null, Value::Array(more)) => merge(Value::Array(Vec::new()), Value::Array(more)),
        (known @ (Value::Object(_) | Value::Array(_)), _) => known,
        (Value::Null, more) => more,
        (known, _) => known,
    }
}

/// The value at `path` (`review.text`) of a shape; the error names the nearest that exists.
pub fn find<'a>(shape: &'a Value, path: &str) -> Result<&'a Value, String> {
    path.split('.').try_fold(shape, |value, name| value.get(name)).ok_or_else(|| unknown(shape, path))
}

/// That `path` does not exist, and the nearest that does.
pub fn unknown(shape: &Value, path: &str) -> String {
    let mut known = Vec::new();
    list(shape, String::new(), &mut known);
    match nearest(path, known.iter().map(String::as_str)) {
        Some(near) => format!("unknown name `{path}`; did you mean `{near}`?"),
        None => format!("unknown name `{path}`"),
    }
}

fn list(shape: &Value, prefix: String, known: &mut Vec<String>) {
    for (key, value) in shape.as_object().into_iter().flatten() {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        list(value, path.clone(), known);
        known.push(path);
    }
}

/// What is known of the items of a list.
pub fn item_of(value: &Value) -> Option<&Value> {
    match value {
        Value::Array(items) => items.first().filter(|item| !item.is_null()),
        _ => None,
    }
}
