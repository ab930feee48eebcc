//! A review as a person describes it, for `[[tests]]`, `explain` and `preview`: names instead of uuids, no catalog
//! needed. Anything left out is unknown; the kind of change is new by default.

use super::Scales;
use crate::domain::{
    Catalog, Change, Named, NativeRating, Rating, Review, Scale, ScaleReason, Subject, Timestamp,
};
use crate::spelling::key;
use std::collections::BTreeMap;

/// A described review.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// The account it is of; `None` is the one its reader takes by default.
    pub account: Option<String>,
    /// The rating as its platform gives it: `1`, `4,5`, `yes`.
    pub rating: Option<String>,
    /// The top of its scale, where it is described: `4/10`.
    pub scale: Option<f64>,
    /// The websites that show it.
    pub websites: Vec<String>,
    /// Its platform.
    pub platform: Option<String>,
    /// Its source.
    pub source: Option<String>,
    /// Its title.
    pub title: Option<String>,
    /// What the customer wrote.
    pub text: Option<String>,
    /// The author's name.
    pub author: Option<String>,
    /// Its language, such as `nl_NL`.
    pub language: Option<String>,
    /// What happened to it; `None` is new.
    pub change: Option<Change>,
    /// When it was written.
    pub reviewed_at: Option<Timestamp>,
}

/// What is known of an account that described reviews are of.
#[derive(Clone, Debug, Default)]
pub struct Known {
    /// Its names; empty until they have loaded.
    pub catalog: Catalog,
    /// Its scales.
    pub scales: Scales,
}

/// Reads a rating as a person describes it: `4`, `4,5`, `yes`, `4/10`; the second part is the scale. The error says
/// what is wrong.
pub fn read_rating(text: &str) -> Result<(String, Option<f64>), String> {
    let plain = text.trim().replace('⁄', "/");
    if let Some((value, top)) = plain.split_once('/') {
        let number = |part: &str| match NativeRating::from_text(part) {
            NativeRating::Number(number) => Some(number),
            _ => None,
        };
        return match (number(value), number(top).filter(|top| *top > 0.0)) {
            (Some(_), Some(top)) => Ok((value.trim().to_owned(), Some(top))),
            _ => Err("is not a rating on a scale; write the rating and its top, such as 4/10".into()),
        };
    }
    match plain.to_lowercase().as_str() {
        "true" | "false" => {
            Err("is not a rating; write a number such as 4, 4/10, or yes, neutral or no".into())
        }
        _ => Ok((text.to_owned(), None)),
    }
}

impl Draft {
    /// The review as rules see it. `known` are the accounts: their names lend uuids to those described, and their
    /// scales normalise the rating.
    pub fn subject(&self, known: &BTreeMap<String, Known>, default_account: &str) -> Subject {
        let account = self.account.as_deref().unwrap_or(default_account);
        let nothing = Known::default();
        let known = known.get(account).unwrap_or(&nothing);
        let Known { catalog, .. } = known;
        let native = self.rating.as_deref().map_or(NativeRating::Missing, NativeRating::from_text);
        let sources = || catalog.sources.values().map(|source| &source.named);
        let source = self.source.as_deref().map(|name| named(name, sources()));
        let platform = self.platform.as_deref().map(|name| named(name, catalog.platforms.values()));
        let websites = self.websites.iter().map(|name| named(name, catalog.websites.values())).collect();
        let uuid = |named: &Option<Named>| named.as_ref().map(|named| named.uuid.clone());
        let written = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
        let scale = self.scale_of(known, source.as_ref(), platform.as_ref());
        Subject {
            review: Review {
                account: account.to_owned(),
                rating: native.clone(),
                title: written(&self.title),
                text: written(&self.text),
                author: written(&self.author),
                language: written(&self.language),
                reviewed_at: self.reviewed_at,
                source_uuid: uuid(&source),
                platform_uuid: uuid(&platform),
                ..Review::default()
            },
            rating: Rating::evaluate(native, scale.top),
            source,
            websites_known: true,
            platform,
            websites,
            url: None,
            change: self.change.unwrap_or(Change::New),
            previous: None,
        }
    }

    /// The scale that its rating is read on in an account.
    pub fn scale_in(&self, known: &Known) -> Scale {
        let catalog = &known.catalog;
        let sources = catalog.sources.values().map(|source| &source.named);
        let source = self.source.as_deref().map(|name| named(name, sources));
        let platform = self.platform.as_deref().map(|name| named(name, catalog.platforms.values()));
        self.scale_of(known, source.as_ref(), platform.as_ref())
    }

    /// As described, else that of its source or platform.
    fn scale_of(&self, known: &Known, source: Option<&Named>, platform: Option<&Named>) -> Scale {
        match self.scale {
            Some(top) => Scale { top, reason: ScaleReason::Set },
            None => known.scales.of_names(source, platform, &known.catalog),
        }
    }
}

/// What of `all` is called `name`, else a name without a uuid. Not the name itself for one: that stands for a name which
/// is not known.
fn named<'a>(name: &str, mut all: impl Iterator<Item = &'a Named>) -> Named {
    let wanted = key(name);
    let found = all.find(|named| key(&named.name) == wanted || key(&named.uuid) == wanted);
    found.cloned().unwrap_or_else(|| Named { uuid: String::new(), name: name.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::RatingScales;

    fn known(account: &str, platform: &str, top: f64) -> BTreeMap<String, Known> {
        let set = RatingScales::new([(key(platform), platform.to_owned(), top)]);
        let known = Known { scales: Scales::new(set, []), ..Known::default() };
        BTreeMap::from([(account.to_owned(), known)])
    }

    #[test]
    fn the_rating_is_on_the_scale_of_its_account() {
        let known = known("main", "Reviewer", 10.0);
        let draft = Draft { rating: Some("6".into()), platform: Some("REVIEWER".into()), ..Draft::default() };
        assert_eq!(draft.subject(&known, "main").rating.normalised, Some(3.0));
        assert_eq!(draft.subject(&known, "other").rating.normalised, None);
        let draft = Draft { account: Some("main".into()), ..draft };
        assert_eq!(draft.subject(&known, "other").rating.normalised, Some(3.0));
        let kiyoh = Draft { platform: Some("Kiyoh".into()), ..draft };
        assert_eq!(kiyoh.subject(&known, "other").rating.normalised, Some(3.0), "documented");
    }

    // first-use 12, J24
    #[test]
    fn a_rating_may_name_its_scale() {
        let read = |text: &str| read_rating(text).ok();
        assert_eq!(read("4/10"), Some(("4".into(), Some(10.0))));
        assert_eq!(read(" 4,5 / 5 "), Some(("4,5".into(), Some(5.0))));
        assert_eq!(read("4"), Some(("4".into(), None)));
        assert_eq!(read("recommended"), Some(("recommended".into(), None)));
        for wrong in ["4/", "/10", "4/0", "4/x", "a/10", "true", "FALSE"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        let draft = Draft { rating: Some("4".into()), scale: Some(10.0), ..Draft::default() };
        assert_eq!(draft.subject(&BTreeMap::new(), "main").rating.normalised, Some(2.0));
    }

    #[test]
    fn blank_texts_are_none() {
        let draft = Draft { text: Some(" \n".into()), author: Some(String::new()), ..Draft::default() };
        let review = draft.subject(&BTreeMap::new(), "main").review;
        assert_eq!((review.text, review.author), (None, None));
    }
}
