//! The plain form of a message to Google Chat: `text` alone, no card.

use super::limits::MAX_BYTES;
use super::markup::{inert, tokenless};
use crate::domain::{Content, Message};
use crate::presentation::context::mention;
use crate::presentation::words::cut_line;
use crate::presentation::{Lines, View};
use serde_json::{Value, json};

/// The plain form. Never fails, whatever the message says.
pub fn plain(message: &Message, view: &View) -> Value {
    let fits = |payload: &Value| payload.to_string().len() <= MAX_BYTES;
    let whole = [1_000, 400, 150].iter().map(|limit| plain_text(message, view, *limit)).find(fits);
    whole.unwrap_or_else(|| plain_text(message, view, 50))
}

fn plain_text(message: &Message, view: &View, limit: usize) -> Value {
    let Lines { lines, link } = Lines::of(message, view);
    let own_words = matches!(message.content, Content::Operator(_) | Content::Test { .. });
    let line = |line: String| {
        let line = cut_line(&line, limit);
        if own_words { tokenless(&line) } else { inert(&line) }
    };
    // A digest comes by the clock, and its card pings nobody either.
    let pinged = mention(message, view).filter(|_| !matches!(message.content, Content::Digest(_)));
    let mut parts: Vec<String> = pinged.map(|mention| mention.token.clone()).into_iter().collect();
    parts.extend(lines.into_iter().map(line));
    parts.extend(link.map(|(label, url)| format!("<{url}|{}>", inert(&label))));
    json!({"text": parts.join("\n")})
}
