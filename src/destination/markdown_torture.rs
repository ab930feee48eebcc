//! Hostile texts in the payloads made of Markdown, through built-in and careless templates: whatever a review says,
//! nobody is pinged by it, nothing is formatted or linked, and the limits hold.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::{discord, mattermost, templates};
use crate::domain::text::is_unsafe;
use crate::domain::{Content, Form, Member, Message, Named, Previous, Subject};
use crate::render::markdown::{ESCAPED, length};
use crate::render::words::ZERO_WIDTH;
use crate::render::{Format, HOSTILE, Mention, Renderer, View, context, samples};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// As careless as templates get: raw values in every field that takes one, Markdown around them.
const CARELESS: [(&str, &str); 2] = [
    (
        "discord/review.json",
        r#"{"content": "{{#if mention}}{{mention.token}}{{/if}}", "embeds": [
          {"title": "{{{review.text}}}", "url": "{{review.url}}", "color": "{{shown.tone}}",
           "description": "**{{{review.text}}}** `{{review.text}}` [{{review.author}}](https://reviews.example/) :{{review.author}}: #{{review.author}}",
           "fields": [{"name": "{{{review.text}}}", "value": "{{review.author}}{{review.text}}{{{review.text}}}", "inline": true},
                      {"$each": "review.websites", "name": "{{item}}", "value": "@{{item}}"}],
           "footer": {"text": "{{{review.text}}}"}},
          {"$each": "review.websites", "description": "{{{review.text}}}{{item}}{{#each review.websites}}{{{this}}}{{/each}}", "url": "https://reviews.example/{{item}}"},
          {"$if": "shown.repeat", "title": " "}]}"#,
    ),
    (
        "mattermost/review.json",
        r#"{"text": "{{#if mention}}{{mention.token}}{{/if}}", "attachments": [
          {"fallback": "{{{review.text}}}", "title": "[{{{review.text}}}](x)", "title_link": "{{review.url}}", "color": "{{shown.tone}}",
           "text": "**{{{review.text}}}** `{{review.text}}` [{{review.author}}](https://reviews.example/) :{{review.author}}: ~{{review.author}}",
           "fields": [{"title": "{{{review.text}}}", "value": "{{review.author}}{{review.text}}{{{review.text}}}", "short": true},
                      {"$each": "review.websites", "title": "@{{item}}", "value": "@{{item}}"}],
           "footer": "@{{{review.text}}}"},
          {"$each": "review.websites", "text": "{{{review.text}}}{{item}}{{#each review.websites}}{{{this}}}{{/each}}", "title_link": "https://reviews.example/{{item}}"},
          {"$if": "shown.repeat", "title": " "}]}"#,
    ),
];

/// A format and two of its mentions.
struct Case {
    format: &'static Format,
    tokens: [&'static str; 2],
}

const CASES: [Case; 2] = [
    Case { format: &discord::FORMAT, tokens: ["@here", "<@&123456789012345678>"] },
    Case { format: &mattermost::FORMAT, tokens: ["@channel", "@team.lead"] },
];

static SAMPLES: LazyLock<BTreeMap<&str, Message>> = LazyLock::new(|| samples().into_iter().collect());
static BUILT_IN: LazyLock<Renderer> = LazyLock::new(|| templates(None).unwrap());
static CARELESSLY: LazyLock<Renderer> = LazyLock::new(|| with_files(&CARELESS).unwrap());

fn with_files(files: &[(&str, &str)]) -> Result<Renderer, Vec<crate::render::TemplateProblem>> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    templates(Some(folder.path()))
}

fn view(token: Option<&str>) -> View {
    let mention = token.map(|token| Mention { token: Some(token.into()), ..Mention::default() });
    let zone = jiff::tz::TimeZone::UTC;
    View { destination: "support".into(), zone, show_email: true, mention, template: None }
}

/// `message` with `text` in every field.
fn with_text(name: &str, text: &str) -> Message {
    let mut message = SAMPLES[name].clone();
    match &mut message.content {
        Content::Review { subject, rules } => {
            fill(subject, text);
            rules[0].because = vec![text.into()];
        }
        Content::Digest(digest) => {
            digest.members.iter_mut().for_each(|Member { subject, .. }| fill(subject, text));
            digest.troubles = vec![text.into()];
        }
        Content::Summary(summary) => {
            summary.reviews.members.iter_mut().for_each(|Member { subject, .. }| fill(subject, text));
        }
        Content::Operator(notice) => (notice.text, notice.hint) = (text.into(), text.into()),
        Content::Test { text: said } => *said = text.into(),
    }
    message
}

