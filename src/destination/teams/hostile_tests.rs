//! Hostile texts in Teams cards: structure, literal fields and size must hold whatever a review says.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::limits::{MAX_BYTES, MAX_ESCAPED_BYTES, escaped_bytes, fit};
use super::*;
use crate::destination::built_in_templates;
use crate::destination::suite::messages::{hostile_text, with_file, with_text};
use crate::domain::Form;
use crate::domain::text::is_unsafe;
use crate::presentation::{Own, View, sample, samples};
use crate::template::Renderer;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};

/// As careless as templates get: raw values in every field that takes one, Markdown around them.
const CARELESS: &str = r#"{
  "type": "message", "summary": "{{{review.text}}}",
  "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": {
    "type": "AdaptiveCard", "version": "1.4", "fallbackText": "{{{review.text}}}",
    "body": [
      {"type": "TextBlock", "text": "{{{review.text}}} x", "wrap": true, "color": "{{shown.tone}}"},
      {"type": "TextBlock", "text": "[{{review.text}}]({{review.text}}) **{{review.author}}**"},
      {"type": "FactSet", "facts": [{"title": "{{review.author}}", "value": "{{review.text}} x"}]},
      {"type": "RichTextBlock", "separator": true, "inlines": [
        {"$each": "review.websites", "type": "TextRun", "text": "{{item}}{{{review.text}}}"},
        {"type": "TextRun", "text": "{{review.text}} x", "selectAction": {"type": "Action.OpenUrl", "title": "x", "url": "https://crm.example/{{review.text}}"}}]},
      {"type": "Container", "style": "{{shown.tone}}", "items": [{"$if": "previous.text", "type": "TextBlock", "text": "x"}]},
      {"type": "ActionSet", "actions": [{"type": "Action.OpenUrl", "title": "{{review.text}} x", "url": "{{review.url}}"}]}],
    "actions": [{"type": "Action.OpenUrl", "title": "{{review.author}}", "url": "{{review.url}}"}]}}]
}"#;

static RENDERERS: LazyLock<(Arc<Renderer>, Arc<Renderer>)> = LazyLock::new(|| {
    let careless = with_file("teams/review.json", CARELESS).unwrap();
    (built_in_templates(), careless)
});

fn view() -> View {
    let zone = jiff::tz::TimeZone::get("Europe/Amsterdam").unwrap();
    View {
        destination: "managers".into(),
        zone,
        show_email: true,
        mention: None,
        template: None,
        own: Own::default(),
    }
}

/// What Teams must take and nobody must be hurt by.
fn assert_safe(payload: &Value) {
    let text = payload.to_string();
    assert!(text.len() <= MAX_BYTES && escaped_bytes(&text) <= MAX_ESCAPED_BYTES, "{}", text.len());
    assert!(!text.contains("{{"), "nothing for the reader's client to fill in: {text}");
    assert_eq!(payload["type"], "message");
    assert_eq!(payload["attachments"].as_array().unwrap().len(), 1);
    assert_value(&payload["attachments"][0]["content"]);
}

fn assert_value(value: &Value) {
    match value {
        Value::Array(items) => {
            assert!(!items.is_empty(), "empty lists are refused");
            items.iter().for_each(assert_value);
        }
        Value::Object(fields) => {
            let text = |key: &str| fields.get(key).and_then(Value::as_str).unwrap_or_default();
            match text("type") {
                "TextRun" => assert!(!text("text").is_empty() && !text("text").contains('\n')),
                "Action.OpenUrl" => {
                    let url = text("url");
                    assert!(
                        url.starts_with("https://reviews.example/")
                            || url.starts_with("https://crm.example/")
                    );
                    assert!(!text("title").trim().is_empty());
                }
                "TextBlock" => assert_inert(text("text")),
                "AdaptiveCard" => assert_inert(text("fallbackText")),
                kind => assert!(kind.is_empty() || DIALECT.types.contains(&kind), "{kind}"),
            }
            if text("type").is_empty() {
                ["title", "value"].into_iter().for_each(|key| assert_inert(text(key)));
            }
            fields.values().for_each(assert_value);
        }
        Value::String(text) => assert!(!text.contains(is_unsafe), "{text:?}"),
        _ => {}
    }
}

/// Nothing of Markdown but what the careless template itself writes.
fn assert_inert(text: &str) {
    let own = text.replacen('[', "", 1).replacen("](", "", 1).replace("**", "");
    assert!(!own.contains(['*', '_', '[', ']', '`', '~', '<', '>', '#', '\n']), "{text:?}");
    assert!(!own.contains("://") && !own.contains("evil.example"), "{text:?}");
}

#[test]
fn every_sample_in_every_form_is_safe_and_within_limits() {
    for renderer in [&RENDERERS.0, &RENDERERS.1] {
        for (name, mut message) in samples() {
            let rendered = renderer.payload(&FORMAT, &message, &view());
            assert_eq!(rendered.fallback, None, "{name}");
            assert_safe(&rendered.payload);
            message.form = Form::Plain;
            assert_safe(&renderer.payload(&FORMAT, &message, &view()).payload);
        }
    }
    for astral in ["😀".repeat(30_000), "\u{1F468}\u{200D}\u{1F469} ".repeat(9_000), "é\n".repeat(9_000)] {
        let message = with_text(&astral);
        for rendered in
            [RENDERERS.0.payload(&FORMAT, &message, &view()), RENDERERS.1.payload(&FORMAT, &message, &view())]
        {
            assert_safe(&rendered.payload);
        }
        assert_safe(&plain(&message, &view()));
    }
}

