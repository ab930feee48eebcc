//! `[state]`: the database.

use crate::settings::Table;
use std::path::PathBuf;
use std::time::Duration;

/// The default of `state.url`.
pub(super) const DEFAULT_URL: &str = "sqlite:review-bridge.db";
/// The default of `state.retention`.
pub(super) const DEFAULT_RETENTION: Duration = Duration::from_secs(180 * 86_400);
/// The shortest: with less, nobody could find out what happened.
const SHORTEST_RETENTION: Duration = Duration::from_secs(3600);

/// Where the database is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateSettings {
    /// The SQLite file; relative ones were resolved against the configuration's folder.
    pub path: PathBuf,
    /// How long the texts of reviews and the delivery attempts are kept.
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
        table.problem("retention", "must be at least 1h", "write \"1h\" or more, such as \"180d\"");
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

/// The file of a `sqlite:` URL; else the problem, without the URL.
fn sqlite_path(url: &str) -> Result<&str, &'static str> {
    let scheme = url.split(':').next().unwrap_or_default();
    if scheme.starts_with("postgres") {
        return Err("PostgreSQL: not in this version");
    }
    let path = url.strip_prefix("sqlite:").ok_or("is not a supported database URL")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    if path.trim().is_empty() {
        Err("has no file name")
    } else if path.contains(":memory:") || path.starts_with("file:") {
        Err("would lose everything at a restart; old reviews would be delivered again, or not at all")
    } else if path.contains('?') {
        Err("contains parameters, which are not supported")
    } else {
        Ok(path)
    }
}
