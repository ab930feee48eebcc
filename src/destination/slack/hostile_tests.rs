//! Hostile texts in every field, through built-in and careless templates: structure, mentions and limits
//! must hold whatever a review says.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::limits::{self, MAX_BLOCKS, MAX_TEXT, MAX_TOTAL};
use super::payload::plain;
use super::*;
use crate::destination::built_in_templates;
use crate::destination::suite::messages::{hostile_text, with_file, with_text};
use crate::domain::Form;
use crate::domain::text::is_unsafe;
use crate::presentation::{Body, HOSTILE, Own, View, sample, samples};
use crate::template::{Renderer, TemplateProblem};
use handlebars::Template;
use proptest::prelude::*;
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};

fn view(mention: &str) -> View {
    let zone = jiff::tz::TimeZone::get("Europe/Amsterdam").unwrap();
    View {
        destination: "support".into(),
        zone,
        show_email: true,
        mention: parse_mention(mention),
        template: None,
        own: Own::default(),
    }
}

/// What Slack must take and nobody must be hurt by.
fn assert_safe(payload: &Value, view: &View) {
    let text = payload["text"].as_str().unwrap();
    assert!(!text.trim().is_empty() && limits::length(text) <= MAX_TEXT);
    assert_eq!((&payload["unfurl_links"], &payload["unfurl_media"]), (&json!(false), &json!(false)));
    assert!(
        payload
            .as_object()
            .unwrap()
            .keys()
            .all(|key| { ["text", "blocks", "unfurl_links", "unfurl_media"].contains(&key.as_str()) })
    );
    assert_markup(text, view);
    let blocks = payload["blocks"].as_array().cloned().unwrap_or_default();
    assert!(blocks.len() <= MAX_BLOCKS);
    let total: usize = blocks.iter().map(|block| assert_value(block, view)).sum();
    assert!(total <= MAX_TOTAL, "{total}");
}

/// Returns the length of all texts.
fn assert_value(value: &Value, view: &View) -> usize {
    match value {
        Value::Array(items) => {
            assert!(!items.is_empty(), "empty lists are refused");
            items.iter().map(|item| assert_value(item, view)).sum()
        }
        Value::Object(fields) => {
            let kind = fields["type"].as_str().unwrap_or_default();
            let mention = view.mention.clone().unwrap_or_default();
            let part = |name: &str| mention.parts.get(name).cloned().flatten();
            match kind {
                "broadcast" => assert_eq!(fields["range"].as_str(), part("range").as_deref()),
                "user" => assert_eq!(fields["user_id"].as_str(), part("user_id").as_deref()),
                "usergroup" => {
                    assert_eq!(fields["usergroup_id"].as_str(), part("usergroup_id").as_deref());
                }
                "link" => assert!(fields["url"].as_str().unwrap().starts_with("http")),
                "header" => assert!(limits::length(fields["text"]["text"].as_str().unwrap()) <= 150),
                _ => assert!(DIALECT.types.contains(&kind), "{kind}"),
            }
            let own = fields.get("text").and_then(Value::as_str).map_or(0, |text| {
                assert!(!text.is_empty() && limits::length(text) <= MAX_TEXT);
                assert!(!text.contains(is_unsafe), "{text:?}");
                if kind == "mrkdwn" {
                    assert_markup(text, view);
                }
                limits::length(text)
            });
            let is_text = |value: &&Value| value.is_object() || value.is_array();
            let inner: usize = fields
                .iter()
                .filter(|(key, _)| *key != "style")
                .map(|(_, value)| value)
                .filter(is_text)
                .map(|value| assert_value(value, view))
                .sum();
            own + inner
        }
        _ => 0,
    }
}

/// No token but the configured mention and links to http(s); no bare `&`.
fn assert_markup(text: &str, view: &View) {
    assert!(!text.contains(is_unsafe), "{text:?}");
    let mention = view.mention.as_ref().map(|mention| mention.token.trim_matches(['<', '>']));
    for token in text.split('<').skip(1) {
        let (token, _) = token.split_once('>').expect("a token is closed");
        assert!(mention == Some(token) || token.starts_with("https://reviews.example/"), "{token}");
    }
    for entity in text.split('&').skip(1) {
        assert!(["amp;", "lt;", "gt;"].iter().any(|known| entity.starts_with(known)), "{entity}");
    }
}

