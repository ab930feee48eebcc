//! Rules: which reviews go to which destinations, and why. Pure: no I/O, no clock, not async.
//!
//! Rules run top to bottom and all that match apply, until one that matches has `stop`. A condition answers
//! yes, no or unknown; a rule never falls open: what cannot be decided matches nothing and is reported.

pub mod cases;
pub mod condition;
pub mod documented;
pub mod draft;
pub mod explain;
pub mod extent;
pub mod facts;
pub mod names;
pub mod phrase;
#[cfg(test)]
mod properties;
pub mod reach;
pub mod scales;
pub mod settings;
#[cfg(test)]
mod testing;

pub use cases::{Case, read_cases, run_case};
pub use draft::{Draft, Known};
pub use explain::{RuleExplanation, explain, explain_text};
pub use names::{Configured, NameProblem, unknown_in_draft, unknown_names};
pub use reach::unreachable_rules;
pub use scales::Scales;
pub use settings::{read_rules, warnings};

use crate::domain::{RuleHit, Subject, Timestamp};
use condition::{Condition, Truth};
use facts::Facts;

/// A review at the moment it is matched.
#[derive(Clone, Copy, Debug)]
pub struct Candidate<'a> {
    /// The review with its names and rating.
    pub subject: &'a Subject,
    /// The time of matching, for `min_age` and `max_age`.
    pub now: Timestamp,
}

/// Where a review goes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routing {
    /// Each destination once, in the order of the rules, with every rule that sends to it.
    pub targets: Vec<(String, Vec<RuleHit>)>,
    /// Nothing matched, and some rule could not be decided because a name is unknown.
    pub undecided: bool,
}

/// One rule.
#[derive(Debug)]
pub struct Rule {
    /// Its name, unique.
    pub name: String,
    /// What must hold; always has `changes`.
    pub when: Conditions,
    /// Excludes what all of it holds for; empty excludes nothing.
    pub unless: Conditions,
    /// The destinations, each once, at least one.
    pub to: Vec<String>,
    /// If it matches, later rules are skipped.
    pub stop: bool,
}

/// Conditions that must all hold.
#[derive(Debug, Default)]
pub struct Conditions(Vec<Entry>);

/// One condition under its key.
#[derive(Debug)]
struct Entry {
    key: &'static str,
    /// Not written: the default `changes` of a rule.
    implied: bool,
    condition: Box<dyn Condition>,
}

impl Conditions {
    /// Their keys, in the order of the table; also of what is implied.
    pub fn keys(&self) -> impl Iterator<Item = &'static str> {
        self.0.iter().map(|entry| entry.key)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// No where one does not hold, else unknown where one is, else yes (of none: yes).
    fn truth(&self, facts: &Facts<'_>) -> Truth {
        let mut all = Truth::Yes;
        for entry in &self.0 {
            match entry.condition.truth(facts) {
                Truth::No => return Truth::No,
                Truth::Unknown => all = Truth::Unknown,
                Truth::Yes => {}
            }
        }
        all
    }

    fn get(&self, key: &str) -> Option<&dyn Condition> {
        self.0.iter().find(|entry| entry.key == key).map(|entry| &*entry.condition)
    }
}

impl Rule {
    /// Whether it matches; unknown if that depends on an unknown name.
    pub fn truth(&self, facts: &Facts<'_>) -> Truth {
        let when = self.when.truth(facts);
        if when == Truth::No || self.excludes(facts) { Truth::No } else { when }
    }

    fn excludes(&self, facts: &Facts<'_>) -> bool {
        !self.unless.is_empty() && self.unless.truth(facts) == Truth::Yes
    }

    /// Why it matched, for people; implied conditions are left out.
    fn because(&self, facts: &Facts<'_>) -> Vec<String> {
        let check = |entry: &Entry| entry.condition.check(facts);
        let written = self.when.0.iter().filter(|entry| !entry.implied);
        let because: Vec<String> = written.map(|entry| check(entry).because).collect();
        if !because.is_empty() {
            return because;
        }
        let kept = self.unless.0.iter().map(check).find(|finding| finding.truth != Truth::Yes);
        vec![
            kept.map_or("the rule matches every review".into(), |kept| {
                format!("not excluded: {}", kept.because)
            }),
        ]
    }
}

impl Routing {
    fn add(&mut self, to: &str, hit: &RuleHit) {
        match self.targets.iter_mut().find(|(name, _)| name == to) {
            Some((_, hits)) => hits.push(hit.clone()),
            None => self.targets.push((to.to_owned(), vec![hit.clone()])),
        }
    }
}

/// Where the rules send a candidate, and why.
pub fn route(rules: &[Rule], candidate: Candidate<'_>) -> Routing {
    let facts = Facts::new(candidate);
    let mut routing = Routing::default();
    let mut undecided = false;
    for rule in rules {
        match rule.truth(&facts) {
            Truth::No => continue,
            Truth::Unknown => undecided = true,
            Truth::Yes => {
                let hit = RuleHit { rule: rule.name.clone(), because: rule.because(&facts) };
                rule.to.iter().for_each(|to| routing.add(to, &hit));
                if rule.stop {
                    break;
                }
            }
        }
    }
    routing.undecided = undecided && routing.targets.is_empty();
    routing
}

