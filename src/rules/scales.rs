//! The scale that the ratings of a source are read on: set, else learnt from what the source shows, else documented by
//! its platform, else five. Pure; what was seen of each source is kept in state.

use super::documented::documented;
use crate::domain::{
    Catalog, Named, Platform, RatingScales, Review, Scale, ScaleReason, SeenRatings, Source,
};
use crate::spelling::key;
use std::collections::BTreeMap;

/// Reviews with ratings above five that show a scale of ten.
const SHOWING_TEN: u64 = 3;
/// Reviews that a source has, and that were seen of it, before their being all within five means anything.
const SHOWING_FIVE: u64 = 20;

/// The scales of an account.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scales {
    set: RatingScales,
    seen: BTreeMap<String, SeenRatings>,
}

/// What bears a rating: its source and platform, as far as they are known.
#[derive(Clone, Copy, Debug, Default)]
struct Bearer<'a> {
    source: Option<&'a Named>,
    listed: Option<&'a Source>,
    platform: Option<&'a Platform>,
}

impl Scales {
    /// The scales that are `set`, and what each source, by its uuid, was `seen` to show.
    pub fn new(set: RatingScales, seen: impl IntoIterator<Item = (String, SeenRatings)>) -> Self {
        Self { set, seen: seen.into_iter().collect() }
    }

    /// Adds what a page shows of a source; what is known of it from elsewhere may be the same reviews.
    pub fn see(&mut self, source: &str, page: SeenRatings) {
        let seen = self.seen.entry(source.to_owned()).or_default();
        *seen = seen.or(page);
    }

    /// The scale of a review.
    pub fn of_review(&self, review: &Review, catalog: &Catalog) -> Scale {
        let listed = review.source_uuid.as_ref().and_then(|uuid| catalog.sources.get(uuid));
        let unnamed = |uuid: &String| Named { uuid: uuid.clone(), name: uuid.clone() };
        let source = review.source_uuid.as_ref().map(unnamed);
        let source = listed.map(|listed| &listed.named).or(source.as_ref());
        let platform =
            review.platform_uuid.as_ref().or(listed.and_then(|listed| listed.platform_uuid.as_ref()));
        let unknown = platform.map(unnamed);
        let platform = platform.and_then(|uuid| catalog.platforms.get(uuid)).or(unknown.as_ref());
        self.of(Bearer { source, listed, platform })
    }

    /// The scale of a source that the API lists.
    pub fn of_source(&self, source: &Source, catalog: &Catalog) -> Scale {
        let platform = source.platform_uuid.as_ref().and_then(|uuid| catalog.platforms.get(uuid));
        self.of(Bearer { source: Some(&source.named), listed: Some(source), platform })
    }

    /// The scale of a review that a person describes by names.
    pub fn of_names(&self, source: Option<&Named>, platform: Option<&Named>, catalog: &Catalog) -> Scale {
        let listed = source.and_then(|source| catalog.sources.get(&source.uuid));
        let own = listed.and_then(|listed| listed.platform_uuid.as_ref());
        let platform = platform.or(own.and_then(|uuid| catalog.platforms.get(uuid)));
        self.of(Bearer { source, listed, platform })
    }

    /// What was seen of a source.
    pub fn seen(&self, source: &str) -> SeenRatings {
        self.seen.get(source).copied().unwrap_or_default()
    }

    fn of(&self, bearer: Bearer<'_>) -> Scale {
        let keys: Vec<String> = [bearer.source, bearer.platform]
            .into_iter()
            .flatten()
            .flat_map(|named| [key(&named.name), key(&named.uuid)])
            .filter(|key| !key.is_empty())
            .collect();
        if let Some(top) = self.set.of(keys.iter().map(String::as_str)) {
            return Scale { top, reason: ScaleReason::Set };
        }
        let seen = bearer.source.map(|source| self.seen(&source.uuid)).unwrap_or_default();
        let average = bearer.listed.and_then(|listed| listed.average);
        let reviews = bearer.listed.and_then(|listed| listed.reviews).unwrap_or(0);
        let stated = bearer.platform.and_then(|platform| documented(&platform.name));
        unset(stated.map(|stated| stated.top), average, reviews, seen)
    }
}