/// The payload's shape without its texts: what a review must not change.
fn skeleton(value: &Value) -> Value {
    match value {
        Value::Array(items) => items.iter().map(skeleton).collect(),
        Value::Object(fields) => fields
            .iter()
            .map(|(key, value)| {
                let free = matches!(key.as_str(), "text" | "url") && value.is_string();
                (key.clone(), if free { Value::Null } else { skeleton(value) })
            })
            .collect(),
        other => other.clone(),
    }
}

/// As careless as templates get: markup around raw values, triple braces, a link made of a review's text.
const CARELESS: &str = r#"{
  "text": "{{{review.text}}} {{&review.author}} <{{review.url}}|see> *{{review.text}}* {{#with review}}{{{text}}}{{/with}}",
  "blocks": [
    {"type": "header", "text": {"type": "plain_text", "text": "{{{review.text}}}{{review.text}} x"}},
    {"type": "section", "text": {"type": "mrkdwn", "text": "*{{{review.text}}}* {{#each review.websites}}{{{this}}} {{/each}}{{truncate review.text 30}}{{lookup review \"text\"}}"}},
    {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [
      {"type": "text", "text": "{{{review.text}}}{{{review.text}}}{{{review.text}}}"},
      {"type": "link", "url": "{{review.url}}", "text": "{{{review.text}}} x"},
      {"type": "link", "url": "https://reviews.example/{{{review.text}}}", "text": "{{review.text}}"},
      {"$each": "review.websites", "type": "text", "text": "{{{item}}}"}]}]},
    {"type": "section", "text": {"type": "mrkdwn", "text": "{{review.text}}{{review.text}}{{review.text}} x"}},
    {"type": "section", "text": {"type": "mrkdwn", "text": "{{review.text}} x"}},
    {"$if": "shown.repeat", "type": "section", "text": {"type": "mrkdwn", "text": " "}}
  ]
}"#;

fn with_template(review: &str) -> Result<Arc<Renderer>, Vec<TemplateProblem>> {
    with_file("slack/review.json", review)
}

#[test]
fn every_sample_in_every_form_is_safe_and_within_limits() {
    let renderer = built_in_templates();
    for mention in ["", "<!here>", "<@U12345678>", "<!subteam^S12345678>"] {
        let view = view(mention);
        for (name, mut message) in samples() {
            let rendered = renderer.payload(&FORMAT, &message, &view);
            assert_eq!(rendered.fallback, None, "{name}");
            assert_safe(&rendered.payload, &view);
            message.form = Form::Plain;
            let plain = renderer.payload(&FORMAT, &message, &view).payload;
            assert!(plain.get("blocks").is_none());
            assert_safe(&plain, &view);
        }
    }
}

#[test]
fn the_built_in_message_reads_in_order() {
    let renderer = built_in_templates();
    let payload = renderer.payload(&FORMAT, &sample("everything"), &view("<!here>")).payload;
    assert_eq!(
        payload["text"],
        "🔴 1/5 · Kiyoh · Shop NL, Shop BE · “Parcel broken, nobody answers the phone. Three weeks now.” — A. Customer"
    );
    let texts: Vec<String> = texts(&payload["blocks"]);
    assert_eq!(
        texts,
        [
            "🔴 ★☆☆☆☆ 1 of 5 stars (2/10 on Kiyoh) · Shop NL, Shop BE",
            "here",
            "Never again\n",
            "Parcel broken, nobody answers the phone.\nThree weeks now.",
            "Kiyoh · by A. Customer · customer@mail.example · en_GB · 14 Mar 2026 18:02 CET (3 h ago)",
            "Sent by rule “unhappy customers”: rating 1 is at most 2, website is “Shop NL”.",
            "Possibly a repeat: an earlier attempt may have arrived.",
            "Open on Kiyoh",
        ]
    );
    let said = |name: &str| texts_of(&renderer, name).join("\n");
    assert!(said("bare").contains("Rating only, no comment."));
    assert!(said("bare").contains("Anonymous customer") && said("bare").contains("date unknown"));
    assert!(said("20,000 characters").contains("more characters)"));
    assert!(said("edited rating").contains("✏️ Edited: 1.5 to 5 stars, after 3 days"));
    assert!(said("problem").contains("What to do: "));
    assert!(!said("problem resolved").contains("here"), "good news pings nobody");
}

