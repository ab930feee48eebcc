//! Ratings: the native value as the platform gave it, and the normalised one that rules compare.

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A rating as the platform gave it. Never 0 for "none": a missing rating is a class of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum NativeRating {
    /// A finite number, whatever its scale.
    Number(f64),
    /// Something that is not a number, such as `yes`, verbatim.
    Word(String),
    /// None was given.
    #[default]
    Missing,
}

impl NativeRating {
    /// Reads a rating written as text: `5`, `4.5`, `4,5`; anything else is a word, nothing is missing.
    pub fn from_text(text: &str) -> Self {
        let text = text.trim();
        if text.is_empty() {
            return Self::Missing;
        }
        let numeric = text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '.'));
        match text.replace(',', ".").parse::<f64>() {
            Ok(number) if number.is_finite() && numeric => Self::Number(number),
            _ => Self::Word(text.chars().take(64).collect()),
        }
    }

    /// As people read it: `4.5`, `yes`; `None` where there is none.
    pub fn shown(&self) -> Option<String> {
        match self {
            Self::Number(number) => Some(format!("{number}")),
            Self::Word(word) => Some(word.clone()),
            Self::Missing => None,
        }
    }
}

/// The tops of scales that are set by platform or source, by name or uuid as names are compared.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RatingScales(BTreeMap<String, (String, f64)>);

impl RatingScales {
    /// Scales by the key of a name or uuid, each with the name as it is written.
    pub fn new(entries: impl IntoIterator<Item = (String, String, f64)>) -> Self {
        Self(entries.into_iter().map(|(key, name, top)| (key, (name, top))).collect())
    }

    /// The scale of the first of `keys` that has an entry. Pass the source's keys first.
    pub fn of<'a>(&self, keys: impl IntoIterator<Item = &'a str>) -> Option<f64> {
        keys.into_iter().find_map(|key| self.0.get(key)).map(|(_, top)| *top)
    }

    /// The names with an entry, as they are written.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.values().map(|(name, _)| name.as_str())
    }
}

/// The scale that ratings of a source are read on, and where it is known from.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Its top.
    pub top: f64,
    /// Where it is known from.
    pub reason: ScaleReason,
}

/// Where a scale is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ScaleReason {
    /// `rating_scales` says so.
    Set,
    /// The source shows ratings above 5.
    Learnt,
    /// The platform's own documentation.
    Documented,
    /// The platform is documented as ten-point, yet the source shows nothing above 5: normalised before.
    Contradicted,
    /// Nothing says otherwise.
    Assumed,
}

impl ScaleReason {
    /// Every reason.
    pub const ALL: [Self; 5] = [Self::Set, Self::Learnt, Self::Documented, Self::Contradicted, Self::Assumed];

    /// Its name in state and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Set => "set",
            Self::Learnt => "learnt",
            Self::Documented => "documented",
            Self::Contradicted => "contradicted",
            Self::Assumed => "assumed",
        }
    }

    /// The reason of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }

    /// Why, for people.
    pub fn because(self) -> &'static str {
        match self {
            Self::Set => "set in `rating_scales`",
            Self::Learnt => "the source shows ratings above 5",
            Self::Documented => "the platform documents it",
            Self::Contradicted => "the platform rates up to 10, but the source shows no rating above 5",
            Self::Assumed => "assumed: nothing says otherwise",
        }
    }
}

/// The ratings that a source has shown so far, for its scale.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SeenRatings {
    /// Reviews with a number.
    pub numbers: u64,
    /// Of these, above 5 and at most 10.
    pub above_five: u64,
    /// The highest.
    pub highest: f64,
}

impl SeenRatings {
    /// Adds a rating; words and missing ones say nothing.
    pub fn add(&mut self, rating: &NativeRating) {
        if let NativeRating::Number(number) = rating {
            self.numbers += 1;
            self.above_five += u64::from(is_above_five(*number));
            self.highest = self.highest.max(*number);
        }
    }

    /// What a review adds whose rating was `before` and is `after`.
    pub fn news(before: Option<&NativeRating>, after: &NativeRating) -> Self {
        let (mut old, mut new) = (Self::default(), Self::default());
        new.add(after);
        if let Some(before) = before {
            old.add(before);
        }
        new.numbers = new.numbers.saturating_sub(old.numbers);
        new.above_five = new.above_five.saturating_sub(old.above_five);
        new
    }

    /// This and what `more` reviews showed.
    pub fn plus(self, more: Self) -> Self {
        Self {
            numbers: self.numbers + more.numbers,
            above_five: self.above_five + more.above_five,
            highest: self.highest.max(more.highest),
        }
    }

    /// As much as is known from either.
    pub fn or(self, other: Self) -> Self {
        Self {
            numbers: self.numbers.max(other.numbers),
            above_five: self.above_five.max(other.above_five),
            highest: self.highest.max(other.highest),
        }
    }
}

/// Whether a number can only be of a scale of ten.
fn is_above_five(number: f64) -> bool {
    number > 5.0 && number <= 10.0
}

/// A rating on its scale.
#[derive(Clone, Debug, PartialEq)]
pub struct Rating {
    /// What the platform gave.
    pub native: NativeRating,
    /// The top of the platform's scale.
    pub scale: f64,
    /// On 0..=5, unrounded; `None` is unknown and satisfies no bound.
    pub normalised: Option<f64>,
}

