//! The configuration: found, layered, read and checked as a whole.
//!
//! Defaults, then one file, then the environment (`REVIEW_BRIDGE__SECTION__KEY`). Every problem is told at
//! once with its place and what to write, and none of them, nor `config show`, ever holds a secret. Each
//! module reads its own keys; `compose` alone knows which modules there are. Nothing else in the crate
//! reads the environment.

mod account;
mod compose;
mod environment;
mod failure;
mod file;
mod http;
mod layers;
mod log;
mod names;
mod operator;
mod show;
mod state;
#[cfg(test)]
mod tests;

pub use account::Account;
pub use compose::Settings;
pub use failure::Failure;
pub use http::HttpSettings;
pub use log::{LogFormat, LogSettings};
pub use operator::OperatorSettings;
pub use show::show;
pub use state::StateSettings;

use crate::settings::Table;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// What `config init` writes: every key of this version with its default, explained. Loadable as it is.
pub const STARTER: &str = include_str!("../../config.toml.example");

/// A configuration without problems.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// What the modules run with.
    pub settings: Settings,
    /// What works but is likely not meant; for `check` and the log at start.
    pub warnings: Vec<String>,
    /// The file it came from.
    pub file: Option<PathBuf>,
    /// What a change of which asks for a reload: the file, every `*_file`, the templates and their folder.
    pub watched: Vec<PathBuf>,
    /// The resolved settings as `show` prints them: TOML without secrets.
    shown: String,
}

/// Loads the configuration of this process: its environment, its working directory.
///
/// # Errors
/// Every problem found, at once.
#[expect(clippy::disallowed_methods, reason = "the owner of the environment")]
pub fn load_here(explicit: Option<&Path>) -> Result<Loaded, Failure> {
    let folder = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("."));
    load(explicit, std::env::vars_os(), &folder)
}

/// Whether this process was asked not to use colour (`NO_COLOR`, any value).
#[expect(clippy::disallowed_methods, reason = "the owner of the environment")]
pub fn no_color() -> bool {
    std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
}

/// Loads the file `explicit` (else the one `REVIEW_BRIDGE_CONFIG` names, else `config.toml` in `folder`,
/// else `/etc/review-bridge/config.toml`) with the variables of `environment` above it.
///
/// # Errors
/// Every problem found, at once.
pub fn load<K, V>(
    explicit: Option<&Path>,
    environment: impl IntoIterator<Item = (K, V)>,
    folder: &Path,
) -> Result<Loaded, Failure>
where
    K: Into<OsString>,
    V: Into<OsString>,
{
    let environment = environment::read(environment);
    let failed = |mut problems: Vec<_>| {
        problems.extend(environment.problems.iter().cloned());
        Failure { problems }
    };
    let found = file::find(explicit, environment.config.as_deref(), folder, Path::new(file::SYSTEM_FILE))
        .map_err(|problem| failed(vec![problem]))?;
    let dict = file::read(&found).map_err(failed)?;
    let layers = layers::merge(dict, &environment.assignments, &found);
    for problem in environment.problems {
        layers.source.problems.push(problem);
    }
    let settings = compose::compose(Table::new("", &layers.dict, &layers.source));
    if !layers.source.problems.is_empty() {
        return Err(Failure { problems: layers.source.problems.into_vec() });
    }
    let mut resolved = show::resolve(&layers);
    Ok(Loaded {
        warnings: compose::warnings(&settings, &resolved),
        watched: file::watched(&found.path, &resolved.files, settings.templates_dir.as_deref()),
        file: Some(found.path),
        shown: show::render(&settings, &mut resolved),
        settings,
    })
}
