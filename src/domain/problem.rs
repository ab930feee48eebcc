//! The kinds of problem that the operator is notified of: one closed set, whose names are kept in state and shown in
//! notices and JSON.

use serde::{Deserialize, Serialize};

macro_rules! problem_kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
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
        }
    };
}

problem_kinds! {
    /// ShopReviews refuses the credentials of an account.
    TokenRefused = "token_refused",
    /// The reviews of an account cannot be read.
    PollsFailing = "polls_failing",
    /// The token of an account expires soon.
    TokenExpiring = "token_expiring",
    /// Reviews of an account cannot be marked read.
    MarksFailing = "marks_failing",
    /// Reviews of an account are marked read, yet stay on its unread list.
    MarksWithoutEffect = "marks_without_effect",
    /// A destination cannot work until somebody acts.
    DestinationBroken = "destination_broken",
    /// Messages to a destination could not be delivered.
    DeadLetters = "dead_letters",
    /// Items of an account have no usable uuid.
    MalformedReviews = "malformed_reviews",
    /// Reviews of an account matched no rule because a name is unknown.
    UndecidedReviews = "undecided_reviews",
    /// Ratings of an account are above their scale.
    RatingsUnreadable = "ratings_unreadable",
    /// The rating scale of a source was learnt, or is contradicted.
    ScaleLearnt = "scale_learnt",
    /// The configuration has names that no website, source or platform bears.
    UnknownNames = "unknown_names",
    /// ShopReviews has not read a source for long.
    SourceStale = "source_stale",
    /// A template of a destination failed on a message.
    TemplateFailed = "template_failed",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_and_is_the_one_in_json() {
        for kind in ProblemKind::ALL {
            assert_eq!(ProblemKind::parse(kind.as_str()), Some(*kind));
            assert_eq!(serde_json::to_value(kind).ok(), Some(kind.as_str().into()));
        }
        assert_eq!(ProblemKind::parse("trouble"), None);
    }
}
