//! How much a condition lets through, so that two can be compared: an `unless` that is as wide as its `when` leaves
//! nothing.

use super::Conditions;
use std::collections::BTreeSet;

/// What a condition lets through, as far as it can be compared.
#[derive(Clone, Debug, PartialEq)]
pub enum Extent {
    /// What is at least this.
    AtLeast(f64),
    /// What is at most this.
    AtMost(f64),
    /// What is one of these.
    AnyOf(BTreeSet<String>),
    /// What has all of these.
    AllOf(BTreeSet<String>),
    /// What is so, or is not.
    Is(bool),
    /// What this text describes.
    Text(String),
}

impl Extent {
    /// One of these, as they are compared.
    pub fn any_of<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::AnyOf(texts.into_iter().map(Into::into).collect())
    }

    /// Whether what passes it passes `other`, too; both belong to one key.
    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::AtLeast(own), Self::AtLeast(other)) => own >= other,
            (Self::AtMost(own), Self::AtMost(other)) => own <= other,
            (Self::AnyOf(own), Self::AnyOf(other)) => own.is_subset(other),
            (Self::AllOf(own), Self::AllOf(other)) => other.is_subset(own),
            (own, other) => own == other,
        }
    }
}

/// Whether `unless` excludes all that `when` matches.
pub fn excludes_all(when: &Conditions, unless: &Conditions) -> bool {
    !unless.is_empty()
        && unless.0.iter().all(|entry| {
            let wanted = entry.condition.extent();
            let same = when.get(entry.key).is_some_and(|own| own.extent().implies(&wanted));
            same || is_implied(entry.key, &wanted, when)
        })
}

/// Whether other conditions of `when` imply the condition `key`.
fn is_implied(key: &str, wanted: &Extent, when: &Conditions) -> bool {
    let has = |keys: &[&str]| keys.iter().any(|key| when.get(key).is_some());
    match (key, wanted) {
        ("has_rating", Extent::Is(true)) => has(&["min_rating", "max_rating"]),
        ("has_text", Extent::Is(true)) => {
            has(&["min_length", "contains_any", "contains_all", "matches_regex"])
        }
        ("contains_any", Extent::AnyOf(any)) => match when.get("contains_all").map(|all| all.extent()) {
            Some(Extent::AllOf(all)) => !all.is_disjoint(any),
            _ => false,
        },
        _ => false,
    }
}
