//! What Google Chat's cards and texts hold, and how they are read.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::limits::{MAX_BYTES, MAX_WIDGETS};
use super::markup::{cut_html, inert};
use super::*;
use crate::domain::{Form, Message};
use crate::presentation::{Own, View, sample};
use crate::template::Renderer;
use serde_json::{Value, json};
use std::sync::LazyLock;

static RENDERER: LazyLock<Renderer> = LazyLock::new(|| Renderer::load(None, &[&FORMAT]).unwrap());

fn view() -> View {
    let zone = jiff::tz::TimeZone::get("Europe/Amsterdam").unwrap();
    let mention = parse_mention("<users/all>");
    View {
        destination: "support".into(),
        zone,
        show_email: false,
        mention,
        template: None,
        own: Own::default(),
    }
}

fn payload(name: &str) -> Value {
    let rendered = RENDERER.payload(&FORMAT, &sample(name), &view());
    assert_eq!(rendered.fallback, None, "{name}");
    rendered.payload
}

fn plain(name: &str) -> String {
    let message = Message { form: Form::Plain, ..sample(name) };
    let payload = RENDERER.payload(&FORMAT, &message, &view()).payload;
    assert_eq!(payload.as_object().unwrap().len(), 1);
    payload["text"].as_str().unwrap().to_owned()
}

/// What people read of a card, in order.
fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) => items.iter().flat_map(texts).collect(),
        Value::Object(fields) => {
            let order =
                ["title", "subtitle", "topLabel", "text", "bottomLabel", "header", "sections", "widgets"];
            let more = ["cardsV2", "card", "textParagraph", "decoratedText", "buttonList", "buttons"];
            order.iter().chain(&more).filter_map(|key| fields.get(*key)).flat_map(texts).collect()
        }
        Value::String(text) => vec![text.clone()],
        _ => Vec::new(),
    }
}

#[test]
fn the_built_in_card_reads_in_order() {
    assert_eq!(
        texts(&payload("everything")),
        [
            "<users/all>",
            "🔴 ★☆☆☆☆ 1 of 5 stars (2/10 on Kiyoh)",
            "Shop NL, Shop BE",
            "<b>Never again</b>",
            "Parcel broken, nobody answers the phone.<br>Three weeks now.",
            "Kiyoh · by A. Customer · en_GB · 14 Mar 2026 18:02 CET (3 h ago)",
            "<i>Sent by rule “unhappy customers”: rating 1 is at most 2, website is “Shop NL”.</i>",
            "<i>Possibly a repeat: an earlier attempt may have arrived.</i>",
            "Open on Kiyoh",
        ]
    );
    let everything = payload("everything");
    assert!(
        everything["fallbackText"].as_str().unwrap().starts_with("🔴 1/5 · Kiyoh · Shop NL, Shop BE · “")
    );
    let said = |name: &str| texts(&payload(name)).join("\n");
    assert!(said("edited rating").contains("✏️ Edited: 1.5 to 5 stars, after 3 days"));
    assert!(said("edited rating").contains("Before\n<i>“Parcel broken"));
    assert!(said("bare").contains("<i>Rating only, no comment.</i>") && !said("bare").contains("Open on"));
    assert!(said("20,000 characters").contains("more characters)"));
    assert!(said("digest").contains("5 ★ ████████████ 2<br>4 ★  0<br>"), "{}", said("digest"));
    assert!(said("digest").contains("<a href=\"https://reviews.example/shop\">Open on Kiyoh</a>"));
    assert!(said("digest").contains("By website\nShop NL: 3 reviews"), "{}", said("digest"));
    assert!(said("long summary").contains("<i>and 61 more</i>"), "{}", said("long summary"));
    assert!(said("problem").contains("What to do\nPut a new URL into “destinations.support.webhook_url”."));
    assert!(payload("problem resolved").get("text").is_none(), "good news pings nobody");
    assert!(payload("test").get("text").is_none());
}