fn texts_of(renderer: &Renderer, name: &str) -> Vec<String> {
    texts(&renderer.payload(&FORMAT, &sample(name), &view("<!here>")).payload["blocks"])
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => {
            ["text", "range", "elements"].iter().filter_map(|key| fields.get(*key)).flat_map(texts).collect()
        }
        Value::String(text) => vec![text.clone()],
        _ => Vec::new(),
    }
}

#[test]
fn careless_templates_cannot_be_broken_out_of() {
    let renderer = with_template(CARELESS).unwrap();
    let view = view("<!here>");
    for text in
        HOSTILE.iter().map(|text| (*text).to_owned()).chain(["lang ".repeat(4_000), "&".repeat(20_000)])
    {
        let rendered = renderer.payload(&FORMAT, &with_text(&text), &view);
        assert_eq!(rendered.fallback, None);
        assert_safe(&rendered.payload, &view);
    }
    let payload = renderer.payload(&FORMAT, &with_text("<!channel>"), &view).payload;
    assert!(payload["text"].as_str().unwrap().starts_with("&lt;!channel&gt; &lt;!channel&gt;"));
    assert_eq!(payload["blocks"][2]["elements"][0]["elements"][0]["text"], "<!channel><!channel><!channel>");
}

#[test]
fn the_plain_form_formats_and_links_nothing_of_a_review() {
    let renderer = built_in_templates();
    for name in ["formatting", "links"] {
        let mut message = sample(name);
        message.form = Form::Plain;
        let payload = renderer.payload(&FORMAT, &message, &view("")).payload;
        let text = payload["text"].as_str().unwrap();
        let quoted = text.split('“').nth(1).and_then(|rest| rest.split('”').next()).unwrap();
        assert!(!quoted.contains(['*', '_', '~', '`', ':', '<', '>', '\n']), "{quoted}");
        assert!(!quoted.contains("evil.example"), "{quoted}");
    }
}

#[test]
fn mistakes_are_start_up_errors_with_file_line_and_column() {
    for (template, expected) in [
        (
            "{\n \"text\": \"{{reviw.text}}\"}",
            ":2:11: unknown name `reviw.text`; did you mean `review.text`?",
        ),
        (
            "{\"text\": \"{{#if review.txt}}a{{/if}}\"}",
            ":1:11: unknown name `review.txt`; did you mean `review.text`?",
        ),
        ("{\"text\": \"{{#if}}\"}", ":1:"),
        ("{\"text\": \"{{previous.text}}\"}", "(with the sample “everything”)"),
        (
            "{\"text\": \"{{truncate review.text}}\"}",
            ":1:11: `truncate` takes a text and a length; write {{truncate",
        ),
        ("{\"text\": \"{{> other}}\"}", "partials"),
        ("{\"text\": \"x\", \"link_names\": true}", "has the key `link_names`"),
        ("{\"text\": \"x\", \"parse\": \"full\"}", "has the key `parse`"),
        ("{\"blocks\": []}", "has no `text`"),
        ("{\"text\": \"{{review.text}}\"}", "is empty"),
        ("{\"text\": \" \"}", "has no `text`"),
        ("{\"text\": \"x\", \"blocks\": [{\"type\": \"{{review.text}}\"}]}", "`type` cannot be a template"),
        (
            "{\"text\": \"x\", \"blocks\": [{\"type\": \"markdown\", \"text\": \"{{review.text}}\"}]}",
            "has the type `markdown`",
        ),
        (
            "{\"text\": \"x\", \"blocks\": [{\"type\": \"user\", \"user_id\": \"{{review.text}}\"}]}",
            "must be fixed or exactly {{mention.user_id}}",
        ),
        (
            "{\"text\": \"x\", \"blocks\": [{\"type\": \"text\", \"image_url\": \"{{review.url}}\"}]}",
            "`image_url` cannot be a template",
        ),
        ("{\"text\": \"x <{{review.author}}>\"}", ":1:14: inside `<…>`, only"),
        (
            "{\"text\": \"x\", \"blocks\": [{\"type\": \"link\", \"url\": \"{{review.text}}\"}]}",
            "`url` must be {{review.url}}",
        ),
        ("{\"text\": \"x\",}", "is not JSON"),
    ] {
        let problems = with_template(template).unwrap_err();
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|problem| problem.contains(expected)), "{template}: {all:?}");
        assert!(all.iter().all(|problem| problem.contains("slack/review.json:")), "{all:?}");
    }
}

