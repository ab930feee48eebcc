//! Problems that no single rule shows: names that no website, source or platform has, and rules that are never
//! reached.

use super::facts::Facts;
use super::{Candidate, Case, Draft, Known, Rule};
use crate::domain::{Catalog, Change, Named, RatingScales, Timestamp};
use crate::settings::table::{nearest, quoted};
use crate::spelling::key;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// How many near names are offered.
const OFFERED: usize = 3;

/// A name in the configuration that nothing bears.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NameProblem {
    /// Where it is written: rules, tests, `rating_scales`.
    pub places: Vec<String>,
    /// The account that has no such name; the first of several.
    pub account: String,
    /// What it should be the name of: `website`.
    pub kind: &'static str,
    /// The name as it is written.
    pub name: String,
    /// Names of that kind that are near, nearest first.
    pub nearest: Vec<String>,
    /// The key under which the name does exist.
    pub belongs_to: Option<&'static str>,
    /// What bore it once: its name of today, `None` where it is gone.
    pub was: Option<Option<String>>,
}

impl fmt::Display for NameProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { places, kind, name, .. } = self;
        let name = crate::domain::text::one_line(name, 80);
        write!(f, "{}: no {kind} is called `{name}`", places.join(", "))?;
        if let Some(now) = &self.was {
            return match now {
                Some(now) => write!(f, "; it is now called `{now}`"),
                None => write!(f, "; the one that was called so is gone"),
            };
        }
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

/// Where names are configured.
#[derive(Clone, Copy, Debug)]
pub struct Configured<'a> {
    /// The rules.
    pub rules: &'a [Rule],
    /// The scales that are set, by account; it has every account.
    pub scales: &'a BTreeMap<String, RatingScales>,
    /// The tests.
    pub tests: &'a [Case],
}

/// One name, written in one place.
struct Use<'a> {
    place: String,
    /// What it may be the name of, as indices of [`KEYS`].
    kinds: &'static [usize],
    kind: &'static str,
    name: &'a str,
    /// The accounts in which it should exist, in one at least.
    accounts: Vec<&'a str>,
}

impl<'a> Configured<'a> {
    /// Whether any rule, scale or test names a website, source or platform.
    pub fn has_names(&self) -> bool {
        !self.uses().is_empty()
    }

    fn uses(&self) -> Vec<Use<'a>> {
        let mut uses: Vec<Use<'a>> = Vec::new();
        for rule in self.rules {
            for (index, condition_key) in KEYS.into_iter().enumerate() {
                let conditions = [&rule.when, &rule.unless].into_iter().filter_map(|c| c.get(condition_key));
                uses.extend(conditions.flat_map(|condition| condition.names()).map(|name| Use {
                    place: format!("rule `{}`", rule.name),
                    accounts: self.accounts_of(rule),
                    name,
                    ..kind(index)
                }));
            }
        }
        for (account, scales) in self.scales {
            uses.extend(scales.names().map(|name| Use {
                place: format!("accounts.{account}.rating_scales"),
                kinds: &[1, 2],
                kind: "platform or source",
                name,
                accounts: vec![account],
            }));
        }
        for case in self.tests {
            let review = &case.review;
            let named = review.websites.iter().map(|name| (0, name));
            let named = named.chain(review.source.iter().map(|name| (1, name)));
            let named = named.chain(review.platform.iter().map(|name| (2, name)));
            let account = review.account.as_ref().or_else(|| self.scales.keys().next());
            uses.extend(named.map(|(index, name)| Use {
                place: format!("test `{}`", case.name),
                accounts: account.map(String::as_str).into_iter().collect(),
                name,
                ..kind(index)
            }));
        }
        uses
    }

    /// The accounts that a rule applies to.
    fn accounts_of(&self, rule: &Rule) -> Vec<&'a str> {
        let wanted = rule.when.get("accounts").map(|condition| condition.names());
        let applies =
            |account: &&str| wanted.is_none_or(|wanted| wanted.iter().any(|name| key(name) == key(account)));
        self.scales.keys().map(String::as_str).filter(applies).collect()
    }
}

fn kind<'a>(index: usize) -> Use<'a> {
    const KINDS: [(&[usize], &str); 3] = [(&[0], "website"), (&[1], "source"), (&[2], "platform")];
    let (kinds, kind) = KINDS[index];
    Use { place: String::new(), kinds, kind, name: "", accounts: Vec::new() }
}

/// What bears names in one account, in the order of [`KEYS`]: built once, as rules and names may be many.
struct Index<'a> {
    kinds: [Names<'a>; 3],
    catalog: &'a Catalog,
}