/// The scale that nobody set.
fn unset(stated: Option<f64>, average: Option<f64>, reviews: u64, seen: SeenRatings) -> Scale {
    let shows_ten =
        average.is_some_and(|average| average > 5.0 && average <= 10.0) || seen.above_five >= SHOWING_TEN;
    let shows_five = average.is_some_and(|average| average <= 5.0)
        && reviews >= SHOWING_FIVE
        && seen.numbers >= SHOWING_FIVE
        && seen.highest <= 5.0;
    let (top, reason) = match stated {
        // Only a person may say otherwise of a platform that rates up to five.
        Some(top) if top <= 5.0 => (top, ScaleReason::Documented),
        Some(_) if !shows_ten && shows_five => (5.0, ScaleReason::Contradicted),
        Some(top) => (top, ScaleReason::Documented),
        None if shows_ten => (10.0, ScaleReason::Learnt),
        None => (5.0, ScaleReason::Assumed),
    };
    Scale { top, reason }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{NativeRating, Rating};
    use proptest::prelude::*;

    fn named(uuid: &str, name: &str) -> Named {
        Named { uuid: uuid.into(), name: name.into() }
    }

    fn catalog(platform: &str, average: Option<f64>, reviews: u64) -> Catalog {
        let source = Source {
            named: named("s1", "Shop&nbsp;NL’s reviews"),
            platform_uuid: Some("p1".into()),
            average,
            reviews: Some(reviews),
            ..Source::default()
        };
        Catalog {
            sources: [("s1".to_owned(), source)].into(),
            platforms: [("p1".to_owned(), named("p1", platform))].into(),
            ..Catalog::default()
        }
    }

    fn seen(ratings: &[f64]) -> SeenRatings {
        let mut seen = SeenRatings::default();
        ratings.iter().for_each(|rating| seen.add(&NativeRating::Number(*rating)));
        seen
    }

    fn scale(set: &[(&str, f64)], catalog: &Catalog, shown: &[f64]) -> (f64, ScaleReason) {
        let set = set.iter().map(|(name, top)| (key(name), (*name).to_owned(), *top));
        let scales = Scales::new(RatingScales::new(set), [("s1".to_owned(), seen(shown))]);
        let review = Review { source_uuid: Some("s1".into()), ..Review::default() };
        let found = scales.of_review(&review, catalog);
        assert_eq!(found, scales.of_source(&catalog.sources["s1"], catalog));
        assert_eq!(found, scales.of_names(Some(&catalog.sources["s1"].named), None, catalog));
        (found.top, found.reason)
    }

    // first-use 2
    #[test]
    fn a_scale_is_set_or_learnt_or_documented_or_five() {
        use ScaleReason::{Assumed, Contradicted, Documented, Learnt, Set};
        let twenty = [4.0; 20];
        let of = |platform: &str, average, reviews, shown: &[f64]| {
            scale(&[], &catalog(platform, average, reviews), shown)
        };
        assert_eq!(of("Kiyoh", None, 0, &[]), (10.0, Documented));
        assert_eq!(of("Kiyoh", Some(8.9), 400, &twenty), (10.0, Documented));
        assert_eq!(of("Kiyoh", Some(4.4), 400, &[]), (10.0, Documented), "too few were seen");
        assert_eq!(of("Kiyoh", Some(4.4), 19, &twenty), (10.0, Documented), "it has too few");
        assert_eq!(of("Kiyoh", None, 400, &twenty), (10.0, Documented), "its average is unknown");
        assert_eq!(of("Kiyoh", Some(4.4), 20, &twenty), (5.0, Contradicted));
        assert_eq!(of("Kiyoh", Some(4.4), 400, &[&twenty[..], &[9.0]].concat()), (10.0, Documented));
        assert_eq!(of("Reviewer", None, 0, &[]), (5.0, Assumed));
        assert_eq!(of("Reviewer", Some(8.1), 1, &[]), (10.0, Learnt));
        assert_eq!(of("Reviewer", Some(81.0), 1, &[]), (5.0, Assumed), "a percentage is no scale of ten");
        assert_eq!(of("Reviewer", None, 0, &[6.0, 7.0]), (5.0, Assumed));
        assert_eq!(of("Reviewer", None, 0, &[6.0, 7.0, 10.0]), (10.0, Learnt));
        assert_eq!(of("Reviewer", None, 0, &[11.0, 70.0, 80.0]), (5.0, Assumed));
        assert_eq!(of("Google", Some(9.0), 400, &[9.0, 9.0, 9.0]), (5.0, Documented), "only by setting");
        let google = catalog("Google", Some(9.0), 400);
        assert_eq!(scale(&[("GOOGLE", 10.0)], &google, &[]), (10.0, Set));
        assert_eq!(scale(&[("p1", 10.0)], &google, &[]), (10.0, Set));
        let own = ("Shop NL's Reviews", 100.0);
        assert_eq!(scale(&[("Google", 10.0), own], &google, &[]), (100.0, Set), "the source wins");
        assert_eq!(scale(&[("Kiyoh", 5.0)], &catalog("Kiyoh", None, 0), &[9.0; 5]), (5.0, Set));
    }

    proptest! {
        #[test]
        fn more_evidence_of_ten_never_makes_it_five(
            stated in prop_oneof![Just(None), Just(Some(10.0))],
            average in prop::option::of(0.0..12.0f64),
            reviews in 0..50u64,
            ratings in prop::collection::vec(0.5..10.0f64, 0..30),
            more in prop::collection::vec(5.1..10.0f64, 1..5),
        ) {
            let before = unset(stated, average, reviews, seen(&ratings));
            let after = unset(stated, average, reviews, seen(&[ratings, more].concat()));
            prop_assert!(after.top >= before.top, "{before:?} {after:?}");
        }

        #[test]
        fn a_rating_is_within_five_on_any_scale_it_fits(native in 0.01..1000.0f64, top in 0.5..1000.0f64, higher in 0.01..1000.0f64) {
            let on = |native: f64| Rating::evaluate(NativeRating::Number(native), top).normalised;
            match on(native) {
                Some(rating) => prop_assert!(native <= top && rating > 0.0 && rating <= 5.0),
                None => prop_assert!(native > top),
            }
            if let (Some(one), Some(other)) = (on(native), on(higher)) {
                prop_assert!(native > higher || one <= other);
            }
        }
    }
}
