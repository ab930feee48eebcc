//! Ready-made figures of many reviews: bars of stars, a headline, and the figures of each website and platform.

use super::words::{cut_line, legible, thousands};
use crate::domain::Figures;
use crate::domain::digest::FEWEST_FOR_AVERAGE;
use crate::domain::text::is_visible;
use serde::Serialize;

/// The width of the longest bar in text.
const BAR: usize = 12;

/// Figures of one website or platform.
#[derive(Clone, Debug, Serialize)]
pub struct ShownGroup {
    /// Its name.
    pub name: String,
    /// How many reviews it has.
    pub reviews: usize,
    /// `7 reviews`.
    pub count: String,
    /// `4.3`; null below five reviews, where an average says nothing.
    pub average: Option<String>,
    /// How many are rated 2 or less.
    pub low_reviews: usize,
    /// `2 low`; null where none is.
    pub low: Option<String>,
    /// Five stars first.
    pub bars: Vec<ShownBar>,
    /// `5★ 4 · 4★ 1 · 1★ 2 · 3 unrated`: the stars that it has, five first.
    pub stars: String,
    /// All of it in one line: `Shop NL: 7 reviews, 4.3 average, 2 low (5★ 4 · 4★ 1 · 1★ 2)`.
    pub line: String,
}

/// How many reviews have so many stars.
#[derive(Clone, Debug, Serialize)]
pub struct ShownBar {
    /// `5`.
    pub star: usize,
    /// `12`.
    pub count: usize,
    /// Of the rated, in percent; all five sum to a hundred.
    pub percent: usize,
    /// The rest to a hundred.
    pub rest: usize,
    /// `████████`, at most twelve wide.
    pub bar: String,
}

impl ShownGroup {
    fn of(name: &str, figures: &Figures) -> Self {
        let name = cut_line(&legible(name), 60);
        let average = average(figures).map(|average| format!("{average:.1}"));
        let low = (figures.low > 0).then(|| format!("{} low", thousands(figures.low as u64)));
        let count = count(figures.count, "review", "reviews");
        let mut parts = vec![count.clone()];
        parts.extend(average.as_ref().map(|average| format!("{average} average")));
        parts.extend(low.clone());
        let stars = stars(figures);
        let line = format!("{name}: {} ({stars})", parts.join(", "));
        let (reviews, low_reviews, bars) = (figures.count, figures.low, bars(figures));
        Self { name, reviews, count, average, low_reviews, low, bars, stars, line }
    }
}

/// The largest `room` of some groups, and `and 4 more websites`, where not all are shown.
pub(super) fn groups(
    groups: Vec<(Option<String>, Figures)>,
    (one, many, unnamed): (&str, &str, &str),
    room: usize,
) -> (Vec<ShownGroup>, Option<String>) {
    let missing = groups.len().saturating_sub(room);
    let more = more(groups.len(), room, &format!(" {}", if missing == 1 { one } else { many }));
    let shown = |(name, figures): &(Option<String>, Figures)| {
        let name = name.as_deref().filter(|name| is_visible(name));
        ShownGroup::of(name.unwrap_or(unnamed), figures)
    };
    (groups.iter().take(room).map(shown).collect(), more)
}

/// Bars of some figures, five stars first.
pub(super) fn bars(figures: &Figures) -> Vec<ShownBar> {
    let most = figures.stars.iter().copied().max().unwrap_or(0);
    let bar = |(index, (count, percent)): (usize, (&usize, usize))| {
        let width = if *count == 0 { 0 } else { (count * BAR).div_ceil(most.max(1)) };
        ShownBar { star: index + 1, count: *count, percent, rest: 100 - percent, bar: "█".repeat(width) }
    };
    figures.stars.iter().zip(figures.star_shares()).enumerate().map(bar).rev().collect()
}

