//! The template helpers: one row of [`TABLE`] each. What a helper answers is escaped like any value.

use crate::clock;
use crate::presentation::words;
use handlebars::{
    Context, Handlebars, Helper, HelperDef, RenderContext, RenderError, RenderErrorReason, ScopedJson,
};
use serde_json::Value;

/// A template helper.
#[derive(Debug)]
pub struct HelperRow {
    /// Its name in templates.
    pub name: &'static str,
    /// How to write it.
    pub usage: &'static str,
    /// What it does.
    pub summary: &'static str,
    run: fn(&[&Value]) -> Result<Value, String>,
}

/// Every helper beside those of Handlebars listed in [`BLOCKS`] and [`VALUES`].
pub static TABLE: &[HelperRow] = &[
    HelperRow {
        name: "stars",
        usage: "{{stars review.rating}}",
        summary: "★★★★☆; empty if the rating is unknown",
        run: stars,
    },
    HelperRow {
        name: "truncate",
        usage: "{{truncate review.text 80}}",
        summary: "one line of at most this many characters, ending in … if it was cut",
        run: truncate,
    },
    HelperRow {
        name: "date",
        usage: "{{date review.reviewed_at \"%d %b %Y\" \"Europe/Amsterdam\"}}",
        summary: "a date in a strftime format and a time zone; `date unknown` for null",
        run: date,
    },
    HelperRow { name: "number", usage: "{{number 1340}}", summary: "1,340", run: number },
    HelperRow {
        name: "plural",
        usage: "{{plural count \"star\" \"stars\"}}",
        summary: "the first word for exactly 1, else the second",
        run: plural,
    },
];

/// Handlebars' own blocks that templates may use.
pub const BLOCKS: &[&str] =
    &["if", "unless", "each", "with", "eq", "ne", "gt", "gte", "lt", "lte", "and", "or", "not"];
/// Handlebars' own helpers that give a value.
pub const VALUES: &[&str] = &["eq", "ne", "gt", "gte", "lt", "lte", "and", "or", "not", "len", "lookup"];

/// Whether `name` is a helper that gives a value.
pub fn is_value(name: &str) -> bool {
    VALUES.contains(&name) || TABLE.iter().any(|row| row.name == name)
}

/// A registry with these helpers, strict, with `escape` for every value.
pub fn registry(escape: fn(&str) -> String) -> Handlebars<'static> {
    let mut registry = Handlebars::new();
    registry.set_strict_mode(true);
    registry.register_escape_fn(escape);
    // It would put review text into the log.
    registry.unregister_helper("log");
    for row in TABLE {
        registry.register_helper(row.name, Box::new(Pure(row)));
    }
    registry
}

struct Pure(&'static HelperRow);

impl HelperDef for Pure {
    fn call_inner<'reg: 'rc, 'rc>(
        &self,
        helper: &Helper<'rc>,
        _: &'reg Handlebars<'reg>,
        _: &'rc Context,
        _: &mut RenderContext<'reg, 'rc>,
    ) -> Result<ScopedJson<'rc>, RenderError> {
        if let Some(missing) = helper.params().iter().find(|param| param.is_value_missing()) {
            return Err(RenderError::strict_error(missing.relative_path()));
        }
        let params: Vec<&Value> = helper.params().iter().map(|param| param.value()).collect();
        (self.0.run)(&params).map(ScopedJson::Derived).map_err(|what| {
            RenderErrorReason::Other(format!("`{}` {what}; write {}", self.0.name, self.0.usage)).into()
        })
    }
}

fn stars(params: &[&Value]) -> Result<Value, String> {
    match params {
        [Value::Null] => Ok("".into()),
        [rating] => {
            rating.as_f64().map(|rating| words::stars(rating).into()).ok_or("takes a number or null".into())
        }
        _ => Err("takes one value".into()),
    }
}

