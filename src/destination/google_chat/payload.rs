//! Google Chat's payload: what of a card is literal and what is markup.

use super::{card, markup, plain};
use crate::template::{Dialect, Format, Place, Rule, html};

/// Google Chat's payload.
pub static FORMAT: Format =
    Format::json("google_chat", &DIALECT, |payload, filled| card::fit(payload, filled.context), plain::plain);

/// What a card allows where.
static DIALECT: Dialect = Dialect {
    // Of buttons; nothing else has a `type`.
    types: &["OUTLINED", "FILLED", "FILLED_TONAL", "BORDERLESS"],
    rule,
    escape: markup::escape,
    markup: html::check,
};

/// Values stand in texts, titles, labels and links; `text` beside the card holds the mention and nothing else.
fn rule(place: &Place<'_>) -> Rule {
    match (place.within, place.key) {
        ("", "text") => Rule::Only("{{#if mention}}{{mention.token}}{{/if}}"),
        ("", "fallbackText") | ("header", "title" | "subtitle") => Rule::Literal,
        ("decoratedText", "topLabel" | "bottomLabel") | ("buttons", "text") => Rule::Literal,
        ("textParagraph" | "decoratedText", "text") | ("sections", "header") => Rule::Escaped,
        ("openLink", "url") => Rule::Link,
        _ => Rule::Fixed,
    }
}
