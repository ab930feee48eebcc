//! Mattermost's receiver and payload, as the sandbox, the gallery and the tests of all kinds see them.

use crate::destination::fixture::{FineAnswer, Fixture, OWN_DRAWING, text_at};
use crate::domain::Outcome;

/// What is known of it.
pub const FIXTURE: Fixture = Fixture {
    config: "webhook_url = \"{url}\"\nmention = \"@channel\"",
    url: "https://chat.lumen.example/hooks/x",
    secrets: &[],
    answer: Some(FineAnswer { status: 200, body: "ok", outcome: Outcome::Delivered }),
    query: "",
    pause: None,
    max_bytes: 48_000,
    mention: "@channel",
    is_markup: |key, _, _| !matches!(key, "title_link" | "color"),
    banned: &["@everyone", "@here", "@channel", "@all", "<!", "<@", "<#", "<a", "<s", "<u"],
    clicked: true,
    said: |body| text_at(body, &["/attachments/0/fallback", "/text"]).map(str::to_owned),
    draw: include_str!("draw.js"),
    drawn_by: OWN_DRAWING,
};
