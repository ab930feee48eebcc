//! A delivery: one revision of one review to one destination (for e-mail: to one recipient).

use serde::{Deserialize, Serialize};

/// The states of a delivery; the schema's CHECK constraints hold the same list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeliveryState {
    /// Queued, being sent, or waiting for a retry.
    Pending,
    /// Delivered (or accepted, if display is not observable).
    Delivered,
    /// A dead letter: it can never pass, or `give_up_after` has passed.
    Dead,
    /// Given up by a person.
    Discarded,
    /// Read elsewhere before it was delivered, with `skip_if_read`.
    Skipped,
    /// A newer revision has a delivery to the same destination and recipient.
    Superseded,
}

impl DeliveryState {
    /// Every state.
    pub const ALL: [Self; 6] =
        [Self::Pending, Self::Delivered, Self::Dead, Self::Discarded, Self::Skipped, Self::Superseded];

    /// Its name in state, commands and metrics.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Delivered => "delivered",
            Self::Dead => "dead",
            Self::Discarded => "discarded",
            Self::Skipped => "skipped",
            Self::Superseded => "superseded",
        }
    }

    /// The state of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// One rule that created a delivery, and why it matched.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleHit {
    /// The rule's name.
    pub rule: String,
    /// What matched, for people: `rating 1 is at most 2`.
    pub because: Vec<String>,
}
