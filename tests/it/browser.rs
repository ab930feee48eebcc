//! What readers get to see, in a browser: cards by Microsoft's own renderer, mails at the width of a telephone. It
//! needs Chromium, and npm for the renderer, which is installed into `target/oracles/web` on demand.

use crate::harness::component::{BROWSER, chromium};
use crate::oracles::{messages, view};
use review_bridge::destination::email::Mail;
use review_bridge::destination::{teams, templates};
use review_bridge::domain::Message;
use review_bridge::presentation::HOSTILE;
use review_bridge::presentation::words::clean;
use serde_json::{Value, json};
use std::path::Path;
use std::process::Stdio;

/// Where the links of samples lead; the last is of a name beyond ASCII.
const REVIEWS: &[&str] = &["https://reviews.example/", "http://reviews.example/", "https://xn--"];

fn leads_to_a_review(url: &str) -> bool {
    REVIEWS.iter().any(|own| url.starts_with(own))
}

/// What the templates of cards are drawn with, plain form included: Markdown makes the paragraphs.
const CARD_TAGS: &[&str] = &["div", "span", "p", "br", "button", "a"];

/// What the templates of mails are made of; the only script is the trap.
const MAIL_TAGS: &[&str] = &[
    "html", "head", "meta", "title", "style", "body", "div", "table", "tbody", "tr", "td", "th", "p", "a",
    "br", "em", "strong", "span", "script",
];

/// What the browser says of a page that holds `cases`. It reaches nothing but files of this machine.
fn open(cases: &Value) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = root.join("target/oracles/web/node_modules");
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("page.html");
    let scripts = [
        modules.join("adaptivecards/dist/adaptivecards.min.js"),
        modules.join("markdown-it/dist/markdown-it.min.js"),
        root.join("tests/oracles/web/page.js"),
    ];
    let scripts = scripts.map(|script| format!("<script src=\"file://{}\"></script>\n", script.display()));
    // In JSON an escape says the same as the character.
    let cases = cases.to_string().replace('<', "\\u003c");
    let html = format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<script type=\"application/json\" id=\"cases\">{cases}</script>\n\
         <div id=\"cards\"></div><div id=\"mails\"></div>\n{}",
        scripts.concat()
    );
    std::fs::write(&page, html).unwrap();
    let quiet =
        ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
    let output = chromium()
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--dump-dom"])
        .args(quiet)
        .arg("--host-resolver-rules=MAP * ~NOTFOUND")
        .arg(format!("--user-data-dir={}", folder.path().join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .stderr(Stdio::null())
        .output()
        .unwrap();
    let dom = String::from_utf8(output.stdout).unwrap();
    let report = dom.split_once("<pre id=\"report\">").and_then(|(_, rest)| rest.split_once("</pre>"));
    let (report, _) = report.unwrap_or_else(|| panic!("the page did not end: {dom}"));
    serde_json::from_str(report).unwrap()
}

/// A text without its white space: a line break is an element of its own.
fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Every text that a card shows, in its order.
fn texts(value: &Value, found: &mut String) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
        Value::Object(fields) => {
            let shown = match fields.get("type").and_then(Value::as_str) {
                Some("TextRun" | "TextBlock") => fields.get("text"),
                Some("Action.OpenUrl") => fields.get("title"),
                _ => None,
            };
            if let Some(text) = shown.and_then(Value::as_str) {
                found.push_str(&squeezed(text));
                return;
            }
            ["body", "items", "inlines", "actions"].iter().for_each(|key| texts(&value[key], found));
        }
        _ => {}
    }
}

fn strings(value: &Value) -> Vec<&str> {
    value.as_array().unwrap().iter().map(|item| item.as_str().unwrap()).collect()
}

/// No element but `tags`, no way but to the review, nothing that loads or runs.
fn assert_inert(seen: &Value, tags: &[&str]) {
    let name = &seen["name"];
    for tag in strings(&seen["tags"]) {
        assert!(tags.contains(&tag), "{name} has <{tag}>");
    }
    for link in strings(&seen["links"]) {
        assert!(leads_to_a_review(link), "{name} leads to {link}");
    }
    assert_eq!((&seen["loads"], &seen["handlers"]), (&json!([]), &json!([])), "{name}");
}