/// `4.6 average (4.4 last time) · 8 % with 1–2 stars · 70 % with 5 stars`, where there are enough to say so; what was
/// before likewise.
pub(super) fn headline(figures: &Figures, before: Option<&Figures>) -> Option<String> {
    let last = before.and_then(average).map(|last| format!(" ({last:.1} last time)")).unwrap_or_default();
    let average = average(figures)?;
    let unrated = figures.count - figures.rated;
    let unrated = (unrated > 0).then(|| format!(" · {} unrated", thousands(unrated as u64)));
    Some(format!(
        "{average:.1} average{last} · {} % with 1–2 stars · {} % with 5 stars{}",
        figures.share(figures.low),
        figures.share(figures.five),
        unrated.unwrap_or_default()
    ))
}

/// `1 review`, `1,340 reviews`.
pub(super) fn count(number: usize, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number as u64), if number == 1 { one } else { many })
}

/// `and 4 more …`, where not all are shown.
pub fn more(all: usize, shown: usize, what: &str) -> Option<String> {
    let missing = all.saturating_sub(shown);
    let number = thousands(missing as u64);
    (missing > 0).then(|| match shown {
        0 => format!("{number}{what}, none shown here"),
        _ => format!("and {number} more{what}"),
    })
}

fn average(figures: &Figures) -> Option<f64> {
    figures.average().filter(|_| figures.rated >= FEWEST_FOR_AVERAGE)
}

fn stars(figures: &Figures) -> String {
    let stars = figures.stars.iter().enumerate().rev().filter(|(_, count)| **count > 0);
    let mut parts: Vec<String> =
        stars.map(|(index, count)| format!("{}★ {}", index + 1, thousands(*count as u64))).collect();
    let unrated = figures.count - figures.rated;
    if unrated > 0 {
        parts.push(format!("{} unrated", thousands(unrated as u64)));
    }
    parts.join(" · ")
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::domain::{Content, Member, Rating};

    /// The figures of reviews with these ratings; what is no number is unknown.
    fn figures(ratings: &[f64]) -> Figures {
        let Content::Review { subject, rules } = crate::presentation::sample("bare").content else {
            panic!()
        };
        let members = ratings.iter().map(|rating| {
            let rating = Rating {
                normalised: Some(*rating).filter(|rating| !rating.is_nan()),
                ..subject.rating.clone()
            };
            Member { subject: crate::domain::Subject { rating, ..(*subject).clone() }, rules: rules.clone() }
        });
        Figures::of(&members.collect::<Vec<_>>())
    }

    #[test]
    fn a_group_says_what_it_has_and_no_average_of_few() {
        let figures = figures(&[5.0, 5.0, 5.0, 5.0, 4.0, 1.0, 1.0, f64::NAN]);
        let group = ShownGroup::of("Shop\nNL", &figures);
        assert_eq!(group.line, "Shop NL: 8 reviews, 3.7 average, 2 low (5★ 4 · 4★ 1 · 1★ 2 · 1 unrated)");
        assert_eq!(
            headline(&figures, Some(&self::figures(&[1.0]))).unwrap(),
            "3.7 average · 29 % with 1–2 stars · 57 % with 5 stars · 1 unrated"
        );
        let few = self::figures(&[1.0, 2.0, 5.0, 5.0]);
        assert_eq!(ShownGroup::of("x", &few).line, "x: 4 reviews, 2 low (5★ 2 · 2★ 1 · 1★ 1)");
        assert_eq!(headline(&few, Some(&figures)), None);
        let told = headline(&figures, Some(&self::figures(&[5.0, 5.0, 5.0, 4.0, 3.0]))).unwrap();
        assert!(told.starts_with("3.7 average (4.4 last time) · "), "{told}");
        let (shown, more) = groups(vec![(None, few), (None, few), (None, few)], ("shop", "shops", "none"), 2);
        assert_eq!((shown.len(), more.as_deref()), (2, Some("and 1 more shop")));
        assert_eq!(groups(vec![(None, few)], ("shop", "shops", "none"), 1).1, None);
    }
}
