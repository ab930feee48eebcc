//! The names of an account: its sources, websites and platforms, as the API lists them.

use super::{Review, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A uuid and the name people know it by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// The API's uuid.
    pub uuid: String,
    /// Its name; the uuid where the API gives none.
    pub name: String,
}

impl Named {
    /// Whether `wanted` is this name or uuid, without case.
    pub fn is_called(&self, wanted: &str) -> bool {
        let wanted = wanted.trim().to_lowercase();
        self.name.trim().to_lowercase() == wanted || self.uuid.to_lowercase() == wanted
    }
}

/// One place reviews come from: a profile on a platform, shown on 0..n websites.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
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
}

impl Catalog {
    /// Whether every uuid that `review` names is known.
    pub fn knows(&self, review: &Review) -> bool {
        let known = |uuid: &Option<String>, has: &dyn Fn(&str) -> bool| uuid.as_deref().is_none_or(has);
        known(&review.source_uuid, &|uuid| self.sources.contains_key(uuid))
            && known(&review.platform_uuid, &|uuid| self.platforms.contains_key(uuid))
    }
}
