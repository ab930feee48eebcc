//! Properties that hold for any rules and any review.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::testing::{NOW, parse, subject};
use super::{Candidate, Draft, Routing, explain, route};
use crate::domain::{Change, Subject};
use crate::spelling::fold;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use std::time::Duration;

const CONDITIONS: [&str; 16] = [
    "min_rating = 3",
    "max_rating = 2.5",
    "has_rating = true",
    "accounts = ['main']",
    "websites = ['Shop NL', 'Shop BE']",
    "sources = ['Amsterdam']",
    "platforms = ['Kiyoh']",
    "languages = ['nl']",
    "authors = ['Zoë']",
    "changes = ['new', 'text']",
    "max_age = '7d'",
    "min_age = '1h'",
    "min_length = 3",
    "contains_any = ['kapot*', '遅い']",
    "contains_all = ['never', 'again']",
    "matches_regex = 'a.*n'",
];

/// A rule as TOML: its conditions, those that exclude, where it goes, whether it stops.
#[derive(Clone, Debug)]
struct Written {
    when: Vec<&'static str>,
    unless: Vec<&'static str>,
    to: Vec<&'static str>,
    stop: bool,
}

impl Written {
    fn toml(&self, index: usize) -> String {
        let unless = match self.unless.join(", ") {
            none if none.is_empty() => none,
            some => format!("unless = {{ {some} }},"),
        };
        let (when, stop) = (self.when.join(", "), self.stop);
        format!("{{ name = 'r{index}', when = {{ {when} }}, {unless} to = {:?}, stop = {stop} }}", self.to)
    }
}

fn configuration(rules: &[Written]) -> String {
    let rules: Vec<String> = rules.iter().enumerate().map(|(index, rule)| rule.toml(index)).collect();
    format!("rules = [{}]", rules.join(", "))
}

fn routed(rules: &[Written], subject: &Subject) -> Routing {
    match rules {
        [] => Routing::default(),
        rules => route(&parse(&configuration(rules)), Candidate { subject, now: NOW }),
    }
}

/// The rules that matched, in the order of the configuration.
fn matched(routing: &Routing) -> Vec<usize> {
    let hits = routing.targets.iter().flat_map(|(_, hits)| hits);
    let mut indices: Vec<usize> = hits.map(|hit| hit.rule[1..].parse().unwrap()).collect();
    indices.sort_unstable();
    indices.dedup();
    indices
}

fn rule() -> impl Strategy<Value = Written> {
    // Two bounds that no rating satisfies together would be refused.
    let compatible = |conditions: Vec<&'static str>| {
        let without = |key: &str| conditions.iter().all(|condition| !condition.starts_with(key));
        let keep_max = without("min_rating");
        conditions.iter().copied().filter(|c| keep_max || !c.starts_with("max_rating")).collect::<Vec<_>>()
    };
    let conditions = move |most: usize| subsequence(CONDITIONS.to_vec(), 0..=most).prop_map(compatible);
    let to = subsequence(vec!["support", "managers", "owner"], 1..=3).prop_shuffle();
    (conditions(2), conditions(2), to, prop::bool::weighted(0.2))
        .prop_map(|(when, unless, to, stop)| Written { when: beside(when, &unless), unless, to, stop })
}

/// `when` without what `unless` excludes anyway: such a rule would be refused.
fn beside(mut when: Vec<&'static str>, unless: &[&'static str]) -> Vec<&'static str> {
    let rated = unless.contains(&"has_rating = true");
    when.retain(|condition| !(unless.contains(condition) || rated && condition.contains("_rating")));
    when
}

fn any_of(values: &'static [&'static str]) -> impl Strategy<Value = Option<String>> {
    prop::option::of(select(values).prop_map(str::to_owned))
}

fn review() -> impl Strategy<Value = Subject> {
    let names = (
        any_of(&["main", "other"]),
        prop::collection::vec(select(vec!["Shop NL", "shop be", "Shop DE"]).prop_map(str::to_owned), 0..3),
        any_of(&["Kiyoh", "Google"]),
        any_of(&["Amsterdam", "Utrecht"]),
        prop::bool::ANY,
    );
    let said = (
        any_of(&["1", "2,5", "3", "5", "10", "0", "yes", "FIVE"]),
        prop::option::of("(never|again|kapotte|遅い|an|é| ){0,6}|\\PC{0,12}"),
        any_of(&["zoe", "Zoë", "Jan"]),
        any_of(&["nl", "nl-BE", "de"]),
    );
    let when = (select(Change::ALL.to_vec()), prop::option::of(0..20u64));
    (names, said, when).prop_map(|(names, said, (change, days))| {
        let (account, websites, platform, source, websites_known) = names;
        let (rating, text, author, language) = said;
        let reviewed_at = days.map(|days| NOW.minus(Duration::from_secs(days * 86_400)));
        let change = Some(change);
        let title = None;
        let mut subject = subject(&Draft {
            account,
            rating,
            scale: None,
            websites,
            platform,
            source,
            title,
            text,
            author,
            language,
            change,
            reviewed_at,
        });
        if !websites_known {
            subject.websites.clear();
            subject.websites_known = false;
        }
        subject
    })
}

fn rules() -> impl Strategy<Value = Vec<Written>> {
    prop::collection::vec(rule(), 1..6)
}

