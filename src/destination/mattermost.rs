//! Mattermost's incoming webhooks. Success is 200 with the body `ok`; what failed is told by an id, or by a text where
//! an older server or a proxy leaves that out.
//!
//! Whoever is named in a text is pinged, in attachments too. The texts of attachments are read as Markdown; their
//! titles, footers and fallbacks are Markdown in one client and plain in another, so look-alikes stand there.

use super::chat::Chat;
use super::http::{Answer, Sender};
use super::settings::{Common, Key, Shared, TEMPLATE, read_url};
use super::{Kind, Make};
use crate::domain::text::one_line;
use crate::domain::{Attempt, Message, Outcome, Reason};
use crate::render::markdown::{self, cut, unmentioned};
use crate::render::parts::{self, Room, list, object, opening, text};
use crate::render::words::unlinked;
use crate::render::{Dialect, Format, Mention, Place, Rule, View, safe_url, teams};
use crate::settings::{Rate, Table};
use serde_json::{Map, Value, json};
use std::sync::Arc;

/// The row of this kind.
pub static KIND: Kind = Kind {
    name: "mattermost",
    summary: "a Mattermost channel, through an incoming webhook",
    default_rate: Rate::per_second(1),
    keys: &[
        Key { name: "webhook_url", summary: "the webhook's URL, from Mattermost", secret: true },
        Key {
            name: "mention",
            summary: "who is pinged by reviews and by trouble: @here, @channel, @all, @username",
            secret: false,
        },
        TEMPLATE,
    ],
    format: Some(&FORMAT),
    read,
};

/// Mattermost's payload.
pub static FORMAT: Format = Format { name: "mattermost", dialect: &DIALECT, fit, plain };

static DIALECT: Dialect = Dialect { types: &[], rule, escape, markup: markdown::check };

/// A text; what is longer than 16,383 is split into several posts.
const TEXT: usize = 8_000;
/// A title, of an attachment or a field.
const TITLE: usize = 300;
const FALLBACK: usize = 1_000;
/// All texts together.
const ROOM: Room =
    Room { parts: 20, units: 11_500, texts: &["fallback", "title", "text", "value", "footer"] };

fn read(table: &Table<'_>, common: &Common, _: &Shared) -> Option<Arc<dyn Make>> {
    let webhook_url = read_url(table, "webhook_url", common);
    let mention = table.text("mention").map(|text| {
        let mention = parse_mention(&text);
        if mention.is_none() {
            let hint = "write \"@here\", \"@channel\", \"@all\", or \"@\" and the name of a user or a group";
            table.problem("mention", "is not a mention that Mattermost knows", hint);
        }
        mention
    });
    Some(Arc::new(Chat {
        format: &FORMAT,
        url: webhook_url?,
        mention: mention.flatten(),
        judge: |sender, answer| Mattermost { sender }.judge(answer),
    }))
}

/// Reads `@` and a name: `here`, `channel`, `all`, or that of a user or a group.
fn parse_mention(text: &str) -> Option<Mention> {
    let text = text.trim();
    let name = text.strip_prefix('@')?;
    let fits = (1..=64).contains(&name.len())
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || b"._-".contains(&c));
    fits.then(|| Mention { token: Some(text.to_owned()), ..Mention::default() })
}

fn rule(place: &Place<'_>) -> Rule {
    match place.key {
        "text" if place.top => Rule::Only(parts::MENTION),
        "text" | "value" => Rule::Escaped,
        // Made inert as a whole, in `line`.
        "fallback" | "title" | "footer" => Rule::Literal,
        "title_link" => Rule::Link,
        "color" => Rule::Only("{{shown.tone}}"),
        _ => Rule::Fixed,
    }
}

/// There is no escape for `<`, which servers read as Slack does, and for `$`, which begins a formula.
fn escape(text: &str) -> String {
    markdown::escape(text, |c| match c {
        '<' => Some("‹"),
        '$' => Some("﹩"),
        _ => None,
    })
}

