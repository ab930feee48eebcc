//! `[state]`: where the bridge remembers.

use crate::settings::Table;
use std::path::PathBuf;

/// The default of `state.url`.
pub(super) const DEFAULT_URL: &str = "sqlite:review-bridge.db";

/// Where the state is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateSettings {
    /// The SQLite file; relative ones were resolved against the configuration's folder.
    pub path: PathBuf,
}

const HINT: &str = "write \"sqlite:FILE\", such as \"sqlite:/var/lib/review-bridge/state.db\"";

/// Reads `[state]`.
pub(super) fn read(root: &Table) -> StateSettings {
    let folder = &root.source().folder;
    let default = || StateSettings { path: folder.join("review-bridge.db") };
    let Some(table) = root.table("state") else { return default() };
    table.not_in_this_version("retention");
    let url = table.secret("url");
    let key = if table.has("url") { "url" } else { "url_file" };
    let settings = match url.as_ref().map(|url| sqlite_path(url.expose())) {
        None => default(),
        Some(Ok(path)) => StateSettings { path: folder.join(path) },
        Some(Err(what)) => {
            table.problem(key, what, HINT);
            default()
        }
    };
    table.finish();
    settings
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
