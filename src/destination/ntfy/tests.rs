//! What ntfy is sent, what it answers, and which settings are refused.

#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::KIND;
use crate::destination::Payload;
use crate::destination::suite::messages::{hostile_text, with_text};
use crate::destination::suite::server::{Server, answer};
use crate::destination::suite::{assert_means, assert_refused, config, make, retry, send};
use crate::domain::{Form, Message, Outcome, Reason};
use crate::presentation::words::ZERO_WIDTH;
use crate::presentation::{hostile_messages, sample, samples};
use proptest::prelude::*;
use serde_json::Value;

fn payload(more: &str, message: &Message) -> Value {
    let toml = format!("type = \"ntfy\"\ntopic = \"reviews-of-ours\"\n{more}");
    let Payload { body, fallback, .. } = make(&toml).render(message);
    assert_eq!(fallback, None);
    assert!(body.len() <= 8_000, "{}", body.len());
    let payload: Value = serde_json::from_str(&body).unwrap();
    // From 4,096 bytes on it would be an attachment.
    let said = payload["message"].as_str().unwrap();
    assert!((1..=4_000).contains(&said.len()), "{}", said.len());
    payload
}

fn read(payload: &Value, key: &str) -> String {
    payload[key].as_str().unwrap().replace(ZERO_WIDTH, "")
}

#[test]
fn a_review_reads_in_order() {
    let shown = payload("show_email = true", &sample("everything"));
    assert_eq!(read(&shown, "title"), "🔴 1 of 5 stars (2/10 on Kiyoh) · Shop NL, Shop BE");
    let said = read(&shown, "message");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[..3], ["Never again", "Parcel broken, nobody answers the phone.", "Three weeks now."]);
    assert!(said.contains("Kiyoh · by A. Customer · customer@mail.example"), "{said}");
    assert!(shown["message"].as_str().unwrap().contains("customer@mail.example"), "it can be copied");
    assert!(said.contains("unhappy customers") && said.contains("may have arrived"), "{said}");
    assert_eq!(
        (&shown["click"], &shown["topic"]),
        (&"https://reviews.example/shop".into(), &"reviews-of-ours".into())
    );
    let bare = payload("", &sample("bare"));
    assert!(bare.get("click").is_none() && bare.get("tags").is_none() && bare.get("markdown").is_none());
    for name in ["digest", "summary", "problem", "test"] {
        let shown = payload("tags = [\"star\"]", &sample(name));
        assert!(!read(&shown, "title").is_empty() && shown["tags"] == serde_json::json!(["star"]), "{name}");
    }
    let problem = payload("", &sample("problem"));
    assert!(problem["message"].as_str().unwrap().contains("“destinations.support.webhook_url”"), "{problem}");
}

#[test]
fn bad_ratings_are_urgent() {
    let level = |more: &str, name: &str| payload(more, &sample(name))["priority"].as_u64().unwrap();
    let own = "priority = { attention = 5, good = 1 }";
    for (name, usual, set) in [
        ("everything", 4, 5),
        ("rating only", 2, 1),
        ("bare", 3, 3),
        ("problem", 4, 5),
        ("problem resolved", 3, 3),
        ("digest", 3, 3),
        ("summary", 4, 5),
        ("test", 3, 3),
    ] {
        assert_eq!((level("", name), level(own, name)), (usual, set), "{name}");
    }
}

#[test]
fn what_is_too_long_says_how_much_is_missing() {
    for text in ["lang genoeg ".repeat(1_000), "\"".repeat(9_000), "😀\n".repeat(9_000), "字".repeat(9_000)]
    {
        for name in ["everything", "digest"] {
            let mut message = sample(name);
            if name == "everything" {
                message = with_text(&text);
            }
            payload("show_email = true", &message);
        }
        let plain = Message { form: Form::Plain, ..with_text(&text) };
        payload("", &plain);
    }
    let (_, all) = hostile_messages().into_iter().find(|(name, _)| *name == "digest of all").unwrap();
    let said = read(&payload("", &all), "message");
    assert!(said.contains("more characters)") || said.contains(" more"), "{said}");
}

