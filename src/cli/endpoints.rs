//! Which endpoints of the API an account uses, and whether each has been verified.

use crate::config::Account;
use crate::domain::Timestamp;
use crate::store::{AccountRecord, EndpointRecord};
use crate::upstream::Endpoint;

/// The endpoints that polling and marking use.
pub(super) const IN_USE: [Endpoint; 5] = [
    Endpoint::UnreadReviews,
    Endpoint::Sources,
    Endpoint::Websites,
    Endpoint::Platforms,
    Endpoint::MarkReviewRead,
];

/// Whether an endpoint has been verified.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum EndpointStatus {
    /// It works.
    Verified,
    /// It failed; why.
    Failed(String),
    /// It has not been used yet.
    Unverified,
    /// It is never used.
    Unused,
}

impl EndpointStatus {
    /// Its name.
    pub(super) fn as_str(&self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Failed(_) => "failed",
            Self::Unverified => "unverified",
            Self::Unused => "unused",
        }
    }
}

/// The status of `endpoint` according to the database.
pub(super) fn status_of(
    endpoint: Endpoint,
    account: Option<&Account>,
    record: &AccountRecord,
    seen: &[EndpointRecord],
) -> EndpointStatus {
    if endpoint == Endpoint::MarkReviewRead {
        return marking(account, record);
    }
    match seen.iter().find(|seen| seen.endpoint == endpoint.key()) {
        None => EndpointStatus::Unverified,
        Some(EndpointRecord { ok_at, failed_at: Some(failed_at), error, .. })
            if ok_at.is_none_or(|at: Timestamp| at < *failed_at) =>
        {
            EndpointStatus::Failed(error.clone().unwrap_or_default())
        }
        Some(_) => EndpointStatus::Verified,
    }
}

/// Marking counts only with the current path: another one may do something else.
fn marking(account: Option<&Account>, record: &AccountRecord) -> EndpointStatus {
    if account.is_some_and(|account| account.policy.mark_read_never()) {
        return EndpointStatus::Unused;
    }
    if let Some(error) = record.mark_error.as_ref().filter(|error| !error.is_empty()) {
        return EndpointStatus::Failed(error.clone());
    }
    let setting = account.map(|account| account.upstream.endpoints.path(Endpoint::MarkReviewRead));
    match (&record.mark_setting, setting) {
        (Some(proved), Some(set)) if proved == set => EndpointStatus::Verified,
        _ => EndpointStatus::Unverified,
    }
}
