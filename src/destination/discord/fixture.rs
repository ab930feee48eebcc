//! Discord's receiver and payload, as the sandbox, the gallery and the tests of all kinds see them.

use crate::destination::fixture::{FineAnswer, Fixture, OWN_DRAWING, text_at};
use crate::domain::Outcome;

/// What is known of it.
pub const FIXTURE: Fixture = Fixture {
    config: "webhook_url = \"{url}\"\nmention = \"@here\"",
    url: "https://discord.com/api/webhooks/1/x",
    secrets: &[],
    answer: Some(FineAnswer {
        status: 200,
        body: r#"{"id":"1000000000000000001","type":0}"#,
        outcome: Outcome::Delivered,
    }),
    query: "wait=true",
    pause: None,
    max_bytes: 32_000,
    mention: "@here",
    is_markup: |key, object, top| {
        (top && key == "content")
            || !matches!(key, "url" | "color" | "parse") && !object["footer"].is_string()
    },
    banned: &["@everyone", "@here", "<@U", "<@1", "<@&1", "<@!1", "<#C", "<#1"],
    clicked: true,
    said: |body| {
        let title = text_at(body, &["/embeds/0/title", "/content"])?;
        let more = text_at(body, &["/embeds/0/description"]);
        Some([Some(title), more].into_iter().flatten().collect::<Vec<_>>().join(" "))
    },
    draw: include_str!("draw.js"),
    drawn_by: OWN_DRAWING,
};
