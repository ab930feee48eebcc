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

/// The top of the scale by platform or source, names or uuids without case; a source wins over its
/// platform, and no entry means 5.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RatingScales(BTreeMap<String, f64>);

impl RatingScales {
    /// Scales by name or uuid.
    pub fn new(entries: impl IntoIterator<Item = (String, f64)>) -> Self {
        Self(entries.into_iter().map(|(name, top)| (name.to_lowercase(), top)).collect())
    }

    /// The scale of the first of `names` that has an entry, else 5. Pass the source's names first.
    pub fn of<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> f64 {
        names.into_iter().find_map(|name| self.0.get(&name.to_lowercase())).copied().unwrap_or(5.0)
    }

    /// The names with an entry, lower-cased.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }
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
        let scales = RatingScales::new([("Kiyoh".into(), 10.0), ("kiyoh nl".into(), 100.0)]);
        assert_eq!(scales.of(["KIYOH NL", "Kiyoh"]), 100.0);
        assert_eq!(scales.of(["other", "kiyoh"]), 10.0);
        assert_eq!(scales.of(["Google"]), 5.0);
    }
}
