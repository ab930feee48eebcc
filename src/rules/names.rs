//! Names in the configuration that no website, source or platform bears.

use super::{Case, Draft, Rule};
use crate::domain::{Catalog, Named, RatingScales};
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
    // Of several words it is enough that one is nearly right.
    let words: Vec<&str> = wanted.split(' ').filter(|word| word.len() >= 4).collect();
    let resembles =
        |name: &&String| key(name).split(' ').any(|word| nearest(word, words.iter().copied()).is_some());
    let candidates = || names.iter().filter(|name| !name.trim().is_empty());
    found.extend(candidates().filter(holds).cloned());
    if found.is_empty() {
        found.extend(candidates().filter(resembles).cloned());
    }
    found.truncate(OFFERED);
    found
}

#[cfg(test)]
#[path = "names_tests.rs"]
mod tests;
