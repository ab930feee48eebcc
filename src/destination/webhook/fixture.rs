//! A program that takes webhooks, as the sandbox, the gallery and the tests of all kinds see it.

use crate::destination::fixture::{FineAnswer, Fixture, OWN_DRAWING};
use crate::domain::Outcome;
use serde_json::Value;

/// What is known of it.
pub const FIXTURE: Fixture = Fixture {
    config: "url = \"{url}\"\nsecret = \"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD\"",
    url: "https://crm.example/x",
    secrets: &["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "C2FVsBQIhrscChlQIMV+b5sSYspob7oD"],
    answer: Some(FineAnswer { status: 204, body: "", outcome: Outcome::Delivered }),
    query: "",
    pause: None,
    // It gets all there is.
    max_bytes: 4 << 20,
    mention: "",
    is_markup: |_, _, _| false,
    banned: &[],
    clicked: true,
    said,
    draw: include_str!("draw.js"),
    drawn_by: OWN_DRAWING,
};

fn said(body: &Value) -> Option<String> {
    let kind = body["type"].as_str()?;
    let data = &body["data"];
    let text = match &data["review"] {
        Value::Null => match data["counts"]["reviews"].as_u64() {
            Some(reviews) => format!("{reviews} reviews"),
            None => data["text"].as_str()?.to_owned(),
        },
        review => {
            let rating =
                review["rating"].as_f64().map_or_else(|| "no rating".into(), |rating| format!("{rating}/5"));
            let author = review["author"].as_str().unwrap_or("anonymous");
            format!("{rating} by {author}: {}", review["text"].as_str().unwrap_or("(no text)"))
        }
    };
    Some(format!("{kind}: {text}"))
}
