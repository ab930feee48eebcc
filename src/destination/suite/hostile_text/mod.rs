//! What no kind may let a review do, tried with every hostile message and with thousands of texts made of hostile pieces:
//! each row of the TABLE takes part, by its fixture.

mod mail;
mod pieces;
mod shown;

use super::*;
use crate::destination::chat::parts::encoded;
use crate::domain::text::is_unsafe;
use crate::domain::{Content, Form};
use crate::presentation::words::is_plain_address;
use crate::presentation::{hostile_messages, safe_url};
use regex::Regex;
use serde_json::Value;
use std::sync::LazyLock;

/// A destination of each kind.
struct Target {
    kind: &'static Kind,
    destination: Arc<dyn Destination>,
}

static TARGETS: LazyLock<Vec<Target>> = LazyLock::new(|| TABLE.iter().map(|kind| target(kind)).collect());

fn target(kind: &'static Kind) -> Target {
    let more = "timezone = \"Europe/Amsterdam\"\nshow_email = true\n";
    let own = config(kind, kind.fixture.url);
    let (settings, problems) = read(&format!("{own}{more}"));
    assert!(problems.is_empty(), "{own}: {problems:?}");
    let settings = settings.unwrap();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let destination = settings.make.make("of", &settings.common, built_in_templates()).unwrap();
    Target { kind, destination }
}

/// Renders `message` and checks that nobody is hurt by it; gives the payload.
fn checked(target: &Target, name: &str, message: &Message) -> Payload {
    let payload = target.destination.render(message);
    let fixture = &target.kind.fixture;
    let what = || format!("“{name}” ({:?}) for {}", message.form, target.kind.name);
    assert_eq!(payload.fallback, None, "{}", what());
    assert!(payload.body.len() <= fixture.max_bytes, "{}: {} bytes", what(), payload.body.len());
    // What the bridge says of itself may name an address.
    let clicked = !matches!(message.content, Content::Operator(_) | Content::Test { .. });
    if payload.media_type == "application/json" {
        let body: Value = serde_json::from_str(&payload.body).unwrap();
        let clicked = clicked && (fixture.clicked || message.form == Form::Plain);
        let check = Check { fixture, links: links(message), emails: emails(message), clicked };
        if let Err(wrong) = check.value(&body, "", &Value::Null, true) {
            panic!("{}: {wrong}\n{}", what(), payload.body);
        }
    } else {
        mail::check(&payload.body, &links(message), &emails(message), clicked)
            .unwrap_or_else(|wrong| panic!("{}: {wrong}", what()));
    }
    payload
}

/// Where a message may lead: the checked links of its reviews.
fn links(message: &Message) -> Vec<String> {
    let reviews = message.content.reviews();
    reviews.iter().filter_map(|(subject, _)| safe_url(subject.url.as_deref()?)).collect()
}

/// The customers' addresses, which stand there for people to copy.
fn emails(message: &Message) -> Vec<String> {
    let reviews = message.content.reviews();
    let emails = reviews.iter().filter_map(|(subject, _)| subject.review.email.clone());
    emails.filter(|email| is_plain_address(email)).collect()
}

/// The check of one payload.
struct Check {
    fixture: &'static Fixture,
    links: Vec<String>,
    emails: Vec<String>,
    /// Whether addresses in its markup would be clicked.
    clicked: bool,
}

impl Check {
    fn value(&self, value: &Value, key: &str, object: &Value, top: bool) -> Result<(), String> {
        match value {
            Value::Array(items) => items.iter().try_for_each(|item| self.value(item, key, object, top)),
            Value::Object(fields) => {
                let top = object.is_null();
                fields.iter().try_for_each(|(key, inner)| self.value(inner, key, value, top))
            }
            Value::String(text) => self.text(text, key, (self.fixture.is_markup)(key, object, top)),
            _ => Ok(()),
        }
    }

    fn text(&self, text: &str, key: &str, markup: bool) -> Result<(), String> {
        if let Some(c) = text.chars().find(|c| is_unsafe(*c)) {
            return Err(format!("`{key}` holds {c:?}"));
        }
        if matches!(key, "url" | "href" | "title_link" | "author_link" | "click")
            && !self.leads_to_a_review(text)
        {
            return Err(format!("`{key}` leads to {text}"));
        }
        if !markup {
            return Ok(());
        }
        let own = text.replacen(self.fixture.mention, "", usize::from(!self.fixture.mention.is_empty()));
        if let Some(banned) = self.fixture.banned.iter().find(|banned| own.contains(**banned)) {
            return Err(format!("`{key}` holds {banned}: {text}"));
        }
        if self.clicked
            && let Some(address) = self.stray_address(text)
        {
            return Err(format!("`{key}` leads to {address}: {text}"));
        }
        Ok(())
    }

    /// As it is, in markup, or in a card, where braces would be filled in.
    fn leads_to_a_review(&self, address: &str) -> bool {
        let own = |link: &String| {
            let escaped = link.replace('&', "&amp;");
            // In Markdown an address must neither ping nor begin another.
            let encoded = encoded(link);
            [link.clone(), link.replace('{', "%7B").replace('}', "%7D"), escaped, encoded]
                .iter()
                .any(|link| link == address)
        };
        self.links.iter().any(own) || address == "http://adaptivecards.io/schemas/adaptive-card.json"
    }

    /// The first address in a text that is none of the reviews'.
    fn stray_address(&self, text: &str) -> Option<String> {
        static ADDRESS: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r#"https?://[^\s"|>]*|www\.\w"#).unwrap());
        let text = self.emails.iter().fold(text.to_owned(), |text, email| text.replace(email, ""));
        ADDRESS
            .find_iter(&text)
            .map(|found| found.as_str())
            .find(|found| !self.leads_to_a_review(found))
            .map(str::to_owned)
    }
}

#[test]
fn every_hostile_message_is_harmless_in_every_form_and_kind() {
    for (name, message) in hostile_messages() {
        for form in [Form::Full, Form::Plain, Form::Short] {
            let message = Message { form, ..message.clone() };
            for target in &*TARGETS {
                checked(target, name, &message);
            }
        }
    }
}

#[test]
fn names_of_hostile_messages_are_their_own() {
    let mut names: Vec<_> = hostile_messages().into_iter().map(|(name, _)| name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}
