//! `[[tests]]`: exactly which destinations a review must reach. Read with the rules, run by `check`.

use super::draft::read_rating;
use super::settings::{accounts, read_destinations, read_name, unknown};
use super::{Candidate, Draft, Known, Rule, RuleExplanation, explain};
use crate::domain::{Change, Timestamp};
use crate::settings::Table;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The time at which cases are matched. Any would do: they say how old a review is, not when it was written.
const NOW: Timestamp = Timestamp(1_767_225_600_000);

/// One of `[[tests]]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// Its name, unique.
    pub name: String,
    /// The review. It was written just now unless its `age` says otherwise.
    pub review: Draft,
    /// The destinations it must reach, each once; may be empty.
    pub expect: Vec<String>,
}

/// The cases of a configuration, in order. Problems are recorded with `root`.
pub fn read_cases(root: &Table<'_>, destinations: &[String]) -> Vec<Case> {
    let accounts = accounts(root);
    let mut names = BTreeSet::new();
    let tables = root.table_list("tests").into_iter();
    tables.filter_map(|table| read_case(table, destinations, &accounts, &mut names)).collect()
}

fn read_case(
    table: Table<'_>,
    destinations: &[String],
    accounts: &[String],
    names: &mut BTreeSet<String>,
) -> Option<Case> {
    let name = read_name(&table, names, "name = \"one star reaches support\"");
    if !table.has("review") {
        table.problem("review", "is missing", "write review = { rating = 1, text = \"Broken\" }");
    }
    let review = table.table("review").map(|review| read_review(review, accounts));
    let hint = "list the destinations it must reach, or write expect = [] if it must reach none";
    let expect = read_destinations(&table, "expect", destinations, hint);
    table.finish();
    Some(Case { name: name?, review: review?, expect: expect? })
}

fn read_review(table: Table<'_>, accounts: &[String]) -> Draft {
    let account = table.text("account");
    if let Some(name) = account.as_ref().filter(|name| !accounts.is_empty() && !accounts.contains(name)) {
        unknown(&table, "account", name, "account", accounts);
    }
    let mut websites = Vec::from_iter(table.text("website"));
    websites.extend(table.texts("websites").unwrap_or_default());
    let changes = Change::ALL.map(Change::as_str);
    let age = table.duration("age").unwrap_or(Duration::ZERO);
    let rating = table.text_or_number("rating").map(|text| match read_rating(&text) {
        Ok(read) => read,
        Err(fault) => {
            table.problem("rating", fault, "write rating = 1, or rating = \"4/10\"");
            (text, None)
        }
    });
    let (rating, scale) = rating.unzip();
    let draft = Draft {
        account,
        rating,
        scale: scale.flatten(),
        websites,
        platform: table.text("platform"),
        source: table.text("source"),
        title: table.text("title"),
        text: table.text("text"),
        author: table.text("author"),
        language: table.text("language"),
        change: table.one_of("change", &changes).and_then(Change::parse),
        reviewed_at: Some(NOW.minus(age)),
    };
    table.finish();
    draft
}

/// Runs one case. `known` are the accounts; a review without an account belongs to
/// `default_account`. The error says, on several lines, what it reached instead and why.
pub fn run_case(
    case: &Case,
    rules: &[Rule],
    known: &BTreeMap<String, Known>,
    default_account: &str,
) -> Result<(), String> {
    let subject = case.review.subject(known, default_account);
    let explained = explain(rules, Candidate { subject: &subject, now: NOW });
    let reached: BTreeSet<&str> =
        explained.iter().filter(|rule| rule.matched).flat_map(|rule| &rule.to).map(String::as_str).collect();
    let expected: BTreeSet<&str> = case.expect.iter().map(String::as_str).collect();
    if reached == expected {
        return Ok(());
    }
    let mut lines = vec![format!("reaches {}, expected {}", list(&reached), list(&expected))];
    for missing in expected.difference(&reached) {
        lines.extend(why_not(missing, &explained));
    }
    for surplus in reached.difference(&expected) {
        let by = explained.iter().filter(|rule| rule.matched && rule.to.iter().any(|to| to == surplus));
        lines.extend(by.map(|rule| format!("{surplus}: rule `{}` matches", rule.rule)));
    }
    Err(lines.join("\n"))
}