proptest! {
    #[test]
    fn targets_are_unique_ordered_and_explained(rules in rules(), subject in review()) {
        let routing = routed(&rules, &subject);
        prop_assert_eq!(&routing, &routed(&rules, &subject), "routing twice is routing once");

        let mut expected: Vec<(String, Vec<String>)> = Vec::new();
        for index in matched(&routing) {
            for to in &rules[index].to {
                match expected.iter_mut().find(|(name, _)| name == to) {
                    Some((_, names)) => names.push(format!("r{index}")),
                    None => expected.push(((*to).to_owned(), vec![format!("r{index}")])),
                }
            }
        }
        let names = |hits: &[crate::domain::RuleHit]| hits.iter().map(|hit| hit.rule.clone()).collect();
        let routed: Vec<(String, Vec<String>)> =
            routing.targets.iter().map(|(to, hits)| (to.clone(), names(hits))).collect();
        prop_assert_eq!(routed, expected);

        let parsed = parse(&configuration(&rules));
        let explained = explain(&parsed, Candidate { subject: &subject, now: NOW });
        for (index, explanation) in explained.iter().enumerate() {
            prop_assert_eq!(explanation.matched, matched(&routing).contains(&index));
            prop_assert_eq!(
                explanation.obstacle().is_none(),
                explanation.matched || explanation.skipped_by_stop.is_some()
            );
        }
        let undecided = routing.targets.is_empty() && explained.iter().any(|rule| rule.undecided);
        prop_assert_eq!(routing.undecided, undecided);
    }

    #[test]
    fn an_unknown_rating_satisfies_no_bound(mut rules in rules(), mut subject in review()) {
        subject.rating.normalised = None;
        for rule in &mut rules {
            rule.when.retain(|condition| !condition.contains("_rating"));
            rule.unless.retain(|condition| !condition.contains("_rating"));
            rule.when.push("max_rating = 5");
        }
        prop_assert_eq!(routed(&rules, &subject), routed(&[], &subject));
    }

    #[test]
    fn unless_never_widens(rules in rules(), subject in review()) {
        // Without stop: a rule that is excluded may let later ones through, which is not widening.
        let without = |rule: &Written| Written { unless: Vec::new(), stop: false, ..rule.clone() };
        let with = |rule: &Written| Written { stop: false, ..rule.clone() };
        let wide = matched(&routed(&rules.iter().map(without).collect::<Vec<_>>(), &subject));
        let narrow = matched(&routed(&rules.iter().map(with).collect::<Vec<_>>(), &subject));
        prop_assert!(narrow.iter().all(|index| wide.contains(index)), "{narrow:?} in {wide:?}");
    }

    #[test]
    fn another_condition_never_widens(rules in rules(), subject in review()) {
        let narrow: Vec<Written> = rules.iter().map(|rule| Written { stop: false, ..rule.clone() }).collect();
        let wide = |rule: &Written| {
            // Without `changes` it is three of the four, which is another condition.
            let dropped = rule.when.iter().position(|condition| !condition.starts_with("changes"));
            let kept = rule.when.iter().enumerate().filter(|(index, _)| Some(*index) != dropped);
            Written { when: kept.map(|(_, condition)| *condition).collect(), ..rule.clone() }
        };
        let wide: Vec<Written> = narrow.iter().map(wide).collect();
        let (narrow, wide) = (matched(&routed(&narrow, &subject)), matched(&routed(&wide, &subject)));
        prop_assert!(narrow.iter().all(|index| wide.contains(index)), "{narrow:?} in {wide:?}");
    }

    #[test]
    fn without_stop_each_rule_decides_by_itself(rules in rules(), subject in review()) {
        let rules: Vec<Written> = rules.iter().map(|rule| Written { stop: false, ..rule.clone() }).collect();
        let alone = |rule: &Written| !routed(std::slice::from_ref(rule), &subject).targets.is_empty();
        let expected: Vec<usize> = (0..rules.len()).filter(|index| alone(&rules[*index])).collect();
        prop_assert_eq!(matched(&routed(&rules, &subject)), expected);
    }

    #[test]
    fn bounds_of_ratings_divide_what_is_rated(mut subject in review(), rating in 0.1..=5.0f64, more in 0.0..=5.0f64, bound in 1..=50u8) {
        let bound = f64::from(bound) / 10.0;
        let matches = |subject: &Subject, condition: &str| {
            let rules = parse(&format!("rules = [{{ name = 'r', when = {{ {condition} = {bound} }}, to = ['owner'] }}]"));
            !route(&rules, Candidate { subject, now: NOW }).targets.is_empty()
        };
        subject.change = Change::New;
        subject.rating.normalised = Some(rating);
        let (low, high) = (matches(&subject, "max_rating"), matches(&subject, "min_rating"));
        prop_assert!(low || high, "no rating is between the two");
        prop_assert_eq!(low && high, rating == bound);
        subject.rating.normalised = Some((rating + more).min(5.0));
        prop_assert!(!high || matches(&subject, "min_rating"), "a better one is above it, too");
        prop_assert!(low || !matches(&subject, "max_rating"), "and not below it");
    }

    #[test]
    fn stop_cuts_the_rules_after_the_first_that_matches(rules in rules(), subject in review()) {
        let unstopped: Vec<Written> =
            rules.iter().map(|rule| Written { stop: false, ..rule.clone() }).collect();
        let all = matched(&routed(&unstopped, &subject));
        let last = all.iter().position(|index| rules[*index].stop).map_or(all.len(), |at| at + 1);
        prop_assert_eq!(matched(&routed(&rules, &subject)), &all[..last]);
    }

    #[test]
    fn any_text_folds_to_something_stable(text in any::<String>()) {
        let folded = fold(&text);
        prop_assert_eq!(fold(&folded), folded);
    }
}