fn fill(subject: &mut Subject, text: &str) {
    let some = || Some(text.to_owned());
    let named = || Named { uuid: text.into(), name: text.into() };
    let review = &mut subject.review;
    (review.text, review.title, review.author) = (some(), some(), some());
    (review.language, review.email, review.uuid) = (some(), some(), text.into());
    (subject.source, subject.platform) = (Some(named()), Some(named()));
    subject.websites = vec![named(), named()];
    subject.url = Some("https://reviews.example/shop".into());
    if let Some(Previous { text: before, .. }) = &mut subject.previous {
        *before = Some(format!("before {text}"));
    }
}

/// Every text of `payload` with the path of its keys.
fn texts(value: &Value, path: &str, found: &mut Vec<(String, String)>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| texts(item, path, found)),
        Value::Object(fields) => {
            fields.iter().for_each(|(key, value)| texts(value, &format!("{path}/{key}"), found));
        }
        Value::String(text) => found.push((path.to_owned(), text.clone())),
        _ => {}
    }
}

/// What the receiver must take and nobody must be hurt by. Gives the size of all texts.
fn assert_safe(case: &Case, payload: &Value, token: Option<&str>) -> usize {
    let mut found = Vec::new();
    texts(payload, "", &mut found);
    let discord = case.format.name == "discord";
    let plain = payload.get("embeds").or(payload.get("attachments")).is_none();
    let mut size = 0;
    for (path, text) in &found {
        assert!(!text.contains(is_unsafe) && !text.trim().is_empty(), "{path}: {text:?}");
        if path.starts_with("/allowed_mentions") {
            continue;
        }
        let top = matches!(path.as_str(), "/content" | "/text");
        if path.ends_with("/url") || path.ends_with("/title_link") {
            assert!(text.starts_with("https://reviews.example/"), "{path}: {text}");
            continue;
        }
        size += length(text);
        if top && Some(text.as_str()) == token {
            continue;
        }
        let own = match top && plain {
            true => text.strip_prefix(token.unwrap_or("-")).unwrap_or(text),
            false => text,
        };
        let own = own.replace("](https://reviews.example/)", "]");
        // The plain form ends with the link.
        let end = own.rfind("\n<https://reviews.example/").filter(|_| top && plain && own.ends_with('>'));
        let own = &own[..end.unwrap_or(own.len())];
        assert_inert(own, path);
        assert!(discord || !own.contains('$'), "{path} is a formula: {text}");
        let limit = match path.rsplit('/').next().unwrap() {
            _ if !discord => 12_000,
            "content" => 2_000,
            "title" | "name" => 256,
            "value" => 1_024,
            "text" => 2_048,
            _ => 4_096,
        };
        assert!(length(text) <= limit, "{path}: {}", length(text));
    }
    assert!(size <= if discord { 6_000 + 2_000 } else { 12_000 }, "{size}");
    assert!(payload["embeds"].as_array().is_none_or(|embeds| embeds.len() <= 10));
    if discord {
        let expected = match token {
            None => json!({"parse": []}),
            Some("@here") => json!({"parse": ["everyone"]}),
            Some(_) => json!({"parse": [], "roles": ["123456789012345678"]}),
        };
        assert_eq!(payload["allowed_mentions"], expected);
    }
    size
}

/// Nothing that pings, links or is looked for, wherever the text is read as Markdown or not.
fn assert_inert(text: &str, path: &str) {
    // Discord's footers are shown as they are.
    let literal = path.ends_with("/footer/text");
    let characters: Vec<char> = text.chars().collect();
    for (index, c) in characters.iter().enumerate() {
        let next = characters.get(index + 1).copied().unwrap_or(' ');
        let before = index.checked_sub(1).map_or(' ', |before| characters[before]);
        assert!(*c != '@' || !next.is_alphanumeric(), "{path} pings: {text}");
        assert!(
            literal || *c != '<' || !matches!(next, '@' | '!' | '#' | ':') || before == '\\',
            "{path}: {text}"
        );
        assert!(*c != '.' || !next.is_alphabetic() || !before.is_alphanumeric(), "{path} links: {text}");
    }
    assert!(literal || !text.contains("]("), "{path} links: {text}");
    assert!(!text.contains("://"), "{path} links: {text}");
}

