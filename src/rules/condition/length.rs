//! `has_text`, `min_length`, `max_length`: how much the customer wrote, title and text together.

use super::{Condition, NO_TEXT, Truth};
use crate::rules::extent::Extent;
use crate::rules::facts::Facts;
use crate::settings::Table;

/// Longer than any review: a larger number is a mistake.
const LONGEST: u64 = 1_000_000;

#[derive(Debug)]
enum Check {
    AtLeast(u64),
    AtMost(u64),
    Any(bool),
}

/// Reads `has_text`.
pub(super) fn has(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let wanted = table.boolean(key)?;
    Some(Box::new(Check::Any(wanted)))
}

/// Reads `min_length`.
pub(super) fn min(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let count = table.integer(key, 1..=LONGEST)?;
    Some(Box::new(Check::AtLeast(count)))
}

/// Reads `max_length`.
pub(super) fn max(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let count = table.integer(key, 0..=LONGEST)?;
    Some(Box::new(Check::AtMost(count)))
}

impl Condition for Check {
    fn truth(&self, facts: &Facts<'_>) -> Truth {
        Truth::from(match self {
            Self::AtLeast(count) => facts.length() >= *count,
            Self::AtMost(count) => facts.length() <= *count,
            Self::Any(wanted) => facts.texts().next().is_some() == *wanted,
        })
    }

    fn extent(&self) -> Extent {
        match self {
            Self::AtLeast(count) => Extent::AtLeast(*count as f64),
            Self::AtMost(count) => Extent::AtMost(*count as f64),
            Self::Any(wanted) => Extent::Is(*wanted),
        }
    }

    fn because(&self, facts: &Facts<'_>, truth: Truth) -> String {
        let holds = truth == Truth::Yes;
        let (relation, count) = match self {
            Self::AtLeast(count) if holds => ("at least", count),
            Self::AtLeast(count) => ("fewer than", count),
            Self::AtMost(count) if holds => ("at most", count),
            Self::AtMost(count) => ("more than", count),
            Self::Any(wanted) if *wanted == holds => return "the review has text".into(),
            Self::Any(_) => return NO_TEXT.into(),
        };
        match facts.length() {
            0 => format!("{NO_TEXT}: {relation} {count} characters"),
            1 => format!("text has 1 character: {relation} {count}"),
            length => format!("text has {length} characters: {relation} {count}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Draft;
    use crate::rules::condition::Truth::{No, Yes};
    use crate::rules::testing::{check, problems};

    fn wrote(text: &str) -> Draft {
        Draft { text: Some(text.into()), ..Draft::default() }
    }

    #[test]
    fn characters_are_those_that_people_see() {
        for (text, count) in [("", 0), ("  \n", 0), ("Top!", 4), ("e\u{301}", 1), ("👍🏽👍🏽", 2), ("日本語", 3)]
        {
            let draft = wrote(text);
            assert_eq!(check(&format!("max_length = {count}"), &draft).0, Yes, "{text:?}");
            assert_eq!(check(&format!("min_length = {}", count + 1), &draft).0, No, "{text:?}");
            if count > 0 {
                assert_eq!(check(&format!("min_length = {count}"), &draft).0, Yes, "{text:?}");
                assert_eq!(check(&format!("max_length = {}", count - 1), &draft).0, No, "{text:?}");
            }
        }
        let because = "text has 4 characters: at least 3";
        assert_eq!(check("min_length = 3", &wrote("Top!")), (Yes, because.into()));
    }

    #[test]
    fn a_text_is_there_or_not() {
        assert_eq!(check("has_text = true", &wrote("x")), (Yes, "the review has text".into()));
        assert_eq!(check("has_text = false", &wrote("x")), (No, "the review has text".into()));
        for draft in [wrote(" \u{A0}"), Draft::default()] {
            assert_eq!(check("has_text = true", &draft), (No, "the review has no text".into()));
            assert_eq!(check("has_text = false", &draft), (Yes, "the review has no text".into()));
        }
    }

    #[test]
    fn lengths_out_of_range_are_problems() {
        for when in ["min_length = 0", "min_length = -1", "max_length = 2.5", "max_length = 99999999999"] {
            assert_eq!(problems(&format!("{{ {when} }}")).len(), 1, "{when}");
        }
    }
}
