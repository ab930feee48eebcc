//! The payload for a Teams Workflow: one Adaptive Card in a message. What is literal, what is Markdown, and
//! the plain form.
//!
//! A `TextRun` is shown as it is; a `TextBlock`, a fact and `fallbackText` are read as Markdown, for which
//! Teams documents no escape: there, look-alikes take the place of what formats or links. What
//! a card may hold: <https://learn.microsoft.com/microsoftteams/platform/task-modules-and-cards/cards/cards-format>.

use super::limits::fit;
use crate::destination::chat::lookalikes::inert;
use crate::domain::Message;
use crate::presentation::words::cut_line;
use crate::presentation::{Lines, View};
use crate::template::{Dialect, Format, Place, Rule};
use serde_json::{Value, json};

/// A Teams Workflow's payload.
pub static FORMAT: Format = Format::json("teams", &DIALECT, |payload, _| fit(payload), plain);

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
            "contentType": super::limits::CONTENT_TYPE,
            "contentUrl": null,
            "content": {"type": "AdaptiveCard", "version": "1.2", "body": body, "actions": actions},
        }],
    })
}
