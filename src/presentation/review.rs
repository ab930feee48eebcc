//! Ready-made texts for templates: what a person reads, in words and cut to what a message has room for.

use super::context::View;
use super::words::{self, clean, cut_line, cut_text, legible};
use crate::domain::text::is_visible;
use crate::domain::{Content, Message, Named, Notice, NoticeState, RuleHit, Subject};
use serde::Serialize;

/// A review's ready-made texts: single lines, cut to what a message has room for, except `text`.
#[derive(Clone, Debug, Serialize)]
pub struct ShownReview {
    /// 🔴 up to 2, 🟡 below 4, 🟢 from 4, ⚪ unknown.
    pub severity: &'static str,
    /// The same as a colour's name: `attention`, `warning`, `good`, `default`.
    pub tone: &'static str,
    /// `★☆☆☆☆`; empty where the rating is unknown.
    pub stars: String,
    /// `1 of 5 stars`, `Unknown rating`.
    pub rating: String,
    /// `1/5`, `?/5`.
    pub rating_short: String,
    /// `2/10 on Kiyoh`, where the native value differs.
    pub native: Option<String>,
    /// `Shop NL, Shop BE and 3 more`; without a website the source, platform or account.
    pub place: String,
    /// The platform's name.
    pub platform: Option<String>,
    /// The name, or `Anonymous customer`.
    pub author: String,
    /// `14 Mar 2026 18:02 CET (3 h ago)`, or `date unknown`.
    pub date: String,
    /// Who and when, in one line: platform, author, language, date.
    pub details: String,
    /// Whether there is a text or a title.
    pub comment: bool,
    /// The title.
    pub title: Option<String>,
    /// The text, cut to 600 characters.
    pub text: Option<String>,
    /// `… (1,340 more characters)`, where the text was cut.
    pub more: Option<String>,
    /// The beginning of what was said in one line, or `Rating only, no comment.`
    pub quote: String,
    /// `Edited: 2 to 5 stars, after 3 days.`, for anything but a new review.
    pub edit: Option<String>,
    /// The language of the text, such as `nl-NL`, where it is known.
    pub lang: Option<String>,
    /// What it said before, where its text changed.
    pub before: Option<String>,
    /// `Sent by rule "unhappy customers": rating 1 is at most 2.`
    pub why: String,
    /// `Open on Kiyoh`.
    pub link: String,
    /// That an earlier attempt may have arrived, where so.
    pub repeat: Option<&'static str>,
}

/// Ready-made texts of a notice or a test.
#[derive(Clone, Debug, Serialize)]
pub struct ShownNotice {
    /// ⚠️ a problem, ✅ resolved, 🧪 a test.
    pub symbol: &'static str,
    /// The same as a colour's name: `attention`, `good`, `default`.
    pub tone: &'static str,
    /// `Problem: destination broken`, `Resolved: destination broken`, `Test message`.
    pub title: String,
    /// What happened, cut to 600 characters with how much is missing.
    pub text: String,
    /// What to do, where there is something; cut likewise.
    pub hint: Option<String>,
    /// That an earlier attempt may have arrived, where so.
    pub repeat: Option<&'static str>,
}

pub(super) const REPEAT: &str = "Possibly a repeat: an earlier attempt may have arrived.";

impl ShownReview {
    /// The ready-made texts of `subject`.
    pub fn of(subject: &Subject, rules: &[RuleHit], message: &Message, view: &View) -> Self {
        let review = &subject.review;
        let line = |text: &str, limit| cut_line(&legible(text), limit);
        let filled = |text: &Option<String>| text.as_deref().map(legible).filter(|text| is_visible(text));
        let text = filled(&review.text).map(|text| cut_text(&text));
        let title = filled(&review.title).map(|title| cut_line(&title, 150));
        let platform = subject.platform.as_ref().filter(|platform| is_visible(&platform.name));
        let platform = platform.map(|platform| line(&platform.name, 60));
        let author = filled(&review.author).map_or("Anonymous customer".into(), |name| cut_line(&name, 80));
        let date = words::date_and_age(review.reviewed_at, message.now, &view.zone);
        let said = filled(&review.text).or_else(|| title.clone());
        Self {
            severity: words::severity(subject.rating.normalised),
            tone: words::tone(subject.rating.normalised),
            stars: subject.rating.normalised.map(words::stars).unwrap_or_default(),
            rating: words::rating(subject),
            rating_short: format!("{}/5", subject.rating.shown().as_deref().unwrap_or("?")),
            native: words::native(subject),
            place: place(subject),
            details: details(subject, platform.as_deref(), &author, &date, view),
            platform: platform.clone(),
            author,
            date,
            comment: said.is_some(),
            title,
            more: text.as_ref().and_then(words::Cut::more),
            text: text.map(|cut| cut.shown),
            quote: match said {
                Some(said) => format!("“{}”", cut_line(&said, 120)),
                None => "Rating only, no comment.".into(),
            },
            lang: review.language.as_deref().and_then(words::language_tag),
            edit: words::edit(subject),
            before: words::before(subject).map(|before| format!("“{}”", cut_line(&legible(before), 200))),
            why: why(rules),
            link: format!("Open on {}", platform.as_deref().unwrap_or("the review site")),
            repeat: message.possible_repeat.then_some(REPEAT),
        }
    }
}

