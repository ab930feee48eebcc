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
    /// The process that holds it opened it by another name.
    #[error(
        "the state `{}` is in use by another review-bridge, which opened it by another name (a link, or a mount); \
         use that name, or stop that process first", .path.display()
    )]
    OtherName {
        /// The file.
        path: PathBuf,
    },
    /// It is not where it was opened.
    #[error("the state `{}` cannot be used any longer: `{}` {what}", .path.display(), .file.display())]
    Moved {
        /// The file.
        path: PathBuf,
        /// It, or the file beside it that this happened to.
        file: PathBuf,
        /// What happened.
        what: FilesFailure,
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

/// What happened to a file while it was in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FilesFailure {
    /// Its name leads nowhere.
    Gone,
    /// Its name leads to another file.
    Replaced,
}

impl fmt::Display for FilesFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gone => {
                "was deleted or renamed while review-bridge was running; put it back, then start again: with an empty \
                 state, what was delivered before counts as new"
            }
            Self::Replaced => {
                "was replaced by another file while review-bridge was running; stop review-bridge before you replace \
                 its state, and start it again afterwards"
            }
        })
    }
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

    /// Whether it failed only because no more files can be opened just now, which passes.
    pub(super) fn wants_descriptors(&self) -> bool {
        match self {
            Self::Open { source: OpenError::File(error) | OpenError::Lock { source: error, .. }, .. } => {
                is_out_of_descriptors(error)
            }
            Self::Open { source: OpenError::Database(error), .. } | Self::Database(error) => {
                code_of(error) == Some(CANNOT_OPEN) && out_of_descriptors()
            }
            _ => false,
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
    let hint = match code_of(error) {
        // What SQLite says of a statement it cannot carry out: here, to create a table that exists already.
        Some(1) => "; if this is the database of another program, set `state.url` to another file",
        Some(5 | 6) => "; another program has locked it: stop that program, then try again",
        Some(CANNOT_OPEN) if out_of_descriptors() => MORE_DESCRIPTORS,
        Some(8 | CANNOT_OPEN) => {
            "; the user that runs review-bridge must be able to write to the file and its folder"
        }
        Some(10) => {
            "; check whether the disk is full or failing, or the file larger than a limit allows (`ulimit -f`), then \
             start again"
        }
        Some(11 | 26) => "; restore a backup, or move the file away to start with an empty state",
        Some(13) => "; free up disk space, then start again: what is stored is safe",
        _ => "",
    };
    format!("{}{hint}", database.message())
}

/// SQLite's primary code for a file that cannot be opened, for whatever reason.
const CANNOT_OPEN: i32 = 14;
const MORE_DESCRIPTORS: &str = "; this process has too many files and connections open: raise its limit (`ulimit -n`, \
    `LimitNOFILE=` of systemd, `ulimits` of compose)";

fn code_of(error: &sqlx::Error) -> Option<i32> {
    let sqlx::Error::Database(database) = error else { return None };
    Some(database.code()?.parse::<i32>().ok()? & 0xff)
}

/// Whether the process, or the machine, may open no more files (EMFILE, ENFILE).
fn is_out_of_descriptors(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(23 | 24)) && cfg!(unix)
}

/// SQLite does not say why it could not open a file: whether another can be opened shows it.
fn out_of_descriptors() -> bool {
    cfg!(unix) && std::fs::File::open("/dev/null").is_err_and(|error| is_out_of_descriptors(&error))
}

/// What the system says about a file of the state, and what to do about it.
fn io_words(error: &io::Error) -> String {
    use io::ErrorKind;
    let hint = match error.kind() {
        _ if is_out_of_descriptors(error) => MORE_DESCRIPTORS,
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

    // H1
    #[test]
    fn a_want_of_descriptors_passes_and_is_never_said_to_be_one_of_permissions() {
        let path = Path::new("/state.db");
        for number in [23, 24] {
            let error = || io::Error::from_raw_os_error(number);
            let lock = OpenError::Lock { lock: "/state.db.lock".into(), source: error() };
            for source in [OpenError::File(error()), lock] {
                let error = StoreError::Open { path: path.into(), source };
                let said = error.to_string();
                assert!(error.wants_descriptors() && said.contains("LimitNOFILE"), "{said}");
                assert!(!said.contains("must be able to write"), "{said}");
            }
        }
        let denied = OpenError::File(io::Error::from_raw_os_error(13));
        assert!(!StoreError::Open { path: path.into(), source: denied }.wants_descriptors());
    }
}
