//! The state database as commands use it: also while a bridge is running, and never created just to be read.

use super::CliError;
use crate::app::open_state;
use crate::config::Settings;
use crate::settings::table::io_text;
use crate::store::sqlite::{Access, Owner, owner};
use crate::store::{ReviewFilter, ReviewRow, SharedStore};
use std::path::PathBuf;
use tempfile::TempDir;

/// An open database.
pub(super) struct State {
    /// The database.
    pub(super) store: SharedStore,
    /// Where it is.
    pub(super) path: PathBuf,
    /// The process that polls and sends with it.
    pub(super) owner: Option<Owner>,
    /// Whether it exists; if not, an empty temporary one is used instead.
    pub(super) exists: bool,
    /// Why the edited configuration is refused, while a bridge runs with an earlier one.
    pub(super) refused: Option<String>,
    /// The configuration that it runs with, then: without secrets.
    pub(super) shown: Option<String>,
    _temporary: Option<TempDir>,
}

impl State {
    /// Opens it for reading. One that does not exist yet reads as empty and is not created.
    pub(super) async fn read(settings: &Settings) -> Result<Self, CliError> {
        if settings.state.path.exists() {
            return Self::change(settings).await;
        }
        let folder = temporary_folder()?;
        let store: SharedStore = open_state(&folder.path().join("state.db"), Access::Beside).await?;
        let path = settings.state.path.clone();
        Ok(Self { exists: false, _temporary: Some(folder), ..Self::on(store, path, None) })
    }

    fn on(store: SharedStore, path: PathBuf, owner: Option<Owner>) -> Self {
        Self { store, path, owner, exists: true, refused: None, shown: None, _temporary: None }
    }

    /// Whether a process runs with it.
    pub(super) fn is_in_use(settings: &Settings) -> bool {
        settings.state.path.exists() && owner(&settings.state.path).is_some()
    }

    /// Opens it for changes; creates it if it does not exist.
    pub(super) async fn change(settings: &Settings) -> Result<Self, CliError> {
        let path = settings.state.path.clone();
        let owner = owner(&path);
        let store: SharedStore = open_state(&path, Access::Beside).await?;
        Ok(Self::on(store, path, owner))
    }

    /// Opens a temporary copy to try something on.
    pub(super) async fn copy(settings: &Settings) -> Result<Self, CliError> {
        let path = settings.state.path.clone();
        if !path.exists() {
            return Self::read(settings).await;
        }
        let folder = temporary_folder()?;
        let copy = folder.path().join("state.db");
        let real = open_state(&path, Access::Beside).await?;
        real.copy_to(&copy).await?;
        let store: SharedStore = open_state(&copy, Access::Beside).await?;
        let owner = owner(&path);
        Ok(Self { _temporary: Some(folder), ..Self::on(store, path, owner) })
    }

    /// The review `uuid`, of `account` if several accounts have it.
    pub(super) async fn review(&self, uuid: &str, account: Option<&str>) -> Result<ReviewRow, CliError> {
        let filter = ReviewFilter {
            account: account.map(str::to_owned),
            uuid: Some(uuid.to_owned()),
            state: None,
            limit: 100,
        };
        let mut rows = self.store.list_reviews(&filter).await?;
        match (rows.pop(), rows.as_slice()) {
            (Some(row), []) => Ok(row),
            (Some(row), others) => {
                let mut accounts: Vec<&str> = others.iter().map(|row| row.account.as_str()).collect();
                accounts.push(&row.account);
                let accounts = crate::settings::table::quoted(&accounts);
                Err(CliError::Usage(format!(
                    "several accounts have this review ({accounts}); choose one with --account"
                )))
            }
            (None, _) => {
                let uuid = crate::domain::text::one_line(uuid, 100);
                let hint = "run `review-bridge reviews list` to see all";
                Err(CliError::Failed(format!("no review `{uuid}` in the database; {hint}")))
            }
        }
    }
}

/// A folder that is removed when it is dropped.
fn temporary_folder() -> Result<TempDir, CliError> {
    let failed = |error: std::io::Error| {
        CliError::Failed(format!(
            "cannot create a temporary folder: {}; set TMPDIR to another folder",
            io_text(&error)
        ))
    };
    tempfile::Builder::new().prefix("review-bridge-").tempdir().map_err(failed)
}
