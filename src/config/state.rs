//! `[state]`: where the bridge remembers.

use crate::settings::Table;
use std::path::PathBuf;
use std::time::Duration;

/// The default of `state.url`.
pub(super) const DEFAULT_URL: &str = "sqlite:review-bridge.db";
/// The default of `state.retention`.
pub(super) const DEFAULT_RETENTION: Duration = Duration::from_secs(180 * 86_400);
/// The shortest: what is gone sooner is of no use to whoever asks what happened.
const SHORTEST_RETENTION: Duration = Duration::from_secs(3600);

/// Where the state is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateSettings {
    /// The SQLite file; relative ones were resolved against the configuration's folder.
    pub path: PathBuf,
    /// How long the texts of reviews and the attempts to tell them are kept.
    pub retention: Duration,
}

const HINT: &str = "write \"sqlite:FILE\", such as \"sqlite:/var/lib/review-bridge/state.db\"";

/// Reads `[state]`.
pub(super) fn read(root: &Table) -> StateSettings {
    let folder = &root.source().folder;
    let default = || folder.join("review-bridge.db");
    let Some(table) = root.table("state") else {
        return StateSettings { path: default(), retention: DEFAULT_RETENTION };
    };
    let retention = table.duration("retention").unwrap_or(DEFAULT_RETENTION);
    if retention < SHORTEST_RETENTION {
        table.problem("retention", "is too short to be of use", "write \"1h\" or more, such as \"180d\"");
    }
    let url = table.secret("url");
    let key = if table.has("url") { "url" } else { "url_file" };
    let path = match url.as_ref().map(|url| sqlite_path(url.expose())) {
        None => default(),
        Some(Ok(path)) => folder.join(path),
        Some(Err(what)) => {
            table.problem(key, what, HINT);
            default()
        }
    };
    table.finish();
    StateSettings { path, retention }
}

/// The file that a `sqlite:` address names; else what is wrong, without the address.
fn sqlite_path(url: &str) -> Result<&str, &'static str> {
    let scheme = url.split(':').next().unwrap_or_default();
    if scheme.starts_with("postgres") {
        return Err("PostgreSQL: not in this version");
    }
    let path = url.strip_prefix("sqlite:").ok_or("is not the address of a database known here")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.trim().is_empty() {
        Err("names no file")
    } else if path.contains(":memory:") || path.starts_with("file:") {
        Err("would forget everything at a restart, and then tell old reviews again or not at all")
    } else if path.contains('?') {
        Err("holds parameters, which are not known here")
    } else {
        Ok(path)
    }
}
