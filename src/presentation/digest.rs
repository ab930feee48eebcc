//! Ready-made texts of a digest: headline, what needs attention, figures by website and platform, edits,
//! the rest, and whether the bridge itself is well; and of a summary: figures and the worst.

use super::context::View;
use super::figures::{self, ShownBar, ShownGroup, count, more};
use super::review::ShownReview;
use super::words::{self, clean, cut_line, legible, thousands};
use crate::clock::in_zone;
use crate::domain::text::is_visible;
use crate::domain::{Cause, Digest, Figures, Member, Message, Summary, Timestamp};
use serde::Serialize;

/// Reviews that a summary shows.
const WORST: usize = 3;
/// Words for websites: one, many, none.
const WEBSITES: (&str, &str, &str) = ("website", "websites", "On no website");
/// Likewise for platforms.
const PLATFORMS: (&str, &str, &str) = ("platform", "platforms", "Unknown platform");

/// How many of its reviews a message has room for, and how much of each.
#[derive(Clone, Copy, Debug)]
pub struct ListBudget {
    /// Those that need attention.
    pub attention: usize,
    /// Edits, and others, each.
    pub lines: usize,
    /// Websites, and platforms, each.
    pub groups: usize,
    /// Characters of what needs attention.
    pub quote: usize,
    /// Characters of edits and others.
    pub short: usize,
}

impl ListBudget {
    /// Of a message to a chat.
    pub const CHAT: Self = Self { attention: 6, lines: 8, groups: 10, quote: 280, short: 100 };
}

/// A digest's ready-made texts.
#[derive(Clone, Debug, Serialize)]
pub struct ShownDigest {
    /// `12 new reviews · 3 need attention`, `No new reviews`; of a part with the counts of the whole, and which it is.
    pub title: String,
    /// `part 1 of 4`, where it is only a part.
    pub part: Option<String>,
    /// `22 Nov 2026 08:00 – 23 Nov 2026 08:00 CET`.
    pub period: String,
    /// `Mon 23 Nov 2026`: the day it is made.
    pub day: String,
    /// `4.6 average (4.4 last time) · 8 % with 1–2 stars · 70 % with 5 stars`; null where nothing can be said.
    pub headline: Option<String>,
    /// Bars of all reviews, five stars first.
    pub bars: Vec<ShownBar>,
    /// Low or unreadable ratings with text, oldest first.
    pub attention: Vec<ShownMember>,
    /// How many there are of these in all.
    pub attention_count: usize,
    /// `and 4 more that need attention`, where some are not shown.
    pub attention_more: Option<String>,
    /// By website, most reviews first.
    pub websites: Vec<ShownGroup>,
    /// `and 4 more websites`, where some are not shown.
    pub websites_more: Option<String>,
    /// By platform, most reviews first.
    pub platforms: Vec<ShownGroup>,
    /// `and 4 more platforms`, where some are not shown.
    pub platforms_more: Option<String>,
    /// Edits of reviews told before.
    pub edits: Vec<ShownMember>,
    /// `and 3 more edits`, where some are not shown.
    pub edits_more: Option<String>,
    /// All other reviews.
    pub others: Vec<ShownMember>,
    /// `and 34 more`, where some are not shown.
    pub others_more: Option<String>,
    /// Whether the bridge itself is well.
    pub health: String,
    /// Whether there is no review at all.
    pub empty: bool,
    /// That an earlier attempt may have arrived, where so.
    pub repeat: Option<&'static str>,
}

