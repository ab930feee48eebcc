//! Markdown as chats read it: makes values inert, finds values in places where that is not enough, and cuts texts
//! without splitting an escape.
//!
//! A backslash makes a character plain in every dialect, but not everything that programs look for: they find
//! mentions, hashtags, `:emoji:` and addresses in what is left when the backslashes are gone. So a zero-width
//! space parts these.

use crate::presentation::words::{Cut, ZERO_WIDTH, unlinked};
use crate::template::Misuse;
use handlebars::Template;
use handlebars::template::{HelperTemplate, TemplateElement};
use unicode_segmentation::UnicodeSegmentation;

/// What every dialect lets a backslash make plain.
pub const ESCAPED: &str = "\\`*_{}[]()#+-.!>|~";
/// What begins something that programs look for, and backslashes do not hide.
const BEGINNINGS: &str = "@#~:;&";

/// `text` as Markdown that shows it and does nothing else. `own` says what stands for a character that one dialect
/// cannot escape as the others do.
pub fn escape(text: &str, own: fn(char) -> Option<&'static str>) -> String {
    let mut safe = String::with_capacity(text.len() * 2);
    let mut characters = unlinked(text).chars().collect::<Vec<_>>().into_iter().peekable();
    // What stands before a value is not known here: it may be the start of a line.
    let mut line_start = true;
    while let Some(c) = characters.next() {
        let next = characters.peek().copied();
        let breaks = is_line_end(c);
        // An indented line is code, and one of `===` makes a heading of the line above.
        if line_start && !breaks && (c == '=' || c.is_whitespace()) {
            safe.push(ZERO_WIDTH);
        }
        match own(c) {
            Some(other) => safe.push_str(other),
            None => {
                safe.extend(ESCAPED.contains(c).then_some('\\'));
                safe.push(c);
            }
        }
        // Also at the end: another value may follow. After a backslash, for `\\a` is two of them in Mattermost.
        let apart = next.is_none_or(|next| next != ZERO_WIDTH && !next.is_whitespace());
        if c == '\\' || (apart && BEGINNINGS.contains(c)) {
            safe.push(ZERO_WIDTH);
        }
        line_start = breaks;
    }
    safe
}

/// Mattermost reads U+2424 as a line end.
fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\u{2424}')
}

/// `text`, written by hand, in which no `@` mentions anybody.
pub fn unmentioned(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        safe.push(c);
        let names = c == '@' || (c == '<' && matches!(characters.peek(), Some('!' | '@' | '#')));
        if names && characters.peek().is_some_and(|next| *next != ZERO_WIDTH && !next.is_whitespace()) {
            safe.push(ZERO_WIDTH);
        }
    }
    safe
}

/// How long a text is for a receiver that counts UTF-16, which is never less than code points.
pub fn length(text: &str) -> usize {
    text.encode_utf16().count()
}

/// A text of at most `limit` units, saying how much is missing.
pub fn cut(text: &str, limit: usize) -> String {
    if length(text) <= limit {
        return text.to_owned();
    }
    let note = |missing| Cut { shown: String::new(), missing }.more().unwrap_or_default();
    let room = limit.saturating_sub(length(&note(text.len())));
    let (mut end, mut units) = (0, 0);
    for (start, grapheme) in text.grapheme_indices(true) {
        units += length(grapheme);
        if units > room {
            break;
        }
        end = start + grapheme.len();
    }
    let mut shown = text[..end].trim_end();
    let backslashes = shown.chars().rev().take_while(|c| *c == '\\').count();
    if backslashes % 2 == 1 {
        shown = &shown[..shown.len() - 1];
    }
    // An address that is cut leads elsewhere. In values there is none.
    let word = shown.rsplit(char::is_whitespace).next().unwrap_or_default();
    if word.contains("](") || word.contains("://") {
        shown = shown[..shown.len() - word.len()].trim_end();
    }
    let missing = plain(&text[shown.len()..]).trim().graphemes(true).count();
    shown.to_owned() + &note(missing)
}

/// Markdown of values without what makes it inert: what a reader counts.
fn plain(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => shown.extend(characters.next()),
            ZERO_WIDTH => {}
            c => shown.push(c),
        }
    }
    shown
}

