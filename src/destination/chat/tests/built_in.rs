//! How the built-in messages read, and what is wrong with templates.

use super::safe::seen;
use super::*;
use serde_json::{Value, json};

fn payload(case: &Case, name: &str) -> Value {
    BUILT_IN.payload(case.format, &SAMPLES[name], &view(Some(case.tokens[0]))).payload
}

#[test]
fn a_review_reads_in_order() {
    let discord = payload(&CASES[0], "everything");
    assert_eq!(discord["content"], "@here");
    let embed = &discord["embeds"][0];
    let read = |value: &Value| seen(value.as_str().unwrap());
    assert_eq!(read(&embed["title"]), "🔴 ★☆☆☆☆ 1 of 5 stars (2/10 on Kiyoh) · Shop NL, Shop BE");
    assert_eq!(
        (&embed["url"], &embed["color"]),
        (&json!("https://reviews.example/shop"), &json!(0xD9_36_3E))
    );
    let said = "Never again**\nParcel broken, nobody answers the phone.\nThree weeks now.";
    assert_eq!(read(&embed["description"]), format!(">>> **{said}"));
    let details = "Kiyoh · by A. Customer · customer@mail.example · en_GB · 14 Mar 2026 17:02 UTC (3 h ago)";
    assert_eq!(read(&embed["fields"][0]["value"]), details);
    let why = "Sent by rule “unhappy customers”: rating 1 is at most 2, website is “Shop NL”.";
    assert_eq!(read(&embed["fields"][1]["value"]), why);
    assert_eq!(embed["footer"]["text"], "Possibly a repeat: an earlier attempt may have arrived.");

    let mattermost = payload(&CASES[1], "everything");
    assert_eq!(mattermost["text"], "@channel");
    let attachment = &mattermost["attachments"][0];
    assert_eq!(read(&attachment["title"]), "🔴 ★☆☆☆☆ 1 of 5 stars (2/10 on Kiyoh) · Shop NL, Shop BE");
    assert_eq!(attachment["title_link"], "https://reviews.example/shop");
    assert_eq!((&attachment["color"], read(&attachment["text"])), (&json!("#D9363E"), format!("**{said}")));
    assert_eq!(read(&attachment["fields"][0]["value"]), details);
    assert_eq!(read(&attachment["fields"][1]["value"]), why);
    assert!(read(&attachment["fallback"]).starts_with("🔴 1/5 · Kiyoh · Shop NL, Shop BE · “Parcel broken"));
}

#[test]
fn other_messages_hold_what_they_are_for() {
    for case in &CASES {
        let text = |name: &str| seen(&payload(case, name).to_string().replace("\\\\", "\\"));
        assert!(text("bare").contains("Rating only, no comment.") && !text("bare").contains("https"));
        assert!(text("edited rating").contains("Edited: 1.5 to 5 stars, after 3 days"));
        assert!(text("edited rating").contains("Before") && text("edited rating").contains("Parcel broken"));
        assert!(text("problem").contains("What to do:") && text("problem").contains(case.tokens[0]));
        assert!(
            text("problem resolved").contains("✅") && !text("problem resolved").contains(case.tokens[0])
        );
        assert!(text("test").contains("Reviews will look like this"));
        assert!(text("digest").contains("█") && text("digest").contains("By website"));
        assert!(text("digest").contains("has not worked for 15 minutes"));
        assert!(text("long digest").contains("that need attention"));
        assert!(
            text("summary").contains("reviews in a short time") && text("summary").contains("By platform")
        );
        let parts = payload(case, "long digest");
        let parts = parts.get("embeds").or(parts.get("attachments")).unwrap().as_array().unwrap().clone();
        assert!((8..=10).contains(&parts.len()), "{}", parts.len());
    }
}