/// A summary's ready-made texts.
#[derive(Clone, Debug, Serialize)]
pub struct ShownSummary {
    /// 🔥 many at once, ⏳ many that waited.
    pub symbol: &'static str,
    /// `37 reviews in a short time · 3 need attention`, `37 delayed reviews`; of a part with the counts of the whole, and
    /// which it is.
    pub title: String,
    /// `part 1 of 4`, where it is only a part.
    pub part: Option<String>,
    /// `22 Nov 2026 08:00 – 08:05 CET`.
    pub period: String,
    /// Why they are told together.
    pub reason: &'static str,
    /// `4.6 average · 8 % with 1–2 stars · 70 % with 5 stars`; null where nothing can be said.
    pub headline: Option<String>,
    /// Bars of all reviews, five stars first.
    pub bars: Vec<ShownBar>,
    /// The three that matter most, the worst first.
    pub worst: Vec<ShownMember>,
    /// `and 34 more`, where there are more.
    pub worst_more: Option<String>,
    /// By website, most reviews first.
    pub websites: Vec<ShownGroup>,
    /// `and 4 more websites`, where some are not shown.
    pub websites_more: Option<String>,
    /// By platform, most reviews first.
    pub platforms: Vec<ShownGroup>,
    /// `and 4 more platforms`, where some are not shown.
    pub platforms_more: Option<String>,
    /// That an earlier attempt may have arrived, where so.
    pub repeat: Option<&'static str>,
}

/// A review in a digest or a summary.
#[derive(Clone, Debug, Serialize)]
pub struct ShownMember {
    /// 🔴 🟡 🟢 ⚪.
    pub severity: &'static str,
    /// The same as a colour's name: `attention`, `warning`, `good`, `default`.
    pub tone: &'static str,
    /// `1 of 5 stars`.
    pub rating: String,
    /// `★☆☆☆☆`; empty where the rating is unknown.
    pub stars: String,
    /// `2/10 on Kiyoh`, where the native value differs.
    pub native: Option<String>,
    /// Where it is shown.
    pub place: String,
    /// Platform, author, language, date.
    pub details: String,
    /// What was said, cut to what there is room for, or `Rating only, no comment.`
    pub quote: String,
    /// The language of what was said, such as `nl-NL`, where it is known.
    pub lang: Option<String>,
    /// `Edited: 2 to 5 stars, after 3 days.`, for an edit.
    pub edit: Option<String>,
    /// What it said before, where its text changed; cut likewise.
    pub before: Option<String>,
    /// Where people see it: http(s).
    pub url: Option<String>,
    /// `Open on Kiyoh`.
    pub link: String,
}

impl ShownDigest {
    /// The ready-made texts of `digest`.
    pub fn of(digest: &Digest, message: &Message, view: &View, budget: &ListBudget) -> Self {
        let (figures, part) = (digest.whole(), part(digest));
        let shown = |member: &&Member| ShownMember::of(member, message, view, budget.quote);
        let short = |member: &&Member| ShownMember::of(member, message, view, budget.short);
        let (attention, edits) = (digest.attention(), digest.edits());
        let others: Vec<&Member> = digest
            .members
            .iter()
            .filter(|member| !member.subject.needs_attention() && member.subject.previous.is_none())
            .collect();
        let (websites, websites_more) = figures::groups(digest.by_website(), WEBSITES, budget.groups);
        let (platforms, platforms_more) = figures::groups(digest.by_platform(), PLATFORMS, budget.groups);
        Self {
            title: title(&figures, part.as_deref()),
            part,
            day: time(digest.to, "%a %-d %b %Y", view),
            period: period(digest.from, digest.to, view),
            headline: figures::headline(&figures, digest.before.as_ref()),
            bars: figures::bars(&figures),
            attention_count: attention.len(),
            attention_more: more(attention.len(), budget.attention, " that need attention"),
            attention: attention.iter().take(budget.attention).map(shown).collect(),
            websites,
            websites_more,
            platforms,
            platforms_more,
            edits_more: more(edits.len(), budget.lines, " edits"),
            edits: edits.iter().take(budget.lines).map(short).collect(),
            others_more: more(others.len(), budget.lines, ""),
            others: others.iter().take(budget.lines).map(short).collect(),
            health: health(&digest.troubles),
            empty: digest.members.is_empty(),
            repeat: message.possible_repeat.then_some(super::review::REPEAT),
        }
    }
}

