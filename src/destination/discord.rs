//! Discord's webhooks. They are asked to wait (`?wait=true`): without that, an answer says nothing of whether the
//! message was kept.
//!
//! Who is pinged is not left to the text: `allowed_mentions` names the configured mention alone. Embeds are read
//! as Markdown, but for their footers.

use super::chat::Chat;
use super::http::{Answer, MAX_RETRY_AFTER, Sender};
use super::settings::{Common, Key, Shared, TEMPLATE, read_url};
use super::{Kind, Make};
use crate::domain::text::one_line;
use crate::domain::{Attempt, Message, Outcome, Reason};
use crate::render::markdown::{self, cut, length, unmentioned};
use crate::render::parts::{self, Room, list, object, opening, text};
use crate::render::words::unlinked;
use crate::render::{Dialect, Format, Mention, Place, Rule, View, context, safe_url};
use crate::settings::{Rate, Secret, Table};
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::Duration;

/// The row of this kind.
pub static KIND: Kind = Kind {
    name: "discord",
    summary: "a Discord channel, through a webhook",
    default_rate: Rate::per_second(1),
    keys: &[
        Key { name: "webhook_url", summary: "the webhook's URL, from Discord", secret: true },
        Key {
            name: "mention",
            summary: "who is pinged by reviews and by trouble: @here, @everyone, <@USER_ID>, <@&ROLE_ID>",
            secret: false,
        },
        TEMPLATE,
    ],
    format: Some(&FORMAT),
    read,
};

/// Discord's payload.
pub static FORMAT: Format = Format { name: "discord", dialect: &DIALECT, fit, plain };

static DIALECT: Dialect = Dialect { types: &[], rule, escape, markup: markdown::check };

const CONTENT: usize = 2_000;
const FOOTER: usize = 2_048;
const EMBED_URL: usize = 2_048;
const FIELDS: usize = 25;
/// All embeds together; what is left of 6,000 is for how many are left out.
const ROOM: Room =
    Room { parts: 10, units: 5_900, texts: &["title", "description", "name", "value", "text"] };

fn read(table: &Table<'_>, common: &Common, _: &Shared) -> Option<Arc<dyn Make>> {
    let webhook_url = read_url(table, "webhook_url", common);
    let mention = table.text("mention").map(|text| {
        let mention = parse_mention(&text);
        if mention.is_none() {
            let hint = "write \"@here\", \"@everyone\", \"<@USER_ID>\" or \"<@&ROLE_ID>\", with the number that Discord \
                        copies in its developer mode";
            table.problem("mention", "is not a mention that Discord knows", hint);
        }
        mention
    });
    Some(Arc::new(Chat {
        format: &FORMAT,
        url: waiting(&webhook_url?),
        mention: mention.flatten(),
        judge: |sender, answer| Discord { sender }.judge(answer),
    }))
}

fn parse_mention(text: &str) -> Option<Mention> {
    let text = text.trim();
    let id = text.strip_prefix("<@").and_then(|rest| rest.strip_suffix('>'));
    let id = id.map(|id| id.strip_prefix('&').unwrap_or(id));
    let is_id = |id: &str| (5..=20).contains(&id.len()) && id.bytes().all(|digit| digit.is_ascii_digit());
    let known = matches!(text, "@here" | "@everyone") || id.is_some_and(is_id);
    known.then(|| Mention { token: Some(text.to_owned()), ..Mention::default() })
}

/// `url` with `wait=true`; all else in it, such as `thread_id`, stays as it is.
fn waiting(url: &Secret) -> Secret {
    let (address, query) = url.expose().split_once('?').unwrap_or((url.expose(), ""));
    let own = query.split('&').filter(|part| !part.is_empty() && !part.starts_with("wait="));
    let query = own.chain(["wait=true"]).collect::<Vec<_>>().join("&");
    Secret::new(format!("{address}?{query}"))
}

fn rule(place: &Place<'_>) -> Rule {
    match place.key {
        "content" if place.top => Rule::Only(parts::MENTION),
        "title" | "description" | "name" | "value" => Rule::Escaped,
        // Of a footer.
        "text" => Rule::Literal,
        "url" => Rule::Link,
        "color" => Rule::Only("{{shown.tone}}"),
        _ => Rule::Fixed,
    }
}