fn place(subject: &Subject) -> String {
    let named = |named: &Named| cut_line(&legible(&named.name), 40);
    let websites: Vec<&Named> = subject.websites.iter().filter(|website| is_visible(&website.name)).collect();
    let names: Vec<String> = websites.iter().take(2).copied().map(named).collect();
    if !names.is_empty() {
        return match websites.len() - names.len() {
            0 => names.join(", "),
            more => format!("{} and {more} more", names.join(", ")),
        };
    }
    let others = [&subject.source, &subject.platform].into_iter().flatten();
    let other = others.into_iter().find(|other| is_visible(&other.name)).map(named);
    other.unwrap_or_else(|| cut_line(&clean(&subject.review.account), 40))
}

fn details(subject: &Subject, platform: Option<&str>, author: &str, date: &str, view: &View) -> String {
    let mut parts: Vec<String> = platform.map(str::to_owned).into_iter().collect();
    parts.push(format!("by {author}"));
    if let Some(email) = subject.review.email.as_deref().filter(|_| view.show_email) {
        parts.push(cut_line(&legible(email), 120));
    }
    parts.extend(
        subject
            .review
            .language
            .as_deref()
            .filter(|code| is_visible(code))
            .map(|code| cut_line(&legible(code), 20)),
    );
    parts.push(date.to_owned());
    parts.join(" · ")
}

fn why(rules: &[RuleHit]) -> String {
    if rules.is_empty() {
        return "Sent manually.".into();
    }
    let rule = |hit: &RuleHit| {
        let name = cut_line(&clean(&hit.rule), 80);
        match hit.because.is_empty() {
            true => format!("rule “{name}”"),
            false => format!(
                "rule “{name}”: {}",
                cut_line(&words::in_quotes(&clean(&hit.because.join(", "))), 200)
            ),
        }
    };
    let reasons: Vec<String> = rules.iter().map(rule).collect();
    cut_line(&format!("Sent by {}.", reasons.join("; ")), 600)
}

impl ShownNotice {
    /// The ready-made texts of a notice or a test.
    pub fn of(content: &Content, possible_repeat: bool) -> Self {
        let cut = |text: &str| {
            let cut = cut_text(&words::sentence(&words::in_quotes(&clean(text))));
            cut.shown.clone() + &cut.more().unwrap_or_default()
        };
        let (symbol, title, text, hint) = match content {
            Content::Operator(notice) => {
                let (symbol, title) = notice_title(notice);
                (symbol, title, notice.text.as_str(), notice.hint.as_str())
            }
            Content::Test { text } => ("🧪", "Test message".to_owned(), text.as_str(), ""),
            Content::Review { .. } | Content::Digest(_) | Content::Summary(_) => ("", String::new(), "", ""),
        };
        Self {
            symbol,
            tone: tone(content),
            title,
            text: cut(text),
            hint: Some(cut(hint)).filter(|hint| !hint.trim().is_empty()),
            repeat: possible_repeat.then_some(REPEAT),
        }
    }
}

fn tone(content: &Content) -> &'static str {
    match content {
        Content::Operator(Notice { state: NoticeState::Started | NoticeState::Lasting, .. }) => "attention",
        Content::Operator(Notice { state: NoticeState::Over, .. }) => "good",
        _ => "default",
    }
}

fn notice_title(notice: &Notice) -> (&'static str, String) {
    let kind = cut_line(&clean(&notice.kind.replace('_', " ")), 80);
    match notice.state {
        NoticeState::Started => ("⚠️", format!("Problem: {kind}")),
        NoticeState::Lasting => ("⚠️", format!("Still a problem: {kind}")),
        NoticeState::Over => ("✅", format!("Resolved: {kind}")),
    }
}
