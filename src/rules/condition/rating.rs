//! `min_rating`, `max_rating`, `has_rating`: the rating normalised to 5 points, compared unrounded.

use super::{Condition, Truth};
use crate::domain::Rating;
use crate::rules::extent::Extent;
use crate::rules::facts::Facts;
use crate::settings::Table;

#[derive(Debug)]
enum Check {
    AtLeast(f64),
    AtMost(f64),
    Known(bool),
}

/// Reads `min_rating`.
pub(super) fn min(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let bound = bound(table, key)?;
    Some(Box::new(Check::AtLeast(bound)))
}

/// Reads `max_rating`.
pub(super) fn max(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let bound = bound(table, key)?;
    if bound <= 0.0 {
        table.problem(
            key,
            "is 0, but every known rating is above 0",
            "to match unknown ratings, write has_rating = false",
        );
        return None;
    }
    Some(Box::new(Check::AtMost(bound)))
}

/// Reads `has_rating`.
pub(super) fn has(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let wanted = table.boolean(key)?;
    Some(Box::new(Check::Known(wanted)))
}

fn bound(table: &Table<'_>, key: &'static str) -> Option<f64> {
    let bound = table.number(key)?;
    if (0.0..=5.0).contains(&bound) {
        return Some(bound);
    }
    table.problem(key, "must be from 0 to 5", "ratings are normalised to a 5-point scale: 6 out of 10 is 3");
    None
}

impl Condition for Check {
    fn truth(&self, facts: &Facts<'_>) -> Truth {
        let rating = facts.subject().rating.normalised;
        Truth::from(match self {
            Self::AtLeast(bound) => rating.is_some_and(|rating| rating >= *bound),
            Self::AtMost(bound) => rating.is_some_and(|rating| rating <= *bound),
            Self::Known(wanted) => rating.is_some() == *wanted,
        })
    }

    fn extent(&self) -> Extent {
        match self {
            Self::AtLeast(bound) => Extent::AtLeast(*bound),
            Self::AtMost(bound) => Extent::AtMost(*bound),
            Self::Known(wanted) => Extent::Is(*wanted),
        }
    }

    fn because(&self, facts: &Facts<'_>, truth: Truth) -> String {
        let rating = &facts.subject().rating;
        let Some(value) = rating.normalised else {
            let unknown = unknown(rating);
            return match self {
                Self::Known(_) => unknown,
                _ => format!("{unknown}, so no rating limit matches"),
            };
        };
        let holds = truth == Truth::Yes;
        match self {
            Self::AtLeast(bound) => {
                let relation = if holds { "is at least" } else { "is below" };
                format!("{} {relation} {bound}", known(rating, value, *bound))
            }
            Self::AtMost(bound) => {
                let relation = if holds { "is at most" } else { "is above" };
                format!("{} {relation} {bound}", known(rating, value, *bound))
            }
            Self::Known(_) => format!("{} is known", known(rating, value, value)),
        }
    }
}

fn unknown(rating: &Rating) -> String {
    match rating.native_shown() {
        Some(native) => format!("rating {} is unknown", super::shown(&native)),
        None => "the review has no rating".into(),
    }
}

/// `rating 1`, `rating 3 (6/10)`: with as many decimals as tell it from `bound`.
fn known(rating: &Rating, value: f64, bound: f64) -> String {
    let rounded = |digits: i32| (value * 10f64.powi(digits)).round() / 10f64.powi(digits);
    let tells = |shown: &f64| shown.partial_cmp(&bound) == value.partial_cmp(&bound);
    let shown = [1, 2, 3, 6].into_iter().map(rounded).find(tells).unwrap_or(value);
    match rating.native_shown().filter(|_| rating.native_differs()) {
        Some(native) => format!("rating {shown} ({})", crate::domain::text::one_line(&native, 40)),
        None => format!("rating {shown}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Draft;
    use crate::rules::condition::Truth::{No, Unknown, Yes};
    use crate::rules::testing::{check, problems};

    fn rated(rating: &str, platform: &str) -> Draft {
        Draft { rating: Some(rating.into()), platform: Some(platform.into()), ..Draft::default() }
    }

    #[test]
    fn bounds_compare_the_unrounded_rating_on_five() {
        for (rating, platform, when, truth, because) in [
            ("1", "Google", "max_rating = 2", Yes, "rating 1 is at most 2"),
            ("2", "Google", "max_rating = 2", Yes, "rating 2 is at most 2"),
            ("2.04", "Google", "max_rating = 2", No, "rating 2.04 is above 2"),
            ("4", "Kiyoh", "max_rating = 2", Yes, "rating 2 (4/10) is at most 2"),
            ("5", "kiyoh", "max_rating = 2", No, "rating 2.5 (5/10) is above 2"),
            ("no", "Facebook", "max_rating = 2", Yes, "rating 1 (no) is at most 2"),
            ("4.5", "Google", "min_rating = 4.5", Yes, "rating 4.5 is at least 4.5"),
            ("4.499", "Google", "min_rating = 4.5", No, "rating 4.499 is below 4.5"),
            ("3", "Google", "has_rating = true", Yes, "rating 3 is known"),
            ("3", "Google", "has_rating = false", No, "rating 3 is known"),
        ] {
            assert_eq!(check(when, &rated(rating, platform)), (truth, because.into()), "{rating} {when}");
        }
    }

    #[test]
    fn an_unknown_rating_satisfies_no_bound() {
        for rating in ["", "0", "6", "-1", "recommended", "NaN", "11"] {
            for when in ["min_rating = 0", "max_rating = 5", "has_rating = true"] {
                let (truth, because) = check(when, &rated(rating, "Google"));
                assert_eq!(truth, No, "{rating:?} {when}");
                assert_ne!(truth, Unknown);
                assert!(because.contains("unknown") || because.contains("no rating"), "{because}");
            }
            assert_eq!(check("has_rating = false", &rated(rating, "Google")).0, Yes, "{rating:?}");
        }
        assert_eq!(
            check("max_rating = 2", &rated("6", "Google")).1,
            "rating `6/5` is unknown, so no rating limit matches"
        );
    }

    #[test]
    fn bounds_off_the_scale_are_problems() {
        for when in ["max_rating = 6", "min_rating = -1", "max_rating = 0", "max_rating = nan"] {
            assert_eq!(problems(&format!("{{ {when} }}")).len(), 1, "{when}");
        }
    }
}
