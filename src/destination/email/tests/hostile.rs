//! Hostile texts in e-mails: structure, links and size must hold whatever a review says.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use crate::destination::built_in_templates;
use crate::destination::email::Mail;
use crate::destination::email::limits::MAX_HTML_BYTES;
use crate::destination::suite::messages::{hostile_text, with_file, with_text};
use crate::domain::text::is_unsafe;
use crate::domain::{Content, Form};
use crate::presentation::{Own, View, sample, samples};
use crate::template::Renderer;
use proptest::prelude::*;
use std::sync::{Arc, LazyLock};

static RENDERER: LazyLock<Arc<Renderer>> = LazyLock::new(built_in_templates);

fn view() -> View {
    let zone = jiff::tz::TimeZone::get("Europe/Amsterdam").unwrap();
    View {
        destination: "owner".into(),
        zone,
        show_email: true,
        mention: None,
        template: None,
        own: Own::default(),
    }
}

/// Every tag of a document but for values of `href`, which must be http(s), and languages, which must be some.
fn tags(html: &str) -> Vec<String> {
    let mut tags = Vec::new();
    for part in html.split('<').skip(1) {
        let tag = part.split('>').next().unwrap();
        let links = tag.split("href=\"").skip(1).map(|link| link.split('"').next().unwrap());
        for link in links {
            assert!(link.starts_with("https://") || link.starts_with("http://"), "{link}");
        }
        let link = tag.split("href=\"").nth(1).map(|link| link.split('"').next().unwrap());
        let lang = tag.split(" lang=\"").nth(1).map(|lang| lang.split('"').next().unwrap());
        let lang = lang.unwrap_or_default();
        assert!(lang.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{lang}");
        let tag = &tag.replace(&format!(" lang=\"{lang}\""), "");
        tags.push(link.map_or_else(|| tag.to_owned(), |link| tag.replace(link, "")));
    }
    tags
}

/// What a mail program would make a link of, beside the one to the review.
fn assert_no_links(mail: &Mail) {
    let (text, html) = (mail.text.as_str(), mail.html.as_deref().unwrap_or_default());
    for part in [text.to_owned(), html.split('>').map(|part| part.split('<').next().unwrap()).collect()] {
        let own = |word: &&str| !word.starts_with("https://reviews.example/");
        let part: Vec<&str> = part.split_whitespace().filter(own).collect();
        let part = part.join(" ");
        assert!(
            !part.contains("://") && !part.contains("evil.example") && !part.contains("b.example"),
            "{part}"
        );
    }
}

fn assert_safe(mail: &Mail) {
    assert!(
        !mail.subject.is_empty() && !mail.subject.contains(['\n', '\r']) && !mail.subject.contains(is_unsafe)
    );
    assert!(!mail.text.contains(is_unsafe));
    let Some(html) = &mail.html else { return };
    assert!(html.len() <= MAX_HTML_BYTES, "{}", html.len());
    assert!(!html.contains(is_unsafe));
    let known = "a body br div em head html meta p span strong style table td th title tr !doctype !--[if !--[if ![endif]--";
    for tag in tags(html) {
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        assert!(known.split(' ').any(|known| known == name), "{tag}");
        assert!(!tag.contains("onclick") && !tag.contains("src="), "{tag}");
    }
}

#[test]
fn every_sample_in_every_form_is_safe_and_within_limits() {
    for (name, mut message) in samples() {
        let mail = Mail::of(&RENDERER, &message, &view());
        assert_eq!(mail.fallback, None, "{name}");
        assert!(mail.html.is_some());
        assert_safe(&mail);
        if matches!(message.content, Content::Review { .. }) {
            assert_no_links(&mail);
        }
        message.form = Form::Plain;
        let plain = Mail::of(&RENDERER, &message, &view());
        assert_eq!((&plain.html, &plain.fallback), (&None, &None));
        assert_safe(&plain);
    }
    for long in ["\"".repeat(500_000), "<&>\n".repeat(50_000), "😀 ".repeat(50_000)] {
        let mail = Mail::of(&RENDERER, &with_text(&long), &view());
        assert_eq!(mail.fallback, None);
        assert_safe(&mail);
        assert!(mail.text.contains("more characters)"));
    }
}

#[test]
fn the_whole_text_is_shown_and_both_parts_say_the_same() {
    let mail = Mail::of(&RENDERER, &sample("everything"), &view());
    assert_eq!(
        mail.subject,
        "[Shop NL, Shop BE] 1/5 on Kiyoh: “Parcel broken, nobody answers the phone. Three weeks now.”"
    );
    let expected = "\
🔴 ★☆☆☆☆ 1 of 5 stars (2/10 on Kiyoh)
Shop NL, Shop BE

> Never again
>
> Parcel broken, nobody answers the phone.
> Three weeks now.

Kiyoh · by A. Customer · customer@mail.example · en_GB · 14 Mar 2026 18:02 CET (3 h ago)
Open on Kiyoh: https://reviews.example/shop

--
Sent by rule “unhappy customers”: rating 1 is at most 2, website is “Shop NL”.
Possibly a repeat: an earlier attempt may have arrived.
";
    assert_eq!(mail.text, expected);
    let html = mail.html.unwrap();
    for line in expected.lines().map(|line| line.trim_start_matches(['>', ' '])) {
        for part in line.split([' ', ':']).filter(|part| part.chars().count() > 3) {
            assert!(html.contains(&part.replace('`', "&#x60;")), "{part}");
        }
    }
    let long = "word ".repeat(1_900) + "end.";
    let mail = Mail::of(&RENDERER, &with_text(&long), &view());
    assert!(mail.text.contains("word end.") && mail.html.unwrap().contains("word end."));
    let edited = Mail::of(&RENDERER, &sample("edited rating"), &view());
    assert!(
        edited.subject.starts_with("[Shop NL, Shop BE] Edited: 5/5 on Kiyoh: “They called"),
        "{}",
        edited.subject
    );
    let bare = Mail::of(&RENDERER, &sample("bare"), &view());
    assert_eq!(bare.subject, "[main] ?/5: Rating only, no comment.");
    assert!(
        bare.text.contains("\n\nRating only, no comment.\n\nby Anonymous customer · date unknown\n\n--\n"),
        "{}",
        bare.text
    );
    let mut plain = sample("everything");
    plain.form = Form::Plain;
    let plain = Mail::of(&RENDERER, &plain, &view());
    assert!(plain.text.ends_with("Open on Kiyoh: https://reviews.example/shop\n"));
}

#[test]
fn mistakes_are_start_up_errors_with_file_line_and_column() {
    for (name, template, expected) in [
        (
            "review.html",
            "<p>\n{{reviw.text}}</p>",
            "review.html:2:1: unknown name `reviw.text`; did you mean",
        ),
        (
            "review.html",
            "<a href=\"{{review.author}}\">x</a>",
            "review.html:1:10: inside a tag, a value is only allowed in a link",
        ),
        ("review.html", "<script>{{review.text}}</script>", "review.html:1:9: no value is safe"),
        ("review.txt", "{{#if}}", "review.txt:1:"),
        ("review.txt", "{{truncate review.text}}", "review.txt:1:1: `truncate` takes a text"),
        ("review.subject.txt", " ", "review.subject.txt:1:1: is empty; write a template"),
        ("digest.html", "{{#each mail.nope}}{{/each}}", "unknown name `mail.nope`"),
        ("operator.html", "{{> other}}", "partials"),
    ] {
        let problems = with_file(&format!("email/{name}"), template).unwrap_err();
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|problem| problem.contains(expected)), "{template}: {all:?}");
    }
}

