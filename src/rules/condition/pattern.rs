//! `matches_regex`: a regular expression over title or text as they are, without case. The `regex` crate has no
//! backtracking: however hostile the text, a match takes time linear in it.

use super::{Condition, NO_TEXT, Truth, shown};
use crate::domain::text::one_line;
use crate::rules::facts::Facts;
use crate::settings::Table;
use regex::{Regex, RegexBuilder};

/// Of a compiled expression, and of the states kept while it is matched.
const SIZE_LIMIT_BYTES: usize = 1 << 20;

/// Reads `matches_regex`.
pub(super) fn read(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    const HINT: &str = "use the syntax of https://docs.rs/regex, in single quotes: '\\border \\d+\\b'";
    let text = table.text(key)?;
    if text.is_empty() {
        table.problem(key, "is empty, so it would match every text", HINT);
        return None;
    }
    let mut builder = RegexBuilder::new(&text);
    builder.case_insensitive(true).size_limit(SIZE_LIMIT_BYTES).dfa_size_limit(SIZE_LIMIT_BYTES);
    match builder.build() {
        Ok(regex) => Some(Box::new(Pattern(regex))),
        Err(error) => {
            table.problem(key, fault(&error), HINT);
            None
        }
    }
}

/// The crate draws the expression and points into it; only its last line says what is wrong.
fn fault(error: &regex::Error) -> String {
    if let regex::Error::CompiledTooBig(_) = error {
        return format!("is too large: more than {} KiB compiled", SIZE_LIMIT_BYTES / 1024);
    }
    let text = error.to_string();
    let last = text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or_default().trim();
    format!("is not a valid regular expression: {}", one_line(last.trim_start_matches("error: "), 200))
}

#[derive(Debug)]
struct Pattern(Regex);

impl Condition for Pattern {
    fn truth(&self, facts: &Facts<'_>) -> Truth {
        facts.texts().any(|text| self.0.is_match(text)).into()
    }

    fn because(&self, facts: &Facts<'_>, truth: Truth) -> String {
        if facts.texts().next().is_none() {
            return NO_TEXT.into();
        }
        let pattern = shown(self.0.as_str());
        match truth {
            Truth::Yes => {
                let found = facts.texts().find_map(|text| self.0.find(text));
                let found = found.map_or("", |found| found.as_str());
                format!("text contains {}, which matches {pattern}", shown(found))
            }
            _ => format!("text does not match {pattern}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Draft;
    use crate::rules::condition::Truth::{No, Yes};
    use crate::rules::testing::{check, problems};

    #[test]
    fn case_does_not_matter() {
        let draft = Draft { text: Some("Mijn ORDER 1234 is ÉÉN ramp".into()), ..Draft::default() };
        let because = "text contains `ORDER 1234`, which matches `order \\d+`";
        assert_eq!(check(r"matches_regex = 'order \d+'", &draft), (Yes, because.into()));
        assert_eq!(check("matches_regex = '\\béén\\b'", &draft).0, Yes);
        let because = "text does not match `^order`";
        assert_eq!(check("matches_regex = '^order'", &draft), (No, because.into()));
        assert_eq!(check("matches_regex = '.*'", &Draft::default()), (No, "the review has no text".into()));
    }

    #[test]
    fn a_bad_expression_says_what_is_wrong() {
        for (wrong, what) in [
            ("(", "is not a valid regular expression: unclosed group"),
            ("", "is empty, so it would match every text"),
            (r"(?=a)", "look-around, including look-ahead and look-behind, is not supported"),
            (r"\w{1000}{1000}", "is too large: more than 1024 KiB compiled"),
        ] {
            let problems = problems(&format!("{{ matches_regex = '{wrong}' }}"));
            assert_eq!(problems.len(), 1, "{problems:?}");
            assert!(problems[0].what.contains(what), "{}", problems[0].what);
        }
    }
}
