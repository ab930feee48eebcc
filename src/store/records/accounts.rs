//! Accounts: what is known of them, their endpoints, and their budget of requests.

use crate::domain::Timestamp;
use crate::upstream::{ErrorName, Purpose};
use serde::Serialize;

/// What is known of an account.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct AccountRecord {
    /// When its names were last loaded.
    pub catalog_at: Option<Timestamp>,
    /// When its first listing that brought a page began.
    pub first_listing_at: Option<Timestamp>,
    /// When its baseline ended: with the first complete listing, or a day after the first one began.
    pub baseline_at: Option<Timestamp>,
    /// When the last listing ended that could prove an absence.
    pub last_steady_at: Option<Timestamp>,
    /// Complete listings so far.
    pub listings: u64,
    /// The reviews on the last complete listing.
    pub listing_length: Option<u64>,
    /// The reviews on the last complete listing that was not empty.
    pub full_length: u64,
    /// Empty listings since that one, in a row.
    pub empty_listings: u32,
    /// When the last poll ended, well or not.
    pub last_poll_at: Option<Timestamp>,
    /// When the last good one ended.
    pub last_success_at: Option<Timestamp>,
    /// Failed polls in a row.
    pub failed_polls: u32,
    /// Since when they fail: since then no listing was complete.
    pub failing_since: Option<Timestamp>,
    /// The last failure.
    pub last_error: Option<String>,
    /// Its kind.
    pub last_error_kind: Option<ErrorName>,
    /// Nothing is requested before then.
    pub hold_until: Timestamp,
    /// When its token expires, where that is known.
    pub token_expires_at: Option<Timestamp>,
    /// The path for marks that has succeeded.
    pub mark_setting: Option<String>,
    /// Why marking cannot work with the present setting.
    pub mark_error: Option<String>,
    /// Since when the mark that is due for longest has been due; `None` where none is.
    pub marks_due_since: Option<Timestamp>,
}

/// An endpoint as it answered last.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EndpointRecord {
    /// Its name, as in `endpoints.NAME`.
    pub endpoint: String,
    /// When it last answered well.
    pub ok_at: Option<Timestamp>,
    /// When it last did not.
    pub failed_at: Option<Timestamp>,
    /// Why.
    pub error: Option<String>,
}

/// A wish for requests from a budget.
#[derive(Clone, Copy, Debug)]
pub struct TakeRequests<'a> {
    /// The account.
    pub account: &'a str,
    /// What for.
    pub purpose: Purpose,
    /// How many at most.
    pub want: u32,
    /// How many of any purpose in any span.
    pub limit: u32,
    /// How many of this purpose in any span.
    pub purpose_limit: u32,
    /// Now.
    pub now: Timestamp,
}

/// The answer to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grant {
    /// So many were taken.
    Taken(u32),
    /// None is left until then.
    Until(Timestamp),
}