#[tokio::test]
async fn its_answers_decide() {
    use Outcome::{Broken, Dead, Delivered};
    let error = |code: u64, status: u16, what: &str| {
        format!(r#"{{"code":{code},"http":{status},"error":"{what}","link":"https://ntfy.sh/docs/"}}"#)
    };
    for (status, body, expected, part) in [
        (200, r#"{"id":"x","event":"message","topic":"t"}"#.to_owned(), Delivered, "received the message"),
        (200, "<!DOCTYPE html>".into(), Broken { reason: Reason::UnexpectedAnswer }, "a web page"),
        (200, "{}".into(), Broken { reason: Reason::UnexpectedAnswer }, "the message's `id`"),
        // J12
        (200, error(40_101, 401, "unauthorized"), Broken { reason: Reason::CredentialsRefused }, "protected"),
        (
            429,
            error(42_905, 429, "limit reached: daily bandwidth"),
            retry(Reason::Quota, Some(3_600), false),
            "daily limit",
        ),
        (
            429,
            error(42_901, 429, "limit reached: too many requests, please be nice"),
            retry(Reason::RateLimited, Some(30), false),
            "retried automatically",
        ),
        (
            429,
            error(42_908, 429, "limit reached: too many messages"),
            retry(Reason::Quota, Some(3_600), false),
            "the daily limit is used up",
        ),
        (429, "slow".into(), retry(Reason::RateLimited, Some(30), false), "slow down"),
        (
            401,
            error(40_101, 401, "unauthorized"),
            Broken { reason: Reason::CredentialsRefused },
            "`destinations.support.token`",
        ),
        (403, error(40_301, 403, "forbidden"), Broken { reason: Reason::Forbidden }, "an access token"),
        (
            404,
            error(40_401, 404, "page not found"),
            Broken { reason: Reason::NotFound },
            "`destinations.support.url`",
        ),
        (
            400,
            error(40_010, 400, "invalid request: topic name is disallowed"),
            Broken { reason: Reason::RecipientUnknown },
            "`destinations.support.topic`",
        ),
        (
            400,
            error(40_017, 400, "invalid request: request body must be message JSON"),
            Dead { reason: Reason::PayloadRefused },
            "ntfy says `40017`",
        ),
        (
            413,
            error(41_303, 413, "JSON body too large"),
            Dead { reason: Reason::TooLarge },
            "ntfy says `41303`",
        ),
        (500, error(50_001, 500, "internal server error"), retry(Reason::ServerError, None, false), "(500)"),
        (507, error(50_701, 507, "cannot publish"), retry(Reason::ServerError, None, false), "(507)"),
    ] {
        assert_means(&KIND, status, "", &body, expected, part).await;
    }
}

#[tokio::test]
async fn the_token_is_in_the_header_and_nothing_else_is() {
    let server = Server::start(answer(200, "", "{}"));
    send(&KIND, &*make(&config(&KIND, &server.url()))).await;
    // The head is in lower case.
    let token = "tk_AgQdq7mVBoFD37zQVN29RhuMzNIz2".to_lowercase();
    assert!(server.request().head.contains(&format!("authorization: bearer {token}\r\n")));
    let open = format!("type = \"ntfy\"\ntopic = \"t\"\nurl = \"{}\"", server.url());
    send(&KIND, &*make(&open)).await;
    assert!(!server.request().head.contains("authorization"));
}

#[test]
fn settings_are_checked() {
    const OWN: &str = "type = \"ntfy\"\ntopic = \"secretpath\"";
    assert_refused(&[
        ("type = \"ntfy\"", "topic: is missing"),
        ("type = \"ntfy\"\ntopic = \"a/secretpath\"", "topic: is not a valid topic"),
        ("type = \"ntfy\"\ntopic_file = \"/nowhere\"", "topic_file: the file cannot be read"),
        (&format!("{OWN}\nurl = \"http://ntfy.example\""), "url: is http"),
        (&format!("{OWN}\ntoken = \"a b\""), "token: is not a valid access token"),
        (&format!("{OWN}\npriority = {{ attention = 6 }}"), "priority.attention: is not"),
        (&format!("{OWN}\npriority = {{ bad = 5 }}"), "priority.bad: unknown key"),
        (&format!("{OWN}\ntags = [\"a,b\"]"), "tags: are not valid tags"),
    ]);
    assert_eq!(make(OWN).address(), "ntfy.sh");
}

#[test]
fn templates_are_checked() {
    use crate::destination::suite::messages::with_file;
    for (template, expected) in [
        (r#"{"title": "x"}"#, "has no `message`"),
        (r#"{"message": "x", "topic": "other"}"#, "has the key `topic`"),
        (r#"{"message": "x", "attach": "https://x.example"}"#, "has the key `attach`"),
        (r#"{"message": "x", "tags": ["{{review.text}}"]}"#, "`tags` cannot be a template"),
        (r#"{"message": "x", "priority": 9}"#, "has a `priority`"),
        (r#"{"message": "x", "click": "{{review.text}}"}"#, "`click` must be"),
        (r#"{"message": "https://{{review.author}}/"}"#, "inside a Markdown address"),
    ] {
        let problems = with_file("ntfy/review.json", template).unwrap_err();
        let all: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(all.iter().any(|problem| problem.contains(expected)), "{template}: {all:?}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_an_attachment(text in hostile_text()) {
        for form in [Form::Full, Form::Plain, Form::Short] {
            payload("show_email = true", &Message { form, ..with_text(&text) });
        }
    }
}

#[test]
fn every_sample_is_within_limits() {
    for (_, message) in samples() {
        for form in [Form::Full, Form::Plain, Form::Short] {
            payload("", &Message { form, ..message.clone() });
        }
    }
}
