//! What changed between two sights of a review. Pure.

use crate::domain::{Change, Previous, Review, receipt};
use crate::store::{StoreError, ids};
use std::time::Duration;

/// Stands for a text that is not there.
const NO_TEXT: &str = "-";

/// The kind of change from `before` to `after`: the first that fits of rating, first text, text. Other
/// fields make no change.
pub fn change(before: &Review, after: &Review) -> Option<Change> {
    receipt::between((&before.rating, before.text.as_ref()), (&after.rating, after.text.as_ref()))
}

/// The hash of a review's rating and the hash of its text, with a dot between: all that a tombstone keeps.
pub fn content_hash(review: &Review) -> Result<String, StoreError> {
    let rating = ids::fingerprint(&serde_json::to_vec(&review.rating)?);
    let text = review.text.as_ref().map(|text| ids::fingerprint(text.as_bytes()));
    Ok(format!("{rating}.{}", text.as_deref().unwrap_or(NO_TEXT)))
}

/// What [`change`] would say of two reviews of which only the hashes are known.
pub fn change_of_hashes(before: &str, after: &str) -> Option<Change> {
    let (rating_before, text_before) = before.split_once('.').unwrap_or((before, NO_TEXT));
    let (rating_after, text_after) = after.split_once('.').unwrap_or((after, NO_TEXT));
    if rating_before != rating_after {
        return Some(Change::Rating);
    }
    match (text_before, text_after) {
        (before, after) if before == after => None,
        (NO_TEXT, _) => Some(Change::TextAdded),
        _ => Some(Change::Text),
    }
}

/// What a recipient knew before a change, and how long it `stood`.
pub fn previous(before: &Review, stood: Option<Duration>) -> Previous {
    let stood_ms = stood.and_then(|stood| u64::try_from(stood.as_millis()).ok());
    Previous { rating: before.rating.clone(), text: before.text.clone(), stood_ms }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::NativeRating;

    fn review(rating: f64, text: Option<&str>) -> Review {
        Review { rating: NativeRating::Number(rating), text: text.map(str::to_owned), ..Review::default() }
    }

    #[test]
    fn the_first_kind_that_fits() {
        let bare = review(1.0, None);
        assert_eq!(change(&bare, &review(1.0, None)), None);
        assert_eq!(change(&bare, &review(5.0, Some("x"))), Some(Change::Rating));
        assert_eq!(change(&bare, &review(1.0, Some("x"))), Some(Change::TextAdded));
        assert_eq!(change(&review(1.0, Some("x")), &review(1.0, Some("y"))), Some(Change::Text));
        assert_eq!(change(&review(1.0, Some("x")), &bare), Some(Change::Text));
        let reviews = [bare.clone(), review(5.0, None), review(1.0, Some("x")), review(5.0, Some("y"))];
        for (before, after) in reviews.iter().flat_map(|one| reviews.iter().map(move |other| (one, other))) {
            let hashes = [before, after].map(|review| content_hash(review).unwrap());
            assert_eq!(change_of_hashes(&hashes[0], &hashes[1]), change(before, after));
        }
        let renamed = Review { author: Some("A".into()), title: Some("T".into()), ..bare.clone() };
        assert_eq!(change(&bare, &renamed), None);
    }
}