/// Values inside of an address, where escaping cannot keep them from leading anywhere: `](…`, `://…`, `<…`.
pub fn check(template: &Template) -> Vec<Misuse> {
    let mut walk = Walk { word: String::new(), found: Vec::new() };
    walk.template(template);
    walk.found
}

struct Walk {
    /// What stands since the last space.
    word: String,
    found: Vec<Misuse>,
}

impl Walk {
    fn template(&mut self, template: &Template) {
        for (element, place) in template.elements.iter().zip(&template.mapping) {
            match element {
                TemplateElement::RawString(text) => {
                    let end = text.rfind(char::is_whitespace).map(|at| &text[at..]);
                    match end {
                        Some(end) => self.word = end.trim_start().to_owned(),
                        None => self.word.push_str(text),
                    }
                }
                TemplateElement::Expression(_) | TemplateElement::HtmlExpression(_) => {
                    let address = ["](", "://", "<", "www."].iter().any(|begin| self.word.contains(begin));
                    let known =
                        self.found.iter().any(|known| (known.line, known.column) == (place.0, place.1));
                    if address && !known {
                        let what =
                            "no value is safe inside a Markdown address; put a link into its own field";
                        self.found.push(Misuse { line: place.0, column: place.1, what: what.into() });
                    }
                }
                TemplateElement::HelperBlock(block) => self.block(block),
                _ => {}
            }
        }
    }

    /// Each branch begins as the block does; a loop's second round begins as its first ended.
    fn block(&mut self, block: &HelperTemplate) {
        let before = self.word.clone();
        let mut after = before.clone();
        for template in block.template.iter().chain(&block.inverse) {
            self.word.clone_from(&before);
            self.template(template);
            self.template(template);
            after.push_str(&self.word);
        }
        self.word = after;
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    fn escaped(text: &str) -> String {
        escape(text, |_| None).replace(ZERO_WIDTH, "|")
    }

    #[test]
    fn values_format_link_and_ping_nothing() {
        for (text, expected) in [
            ("*b* _i_ ~s~ `c`", r"\*b\* \_i\_ \~|s\~ \`c\`"),
            ("[t](https://evil.example)", r"\[t\]\(https:|//evil|\.example\)"),
            ("# a\n- b\n1. c\n> d\n    e\n===", "\\# a\n\\- b\n1\\. c\n\\> d\n|    e\n|==="),
            ("@here :tada: #tag a@b &lt;", r"@|here :|tada: \#|tag a@|b &|lt;|"),
            ("\\a \\* @", r"\\|a \\|\* @|"),
            ("4 of 5, 10:30: fine", "4 of 5, 10:|30: fine"),
            ("a\u{2424}===", "a\u{2424}|==="),
        ] {
            assert_eq!(escaped(text), expected, "{text}");
        }
        assert_eq!(unmentioned("a@b @ c <!here>").replace(ZERO_WIDTH, "|"), "a@|b @ c <|!here>");
    }

    #[test]
    fn a_cut_splits_no_escape_and_counts_what_a_reader_does() {
        let text = escape(&"*".repeat(1_000), |_| None);
        for limit in 60..90 {
            let cut = cut(&text, limit);
            assert!(length(&cut) <= limit, "{cut}");
            let (shown, note) = cut.split_once('…').unwrap();
            let stars = shown.matches("\\*").count();
            assert_eq!(shown.len(), stars * 2, "{shown}");
            assert!(note.contains(&format!("{} more characters", 1_000 - stars)), "{note}");
        }
        assert_eq!(cut("short", 60), "short");
    }

    #[test]
    fn no_value_stands_in_an_address() {
        for (template, mistakes) in [
            ("{{a}} **{{b}}** [x](https://fixed.example/) {{c}}", 0),
            ("[{{a}}](https://fixed.example/)", 0),
            ("[x]({{a}})", 1),
            ("https://{{a}}/ https://fixed.example/{{b}}", 2),
            ("<{{a}}> www.{{b}}", 2),
            ("{{#each a}}{{this}}[x]({{/each}}", 1),
            ("[x]({{#if a}}b{{/if}}{{c}})", 1),
            ("{{#if a}}://{{else}}b{{/if}}{{c}}", 1),
        ] {
            let found = check(&Template::compile(template).unwrap());
            assert_eq!(found.len(), mistakes, "{template}: {found:?}");
        }
    }
}
