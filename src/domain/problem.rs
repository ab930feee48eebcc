//! The kinds of problem that the operator is notified of: one closed set, whose names are kept in state and shown in
//! notices and JSON, and one table that says how bad each is and when it is notified.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a problem means for the reviews.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// It keeps reviews from reaching their people, or from being marked read.
    Stops,
    /// It may need somebody, but reviews reach their people.
    Warns,
}

impl Severity {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Stops => "stops",
            Self::Warns => "warns",
        }
    }
}

/// What a problem is about: what its subject names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concern {
    /// An account.
    Account,
    /// A source, as `ACCOUNT/UUID`.
    Source,
    /// A destination.
    Destination,
    /// The bridge as a whole.
    Bridge,
}

/// What is notified of a problem that lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// A reminder every day.
    Daily,
    /// When there is more of it, an hour after the last notice at the earliest; else a reminder every day.
    Growth,
    /// Nothing: it was an event.
    Never,
}

macro_rules! problem_kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $severity:ident, $minutes:literal min, $concern:ident, $repeat:ident;)*) => {
        /// A kind of problem.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum ProblemKind { $($(#[$doc])* $variant,)* }

        impl ProblemKind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in state, notices and JSON.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The kind of that name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.as_str() == name)
            }

            /// Whether it stops reviews or only warns.
            pub fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity,)* }
            }

            /// How long it lasts before the operator is notified.
            pub fn notify_after(self) -> Duration {
                let minutes: u64 = match self { $(Self::$variant => $minutes,)* };
                Duration::from_secs(minutes * 60)
            }

            /// What its subject names.
            pub fn concern(self) -> Concern {
                match self { $(Self::$variant => Concern::$concern,)* }
            }

            /// What is notified while it lasts.
            pub fn repeat(self) -> Repeat {
                match self { $(Self::$variant => Repeat::$repeat,)* }
            }
        }
    };
}

problem_kinds! {
    /// ShopReviews refuses the credentials of an account.
    TokenRefused = "token_refused", Stops, 10 min, Account, Daily;
    /// The reviews of an account cannot be read.
    PollsFailing = "polls_failing", Stops, 10 min, Account, Daily;
    /// No listing of an account ends, though none fails.
    ListingIncomplete = "listing_incomplete", Stops, 10 min, Account, Daily;
    /// The first listing of an account has not ended.
    BaselineIncomplete = "baseline_incomplete", Warns, 15 min, Account, Daily;
    /// The token of an account expires soon.
    TokenExpiring = "token_expiring", Warns, 0 min, Account, Daily;
    /// Reviews of an account cannot be marked read.
    MarksFailing = "marks_failing", Stops, 10 min, Account, Daily;
    /// Reviews of an account are to be marked read, but nothing is marked.
    MarksStarved = "marks_starved", Stops, 10 min, Account, Daily;
    /// Reviews of an account are marked read, yet stay on its unread list.
    MarksWithoutEffect = "marks_without_effect", Warns, 0 min, Account, Daily;
    /// A destination cannot work until somebody acts.
    DestinationBroken = "destination_broken", Stops, 10 min, Destination, Daily;
    /// A destination does not answer as it should, or its sending limit is reached.
    DestinationFailing = "destination_failing", Stops, 10 min, Destination, Daily;
    /// Messages to a destination should have been sent long ago, and nothing else explains it.
    DeliveryLate = "delivery_late", Stops, 15 min, Destination, Daily;
    /// Messages to a destination could not be delivered.
    DeadLetters = "dead_letters", Stops, 0 min, Destination, Growth;
    /// Items of an account have no usable uuid.
    MalformedReviews = "malformed_reviews", Warns, 0 min, Account, Growth;
    /// Reviews of an account matched no rule because a name is unknown.
    UndecidedReviews = "undecided_reviews", Stops, 10 min, Account, Growth;
    /// The state of the bridge cannot be read or written.
    State = "state", Stops, 0 min, Bridge, Daily;
    /// An edited configuration or template is refused, and the previous one remains active.
    ConfigurationRefused = "configuration_refused", Warns, 2 min, Bridge, Daily;
    /// Ratings of an account are above their scale or unreadable.
    RatingsUnreadable = "ratings_unreadable", Warns, 0 min, Account, Daily;
    /// The rating scale of a platform or source was learnt, or is contradicted.
    ScaleLearnt = "scale_learnt", Warns, 0 min, Account, Never;
    /// Rules name what no website, source or platform is called.
    UnknownNames = "unknown_names", Warns, 0 min, Account, Daily;
    /// ShopReviews has not read a source for long.
    SourceStale = "source_stale", Warns, 0 min, Source, Daily;
    /// A template of a destination failed on a message.
    TemplateFailed = "template_failed", Warns, 0 min, Destination, Daily;
    /// A person paused a destination long ago, and reviews are queued for it.
    PausedForLong = "paused_for_long", Warns, 1440 min, Destination, Daily;
}

impl ProblemKind {
    /// The first of the kinds that replace each other: where one of them follows another, nothing is over.
    pub fn family(self) -> Self {
        match self {
            Self::PollsFailing | Self::ListingIncomplete | Self::BaselineIncomplete => Self::TokenRefused,
            Self::MarksStarved => Self::MarksFailing,
            Self::DestinationFailing | Self::DeliveryLate | Self::PausedForLong => Self::DestinationBroken,
            kind => kind,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_is_the_one_in_json() {
        for kind in ProblemKind::ALL {
            assert_eq!(ProblemKind::parse(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).ok(), Some(kind.as_str().into()));
            let severity = kind.severity();
            assert_eq!(serde_json::to_value(severity).ok(), Some(severity.as_str().into()));
        }
        assert_eq!(ProblemKind::parse("trouble"), None);
    }

    // first-use 1, 4, 5
    #[test]
    fn what_stops_reviews_is_notified_within_a_quarter_of_an_hour() {
        let longest = Duration::from_secs(15 * 60);
        for kind in ProblemKind::ALL.iter().filter(|kind| kind.severity() == Severity::Stops) {
            assert!(kind.notify_after() <= longest, "{kind:?}");
        }
        let after = |kind: ProblemKind| kind.notify_after().as_secs();
        assert_eq!(after(ProblemKind::DestinationFailing), 600);
        assert_eq!((after(ProblemKind::DeadLetters), after(ProblemKind::ConfigurationRefused)), (0, 120));
    }
}
