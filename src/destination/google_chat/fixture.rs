//! A space of Google Chat and its cards, as the sandbox, the gallery and the tests of all kinds see them.

use crate::destination::fixture::{FineAnswer, Fixture, OWN_DRAWING, text_at};
use crate::domain::Outcome;

/// What is known of it.
pub const FIXTURE: Fixture = Fixture {
    config: "webhook_url = \"{url}\"\nmention = \"<users/all>\"",
    url: "https://chat.googleapis.com/v1/spaces/x/messages?key=x&token=x",
    secrets: &[],
    answer: Some(FineAnswer {
        status: 200,
        body: r#"{"name":"spaces/AAAA/messages/BBBB.BBBB"}"#,
        outcome: Outcome::Delivered,
    }),
    query: "",
    pause: None,
    max_bytes: 24_000,
    mention: "<users/all>",
    is_markup: |key, object, top| top || key == "header" || key == "text" && object.get("onClick").is_none(),
    banned: &["<users/", "<!", "<at", "<img", "<script", "<a href=\"https://evil"],
    clicked: true,
    said: |body| text_at(body, &["/fallbackText", "/text"]).map(str::to_owned),
    draw: include_str!("draw.js"),
    drawn_by: OWN_DRAWING,
};
