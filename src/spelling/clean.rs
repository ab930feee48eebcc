//! Texts made readable and safe: entities decoded, markup that platforms leave in taken out, nothing that controls a
//! terminal or hides text, one Unicode form.

use crate::domain::text::{is_unsafe, is_visible};
use unicode_normalization::UnicodeNormalization;

/// The maximum of characters kept of a text.
pub const MAX_TEXT: usize = 100_000;
/// The maximum of characters kept of an author's, a website's, a source's or a platform's name.
pub const MAX_NAME: usize = 300;
/// A tag with more characters between `<` and `>`, space apart, is none of a review's.
const MAX_TAG: usize = 200;

/// The meaning that Windows-1252 gives to U+0080..U+009F, as HTML does: `&#146;` is an apostrophe.
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

/// A text of several lines; none where nothing can be seen of it.
pub fn text(raw: &str) -> Option<String> {
    // What hides in a tag goes first, so that the tag is seen; what hid behind one joins its neighbours after.
    let safe: String = line_ends(&decode(raw)).chars().map(mend).filter(|c| !is_unsafe(*c)).collect();
    let plain: String = strip_tags(&safe).nfc().collect();
    visible(&cut(&collapse_blank_lines(&plain), MAX_TEXT))
}

/// A name or title on one line, at most `limit` characters; none where nothing can be seen of it.
pub fn line(raw: &str, limit: usize) -> Option<String> {
    let text = text(raw)?;
    let words: Vec<&str> = text.split_whitespace().collect();
    visible(&cut(&words.join(" "), limit))
}

/// `raw` with its HTML entities decoded: two rounds, because platforms and collectors each encode once.
pub fn decode(raw: &str) -> String {
    let once = html_escape::decode_html_entities(raw);
    html_escape::decode_html_entities(&once).into_owned()
}

fn line_ends(text: &str) -> String {
    text.replace("\r\n", "\n").replace(['\r', '\u{2028}', '\u{2029}', '\u{85}'], "\n")
}

fn mend(c: char) -> char {
    match u32::from(c).checked_sub(0x80) {
        Some(index @ 0..32) => WINDOWS_1252.get(index as usize).copied().unwrap_or(c),
        _ => c,
    }
}

/// Takes out a fixed list of formatting tags; whatever else stands between `<` and `>` is what somebody wrote.
/// One pass, and nothing is left that a second would take out: `<b<b>r>` is a `<br>`.
fn strip_tags(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    // Where each `<` stands whose `>` is still to come.
    let mut open = Vec::new();
    for c in text.chars() {
        plain.push(c);
        match c {
            '<' => open.push(plain.len() - 1),
            '>' => match open
                .pop()
                .and_then(|at| Some((at, formatting_tag(plain.get(at + 1..plain.len() - 1)?)?)))
            {
                Some((at, replacement)) => {
                    plain.truncate(at);
                    plain.push_str(replacement);
                }
                // This `>` stays, and closes whatever is before it.
                None => open.clear(),
            },
            _ => {}
        }
    }
    plain
}

/// What takes the place of the formatting tag `inner`, which stood between `<` and `>`.
fn formatting_tag(inner: &str) -> Option<&'static str> {
    // Longer ones are no tags of a review. Space may be taken out later, and does not count.
    if inner.chars().filter(|c| !c.is_whitespace()).nth(MAX_TAG).is_some() {
        return None;
    }
    let (closing, inner) = match inner.strip_prefix('/') {
        Some(inner) => (true, inner),
        None => (false, inner),
    };
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
    let (name, attributes) = inner.split_at(end);
    let attributes = attributes.trim().trim_end_matches('/');
    // `<b and c>` is prose.
    if !attributes.is_empty() && !attributes.contains('=') {
        return None;
    }
    match name.to_ascii_lowercase().as_str() {
        "br" => Some("\n"),
        "p" | "div" | "li" | "ul" | "ol" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
            Some(if closing { "\n" } else { "" })
        }
        "b" | "i" | "u" | "s" | "em" | "strong" | "small" | "span" | "font" => Some(""),
        _ => None,
    }
}