/// Makes `payload` one that Mattermost shows as one post, pinging the configured mention at most.
fn fit(payload: Value, context: &Value) -> Result<Value, String> {
    let mut payload = object(payload, &["text", "attachments"])?;
    let mut fitted = Map::new();
    let opening = opening(text(&payload, "text"), parts::token(context));
    fitted.extend(opening.map(|opening| ("text".to_owned(), opening.into())));
    let (mut attachments, missing) = ROOM.fit(list(&mut payload, "attachments", attachment)?)?;
    if let Some(Value::Object(last)) = attachments.last_mut().filter(|_| missing > 0) {
        let note = format!("… ({missing} more not shown) {}", text(last, "footer"));
        last.insert("footer".into(), note.trim().into());
    }
    if !attachments.is_empty() {
        fitted.insert("attachments".into(), attachments.into());
    }
    if fitted.is_empty() {
        return Err("has neither `text` nor an attachment that shows anything".into());
    }
    Ok(fitted.into())
}

/// `None` where nothing readable is in it.
fn attachment(value: Value) -> Result<Option<Value>, String> {
    let keys = &["fallback", "color", "title", "title_link", "text", "fields", "footer"];
    let mut fields = object(value, keys)?;
    let mut fitted = Map::new();
    let mut set = |key: &str, value: Option<Value>| fitted.extend(value.map(|value| (key.to_owned(), value)));
    set("title", line(&fields, "title", TITLE));
    set("text", markup(&fields, "text"));
    set("footer", line(&fields, "footer", TITLE));
    let named = list(&mut fields, "fields", field)?;
    set("fields", (!named.is_empty()).then(|| named.into()));
    if fitted.is_empty() {
        return Ok(None);
    }
    let link = safe_url(text(&fields, "title_link")).map(Value::from);
    let color = fields.get("color").map(color).transpose()?;
    for (key, value) in
        [("fallback", line(&fields, "fallback", FALLBACK)), ("title_link", link), ("color", color)]
    {
        fitted.extend(value.map(|value| (key.to_owned(), value)));
    }
    Ok(Some(fitted.into()))
}

/// `None` where its value shows nothing.
fn field(value: Value) -> Result<Option<Value>, String> {
    let fields = object(value, &["short", "title", "value"])?;
    let title = line(&fields, "title", TITLE).unwrap_or_else(|| "".into());
    let short = fields.get("short") == Some(&Value::Bool(true));
    Ok(markup(&fields, "value").map(|value| json!({"short": short, "title": title, "value": value})))
}

/// One line that looks the same as Markdown and as plain text.
fn line(fields: &Map<String, Value>, name: &str, limit: usize) -> Option<Value> {
    let line = text(fields, name).split_whitespace().collect::<Vec<_>>().join(" ");
    let shown = unmentioned(&teams::inert(&unlinked(&line)).replace('$', "﹩"));
    (!shown.is_empty()).then(|| cut(&shown, limit).into())
}

fn markup(fields: &Map<String, Value>, name: &str) -> Option<Value> {
    Some(text(fields, name)).filter(|text| !text.is_empty()).map(|text| cut(&unmentioned(text), TEXT).into())
}

fn color(value: &Value) -> Result<Value, String> {
    let text = value.as_str().unwrap_or_default();
    let own = text
        .strip_prefix('#')
        .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|c| c.is_ascii_hexdigit()));
    match text {
        "attention" => Ok("#D9363E".into()),
        "warning" => Ok("#E0A10B".into()),
        "good" => Ok("#2E9E5B".into()),
        "default" => Ok("#8A8F98".into()),
        _ if own => Ok(text.into()),
        _ => Err(
            "has a `color` that is neither `#RRGGBB` nor one of `attention`, `warning`, `good`, `default`"
                .into(),
        ),
    }
}

/// The plain form: `text` alone. Never fails, whatever the message says.
fn plain(message: &Message, view: &View) -> Value {
    json!({"text": parts::plain(message, view, escape, TEXT)})
}

/// An answer to one message.
struct Mattermost<'a> {
    sender: &'a Sender,
}