#[test]
fn values_are_no_markup() {
    let said = texts(&payload("links")).join("\n");
    assert!(
        said.contains("&lt;https:\u{200B}//evil\u{200B}.example|Log in&gt; &amp;lt;!here&amp;gt;"),
        "{said}"
    );
    assert!(said.contains("Open on <https://evil.example|Log in>"), "a button is shown as it is: {said}");
    for (text, expected) in [
        ("*b* _i_ ~s~ `c`", "∗b∗ ˍiˍ ˜s˜ ˋcˋ"),
        ("<users/all>", "‹users/all›"),
        ("<https://evil.example|x>", "‹https:\u{200B}//evil\u{200B}.example∣x›"),
        ("- item\n* item", "‐ item ∗ item"),
    ] {
        assert_eq!(inert(text), expected);
    }
}

#[test]
fn the_plain_form_is_text_alone() {
    assert_eq!(
        plain("everything"),
        "<users/all>\n🔴 1 of 5 stars (2/10 on Kiyoh) · Shop NL, Shop BE\n“Parcel broken, nobody answers the phone. Three \
         weeks now.”\nKiyoh · by A. Customer · enˍGB · 14 Mar 2026 18:02 CET (3 h ago)\nPossibly a repeat: an earlier \
         attempt may have arrived.\n<https://reviews.example/shop|Open on Kiyoh>"
    );
    assert!(!plain("digest").contains("<users/all>") && plain("summary").starts_with("<users/all>\n"));
    assert!(plain("problem").contains("“destinations.support.webhook_url”"));
    assert!(!plain("pings").contains("<!") && !plain("links").contains("<https://evil"));
}

#[test]
fn html_is_cut_between_its_parts() {
    let cut = |html: &str, limit| cut_html(html, limit, 3_000);
    assert_eq!(cut("<b>a&amp;b</b> c", usize::MAX), "<b>a&amp;b</b> c");
    assert_eq!(cut("<b>a&amp;b</b> c", 2), "<b>a&amp;</b>… (3 more characters)");
    assert_eq!(cut("a<br/>b<i>c</i>", 1), "a<br>… (2 more characters)");
    assert_eq!(cut(&"👨‍👩‍👧‍👦".repeat(3), 1), "… (3 more characters)", "code points count, too");
    // What is no tag here is none there.
    assert_eq!(cut("<img src=x><b onclick=y>t</b></i> 1 < 2 <b>u", usize::MAX), "t 1 &lt; 2 <b>u</b>");
    assert_eq!(
        cut("<font color=\"#D93025\">x</font><font color=\"red\">y</font>", 9),
        "<font color=\"#D93025\">x</font>y"
    );
    let link = "<a href=\"https:\u{200B}//a\u{200B}.example/?b=1&amp;c\">d</a>";
    assert_eq!(cut(link, 9), "<a href=\"https://a.example/?b=1&amp;c\">d</a>");
    assert_eq!(cut_html(link, 9, 10), "d");
    assert_eq!(cut("<a href=\"javascript:x\">d</a>", 9), "d");
}

fn with_review(template: &Value) -> Result<Renderer, Vec<String>> {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("google_chat")).unwrap();
    std::fs::write(dir.path().join("google_chat/review.json"), template.to_string()).unwrap();
    let loaded = Renderer::load(Some(dir.path()), &[&FORMAT]);
    loaded.map_err(|problems| problems.iter().map(ToString::to_string).collect())
}

fn card(widgets: &Value) -> Value {
    json!({"cardsV2": [{"cardId": "x", "card": {"sections": [{"widgets": widgets}]}}]})
}