#[test]
fn a_template_that_fails_on_a_real_review_gives_way_to_the_plain_form() {
    let renderer =
        with_template(r#"{"text": "x {{#if (eq review.text \"boom\")}}{{stars review.text}}{{/if}}"}"#)
            .unwrap();
    let rendered = renderer.payload(&FORMAT, &with_text("boom"), &view(""));
    let reason = rendered.fallback.unwrap();
    assert!(reason.contains("slack/review.json:1:"), "{reason}");
    assert!(reason.contains("`stars` takes a number"), "{reason}");
    assert!(rendered.payload["text"].as_str().unwrap().contains("“boom”"));
    assert_eq!(renderer.payload(&FORMAT, &with_text("fine"), &view("")).fallback, None);
}

#[test]
fn mentions_come_in_these_forms_only() {
    for good in
        ["<!here>", "<!channel>", "<!everyone>", "<@U012AB3CD>", "<@W012AB3CD>", "<!subteam^S012AB3CD>"]
    {
        assert!(parse_mention(good).is_some(), "{good}");
    }
    for bad in [
        "@here",
        "here",
        "<!group>",
        "<@u1>",
        "<@U1|name>",
        "<!subteam^U1>",
        "<!date^1^x|y>",
        "<@U1> <!here>",
        "<https://x>",
        "",
    ] {
        assert_eq!(parse_mention(bad), None, "{bad}");
    }
}

static RENDERERS: LazyLock<(Arc<Renderer>, Arc<Renderer>)> =
    LazyLock::new(|| (built_in_templates(), with_template(CARELESS).unwrap()));

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_changes_the_structure(text in hostile_text()) {
        let (renderer, careless) = &*RENDERERS;
        let view = view("<@U12345678>");
        let message = with_text(&format!("x{text}"));
        let built_in = renderer.payload(&FORMAT, &message, &view).payload;
        assert_safe(&built_in, &view);
        assert_safe(&careless.payload(&FORMAT, &message, &view).payload, &view);
        assert_safe(&plain(&message, &view), &view);
        let mut cut = skeleton(&built_in);
        // Where the text is cut or a message possibly repeated, its built-in note is one element more.
        if let Some(quote) = cut["blocks"][1]["elements"][1]["elements"].as_array_mut() {
            quote.retain(|element| element["style"]["italic"] != true);
        }
        let plain = skeleton(&renderer.payload(&FORMAT, &with_text("x"), &view).payload);
        prop_assert_eq!(cut, plain);
        let body = Body::of(&message, true).to_json().to_string();
        prop_assert!(serde_json::from_str::<Value>(&body).is_ok());
        prop_assert!(!body.contains(is_unsafe));
    }

    #[test]
    fn no_markup_panics(pieces in prop::collection::vec(prop::sample::select(&[
        "{{", "}}", "{{{", "}}}", "{{#if ", "{{/if}}", "{{else}}", "{{^}}", "~", "review.text", "(", ")", "\\", "=",
        "as |x|", "{{!--", "--}}", "\"", "'", "[", "]", "@root.", "../", "{{{{raw}}}}", "{{{{/raw}}}}", "{{>", "é", " ",
        "$if", "{\"text\":", ",", "}", "1", "null", "\n",
    ][..]), 0..14)) {
        if let Ok(template) = Template::compile(&pieces.concat()) {
            let _ = tokens::check(&template);
        }
    }
}
