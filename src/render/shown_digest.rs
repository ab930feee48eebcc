//! Ready-made texts of a digest: headline, what needs attention, figures by website and platform, edits,
//! the rest, and whether the bridge itself is well; and of a summary: figures and the worst.

use super::context::View;
use super::shown::ShownReview;
use super::words::{self, clean, cut_line, legible, thousands};
use crate::clock::in_zone;
use crate::domain::digest::FEWEST_FOR_AVERAGE;
use crate::domain::text::is_visible;
use crate::domain::{Cause, Digest, Figures, Member, Message, Summary, Timestamp};
use serde::Serialize;

/// Reviews that need attention shown in full.
const ATTENTION: usize = 12;
/// Reviews that a summary shows.
const WORST: usize = 3;
/// Edits, and other reviews, shown with one line each.
const LINES: usize = 25;
/// Websites and platforms shown each.
const GROUPS: usize = 20;
/// Characters of a review's text.
const QUOTE: usize = 280;
/// The width of the longest bar in text.
const BAR: usize = 12;

/// A digest's ready-made texts.
#[derive(Clone, Debug, Serialize)]
pub struct ShownDigest {
    /// `12 new reviews · 3 need attention`, `No new reviews`.
    pub title: String,
    /// `22 Nov 2026 08:00 – 23 Nov 2026 08:00 CET`.
    pub period: String,
    /// `4.6 average · 8 % with 1–2 stars · 70 % with 5 stars`; null where nothing can be said.
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
    /// By platform, most reviews first.
    pub platforms: Vec<ShownGroup>,
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
    /// `37 reviews at once · 3 need attention`, `37 reviews waited`.
    pub title: String,
    /// `22 Nov 2026 08:00 – 22 Nov 2026 08:05 CET`.
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
    /// By platform, most reviews first.
    pub platforms: Vec<ShownGroup>,
    /// That an earlier attempt may have arrived, where so.
    pub repeat: Option<&'static str>,
}

/// A review in a digest or a summary.
#[derive(Clone, Debug, Serialize)]
pub struct ShownMember {
    /// 🔴 🟡 🟢 ⚪.
    pub severity: &'static str,
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
    /// What was said, cut to 280 characters, or `Rating only, no comment.`
    pub quote: String,
    /// `Edited: 2 to 5 stars, after 3 days.`, for an edit.
    pub edit: Option<String>,
    /// Where people see it: http(s).
    pub url: Option<String>,
    /// `Open on Kiyoh`.
    pub link: String,
}

/// Figures of one website or platform.
#[derive(Clone, Debug, Serialize)]
pub struct ShownGroup {
    /// Its name.
    pub name: String,
    /// `7 reviews`.
    pub count: String,
    /// `4.3`; null below five reviews, where an average says nothing.
    pub average: Option<String>,
    /// `2 low`; null where none is.
    pub low: Option<String>,
    /// Five stars first.
    pub bars: Vec<ShownBar>,
    /// All of it in one line: `Shop NL: 7 reviews, 4.3 average, 2 low`.
    pub line: String,
}

/// How many reviews have so many stars.
#[derive(Clone, Debug, Serialize)]
pub struct ShownBar {
    /// `5`.
    pub star: usize,
    /// `12`.
    pub count: usize,
    /// Of the rated, in percent.
    pub percent: usize,
    /// The rest to a hundred.
    pub rest: usize,
    /// `████████`, at most twelve wide.
    pub bar: String,
}

impl ShownDigest {
    /// The ready-made texts of `digest`.
    pub fn of(digest: &Digest, message: &Message, view: &View) -> Self {
        let figures = digest.figures();
        let shown = |member: &&Member| ShownMember::of(member, message, view);
        let (attention, edits) = (digest.attention(), digest.edits());
        let others: Vec<&Member> = digest
            .members
            .iter()
            .filter(|member| !member.subject.needs_attention() && member.subject.previous.is_none())
            .collect();
        Self {
            title: title(&figures),
            period: period(digest.from, digest.to, view),
            headline: headline(&figures),
            bars: bars(&figures),
            attention_count: attention.len(),
            attention_more: more(attention.len(), ATTENTION, " that need attention"),
            attention: attention.iter().take(ATTENTION).map(shown).collect(),
            websites: groups(digest.by_website(), "On no website"),
            platforms: groups(digest.by_platform(), "Unknown platform"),
            edits_more: more(edits.len(), LINES, " edits"),
            edits: edits.iter().take(LINES).map(shown).collect(),
            others_more: more(others.len(), LINES, ""),
            others: others.iter().take(LINES).map(shown).collect(),
            health: health(&digest.troubles),
            empty: digest.members.is_empty(),
            repeat: message.possible_repeat.then_some(super::shown::REPEAT),
        }
    }
}