/// A card that shows `text` in a `TextBlock`, which is read as Markdown.
fn markdown(text: &str) -> Value {
    json!({"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "TextBlock", "wrap": true, "text": text}]})
}

#[test]
fn cards_show_what_the_review_says_and_nothing_else() {
    if !BROWSER.is_here() {
        return;
    }
    let (renderer, view) = (templates(None).unwrap(), view());
    let card = |(name, message): &(String, Message)| {
        let payload = renderer.payload(&teams::FORMAT, message, &view).payload;
        json!({"name": name, "card": payload["attachments"][0]["content"]})
    };
    let mut cards: Vec<Value> = messages().iter().map(card).collect();
    // No template of ours has text that is read as Markdown, but somebody's own may.
    cards.extend(
        HOSTILE.iter().map(|text| json!({"name": text, "card": markdown(&teams::inert(&clean(text)))})),
    );
    let report = open(&json!({"cards": cards, "mails": []}));
    let seen = report["cards"].as_array().unwrap();
    assert_eq!(seen.len(), cards.len());
    for (case, seen) in cards.iter().zip(seen) {
        let name = &case["name"];
        assert_eq!(seen["problems"], json!([]), "{name}");
        assert_inert(seen, CARD_TAGS);
        let mut expected = String::new();
        texts(&case["card"], &mut expected);
        assert_eq!(squeezed(seen["text"].as_str().unwrap()), expected, "{name}");
        let pressed = strings(&seen["pressed"]);
        assert!(pressed.iter().all(|url| leads_to_a_review(url)), "{name}: {pressed:?}");
        assert_eq!(pressed.is_empty(), !case["card"].to_string().contains("Action.OpenUrl"), "{name}");
    }
    assert_eq!(report["trapped"], json!([]));
}

#[test]
fn mails_show_text_and_load_nothing() {
    if !BROWSER.is_here() {
        return;
    }
    let (renderer, view) = (templates(None).unwrap(), view());
    let mail = |(name, message): &(String, Message)| {
        Mail::of(&renderer, message, &view).html.map(|html| json!({"name": name, "html": html}))
    };
    let mails: Vec<Value> = messages().iter().filter_map(mail).collect();
    let report = open(&json!({"cards": [], "mails": mails}));
    let seen = report["mails"].as_array().unwrap();
    assert_eq!(seen.len(), mails.len());
    for seen in seen {
        let name = &seen["name"];
        assert_inert(seen, MAIL_TAGS);
        assert_eq!((&seen["scripts"], &seen["requests"]), (&json!(1), &json!([])), "{name}");
        assert!(seen["width"].as_u64().unwrap() <= 360, "{name} is {} wide", seen["width"]);
    }
    assert_eq!(report["trapped"], json!([]));
}

/// What the tests above look for is seen where it is there.
#[test]
fn the_browser_sees_what_is_wrong() {
    if !BROWSER.is_here() {
        return;
    }
    let link = "**bold** [link](https://evil.example) https://evil.example <img src=x onerror=alert(1)>";
    let unknown = json!({"type": "AdaptiveCard", "version": "1.5", "body": [{"type": "Unknown"}]});
    let wide = "<html><head></head><body><p style=\"width:400px;background:url(http://evil.invalid/a)\">\
        <script>alert(1)</script><img src=http://evil.invalid/b onload=x()><a href=http://evil.invalid>x</a></p></body></html>";
    let cards =
        [json!({"name": "formatted", "card": markdown(link)}), json!({"name": "wrong", "card": unknown})];
    let report = open(&json!({"cards": cards, "mails": [{"name": "mail", "html": wide}]}));
    let [formatted, wrong] = &report["cards"].as_array().unwrap()[..] else { panic!("{report}") };
    for tag in ["strong", "a", "img"] {
        assert!(strings(&formatted["tags"]).contains(&tag), "{formatted}");
    }
    assert_eq!(formatted["links"], json!(["https://evil.example", "https://evil.example"]));
    assert_ne!(wrong["problems"], json!([]));
    let mail = &report["mails"][0];
    assert_eq!((&mail["scripts"], &mail["width"]), (&json!(2), &json!(408)), "{mail}");
    let mut requests = strings(&mail["requests"]);
    requests.sort_unstable();
    assert_eq!(requests, ["http://evil.invalid/a", "http://evil.invalid/b"]);
    assert_eq!((&mail["handlers"], &mail["links"]), (&json!(["onload"]), &json!(["http://evil.invalid"])));
    let mut trapped = strings(&report["trapped"]);
    trapped.sort_unstable();
    assert_eq!(trapped, ["1", "mail"]);
}
