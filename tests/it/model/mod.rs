//! A state in memory that does what the trait `Store` says: what the store of SQLite is compared with, and what
//! simulations of weeks run on. Plain rows in order, no SQL, no files.

mod accounts;
mod bursts;
mod delivery;
mod destinations;
mod digests;
mod equality;
mod flights;
mod intake;
mod interventions;
mod invariants;
mod leases;
mod listing;
mod marks;
mod observed;
mod operator;
mod ops;
mod people;
mod plans;
mod regressions;
mod rows;
mod sending;
mod sequences;
mod state;
mod store;
mod table;
mod twin;
mod upkeep;
mod world;

use review_bridge::store::StoreError;
use state::State;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// A state in memory. A clone is a copy of the moment.
#[derive(Default)]
pub struct ModelStore {
    /// `None` once it is closed.
    state: Mutex<Option<State>>,
}

impl ModelStore {
    pub fn new() -> Self {
        Self { state: Mutex::new(Some(State::default())) }
    }

    /// What the death of its process leaves: everything that was answered. This handle is closed with it, so
    /// that nothing of the dead process can still write.
    pub fn restart(&self) -> Self {
        Self { state: Mutex::new(self.lock().take()) }
    }

    fn lock(&self) -> MutexGuard<'_, Option<State>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One transaction: nobody else looks or writes until `act` is done.
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> Result<T, StoreError> {
        self.lock().as_mut().map(act).ok_or(StoreError::Database(sqlx::Error::PoolClosed))
    }
}

impl Clone for ModelStore {
    fn clone(&self) -> Self {
        Self { state: Mutex::new(self.lock().clone()) }
    }
}
