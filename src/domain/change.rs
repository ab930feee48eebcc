//! What happened to a review: the kind of a revision, and what it was before.

use super::{NativeRating, Rating};
use serde::{Deserialize, Serialize};

/// The kind of a revision. One each: the first that fits, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// This review has not been delivered yet.
    New,
    /// Its rating changed.
    Rating,
    /// It got its first text.
    TextAdded,
    /// Its text changed.
    Text,
}

impl Change {
    /// Every kind, in order of precedence.
    pub const ALL: [Self; 4] = [Self::New, Self::Rating, Self::TextAdded, Self::Text];
    /// What a rule reacts to unless it says otherwise.
    pub const DEFAULT: [Self; 3] = [Self::New, Self::Rating, Self::TextAdded];

    /// Its name in configuration, state and messages.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Rating => "rating",
            Self::TextAdded => "text_added",
            Self::Text => "text",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|change| change.as_str() == name)
    }
}

/// What the recipients last knew of a review.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Previous {
    /// The native rating it had.
    pub rating: NativeRating,
    /// The text it had.
    pub text: Option<String>,
    /// How long it had said so when the change was seen, in milliseconds: since it was written, or changed before.
    #[serde(default)]
    pub stood_ms: Option<u64>,
}

impl Previous {
    /// Its rating on a scale whose top is `scale`.
    pub fn rating_on(&self, scale: f64) -> Rating {
        Rating::evaluate(self.rating.clone(), scale)
    }
}
