//! What can go wrong with the state, in words an operator can act on.

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
    #[error("state failed: {0}")]
    Database(#[from] sqlx::Error),
    /// What it holds cannot be read.
    #[error("state holds something unreadable: {0}")]
    Unreadable(#[from] serde_json::Error),
}
