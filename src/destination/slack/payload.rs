//! Slack's payload: which fields are literal and which are markup, who can be pinged, and its plain form.
//!
//! Only `&`, `<` and `>` are control characters of Slack's markup;
//! formatting characters have no escape, which is why a review is shown in literal fields (`plain_text`,
//! `rich_text`). In the top-level `text` beside blocks (only notifications and screen readers show it) a
//! `*` stays a `*`; in the plain form, which is displayed, look-alikes take its place.

use super::{limits, tokens};
use crate::domain::{Content, Message};
use crate::presentation::digest::{ListBudget, ShownDigest, ShownMember, ShownSummary};
use crate::presentation::review::{ShownNotice, ShownReview};
use crate::presentation::words::cut_line;
use crate::presentation::{Mention, View, context, figures, safe_url};
use crate::template::{Dialect, Format, Place, Rule};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Slack's payload.
pub static FORMAT: Format = Format {
    mentions: || {
        let known = ["<!here>", "<@U12345678>", "<!subteam^S12345678>"];
        known.into_iter().filter_map(parse_mention).collect()
    },
    ..Format::json("slack", &DIALECT, |payload, _| limits::fit(payload), plain)
};

/// What Slack's format allows where.
pub static DIALECT: Dialect = Dialect {
    types: &[
        "header",
        "section",
        "context",
        "divider",
        "rich_text",
        "rich_text_section",
        "rich_text_quote",
        "rich_text_list",
        "rich_text_preformatted",
        "plain_text",
        "mrkdwn",
        "text",
        "link",
        "emoji",
        "broadcast",
        "user",
        "usergroup",
    ],
    rule,
    escape,
    markup: tokens::check,
};

/// Only texts and links can hold values: a `type`, a `style` or an image's address made of a review's text
/// could ping or fetch. Mentions hold the destination's own mention and nothing else.
fn rule(place: &Place<'_>) -> Rule {
    match (place.key, place.kind) {
        ("text", Some("mrkdwn")) => Rule::Escaped,
        ("text", None) if place.top => Rule::Escaped,
        ("text", Some("plain_text" | "text" | "link")) => Rule::Literal,
        ("url", Some("link")) => Rule::Link,
        ("range", Some("broadcast")) => Rule::Only("{{mention.range}}"),
        ("user_id", Some("user")) => Rule::Only("{{mention.user_id}}"),
        ("usergroup_id", Some("usergroup")) => Rule::Only("{{mention.usergroup_id}}"),
        _ => Rule::Fixed,
    }
}

/// Disables every token (`<!here>`, `<@U…>`, `<https://…|…>`); exactly these three, Slack shows others as is.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// [`escape`], and look-alikes for what formats or makes a link: for review text in a displayed `text`.
fn inert(text: &str) -> String {
    let swap = |c: char| match c {
        '*' => '∗',
        '_' => 'ˍ',
        '~' => '˜',
        '`' => 'ˋ',
        ':' => '꞉',
        c => c,
    };
    let mut safe = String::new();
    let mut characters = text.chars().map(swap).peekable();
    while let Some(c) = characters.next() {
        let inside_a_name = c == '.' && characters.peek().is_some_and(|next| next.is_alphanumeric());
        safe.push(if inside_a_name { '․' } else { c });
    }
    escape(&safe)
}

/// What a template can name of a mention, one of which has a value: `here`, `channel` or `everyone`; a user's id; a
/// group's id.
const MENTION_PARTS: [&str; 3] = ["range", "user_id", "usergroup_id"];

/// Reads `<!here>`, `<!channel>`, `<!everyone>`, `<@U…>` or `<!subteam^S…>`.
pub fn parse_mention(text: &str) -> Option<Mention> {
    let inner = text.trim().strip_prefix('<')?.strip_suffix('>')?;
    let id = |id: &str, first: &[char]| {
        let fits = id.starts_with(first) && (2..=40).contains(&id.len());
        (fits && id.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())).then(|| id.to_owned())
    };
    let (part, value) = if let Some(range @ ("here" | "channel" | "everyone")) = inner.strip_prefix('!') {
        ("range", range.to_owned())
    } else if let Some(group) = inner.strip_prefix("!subteam^") {
        ("usergroup_id", id(group, &['S'])?)
    } else {
        ("user_id", id(inner.strip_prefix('@')?, &['U', 'W'])?)
    };
    let mut parts: BTreeMap<_, _> = MENTION_PARTS.iter().map(|part| (*part, None)).collect();
    parts.insert(part, Some(value));
    Some(Mention { token: format!("<{inner}>"), parts })
}

