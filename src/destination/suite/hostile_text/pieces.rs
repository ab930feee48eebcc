//! Texts made of hostile pieces by a seeded generator, spread over the kinds; in the full tier each gets ten thousand.
//! What they must not change is the payload's structure.

use super::{TARGETS, checked};
use crate::domain::{Content, Form, Member, Message, Named, Previous, Subject};
use crate::presentation::{HOSTILE, sample};
use crate::tier;
use serde_json::Value;
use std::collections::BTreeMap;

/// What is put together beside the hostile texts of the samples.
const PIECES: &[&str] = &[
    "<",
    ">",
    "&",
    "&amp;",
    "&lt;",
    "&#x3c;",
    "\"",
    "'",
    "\\",
    "/",
    "{{",
    "}}",
    "{{{",
    "${",
    "%}",
    "|",
    "]",
    "](",
    "[",
    "(",
    ")",
    "*",
    "_",
    "~",
    "`",
    "```",
    "#",
    "- ",
    "1. ",
    "\n",
    "\r\n",
    "\t",
    "\u{0}",
    "\u{1b}[",
    "\u{202E}",
    "\u{2066}",
    "\u{200B}",
    "\u{200D}",
    "\u{FEFF}",
    "\u{2028}",
    "\u{301}",
    "\u{E0041}",
    "\u{FFFD}",
    "\u{A0}",
    ":",
    ".",
    "@",
    "!",
    "=",
    "<!here>",
    "<!channel",
    "<@U123>",
    "<users/all>",
    "<at>",
    "</a>",
    "<br>",
    "<b>",
    "@everyone",
    "@here",
    "@channel",
    "https://evil.example/",
    "http://",
    "www.evil.example",
    "a@evil.example",
    "javascript:",
    "<https://evil.example|x>",
    "<a href=\"https://evil.example\">",
    "](https://evil.example)",
    "😀",
    "👨‍👩‍👧‍👦",
    "🇳🇱",
    "1️⃣",
    "é",
    "ش",
    "文",
    "word ",
    "lang ",
];

/// Messages that are filled with texts.
const MESSAGES: &[&str] = &["everything", "edited text", "problem", "test", "digest", "summary"];

fn text(random: &mut fastrand::Rng) -> String {
    let mut text = String::new();
    for _ in 0..random.usize(0..10) {
        let piece = match random.u8(0..20) {
            0 => HOSTILE[random.usize(..HOSTILE.len())],
            _ => PIECES[random.usize(..PIECES.len())],
        };
        let times = if random.u8(0..60) == 0 { random.usize(1..200) } else { 1 };
        text.push_str(&piece.repeat(times));
    }
    text
}

/// `sample` with texts in every field, each of which begins with a number of its own: none is empty, and no two
/// websites have one name, for both change what is shown.
fn message(sample: &Message, form: Form, mut text: impl FnMut() -> String) -> Message {
    let mut message = Message { form, ..sample.clone() };
    let mut number = 10;
    let mut next = || {
        number += 1;
        format!("x{number}{}", text())
    };
    match &mut message.content {
        Content::Review { subject, rules } => {
            fill(subject, &mut next);
            rules.iter_mut().for_each(|hit| hit.because = vec![next()]);
        }
        Content::Digest(digest) => {
            let member = |member: &mut Member| fill(&mut member.subject, &mut next);
            digest.members.iter_mut().for_each(member);
            digest.troubles = vec![next()];
        }
        Content::Summary(summary) => {
            let member = |member: &mut Member| fill(&mut member.subject, &mut next);
            summary.reviews.members.iter_mut().for_each(member);
        }
        Content::Operator(notice) => (notice.text, notice.hint) = (next(), next()),
        Content::Test { text } => *text = next(),
    }
    message
}

fn fill(subject: &mut Subject, next: &mut impl FnMut() -> String) {
    let review = &mut subject.review;
    (review.text, review.title) = (Some(next()), Some(next()));
    (review.author, review.language) = (Some(next()), Some(next()));
    (review.email, review.uuid) = (Some(next()), next());
    let mut named = || Named { uuid: next(), name: next() };
    (subject.source, subject.platform) = (Some(named()), Some(named()));
    subject.websites = vec![named(), named()];
    // A longer address is no link any more.
    subject.url = Some(format!("https://reviews.example/{}", next().chars().take(100).collect::<String>()));
    if let Some(Previous { text, .. }) = &mut subject.previous {
        *text = Some(next());
    }
}

/// A payload without what texts may change. A text may fall into several paragraphs, and be followed by how much of it is
/// missing: of a list, elements that are alike count once, what is in italics not at all, and what a paragraph of a card
/// holds neither.
fn skeleton(value: &Value) -> Value {
    match value {
        Value::Array(items) => {
            let shown = items.iter().filter(|item| item["style"]["italic"] != true);
            let mut items: Vec<Value> = shown.map(skeleton).collect();
            items.dedup();
            Value::Array(items)
        }
        Value::Object(fields) => {
            let shape =
                fields.iter().filter(|(key, _)| !["spacing", "separator", "inlines"].contains(&key.as_str()));
            let shape = shape.map(|(key, value)| match (key.as_str(), value) {
                ("type" | "color" | "range" | "contentType" | "version", fixed) => {
                    (key.clone(), fixed.clone())
                }
                (_, value) => (key.clone(), skeleton(value)),
            });
            shape.collect()
        }
        Value::String(_) => Value::Null,
        other => other.clone(),
    }
}

#[test]
fn texts_of_nasty_pieces_change_no_structure() {
    let samples: Vec<_> = MESSAGES.iter().map(|kind| (*kind, sample(kind))).collect();
    let mut harmless = BTreeMap::new();
    for number in tier::hostile_texts(TARGETS.len()) {
        // Each number is a text of its own, whichever are tried.
        let mut random = fastrand::Rng::with_seed(20_260_314 + number);
        let target = &TARGETS[usize::try_from(number).unwrap() % TARGETS.len()];
        // Digests and summaries hold many reviews, and take as long.
        let all = random.u8(0..20) == 0;
        let (kind, sample) = &samples[random.usize(..if all { MESSAGES.len() } else { 4 })];
        let form = if random.u8(0..4) == 0 { Form::Plain } else { Form::Full };
        let name = format!("text {number}, as {kind}");
        let payload = checked(target, &name, &message(sample, form, || text(&mut random)));
        if payload.media_type != "application/json" {
            continue;
        }
        let shape = |body: &str| skeleton(&serde_json::from_str(body).unwrap());
        let expected = harmless
            .entry((target.kind.name, *kind, form == Form::Full))
            .or_insert_with(|| shape(&target.destination.render(&message(sample, form, String::new)).body));
        assert_eq!(shape(&payload.body), *expected, "{name} for {}: {}", target.kind.name, payload.body);
    }
}