#[derive(Default)]
struct Names<'a> {
    names: BTreeSet<&'a str>,
    /// Names and uuids as they are compared.
    keys: BTreeSet<String>,
}

impl<'a> Index<'a> {
    fn of(catalog: &'a Catalog) -> Self {
        let kinds = [
            Names::of(catalog.websites.values()),
            Names::of(catalog.sources.values().map(|source| &source.named)),
            Names::of(catalog.platforms.values()),
        ];
        Self { kinds, catalog }
    }

    /// The name of today of what was called `name`.
    fn renamed(&self, name: &str) -> Option<Option<String>> {
        let wanted = key(name);
        let former = self.catalog.former.iter().rev().find(|named| key(&named.name) == wanted)?;
        Some(self.catalog.named(&former.uuid).map(|now| now.name.clone()))
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

/// Names in the configuration that nothing bears, each once. `catalogs` by account: of a name that should be in one
/// whose names have not loaded nothing is said.
pub fn unknown_names(configured: Configured<'_>, catalogs: &BTreeMap<String, Catalog>) -> Vec<NameProblem> {
    let indices: BTreeMap<&str, Index<'_>> =
        catalogs.iter().map(|(account, catalog)| (account.as_str(), Index::of(catalog))).collect();
    let mut problems: Vec<NameProblem> = Vec::new();
    for wanted in configured.uses() {
        let indices: Option<Vec<&Index<'_>>> =
            wanted.accounts.iter().map(|account| indices.get(account)).collect();
        let Some(indices) = indices.filter(|indices| !indices.is_empty()) else { continue };
        if wanted.kinds.iter().any(|kind| exists(&indices, *kind, wanted.name)) {
            continue;
        }
        let account = wanted.accounts.first().map_or("", |account| account).to_owned();
        let known = problems.iter_mut().find(|known| {
            known.kind == wanted.kind && known.account == account && key(&known.name) == key(wanted.name)
        });
        if let Some(known) = known {
            if !known.places.contains(&wanted.place) {
                known.places.push(wanted.place);
            }
            continue;
        }
        let belongs_to = (0..KEYS.len()).find(|other| exists(&indices, *other, wanted.name));
        problems.push(NameProblem {
            places: vec![wanted.place],
            account,
            kind: wanted.kind,
            name: wanted.name.to_owned(),
            nearest: near(&indices, wanted.kinds, wanted.name),
            belongs_to: belongs_to.map(|other| KEYS[other]),
            was: indices.iter().find_map(|index| index.renamed(wanted.name)),
        });
    }
    problems
}

/// Names of a described review that nothing in its account bears, for people.
pub fn unknown_in_draft(draft: &Draft, account: &str, catalog: &Catalog) -> Vec<String> {
    let index = Index::of(catalog);
    let named = draft.websites.iter().map(|name| (0, name));
    let named = named.chain(draft.source.iter().map(|name| (1, name)));
    let named = named.chain(draft.platform.iter().map(|name| (2, name)));
    let problem = |(index_of, name): (usize, &String)| {
        if exists(&[&index], index_of, name) {
            return None;
        }
        let Use { kinds, kind, .. } = kind(index_of);
        let other = (0..KEYS.len()).find(|other| exists(&[&index], *other, name));
        Some(NameProblem {
            places: vec![format!("account `{account}`")],
            account: account.to_owned(),
            kind,
            name: name.clone(),
            nearest: near(&[&index], kinds, name),
            belongs_to: other.map(|other| KEYS[other]),
            was: index.renamed(name),
        })
    };
    named.filter_map(problem).map(|problem| problem.to_string()).collect()
}

fn exists(indices: &[&Index<'_>], kind: usize, name: &str) -> bool {
    let name = key(name);
    indices.iter().any(|index| index.kinds[kind].keys.contains(&name))
}

/// Names by edit distance, then those that contain the wanted one.
fn near(indices: &[&Index<'_>], kinds: &[usize], wanted: &str) -> Vec<String> {
    let of_kind = |index: &'_ &Index<'_>| -> Vec<String> {
        let names = kinds.iter().flat_map(|kind| &index.kinds[*kind].names);
        names.map(|name| (*name).to_owned()).collect()
    };
    let mut names: BTreeSet<String> = indices.iter().flat_map(of_kind).collect();
    let mut found: Vec<String> = Vec::new();
    while let Some(name) = nearest(wanted, names.iter().map(String::as_str)).filter(|_| found.len() < OFFERED)
    {
        let name = name.to_owned();
        names.remove(&name);
        found.push(name);
    }
    let wanted = key(wanted);
    let holds = |name: &&String| key(name).contains(&wanted) || wanted.contains(&key(name));
    found.extend(names.iter().filter(|name| !name.trim().is_empty()).filter(holds).cloned());
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
    let subject = draft.subject(&BTreeMap::<String, Known>::new(), "");
    let facts = Facts::new(Candidate { subject: &subject, now: Timestamp(0) });
    rule.when.get("changes").is_none_or(|changes| changes.truth(&facts) == super::condition::Truth::Yes)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{parse, read, rules};
    use super::*;
    use crate::domain::{Source, Website};

    fn named(uuid: &str, name: &str) -> Named {
        Named { uuid: uuid.into(), name: name.into() }
    }

    fn catalog(websites: &[Website]) -> Catalog {
        let source = Source { named: named("s1", "Google Amsterdam"), ..Source::default() };
        Catalog {
            sources: BTreeMap::from([("s1".into(), source)]),
            websites: websites.iter().map(|named| (named.uuid.clone(), named.clone())).collect(),
            platforms: BTreeMap::from([("p1".into(), named("p1", "Google"))]),
            former: Vec::new(),
        }
    }

    fn catalogs() -> BTreeMap<String, Catalog> {
        BTreeMap::from([
            ("main".to_owned(), catalog(&[named("w1", "Shop NL"), named("w2", "Shop BE")])),
            ("other".to_owned(), catalog(&[named("w3", "Garden Centre Outlet")])),
        ])
    }

    fn unknown(rules: &[Rule], catalogs: &BTreeMap<String, Catalog>) -> Vec<NameProblem> {
        let scales = ["main", "other"].map(|name| (name.to_owned(), RatingScales::default()));
        unknown_names(Configured { rules, scales: &scales.into(), tests: &[] }, catalogs)
    }

    fn problems_of(when: &str) -> Vec<String> {
        unknown(&rules(when), &catalogs()).iter().map(ToString::to_string).collect()
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

    // J2
    #[test]
    fn a_name_is_known_however_it_is_spelt() {
        assert_eq!(
            problems_of("{ websites = [\"Shop\\u00A0NL\", 'SHOP&nbsp;be', 'shop\u{200B} nl'] }"),
            [""; 0]
        );
    }

    // J1
    #[test]
    fn a_name_that_was_is_answered_with_the_name_of_today() {
        let mut catalogs = catalogs();
        let before = catalogs["main"].clone();
        let mut now = catalog(&[named("w1", "Shop Netherlands")]);
        now.succeed(&before);
        catalogs.insert("main".into(), now);
        let texts: Vec<String> = unknown(&rules("{ websites = ['shop nl', 'Shop BE'] }"), &catalogs)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(
            texts,
            [
                "rule `r`: no website is called `shop nl`; it is now called `Shop Netherlands`",
                "rule `r`: no website is called `Shop BE`; the one that was called so is gone",
            ]
        );
    }

    // J1
    #[test]
    fn scales_and_tests_have_names_too() {
        let config =
            "tests = [{ name = 't', review = { website = 'Shop N', platform = 'Google' }, expect = [] }]";
        let (tests, problems) = read(config, super::super::read_cases);
        assert_eq!(problems, []);
        let scale = |name: &str| RatingScales::new([(key(name), name.to_owned(), 10.0)]);
        let scales =
            [("main".to_owned(), scale("Gogle")), ("other".to_owned(), scale("google amsterdam"))].into();
        let rules = parse("rules = [{ name = 'a', to = ['owner'], when = { websites = ['SHOP N'] } }]");
        let found = unknown_names(Configured { rules: &rules, scales: &scales, tests: &tests }, &catalogs());
        let texts: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert_eq!(
            texts,
            [
                "rule `a`, test `t`: no website is called `SHOP N`; did you mean `Shop NL` or `Shop BE`?",
                "accounts.main.rating_scales: no platform or source is called `Gogle`; did you mean `Google`?",
            ]
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
        let one = catalogs().into_iter().filter(|(name, _)| name == "main").collect();
        assert_eq!(unknown(&rules("{ websites = ['x'] }"), &one), [], "the other may have it");
    }

    #[test]
    fn names_in_unless_count_too() {
        let rules = parse("rules = [{ name = 'a', to = ['owner'], unless = { platforms = ['Kiyo'] } }]");
        assert_eq!(unknown(&rules, &catalogs())[0].kind, "platform");
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
