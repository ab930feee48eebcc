//! Hostile texts in the payloads made of Markdown, through built-in and careless templates: whatever a review says,
//! nobody is pinged by it, nothing is formatted or linked, and the limits hold.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod built_in;
mod safe;
mod texts;

use crate::destination::{built_in_templates, discord, mattermost, templates};
use crate::domain::{Content, Form, Member, Message, MessageKind, Named, Previous, Subject};
use crate::presentation::{HOSTILE, Mention, Own, View, context, samples};
use crate::template::{Format, Renderer, TemplateProblem};
use crate::tier;
use safe::{assert_alike, assert_readable, assert_safe};
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};
use texts::Texts;

/// As careless as templates get: raw values in every field that takes one, Markdown around them.
const CARELESS: [(&str, &str); 2] = [
    (
        "discord/review.json",
        r#"{"content": "{{#if mention}}{{mention.token}}{{/if}}", "embeds": [
          {"title": "{{{review.text}}}", "url": "{{review.url}}", "color": "{{shown.tone}}",
           "description": "**{{{review.text}}}** `{{review.text}}` [{{review.author}}](https://reviews.example/) :{{review.author}}: #{{review.author}}",
           "fields": [{"name": "{{{review.text}}}", "value": "{{review.author}}{{review.text}}{{{review.text}}} x", "inline": true},
                      {"$each": "review.websites", "name": "{{item}}", "value": "@{{item}}"}],
           "footer": {"text": "{{{review.text}}}"}},
          {"$each": "review.websites", "description": "{{{review.text}}}{{item}}{{#each review.websites}}{{{this}}}{{/each}} x", "url": "https://reviews.example/{{item}}"},
          {"$if": "shown.repeat", "title": " "}]}"#,
    ),
    (
        "mattermost/review.json",
        r#"{"text": "{{#if mention}}{{mention.token}}{{/if}}", "attachments": [
          {"fallback": "{{{review.text}}}", "title": "[{{{review.text}}}](x)", "title_link": "{{review.url}}", "color": "{{shown.tone}}",
           "text": "**{{{review.text}}}** `{{review.text}}` [{{review.author}}](https://reviews.example/) :{{review.author}}: ~{{review.author}}",
           "fields": [{"title": "{{{review.text}}} x", "value": "{{review.author}}{{review.text}}{{{review.text}}} x", "short": true},
                      {"$each": "review.websites", "title": "@{{item}}", "value": "@{{item}}"}],
           "footer": "@{{{review.text}}}"},
          {"$each": "review.websites", "text": "{{{review.text}}}{{item}}{{#each review.websites}}{{{this}}}{{/each}} x", "title_link": "https://reviews.example/{{item}}"},
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
static BUILT_IN: LazyLock<Arc<Renderer>> = LazyLock::new(built_in_templates);
static CARELESSLY: LazyLock<Arc<Renderer>> = LazyLock::new(|| with_files(&CARELESS).unwrap());

fn with_files(files: &[(&str, &str)]) -> Result<Arc<Renderer>, Vec<TemplateProblem>> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let file = folder.path().join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    templates(Some(folder.path()))
}

fn view(token: Option<&str>) -> View {
    let mention = token.map(Mention::new);
    let zone = jiff::tz::TimeZone::UTC;
    View {
        destination: "support".into(),
        zone,
        show_email: true,
        mention,
        template: None,
        own: Own::default(),
    }
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

#[test]
fn every_sample_in_both_forms_is_safe_and_within_limits() {
    let long = [
        "😀".repeat(2_500),
        "#*".repeat(2_500),
        "\u{1F468}\u{200D}\u{1F469} ".repeat(700),
        "é\n".repeat(900),
    ];
    for case in &CASES {
        let mut largest = (0, 0, "");
        for token in [None, Some(case.tokens[0]), Some(case.tokens[1])] {
            let view = view(token);
            let kinds = ["everything", "digest", "problem"];
            let kinds = &kinds[..if token.is_none() { kinds.len() } else { 1 }];
            let long = long.iter().flat_map(|text| kinds.iter().map(|kind| (*kind, with_text(kind, text))));
            for (name, mut message) in SAMPLES.clone().into_iter().chain(long) {
                let pings = context::mention(&message, &view).and(token);
                let own = message.content.kind() == MessageKind::Review;
                for renderer in [Some(&*BUILT_IN), own.then(|| &*CARELESSLY)].into_iter().flatten() {
                    let rendered = renderer.payload(case.format, &message, &view);
                    assert_eq!(rendered.fallback, None, "{name}");
                    let size = assert_safe(case, &rendered.payload, pings);
                    largest = largest.max((size, rendered.payload.to_string().len(), name));
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
    let kinds = ["everything", "edited text", "problem", "test", "digest", "summary"];
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

#[test]
fn texts_of_nasty_pieces_are_inert_and_readable() {
    let mut generator = Texts(0x9E37_79B9_7F4A_7C15);
    let tried = tier::hostile_texts_for_each();
    let made: Vec<(u64, String)> = (0..tried.end).map(|number| (number, generator.text())).collect();
    let made = &made[usize::try_from(tried.start).unwrap()..];
    std::thread::scope(|scope| {
        for case in &CASES {
            scope.spawn(move || {
                let token = Some(case.tokens[1]);
                let view = view(token);
                let give = |renderer: &Renderer, message: &Message| {
                    renderer.payload(case.format, message, &view).payload
                };
                let harmless = give(&BUILT_IN, &with_text("everything", "x"));
                for (index, text) in made {
                    let message = with_text("everything", text);
                    let payload = give(&BUILT_IN, &message);
                    assert_safe(case, &payload, token);
                    assert_alike(&harmless, &payload, "", &harmless);
                    if index % 4 == 0 {
                        assert_readable(case, &message, &payload, &view);
                    }
                    if index % 20 == 0 {
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
