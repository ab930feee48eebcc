//! Scales that are in use, and names in the configuration that nothing bears.

use crate::domain::{Scale, SeenRatings, Timestamp};
use serde::Serialize;

/// The scale of a source.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScaleRecord {
    /// The account.
    pub account: String,
    /// The source's uuid.
    pub source: String,
    /// What was seen of it.
    pub seen: SeenRatings,
    /// The scale in use; none until it is decided.
    pub scale: Option<Scale>,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// A name in the configuration that no website, source or platform bears.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnknownName {
    /// The account that has no such name; the first of several.
    pub account: String,
    /// What is wrong, for people: where it is written, and what is near.
    pub text: String,
}