fn runs(payload: &Value) -> Vec<String> {
    match payload {
        Value::Array(items) => items.iter().flat_map(runs).collect(),
        Value::Object(fields) if fields.get("type") == Some(&json!("RichTextBlock")) => {
            let inlines = fields["inlines"].as_array().unwrap().iter();
            vec![inlines.map(|run| run["text"].as_str().unwrap()).collect()]
        }
        Value::Object(fields) => ["attachments", "content", "body", "items"]
            .iter()
            .filter_map(|key| fields.get(*key))
            .flat_map(runs)
            .collect(),
        _ => Vec::new(),
    }
}

#[test]
fn the_built_in_card_reads_in_order_one_paragraph_a_block() {
    let payload = RENDERERS.0.payload(&FORMAT, &sample("everything"), &view()).payload;
    assert_eq!(
        runs(&payload),
        [
            "🔴 ★☆☆☆☆ 1 of 5 stars (2/10 on Kiyoh) · Shop NL, Shop BE",
            "Never again",
            "Parcel broken, nobody answers the phone.",
            "Three weeks now.",
            "Kiyoh · by A. Customer · customer@mail.example · en_GB · 14 Mar 2026 18:02 CET (3 h ago)",
            "Sent by rule “unhappy customers”: rating 1 is at most 2, website is “Shop NL”.",
            "Possibly a repeat: an earlier attempt may have arrived.",
        ]
    );
    let card = &payload["attachments"][0]["content"];
    assert_eq!(card["body"][0]["inlines"][1]["color"], "attention");
    assert_eq!(
        card["actions"],
        json!([{"type": "Action.OpenUrl", "title": "Open on Kiyoh", "url": "https://reviews.example/shop"}])
    );
    assert!(payload["summary"].as_str().unwrap().starts_with("🔴 1/5 · Kiyoh · Shop NL"));
    assert_eq!(
        RENDERERS.0.payload(&FORMAT, &sample("bare"), &view()).payload["attachments"][0]["content"]["actions"],
        Value::Null
    );
    let mut plain = sample("everything");
    plain.form = Form::Plain;
    let plain = RENDERERS.0.payload(&FORMAT, &plain, &view()).payload;
    assert_eq!(
        runs(&plain)[..2],
        [
            "🔴 1 of 5 stars (2/10 on Kiyoh) · Shop NL, Shop BE",
            "“Parcel broken, nobody answers the phone. Three weeks now.”",
        ]
    );
    assert_eq!(plain["attachments"][0]["content"]["actions"][0]["url"], "https://reviews.example/shop");
}

#[test]
fn a_long_text_says_how_much_is_missing() {
    let payload = RENDERERS.0.payload(&FORMAT, &with_text(&"😀".repeat(2_000)), &view()).payload;
    let text = runs(&payload).concat();
    assert!(text.contains("more characters)"), "{text}");
}

#[test]
fn mistakes_are_start_up_errors() {
    let card = |card: &str| {
        format!(
            r#"{{"type": "message", "attachments": [{{"contentType": "application/vnd.microsoft.card.adaptive", "content": {card}}}]}}"#
        )
    };
    let body =
        |body: &str| card(&format!(r#"{{"type": "AdaptiveCard", "version": "1.5", "body": [{body}]}}"#));
    for (template, expected) in [
        ("{\"type\": \"message\", \"attachments\": []}".to_owned(), "exactly one"),
        ("{\"type\": \"message\", \"text\": \"x\", \"attachments\": []}".to_owned(), "has the key `text`"),
        ("{\"attachments\": []}".to_owned(), "needs \"type\": \"message\""),
        (
            card("{\"type\": \"AdaptiveCard\", \"version\": \"1.6\", \"body\": []}"),
            "at most \"version\": \"1.5\"",
        ),
        (body(""), "without a `body`"),
        (body(r#"{"type": "Media"}"#), "has the type `Media`"),
        (body(r#"{"type": "TextRun", "text": "{{reviw.text}}"}"#), "did you mean `review.text`?"),
        (body(r#"{"type": "Action.OpenUrl", "title": "x", "url": "{{review.text}}"}"#), "`url` must be"),
        (body(r#"{"type": "Image", "url": "{{review.url}}"}"#), "`url` cannot be a template"),
        (
            body(r#"{"type": "TextRun", "text": "x", "color": "{{review.text}}"}"#),
            "fixed or exactly {{shown.tone}}",
        ),
        (body(r#"{"type": "{{review.text}}"}"#), "`type` cannot be a template"),
        (body(&vec![r#"{"type": "TextBlock", "text": "x"}"#; 1_000].join(",")), "larger than 20 KB"),
    ] {
        let problems = with_file("teams/review.json", &template).unwrap_err();
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|problem| problem.contains(expected)), "{template}: {all:?}");
        assert!(all.iter().all(|problem| problem.contains("teams/review.json:")), "{all:?}");
    }
    assert!(fit(json!([])).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_escapes_its_field(text in hostile_text()) {
        let message = with_text(&format!("x{text}"));
        assert_safe(&RENDERERS.0.payload(&FORMAT, &message, &view()).payload);
        assert_safe(&RENDERERS.1.payload(&FORMAT, &message, &view()).payload);
        assert_safe(&plain(&message, &view()));
    }
}
