//! Helpers of this module's tests: rules from TOML, conditions checked on drafts.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::condition::Truth;
use super::facts::Facts;
use super::{Candidate, Draft, Rule, read_rules};
use crate::domain::{RuleHit, Subject, Timestamp};
use crate::settings::{Problem, Problems, Source, Table};
use std::collections::BTreeMap;

/// The time of matching.
pub const NOW: Timestamp = Timestamp(1_767_225_600_000);

/// Reads a configuration whose destinations are `support`, `managers` and `owner`.
pub fn read<T>(config: &str, reader: impl Fn(&Table<'_>, &[String]) -> T) -> (T, Vec<Problem>) {
    let dict = toml::from_str(config).expect("the configuration is TOML");
    let source = Source {
        folder: ".".into(),
        file: "config.toml".into(),
        environment: Vec::new(),
        problems: Problems::default(),
    };
    let destinations = ["support", "managers", "owner"].map(str::to_owned);
    let read = reader(&Table::new("", &dict, &source), &destinations);
    (read, source.problems.into_vec())
}

/// The rules of a configuration without problems.
pub fn parse(config: &str) -> Vec<Rule> {
    let (rules, problems) = read(config, read_rules);
    assert_eq!(problems, [], "{config}");
    rules
}

/// The problems of a configuration.
pub fn problems_of(config: &str) -> Vec<Problem> {
    let (rules, problems) = read(config, read_rules);
    assert!(!problems.is_empty() || !rules.is_empty());
    problems
}

fn config(when: &str) -> String {
    format!("[[rules]]\nname = 'r'\nto = ['owner']\nwhen = {when}\n")
}

/// One rule with that `when`.
pub fn rules(when: &str) -> Vec<Rule> {
    parse(&config(when))
}

/// The problems of a `when`; where there are any, its rule is left out.
pub fn problems(when: &str) -> Vec<Problem> {
    problems_of(&config(when))
}

/// A draft as a review of the account `main`.
pub fn subject(draft: &Draft) -> Subject {
    draft.subject(&BTreeMap::new(), "main")
}

/// What the one condition in `when` finds.
pub fn check(when: &str, draft: &Draft) -> (Truth, String) {
    check_subject(when, &subject(draft))
}

/// What the one condition in `when` finds.
pub fn check_subject(when: &str, subject: &Subject) -> (Truth, String) {
    let rules = rules(&format!("{{ {when} }}"));
    let facts = Facts::new(Candidate { subject, now: NOW });
    let finding = rules[0].when.0[0].condition.check(&facts);
    (finding.truth, finding.because)
}

/// A hit of that rule.
pub fn hit(rule: &str, because: &[&str]) -> RuleHit {
    RuleHit { rule: rule.into(), because: because.iter().map(|text| (*text).to_owned()).collect() }
}