fn truncate(params: &[&Value]) -> Result<Value, String> {
    let [text, limit] = params else { return Err("takes a text and a length".into()) };
    let limit = limit.as_u64().and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    let limit = limit.ok_or("takes a length of at least 1")?;
    match text {
        Value::Null => Ok("".into()),
        Value::String(text) => Ok(words::cut_line(text, limit.min(100_000)).into()),
        _ => Err("takes a text or null".into()),
    }
}

fn date(params: &[&Value]) -> Result<Value, String> {
    let text = |index: usize, fallback: &'static str| match params.get(index) {
        None => Ok(fallback.to_owned()),
        Some(Value::String(text)) => Ok(text.clone()),
        Some(_) => Err("takes texts".to_owned()),
    };
    let time = match params {
        [Value::Null, ..] => return Ok("date unknown".into()),
        [Value::String(time)] | [Value::String(time), _] | [Value::String(time), _, _] => time,
        _ => return Err("takes a date, a format and a time zone".into()),
    };
    let zone = jiff::tz::TimeZone::get(&text(2, "UTC")?).map_err(|_| "got an unknown time zone")?;
    let time =
        clock::parse(time).and_then(|time| clock::in_zone(time, &zone)).ok_or("got an invalid date")?;
    let shown = jiff::fmt::strtime::format(text(1, "%-d %b %Y %H:%M %Z")?, &time);
    shown.map(Value::String).map_err(|_| "got an invalid format".into())
}

fn number(params: &[&Value]) -> Result<Value, String> {
    match params {
        [Value::Null] => Ok("".into()),
        [Value::Number(number)] => match number.as_u64() {
            Some(whole) => Ok(words::thousands(whole).into()),
            None => Ok(number.to_string().into()),
        },
        _ => Err("takes one number or null".into()),
    }
}

fn plural(params: &[&Value]) -> Result<Value, String> {
    let [Value::Number(count), one, many] = params else { return Err("takes a number and two words".into()) };
    Ok(if count.as_f64() == Some(1.0) { (*one).clone() } else { (*many).clone() })
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use serde_json::json;

    fn render(template: &str) -> Result<String, RenderError> {
        let data = json!({"rating": 4.4, "none": null, "text": "some <b> words here", "at": "2026-03-14T17:02:00Z", "n": 1340});
        registry(|text| text.replace('<', "&lt;")).render_template(template, &data)
    }

    #[test]
    fn every_helper_does_what_its_row_says() {
        for (template, expected) in [
            ("{{stars rating}}", "★★★★☆"),
            ("{{stars none}}", ""),
            ("{{truncate text 9}}", "some &lt;b>…"),
            ("{{truncate none 9}}", ""),
            ("{{date at \"%d %b %Y %H:%M\" \"Europe/Amsterdam\"}}", "14 Mar 2026 18:02"),
            ("{{date at}}", "14 Mar 2026 17:02 UTC"),
            ("{{date none}}", "date unknown"),
            ("{{number n}}", "1,340"),
            ("{{plural 1 \"star\" \"stars\"}}{{plural n \" star\" \" stars\"}}", "star stars"),
        ] {
            assert_eq!(render(template).unwrap(), expected, "{template}");
        }
        assert!(TABLE.iter().all(|row| row.usage.contains(row.name) && !row.summary.is_empty()));
    }

    #[test]
    fn misuse_is_an_error_that_says_how_to_write_it() {
        for template in [
            "{{stars text}}",
            "{{truncate text}}",
            "{{truncate text 0}}",
            "{{truncate text \"x\"}}",
            "{{truncate missing 9}}",
            "{{date at \"%\"}}",
            "{{date at \"%d\" \"Mars/Base\"}}",
            "{{date text}}",
            "{{number text}}",
            "{{plural text \"a\" \"b\"}}",
        ] {
            assert!(render(template).is_err(), "{template}");
        }
        assert!(render("{{stars text}}").unwrap_err().to_string().contains("{{stars review.rating}}"));
        assert!(render("{{log text}}").is_err(), "nothing of a review is logged");
    }
}
