//! Where the state is.
use std::path::PathBuf;
use std::time::Duration;

/// `[state]`.
#[derive(Clone, Debug, PartialEq)]
pub struct StateSettings {
    /// The SQLite file.
    pub path: PathBuf,
    /// How long texts and attempts are kept.
    pub retention: Duration,
}
