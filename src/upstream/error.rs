//! What can go wrong with the API, by what the bridge does about it.

use crate::domain::Timestamp;
use serde::{Deserialize, Serialize};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

/// A failed call of the API. Holds no secret and no URL query.
#[derive(Clone, Debug, PartialEq, Eq)]
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

impl Error for UpstreamError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match &self.kind {
            ErrorKind::State(failure) => Some(failure),
            _ => None,
        }
    }
}

/// The kinds of failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// Our own budget, or a pause the API requested: try again then. Not a failure of the API.
    Budget(Timestamp),
    /// 429; the budget is on hold until then.
    RateLimited(Timestamp),
    /// The token (or login) was refused: somebody must act.
    Unauthenticated,
    /// 404 or 405: the path may be wrong.
    NotFound,
    /// 409, 410 or 422 for a mark: there may be nothing left to mark.
    Gone,
    /// The list of unread reviews has no end, or more items than are read.
    Endless,
    /// Any other refusal that is permanent (other 4xx, 3xx, an `error` under 200).
    Refused,
    /// 5xx, or a body that is not what the API gives (HTML, cut, too large).
    Unavailable,
    /// No connection, or it was lost.
    Unreachable,
    /// No answer in time.
    TimedOut,
    /// Our own state failed.
    State(StateFailure),
}

impl ErrorKind {
    /// Its name.
    pub fn name(&self) -> ErrorName {
        match self {
            Self::Budget(_) => ErrorName::Budget,
            Self::RateLimited(_) => ErrorName::RateLimited,
            Self::Unauthenticated => ErrorName::Unauthenticated,
            Self::NotFound => ErrorName::NotFound,
            Self::Gone => ErrorName::Gone,
            Self::Endless => ErrorName::Endless,
            Self::Refused => ErrorName::Refused,
            Self::Unavailable => ErrorName::Unavailable,
            Self::Unreachable => ErrorName::Unreachable,
            Self::TimedOut => ErrorName::TimedOut,
            Self::State(_) => ErrorName::State,
        }
    }
}

macro_rules! error_names {
    ($($variant:ident = $name:literal,)*) => {
        /// The name of an [`ErrorKind`], as state, logs and JSON have it.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        #[allow(missing_docs, reason = "the kinds of the same names say it")]
        pub enum ErrorName { $($variant,)* }

        impl ErrorName {
            /// Every name.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// As state, logs and metrics have it.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The kind of that name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
            }
        }
    };
}

error_names! {
    Budget = "budget",
    RateLimited = "rate_limited",
    Unauthenticated = "unauthenticated",
    NotFound = "not_found",
    Gone = "gone",
    Endless = "endless",
    Refused = "refused",
    Unavailable = "unavailable",
    Unreachable = "unreachable",
    TimedOut = "timed_out",
    State = "state",
}

/// A failure of the state that kept a request from being sent, whichever module keeps the state.
#[derive(Clone, Debug)]
pub struct StateFailure(Arc<dyn Error + Send + Sync>);

impl StateFailure {
    /// The failure behind `error`.
    pub fn new(error: impl Error + Send + Sync + 'static) -> Self {
        Self(Arc::new(error))
    }
}

impl fmt::Display for StateFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for StateFailure {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&*self.0)
    }
}

/// One failure is the same as itself.
impl PartialEq for StateFailure {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for StateFailure {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_are_those_in_json() {
        for name in ErrorName::ALL {
            assert_eq!(ErrorName::parse(name.as_str()), Some(*name));
            assert_eq!(serde_json::to_value(name).ok(), Some(name.as_str().into()));
        }
    }

    #[test]
    fn a_failure_of_the_state_keeps_its_source() {
        let failure = StateFailure::new(std::io::Error::other("disk full"));
        let error =
            UpstreamError { kind: ErrorKind::State(failure), setting: "", detail: "no request".into() };
        let io =
            error.source().and_then(Error::source).and_then(|source| source.downcast_ref::<std::io::Error>());
        assert!(io.is_some_and(|io| io.to_string() == "disk full"));
    }
}
