//! Conditions: what a rule can require of a review. One file per family, one row per condition in [`TABLE`];
//! reading, help texts and documentation iterate the table.

mod age;
mod author;
mod changes;
mod language;
mod length;
mod named;
mod pattern;
mod rating;
mod words;

use super::extent::Extent;
use super::facts::Facts;
use crate::domain::text::one_line;
use crate::settings::Table;
use serde::Serialize;
use std::fmt::Debug;

pub(super) use changes::implied as implied_changes;

/// Whether a condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Truth {
    /// It holds.
    Yes,
    /// It does not.
    No,
    /// A name that it needs is not known: it satisfies neither `when` nor `unless`.
    Unknown,
}

impl Truth {
    /// Its name in explanations.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Yes => "yes",
            Self::No => "no",
            Self::Unknown => "unknown",
        }
    }
}

impl From<bool> for Truth {
    fn from(holds: bool) -> Self {
        if holds { Self::Yes } else { Self::No }
    }
}

/// What a condition found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it holds.
    pub truth: Truth,
    /// Why, for people: `rating 1 is at most 2`. One line, no control characters.
    pub because: String,
}

/// Something a rule requires of a review. Decides without allocating; texts are created only to be shown.
pub trait Condition: Send + Sync + Debug {
    /// Whether it holds.
    fn truth(&self, facts: &Facts<'_>) -> Truth;

    /// Why `truth` is what it is, for people.
    fn because(&self, facts: &Facts<'_>, truth: Truth) -> String;

    /// Whether it holds, and why.
    fn check(&self, facts: &Facts<'_>) -> Finding {
        let truth = self.truth(facts);
        Finding { truth, because: self.because(facts, truth) }
    }

    /// How much it lets through.
    fn extent(&self) -> Extent;

    /// What is probably a mistake in it, though it can be read.
    fn warning(&self) -> Option<String> {
        None
    }

    /// The names or uuids that it lists, if it lists any.
    fn names(&self) -> &[String] {
        &[]
    }
}

/// One condition that a rule can have.
#[derive(Clone, Copy, Debug)]
pub struct ConditionKind {
    /// Its key in `when` and `unless`.
    pub key: &'static str,
    /// What it requires, in one line.
    pub summary: &'static str,
    /// One as it is written.
    pub example: &'static str,
    /// Reads it from that key; `None` where it is absent, or wrong (then a problem is recorded).
    pub read: fn(&Table<'_>, &'static str) -> Option<Box<dyn Condition>>,
}

/// Every condition, cheap ones first: the order in which they are checked and shown.
pub const TABLE: &[ConditionKind] = &[
    ConditionKind {
        key: "min_rating",
        summary: "the rating, normalised to 5 points, is at least this; an unknown rating never matches",
        example: "min_rating = 4",
        read: rating::min,
    },
    ConditionKind {
        key: "max_rating",
        summary: "the rating, normalised to 5 points, is at most this; an unknown rating never matches",
        example: "max_rating = 2",
        read: rating::max,
    },
    ConditionKind {
        key: "has_rating",
        summary: "whether the rating is known",
        example: "has_rating = false",
        read: rating::has,
    },
    ConditionKind {
        key: "accounts",
        summary: "the review belongs to one of these accounts",
        example: r#"accounts = ["main"]"#,
        read: named::accounts,
    },
    ConditionKind {
        key: "websites",
        summary: "one of these websites (names or uuids, however they are spelt) shows the review's source",
        example: r#"websites = ["Shop NL", "Shop BE"]"#,
        read: named::websites,
    },
    ConditionKind {
        key: "sources",
        summary: "the review is from one of these sources (names or uuids, however they are spelt)",
        example: r#"sources = ["Google Amsterdam"]"#,
        read: named::sources,
    },
    ConditionKind {
        key: "platforms",
        summary: "the review is on one of these platforms (names or uuids, however they are spelt)",
        example: r#"platforms = ["Google", "Kiyoh"]"#,
        read: named::platforms,
    },
    ConditionKind {
        key: "languages",
        summary: "the review's language: `nl` is any Dutch, `nl_BE` only Belgian Dutch; any code of BCP 47",
        example: r#"languages = ["nl", "de_AT"]"#,
        read: language::read,
    },
    ConditionKind {
        key: "authors",
        summary: "the author has one of these names, case- and accent-insensitive",
        example: r#"authors = ["Jan de Vries"]"#,
        read: author::read,
    },
    ConditionKind {
        key: "changes",
        summary: "the kind of change: `new`, `rating`, `text_added` (these three by default), `text`",
        example: r#"changes = ["new", "text"]"#,
        read: changes::read,
    },
    ConditionKind {
        key: "min_age",
        summary: "the review was written at least this long ago; an unknown date never matches",
        example: r#"min_age = "1h""#,
        read: age::min,
    },
    ConditionKind {
        key: "max_age",
        summary: "the review was written at most this long ago; an unknown date never matches",
        example: r#"max_age = "30d""#,
        read: age::max,
    },
    ConditionKind {
        key: "has_text",
        summary: "whether the customer wrote anything",
        example: "has_text = true",
        read: length::has,
    },
    ConditionKind {
        key: "min_length",
        summary: "the customer wrote at least this many characters",
        example: "min_length = 200",
        read: length::min,
    },
    ConditionKind {
        key: "max_length",
        summary: "the customer wrote at most this many characters; no text counts as 0",
        example: "max_length = 20",
        read: length::max,
    },
    ConditionKind {
        key: "contains_any",
        summary: "the text contains at least one of these words or phrases, case- and accent-insensitive; \
                  whole words, or `kapot*` for a prefix",
        example: r#"contains_any = ["kapot*", "broken", "nooit meer"]"#,
        read: words::any,
    },
    ConditionKind {
        key: "contains_all",
        summary: "the text contains all of these words or phrases, case- and accent-insensitive; \
                  whole words, or `kapot*` for a prefix",
        example: r#"contains_all = ["refund", "weeks"]"#,
        read: words::all,
    },
    ConditionKind {
        key: "matches_regex",
        summary: "the text, or its plain form, matches this regular expression, case-insensitive",
        example: r"matches_regex = '\border\s+\d+\b'",
        read: pattern::read,
    },
];

/// Why a condition on text does not hold for a review without text.
const NO_TEXT: &str = "the review has no text";

/// A list of texts: at least one, none of them blank.
fn list(table: &Table<'_>, key: &'static str, hint: &str) -> Option<Vec<String>> {
    let texts = table.texts(key)?;
    let fault = if texts.is_empty() {
        "is an empty list, so it would never match"
    } else if texts.iter().any(|text| text.trim().is_empty()) {
        "contains an empty text"
    } else if texts.iter().any(|text| text.chars().any(is_hidden_control)) {
        table.problem(key, "contains a control character, so it would never match", QUOTES);
        return None;
    } else {
        return Some(texts);
    };
    table.problem(key, fault, hint);
    None
}

/// What to do about a control character that TOML made of a backslash.
const QUOTES: &str =
    "in double quotes TOML reads \\b as a control character: write it in single quotes, such as '\\b'";

/// Whether `c` is a control character that no text of a review has.
fn is_hidden_control(c: char) -> bool {
    c.is_control() && !matches!(c, '\n' | '\r' | '\t')
}

/// A name in backticks, safe to print.
fn shown(name: &str) -> String {
    format!("`{}`", one_line(name, 80))
}

/// Names in backticks: `a`, `b` or `c`.
fn any_of<T: AsRef<str>>(names: &[T]) -> String {
    joined(names, "or")
}

/// Names in backticks: `a`, `b` and `c`.
fn all_of<T: AsRef<str>>(names: &[T]) -> String {
    joined(names, "and")
}

/// Of many names only the first are shown: a list may have hundreds.
fn joined<T: AsRef<str>>(names: &[T], word: &str) -> String {
    const SHOWN: usize = 4;
    let mut parts: Vec<String> = names.iter().take(SHOWN).map(|name| shown(name.as_ref())).collect();
    if names.len() > SHOWN {
        parts.push(format!("{} more", names.len() - SHOWN));
    }
    match parts.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} {word} {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::TABLE;
    use crate::rules::testing::{problems, rules};

    #[test]
    fn every_example_is_read_and_every_key_is_one_of_its_own() {
        for (index, kind) in TABLE.iter().enumerate() {
            assert!(kind.example.starts_with(&format!("{} = ", kind.key)), "{}", kind.key);
            assert!(TABLE[..index].iter().all(|other| other.key != kind.key), "{}", kind.key);
            let rules = rules(&format!("{{ {} }}", kind.example));
            assert!(rules[0].when.keys().any(|key| key == kind.key), "{}", kind.key);
        }
    }

    #[test]
    fn a_wrong_type_is_a_problem_of_that_key() {
        for kind in TABLE {
            for wrong in ["{ a = 1 }", "[1]", "[]", "1979-05-27"] {
                let problems = problems(&format!("{{ {} = {wrong} }}", kind.key));
                assert_eq!(problems[0].path, format!("rules[0].when.{}", kind.key), "{problems:?}");
                assert!(!problems[0].hint.is_empty(), "{}", kind.key);
            }
        }
    }
}
