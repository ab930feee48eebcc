//! Which endpoints of the API an account uses, and whether each was seen to work.

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

/// Whether an endpoint was seen to work.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// It answered as it should.
    Verified,
    /// It did not; why.
    Failed(String),
    /// It was not asked yet.
    Unverified,
    /// It is never asked.
    Unused,
}

impl Standing {
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

/// How `endpoint` stands by what the state knows.
pub(super) fn standing(
    endpoint: Endpoint,
    account: Option<&Account>,
    record: &AccountRecord,
    seen: &[EndpointRecord],
) -> Standing {
    if endpoint == Endpoint::MarkReviewRead {
        return marking(account, record);
    }
    match seen.iter().find(|seen| seen.endpoint == endpoint.key()) {
        None => Standing::Unverified,
        Some(EndpointRecord { ok_at, failed_at: Some(failed_at), error, .. })
            if ok_at.is_none_or(|at: Timestamp| at < *failed_at) =>
        {
            Standing::Failed(error.clone().unwrap_or_default())
        }
        Some(_) => Standing::Verified,
    }
}

/// Marking counts only with the path that is set now: another may do something else.
fn marking(account: Option<&Account>, record: &AccountRecord) -> Standing {
    if account.is_some_and(|account| account.policy.mark_read_never()) {
        return Standing::Unused;
    }
    if let Some(error) = record.mark_error.as_ref().filter(|error| !error.is_empty()) {
        return Standing::Failed(error.clone());
    }
    let setting = account.map(|account| account.upstream.endpoints.path(Endpoint::MarkReviewRead));
    match (&record.mark_setting, setting) {
        (Some(proved), Some(set)) if proved == set => Standing::Verified,
        _ => Standing::Unverified,
    }
}
