//! What changed between two sights of a review. Pure.

use crate::domain::{Change, Previous, Review};

/// The kind of change from `before` to `after`: the first that fits of rating, first text, text. Other
/// fields make no change.
pub fn change(before: &Review, after: &Review) -> Option<Change> {
    if before.rating != after.rating {
        return Some(Change::Rating);
    }
    match (&before.text, &after.text) {
        (None, Some(_)) => Some(Change::TextAdded),
        (before, after) if before != after => Some(Change::Text),
        _ => None,
    }
}

/// What a recipient knew before a change.
pub fn previous(before: &Review) -> Previous {
    Previous { rating: before.rating.clone(), text: before.text.clone() }
}

#[cfg(test)]
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
        let renamed = Review { author: Some("A".into()), title: Some("T".into()), ..bare.clone() };
        assert_eq!(change(&bare, &renamed), None);
    }
}
