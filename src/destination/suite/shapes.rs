//! What every kind shows where a message was too large: less of each text, or a part of many reviews; and that a template
//! that shows nothing never counts as one.

use super::messages::with_file;
use super::*;
use crate::domain::{Content, Digest, Form, Message, Part};
use crate::presentation::{Own, View};
use crate::template::Renderer;

fn view() -> View {
    View {
        destination: "support".into(),
        zone: jiff::tz::TimeZone::UTC,
        show_email: false,
        mention: None,
        template: None,
        own: Own::default(),
    }
}

/// The payload of each kind, as text.
fn payloads(message: &Message) -> Vec<(&'static str, String)> {
    let of = |format: &&'static Format| {
        let rendered = built_in_templates().payload(format, message, &view());
        assert_eq!(rendered.fallback, None, "{}", format.name);
        (format.name, rendered.payload.to_string())
    };
    let webhook = make("type = \"webhook\"\nurl = \"https://crm.example/\"").render(message).body;
    formats().iter().map(of).chain([("webhook", webhook)]).collect()
}

// F4
#[test]
fn the_short_form_cuts_each_text_and_says_how_much_is_missing() {
    for name in ["20,000 characters", "everything", "digest", "summary", "problem", "test"] {
        let full = sample(name);
        let plain = payloads(&Message { form: Form::Plain, ..full.clone() });
        let short = payloads(&Message { form: Form::Short, ..full.clone() });
        for ((kind, plain), (_, short)) in plain.iter().zip(&short) {
            // What is short already stays as it is.
            assert!(short.len() <= plain.len().max(4_000), "{kind} {name}");
            if name == "20,000 characters" {
                assert!(short.len() < 4_000, "{kind}: {}", short.len());
                assert!(short.contains("more characters"), "{kind}: {short}");
                assert!(short.contains("lang genoeg lang genoeg"), "{kind}: {short}");
            }
        }
    }
}

/// `digest` as the second of four parts of a whole of `members` reviews.
fn parted(digest: &mut Digest) {
    let whole = crate::domain::Figures::of(digest.members.iter().cycle().take(digest.members.len() * 4));
    digest.part = Some(Part { number: 2, of: 4, whole });
}

// F4
#[test]
fn a_part_says_which_it_is_and_has_the_counts_of_the_whole() {
    for (name, count) in [("digest", "12 new reviews"), ("summary", "16 reviews in a short time")] {
        let mut message = sample(name);
        match &mut message.content {
            Content::Digest(digest) => parted(digest),
            Content::Summary(summary) => parted(&mut summary.reviews),
            _ => unreachable!(),
        }
        for form in [Form::Full, Form::Plain, Form::Short] {
            for (kind, payload) in payloads(&Message { form, ..message.clone() }) {
                if kind == "webhook" {
                    let body: serde_json::Value = serde_json::from_str(&payload).unwrap();
                    assert_eq!(body["data"]["part"], serde_json::json!({"number": 2, "of": 4}));
                    assert_eq!(body["data"]["counts"]["reviews"], 16);
                    assert_eq!(body["data"]["reviews"].as_array().unwrap().len(), 4);
                    continue;
                }
                assert!(payload.contains("part 2 of 4"), "{kind} {name} {form:?}: {payload}");
                assert!(payload.contains(count), "{kind} {name} {form:?}: {payload}");
            }
        }
    }
}

/// A mail spells out every review that needs attention, also of a bad day.
#[test]
fn a_mail_spells_out_fifty_reviews_that_need_attention() {
    let mut message = sample("digest");
    if let Content::Digest(digest) = &mut message.content {
        let bad = digest.members[0].clone();
        digest.members = (0..50).map(|_| bad.clone()).collect();
        for (number, member) in digest.members.iter_mut().enumerate() {
            member.subject.review.text =
                Some(format!("Number {number}. {}", "The parcel came broken. ".repeat(12)));
        }
    }
    let (_, mail) = payloads(&message).into_iter().find(|(kind, _)| *kind == "email").unwrap();
    let mail: serde_json::Value = serde_json::from_str(&mail).unwrap();
    for part in ["html", "text"] {
        let said = mail[part].as_str().unwrap();
        assert!((0..50).all(|number| said.contains(&format!("Number {number}."))), "{part}: {said}");
    }
}

// J5
#[test]
fn a_template_that_shows_nothing_is_a_mistake() {
    for (file, template, place, what) in [
        ("slack/review.json", "", "1:1", "is empty"),
        ("email/review.txt", "\n \u{200b}\n", "1:1", "is empty"),
        ("email/review.subject.txt", "{{review.text}}", "1:1", "produces an empty subject"),
        ("email/review.txt", "{{#if review.text}}{{review.text}}{{/if}}", "1:1", "produces an empty text"),
        (
            "email/review.html",
            "<html><head><style>p {}</style></head><p>{{review.text}}&nbsp;</p></html>",
            "1:1",
            "produces an empty html",
        ),
        (
            "email/digest.txt",
            "{{#each reviews}}{{this.review.text}}{{/each}}",
            "1:1",
            "produces an empty text",
        ),
        ("slack/review.json", "{\"text\": \"{{review.text}}\"}", "1:1", "is empty"),
        (
            "slack/review.json",
            "{\"text\": \"A review\",\n \"blocks\": [{\"type\": \"section\", \"text\": {\"type\": \"plain_text\", \"text\": \"{{review.author}}\"}}]}",
            "2:13",
            "is empty",
        ),
        ("ntfy/review.json", "{\"message\": \"{{review.text}}\u{2060}\"}", "1:1", "is empty"),
        ("discord/review.json", "{\"embeds\": [{\"description\": \"{{review.text}}\"}]}", "1:13", "is empty"),
    ] {
        let problems = with_file(file, template).err().unwrap_or_default();
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        let fits =
            |problem: &String| problem.contains(&format!("{file}:{place}: ")) && problem.contains(what);
        assert!(all.iter().any(fits), "{file} {template}: {all:?}");
    }
}

// J5
#[test]
fn a_template_that_shows_nothing_of_a_real_review_gives_way_to_the_plain_form() {
    let hidden = "{{#unless (eq review.author \"Hide\")}}x{{review.text}}{{/unless}}";
    let mut message = sample("everything");
    if let Content::Review { subject, .. } = &mut message.content {
        subject.review.author = Some("Hide".into());
    }
    for (file, template) in [
        ("email/review.txt", hidden.to_owned()),
        ("email/review.html", format!("<p>{hidden}</p>")),
        ("slack/review.json", serde_json::json!({ "text": hidden }).to_string()),
        ("mattermost/review.json", serde_json::json!({ "attachments": [{ "text": hidden }] }).to_string()),
    ] {
        let renderer: Arc<Renderer> = with_file(file, &template).unwrap();
        let kind = file.split('/').next().unwrap();
        let format = formats().into_iter().find(|format| format.name == kind).unwrap();
        let rendered = renderer.payload(format, &message, &view());
        let plain = renderer.payload(format, &Message { form: Form::Plain, ..message.clone() }, &view());
        assert_eq!(rendered.payload, plain.payload, "{file}");
        assert!(rendered.fallback.unwrap().contains("empty"), "{file}");
        assert_eq!(renderer.payload(format, &sample("everything"), &view()).fallback, None, "{file}");
    }
}
