//! The body of a webhook: these types *are* its public format, and templates see the same names.
//!
//! Unknown is `null`, never absent; `email` alone is absent unless the destination has `show_email`.

use super::words::clean;
use crate::clock;
use crate::domain::{
    Cause, Change, Content, Digest, Member, Message, NativeRating, Notice, NoticeState, RuleHit, Subject,
    Summary, Timestamp,
};
use serde::Serialize;
use serde_json::{Number, Value};

/// What a webhook receives.
#[derive(Clone, Debug, Serialize)]
pub struct Body {
    /// `review.created`, `review.updated`, `digest.created`, `summary.created`, `operator` or `test`.
    pub r#type: &'static str,
    /// When this attempt is made, RFC 3339.
    pub timestamp: String,
    /// What it says.
    pub data: Data,
}

/// What a message says, by its type.
#[derive(Clone, Debug, Serialize)]
#[serde(untagged)]
pub enum Data {
    /// Of `review.created` and `review.updated`.
    Review(Box<ReviewData>),
    /// Of `digest.created`.
    Digest(Box<DigestData>),
    /// Of `summary.created`.
    Summary(Box<SummaryData>),
    /// Of `operator`.
    Operator(OperatorData),
    /// Of `test`.
    Test(TestData),
}

/// A review, what happened to it, and why it is told.
#[derive(Clone, Debug, Serialize)]
pub struct ReviewData {
    /// The account's name in the configuration.
    pub account: String,
    /// The review.
    pub review: ReviewBody,
    /// `new`, `rating`, `text_added` or `text`.
    pub change: &'static str,
    /// What the recipients knew before.
    pub previous: Option<PreviousBody>,
    /// The names of the rules that asked for it.
    pub rules: Vec<String>,
    /// An earlier attempt may have arrived.
    pub repeat: bool,
}

/// The review itself.
#[derive(Clone, Debug, Serialize)]
pub struct ReviewBody {
    /// The API's uuid.
    pub uuid: String,
    /// On 0..=5 with one decimal; `null` is unknown.
    pub rating: Option<Number>,
    /// As the platform gave it: a number, a word or `null`.
    pub rating_native: Value,
    /// The top of the platform's scale.
    pub rating_scale: Option<Number>,
    /// What the customer wrote.
    pub text: Option<String>,
    /// The author's name.
    pub author: Option<String>,
    /// As the API gives it, such as `nl_NL`.
    pub language: Option<String>,
    /// When it was written, RFC 3339.
    pub reviewed_at: Option<String>,
    /// The platform's name.
    pub platform: Option<String>,
    /// The source's name.
    pub source: Option<String>,
    /// The names of the websites that show it.
    pub websites: Vec<String>,
    /// Where people see it: http(s), safe to link to.
    pub url: Option<String>,
    /// The author's address: only with `show_email`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub email: Option<Option<String>>,
}

/// What the recipients last knew.
#[derive(Clone, Debug, Serialize)]
pub struct PreviousBody {
    /// On 0..=5 with one decimal; `null` is unknown.
    pub rating: Option<Number>,
    /// As the platform gave it.
    pub rating_native: Value,
    /// The text it had.
    pub text: Option<String>,
}

/// Many reviews, by schedule.
#[derive(Clone, Debug, Serialize)]
pub struct DigestData {
    /// The destination it is for.
    pub destination: String,
    /// The start of its window, RFC 3339.
    pub from: Option<String>,
    /// The end of its window, RFC 3339.
    pub to: Option<String>,
    /// Which part of a larger message this is; `null` where it is a whole one.
    pub part: Option<PartBody>,
    /// The figures people look at first; of a part those of the whole.
    pub counts: Counts,
    /// Every review, oldest first, each as in `review.created`.
    pub reviews: Vec<ReviewData>,
}

/// Which part of a message that was too large.
#[derive(Clone, Debug, Serialize)]
pub struct PartBody {
    /// From 1.
    pub number: u32,
    /// How many there are.
    pub of: u32,
}

/// Many reviews that came at once, or waited for long.
#[derive(Clone, Debug, Serialize)]
pub struct SummaryData {
    /// `burst` or `backlog`.
    pub cause: Cause,
    /// The rest is as in a digest.
    #[serde(flatten)]
    pub reviews: DigestData,
}

/// Counts over the reviews of a digest or a summary.
#[derive(Clone, Debug, Serialize)]
pub struct Counts {
    /// How many.
    pub reviews: usize,
    /// Of these, with a known rating.
    pub rated: usize,
    /// The average of these with two decimals; `null` where none is known.
    pub average: Option<Number>,
    /// Rated 2 or less.
    pub low: usize,
    /// Rated 5.
    pub five: usize,
    /// Low or unreadable, with text.
    pub needs_attention: usize,
    /// Edits of reviews told before.
    pub edits: usize,
    /// By whole stars, one star first.
    pub stars: [usize; 5],
}

