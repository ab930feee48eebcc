//! Look-alikes for what Markdown and mentions are made of, where a receiver has no way to escape them.

/// `text` on one line, with look-alikes for what Markdown and mentions (`<at>`) are made of.
pub fn inert(text: &str) -> String {
    let swap = |c: char| match c {
        '*' => '∗',
        '_' => 'ˍ',
        '~' => '˜',
        '`' => 'ˋ',
        '[' => '［',
        ']' => '］',
        '<' => '‹',
        '>' => '›',
        '#' => '＃',
        '|' => '∣',
        '\\' => '∖',
        ':' => '꞉',
        '&' => '＆',
        c if c.is_whitespace() => ' ',
        c => c,
    };
    let mut safe = String::new();
    let mut only_digits = true;
    let mut characters = text.chars().map(swap).peekable();
    while let Some(c) = characters.next() {
        let inside_a_name = characters.peek().is_some_and(|next| next.is_alphanumeric());
        safe.push(match c {
            '.' if inside_a_name || only_digits => '․',
            ')' if only_digits => '﹚',
            '-' if safe.is_empty() => '‐',
            '+' if safe.is_empty() => '﹢',
            c => c,
        });
        only_digits = only_digits && c.is_ascii_digit();
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::inert;

    #[test]
    fn markdown_becomes_harmless() {
        for (text, expected) in [
            ("**b** _i_ [t](https://evil.example)", "∗∗b∗∗ ˍiˍ ［t］(https꞉//evil․example)"),
            ("- item", "‐ item"),
            ("1. item", "1․ item"),
            ("12) item", "12﹚ item"),
            ("<at>you</at>\nx", "‹at›you‹/at› x"),
            ("4.5 stars, really.", "4․5 stars, really."),
            ("a-b + c", "a-b + c"),
        ] {
            assert_eq!(inert(text), expected);
        }
    }
}
