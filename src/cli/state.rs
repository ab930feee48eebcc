//! The state as commands use it: beside whatever runs, and without making one where there is none to read.

use super::CliError;
use crate::app::open_state;
use crate::config::Settings;
use crate::settings::table::io_text;
use crate::store::sqlite::{Access, Owner, owner};
use crate::store::{ReviewFilter, ReviewRow, SharedStore};
use std::path::PathBuf;
use tempfile::TempDir;

/// An open state.
pub(super) struct State {
    /// The state.
    pub(super) store: SharedStore,
    /// Where it is.
    pub(super) path: PathBuf,
    /// Who polls and sends with it.
    pub(super) owner: Option<Owner>,
    /// Whether there is one yet; else an empty one stands in, which is thrown away.
    pub(super) exists: bool,
    _stand_in: Option<TempDir>,
}

impl State {
    /// Opens it to look at. One that is not there yet reads as empty and is not made.
    pub(super) async fn read(settings: &Settings) -> Result<Self, CliError> {
        if settings.state.path.exists() {
            return Self::change(settings).await;
        }
        let folder = throw_away()?;
        let store: SharedStore = open_state(&folder.path().join("state.db"), Access::Beside).await?;
        let path = settings.state.path.clone();
        Ok(Self { store, path, owner: None, exists: false, _stand_in: Some(folder) })
    }

    /// Opens it to change; makes one where there is none.
    pub(super) async fn change(settings: &Settings) -> Result<Self, CliError> {
        let path = settings.state.path.clone();
        let owner = owner(&path);
        let store: SharedStore = open_state(&path, Access::Beside).await?;
        Ok(Self { store, path, owner, exists: true, _stand_in: None })
    }

    /// Opens a copy to try something out on; what is done to it is thrown away.
    pub(super) async fn copy(settings: &Settings) -> Result<Self, CliError> {
        let path = settings.state.path.clone();
        if !path.exists() {
            return Self::read(settings).await;
        }
        let folder = throw_away()?;
        let copy = folder.path().join("state.db");
        let real = open_state(&path, Access::Beside).await?;
        real.copy_to(&copy).await?;
        let store: SharedStore = open_state(&copy, Access::Beside).await?;
        Ok(Self { store, owner: owner(&path), path, exists: true, _stand_in: Some(folder) })
    }

    /// The review `uuid`, of `account` where several have one.
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
                    "several accounts have it ({accounts}): name one with --account"
                )))
            }
            (None, _) => {
                let uuid = crate::domain::text::one_line(uuid, 100);
                let hint = "`review-bridge reviews list` shows those that are";
                Err(CliError::Failed(format!("review `{uuid}` is not in state; {hint}")))
            }
        }
    }
}

/// A folder that is removed when it is dropped.
fn throw_away() -> Result<TempDir, CliError> {
    let failed = |error: std::io::Error| CliError::Failed(format!("no folder: {}", io_text(&error)));
    tempfile::Builder::new().prefix("review-bridge-").tempdir().map_err(failed)
}
