//! A review as a person describes it, for `[[tests]]`, `explain` and `preview`: names instead of uuids, no catalog
//! needed. Anything left out is unknown; the kind of change is new by default.

use crate::domain::{Change, Named, NativeRating, Rating, RatingScales, Review, Subject, Timestamp};
use std::collections::BTreeMap;

/// A described review.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Draft {
    /// The account it is of; `None` is the one its reader takes by default.
    pub account: Option<String>,
    /// The rating as its platform gives it: `1`, `4,5`, `yes`.
    pub rating: Option<String>,
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

impl Draft {
    /// The review as rules see it, its rating on the scale that its account has for its source or platform.
    pub fn subject(&self, scales: &BTreeMap<String, RatingScales>, default_account: &str) -> Subject {
        let account = self.account.as_deref().unwrap_or(default_account);
        let names = [&self.source, &self.platform].into_iter().flatten().map(String::as_str);
        let scale = scales.get(account).map_or(5.0, |scales| scales.of(names));
        let native = self.rating.as_deref().map_or(NativeRating::Missing, NativeRating::from_text);
        let source = self.source.as_deref().map(named);
        let platform = self.platform.as_deref().map(named);
        let uuid = |named: &Option<Named>| named.as_ref().map(|named| named.uuid.clone());
        let written = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
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
            rating: Rating::evaluate(native, scale),
            source,
            websites_known: true,
            platform,
            websites: self.websites.iter().map(|name| named(name)).collect(),
            url: None,
            change: self.change.unwrap_or(Change::New),
            previous: None,
        }
    }
}

/// A name without a uuid. Not the name itself: that stands for a name which is not known.
fn named(name: &str) -> Named {
    Named { uuid: String::new(), name: name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rating_is_on_the_scale_of_its_account() {
        let kiyoh = || RatingScales::new([("Kiyoh".into(), 10.0)]);
        let scales = BTreeMap::from([("main".to_owned(), kiyoh())]);
        let draft = Draft { rating: Some("6".into()), platform: Some("KIYOH".into()), ..Draft::default() };
        assert_eq!(draft.subject(&scales, "main").rating.normalised, Some(3.0));
        assert_eq!(draft.subject(&scales, "other").rating.normalised, None);
        let draft = Draft { account: Some("main".into()), ..draft };
        assert_eq!(draft.subject(&scales, "other").rating.normalised, Some(3.0));
    }

    #[test]
    fn blank_texts_are_none() {
        let draft = Draft { text: Some(" \n".into()), author: Some(String::new()), ..Draft::default() };
        let review = draft.subject(&BTreeMap::new(), "main").review;
        assert_eq!((review.text, review.author), (None, None));
    }
}