fn escape(text: &str) -> String {
    markdown::escape(text, |c| (c == '<').then_some("\\<"))
}

/// Makes `payload` one that Discord takes: within its limits, without empty parts, pinging the configured mention
/// at most.
fn fit(payload: Value, context: &Value) -> Result<Value, String> {
    let mut payload = object(payload, &["content", "embeds"])?;
    let token = parts::token(context);
    let mut fitted = Map::new();
    let content = opening(text(&payload, "content"), token);
    fitted.extend(content.map(|content| ("content".to_owned(), content.into())));
    let (mut embeds, missing) = ROOM.fit(list(&mut payload, "embeds", embed)?)?;
    if let Some(Value::Object(last)) = embeds.last_mut().filter(|_| missing > 0) {
        let own = last.get("footer").and_then(|footer| footer["text"].as_str()).unwrap_or_default();
        let note = format!("… ({missing} more not shown) {}", cut(own, FOOTER - 60));
        last.insert("footer".into(), json!({"text": note.trim()}));
    }
    if !embeds.is_empty() {
        fitted.insert("embeds".into(), embeds.into());
    }
    if fitted.is_empty() {
        return Err("has neither `content` nor an embed that shows anything".into());
    }
    fitted.insert("allowed_mentions".into(), allowed(token));
    Ok(fitted.into())
}

/// `None` where nothing readable is in it.
fn embed(value: Value) -> Result<Option<Value>, String> {
    let mut fields = object(value, &["title", "description", "url", "color", "fields", "footer"])?;
    let mut fitted = Map::new();
    let mut set = |key: &str, value: Option<Value>| fitted.extend(value.map(|value| (key.to_owned(), value)));
    set("title", line(&fields, "title", 256));
    set("description", within(text(&fields, "description"), 4_096));
    let named = list(&mut fields, "fields", field)?;
    set("fields", (!named.is_empty()).then(|| named.into_iter().take(FIELDS).collect()));
    if let Some(footer) = fields.remove("footer") {
        let shown = within(&unlinked(text(&object(footer, &["text"])?, "text")), FOOTER);
        set("footer", shown.map(|shown| json!({"text": shown})));
    }
    if fitted.is_empty() {
        return Ok(None);
    }
    let url = safe_url(text(&fields, "url")).filter(|url| length(url) <= EMBED_URL);
    fitted.extend(url.map(|url| ("url".to_owned(), url.into())));
    if let Some(value) = fields.get("color") {
        fitted.insert("color".into(), color(value)?.into());
    }
    Ok(Some(fitted.into()))
}

/// `None` where its name or its value shows nothing: Discord refuses such a field.
fn field(value: Value) -> Result<Option<Value>, String> {
    let fields = object(value, &["name", "value", "inline"])?;
    let (name, value) = (line(&fields, "name", 256), within(text(&fields, "value"), 1_024));
    let inline = fields.get("inline") == Some(&Value::Bool(true));
    Ok(name.zip(value).map(|(name, value)| json!({"name": name, "value": value, "inline": inline})))
}

fn line(fields: &Map<String, Value>, name: &str, limit: usize) -> Option<Value> {
    within(&text(fields, name).split_whitespace().collect::<Vec<_>>().join(" "), limit)
}

/// `None` where it shows nothing.
fn within(text: &str, limit: usize) -> Option<Value> {
    (!text.is_empty()).then(|| cut(&unmentioned(text), limit).into())
}

fn color(value: &Value) -> Result<u64, String> {
    match (value.as_str(), value.as_u64()) {
        (Some("attention"), _) => Ok(0xD9_36_3E),
        (Some("warning"), _) => Ok(0xE0_A1_0B),
        (Some("good"), _) => Ok(0x2E_9E_5B),
        (Some("default"), _) => Ok(0x8A_8F_98),
        (None, Some(number)) if number <= 0xFF_FF_FF => Ok(number),
        _ => {
            Err("has a `color` that is no number and none of `attention`, `warning`, `good`, `default`"
                .into())
        }
    }
}

