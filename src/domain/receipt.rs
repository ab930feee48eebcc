//! What a message calls a review: new, updated, or nothing at all, by what its recipient has. Pure.
//!
//! It is fixed when an attempt starts, against the last revision that the destination and recipient certainly received.
//! Doubt never suppresses a message: a recipient who may have something else is notified again.

use super::{Change, NativeRating, Previous, Review};

/// What a destination and recipient have of a review.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Receipt {
    /// The last revision that certainly arrived.
    pub certain: Option<u32>,
    /// The latest revision that may have arrived, other than the one that is shown now.
    pub doubt: Option<u32>,
    /// What the certain one said, where that is still known.
    pub said: Option<Previous>,
}

/// What a message calls a review.
#[derive(Clone, Debug, PartialEq)]
pub enum Called {
    /// The recipient does not have it.
    New,
    /// The recipient has it, or may have it, as it was before.
    Updated {
        /// What changed since.
        change: Change,
        /// What the recipient knew; `None` where that is not certain.
        previous: Option<Previous>,
    },
    /// The recipient has exactly this: nothing is to be sent.
    Unchanged,
}

/// What a message that shows `revision` of `review` calls it. `change` is the kind of that revision.
pub fn called(revision: u32, review: &Review, change: Change, receipt: Receipt) -> Called {
    let doubt = receipt
        .doubt
        .filter(|doubt| *doubt != revision && receipt.certain.is_none_or(|known| *doubt > known));
    // Something was sent before, whatever the rules saw.
    let seen = if change == Change::New { Change::Text } else { change };
    match (receipt.certain, doubt) {
        (None, None) => Called::New,
        (None, Some(_)) => Called::Updated { change: seen, previous: None },
        (Some(certain), doubt) => {
            let since = match &receipt.said {
                _ if certain == revision => None,
                Some(said) => {
                    between((&said.rating, said.text.as_ref()), (&review.rating, review.text.as_ref()))
                }
                None => Some(seen),
            };
            match (since, doubt) {
                (None, None) => Called::Unchanged,
                (since, _) => Called::Updated { change: since.unwrap_or(seen), previous: receipt.said },
            }
        }
    }
}

/// The kind of change from one rating and text to another: the first that fits of rating, first text, text.
pub fn between(
    before: (&NativeRating, Option<&String>),
    after: (&NativeRating, Option<&String>),
) -> Option<Change> {
    if before.0 != after.0 {
        return Some(Change::Rating);
    }
    match (before.1, after.1) {
        (None, Some(_)) => Some(Change::TextAdded),
        (before, after) if before != after => Some(Change::Text),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn review(rating: f64, text: &str) -> Review {
        Review { rating: NativeRating::Number(rating), text: Some(text.into()), ..Review::default() }
    }

    fn said(rating: f64, text: &str) -> Option<Previous> {
        Some(Previous { rating: NativeRating::Number(rating), text: Some(text.into()), stood_ms: None })
    }

    fn receipt(certain: Option<u32>, doubt: Option<u32>, said: Option<Previous>) -> Receipt {
        Receipt { certain, doubt, said }
    }

    // H10
    #[test]
    fn an_edit_of_what_never_arrived_is_new() {
        let now = review(4.0, "fine");
        assert_eq!(called(2, &now, Change::Rating, Receipt::default()), Called::New);
        // The repeat of the same revision is marked as a possible repeat; it is no update.
        assert_eq!(called(2, &now, Change::Rating, receipt(None, Some(2), None)), Called::New);
        let in_doubt = called(2, &now, Change::Rating, receipt(None, Some(1), None));
        assert_eq!(in_doubt, Called::Updated { change: Change::Rating, previous: None });
    }

    // H10
    #[test]
    fn an_edit_is_one_from_what_the_recipient_knows() {
        let now = review(5.0, "fine");
        let one = said(1.0, "fine");
        let updated = Called::Updated { change: Change::Rating, previous: one.clone() };
        assert_eq!(called(3, &now, Change::Text, receipt(Some(1), None, one.clone())), updated);
        assert_eq!(called(3, &now, Change::Text, receipt(Some(1), Some(2), one)), updated);
        let unknown = Called::Updated { change: Change::Text, previous: None };
        assert_eq!(called(3, &now, Change::New, receipt(Some(1), None, None)), unknown);
    }

    #[test]
    fn what_the_recipient_has_already_is_not_sent_unless_something_else_may_have_arrived() {
        let now = review(5.0, "fine");
        let same = said(5.0, "fine");
        assert_eq!(called(3, &now, Change::Rating, receipt(Some(1), None, same.clone())), Called::Unchanged);
        assert_eq!(called(3, &now, Change::Rating, receipt(Some(3), Some(2), None)), Called::Unchanged);
        let back = Called::Updated { change: Change::Rating, previous: same.clone() };
        assert_eq!(called(3, &now, Change::Rating, receipt(Some(1), Some(2), same)), back);
    }
}