/// What kept each rule that sends to `destination` from matching.
fn why_not(destination: &str, explained: &[RuleExplanation]) -> Vec<String> {
    let leading = explained.iter().filter(|rule| rule.to.iter().any(|to| to == destination));
    let lines: Vec<String> = leading
        .map(|rule| {
            let why = match (&rule.skipped_by_stop, rule.obstacle()) {
                (Some(stop), _) => format!("is skipped because `{stop}` stops before it"),
                (None, Some(c)) if c.negated => format!("excludes it: {}", c.because),
                (None, Some(c)) => format!("does not match: {}", c.because),
                (None, None) => "does not match".into(),
            };
            format!("{destination}: rule `{}` {why}", rule.rule)
        })
        .collect();
    if lines.is_empty() { vec![format!("{destination}: no rule sends to it")] } else { lines }
}

fn list(names: &BTreeSet<&str>) -> String {
    match names.len() {
        0 => "nobody".into(),
        _ => names.iter().copied().collect::<Vec<_>>().join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{parse, read};
    use super::*;

    const RULES: &str = r#"
        rules = [
            { name = "unhappy", when = { max_rating = 2, max_age = "30d" }, unless = { platforms = ["eBay"] },
              to = ["support", "managers"] },
            { name = "kiyoh", when = { platforms = ["Kiyoh"] }, to = ["managers"], stop = true },
            { name = "all", to = ["owner"] },
        ]
    "#;

    fn run(review: &str, expect: &str) -> Result<(), String> {
        let tests = format!("tests = [{{ name = 't', review = {review}, expect = {expect} }}]");
        let (cases, problems) = read(&tests, read_cases);
        assert_eq!(problems, [], "{review}");
        run_case(&cases[0], &parse(RULES), &BTreeMap::new(), "main")
    }

    #[test]
    fn a_case_must_reach_exactly_what_it_expects() {
        let all = "['owner', 'managers', 'support']";
        assert_eq!(
            run("{ rating = 1, website = 'Shop NL', platform = 'Google', text = 'Broken' }", all),
            Ok(())
        );
        assert_eq!(run("{ rating = '1,5', age = '29d' }", all), Ok(()));
        assert_eq!(run("{ rating = 1, age = '31d' }", "['owner']"), Ok(()));
        assert_eq!(run("{ rating = 4, platform = 'Kiyoh' }", "['support', 'managers']"), Ok(()));
        assert_eq!(run("{ change = 'text', rating = 1 }", "[]"), Ok(()));
        assert_eq!(run("{}", "['owner', 'owner']"), Ok(()));
    }

    // first-use 2, J24
    #[test]
    fn a_rating_may_name_its_scale() {
        assert_eq!(
            run("{ rating = '4/10', platform = 'Reviewer' }", "['owner', 'support', 'managers']"),
            Ok(())
        );
        for wrong in ["'true'", "'4/0'"] {
            let config = format!("tests = [{{ name = 't', review = {{ rating = {wrong} }}, expect = [] }}]");
            assert_eq!(read(&config, read_cases).1.len(), 1, "{wrong}");
        }
    }

    #[test]
    fn a_failure_says_why() {
        let outcome = |review: &str, expect: &str| run(review, expect).err().unwrap_or_default();
        assert_eq!(
            outcome("{ rating = 4.5 }", "['support']"),
            "reaches owner, expected support\n\
             support: rule `unhappy` does not match: rating 4.5 is above 2\n\
             owner: rule `all` matches"
        );
        assert_eq!(
            outcome("{ rating = 1, platform = 'ebay' }", "['owner', 'support']"),
            "reaches owner, expected owner, support\nsupport: rule `unhappy` excludes it: platform is `ebay`"
        );
        assert_eq!(
            outcome("{ rating = 10, platform = 'Kiyoh' }", "['owner']"),
            "reaches managers, expected owner\n\
             owner: rule `all` is skipped because `kiyoh` stops before it\n\
             managers: rule `kiyoh` matches"
        );
        assert_eq!(
            outcome("{ change = 'text' }", "['owner']").lines().next(),
            Some("reaches nobody, expected owner")
        );
    }

    #[test]
    fn what_is_wrong_with_a_case_is_outcome() {
        let config = "
            [[tests]]
            name = 'a'
            review = { ratng = 1, change = 'edited', account = 'mian', rating = true }
            expect = ['suport']
            [[tests]]
            name = 'a'
            [accounts.main]
        ";
        let (cases, problems) = read(config, read_cases);
        assert_eq!(cases, []);
        let paths: Vec<&str> = problems.iter().map(|problem| problem.path.as_str()).collect();
        assert_eq!(
            paths,
            [
                "tests[0].review.account",
                "tests[0].review.rating",
                "tests[0].review.change",
                "tests[0].review.ratng",
                "tests[0].expect",
                "tests[1].name",
                "tests[1].review",
                "tests[1].expect",
            ]
        );
    }
}
