//! `min_age`, `max_age`: how long ago the review was written, at the time of matching. An unknown date satisfies
//! neither; a date in the future is an age of zero.

use super::{Condition, Truth};
use crate::rules::extent::Extent;
use crate::rules::facts::Facts;
use crate::settings::Table;
use crate::settings::units::show_duration;
use std::time::Duration;

#[derive(Debug)]
enum Check {
    AtLeast(Duration),
    AtMost(Duration),
}

/// Reads `min_age`.
pub(super) fn min(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let bound = table.duration(key)?;
    Some(Box::new(Check::AtLeast(bound)))
}

/// Reads `max_age`.
pub(super) fn max(table: &Table<'_>, key: &'static str) -> Option<Box<dyn Condition>> {
    let bound = table.duration(key)?;
    if bound.is_zero() {
        table.problem(key, "is 0, so the rule would never match", "write how old a review may be: \"30d\"");
        return None;
    }
    Some(Box::new(Check::AtMost(bound)))
}

fn age(facts: &Facts<'_>) -> Option<Duration> {
    facts.subject().review.reviewed_at.map(|written| facts.now().since(written))
}

impl Condition for Check {
    fn truth(&self, facts: &Facts<'_>) -> Truth {
        Truth::from(age(facts).is_some_and(|age| match self {
            Self::AtLeast(bound) => age >= *bound,
            Self::AtMost(bound) => age <= *bound,
        }))
    }

    fn extent(&self) -> Extent {
        match self {
            Self::AtLeast(bound) => Extent::AtLeast(bound.as_secs_f64()),
            Self::AtMost(bound) => Extent::AtMost(bound.as_secs_f64()),
        }
    }

    fn because(&self, facts: &Facts<'_>, truth: Truth) -> String {
        let Some(age) = age(facts) else { return "its date is unknown".into() };
        let holds = truth == Truth::Yes;
        let (relation, bound) = match self {
            Self::AtLeast(bound) => (if holds { "at least" } else { "less than" }, bound),
            Self::AtMost(bound) => (if holds { "at most" } else { "more than" }, bound),
        };
        format!("written {} ago: {relation} {}", coarse(age), show_duration(*bound))
    }
}

/// An age in its largest unit that counts at least two: `3 days`.
fn coarse(age: Duration) -> String {
    let seconds = age.as_secs();
    match [("days", 86_400), ("hours", 3_600), ("minutes", 60)]
        .into_iter()
        .find(|(_, each)| seconds >= each * 2)
    {
        Some((unit, each)) => format!("{} {unit}", seconds / each),
        None if seconds == 1 => "1 second".into(),
        None => format!("{seconds} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use crate::rules::Draft;
    use crate::rules::condition::Truth::{self, No, Yes};
    use crate::rules::testing::{NOW, check, problems};
    use std::time::Duration;

    fn written(seconds_ago: u64) -> Draft {
        let ago = Duration::from_secs(seconds_ago);
        Draft { reviewed_at: Some(NOW.minus(ago)), ..Draft::default() }
    }

    fn assert_check(when: &str, draft: &Draft, truth: Truth, because: &str) {
        assert_eq!(check(when, draft), (truth, because.into()), "{when}");
    }

    #[test]
    fn both_bounds_include_themselves() {
        assert_check("min_age = '1h'", &written(3600), Yes, "written 60 minutes ago: at least 1h");
        assert_check("min_age = '1h'", &written(3599), No, "written 59 minutes ago: less than 1h");
        assert_check("max_age = '1h'", &written(3600), Yes, "written 60 minutes ago: at most 1h");
        assert_check("max_age = '7d'", &written(8 * 86_400), No, "written 8 days ago: more than 7d");
    }

    // J24
    #[test]
    fn an_age_of_nothing_is_refused() {
        assert_eq!(problems("{ max_age = '0s' }").len(), 1);
    }

    #[test]
    fn no_date_satisfies_neither_and_the_future_is_now() {
        for when in ["min_age = '0s'", "max_age = '9999d'"] {
            assert_check(when, &Draft::default(), No, "its date is unknown");
        }
        let future = Draft { reviewed_at: Some(NOW.plus(Duration::from_secs(9))), ..Draft::default() };
        assert_check("max_age = '1s'", &future, Yes, "written 0 seconds ago: at most 1s");
        assert_check("min_age = '1s'", &future, No, "written 0 seconds ago: less than 1s");
    }
}
