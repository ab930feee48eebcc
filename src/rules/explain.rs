//! Explains, for one review, each rule and each condition: passed or not, and why.

use super::condition::Truth;
use super::facts::Facts;
use super::{Candidate, Conditions, Rule};
use serde::Serialize;
use std::fmt::Write;

/// How one rule treats a review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RuleExplanation {
    /// Its name.
    pub rule: String,
    /// Whether it matched.
    pub matched: bool,
    /// It depends on an unknown name, and so did not match.
    pub undecided: bool,
    /// The rule above that matched and stopped the rest; then this one was skipped.
    pub skipped_by_stop: Option<String>,
    /// Each condition, those of `when` first; none if the rule was skipped.
    pub conditions: Vec<ConditionExplanation>,
    /// Where it sends what it matches.
    pub to: Vec<String>,
}

/// How one condition treats a review.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConditionExplanation {
    /// Its key.
    pub key: &'static str,
    /// Whether it is in `unless`.
    pub negated: bool,
    /// Not written: the default `changes` of a rule.
    pub implied: bool,
    /// Whether it holds.
    pub truth: Truth,
    /// Why, for people.
    pub because: String,
}

/// How each rule treats a candidate; agrees with `route`.
pub fn explain(rules: &[Rule], candidate: Candidate<'_>) -> Vec<RuleExplanation> {
    let facts = Facts::new(candidate);
    let mut stopped_by: Option<&Rule> = None;
    let mut explanations = Vec::with_capacity(rules.len());
    for rule in rules {
        let truth = if stopped_by.is_some() { Truth::No } else { rule.truth(&facts) };
        let conditions = match stopped_by {
            Some(_) => Vec::new(),
            None => {
                let when = each(&rule.when, false, &facts);
                when.chain(each(&rule.unless, true, &facts)).collect()
            }
        };
        explanations.push(RuleExplanation {
            rule: rule.name.clone(),
            matched: truth == Truth::Yes,
            undecided: truth == Truth::Unknown,
            skipped_by_stop: stopped_by.map(|stop| stop.name.clone()),
            conditions,
            to: rule.to.clone(),
        });
        if truth == Truth::Yes && rule.stop {
            stopped_by = Some(rule);
        }
    }
    explanations
}

fn each(
    conditions: &Conditions,
    negated: bool,
    facts: &Facts<'_>,
) -> impl Iterator<Item = ConditionExplanation> {
    conditions.0.iter().map(move |entry| {
        let finding = entry.condition.check(facts);
        ConditionExplanation {
            key: entry.key,
            negated,
            implied: entry.implied,
            truth: finding.truth,
            because: finding.because,
        }
    })
}

impl RuleExplanation {
    /// The first condition that kept the rule from matching; a rule that was skipped or matched has none.
    pub fn obstacle(&self) -> Option<&ConditionExplanation> {
        if self.matched {
            return None;
        }
        let failed = |truth: Truth| self.conditions.iter().find(move |c| !c.negated && c.truth == truth);
        let excluded = self.conditions.iter().find(|c| c.negated);
        failed(Truth::No).or(if self.undecided { failed(Truth::Unknown) } else { excluded })
    }

    fn verdict(&self) -> &'static str {
        match (self.matched, self.undecided, &self.skipped_by_stop) {
            (true, _, _) => "matches",
            (_, true, _) => "undecided",
            (_, _, Some(_)) => "skipped",
            _ => "no match",
        }
    }
}

/// The explanations as text for a terminal: words carry the meaning, no colour, no control characters.
pub fn explain_text(explanations: &[RuleExplanation]) -> String {
    let mut text = String::new();
    for explanation in explanations {
        // Writing into a String cannot fail.
        let _ = write_rule(&mut text, explanation);
    }
    let mut reached: Vec<&str> = Vec::new();
    for to in explanations.iter().filter(|explanation| explanation.matched).flat_map(|e| &e.to) {
        if !reached.contains(&to.as_str()) {
            reached.push(to);
        }
    }
    text.push_str(&match (reached.as_slice(), explanations.iter().any(|e| e.undecided)) {
        ([], true) => "goes nowhere: a rule could not decide because a name is unknown\n".to_owned(),
        ([], false) => "goes nowhere: no rule matches\n".to_owned(),
        (reached, _) => format!("goes to: {}\n", reached.join(", ")),
    });
    text
}