/// What a reader sees: an unescaper of its own, and the look-alikes back.
fn seen(markdown: &str) -> String {
    let mut shown = String::new();
    let mut characters = markdown.chars();
    while let Some(c) = characters.next() {
        shown.extend(match c {
            '\\' => characters.next().filter(|c| c.is_ascii_punctuation() || *c == '\\'),
            ZERO_WIDTH => None,
            '‹' => Some('<'),
            '﹩' => Some('$'),
            c => Some(c),
        });
    }
    shown
}

/// The formatting of a text: every special character that no backslash precedes.
fn formatting(markdown: &str) -> String {
    let mut found = String::new();
    let mut characters = markdown.chars();
    while let Some(c) = characters.next() {
        match c {
            '\\' => drop(characters.next()),
            c if ESCAPED.contains(c) || c == '<' => found.push(c),
            _ => {}
        }
    }
    found
}

/// What a hostile text gives must be made like what a harmless one gives: fields, parts, and formatting.
fn assert_alike(harmless: &Value, hostile: &Value, key: &str, whole: &Value) {
    match (harmless, hostile) {
        (Value::Array(harmless), Value::Array(hostile)) => {
            assert_eq!(harmless.len(), hostile.len(), "{key}: {whole}");
            harmless
                .iter()
                .zip(hostile)
                .for_each(|(harmless, hostile)| assert_alike(harmless, hostile, key, whole));
        }
        (Value::Object(harmless), Value::Object(hostile)) => {
            let keys = |fields: &serde_json::Map<String, Value>| fields.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(harmless), keys(hostile), "{key}: {whole}");
            harmless.iter().for_each(|(key, value)| assert_alike(value, &hostile[key], key, whole));
        }
        (Value::String(_), Value::String(_)) if ["url", "title_link"].contains(&key) => {}
        (Value::String(harmless), Value::String(hostile)) => {
            let mattermost = whole.get("attachments").is_some();
            if mattermost && ["title", "footer", "fallback"].contains(&key) {
                assert!(
                    !hostile.contains(['*', '_', '~', '`', '[', ']', '<', '>', '#', '|', '\\', '$']),
                    "{hostile}"
                );
            } else if let Some(at) = hostile.rfind("… (").filter(|_| is_cut(hostile)) {
                // What stood behind the cut is gone.
                assert!(formatting(harmless).starts_with(&formatting(&hostile[..at])), "{hostile}");
            } else if key != "text" || mattermost || whole.get("embeds").is_none() {
                assert_eq!(formatting(harmless), formatting(hostile), "{hostile}");
            }
        }
        (harmless, hostile) => assert_eq!(harmless, hostile),
    }
}

fn is_cut(text: &str) -> bool {
    text.ends_with(" more characters)") || text.ends_with(" more character)")
}

/// The text that shows what the customer said.
fn said<'a>(case: &Case, payload: &'a Value) -> &'a str {
    let shown = match case.format.name {
        "discord" => &payload["embeds"][0]["description"],
        _ => &payload["attachments"][0]["text"],
    };
    shown.as_str().unwrap()
}

fn assert_readable(case: &Case, message: &Message, payload: &Value, view: &View) {
    let context = context::context(message, view);
    let (shown, text) = (said(case, payload), context["shown"]["text"].as_str().unwrap());
    let same = |text: &str| text.replace(ZERO_WIDTH, "").replace('‹', "<").replace('﹩', "$");
    assert!(is_cut(shown) || seen(shown).contains(&same(text)), "{shown:?} shows not {text:?}");
}

/// The largest payload of each case, over every sample in both forms and longest texts.
#[test]
fn every_sample_in_both_forms_is_safe_and_within_limits() {
    let long = [
        "😀".repeat(9_000),
        "#*".repeat(9_000),
        "\u{1F468}\u{200D}\u{1F469} ".repeat(3_000),
        "é\n".repeat(9_000),
    ];
    for case in &CASES {
        let mut largest = (0, 0, String::new());
        for token in [None, Some(case.tokens[0]), Some(case.tokens[1])] {
            let view = view(token);
            let kinds = ["everything", "edited text", "long digest", "long summary", "trouble", "test"];
            let made = long.iter().flat_map(|text| kinds.map(|kind| (kind, with_text(kind, text))));
            for (name, mut message) in samples().into_iter().chain(made) {
                let pings = context::mention(&message, &view).and(token);
                for renderer in [&*BUILT_IN, &*CARELESSLY] {
                    let rendered = renderer.payload(case.format, &message, &view);
                    assert_eq!(rendered.fallback, None, "{name}");
                    let size = assert_safe(case, &rendered.payload, pings);
                    let bytes = rendered.payload.to_string().len();
                    largest = largest.max((size, bytes, name.to_owned()));
                }
                message.form = Form::Plain;
                assert_safe(case, &BUILT_IN.payload(case.format, &message, &view).payload, pings);
            }
        }
        println!("largest for {}: {} units, {} bytes, {}", case.format.name, largest.0, largest.1, largest.2);
    }
}

