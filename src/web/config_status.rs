//! What the probes report of the active configuration.

use crate::clock::rfc3339;
use crate::domain::Timestamp;
use serde_json::{Value, json};

/// The active configuration, as far as probes report it: not why another was rejected, which is for the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigStatus {
    /// The accounts that are polled.
    pub accounts: Vec<String>,
    /// Since when it is active.
    pub loaded_at: Timestamp,
    /// When a later one was rejected, where the last one was.
    pub refused_at: Option<Timestamp>,
}

impl ConfigStatus {
    pub(super) fn to_json(&self) -> Value {
        json!({
            "loaded_at": rfc3339(self.loaded_at),
            "last_reload_successful": self.refused_at.is_none(),
            "refused_at": self.refused_at.map(rfc3339),
        })
    }
}