/// How much of each text the plain form quotes, in graphemes: the first with which the whole is within its limit.
const QUOTED: &[usize] = &[2_000, 1_000, 400, 150, 50];

/// The plain form: `text` alone, no blocks. Never fails, whatever the message says.
pub fn plain(message: &Message, view: &View) -> Value {
    let fits = |text: &String| limits::length(text) <= limits::MAX_TEXT;
    let text = QUOTED.iter().map(|quoted| plain_text(message, view, *quoted)).find(fits);
    let text = text.unwrap_or_else(|| plain_text(message, view, 10));
    let payload = json!({"text": text, "unfurl_links": false, "unfurl_media": false});
    limits::fit(payload.clone()).unwrap_or(payload)
}

fn plain_text(message: &Message, view: &View, quoted: usize) -> String {
    let mention = context::mention(message, view).map(|mention| mention.token.clone());
    let mut parts: Vec<String> = mention.into_iter().collect();
    match &message.content {
        Content::Review { subject, rules } => {
            let shown = ShownReview::of(subject, rules, message, view);
            let place = [shown.platform.as_deref(), Some(&shown.place)].into_iter().flatten();
            let place: Vec<String> = place.map(inert).collect();
            let native = shown.native.map(|native| format!(" ({})", inert(&native))).unwrap_or_default();
            parts.push(format!("{} {}{native} · {}", shown.severity, shown.rating, place.join(" · ")));
            parts.extend(shown.edit);
            // One line: a line that begins with `>` would be a quotation.
            let said = shown.text.as_deref().or(shown.title.as_deref());
            parts.push(said.map_or(shown.quote, |said| format!("“{}”", inert(&cut_line(said, quoted)))));
            parts.extend(shown.more);
            parts.push(format!("— {}, {}", inert(&shown.author), shown.date));
            let url = subject.url.as_deref().and_then(safe_url);
            parts.extend(url.map(|url| format!("<{}|{}>", escape(&url), inert(&shown.link))));
            parts.extend(shown.repeat.map(str::to_owned));
        }
        Content::Digest(digest) => {
            let shown = ShownDigest::of(digest, message, view, &ListBudget::CHAT);
            parts.push(format!("📬 {} · {}", shown.title, shown.period));
            parts.extend(shown.headline);
            // The plain form has room for the worst and the largest; the figures above are of all.
            parts.extend(shown.attention.iter().take(6).map(|said| member(said, quoted.min(120))));
            parts.extend(figures::more(shown.attention_count, 6, " that need attention"));
            parts.extend(shown.websites.iter().take(8).map(|group| inert(&group.line)));
            parts.push(inert(&shown.health));
            parts.extend(shown.repeat.map(str::to_owned));
        }
        Content::Summary(summary) => {
            let shown = ShownSummary::of(summary, message, view, &ListBudget::CHAT);
            parts.push(format!("{} {} · {}", shown.symbol, shown.title, shown.period));
            parts.push(shown.reason.to_owned());
            parts.extend(shown.headline);
            parts.extend(shown.worst.iter().map(|said| member(said, quoted.min(280))));
            parts.extend(shown.worst_more);
            parts.extend(shown.websites.iter().take(8).map(|group| inert(&group.line)));
            parts.extend(shown.repeat.map(str::to_owned));
        }
        content => {
            let shown = ShownNotice::of(content, message.possible_repeat);
            // Our own words, with names of settings to copy: escaped, but as they are.
            parts.push(format!("{} {}", shown.symbol, escape(&shown.title)));
            parts.push(escape(&cut_line(&shown.text, quoted)));
            parts.extend(shown.hint.map(|hint| escape(&cut_line(&hint, quoted))));
            parts.extend(shown.repeat.map(str::to_owned));
        }
    }
    parts.join("\n")
}

fn member(said: &ShownMember, graphemes: usize) -> String {
    let (place, quote) = (inert(&said.place), inert(&cut_line(&said.quote, graphemes)));
    format!("{} {} · {place}: {quote}", said.severity, said.rating)
}
