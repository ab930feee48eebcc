//! Reviews as commands show them: names resolved, the rating on its scale.

use super::CliError;
use super::output::{fact, json_time, time};
use super::state::State;
use crate::config::Settings;
use crate::domain::{Catalog, Change, Previous, Review, Scale, Subject};
use crate::intake::scales;
use crate::rules::{Known, Scales};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// What reviews are resolved with: names and scales as the state has them and as they are configured.
pub(super) struct Names {
    catalogs: BTreeMap<String, Catalog>,
    scales: BTreeMap<String, Scales>,
}

/// What is known of each configured account. `state` lends names and what its sources show, where there is one.
pub(super) async fn known(
    settings: &Settings,
    state: Option<&State>,
) -> Result<BTreeMap<String, Known>, CliError> {
    let mut known = BTreeMap::new();
    for (name, account) in &settings.accounts {
        let (catalog, seen) = match state {
            Some(state) => (state.store.catalog(name).await?, state.store.scales(name).await?),
            None => (None, Vec::new()),
        };
        let catalog = catalog.map(|(catalog, _)| catalog).unwrap_or_default();
        known.insert(name.clone(), Known { catalog, scales: scales::of(&account.policy, &seen) });
    }
    Ok(known)
}

impl Names {
    /// The names of `accounts`.
    pub(super) async fn of(
        settings: &Settings,
        state: &State,
        accounts: impl IntoIterator<Item = &str>,
    ) -> Result<Self, CliError> {
        let (mut catalogs, mut known) = (BTreeMap::new(), BTreeMap::new());
        for account in accounts {
            if known.contains_key(account) {
                continue;
            }
            let policy = settings.accounts.get(account).map(|own| own.policy.clone()).unwrap_or_default();
            known.insert(account.to_owned(), scales::of(&policy, &state.store.scales(account).await?));
            if let Some((catalog, _)) = state.store.catalog(account).await? {
                catalogs.insert(account.to_owned(), catalog);
            }
        }
        Ok(Self { catalogs, scales: known })
    }

    /// Whether the names of `account` have loaded once.
    pub(super) fn has(&self, account: &str) -> bool {
        self.catalogs.contains_key(account)
    }

    /// `review` with its names and rating.
    pub(super) fn subject(&self, review: &Review, change: Change, previous: Option<Previous>) -> Subject {
        let nothing = Catalog::default();
        let catalog = self.catalogs.get(&review.account).unwrap_or(&nothing);
        Subject::resolve(review.clone(), catalog, self.scale(review).top, change, previous)
    }

    /// The scale that its rating is read on.
    pub(super) fn scale(&self, review: &Review) -> Scale {
        let (nothing, unset) = (Catalog::default(), Scales::default());
        let catalog = self.catalogs.get(&review.account).unwrap_or(&nothing);
        self.scales.get(&review.account).unwrap_or(&unset).of_review(review, catalog)
    }
}

/// `2 (4/10)`, `4.5`, `unknown (9/5)`.
pub(super) fn rating(subject: &Subject) -> String {
    let rating = &subject.rating;
    let shown = rating.shown().unwrap_or_else(|| "unknown".into());
    match rating.native_shown().filter(|_| rating.native_differs()) {
        Some(native) => format!("{shown} ({native})"),
        None => shown,
    }
}

/// A review in JSON, its fields named as in a webhook's body.
pub(super) fn to_json(subject: &Subject) -> Value {
    let review = &subject.review;
    let name = |named: &Option<crate::domain::Named>| named.as_ref().map(|named| named.name.clone());
    let websites: Vec<&str> = subject.websites.iter().map(|website| website.name.as_str()).collect();
    json!({
        "uuid": review.uuid,
        "rating": subject.rating.rounded(),
        "rating_native": review.rating,
        "rating_scale": subject.rating.scale,
        "title": review.title,
        "text": review.text,
        "author": review.author,
        "language": review.language,
        "reviewed_at": json_time(review.reviewed_at),
        "platform": name(&subject.platform),
        "source": name(&subject.source),
        "websites": websites,
        "url": subject.url,
    })
}

/// Prints what a review says and where it stands.
pub(super) fn print(subject: &Subject) {
    let review = &subject.review;
    fact("rating", &rating(subject));
    if let Some(title) = &review.title {
        fact("title", title);
    }
    fact("text", review.text.as_deref().unwrap_or("(none)"));
    fact("author", review.author.as_deref().unwrap_or("(unknown)"));
    if let Some(language) = &review.language {
        fact("language", language);
    }
    fact("written", &time(review.reviewed_at));
    for (label, named) in [("platform", &subject.platform), ("source", &subject.source)] {
        if let Some(named) = named {
            fact(label, &named.name);
        }
    }
    let websites: Vec<&str> = subject.websites.iter().map(|website| website.name.as_str()).collect();
    fact("websites", &if websites.is_empty() { "(none known)".into() } else { websites.join(", ") });
    if let Some(url) = &subject.url {
        fact("link", url);
    }
}
