//! Slack's receiver and payload, as the sandbox, the gallery and the tests of all kinds see them.

use crate::destination::fixture::{FineAnswer, Fixture, OWN_DRAWING, text_at};
use crate::domain::Outcome;

/// What is known of it.
pub const FIXTURE: Fixture = Fixture {
    config: "webhook_url = \"{url}\"\nmention = \"<!here>\"",
    url: "https://hooks.slack.com/services/T0/B0/x",
    secrets: &[],
    answer: Some(FineAnswer { status: 200, body: "ok", outcome: Outcome::Delivered }),
    query: "",
    pause: Some(30),
    // Slack counts characters; links count nothing.
    max_bytes: 100_000,
    mention: "<!here>",
    is_markup: |key, object, top| key == "text" && (top || object["type"] == "mrkdwn"),
    banned: &["<!", "<@", "<#", "<mailto:"],
    // The `text` beside blocks is only read aloud.
    clicked: false,
    said: |body| text_at(body, &["/text"]).map(str::to_owned),
    draw: include_str!("draw.js"),
    drawn_by: OWN_DRAWING,
};
