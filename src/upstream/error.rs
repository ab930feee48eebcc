//! What can go wrong with the API, by what the bridge does about it.

use crate::domain::Timestamp;
use std::fmt;

/// A failed call of the API. Holds no secret and no URL query.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub struct UpstreamError {
    /// What to do about it.
    pub kind: ErrorKind,
    /// The setting that names the path, such as `endpoints.unread_reviews`; empty where none is concerned.
    pub setting: &'static str,
    /// What happened, for people: one line, no control characters.
    pub detail: String,
}

impl fmt::Display for UpstreamError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

/// The kinds of failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Our own budget, or a pause the API asked for: ask again then. Not a failure of the API.
    Budget(Timestamp),
    /// 429; the budget is on hold until then.
    RateLimited(Timestamp),
    /// The token (or login) was refused: somebody must act.
    Unauthenticated,
    /// 404 or 405: the path may be wrong.
    NotFound,
    /// Any other refusal that will not pass by itself (other 4xx, 3xx, an `error` under 200).
    Refused,
    /// 5xx, or a body that is not what the API gives (HTML, cut, too large).
    Unavailable,
    /// No connection, or it was lost.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// Our own state failed.
    State,
}

impl ErrorKind {
    /// Its name in logs, state and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Budget(_) => "budget",
            Self::RateLimited(_) => "rate_limited",
            Self::Unauthenticated => "unauthenticated",
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::Unavailable => "unavailable",
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::State => "state",
        }
    }
}