#[cfg(test)]
mod tests {
    use super::testing::{NOW, hit, parse, subject};
    use super::*;
    use crate::domain::Change;

    fn routed(rules: &str, subject: &Subject) -> Routing {
        route(&parse(rules), Candidate { subject, now: NOW })
    }

    const SHOP: &str = r#"
        [[rules]]
        name = "unhappy"
        when = { max_rating = 2, websites = ["Shop NL"] }
        unless = { platforms = ["eBay"], has_text = false }
        to = ["support", "managers"]
        [[rules]]
        name = "every morning"
        to = ["owner", "support"]
    "#;

    fn unhappy() -> Draft {
        Draft {
            rating: Some("1".into()),
            websites: vec!["Shop NL".into()],
            platform: Some("eBay".into()),
            text: Some("Broken".into()),
            ..Draft::default()
        }
    }

    #[test]
    fn a_destination_appears_once_with_every_rule_that_asked_for_it() {
        let first = hit("unhappy", &["rating 1 is at most 2", "website is `Shop NL`"]);
        let second = hit("every morning", &["the rule matches every review"]);
        let expected = vec![
            ("support".to_owned(), vec![first.clone(), second.clone()]),
            ("managers".to_owned(), vec![first]),
            ("owner".to_owned(), vec![second]),
        ];
        let routing = routed(SHOP, &subject(&unhappy()));
        assert_eq!(routing, Routing { targets: expected, undecided: false });
    }

    #[test]
    fn unless_excludes_only_what_all_its_keys_hold_for() {
        let mute = Draft { text: None, ..unhappy() };
        let reached = |draft: &Draft| routed(SHOP, &subject(draft)).targets.len();
        assert_eq!(reached(&unhappy()), 3, "eBay, but with a text");
        assert_eq!(reached(&mute), 2, "eBay without a text is excluded from the first rule");
        assert_eq!(reached(&Draft { platform: Some("Google".into()), ..mute }), 3);
    }

    #[test]
    fn stop_ends_the_rules_only_where_it_matches() {
        let rules = r#"
            rules = [
                { name = "a", when = { max_rating = 2 }, to = ["support"], stop = true },
                { name = "b", to = ["owner"] },
            ]
        "#;
        let names = |rating: &str| {
            let draft = Draft { rating: Some(rating.into()), ..Draft::default() };
            routed(rules, &subject(&draft)).targets.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
        };
        assert_eq!(names("1"), ["support"]);
        assert_eq!(names("3"), ["owner"]);
    }

    #[test]
    fn an_edited_text_is_told_only_where_a_rule_asks_for_it() {
        let rules = r#"
            rules = [
                { name = "a", to = ["support"] },
                { name = "b", when = { changes = ["text"] }, to = ["owner"] },
            ]
        "#;
        for change in Change::ALL {
            let routing = routed(rules, &subject(&Draft { change: Some(change), ..Draft::default() }));
            let expected = if change == Change::Text { "owner" } else { "support" };
            assert_eq!(routing.targets.len(), 1, "{change:?}");
            assert_eq!(routing.targets[0].0, expected, "{change:?}");
        }
    }

    #[test]
    fn an_unknown_source_satisfies_neither_when_nor_unless() {
        let hidden = Subject { websites_known: false, websites: Vec::new(), ..subject(&unhappy()) };
        let rule = |conditions: &str| format!("rules = [{{ name = 'a', to = ['support'], {conditions} }}]");
        let when = routed(&rule("when = { websites = ['Shop NL'] }"), &hidden);
        assert_eq!(when, Routing { targets: Vec::new(), undecided: true });
        let unless = routed(&rule("unless = { websites = ['Shop NL'] }"), &hidden);
        let because = "not excluded: the review names no source, so its websites are unknown";
        assert_eq!(unless.targets, [("support".to_owned(), vec![hit("a", &[because])])]);
    }

    #[test]
    fn undecided_is_only_what_the_unknown_name_decides() {
        let hidden = Subject { websites_known: false, websites: Vec::new(), ..subject(&unhappy()) };
        for (conditions, undecided) in [
            ("when = { websites = ['Shop NL'], max_rating = 2 }", true),
            ("when = { websites = ['Shop NL'], min_rating = 3 }", false),
            ("when = { websites = ['Shop NL'] }, unless = { platforms = ['eBay'] }", false),
        ] {
            let rules = format!("rules = [{{ name = 'a', to = ['support'], {conditions} }}]");
            assert_eq!(routed(&rules, &hidden), Routing { targets: Vec::new(), undecided }, "{conditions}");
        }
        let also = "rules = [{ name = 'a', when = { websites = ['Shop NL'] }, to = ['support'] },
                             { name = 'b', to = ['owner'] }]";
        assert!(!routed(also, &hidden).undecided, "it reaches somebody");
    }
}
