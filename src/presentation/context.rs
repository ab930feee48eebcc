//! What a template may name: everything of the webhook's body (without `data.`), ready-made texts under
//! `shown`, the destination's own `mention`. These types are the documentation of that context.

use super::body::{Body, Data, ReviewData, json};
use super::digest::{ListBudget, ShownDigest, ShownSummary};
use super::review::{ShownNotice, ShownReview};
use crate::domain::{Content, Message, NoticeState};
use jiff::tz::TimeZone;
use serde::Serialize;
use serde_json::Value;
use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

/// How a destination wants messages to be shown.
#[derive(Clone, Debug)]
pub struct View {
    /// The destination's name.
    pub destination: String,
    /// The zone of shown dates.
    pub zone: TimeZone,
    /// Whether the author's e-mail address is shown.
    pub show_email: bool,
    /// Whom to ping; only ever from the configuration.
    pub mention: Option<Mention>,
    /// The name of the templates it uses; the usual ones where it has none.
    pub template: Option<String>,
    /// What its kind needs to make a message, beside all this.
    pub own: Own,
}

/// Settings of one kind of destination, for its own eyes. Not printed: there may be secrets among them.
#[derive(Clone, Default)]
pub struct Own(Option<Arc<dyn Any + Send + Sync>>);

impl Own {
    /// `settings` for those who know their type.
    pub fn new<T: Any + Send + Sync>(settings: T) -> Self {
        Self(Some(Arc::new(settings)))
    }

    /// The settings of that type; `None` where a template is only tried.
    pub fn get<T: Any>(&self) -> Option<&T> {
        self.0.as_deref()?.downcast_ref()
    }
}

impl fmt::Debug for Own {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Own")
    }
}

/// Who is pinged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Mention {
    /// As the kind of destination writes it.
    pub token: String,
    /// What else the templates of that kind can name of it.
    #[serde(flatten)]
    pub parts: BTreeMap<&'static str, Option<String>>,
}

impl Mention {
    /// Of a kind that writes it as `token` wherever it stands.
    pub fn new(token: impl Into<String>) -> Self {
        Self { token: token.into(), parts: BTreeMap::new() }
    }
}

/// The context of `review` templates.
#[derive(Clone, Debug, Serialize)]
struct ReviewContext<'a> {
    r#type: &'a str,
    timestamp: &'a str,
    #[serde(flatten)]
    data: &'a ReviewData,
    shown: ShownReview,
    mention: Option<&'a Mention>,
    destination: &'a str,
}

/// The context of `operator` and `test` templates.
#[derive(Clone, Debug, Serialize)]
struct PlainContext<'a> {
    r#type: &'a str,
    timestamp: &'a str,
    #[serde(flatten)]
    data: &'a Data,
    repeat: bool,
    shown: ShownNotice,
    mention: Option<&'a Mention>,
    destination: &'a str,
}

/// The context of `digest` and `summary` templates.
#[derive(Clone, Debug, Serialize)]
struct ManyContext<'a, Shown> {
    r#type: &'a str,
    timestamp: &'a str,
    // Holds `destination`, which the other contexts add.
    #[serde(flatten)]
    data: &'a Data,
    repeat: bool,
    shown: Shown,
    mention: Option<&'a Mention>,
}

