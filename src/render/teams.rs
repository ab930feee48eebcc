//! The payload for a Teams Workflow: one Adaptive Card in a message. What is literal, what is Markdown, and
//! the plain form.
//!
//! A `TextRun` is shown as it is; a `TextBlock`, a fact and `fallbackText` are read as Markdown, for which
//! Teams documents no escape: there, look-alikes take the place of what formats or links. What
//! a card may hold: <https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format>.

use super::context::View;
use super::lines::Lines;
use super::payload::Format;
use super::teams_limits::fit;
use super::tree::{Dialect, Place, Rule};
use super::words::cut_line;
use crate::domain::Message;
use serde_json::{Value, json};

/// A Teams Workflow's payload.
pub static FORMAT: Format =
    Format { name: "teams", dialect: &DIALECT, fit: |payload, _| fit(payload), plain };

/// What a card allows where.
pub static DIALECT: Dialect = Dialect {
    types: &[
        "message",
        "AdaptiveCard",
        "TextBlock",
        "RichTextBlock",
        "TextRun",
        "Container",
        "ColumnSet",
        "Column",
        "FactSet",
        "Fact",
        "ActionSet",
        "Action.OpenUrl",
        "Image",
    ],
    rule,
    escape: inert,
    // A value in Markdown is inert wherever it stands.
    markup: |_| Vec::new(),
};

fn rule(place: &Place<'_>) -> Rule {
    match (place.key, place.kind) {
        ("text", Some("TextRun")) | ("title", Some("Action.OpenUrl")) => Rule::Literal,
        ("summary", _) if place.top => Rule::Literal,
        ("url", Some("Action.OpenUrl")) => Rule::Link,
        ("text", Some("TextBlock")) | ("fallbackText", Some("AdaptiveCard")) => Rule::Escaped,
        ("title" | "value", None | Some("Fact")) => Rule::Escaped,
        ("color", Some("TextRun" | "TextBlock")) => Rule::Only(TONE),
        ("style", Some("Container" | "Column")) => Rule::Only(TONE),
        _ => Rule::Fixed,
    }
}

const TONE: &str = "{{shown.tone}}";

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

/// The plain form: lines of literal text and a link. Never fails, whatever the message says.
pub fn plain(message: &Message, view: &View) -> Value {
    let Lines { lines, link } = Lines::of(message, view);
    let whole = fit(card(&lines, link.as_ref()));
    whole.unwrap_or_else(|_| card(&[cut_line(&lines.concat(), 200)], None))
}

fn card(lines: &[String], link: Option<&(String, String)>) -> Value {
    let block =
        |line: &String| json!({"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": line}]});
    let body: Vec<Value> = lines.iter().map(block).collect();
    let action =
        |(title, url): &(String, String)| json!({"type": "Action.OpenUrl", "title": title, "url": url});
    let actions: Vec<Value> = link.iter().map(|link| action(link)).collect();
    json!({
        "type": "message",
        "summary": lines.first(),
        "attachments": [{
            "contentType": super::teams_limits::CONTENT_TYPE,
            "contentUrl": null,
            "content": {"type": "AdaptiveCard", "version": "1.2", "body": body, "actions": actions},
        }],
    })
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
