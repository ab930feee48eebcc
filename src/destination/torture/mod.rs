//! What no kind may let a review do, tried with every nasty case and with thousands of texts made of nasty pieces: each
//! row of the TABLE takes part by itself.
//!
//! A kind without a row in [`ROWS`] is held to the strictest rules; what of its payload is shown as it is, and which
//! mentions it knows, is then to be said there.

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod mail;
mod pieces;
mod shown;

use super::*;
use crate::domain::text::is_unsafe;
use crate::domain::{Content, Form};
use crate::render::mail::is_plain;
use crate::render::{nasty, safe_url};
use crate::settings::{Problems, Source};
use figment::providers::{Format as _, Toml};
use regex::Regex;
use serde_json::Value;
use std::path::PathBuf;
use std::sync::LazyLock;

/// What is known of a kind's payload.
struct Row {
    kind: &'static str,
    /// Its configuration, beside `type`, `timezone` and `show_email`.
    config: &'static str,
    /// Its size as sent.
    max_bytes: usize,
    /// Who is pinged by that configuration, as it stands in a text.
    mention: &'static str,
    /// Whether a string is read as markup: by its key, the object it is in, and whether it is in the outermost.
    is_markup: fn(&str, &Value, bool) -> bool,
    /// What of a mention or of markup must not stand in such a string.
    banned: &'static [&'static str],
}

const ROWS: &[Row] = &[
    Row {
        kind: "slack",
        config: "webhook_url = \"https://hooks.slack.com/services/x\"\nmention = \"<!here>\"",
        // Slack counts characters; links count nothing.
        max_bytes: 100_000,
        mention: "<!here>",
        is_markup: |key, object, top| key == "text" && (top || object["type"] == "mrkdwn"),
        banned: &["<!", "<@", "<#", "<mailto:"],
    },
    Row {
        kind: "teams",
        config: "webhook_url = \"https://x.powerplatform.com/x\"",
        max_bytes: 20 * 1024,
        mention: "",
        is_markup: |key, object, _| object["type"] == "TextBlock" || key == "fallbackText",
        banned: &["<", "*", "_", "[", "`", "://"],
    },
    Row {
        kind: "google_chat",
        config: "webhook_url = \"https://x.example/x\"\nmention = \"<users/all>\"",
        max_bytes: 24_000,
        mention: "<users/all>",
        is_markup: |key, object, top| {
            top || key == "header" || key == "text" && object.get("onClick").is_none()
        },
        banned: &["<users/", "<!", "<at", "<img", "<script", "<a href=\"https://evil"],
    },
    Row {
        kind: "discord",
        config: "webhook_url = \"https://discord.com/api/webhooks/1/x\"\nmention = \"@here\"",
        max_bytes: 32_000,
        mention: "@here",
        is_markup: |key, object, top| {
            (top && key == "content")
                || !matches!(key, "url" | "color" | "parse") && !object["footer"].is_string()
        },
        banned: &["@everyone", "@here", "<@U", "<@1", "<@&1", "<@!1", "<#C", "<#1"],
    },
    Row {
        kind: "mattermost",
        config: "webhook_url = \"https://mattermost.example/hooks/x\"\nmention = \"@channel\"",
        max_bytes: 48_000,
        mention: "@channel",
        is_markup: |key, _, _| !matches!(key, "title_link" | "color"),
        banned: &["@everyone", "@here", "@channel", "@all", "<!", "<@", "<#", "<a", "<s", "<u"],
    },
    Row {
        kind: "webhook",
        config: "url = \"https://crm.example/x\"",
        // It gets all there is.
        max_bytes: 4 << 20,
        mention: "",
        is_markup: |_, _, _| false,
        banned: &[],
    },
    Row {
        kind: "email",
        config: "from = \"Reviews <reviews@shop.example>\"\nto = [\"owner@shop.example\"]",
        max_bytes: 300_000,
        mention: "",
        is_markup: |_, _, _| false,
        banned: &[],
    },
];

/// For a kind that has no row: everything is markup, and every mention is one.
const STRICT: Row = Row {
    kind: "",
    config: "webhook_url = \"https://x.example/x\"",
    max_bytes: 32_000,
    mention: "",
    is_markup: |key, _, _| key != "url",
    banned: &["<!", "<@", "<#", "<users/", "<at", "@everyone", "@here", "@channel"],
};

