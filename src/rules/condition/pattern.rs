//! `matches_regex`: a regular expression over title or text, case-insensitive: as they are, then in their plain form,
//! because phones type `’` where a rule says `'`. The `regex` crate has no backtracking: however hostile the text, a
//! match takes time linear in it.

use super::{Condition, NO_TEXT, QUOTES, Truth, shown};
use crate::domain::text::one_line;
use crate::rules::extent::Extent;
use crate::rules::facts::Facts;
use crate::settings::Table;
use crate::spelling::plain_form;
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
    // Spread over lines and commented, an expression may have line breaks and tabs of its own.
    let is_spread = text.trim_start().starts_with("(?x");
    if text.chars().any(|c| c.is_control() && !(is_spread && matches!(c, '\n' | '\r' | '\t'))) {
        table.problem(key, "contains a control character, so it would not match what it seems to", QUOTES);
        return None;
    }
    match build(&text) {
        Ok(regex) => Some(Box::new(Pattern { plain: plain(&text), regex })),
        Err(error) => {
            table.problem(key, fault(&error), HINT);
            None
        }
    }
}

fn build(text: &str) -> Result<Regex, regex::Error> {
    let mut builder = RegexBuilder::new(text);
    builder.case_insensitive(true).size_limit(SIZE_LIMIT_BYTES).dfa_size_limit(SIZE_LIMIT_BYTES);
    builder.build()
}

/// The expression for plain texts, where it holds characters that these have not; `None` where it can stay as it is.
fn plain(text: &str) -> Option<Regex> {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match plain_form(c.encode_utf8(&mut [0; 4])).as_str() {
            // A plain `-` would be a range within brackets.
            "-" if c != '-' => plain.push_str("\\x2D"),
            form => plain.push_str(form),
        }
    }
    if plain == text { None } else { build(&plain).ok() }
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

/// Whether it is written as other languages write expressions, between slashes: `/kapot/i`.
fn is_between_slashes(text: &str) -> bool {
    let parts = text.strip_prefix('/').and_then(|rest| rest.rsplit_once('/'));
    parts.is_some_and(|(inner, flags)| !inner.is_empty() && flags.chars().all(|c| c.is_ascii_lowercase()))
}

#[derive(Debug)]
struct Pattern {
    regex: Regex,
    /// For plain texts, where it differs.
    plain: Option<Regex>,
}

impl Pattern {
    /// What it finds: in what was written, else in the plain form of that.
    fn find<'f>(&self, facts: &'f Facts<'_>) -> Option<&'f str> {
        let plain = self.plain.as_ref().unwrap_or(&self.regex);
        let written = facts.texts().find_map(|text| self.regex.find(text));
        let found = written.or_else(|| facts.plain().iter().find_map(|text| plain.find(text)));
        found.map(|found| found.as_str())
    }
}

impl Condition for Pattern {
    fn truth(&self, facts: &Facts<'_>) -> Truth {
        let plain = self.plain.as_ref().unwrap_or(&self.regex);
        let written = facts.texts().any(|text| self.regex.is_match(text));
        (written || facts.plain().iter().any(|text| plain.is_match(text))).into()
    }

    fn extent(&self) -> Extent {
        Extent::Text(self.regex.as_str().to_owned())
    }

    fn because(&self, facts: &Facts<'_>, truth: Truth) -> String {
        if facts.texts().next().is_none() {
            return NO_TEXT.into();
        }
        let pattern = shown(self.regex.as_str());
        match truth {
            Truth::Yes => {
                let found = self.find(facts).unwrap_or_default();
                format!("text contains {}, which matches {pattern}", shown(found))
            }
            _ => format!("text does not match {pattern}"),
        }
    }

    fn warning(&self) -> Option<String> {
        let text = self.regex.as_str();
        is_between_slashes(text).then(|| {
            format!(
                "{} looks for slashes, too; case is ignored anyway, so write only what is between them",
                shown(text)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Draft;
    use crate::rules::condition::Truth::{No, Yes};
    use crate::rules::testing::{check, problems, rules};
    use crate::rules::warnings;

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

    // J9
    #[test]
    fn a_text_is_tried_as_it_is_and_in_its_plain_form() {
        let wrote = |text: &str| Draft { text: Some(text.into()), ..Draft::default() };
        for (pattern, text) in [
            ("doesn't", "It doesn’t work"),
            ("doesn’t", "It doesn't work"),
            ("doesn’t", "It doesn’t work"),
            ("nooit meer", "Nooit\u{A0}meer"),
            ("kapot", "ka\u{AD}p\u{200B}ot"),
            ("10-15", "10–15"),
            ("10–15", "10-15"),
            ("a[–x]b", "a-b"),
            ("^café$", "cafe\u{301}"),
            ("“ok”", "\"ok\""),
            ("’", "it’s"),
            (r"\u{2019}", "it’s"),
        ] {
            let when = format!("matches_regex = '''{pattern}'''");
            assert_eq!(check(&when, &wrote(text)).0, Yes, "{pattern} in {text}");
        }
        assert_eq!(check("matches_regex = 'a[–x]b'", &wrote("ab")).0, No);
        let because = "text contains `doesn't`, which matches `doesn't`";
        assert_eq!(check("matches_regex = \"doesn't\"", &wrote("It doesn’t")), (Yes, because.into()));
    }

    // J3
    #[test]
    fn a_control_character_is_refused() {
        for written in [r#""\bkapot\b""#, r#""a\fb""#, r#""a\tb""#, r#""\u001b[0m""#] {
            let problems = problems(&format!("{{ matches_regex = {written} }}"));
            assert_eq!(problems.len(), 1, "{written}");
            assert!(problems[0].hint.contains("single quotes"), "{}", problems[0].hint);
        }
        assert_eq!(problems(r#"{ contains_any = ["\bkapot\b"] }"#).len(), 1);
        assert_eq!(rules("{ matches_regex = '''(?x)\n kapot # broken\n\t''' }").len(), 1);
        assert_eq!(rules(r"{ matches_regex = '\bkapot\b' }").len(), 1);
    }

    // J3
    #[test]
    fn slashes_around_an_expression_are_a_warning() {
        let warns = |pattern: &str| warnings(&rules(&format!("{{ matches_regex = '{pattern}' }}"))).len();
        assert_eq!((warns("/kapot/i"), warns("/kapot/"), warns("1/5"), warns("/")), (1, 1, 0, 0));
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
