//! E-mail's payload: a subject, a text and an HTML part from three templates, and what they can name beside the context
//! of every kind: the whole text of a review.

use super::limits::{MAX_HTML_BYTES, MAX_LINE, MAX_LINES, MAX_REST, MAX_SUBJECT, SHOWN};
use crate::domain::text::is_visible;
use crate::domain::{Content, Message};
use crate::presentation::body::json;
use crate::presentation::digest::ListBudget;
use crate::presentation::words::{ZERO_WIDTH, clean, cut, cut_line, is_plain_address, legible, unlinked};
use crate::presentation::{Lines, View, context};
use crate::template::{Format, Renderer, Source, TextFile, html};
use handlebars::html_escape;
use serde::Serialize;
use serde_json::Value;

/// An e-mail's parts.
pub static FORMAT: Format = Format {
    name: "email",
    source: Source::Texts { files: FILES, partials: "email/partials/", escape: html_escape },
    mentions: || vec![crate::presentation::Mention::new("@here")],
    sizes: SHOWN.len(),
    enrich: |data, message, view, size| {
        if size == 0 && tells_reviews(message) {
            unlink(data, &addresses(message, view));
        }
        SHOWN.get(size).into_iter().for_each(|shown| put_shown(data, message, view, shown));
    },
    fit: |payload, _| Ok(payload),
    too_large: |payload| {
        let html = payload["html"].as_str().unwrap_or_default();
        (html.len() > MAX_HTML_BYTES).then_some("is larger than the 80 KB that mail programs show")
    },
    plain,
};

/// The files of one e-mail. The subject comes first: what the others show of a review goes on where it ends.
const FILES: &[TextFile] = &[
    TextFile { end: ".subject.txt", field: "subject", html: None, done: subject },
    TextFile { end: ".txt", field: "text", html: None, done: |text, _| Ok(text) },
    TextFile { end: ".html", field: "html", html: Some(html::check), done: |text, _| Ok(text) },
];

/// A rendered e-mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// One line.
    pub subject: String,
    /// The text part.
    pub text: String,
    /// The HTML part; none in the plain form.
    pub html: Option<String>,
    /// Why the plain form stands in, where a template failed.
    pub fallback: Option<String>,
}

impl Mail {
    /// The e-mail of `message`.
    pub fn of(renderer: &Renderer, message: &Message, view: &View) -> Self {
        let rendered = renderer.payload(&FORMAT, message, view);
        let text = |field: &str| rendered.payload[field].as_str().map(str::to_owned);
        Self {
            subject: text("subject").unwrap_or_default(),
            text: text("text").unwrap_or_default(),
            html: text("html"),
            fallback: rendered.fallback,
        }
    }
}

/// What the templates of e-mail can name under `mail`, beside all that other templates can.
#[derive(Clone, Debug, Default, Serialize)]
struct Whole {
    /// What the customer wrote, as paragraphs: up to 10,000 characters of it.
    lines: Vec<String>,
    /// `… (1,340 more characters)`, where not all of it is there.
    more: Option<String>,
    /// What of it follows the part that the subject shows, in one line; null where that is all.
    rest: Option<String>,
}

/// Puts into a context what depends on how much is shown.
fn put_shown(data: &mut Value, message: &Message, view: &View, (graphemes, budget): &(usize, ListBudget)) {
    let whole = match &message.content {
        Content::Review { subject, .. } => {
            let text = subject.review.text.as_deref().filter(|text| is_visible(text));
            text.map(|text| Whole::of(text, *graphemes)).unwrap_or_default()
        }
        _ => Whole::default(),
    };
    let shown = context::shown_in(budget, message, view).map(|shown| ("shown", shown));
    for (name, mut value) in [("mail", json(&whole))].into_iter().chain(shown) {
        if tells_reviews(message) {
            unlink(&mut value, &addresses(message, view));
        }
        if let Some(fields) = data.as_object_mut() {
            fields.insert(name.into(), value);
        }
    }
}

fn tells_reviews(message: &Message) -> bool {
    !matches!(message.content, Content::Operator(_) | Content::Test { .. })
}

/// The addresses of customers that are shown on purpose, for people to copy.
fn addresses(message: &Message, view: &View) -> Vec<String> {
    let reviews = message.content.reviews().into_iter();
    reviews
        .filter_map(|(subject, _)| subject.review.email.as_deref())
        .filter(|address| view.show_email && is_plain_address(address))
        .map(str::to_owned)
        .collect()
}

/// Mail programs make links of whatever looks like an address; of a review they must not.
fn unlink(value: &mut Value, but: &[String]) {
    match value {
        Value::String(text) => {
            let shown = but.iter().filter(|address| text.contains(*address));
            let safe = unlinked(text);
            *text = shown.fold(safe, |safe, address| safe.replace(&unlinked(address), address));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| unlink(item, but)),
        // Links have been checked, and times are for helpers to read.
        Value::Object(fields) => fields
            .iter_mut()
            .filter(|(key, _)| !["url", "timestamp", "reviewed_at"].contains(&key.as_str()))
            .for_each(|(_, value)| unlink(value, but)),
        _ => {}
    }
}

impl Whole {
    fn of(text: &str, graphemes: usize) -> Self {
        let text = legible(text);
        let cut = cut(&text, graphemes, graphemes * 2, MAX_LINES);
        let lines = cut.shown.lines().map(str::trim).filter(|line| is_visible(line));
        Self {
            lines: lines.map(str::to_owned).collect(),
            more: cut.more(),
            rest: Some(cut_line(&text, MAX_LINE)),
        }
    }
}

/// The subject, and in `context` what of the review is left to show.
fn subject(text: String, context: &mut Value) -> Result<String, &'static str> {
    let subject = cut_line(&clean(&text.replace(ZERO_WIDTH, "")), MAX_SUBJECT);
    if subject.is_empty() {
        return Err("produces an empty subject");
    }
    if let Some(line) = context.pointer_mut("/mail/rest") {
        *line = line.as_str().and_then(|line| rest(line, &subject)).into();
    }
    Ok(subject)
}

/// What of `line` follows the part of it that `subject` shows; `None` where that is all.
fn rest(line: &str, subject: &str) -> Option<String> {
    let ends = line.char_indices().map(|(at, c)| at + c.len_utf8());
    let shown = ends.rev().find(|end| subject.contains(&line[..*end].replace(ZERO_WIDTH, "")));
    let rest = line[shown.unwrap_or(0)..].trim();
    (!rest.is_empty()).then(|| cut_line(rest, MAX_REST))
}

/// The plain form: text alone. Never fails, whatever the message says.
fn plain(message: &Message, view: &View) -> Value {
    let Lines { mut lines, link } = Lines::of(message, view);
    let subject = cut_line(lines.first().map_or("Message", String::as_str), MAX_SUBJECT);
    if tells_reviews(message) {
        lines.iter_mut().for_each(|line| *line = unlinked(line));
    }
    lines.extend(link.map(|(title, url)| format!("{}: {url}", unlinked(&title))));
    serde_json::json!({"subject": subject, "text": lines.join("\n\n") + "\n"})
}
