//! Rules that are never reached.

use super::facts::Facts;
use super::{Candidate, Draft, Known, Rule};
use crate::domain::{Change, Timestamp};
use std::collections::BTreeMap;

/// Rules after an unconditional `stop`: each with the rule that stops before it. A rule stops unconditionally if it
/// has only `changes`, for all later rules that react to no other kind of change.
pub fn unreachable_rules(rules: &[Rule]) -> Vec<(String, String)> {
    let mut unreachable = Vec::new();
    for (index, rule) in rules.iter().enumerate() {
        let stops_all = |above: &&Rule| {
            above.stop
                && above.unless.is_empty()
                && above.when.keys().all(|key| key == "changes")
                && Change::ALL.into_iter().all(|change| !reacts_to(rule, change) || reacts_to(above, change))
        };
        if let Some(above) = rules[..index].iter().find(stops_all) {
            unreachable.push((rule.name.clone(), above.name.clone()));
        }
    }
    unreachable
}

fn reacts_to(rule: &Rule, change: Change) -> bool {
    let draft = Draft { change: Some(change), ..Draft::default() };
    let subject = draft.subject(&BTreeMap::<String, Known>::new(), "");
    let facts = Facts::new(Candidate { subject: &subject, now: Timestamp(0) });
    rule.when.get("changes").is_none_or(|changes| changes.truth(&facts) == super::condition::Truth::Yes)
}

#[cfg(test)]
mod tests {
    use super::super::testing::parse;
    use super::*;

    #[test]
    fn rules_behind_an_unconditional_stop() {
        let behind = |first: &str, second: &str| {
            let rules = format!(
                "rules = [{{ name = 'a', to = ['owner'], {first} }}, {{ name = 'b', to = ['owner'] {second} }}]"
            );
            unreachable_rules(&parse(&rules)) == [("b".to_owned(), "a".to_owned())]
        };
        assert!(behind("stop = true", ""));
        assert!(behind("stop = true", ", when = { max_rating = 2 }"));
        assert!(behind("stop = true, when = { changes = ['new', 'text', 'rating', 'text_added'] }", ""));
        assert!(!behind("stop = false", ""));
        assert!(!behind("stop = true, when = { max_rating = 2 }", ""));
        assert!(!behind("stop = true, unless = { max_rating = 2 }", ""));
        assert!(!behind("stop = true, when = { changes = ['new'] }", ""));
        assert!(!behind("stop = true", ", when = { changes = ['text'] }"), "it still sees edited texts");
    }
}
