//! A review as upstream last showed it, and the subject that rules match and messages show.

use super::{Catalog, Change, Named, NativeRating, Previous, Rating, Timestamp};
use serde::{Deserialize, Serialize};

/// A review, normalised once where it came in: no control characters, entities decoded, empty texts `None`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Review {
    /// The account's name in the configuration.
    pub account: String,
    /// The API's uuid; identity together with the account.
    pub uuid: String,
    /// The rating as the platform gave it.
    pub rating: NativeRating,
    /// Its title, where the payload has one.
    pub title: Option<String>,
    /// What the customer wrote.
    pub text: Option<String>,
    /// The author's name.
    pub author: Option<String>,
    /// The author's e-mail address: only while a destination has `show_email`.
    pub email: Option<String>,
    /// `local_code` verbatim, such as `nl_NL`.
    pub language: Option<String>,
    /// When it was written.
    pub reviewed_at: Option<Timestamp>,
    /// Its source.
    pub source_uuid: Option<String>,
    /// Its platform.
    pub platform_uuid: Option<String>,
    /// Websites the payload itself names; usually none, a website is found through the source.
    pub website_uuids: Vec<String>,
    /// Its own link where the payload has one; http(s) only.
    pub url: Option<String>,
}

/// A review with its names resolved and its rating on its scale: what a rule matches and a message shows.
#[derive(Clone, Debug, PartialEq)]
pub struct Subject {
    /// The review.
    pub review: Review,
    /// Its rating on its scale.
    pub rating: Rating,
    /// Its source; the name is the uuid where the source is unknown.
    pub source: Option<Named>,
    /// Whether its source was found in the catalog (or the payload named its websites itself).
    pub websites_known: bool,
    /// Its platform.
    pub platform: Option<Named>,
    /// The websites that show it, 0..n.
    pub websites: Vec<Named>,
    /// Where people see it: its own link, else its source's `url`, else `review_link`.
    pub url: Option<String>,
    /// The kind of this revision.
    pub change: Change,
    /// What the recipients knew before.
    pub previous: Option<Previous>,
}

impl Subject {
    /// Joins `review` with the account's names, its rating on a scale whose top is `scale`.
    pub fn resolve(
        review: Review,
        catalog: &Catalog,
        scale: f64,
        change: Change,
        previous: Option<Previous>,
    ) -> Self {
        let entry = review.source_uuid.as_ref().and_then(|uuid| catalog.sources.get(uuid));
        let unnamed = |uuid: &String| Named { uuid: uuid.clone(), name: uuid.clone() };
        let source = review.source_uuid.as_ref().map(|uuid| match entry {
            Some(entry) => entry.named.clone(),
            None => unnamed(uuid),
        });
        let platform_uuid =
            review.platform_uuid.as_ref().or(entry.and_then(|entry| entry.platform_uuid.as_ref()));
        let platform =
            platform_uuid.map(|uuid| catalog.platforms.get(uuid).cloned().unwrap_or_else(|| unnamed(uuid)));
        let own = !review.website_uuids.is_empty();
        let website_uuids = match entry {
            _ if own => &review.website_uuids[..],
            Some(entry) => &entry.website_uuids[..],
            None => &[],
        };
        let websites = website_uuids
            .iter()
            .map(|uuid| catalog.websites.get(uuid).cloned().unwrap_or_else(|| unnamed(uuid)))
            .collect();
        let url = review
            .url
            .clone()
            .or_else(|| entry.and_then(|entry| entry.url.clone().or(entry.review_link.clone())));
        Self {
            rating: Rating::evaluate(review.rating.clone(), scale),
            websites_known: own || entry.is_some(),
            source,
            platform,
            websites,
            url,
            change,
            previous,
            review,
        }
    }

    /// A low or unreadable rating with something to read: what a person should look at first.
    pub fn needs_attention(&self) -> bool {
        match self.rating.normalised {
            Some(rating) => rating <= 2.0,
            None => self.review.text.is_some(),
        }
    }
}