/// Who may be pinged: `token` and nobody else.
fn allowed(token: Option<&str>) -> Value {
    let id = |before: &str| token.and_then(|token| token.strip_prefix(before)?.strip_suffix('>'));
    match (token, id("<@&"), id("<@")) {
        (Some("@here" | "@everyone"), ..) => json!({"parse": ["everyone"]}),
        (_, Some(role), _) => json!({"parse": [], "roles": [role]}),
        (_, None, Some(user)) => json!({"parse": [], "users": [user]}),
        _ => json!({"parse": []}),
    }
}

/// The plain form: `content` alone. Never fails, whatever the message says.
fn plain(message: &Message, view: &View) -> Value {
    let token = context::mention(message, view).and_then(|mention| mention.token.as_deref());
    json!({"content": parts::plain(message, view, escape, CONTENT), "allowed_mentions": allowed(token)})
}

/// An answer to one message.
struct Discord<'a> {
    sender: &'a Sender,
}

/// What an error of Discord's says.
#[derive(Default)]
struct Said {
    code: u64,
    message: String,
    retry_after: Option<Duration>,
}

/// The codes that mean more than their status.
const CODES: &[(u64, Reason, &str)] = &[
    (10_003, Reason::ChannelGone, "the channel or thread was deleted"),
    (10_015, Reason::Revoked, "the webhook was deleted"),
    (50_027, Reason::CredentialsRefused, "the webhook's token is wrong or was replaced"),
    (
        220_001,
        Reason::Forbidden,
        "it posts into a forum, and needs `?thread_id=` with the number of one of its threads behind the URL",
    ),
];

impl Discord<'_> {
    fn judge(&self, answer: &Answer) -> Attempt {
        let body = answer.body.as_deref().unwrap_or_default().trim();
        if (200..300).contains(&answer.status) {
            if body.starts_with('<') {
                return self.sender.taken_by_another("with a web page, so it may not be Discord", answer);
            }
            return self.sender.by_status(answer);
        }
        let said = Said::read(body);
        let replace =
            "In Discord open the channel's settings, Integrations, Webhooks, and make a new webhook; then";
        let new_url = format!("{replace} {}.", self.sender.new_url_needed());
        if let Some((code, reason, what)) = CODES.iter().find(|(code, ..)| *code == said.code) {
            let detail = format!("Discord says `{code}` ({}): {what}. {new_url}", answer.status);
            return self.sender.attempt(Outcome::Broken { reason: *reason }, answer, detail);
        }
        let pause = [answer.retry_after, said.retry_after].into_iter().flatten().min();
        let attempt = self.sender.by_status(&Answer { retry_after: pause, ..answer.clone() });
        match &attempt.outcome {
            Outcome::Broken { reason: Reason::Redirected } => attempt,
            Outcome::Broken { .. } => {
                let host = self.sender.host();
                let detail =
                    format!("{host} does not take messages at this URL ({}). {new_url}", answer.status);
                self.sender.attempt(attempt.outcome, answer, detail)
            }
            Outcome::Dead { .. } if said.code != 0 => {
                let what = format!("Discord says `{}`: {}", said.code, said.message.trim_end_matches('.'));
                self.sender.attempt(attempt.outcome, answer, format!("{what}. {}", attempt.detail))
            }
            _ => attempt,
        }
    }
}

impl Said {
    /// Reads `{"code": …, "message": …, "retry_after": …}`.
    fn read(body: &str) -> Self {
        let Ok(body) = serde_json::from_str::<Value>(body) else { return Self::default() };
        let seconds = body["retry_after"].as_f64().filter(|seconds| *seconds > 0.0);
        Self {
            code: body["code"].as_u64().unwrap_or_default(),
            message: one_line(body["message"].as_str().unwrap_or_default(), 200),
            retry_after: seconds
                .map(|seconds| Duration::from_secs_f64(seconds.min(MAX_RETRY_AFTER.as_secs_f64()))),
        }
    }
}
