//! Problems that no single rule shows: names that no website, source or platform has, and rules that are never
//! reached.

use super::facts::{Facts, key};
use super::{Candidate, Draft, Rule};
use crate::domain::{Catalog, Change, Named, Timestamp};
use crate::settings::table::{nearest, quoted};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How many near names are offered.
const OFFERED: usize = 3;

/// An unknown name in a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameProblem {
    /// The rule.
    pub rule: String,
    /// The condition's key.
    pub key: &'static str,
    /// The name as it is written there.
    pub name: String,
    /// Names of that kind that are near, nearest first.
    pub nearest: Vec<String>,
    /// The key under which the name does exist.
    pub belongs_to: Option<&'static str>,
}

impl fmt::Display for NameProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { rule, key, name, .. } = self;
        let one = key.trim_end_matches('s');
        write!(f, "rule `{rule}`: no {one} is called `{}`", crate::domain::text::one_line(name, 80))?;
        if let Some(other) = self.belongs_to {
            return write!(f, "; it is a {}, so write {other} = [\"…\"]", other.trim_end_matches('s'));
        }
        match self.nearest.as_slice() {
            [] => Ok(()),
            near => write!(f, "; did you mean {}?", quoted(near).replace(", ", " or ")),
        }
    }
}

/// The keys whose names a catalog has.
const KEYS: [&str; 3] = ["websites", "sources", "platforms"];

/// What bears names in one account, in the order of [`KEYS`]: built once, as rules and names may be many.
struct Index<'a>([Names<'a>; 3]);

#[derive(Default)]
struct Names<'a> {
    names: BTreeSet<&'a str>,
    /// Names and uuids as they are compared.
    keys: BTreeSet<String>,
}

impl<'a> Index<'a> {
    fn of(catalog: &'a Catalog) -> Self {
        Self([
            Names::of(catalog.websites.values()),
            Names::of(catalog.sources.values().map(|source| &source.named)),
            Names::of(catalog.platforms.values()),
        ])
    }
}

impl<'a> Names<'a> {
    fn of(all: impl Iterator<Item = &'a Named>) -> Self {
        let mut names = Self::default();
        for named in all {
            names.names.insert(&named.name);
            names.keys.extend([key(&named.name), key(&named.uuid)]);
        }
        names
    }
}

/// Unknown names in rules. `catalogs` by account: pass every account's, since a name that only a missing one has is
/// reported too. A rule with `accounts` is checked against those only; without a catalog of any of them nothing is
/// reported.
pub fn unknown_names(rules: &[Rule], catalogs: &BTreeMap<String, Catalog>) -> Vec<NameProblem> {
    let indices: BTreeMap<String, Index<'_>> =
        catalogs.iter().map(|(account, catalog)| (key(account), Index::of(catalog))).collect();
    let mut problems = Vec::new();
    for rule in rules {
        let relevant = relevant(rule, &indices);
        if relevant.is_empty() {
            continue;
        }
        for (kind, condition_key) in KEYS.into_iter().enumerate() {
            let conditions = [&rule.when, &rule.unless].into_iter().filter_map(|c| c.get(condition_key));
            let names = conditions.flat_map(|condition| condition.names());
            for name in names.filter(|name| !exists(&relevant, kind, name)) {
                let belongs_to = (0..KEYS.len()).find(|other| exists(&relevant, *other, name));
                problems.push(NameProblem {
                    rule: rule.name.clone(),
                    key: condition_key,
                    name: name.clone(),
                    nearest: near(&relevant, kind, name),
                    belongs_to: belongs_to.map(|other| KEYS[other]),
                });
            }
        }
    }
    problems
}

/// The accounts that a rule applies to.
fn relevant<'i, 'a>(rule: &Rule, indices: &'i BTreeMap<String, Index<'a>>) -> Vec<&'i Index<'a>> {
    match rule.when.get("accounts").map(|condition| condition.names()) {
        None => indices.values().collect(),
        Some(wanted) => wanted.iter().filter_map(|account| indices.get(&key(account))).collect(),
    }
}

