//! The names of an account: its sources, websites and platforms, as the API lists them.

use super::{Review, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A uuid and the name people know it by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The API's uuid.
    pub uuid: String,
    /// Its name; the uuid where the API gives none.
    pub name: String,
}

/// One place reviews come from: a profile on a platform, shown on 0..n websites.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Source {
    /// Its uuid and name.
    #[serde(flatten)]
    pub named: Named,
    /// Where people see its reviews; http(s) only.
    pub url: Option<String>,
    /// Where people write one; http(s) only.
    pub review_link: Option<String>,
    /// The platform it is on.
    pub platform_uuid: Option<String>,
    /// The websites that show it.
    pub website_uuids: Vec<String>,
    /// The average of its ratings, on the scale that it has.
    #[serde(default)]
    pub average: Option<f64>,
    /// How many reviews it has.
    #[serde(default)]
    pub reviews: Option<u64>,
    /// When ShopReviews last read it.
    pub last_sync_at: Option<Timestamp>,
    /// When it means to read it next.
    pub next_sync_at: Option<Timestamp>,
}

/// A website of the account.
pub type Website = Named;
/// A review platform.
pub type Platform = Named;

/// All names of an account, by uuid.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Catalog {
    /// Sources by uuid.
    pub sources: BTreeMap<String, Source>,
    /// Websites by uuid.
    pub websites: BTreeMap<String, Website>,
    /// Platforms by uuid.
    pub platforms: BTreeMap<String, Platform>,
    /// Names that some of them had before, so that a rule which still has one can be answered with the new one.
    #[serde(default)]
    pub former: Vec<Named>,
}

/// Former names that are kept.
const FORMER: usize = 500;

impl Catalog {
    /// Keeps from `before`, the names as they were loaded last, those that are others now or are gone.
    pub fn succeed(&mut self, before: &Self) {
        let mut former = before.former.clone();
        for named in before.all() {
            if self.named(&named.uuid).is_none_or(|now| now.name != named.name) && !former.contains(named) {
                former.push(named.clone());
            }
        }
        // What is borne again is not a former name.
        former.retain(|named| self.named(&named.uuid).is_none_or(|now| now.name != named.name));
        former.drain(..former.len().saturating_sub(FORMER));
        self.former = former;
    }

    /// Everything that bears a name.
    pub fn all(&self) -> impl Iterator<Item = &Named> {
        let sources = self.sources.values().map(|source| &source.named);
        self.websites.values().chain(sources).chain(self.platforms.values())
    }

    /// What has that uuid.
    pub fn named(&self, uuid: &str) -> Option<&Named> {
        let source = || self.sources.get(uuid).map(|source| &source.named);
        self.websites.get(uuid).or_else(source).or_else(|| self.platforms.get(uuid))
    }

    /// Whether every uuid that `review` names is known.
    pub fn knows(&self, review: &Review) -> bool {
        let known = |uuid: &Option<String>, has: &dyn Fn(&str) -> bool| uuid.as_deref().is_none_or(has);
        known(&review.source_uuid, &|uuid| self.sources.contains_key(uuid))
            && known(&review.platform_uuid, &|uuid| self.platforms.contains_key(uuid))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    // J1
    #[test]
    fn a_name_that_was_is_remembered_until_it_is_borne_again() {
        let catalog = |name: Option<&str>| {
            let website = |name: &str| Named { uuid: "w1".into(), name: name.into() };
            let websites = name.map(|name| ("w1".to_owned(), website(name)));
            Catalog { websites: websites.into_iter().collect(), ..Catalog::default() }
        };
        let mut renamed = catalog(Some("Shop Netherlands"));
        renamed.succeed(&catalog(Some("Shop NL")));
        assert_eq!(renamed.former, [Named { uuid: "w1".into(), name: "Shop NL".into() }]);
        let mut gone = catalog(None);
        gone.succeed(&renamed);
        let names: Vec<&str> = gone.former.iter().map(|named| named.name.as_str()).collect();
        assert_eq!(names, ["Shop NL", "Shop Netherlands"]);
        let mut back = catalog(Some("Shop NL"));
        back.succeed(&gone);
        let names: Vec<&str> = back.former.iter().map(|named| named.name.as_str()).collect();
        assert_eq!(names, ["Shop Netherlands"]);
    }
}
