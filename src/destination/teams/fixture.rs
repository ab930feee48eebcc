//! A Workflow of Teams and its cards, as the sandbox, the gallery and the tests of all kinds see them.

use crate::destination::fixture::{FineAnswer, Fixture, text_at};
use crate::domain::Outcome;

/// What is known of it.
pub const FIXTURE: Fixture = Fixture {
    config: "webhook_url = \"{url}\"",
    url: "https://x.environment.api.powerplatform.com/workflows/x",
    secrets: &[],
    answer: Some(FineAnswer { status: 202, body: "", outcome: Outcome::Accepted }),
    query: "",
    pause: Some(60),
    max_bytes: 20 * 1024,
    mention: "",
    is_markup: |key, object, _| object["type"] == "TextBlock" || key == "fallbackText",
    banned: &["<", "*", "_", "[", "`", "://"],
    clicked: true,
    said: |body| text_at(body, &["/summary"]).map(str::to_owned),
    draw: include_str!("draw.js"),
    drawn_by: "The cards are rendered by Microsoft's Adaptive Cards library; the frame around them is not.",
};