#[test]
fn hostile_texts_change_nothing_but_what_is_read() {
    let kinds = ["everything", "edited text", "trouble", "test", "digest", "summary"];
    for case in &CASES {
        let view = view(Some(case.tokens[1]));
        let give =
            |kind: &str, text: &str| BUILT_IN.payload(case.format, &with_text(kind, text), &view).payload;
        for kind in kinds {
            let harmless = give(kind, "x");
            for text in HOSTILE {
                let text = format!("x{text}");
                assert_alike(&harmless, &give(kind, &text), "", &harmless);
            }
        }
        for text in HOSTILE {
            let message = with_text("everything", text);
            assert_readable(case, &message, &give("everything", text), &view);
        }
    }
}

/// A fast generator (xorshift): the same texts each time.
struct Texts(u64);

impl Texts {
    fn next(&mut self, below: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % below
    }

    fn text(&mut self) -> String {
        const PIECES: &[&str] = &[
            "*",
            "**",
            "_",
            "__",
            "~",
            "~~",
            "`",
            "```",
            "\\",
            "\\\\",
            "#",
            "# ",
            "\n",
            "\n\n",
            "\n===\n",
            "\n---\n",
            "\n    ",
            "\t",
            "> ",
            ">>> ",
            "- ",
            "1. ",
            "|",
            "\n|-|-|\n",
            "[",
            "](",
            ")",
            "(https://evil.example)",
            "https://evil.example/",
            "www.evil.example",
            "evil.example/x",
            "a@evil.example",
            "@",
            "@here",
            "@everyone",
            "@channel",
            "<@",
            "<@&1>",
            "<!here>",
            "<#1>",
            "<:e:1>",
            "<http://evil.example|x>",
            "<",
            ">",
            ":",
            ":tada:",
            ":)",
            "&",
            "&lt;",
            "&#64;here",
            "$x$",
            "$",
            "=",
            "!",
            "![x](//evil.example)",
            "{",
            "}",
            "{{x}}",
            "\u{200B}",
            "\u{2424}",
            "\u{202E}",
            "\u{0}",
            "\u{a0}",
            "😀",
            "e\u{301}\u{302}",
            "here",
            "channel",
            "mailto:x",
            "tel:1",
            "~town-square",
            "<t:1:R>",
            "word ",
            " ",
            "é",
            "字",
            ".",
            "10:30",
            "‹",
            "﹩",
            "http:",
            "//evil",
        ];
        let mut text = String::from("x");
        for _ in 0..=self.next(14) {
            match self.next(12) {
                0 => text.extend(char::from_u32(u32::try_from(self.next(0x3000)).unwrap())),
                1 => text.push_str(&PIECES[self.next(PIECES.len())].repeat(1 + self.next(40))),
                _ => text.push_str(PIECES[self.next(PIECES.len())]),
            }
        }
        text
    }
}

#[test]
fn ten_thousand_texts_are_inert_and_readable() {
    let mut generator = Texts(0x9E37_79B9_7F4A_7C15);
    let made: Vec<String> = (0..10_000).map(|_| generator.text()).collect();
    std::thread::scope(|scope| {
        for case in &CASES {
            let made = &made;
            scope.spawn(move || {
                let token = Some(case.tokens[1]);
                let view = view(token);
                let give = |renderer: &Renderer, message: &Message| {
                    renderer.payload(case.format, message, &view).payload
                };
                let harmless = give(&BUILT_IN, &with_text("everything", "x"));
                for (index, text) in made.iter().enumerate() {
                    let message = with_text("everything", text);
                    let payload = give(&BUILT_IN, &message);
                    assert_safe(case, &payload, token);
                    assert_alike(&harmless, &payload, "", &harmless);
                    assert_readable(case, &message, &payload, &view);
                    if index % 10 == 0 {
                        assert_safe(case, &give(&CARELESSLY, &message), token);
                        assert_safe(case, &(case.format.plain)(&message, &view), token);
                    }
                    if index % 50 == 0 {
                        assert_safe(case, &give(&BUILT_IN, &with_text("digest", text)), token);
                    }
                }
            });
        }
    });
}