#[test]
fn mistakes_are_start_up_errors() {
    let paragraph = |text: &str| card(&json!([{"textParagraph": {"text": text}}]));
    for (template, expected) in [
        (json!({"text": "x"}), "has no list of `cardsV2`"),
        (json!({"text": "{{review.text}}"}), "`text` must be fixed or exactly {{#if mention}}"),
        (json!({"cardsV2": [], "thread": {}}), "has the key `thread` in the message"),
        (json!({"cardsV2": []}), "exactly one of `cardsV2`"),
        (json!({"cardsV2": [{"card": {}}]}), "a card without `sections`"),
        (card(&json!([])), "a card without content"),
        (card(&json!([{"image": {"imageUrl": "{{review.url}}"}}])), "`imageUrl` cannot be a template"),
        (card(&json!([{"image": {"imageUrl": "https://x"}}])), "has the key `image` in a widget"),
        (
            card(&json!([{"textParagraph": {"text": "x", "textSyntax": "MARKDOWN"}}])),
            "has the key `textSyntax`",
        ),
        (
            card(
                &json!([{"buttonList": {"buttons": [{"onClick": {"openLink": {"url": "{{review.text}}"}}}]}}]),
            ),
            "`url` must be",
        ),
        (card(&json!([{"buttonList": {"buttons": [{"onClick": {"action": {}}}]}}])), "has the key `action`"),
        (paragraph("{{reviw.text}}"), "did you mean `review.text`?"),
        (paragraph("<a href=\"{{review.author}}\">x</a>"), "inside a tag, a value is only allowed in a link"),
        (paragraph("<font color={{shown.tone}}>x</font>"), "inside a tag, a value needs quotes"),
        (paragraph(&"x".repeat(2 * MAX_BYTES)), ""),
    ] {
        let found = with_review(&template).map(drop);
        match expected {
            "" => assert!(found.is_ok(), "what is too long is cut: {found:?}"),
            part => assert!(
                found.as_ref().is_err_and(|all| all.iter().any(|what| what.contains(part))),
                "{template}: {found:?}"
            ),
        }
    }
}

#[test]
fn too_many_widgets_are_counted_and_too_long_links_dropped() {
    let widgets = vec![json!({"textParagraph": {"text": "{{shown.quote}}"}}); 3 * MAX_WIDGETS];
    let many =
        with_review(&card(&widgets.into())).unwrap().payload(&FORMAT, &sample("everything"), &view()).payload;
    let said = texts(&many);
    assert_eq!((said.len(), said[99].as_str()), (MAX_WIDGETS, "<i>… (201 more parts)</i>"));
    let mut message = sample("everything");
    let crate::domain::Content::Review { subject, .. } = &mut message.content else { panic!("no review") };
    subject.url = Some(format!("https://reviews.example/{}", "x".repeat(2_900)));
    let link = json!({"textParagraph": {"text": "<a href=\"{{review.url}}\">{{shown.link}}</a>"}});
    for (count, kept) in [(6, true), (12, false)] {
        let widgets = card(&vec![link.clone(); count].into());
        let rendered = with_review(&widgets).unwrap().payload(&FORMAT, &message, &view());
        assert_eq!(rendered.fallback, None);
        let text = rendered.payload.to_string();
        assert!(text.len() <= MAX_BYTES && text.contains("Open on Kiyoh"), "{text}");
        assert_eq!(text.contains("<a "), kept, "{text}");
    }
}

#[test]
fn settings_are_read() {
    for (text, token) in [
        (" <users/all> ", Some("<users/all>")),
        ("<users/112233445566778899001>", Some("<users/112233445566778899001>")),
        ("<users/>", None),
        ("<users/a|b>", None),
        ("users/all", None),
        ("@all", None),
        ("<users/all> <users/1>", None),
    ] {
        let mention = parse_mention(text);
        assert_eq!(mention.map(|mention| mention.token).as_deref(), token, "{text}");
    }
    let space = "https://chat.googleapis.com/v1/spaces/A/messages";
    for (query, incomplete) in
        [("?key=a&token=b", false), ("?key=a", true), ("?key=a&token=", true), ("", true)]
    {
        assert_eq!(is_incomplete(&Secret::new(format!("{space}{query}"))), incomplete, "{query}");
    }
    assert!(!is_incomplete(&Secret::new("http://127.0.0.1:1/google_chat/support")));
}