/// The context for `message`.
pub fn context(message: &Message, view: &View) -> Value {
    // Templates can always name `review.email`; without `show_email` it is null.
    let mut body = Body::of(message, view.show_email);
    match &mut body.data {
        Data::Review(data) => {
            data.review.email.get_or_insert(None);
        }
        Data::Digest(data) => name_emails(&mut data.reviews),
        Data::Summary(data) => name_emails(&mut data.reviews.reviews),
        Data::Operator(_) | Data::Test(_) => {}
    }
    let (r#type, timestamp, destination) = (body.r#type, body.timestamp.as_str(), view.destination.as_str());
    match (&message.content, &body.data) {
        (Content::Review { subject, rules }, Data::Review(data)) => json(&ReviewContext {
            r#type,
            timestamp,
            data,
            shown: ShownReview::of(subject, rules, message, view),
            mention: mention(message, view),
            destination,
        }),
        (Content::Digest(digest), data) => json(&ManyContext {
            r#type,
            timestamp,
            data,
            repeat: message.possible_repeat,
            shown: ShownDigest::of(digest, message, view, &ListBudget::CHAT),
            mention: mention(message, view),
        }),
        (Content::Summary(summary), data) => json(&ManyContext {
            r#type,
            timestamp,
            data,
            repeat: message.possible_repeat,
            shown: ShownSummary::of(summary, message, view, &ListBudget::CHAT),
            mention: mention(message, view),
        }),
        (content, data) => json(&PlainContext {
            r#type,
            timestamp,
            data,
            repeat: message.possible_repeat,
            shown: ShownNotice::of(content, message.possible_repeat),
            mention: mention(message, view),
            destination,
        }),
    }
}

/// `shown` of a digest or a summary, in other room than a chat has; nothing for other messages.
pub fn shown_in(budget: &ListBudget, message: &Message, view: &View) -> Option<Value> {
    match &message.content {
        Content::Digest(digest) => Some(json(&ShownDigest::of(digest, message, view, budget))),
        Content::Summary(summary) => Some(json(&ShownSummary::of(summary, message, view, budget))),
        Content::Review { .. } | Content::Operator(_) | Content::Test { .. } => None,
    }
}

fn name_emails(reviews: &mut [ReviewData]) {
    for member in reviews {
        member.review.email.get_or_insert(None);
    }
}

/// Whom `message` pings. Good news and a person's test ping nobody.
pub fn mention<'a>(message: &Message, view: &'a View) -> Option<&'a Mention> {
    let pings = match &message.content {
        Content::Review { .. } => true,
        Content::Digest(_) | Content::Summary(_) => {
            message.content.reviews().iter().any(|(subject, _)| subject.needs_attention())
        }
        Content::Operator(notice) => notice.state != NoticeState::Over,
        Content::Test { .. } => false,
    };
    view.mention.as_ref().filter(|_| pings)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::super::samples::sample;
    use super::*;

    pub(crate) fn shown(name: &str) -> Value {
        context(&sample(name), &view())["shown"].take()
    }

    fn view() -> View {
        let mention = Some(Mention::new("@here"));
        let zone = TimeZone::get("Europe/Amsterdam").unwrap();
        View {
            destination: "support".into(),
            zone,
            show_email: false,
            mention,
            template: None,
            own: Own::default(),
        }
    }

    #[test]
    fn a_review_is_shown_in_words() {
        let shown = shown("everything");
        assert_eq!(shown["severity"], "🔴");
        assert_eq!(shown["stars"], "★☆☆☆☆");
        assert_eq!(shown["rating"], "1 of 5 stars");
        assert_eq!(shown["native"], "2/10 on Kiyoh");
        assert_eq!(shown["place"], "Shop NL, Shop BE");
        assert_eq!(shown["details"], "Kiyoh · by A. Customer · en_GB · 14 Mar 2026 18:02 CET (3 h ago)");
        assert_eq!(
            shown["why"],
            "Sent by rule “unhappy customers”: rating 1 is at most 2, website is “Shop NL”."
        );
        assert_eq!(shown["edit"], Value::Null);
        assert_eq!(shown["link"], "Open on Kiyoh");
        assert!(shown["repeat"].is_string());
    }

    #[test]
    fn what_is_missing_is_said() {
        let shown = shown("bare");
        assert_eq!(shown["severity"], "⚪");
        assert_eq!(shown["rating"], "Unknown rating");
        assert_eq!(shown["rating_short"], "?/5");
        assert_eq!(shown["author"], "Anonymous customer");
        assert_eq!(shown["date"], "date unknown");
        assert_eq!(shown["quote"], "Rating only, no comment.");
        assert_eq!(shown["place"], "main");
        assert_eq!(shown["comment"], false);
    }

    #[test]
    fn edits_name_what_changed() {
        let edit = |name: &str| shown(name)["edit"].as_str().unwrap().to_owned();
        assert_eq!(edit("edited rating"), "Edited: 1.5 to 5 stars, after 3 days; the text changed too.");
        assert_eq!(edit("text added"), "Edited: a text was added to the rating, after 3 days.");
        assert_eq!(edit("edited text"), "Edited: the text changed, after 3 days.");
        assert!(edit("edited, before unknown").contains("no longer stored"));
    }

    #[test]
    fn the_address_is_null_unless_shown_and_good_news_pings_nobody() {
        let mut view = view();
        let hidden = context(&sample("everything"), &view);
        assert_eq!(hidden["review"]["email"], Value::Null);
        assert!(!hidden.to_string().contains("mail.example"));
        assert_eq!(hidden["mention"]["token"], "@here");
        view.show_email = true;
        let shown = context(&sample("everything"), &view);
        assert!(shown["shown"]["details"].as_str().unwrap().contains("customer@mail.example"));
        assert_eq!(context(&sample("problem"), &view)["mention"]["token"], "@here");
        assert_eq!(context(&sample("problem resolved"), &view)["mention"], Value::Null);
        assert_eq!(context(&sample("test"), &view)["mention"], Value::Null);
    }
}
