//! How an account's reviews are treated: what is delivered at first, what is too old, when it is marked read.

use super::RatingScales;
use std::time::Duration;

/// What its configuration says about one account, apart from how it is reached.
#[derive(Clone, Debug, PartialEq)]
pub struct AccountPolicy {
    /// How often the unread list is read; at least [`AccountPolicy::SHORTEST_POLL_INTERVAL`].
    pub poll_interval: Duration,
    /// What of the first complete listing is delivered.
    pub backfill: Backfill,
    /// Later, a first-seen review older than this is remembered instead of delivered.
    pub max_age: Duration,
    /// When a review is marked read.
    pub mark_read: MarkRead,
    /// What happens to a review that matches no rule.
    pub unmatched: Unmatched,
    /// How long after first sight rules run, on the latest revision; zero is at once.
    pub settle: Duration,
    /// The tops of the rating scales by platform or source.
    pub rating_scales: RatingScales,
}

impl AccountPolicy {
    /// The least that `poll_interval` may be.
    pub const SHORTEST_POLL_INTERVAL: Duration = Duration::from_secs(5);

    /// Whether nothing is ever marked read.
    pub fn mark_read_never(&self) -> bool {
        self.mark_read == MarkRead::Never
    }
}

impl Default for AccountPolicy {
    fn default() -> Self {
        Self {
            poll_interval: Duration::from_secs(60),
            backfill: Backfill::default(),
            max_age: Duration::from_secs(90 * 86_400),
            mark_read: MarkRead::default(),
            unmatched: Unmatched::default(),
            settle: Duration::ZERO,
            rating_scales: RatingScales::default(),
        }
    }
}

/// What of an account's first complete listing is delivered; the rest is remembered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backfill {
    /// Everything.
    All,
    /// Nothing.
    None,
    /// What was written at most this long ago, or has no date.
    Within(Duration),
}

impl Default for Backfill {
    fn default() -> Self {
        Self::Within(Duration::from_secs(86_400))
    }
}

/// When a review is marked read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MarkRead {
    /// When all its deliveries are settled.
    #[default]
    AfterDelivery,
    /// Never; this beats [`Unmatched::MarkRead`].
    Never,
}

impl MarkRead {
    /// Its name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AfterDelivery => "after_delivery",
            Self::Never => "never",
        }
    }
}

/// What happens to a review that matches no rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Unmatched {
    /// It stays unread.
    #[default]
    KeepUnread,
    /// It is marked read.
    MarkRead,
}

impl Unmatched {
    /// Its name in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeepUnread => "keep_unread",
            Self::MarkRead => "mark_read",
        }
    }
}
