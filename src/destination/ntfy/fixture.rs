//! An ntfy server and what it gets, as the sandbox, the gallery and the tests of all kinds see them.

use crate::destination::fixture::{FineAnswer, Fixture, OWN_DRAWING, text_at};
use crate::domain::Outcome;

/// What is known of it.
pub const FIXTURE: Fixture = Fixture {
    config: "url = \"{url}\"\ntopic = \"reviews-Zx81Qm3tTopic\"\ntoken = \"tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2\"\ntags = [\"star\"]",
    url: "https://ntfy.sh",
    secrets: &["reviews-Zx81Qm3tTopic", "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2"],
    answer: Some(FineAnswer {
        status: 200,
        body: r#"{"id":"sPs71M8A2T","time":1643935928,"event":"message"}"#,
        outcome: Outcome::Delivered,
    }),
    query: "",
    pause: Some(30),
    max_bytes: 8_192,
    mention: "",
    is_markup: |key, _, _| matches!(key, "title" | "message"),
    banned: &[],
    clicked: true,
    said: |body| {
        let parts = [text_at(body, &["/title"]), text_at(body, &["/message"])];
        Some(parts.into_iter().flatten().collect::<Vec<_>>().join(" "))
    },
    draw: include_str!("draw.js"),
    drawn_by: OWN_DRAWING,
};
