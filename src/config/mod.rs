//! The configuration: found, layered, read and checked as a whole.
//!
//! Defaults, then one file, then the environment (`REVIEW_BRIDGE__SECTION__KEY`). All problems are reported
//! together with their place and what to write, and no problem, nor `config show`, ever contains a secret. Each
//! module reads its own keys; `compose` alone knows which modules there are. Nothing else in the crate
//! reads the environment.

mod account;
mod compose;
mod contents;
mod environment;
mod failure;
mod file;
mod http;
mod layers;
mod loader;
mod log;
mod names;
mod operator;
mod show;
mod state;
#[cfg(test)]
mod tests;

pub use account::Account;
pub use compose::Settings;
pub use contents::Contents;
pub use failure::Failure;
pub use http::HttpSettings;
pub use loader::{Loader, Reading};
pub use log::{LogFormat, LogSettings};
pub use operator::OperatorSettings;
pub use show::show;
pub use state::StateSettings;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What `config init` writes: every key of this version with its default, explained. Loadable as it is.
pub const STARTER: &str = include_str!("../../config.toml.example");

/// A configuration without problems.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What the modules run with.
    pub settings: Settings,
    /// Settings that work but are probably mistakes; for `check` and the log at start.
    pub warnings: Vec<String>,
    /// The file it came from.
    pub file: Option<PathBuf>,
    /// The paths whose changes trigger a reload: the file, every `*_file`, the templates and their folder.
    pub watched: Vec<PathBuf>,
    /// The resolved settings as `show` prints them: TOML without secrets.
    shown: String,
}

/// Loads the configuration of this process: its environment, its working directory.
///
/// # Errors
/// All problems found.
pub fn load_here(explicit: Option<&Path>) -> Result<Loaded, Failure> {
    Loader::here(explicit)?.load()
}

/// Whether colour is switched off for this process (`NO_COLOR`, any value).
#[expect(clippy::disallowed_methods, reason = "the owner of the environment")]
pub fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Loads the file `explicit` (else the one `REVIEW_BRIDGE_CONFIG` names, else `config.toml` in `folder`,
/// else `/etc/review-bridge/config.toml`) with the variables of `environment` above it.
///
/// # Errors
/// All problems found.
pub fn load<K, V>(
    explicit: Option<&Path>,
    environment: impl IntoIterator<Item = (K, V)>,
    folder: &Path,
) -> Result<Loaded, Failure>
where
    K: Into<OsString>,
    V: Into<OsString>,
{
    Loader::new(explicit, environment, folder)?.load()
}

/// Reads `contents` as [`load`] would were they the file `config.toml` in `folder`, with no environment above
/// them. Files that they name are read.
///
/// # Errors
/// All problems found.
pub fn read(contents: Vec<u8>, folder: &Path) -> Result<Loaded, Failure> {
    Loader::alone(folder).load_contents(contents)
}
