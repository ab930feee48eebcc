//! Text that may be hostile: the characters that never pass, for logs, state and messages.

/// Whether a character would control a terminal, a header or the reading direction instead of being read:
/// C0 and C1 controls (but `\n` and `\t`), U+2028/2029, bidirectional embeddings, overrides and isolates.
pub fn is_unsafe(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => true,
        '\u{061C}' | '\u{200E}' | '\u{200F}' | '\u{FEFF}' => true,
        // Tag characters can hide text from people while programs still read it.
        '\u{E0001}' | '\u{E0020}'..='\u{E007F}' => true,
        c => c.is_control(),
    }
}

/// Whether anything can be seen of `text`.
pub fn is_visible(text: &str) -> bool {
    text.chars().any(|c| !c.is_whitespace() && !is_unsafe(c) && !has_no_width(c))
}

fn has_no_width(c: char) -> bool {
    matches!(c, '\u{AD}' | '\u{34F}' | '\u{115F}' | '\u{1160}' | '\u{17B4}' | '\u{17B5}' | '\u{180B}'..='\u{180F}'
        | '\u{200B}'..='\u{200D}' | '\u{2060}'..='\u{2064}' | '\u{2800}' | '\u{3164}' | '\u{FE00}'..='\u{FE0F}'
        | '\u{FFA0}' | '\u{E0100}'..='\u{E01EF}')
}

/// `text` on one line without unsafe characters, at most `limit` characters, the last of them `…` where it
/// is cut. Reads no more of `text` than it needs.
pub fn one_line(text: &str, limit: usize) -> String {
    let mut safe = text.chars().filter_map(|c| match c {
        '\n' | '\r' | '\t' => Some(' '),
        c if is_unsafe(c) => None,
        c => Some(c),
    });
    let mut line: String = safe.by_ref().take(limit).collect();
    if safe.next().is_some() && line.pop().is_some() {
        line.push('…');
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_no_width_is_not_visible() {
        for hidden in
            ["", " \n\t", "\u{A0}", "\u{200B}\u{200D}\u{2060}\u{FEFF}", "\u{3164}\u{2800}", "\u{202E}"]
        {
            assert!(!is_visible(hidden), "{hidden:?}");
        }
        for seen in [".", "\u{200B}x", "👨\u{200D}👩", "\u{FFFD}"] {
            assert!(is_visible(seen), "{seen:?}");
        }
    }

    #[test]
    fn a_line_is_safe_and_within_its_limit() {
        assert_eq!(one_line("a\r\nb\u{202E}c\u{0}\u{1b}[31m\td", 20), "a  bc[31m d");
        assert_eq!(one_line("abcd", 4), "abcd");
        assert_eq!(one_line("abcde", 4), "abc…");
        assert_eq!(one_line("ab\u{202E}", 2), "ab");
        assert_eq!(one_line("abc", 0), "");
    }
}
