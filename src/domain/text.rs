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

/// `text` on one line without unsafe characters, at most `limit` characters, for logs and terminals.
pub fn one_line(text: &str, limit: usize) -> String {
    let mut line = String::new();
    for c in text.chars() {
        match c {
            '\n' | '\r' | '\t' => line.push(' '),
            c if is_unsafe(c) => {}
            c => line.push(c),
        }
        if line.chars().nth(limit).is_some() {
            line.pop();
            line.push('…');
            break;
        }
    }
    line
}