impl ShownSummary {
    /// The ready-made texts of `summary`.
    pub fn of(summary: &Summary, message: &Message, view: &View, budget: &ListBudget) -> Self {
        let Summary { cause, reviews } = summary;
        let (figures, part) = (reviews.whole(), part(reviews));
        let (symbol, all, reason) = match cause {
            Cause::Burst => {
                let all = count(figures.count, "review in a short time", "reviews in a short time");
                ("🔥", all, BURST)
            }
            Cause::Backlog => ("⏳", count(figures.count, "delayed review", "delayed reviews"), BACKLOG),
        };
        let attention = (figures.attention > 0).then(|| attention(&figures));
        let (worst, most) = (reviews.worst(), WORST.min(budget.attention));
        let shown = |member: &&Member| ShownMember::of(member, message, view, budget.quote);
        let (websites, websites_more) = figures::groups(reviews.by_website(), WEBSITES, budget.groups);
        let (platforms, platforms_more) = figures::groups(reviews.by_platform(), PLATFORMS, budget.groups);
        Self {
            symbol,
            title: [Some(all), attention, part.clone()].into_iter().flatten().collect::<Vec<_>>().join(" · "),
            part,
            period: period(reviews.from, reviews.to, view),
            reason,
            headline: figures::headline(&figures, None),
            bars: figures::bars(&figures),
            worst_more: more(worst.len(), most, ""),
            worst: worst.iter().take(most).map(shown).collect(),
            websites,
            websites_more,
            platforms,
            platforms_more,
            repeat: message.possible_repeat.then_some(super::review::REPEAT),
        }
    }
}

const BURST: &str =
    "Grouped because many arrived at the same time. From now on, reviews are sent one by one again.";
const BACKLOG: &str =
    "Grouped because they could not be sent here until now. From now on, reviews are sent one by one again.";

impl ShownMember {
    fn of(member: &Member, message: &Message, view: &View, graphemes: usize) -> Self {
        let shown = ShownReview::of(&member.subject, &member.rules, message, view);
        let review = &member.subject.review;
        let said = review.text.as_deref().or(review.title.as_deref()).map(legible);
        Self {
            severity: shown.severity,
            tone: shown.tone,
            rating: shown.rating,
            stars: shown.stars,
            native: shown.native,
            place: shown.place,
            details: shown.details,
            quote: match said.filter(|said| is_visible(said)) {
                Some(said) => format!("“{}”", cut_line(&said, graphemes)),
                None => "Rating only, no comment.".into(),
            },
            lang: shown.lang,
            edit: shown.edit,
            before: words::before(&member.subject)
                .map(|before| format!("“{}”", cut_line(&clean(before), graphemes))),
            url: member.subject.url.as_deref().and_then(super::body::safe_url),
            link: shown.link,
        }
    }
}

/// `part 1 of 4`, where it is only a part.
fn part(digest: &Digest) -> Option<String> {
    digest.part.map(|part| format!("part {} of {}", thousands(part.number.into()), thousands(part.of.into())))
}

fn title(figures: &Figures, part: Option<&str>) -> String {
    let fresh = figures.count - figures.edits;
    let mut parts = Vec::new();
    if fresh > 0 {
        parts.push(count(fresh, "new review", "new reviews"));
    }
    if figures.edits > 0 {
        parts.push(count(figures.edits, "edit", "edits"));
    }
    if figures.attention > 0 {
        parts.push(attention(figures));
    }
    if parts.is_empty() {
        parts.push("No new reviews".into());
    }
    parts.extend(part.map(str::to_owned));
    parts.join(" · ")
}

fn attention(figures: &Figures) -> String {
    count(figures.attention, "needs attention", "need attention")
}

/// A time as `format` says, on the clocks of the view.
fn time(at: Timestamp, format: &str, view: &View) -> String {
    in_zone(at, &view.zone).map_or_else(|| "?".to_owned(), |at| at.strftime(format).to_string())
}

fn period(from: Timestamp, to: Timestamp, view: &View) -> String {
    let day = |at| time(at, "%-d %b %Y", view);
    let end = if day(from) == day(to) { "%H:%M %Z" } else { "%-d %b %Y %H:%M %Z" };
    format!("{} – {}", time(from, "%-d %b %Y %H:%M", view), time(to, end, view))
}

fn health(troubles: &[String]) -> String {
    match troubles {
        [] => "No problems: reviews are being fetched and nothing is stuck.".into(),
        [one] => format!("1 problem: {}", words::cut_line(&clean(one), 300)),
        [one, ..] => format!(
            "{} problems, including: {}",
            thousands(troubles.len() as u64),
            words::cut_line(&clean(one), 300)
        ),
    }
}