impl ShownSummary {
    /// The ready-made texts of `summary`.
    pub fn of(summary: &Summary, message: &Message, view: &View) -> Self {
        let Summary { cause, reviews } = summary;
        let figures = reviews.figures();
        let all = count(figures.count, "review", "reviews");
        let (title, reason) = match cause {
            Cause::Burst => (
                format!("{all} at once"),
                "So many came so quickly that they are told together. From here on each is told by itself again.",
            ),
            Cause::Backlog => (
                format!("{all} waited"),
                "They waited while nothing could be sent here, and are told together. From here on each is told by \
                 itself again.",
            ),
        };
        let attention = (figures.attention > 0).then(|| attention(&figures));
        let worst = reviews.worst();
        Self {
            title: [Some(title), attention].into_iter().flatten().collect::<Vec<_>>().join(" · "),
            period: period(reviews.from, reviews.to, view),
            reason,
            headline: headline(&figures),
            bars: bars(&figures),
            worst_more: more(worst.len(), WORST, ""),
            worst: worst
                .into_iter()
                .take(WORST)
                .map(|member| ShownMember::of(member, message, view))
                .collect(),
            websites: groups(reviews.by_website(), "On no website"),
            platforms: groups(reviews.by_platform(), "Unknown platform"),
            repeat: message.possible_repeat.then_some(super::shown::REPEAT),
        }
    }
}

impl ShownMember {
    fn of(member: &Member, message: &Message, view: &View) -> Self {
        let shown = ShownReview::of(&member.subject, &member.rules, message, view);
        let review = &member.subject.review;
        let said = review.text.as_deref().or(review.title.as_deref()).map(legible);
        Self {
            severity: shown.severity,
            rating: shown.rating,
            stars: shown.stars,
            native: shown.native,
            place: shown.place,
            details: shown.details,
            quote: match said.filter(|said| is_visible(said)) {
                Some(said) => format!("“{}”", cut_line(&said, QUOTE)),
                None => "Rating only, no comment.".into(),
            },
            edit: shown.edit,
            url: member.subject.url.as_deref().and_then(super::body::safe_url),
            link: shown.link,
        }
    }
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number as u64), if number == 1 { one } else { many })
}

/// `and 4 more …`, where not all are shown.
pub(super) fn more(all: usize, shown: usize, what: &str) -> Option<String> {
    (all > shown).then(|| format!("and {} more{what}", thousands((all - shown) as u64)))
}

fn title(figures: &Figures) -> String {
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
    if parts.is_empty() { "No new reviews".into() } else { parts.join(" · ") }
}

fn attention(figures: &Figures) -> String {
    count(figures.attention, "needs attention", "need attention")
}

fn headline(figures: &Figures) -> Option<String> {
    let average = figures.average().filter(|_| figures.rated >= FEWEST_FOR_AVERAGE)?;
    Some(format!(
        "{average:.1} average · {} % with 1–2 stars · {} % with 5 stars",
        figures.share(figures.low),
        figures.share(figures.five)
    ))
}

fn period(from: Timestamp, to: Timestamp, view: &View) -> String {
    let time = |at, format: &str| {
        in_zone(at, &view.zone).map_or_else(|| "?".to_owned(), |at| at.strftime(format).to_string())
    };
    format!("{} – {}", time(from, "%-d %b %Y %H:%M"), time(to, "%-d %b %Y %H:%M %Z"))
}

fn bars(figures: &Figures) -> Vec<ShownBar> {
    let most = figures.stars.iter().copied().max().unwrap_or(0);
    let bar = |(index, count): (usize, &usize)| {
        let width = if *count == 0 { 0 } else { (count * BAR).div_ceil(most.max(1)) };
        let percent = figures.share(*count).min(100);
        ShownBar { star: index + 1, count: *count, percent, rest: 100 - percent, bar: "█".repeat(width) }
    };
    figures.stars.iter().enumerate().map(bar).rev().collect()
}

fn groups(groups: Vec<(Option<String>, Figures)>, unnamed: &str) -> Vec<ShownGroup> {
    let shown = |(name, figures): (Option<String>, Figures)| {
        let name = name.filter(|name| is_visible(name));
        let name = name.map_or_else(|| unnamed.to_owned(), |name| cut_line(&legible(&name), 60));
        let average = figures.average().filter(|_| figures.rated >= FEWEST_FOR_AVERAGE);
        let average = average.map(|average| format!("{average:.1}"));
        let low = (figures.low > 0).then(|| format!("{} low", thousands(figures.low as u64)));
        let mut parts = vec![count(figures.count, "review", "reviews")];
        parts.extend(average.as_ref().map(|average| format!("{average} average")));
        parts.extend(low.clone());
        let line = format!("{name}: {}", parts.join(", "));
        let count = parts.swap_remove(0);
        ShownGroup { count, average, low, bars: bars(&figures), line, name }
    };
    groups.into_iter().take(GROUPS).map(shown).collect()
}

fn health(troubles: &[String]) -> String {
    match troubles {
        [] => "All is well: reviews are being read, and nothing waits that should not.".into(),
        [one] => format!("One thing is not well: {}", words::cut_line(&clean(one), 300)),
        [one, ..] => format!(
            "{} things are not well, among them: {}",
            thousands(troubles.len() as u64),
            words::cut_line(&clean(one), 300)
        ),
    }
}