fn write_rule(text: &mut String, explanation: &RuleExplanation) -> std::fmt::Result {
    let to = explanation.to.join(", ");
    writeln!(text, "{:<13}  {} -> {to}", explanation.verdict(), explanation.rule)?;
    if let Some(stop) = &explanation.skipped_by_stop {
        writeln!(text, "{:15}rule `{stop}` matched and stops later rules", "")?;
    }
    let labels: Vec<String> = explanation.conditions.iter().map(label).collect();
    let width = labels.iter().map(String::len).max().unwrap_or(0);
    for (condition, label) in explanation.conditions.iter().zip(&labels) {
        let truth = condition.truth.as_str();
        writeln!(text, "{:15}{label:<width$}  {truth:<7}  {}", "", condition.because)?;
    }
    text.push('\n');
    Ok(())
}

fn label(condition: &ConditionExplanation) -> String {
    let place = if condition.negated { "unless" } else { "when" };
    let implied = if condition.implied { " (by default)" } else { "" };
    format!("{place} {}{implied}", condition.key)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::Draft;
    use super::super::testing::{NOW, parse, subject};
    use super::*;

    const RULES: &str = r#"
        rules = [
            { name = "happy", when = { min_rating = 4 }, to = ["owner"] },
            { name = "unhappy", when = { max_rating = 2 }, unless = { platforms = ["eBay"] },
              to = ["support", "managers"], stop = true },
            { name = "rest", to = ["owner"] },
        ]
    "#;

    fn explained(draft: &Draft) -> Vec<RuleExplanation> {
        explain(&parse(RULES), Candidate { subject: &subject(draft), now: NOW })
    }

    fn one_star(platform: &str) -> Draft {
        Draft { rating: Some("1".into()), platform: Some(platform.into()), ..Draft::default() }
    }

    #[test]
    fn each_rule_and_condition_is_explained() {
        let expected = "\
no match       happy -> owner
               when min_rating            no       rating 1 is below 4
               when changes (by default)  yes      the review is new

matches        unhappy -> support, managers
               when max_rating            yes      rating 1 is at most 2
               when changes (by default)  yes      the review is new
               unless platforms           no       platform is `Google`, not `eBay`

skipped        rest -> owner
               rule `unhappy` matched and stops later rules

goes to: support, managers
";
        assert_eq!(explain_text(&explained(&one_star("Google"))), expected);
    }

    #[test]
    fn the_obstacle_is_what_kept_it_from_matching() {
        let explained = explained(&one_star("eBay"));
        let obstacle = |index: usize| explained[index].obstacle().map(|c| (c.key, c.because.as_str()));
        assert_eq!(obstacle(0), Some(("min_rating", "rating 1 is below 4")));
        assert_eq!(obstacle(1), Some(("platforms", "platform is `eBay`")));
        assert_eq!(obstacle(2), None);
        assert!(explained[2].matched);
    }

    #[test]
    fn json_has_stable_names() {
        let json = serde_json::to_value(&explained(&one_star("Google"))[1]).unwrap();
        assert_eq!(json["matched"], true);
        assert_eq!(json["conditions"][2]["truth"], "no");
        assert_eq!(json["conditions"][2]["negated"], true);
        assert_eq!(json["skipped_by_stop"], serde_json::Value::Null);
    }

    #[test]
    fn a_review_may_go_nowhere() {
        let rules = parse("rules = [{ name = 'a', when = { websites = ['x'] }, to = ['owner'] }]");
        let mut subject = subject(&Draft::default());
        let text = |subject: &crate::domain::Subject| {
            explain_text(&explain(&rules, Candidate { subject, now: NOW }))
        };
        assert!(text(&subject).ends_with("goes nowhere: no rule matches\n"));
        subject.websites_known = false;
        let text = text(&subject);
        assert!(text.starts_with("undecided      a -> owner\n"), "{text}");
        assert!(text.ends_with("a rule could not decide because a name is unknown\n"), "{text}");
    }
}
