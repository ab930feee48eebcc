//! What can go wrong with the state, in words an operator can act on.

use crate::settings::table::io_text;
use std::io::ErrorKind;
use std::path::Path;

/// A failure of the state.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds it.
    #[error(
        "state `{path}` is in use by another review-bridge{holder}; stop it first, or use its commands beside it"
    )]
    Locked {
        /// The file.
        path: String,
        /// ` (process 123)`, where known.
        holder: String,
    },
    /// It was written by a newer version.
    #[error(
        "state `{path}` was written by a newer version of review-bridge; run that version, or restore a backup"
    )]
    Newer {
        /// The file.
        path: String,
    },
    /// It cannot be opened.
    #[error("cannot open state `{path}`: {why}")]
    Open {
        /// The file.
        path: String,
        /// Why not.
        why: String,
    },
    /// A statement failed.
    #[error("state failed: {}", words(.0))]
    Database(#[from] sqlx::Error),
    /// A statement failed, on this file.
    #[error("state `{path}` failed: {why}")]
    Failed {
        /// The file.
        path: String,
        /// Why.
        why: String,
    },
    /// It could not be asked whether a request may be made.
    #[error("state failed: {0}")]
    Budget(String),
    /// What it holds cannot be read.
    #[error("state holds something unreadable: {0}")]
    Unreadable(#[from] serde_json::Error),
}

impl StoreError {
    /// The same failure, naming the file where it did not yet.
    pub fn of(self, path: &Path) -> Self {
        match self {
            Self::Database(error) => Self::Failed { path: path.display().to_string(), why: words(&error) },
            Self::Budget(why) => Self::Failed { path: path.display().to_string(), why },
            other => other,
        }
    }
}

/// What SQLite says, and what to do about it. Its primary result codes: <https://www.sqlite.org/rescode.html>.
pub(super) fn words(error: &sqlx::Error) -> String {
    let sqlx::Error::Database(database) = error else { return error.to_string() };
    let code: Option<i32> = database.code().and_then(|code| code.parse().ok());
    let hint = match code.map(|code| code & 0xff) {
        // What SQLite says of a statement it cannot carry out: here, to make a table that is there already.
        Some(1) => "; if it is the database of another program, name another file in `state.url`",
        Some(5 | 6) => "; another program holds it: end that one, then try again",
        Some(8 | 14) => "; the user that runs review-bridge must be able to write it and its folder",
        Some(10) => "; see whether its disk is full or fails, then start again",
        Some(11 | 26) => "; restore a backup, or move the file away to start anew",
        Some(13) => "; make room there, then start again: what is stored is safe",
        _ => "",
    };
    format!("{}{hint}", database.message())
}

/// What the system says about a file of the state, and what to do about it.
pub(super) fn io_words(error: &std::io::Error) -> String {
    let hint = match error.kind() {
        ErrorKind::PermissionDenied => {
            "; the user that runs review-bridge must be able to write it and its folder"
        }
        ErrorKind::ReadOnlyFilesystem => "; make that writable, or name another file in `state.url`",
        ErrorKind::NotFound => "; make its folder, or name another file in `state.url`",
        ErrorKind::IsADirectory => "; name a file in `state.url`",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "; make room there, then start again"
        }
        _ => "",
    };
    format!("{}{hint}", io_text(error))
}