/// What an error means: its id, a part of its text in English, and what is wrong.
const ERRORS: &[(&str, &str, Option<Reason>, &str)] = &[
    ("web.incoming_webhook.invalid.", "invalid webhook", Some(Reason::Revoked), "the webhook was deleted"),
    (
        "web.incoming_webhook.disabled.",
        "webhooks have been disabled",
        Some(Reason::Revoked),
        "incoming webhooks are switched off; ask the server's admin",
    ),
    (
        "web.incoming_webhook.channel.",
        "find the channel",
        Some(Reason::ChannelGone),
        "the channel was deleted or renamed",
    ),
    ("app.channel.get.existing.", "", Some(Reason::ChannelGone), "the channel was deleted"),
    (
        "api.post.create_post.can_not_post_to_deleted.",
        "post to deleted channel",
        Some(Reason::ChannelGone),
        "the channel is archived",
    ),
    (
        "web.incoming_webhook.channel_locked.",
        "not permitted to post",
        Some(Reason::Forbidden),
        "the webhook is locked to another channel",
    ),
    (
        "web.incoming_webhook.permissions.",
        "channel permissions",
        Some(Reason::Forbidden),
        "whoever made the webhook is not in the channel any more",
    ),
    (
        "api.post.create_post.town_square_read_only",
        "read-only",
        Some(Reason::Forbidden),
        "the channel is read-only",
    ),
    (
        "web.incoming_webhook.user.",
        "find the user",
        Some(Reason::Revoked),
        "whoever made the webhook is not there any more",
    ),
    ("web.incoming_webhook.text.", "no text specified", None, "this message is empty"),
    ("web.incoming_webhook.parse.", "unable to parse", None, "it cannot read this message"),
    ("web.incoming_webhook.split_props_length.", "", None, "this message is too long"),
];

impl Mattermost<'_> {
    fn judge(&self, answer: &Answer) -> Attempt {
        match (answer.status, answer.body.as_deref()) {
            (200..=299, Some(body)) if !body.trim().eq_ignore_ascii_case("ok") => {
                return self
                    .sender
                    .taken_by_another("but not with Mattermost's `ok`, so it may not be Mattermost", answer);
            }
            (200..=299, _) => return self.sender.by_status(answer),
            _ => {}
        }
        let (id, said) = said(answer.body.as_deref().unwrap_or_default());
        let lower = said.to_lowercase();
        let known = ERRORS.iter().find(|(known, text, ..)| {
            id.starts_with(known) || (id.is_empty() && !text.is_empty() && lower.contains(text))
        });
        let new_url = format!(
            "In Mattermost open Integrations, Incoming Webhooks; then {}",
            self.sender.new_url_needed()
        );
        match known {
            Some((.., Some(reason), what)) => {
                let detail = format!("Mattermost refuses this ({}): {what}. {new_url}.", answer.status);
                self.sender.attempt(Outcome::Broken { reason: *reason }, answer, detail)
            }
            Some((.., None, what)) => {
                let outcome = Outcome::Dead { reason: Reason::PayloadRefused };
                let advice = self.sender.refused_for_good();
                let detail = format!("Mattermost refuses this ({}): {what}. {advice}.", answer.status);
                self.sender.attempt(outcome, answer, detail)
            }
            None => {
                let attempt = self.sender.by_status(answer);
                if said.is_empty() || !matches!(attempt.outcome, Outcome::Dead { .. }) {
                    return attempt;
                }
                let detail = format!("Mattermost says: {}. {}", said.trim_end_matches('.'), attempt.detail);
                self.sender.attempt(attempt.outcome, answer, detail)
            }
        }
    }
}

/// Reads `{"id": …, "message": …}`, else the first words of a text that is no web page.
fn said(body: &str) -> (String, String) {
    let body = body.trim();
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let text = |key: &str| one_line(json[key].as_str().unwrap_or_default(), 200);
    match json.is_object() {
        true => (text("id"), text("message")),
        false if body.starts_with('<') => Default::default(),
        false => (String::new(), one_line(body, 200)),
    }
}