/// A destination of each kind, and what is known of it.
struct Target {
    row: &'static Row,
    kind: &'static Kind,
    destination: Arc<dyn Destination>,
}

static TARGETS: LazyLock<Vec<Target>> = LazyLock::new(|| {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let renderer = templates(None).unwrap();
    TABLE.iter().map(|kind| target(kind, &renderer)).collect()
});

fn target(kind: &'static Kind, renderer: &Arc<Renderer>) -> Target {
    let row = ROWS.iter().find(|row| row.kind == kind.name).unwrap_or(&STRICT);
    let toml = format!(
        "smtp = {{ host = \"127.0.0.1\", port = 25, tls = \"none\" }}\n[of]\ntype = \"{}\"\ntimezone = \"Europe/Amsterdam\"\n\
         show_email = true\n{}\n",
        kind.name, row.config
    );
    let dict: figment::value::Dict = figment::Figment::from(Toml::string(&toml)).extract().unwrap();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let source =
        Source { folder, file: "config.toml".into(), environment: Vec::new(), problems: Problems::default() };
    let root = Table::new("", &dict, &source);
    let shared = Shared::read(&root);
    let settings = Settings::read("of", root.table("of").unwrap(), &shared);
    let problems = source.problems.into_vec();
    assert!(problems.is_empty(), "{}: {}: {problems:?}", kind.name, missing(row));
    let settings = settings.unwrap();
    let destination = settings.make.make("of", &settings.common, renderer.clone()).unwrap();
    Target { row, kind, destination }
}

/// What to do where a kind has no row of its own.
fn missing(row: &Row) -> &'static str {
    match row.kind {
        "" => "it has no row in ROWS of src/destination/torture/mod.rs, so it is held to the strictest rules",
        _ => "by its row in ROWS",
    }
}

/// Renders `message` and checks that nobody is hurt by it; gives the payload.
fn checked(target: &Target, name: &str, message: &Message) -> Payload {
    let payload = target.destination.render(message);
    let what = || format!("“{name}” ({:?}) for {}, {}", message.form, target.kind.name, missing(target.row));
    assert_eq!(payload.fallback, None, "{}", what());
    assert!(payload.body.len() <= target.row.max_bytes, "{}: {} bytes", what(), payload.body.len());
    // What the bridge says of itself may name an address.
    let clicked = !matches!(message.content, Content::Operator(_) | Content::Test { .. });
    if payload.media_type == "application/json" {
        let body: Value = serde_json::from_str(&payload.body).unwrap();
        // Slack's `text` beside blocks is only read aloud.
        let aloud = target.row.kind == "slack" && message.form == Form::Full;
        let check = Check {
            row: target.row,
            links: links(message),
            emails: emails(message),
            clicked: clicked && !aloud,
        };
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
    emails.filter(|email| is_plain(email)).collect()
}

/// The check of one payload.
struct Check {
    row: &'static Row,
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
            Value::String(text) => self.text(text, key, (self.row.is_markup)(key, object, top)),
            _ => Ok(()),
        }
    }

    fn text(&self, text: &str, key: &str, markup: bool) -> Result<(), String> {
        if let Some(c) = text.chars().find(|c| is_unsafe(*c)) {
            return Err(format!("`{key}` holds {c:?}"));
        }
        if matches!(key, "url" | "href" | "title_link" | "author_link") && !self.leads_to_a_review(text) {
            return Err(format!("`{key}` leads to {text}"));
        }
        if !markup {
            return Ok(());
        }
        let own = text.replacen(self.row.mention, "", usize::from(!self.row.mention.is_empty()));
        if let Some(banned) = self.row.banned.iter().find(|banned| own.contains(**banned)) {
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
            let encoded = crate::render::parts::encoded(link);
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
fn every_nasty_case_is_harmless_in_every_form_and_kind() {
    for (name, message) in nasty() {
        for form in [Form::Full, Form::Plain] {
            let message = Message { form, ..message.clone() };
            for target in &*TARGETS {
                checked(target, name, &message);
            }
        }
    }
}

#[test]
fn names_of_nasty_cases_are_their_own() {
    let mut names: Vec<_> = nasty().into_iter().map(|(name, _)| name).collect();
    let all = names.len();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), all);
}