impl Rating {
    /// Normalises `native` on a scale whose top is `scale`: native x 5 / scale. Words: yes and positive are
    /// 5, neutral is 3, no and negative are 1. At or below 0, above the scale or unreadable is unknown.
    pub fn evaluate(native: NativeRating, scale: f64) -> Self {
        let normalised = match &native {
            // Rounding, and the largest of numbers, must not lead beyond the top.
            NativeRating::Number(number) if *number > 0.0 && *number <= scale => {
                Some((number * 5.0 / scale).min(5.0))
            }
            NativeRating::Number(_) | NativeRating::Missing => None,
            NativeRating::Word(word) => match word.to_lowercase().as_str() {
                "yes" | "positive" | "+" => Some(5.0),
                "neutral" => Some(3.0),
                "no" | "negative" | "-" => Some(1.0),
                _ => None,
            },
        };
        Self { native, scale, normalised }
    }

    /// The normalised rating with one decimal, without a trailing `.0`: `4.5`, `3`.
    pub fn shown(&self) -> Option<String> {
        self.rounded().map(|rounded| format!("{rounded}"))
    }

    /// The normalised rating rounded to one decimal.
    pub fn rounded(&self) -> Option<f64> {
        self.normalised.map(|value| (value * 10.0).round() / 10.0)
    }

    /// Whether the native value says more than the normalised one: another scale, or a word.
    pub fn native_differs(&self) -> bool {
        match &self.native {
            NativeRating::Number(number) => self.normalised != Some(*number),
            NativeRating::Word(_) => true,
            NativeRating::Missing => false,
        }
    }

    /// The native value beside its scale, `6/10`, with two decimals at most; a word alone; `None` where there is none.
    pub fn native_shown(&self) -> Option<String> {
        match &self.native {
            NativeRating::Number(number) => {
                let rounded = (number * 100.0).round() / 100.0;
                // Huge and tiny ones are as they are.
                let number = if rounded.is_finite() && rounded != 0.0 { rounded } else { *number };
                // What is no scale explains nothing.
                Some(if self.scale > 0.0 { format!("{number}/{}", self.scale) } else { format!("{number}") })
            }
            other => other.shown(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalised(text: &str, scale: f64) -> Option<f64> {
        Rating::evaluate(NativeRating::from_text(text), scale).normalised
    }

    #[test]
    fn native_values_keep_their_meaning() {
        assert_eq!(normalised("5", 5.0), Some(5.0));
        assert_eq!(normalised("4,5", 5.0), Some(4.5));
        assert_eq!(normalised("6", 10.0), Some(3.0));
        assert_eq!(normalised("yes", 5.0), Some(5.0));
        assert_eq!(normalised("-", 5.0), Some(1.0));
        for unknown in ["", "0", "-1", "6", "11", "NaN", "inf", "FIVE", "recommended"] {
            assert_eq!(normalised(unknown, 5.0), None, "{unknown:?}");
        }
    }

    #[test]
    fn a_native_value_is_shown_to_be_read() {
        let shown =
            |number, scale| Rating::evaluate(NativeRating::Number(number), scale).native_shown().unwrap();
        assert_eq!(shown(6.0, 10.0), "6/10");
        assert_eq!(shown(10.0 / 3.0, 10.0), "3.33/10");
        assert_eq!(shown(0.0, 5.0), "0/5");
        assert_eq!(shown(-1.0, 5.0), "-1/5");
        assert_eq!(
            (shown(3.0, 0.0), shown(3.0, -5.0), shown(3.0, f64::NAN)),
            ("3".into(), "3".into(), "3".into())
        );
    }

    #[test]
    fn no_rating_is_beyond_the_top() {
        let at_the_top = (1..10_000).map(|tenths| f64::from(tenths) / 10.0).chain([f64::MAX, 1e308, 5e-324]);
        for top in at_the_top {
            let rating = Rating::evaluate(NativeRating::Number(top), top);
            assert!(rating.normalised.is_some_and(|value| value > 0.0 && value <= 5.0), "{rating:?}");
        }
    }

    #[test]
    fn the_source_wins_over_its_platform() {
        let entry = |key: &str, top| (key.to_owned(), key.to_uppercase(), top);
        let scales = RatingScales::new([entry("kiyoh", 10.0), entry("kiyoh nl", 100.0)]);
        assert_eq!(scales.of(["kiyoh nl", "kiyoh"]), Some(100.0));
        assert_eq!(scales.of(["other", "kiyoh"]), Some(10.0));
        assert_eq!(scales.of(["google"]), None);
        assert_eq!(scales.names().collect::<Vec<_>>(), ["KIYOH", "KIYOH NL"]);
    }

    #[test]
    fn what_was_seen_counts_numbers_only() {
        let mut seen = SeenRatings::default();
        for text in ["5", "5.1", "10", "10.5", "yes", "", "-1"] {
            seen.add(&NativeRating::from_text(text));
        }
        assert_eq!(seen, SeenRatings { numbers: 5, above_five: 2, highest: 10.5 });
    }
}