#[test]
fn the_plain_form_is_text_alone() {
    for (case, key) in CASES.iter().zip(["content", "text"]) {
        let message = Message { form: Form::Plain, ..SAMPLES["everything"].clone() };
        let payload = BUILT_IN.payload(case.format, &message, &view(Some(case.tokens[0]))).payload;
        let lines = seen(payload[key].as_str().unwrap());
        let mut lines = lines.lines();
        assert_eq!(lines.next(), Some(case.tokens[0]));
        assert_eq!(lines.next(), Some("🔴 1 of 5 stars (2/10 on Kiyoh) · Shop NL, Shop BE"));
        assert_eq!(lines.next(), Some("“Parcel broken, nobody answers the phone. Three weeks now.”"));
        assert_eq!(lines.last(), Some("<https://reviews.example/shop>"));
        assert!(payload.get("embeds").is_none() && payload.get("attachments").is_none());
    }
}

#[test]
fn mistakes_are_start_up_errors() {
    let mistakes = [
        ("discord", r#"{"content": "{{review.text}}"}"#, "must be fixed or exactly {{#if mention}}"),
        ("discord", r#"{"content": " ", "embeds": []}"#, "has neither `content` nor an embed"),
        ("discord", r#"{"content": "x", "tts": true}"#, "has the key `tts`"),
        (
            "discord",
            r#"{"embeds": [{"title": "x", "image": {"url": "https://x.example"}}]}"#,
            "has the key `image`",
        ),
        ("discord", r#"{"embeds": [{"title": "x", "url": "{{review.text}}"}]}"#, "`url` must be"),
        (
            "discord",
            r#"{"embeds": [{"title": "x", "color": "{{review.text}}"}]}"#,
            "fixed or exactly {{shown.tone}}",
        ),
        ("discord", r#"{"embeds": [{"title": "x", "color": "red"}]}"#, "has a `color`"),
        ("discord", r#"{"embeds": [{"description": "[x]({{review.url}})"}]}"#, "inside a Markdown address"),
        ("discord", r#"{"embeds": {"title": "x"}}"#, "not a list"),
        ("discord", r#"{"embeds": ["x"]}"#, "not an object"),
        ("mattermost", r#"{"text": "@{{review.author}}"}"#, "must be fixed or exactly {{#if mention}}"),
        ("mattermost", r#"{"attachments": []}"#, "has neither `text` nor an attachment"),
        ("mattermost", r#"{"text": "x", "channel": "town-square"}"#, "has the key `channel`"),
        (
            "mattermost",
            r#"{"attachments": [{"text": "x", "title_link": "{{review.author}}"}]}"#,
            "`title_link` must",
        ),
        ("mattermost", r#"{"attachments": [{"text": "x", "color": "red"}]}"#, "has a `color`"),
        (
            "mattermost",
            r#"{"attachments": [{"text": "https://{{review.author}}/"}]}"#,
            "inside a Markdown address",
        ),
        (
            "mattermost",
            r#"{"attachments": [{"text": "x", "image_url": "{{review.url}}"}]}"#,
            "cannot be a template",
        ),
    ];
    // Templates of a name each, so that all are tried at once.
    let file = |index: usize| format!("{}/m{index}/review.json", mistakes[index].0);
    let files: Vec<(String, &str)> =
        (0..mistakes.len()).map(|index| (file(index), mistakes[index].1)).collect();
    let files: Vec<(&str, &str)> = files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let all: Vec<String> = with_files(&files).unwrap_err().iter().map(ToString::to_string).collect();
    for (index, (_, template, expected)) in mistakes.iter().enumerate() {
        let own = |problem: &&String| problem.contains(&file(index)) && problem.contains(expected);
        assert!(all.iter().any(|problem| own(&problem)), "{template}: {all:?}");
    }
    assert!(all.iter().all(|problem| problem.contains("/review.json:")), "{all:?}");
}

#[test]
fn a_mention_written_by_hand_pings_nobody() {
    let renderer = with_files(&[
        ("discord/review.json", r#"{"content": "@everyone <@1>", "embeds": [{"title": "@here"}]}"#),
        ("mattermost/review.json", r#"{"text": "@all", "attachments": [{"text": "@here <!channel>"}]}"#),
    ]);
    let renderer = renderer.unwrap();
    for case in &CASES {
        let payload = renderer.payload(case.format, &SAMPLES["everything"], &view(Some("@jan"))).payload;
        let text = payload.to_string();
        assert!(!["@e", "@1", "@h", "@a", "<!"].iter().any(|ping| text.contains(ping)), "{text}");
    }
}