fn exists(indices: &[&Index<'_>], kind: usize, name: &str) -> bool {
    let name = key(name);
    indices.iter().any(|index| index.0[kind].keys.contains(&name))
}

/// Names by edit distance, then those that contain the wanted one.
fn near(indices: &[&Index<'_>], kind: usize, wanted: &str) -> Vec<String> {
    let mut names: BTreeSet<&str> = indices.iter().flat_map(|index| &index.0[kind].names).copied().collect();
    let mut found: Vec<String> = Vec::new();
    while let Some(name) = nearest(wanted, names.iter().copied()).filter(|_| found.len() < OFFERED) {
        found.push(name.to_owned());
        names.remove(name);
    }
    let wanted = key(wanted);
    let holds = |name: &&&str| key(name).contains(&wanted) || wanted.contains(&key(name));
    found.extend(
        names.iter().filter(|name| !name.trim().is_empty()).filter(holds).map(|name| (*name).to_owned()),
    );
    found.truncate(OFFERED);
    found
}

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
    let subject = draft.subject(&BTreeMap::new(), "");
    let facts = Facts::new(Candidate { subject: &subject, now: Timestamp(0) });
    rule.when.get("changes").is_none_or(|changes| changes.truth(&facts) == super::condition::Truth::Yes)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{parse, rules};
    use super::*;
    use crate::domain::{Source, Website};

    fn named(uuid: &str, name: &str) -> Named {
        Named { uuid: uuid.into(), name: name.into() }
    }

    fn catalog(websites: &[Website]) -> Catalog {
        let source = Source {
            named: named("s1", "Google Amsterdam"),
            url: None,
            review_link: None,
            platform_uuid: None,
            website_uuids: Vec::new(),
            last_sync_at: None,
            next_sync_at: None,
        };
        Catalog {
            sources: BTreeMap::from([("s1".into(), source)]),
            websites: websites.iter().map(|named| (named.uuid.clone(), named.clone())).collect(),
            platforms: BTreeMap::from([("p1".into(), named("p1", "Google"))]),
        }
    }

    fn catalogs() -> BTreeMap<String, Catalog> {
        BTreeMap::from([
            ("main".to_owned(), catalog(&[named("w1", "Shop NL"), named("w2", "Shop BE")])),
            ("other".to_owned(), catalog(&[named("w3", "Garden Centre Outlet")])),
        ])
    }

    fn problems_of(when: &str) -> Vec<String> {
        unknown_names(&rules(when), &catalogs()).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn a_name_that_nothing_bears_is_reported_with_the_nearest() {
        assert_eq!(
            problems_of("{ websites = ['shop nl', 'W2'], platforms = ['google'], sources = ['s1'] }"),
            [""; 0]
        );
        assert_eq!(
            problems_of("{ websites = ['Shop N'] }"),
            ["rule `r`: no website is called `Shop N`; did you mean `Shop NL` or `Shop BE`?"]
        );
        assert_eq!(
            problems_of("{ websites = ['garden'] }"),
            ["rule `r`: no website is called `garden`; did you mean `Garden Centre Outlet`?"]
        );
        assert_eq!(
            problems_of("{ websites = ['Google'] }"),
            ["rule `r`: no website is called `Google`; it is a platform, so write platforms = [\"…\"]"]
        );
        assert_eq!(
            problems_of("{ platforms = ['Trustpilot'] }"),
            ["rule `r`: no platform is called `Trustpilot`"]
        );
    }

    #[test]
    fn only_the_accounts_of_the_rule_count() {
        assert_eq!(problems_of("{ websites = ['Shop NL'], accounts = ['MAIN'] }"), [""; 0]);
        assert_eq!(problems_of("{ websites = ['Shop NL'], accounts = ['other'] }").len(), 1);
        assert_eq!(
            problems_of("{ websites = ['x'], accounts = ['third'] }"),
            [""; 0],
            "nothing is known of it"
        );
    }

    #[test]
    fn names_in_unless_count_too() {
        let rules = parse("rules = [{ name = 'a', to = ['owner'], unless = { platforms = ['Kiyo'] } }]");
        assert_eq!(unknown_names(&rules, &catalogs())[0].key, "platforms");
    }

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