/// At most two blank lines in a row, and nothing invisible at the ends of lines.
fn collapse_blank_lines(text: &str) -> String {
    let mut collapsed = String::with_capacity(text.len());
    let mut blank = 0;
    for line in text.split('\n').map(str::trim_end) {
        blank = if line.is_empty() { blank + 1 } else { 0 };
        if blank <= 2 {
            collapsed.push_str(line);
            collapsed.push('\n');
        }
    }
    collapsed
}

fn cut(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        None => text.to_owned(),
        Some(_) => text.chars().take(limit.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// `text` trimmed; none where all of it is space or has no width.
fn visible(text: &str) -> Option<String> {
    let trimmed = text.trim_matches(|c: char| c.is_whitespace() || matches!(c, '\u{200B}' | '\u{2060}'));
    is_visible(trimmed).then(|| trimmed.to_owned())
}
#[cfg(test)]
mod tests {
    use super::*;

    fn of(raw: &str) -> Option<String> {
        text(raw)
    }

    #[test]
    fn entities_and_formatting_tags_become_text() {
        for (raw, expected) in [
            ("Tom &amp;amp; Jerry&amp;#39;s caf&eacute;", "Tom & Jerry's café"),
            ("&quot;it&#146;s&quot; &#x1F600; &nosuch; &", "\"it’s\" 😀 &nosuch; &"),
            ("<p>one</p><p>two<br />three</p>", "one\ntwo\nthree"),
            ("a &lt;br&gt; <b>bold</b> <SPAN class=\"x\">y</span>", "a\n bold y"),
            ("1 < 2 > 0, <b and c>, <3, <", "1 < 2 > 0, <b and c>, <3, <"),
            (
                "<script>alert(1)</script><https://evil|Login><!channel>",
                "<script>alert(1)</script><https://evil|Login><!channel>",
            ),
            ("a<b<b>r>c <b\u{202E}r> <i>x <<b>i> y</<b>/>", "a\nc\n x  y<//>"),
            ("{{7*7}} {% x %} *b* `c` [d](e)", "{{7*7}} {% x %} *b* `c` [d](e)"),
        ] {
            assert_eq!(of(raw).as_deref(), Some(expected), "{raw}");
        }
    }

    #[test]
    fn nothing_that_controls_or_hides_passes() {
        assert_eq!(of("a\u{0}b\u{202E}c\u{1b}[2Jd\u{FEFF}\u{E0041}").as_deref(), Some("abc[2Jd"));
        assert_eq!(of("a\r\nb\rc\u{2028}d").as_deref(), Some("a\nb\nc\nd"));
        assert_eq!(of("&#x202E;a&#x200F;").as_deref(), Some("a"));
        // References to control characters stay the text that they are.
        assert_eq!(of("a&#27;&#0;").as_deref(), Some("a&#27;&#0;"));
        assert_eq!(of(&format!("a{}b", "\n".repeat(300))).as_deref(), Some("a\n\n\nb"));
        for empty in
            ["", " \t\n", "\u{A0}", "\u{200B}\u{200D}\u{2060}", "&nbsp;&#8203;", "<br><p></p>", "\u{0}"]
        {
            assert_eq!(of(empty), None, "{empty:?}");
        }
        for kept in [".", "👍🏽👍🏽", "👨‍👩‍👧", "❤️", "1️⃣", "ש123ל"] {
            assert_eq!(of(kept).as_deref(), Some(kept));
        }
    }

    #[test]
    fn one_form_of_unicode_and_bounded_lengths() {
        assert_eq!(of("cafe\u{301}"), of("café"));
        assert_eq!(of(&"x".repeat(MAX_TEXT + 1)).map(|text| text.chars().count()), Some(MAX_TEXT));
        assert_eq!(line("Eve\r\nBcc: all@x.example", 300).as_deref(), Some("Eve Bcc: all@x.example"));
        assert_eq!(line(&"é".repeat(301), 300).map(|name| name.chars().count()), Some(300));
    }
}
