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
    fn a_line_is_safe_and_within_its_limit() {
        assert_eq!(one_line("a\r\nb\u{202E}c\u{0}\u{1b}[31m\td", 20), "a  bc[31m d");
        assert_eq!(one_line("abcd", 4), "abcd");
        assert_eq!(one_line("abcde", 4), "abc…");
        assert_eq!(one_line("ab\u{202E}", 2), "ab");
        assert_eq!(one_line("abc", 0), "");
    }
}