#[test]
fn a_template_that_fails_or_grows_gives_way_to_the_plain_form() {
    let renderer =
        with_file("email/review.txt", r#"x {{#if (eq review.text "boom")}}{{stars review.text}}{{/if}}"#)
            .unwrap();
    let mail = Mail::of(&renderer, &with_text("boom"), &view());
    assert!(mail.fallback.unwrap().contains("email/review.txt:1:"));
    assert!(mail.html.is_none() && mail.text.contains("“boom”"));
    assert_eq!(Mail::of(&renderer, &with_text("fine"), &view()).fallback, None);
    let renderer = with_file("email/review.html", "<p>A review: {{review.text}}</p>").unwrap();
    let mail = Mail::of(&renderer, &with_text(&"&".repeat(40_000)), &view());
    assert!(mail.fallback.unwrap().contains("80 KB"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_changes_the_structure(text in hostile_text()) {
        let paragraph = |mail: &Mail| {
            let mut tags = tags(mail.html.as_ref().unwrap());
            tags.retain(|tag| !tag.starts_with("p ") && tag != "/p");
            tags
        };
        let mail = Mail::of(&RENDERER, &with_text(&format!("x{text}")), &view());
        assert_safe(&mail);
        let plain = Mail::of(&RENDERER, &with_text("x"), &view());
        prop_assert_eq!(paragraph(&mail), paragraph(&plain));
        let mut message = with_text(&text);
        message.form = Form::Plain;
        assert_safe(&Mail::of(&RENDERER, &message, &view()));
        if let Content::Review { subject, .. } = &mut message.content {
            subject.url = Some(text);
        }
        message.form = Form::Full;
        assert_safe(&Mail::of(&RENDERER, &message, &view()));
    }
}