/// Trouble, or its end.
#[derive(Clone, Debug, Serialize)]
pub struct OperatorData {
    /// A stable name, such as `destination_broken`.
    pub kind: String,
    /// `started` or `over`.
    pub state: &'static str,
    /// What happened, where.
    pub text: String,
    /// What to do.
    pub hint: String,
}

/// A person's test.
#[derive(Clone, Debug, Serialize)]
pub struct TestData {
    /// What it says.
    pub text: String,
}

impl Body {
    /// The body of `message`.
    pub fn of(message: &Message, show_email: bool) -> Self {
        let (r#type, data) = match &message.content {
            Content::Review { subject, rules } => {
                let created = subject.change == Change::New;
                let data = ReviewData::of(subject, rules, message.possible_repeat, show_email);
                (if created { "review.created" } else { "review.updated" }, Data::Review(Box::new(data)))
            }
            Content::Digest(digest) => {
                let data = DigestData::of(digest, message.possible_repeat, show_email);
                ("digest.created", Data::Digest(Box::new(data)))
            }
            Content::Summary(summary) => {
                let Summary { cause, reviews } = &**summary;
                let reviews = DigestData::of(reviews, message.possible_repeat, show_email);
                ("summary.created", Data::Summary(Box::new(SummaryData { cause: *cause, reviews })))
            }
            Content::Operator(notice) => ("operator", Data::Operator(OperatorData::of(notice))),
            Content::Test { text } => ("test", Data::Test(TestData { text: clean(text) })),
        };
        Self { r#type, timestamp: clock::rfc3339(message.now), data }
    }

    /// As JSON.
    pub fn to_json(&self) -> Value {
        json(self)
    }
}

impl ReviewData {
    /// What is told of `subject`.
    pub fn of(subject: &Subject, rules: &[RuleHit], repeat: bool, show_email: bool) -> Self {
        let review = &subject.review;
        let cleaned = |text: &Option<String>| text.as_deref().map(clean);
        let previous = subject.previous.as_ref().map(|previous| PreviousBody {
            rating: previous.rating_on(subject.rating.scale).rounded().and_then(number),
            rating_native: native(&previous.rating),
            text: cleaned(&previous.text),
        });
        let review = ReviewBody {
            uuid: clean(&review.uuid),
            rating: subject.rating.rounded().and_then(number),
            rating_native: native(&subject.rating.native),
            rating_scale: number(subject.rating.scale),
            text: cleaned(&review.text),
            author: cleaned(&review.author),
            language: cleaned(&review.language),
            reviewed_at: review.reviewed_at.and_then(rfc3339),
            platform: subject.platform.as_ref().map(|platform| clean(&platform.name)),
            source: subject.source.as_ref().map(|source| clean(&source.name)),
            websites: subject.websites.iter().map(|website| clean(&website.name)).collect(),
            url: subject.url.as_deref().and_then(safe_url),
            email: show_email.then(|| cleaned(&review.email)),
        };
        Self {
            account: subject.review.account.clone(),
            review,
            change: subject.change.as_str(),
            previous,
            rules: rules.iter().map(|hit| hit.rule.clone()).collect(),
            repeat,
        }
    }
}

impl DigestData {
    /// What is told of `digest`.
    pub fn of(digest: &Digest, repeat: bool, show_email: bool) -> Self {
        let figures = digest.whole();
        let member = |member: &Member| ReviewData::of(&member.subject, &member.rules, repeat, show_email);
        Self {
            destination: digest.destination.clone(),
            from: rfc3339(digest.from),
            to: rfc3339(digest.to),
            part: digest.part.map(|part| PartBody { number: part.number, of: part.of }),
            counts: Counts {
                reviews: figures.count,
                rated: figures.rated,
                average: figures.average().map(|average| (average * 100.0).round() / 100.0).and_then(number),
                low: figures.low,
                five: figures.five,
                needs_attention: figures.attention,
                edits: figures.edits,
                stars: figures.stars,
            },
            reviews: digest.members.iter().map(member).collect(),
        }
    }
}

impl OperatorData {
    /// What is told of `notice`.
    pub fn of(notice: &Notice) -> Self {
        let state = match notice.state {
            // What lasts has started: consumers know two states.
            NoticeState::Started | NoticeState::Lasting => "started",
            NoticeState::Over => "over",
        };
        Self { kind: notice.kind.clone(), state, text: clean(&notice.text), hint: clean(&notice.hint) }
    }
}

/// Plain data as JSON. The types given here have text keys and finite numbers only, so nothing can fail;
/// were that to change, `null` fails the samples at load.
pub fn json<T: Serialize>(data: &T) -> Value {
    serde_json::to_value(data).unwrap_or(Value::Null)
}

/// `url` where it is a link that may be shown: http(s), a host, no name or password before it (`https://
/// google.com@evil.example`), normalised, at most 3,000 characters (Slack's limit), without `|`, which ends
/// the address in Slack's own link syntax.
pub fn safe_url(url: &str) -> Option<String> {
    let url = url::Url::parse(url.trim()).ok()?;
    let plain = url.username().is_empty() && url.password().is_none();
    if !matches!(url.scheme(), "http" | "https") || !url.has_host() || !plain {
        return None;
    }
    let text = url.as_str().replace('|', "%7C").replace('<', "%3C").replace('>', "%3E");
    (text.len() <= 3_000).then_some(text)
}

fn rfc3339(time: Timestamp) -> Option<String> {
    clock::in_zone(time, &jiff::tz::TimeZone::UTC).map(|_| clock::rfc3339(time))
}

fn native(rating: &NativeRating) -> Value {
    match rating {
        NativeRating::Number(value) => number(*value).map_or(Value::Null, Value::Number),
        NativeRating::Word(word) => Value::String(clean(word)),
        NativeRating::Missing => Value::Null,
    }
}

/// Whole numbers as `5`, not `5.0`: that is how people and most JSON writers put them.
fn number(value: f64) -> Option<Number> {
    if value.fract() == 0.0 && value.abs() < 9e15 {
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::super::samples::sample;
    use super::*;
    use serde_json::json;

    #[test]
    fn a_review_has_the_documented_body() {
        let body = Body::of(&sample("edited rating"), false).to_json();
        let expected = json!({
            "type": "review.updated",
            "timestamp": "2026-03-14T20:05:00Z",
            "data": {
                "account": "main",
                "review": {
                    "uuid": "6f1c0a52-0001",
                    "rating": 5,
                    "rating_native": 10,
                    "rating_scale": 10,
                    "text": "They called me and fixed it.",
                    "author": "A. Customer",
                    "language": "en_GB",
                    "reviewed_at": "2026-03-14T17:02:00Z",
                    "platform": "Kiyoh",
                    "source": "Kiyoh profile",
                    "websites": ["Shop NL", "Shop BE"],
                    "url": "https://reviews.example/shop",
                },
                "change": "rating",
                "previous": {"rating": 1.5, "rating_native": 3, "text": "Parcel broken, nobody answers."},
                "rules": ["unhappy customers"],
                "repeat": true,
            },
        });
        assert_eq!(body, expected);
    }

    #[test]
    fn unknown_is_null_and_the_address_shows_only_where_asked_for() {
        let body = Body::of(&sample("bare"), false).to_json();
        assert_eq!(body["type"], "review.created");
        let review = body["data"]["review"].as_object().unwrap();
        for key in ["rating", "rating_native", "text", "author", "reviewed_at", "platform", "source", "url"] {
            assert_eq!(review[key], Value::Null, "{key}");
        }
        assert_eq!(review["websites"], json!([]));
        assert!(!review.contains_key("email"));
        assert_eq!(Body::of(&sample("bare"), true).to_json()["data"]["review"]["email"], Value::Null);
        let shown = Body::of(&sample("everything"), true).to_json();
        assert_eq!(shown["data"]["review"]["email"], "customer@mail.example");
        assert!(!Body::of(&sample("everything"), false).to_json().to_string().contains("mail.example"));
    }

    #[test]
    fn notices_and_tests_have_the_documented_body() {
        let body = Body::of(&sample("problem"), false).to_json();
        assert_eq!(body["type"], "operator");
        assert_eq!(body["data"]["kind"], "destination_broken");
        assert_eq!(body["data"]["state"], "started");
        assert!(body["data"]["text"].is_string() && body["data"]["hint"].is_string());
        let body = Body::of(&sample("test"), false).to_json();
        assert_eq!((&body["type"], body["data"].as_object().unwrap().len()), (&json!("test"), 1));
    }

    #[test]
    fn only_plain_web_links_are_shown() {
        assert_eq!(safe_url("https://a.example/x|y<z").as_deref(), Some("https://a.example/x%7Cy%3Cz"));
        for bad in [
            "javascript:alert(1)",
            "data:text/html,x",
            "https://google.com@evil.example",
            "//evil.example",
            "slack://x",
            "",
            &format!("https://a.example/{}", "x".repeat(3_000)),
        ] {
            assert_eq!(safe_url(bad), None, "{bad}");
        }
    }
}
