//! Messages in their shortest form, for receivers that refuse larger ones: each text says how much of it is missing.

use super::body::Body;
use super::words::{clean, cut};
use crate::domain::{Content, Message, Subject};
use serde_json::Value;

/// How much of a review's text the short form shows.
const SHOWN: usize = 300;
/// The size of the body of a webhook with one review, in bytes.
pub const MAX_BODY_BYTES: usize = 4_000;
/// How much of each text a body shows: the first with which it is within its limit.
const SMALLER: &[usize] = &[SHOWN, 150, 80, 40];
/// The names of websites and rules that a short body holds.
const NAMES: usize = 5;
/// A longer address is left out: a part of one leads nowhere.
const LONGEST_URL: usize = 600;

/// `message` with its texts cut to a few hundred characters.
pub fn shortened(message: &Message) -> Message {
    cut_to(message, SHOWN)
}

/// The body of a webhook for `message`, below [`MAX_BODY_BYTES`] where it holds one review.
pub fn body(message: &Message, show_email: bool) -> Value {
    let mut body = Value::Null;
    for limit in SMALLER {
        body = Body::of(&cut_to(message, *limit), show_email).to_json();
        shorten(&mut body, *limit);
        if body.to_string().len() < MAX_BODY_BYTES {
            break;
        }
    }
    body
}

fn cut_to(message: &Message, limit: usize) -> Message {
    let mut short = message.clone();
    match &mut short.content {
        Content::Review { subject, .. } => cut_subject(subject, limit),
        Content::Digest(digest) => {
            digest.members.iter_mut().for_each(|member| cut_subject(&mut member.subject, limit));
        }
        Content::Summary(summary) => {
            summary.reviews.members.iter_mut().for_each(|member| cut_subject(&mut member.subject, limit));
        }
        Content::Operator(notice) => {
            (notice.text, notice.hint) = (noted(&notice.text, limit), noted(&notice.hint, limit));
        }
        Content::Test { text } => *text = noted(text, limit),
    }
    short
}

fn cut_subject(subject: &mut Subject, limit: usize) {
    let texts =
        [Some(&mut subject.review.text), subject.previous.as_mut().map(|previous| &mut previous.text)];
    for text in texts.into_iter().flatten() {
        *text = text.as_deref().map(|text| noted(text, limit));
    }
    subject.review.title = subject.review.title.as_deref().map(|title| noted(title, limit / 3));
}

/// At most `limit` characters of `text`, and how many are missing.
fn noted(text: &str, limit: usize) -> String {
    let cut = cut(&clean(text), limit, limit * 2, 20);
    let more = cut.more().unwrap_or_default();
    cut.shown + &more
}

/// Cuts all other texts of a body. What is a name stays one: a part of an address is none.
fn shorten(value: &mut Value, limit: usize) {
    match value {
        Value::Array(items) => {
            if items.iter().all(Value::is_string) {
                items.truncate(NAMES);
            }
            items.iter_mut().for_each(|item| shorten(item, limit));
        }
        Value::Object(fields) => {
            for (key, value) in fields {
                match (key.as_str(), value.as_str()) {
                    ("text" | "hint", Some(_)) => {}
                    ("url", Some(url)) if url.len() > LONGEST_URL => *value = Value::Null,
                    ("url", Some(_)) => {}
                    _ => shorten(value, limit),
                }
            }
        }
        Value::String(text) if text.chars().nth(limit).is_some() => {
            *text = text.chars().take(limit.saturating_sub(1)).chain(['…']).collect();
        }
        _ => {}
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::samples;
    use super::*;

    // F4
    #[test]
    fn a_short_body_is_below_its_limit_and_says_what_is_missing() {
        for (name, message) in samples() {
            if matches!(message.content.reviews().len(), 0 | 1) {
                let short = body(&message, true);
                assert!(short.to_string().len() < MAX_BODY_BYTES, "{name}: {}", short.to_string().len());
            }
        }
        let long = body(&super::super::sample("20,000 characters"), false);
        let text = long["data"]["review"]["text"].as_str().unwrap();
        assert!(text.starts_with("lang genoeg lang") && text.ends_with(" more characters)"), "{text}");
        let missing: String = text.rsplit_once('(').unwrap().1.chars().filter(char::is_ascii_digit).collect();
        let shown = text.split('…').next().unwrap().chars().count();
        assert!(shown <= SHOWN && shown + missing.parse::<usize>().unwrap() >= 20_000, "{text}");
        let mut wide = super::super::sample("everything");
        if let Content::Review { subject, .. } = &mut wide.content {
            subject.review.text = Some("👩‍👩‍👧‍👦\"\\".repeat(5_000));
            subject.url = Some(format!("https://shop.example/{}", "x".repeat(2_900)));
        }
        let short = body(&wide, true);
        assert!(short.to_string().len() < MAX_BODY_BYTES && short["data"]["review"]["url"].is_null());
        let fine = super::super::sample("rating only");
        assert_eq!(body(&fine, true), Body::of(&fine, true).to_json());
    }
}
