//! What the gallery and the tests of all kinds know of an e-mail; its server is none of the web.

use crate::destination::fixture::Fixture;

/// What is known of it.
pub const FIXTURE: Fixture = Fixture {
    config: "from = \"Reviews <reviews@shop.example>\"\nto = [\"owner@shop.example\"]",
    url: "",
    secrets: &[],
    answer: None,
    query: "",
    pause: None,
    max_bytes: 300_000,
    mention: "",
    is_markup: |_, _, _| false,
    banned: &[],
    clicked: true,
    said: |_| None,
    draw: include_str!("draw.js"),
    drawn_by: "The e-mails are rendered by Chromium; the frame around them belongs to the gallery.",
};
