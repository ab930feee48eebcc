//! What can go wrong with the state, in words an operator can act on.

use crate::settings::table::io_text;
use crate::upstream::StateFailure;
use sqlx::migrate::MigrateError;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A failure of the state.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Another process holds it.
    #[error(
        "the state `{}` is in use by another review-bridge{}; stop that process first, or use the commands that \
         work while it is running", .path.display(), Process(*.holder)
    )]
    Locked {
        /// The file.
        path: PathBuf,
        /// The process, where known.
        holder: Option<u32>,
    },
    /// It was written by a newer version.
    #[error(
        "the state `{}` was written by a newer version of review-bridge; run that version, or restore a backup",
        .path.display()
    )]
    Newer {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be opened.
    #[error("cannot open the state `{}`: {source}", .path.display())]
    Open {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: OpenError,
    },
    /// A statement failed.
    #[error("the state failed: {}", words(.0))]
    Database(#[from] sqlx::Error),
    /// Whatever failed, failed on this file.
    #[error("the state `{}` failed: {}", .path.display(), .source.cause())]
    At {
        /// The file.
        path: PathBuf,
        /// What failed.
        source: Box<StoreError>,
    },
    /// It could not say whether a request may be made.
    #[error("{0}")]
    Budget(#[source] StateFailure),
    /// What it holds cannot be read.
    #[error("the state holds something unreadable: {0}")]
    Unreadable(#[from] serde_json::Error),
}

/// Why a state cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system refuses the file.
    #[error("{}", io_words(.0))]
    File(#[source] io::Error),
    /// The system refuses the lock file.
    #[error("its lock file `{}`: {}", .lock.display(), io_words(.source))]
    Lock {
        /// The lock file.
        lock: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// SQLite refuses it.
    #[error("{}", words(.0))]
    Database(#[source] sqlx::Error),
    /// It cannot be migrated.
    #[error("{0}")]
    Migration(#[source] MigrateError),
}

impl StoreError {
    /// The same failure, naming the file where it did not yet.
    pub fn of(self, path: &Path) -> Self {
        match self {
            Self::Database(_) | Self::Budget(_) => Self::At { path: path.to_owned(), source: Box::new(self) },
            other => other,
        }
    }

    /// The failure that is behind the failure of a request, where that is one of the state.
    fn behind(failure: &StateFailure) -> Option<&Self> {
        std::error::Error::source(failure)?.downcast_ref()
    }

    /// What failed, without saying that it is the state.
    fn cause(&self) -> String {
        match self {
            Self::Database(error) => words(error),
            Self::Budget(failure) => Self::behind(failure).map_or_else(|| failure.to_string(), Self::cause),
            other => other.to_string(),
        }
    }
}

/// ` (process 123)`; nothing where it is not known.
struct Process(Option<u32>);

impl fmt::Display for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.map_or(Ok(()), |id| write!(f, " (process {id})"))
    }
}

/// What SQLite says, and what to do about it. Its primary result codes: <https://www.sqlite.org/rescode.html>.
fn words(error: &sqlx::Error) -> String {
    let sqlx::Error::Database(database) = error else { return error.to_string() };
    let code: Option<i32> = database.code().and_then(|code| code.parse().ok());
    let hint = match code.map(|code| code & 0xff) {
        // What SQLite says of a statement it cannot carry out: here, to create a table that exists already.
        Some(1) => "; if this is the database of another program, set `state.url` to another file",
        Some(5 | 6) => "; another program has locked it: stop that program, then try again",
        Some(8 | 14) => "; the user that runs review-bridge must be able to write to the file and its folder",
        Some(10) => "; check whether the disk is full or failing, then start again",
        Some(11 | 26) => "; restore a backup, or move the file away to start with an empty state",
        Some(13) => "; free up disk space, then start again: what is stored is safe",
        _ => "",
    };
    format!("{}{hint}", database.message())
}

/// What the system says about a file of the state, and what to do about it.
fn io_words(error: &io::Error) -> String {
    use io::ErrorKind;
    let hint = match error.kind() {
        ErrorKind::PermissionDenied => {
            "; the user that runs review-bridge must be able to write to the file and its folder"
        }
        ErrorKind::ReadOnlyFilesystem => "; make it writable, or set `state.url` to another file",
        ErrorKind::NotFound => "; create its folder, or set `state.url` to another file",
        ErrorKind::IsADirectory => "; set `state.url` to a file",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
            "; free up disk space, then start again"
        }
        _ => "",
    };
    format!("{}{hint}", io_text(error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::error::Error;

    #[test]
    fn a_failure_that_travelled_through_a_request_keeps_its_source_and_is_said_once() {
        let database = StoreError::Database(sqlx::Error::PoolClosed);
        let said = database.to_string();
        let through = StoreError::Budget(StateFailure::new(database));
        assert_eq!(through.to_string(), said);
        let at = through.of(Path::new("/state.db"));
        let text = at.to_string();
        assert_eq!(text.matches("failed").count(), 1, "{text}");
        assert!(
            text.contains("`/state.db`") && text.contains(&sqlx::Error::PoolClosed.to_string()),
            "{text}"
        );
        let mut source: Option<&(dyn Error + 'static)> = Some(&at);
        while let Some(error) = source {
            if error.is::<sqlx::Error>() {
                return;
            }
            source = error.source();
        }
        panic!("the database's own error is lost");
    }
}
