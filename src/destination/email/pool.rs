//! Connections to a mail server that stay open for the next message: at most eight at a time, for a minute.

use super::session::Connection;
use crate::clock::Stopwatch;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Connections at a time; many servers allow ten from one address.
pub const MOST: u32 = 8;
/// How long a connection waits for another message. Servers close theirs after five minutes, firewalls sooner.
const IDLE: Duration = Duration::from_secs(60);

/// The connections to one server.
pub struct Pool {
    idle: Mutex<Vec<(Connection, Stopwatch)>>,
    room: Arc<Semaphore>,
}

/// A connection that was kept.
pub struct Kept {
    /// It.
    pub connection: Connection,
    /// How long it was not used.
    pub waited: Duration,
}

impl Default for Pool {
    fn default() -> Self {
        Self { idle: Mutex::default(), room: Arc::new(Semaphore::new(MOST as usize)) }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool")
    }
}

impl Pool {
    /// Other connections to the same server: they are not exchanged, but count together.
    pub fn beside(&self) -> Self {
        Self { idle: Mutex::default(), room: self.room.clone() }
    }

    /// Waits until another connection may be open. `None` never comes: the pool is not closed.
    pub async fn room(&self) -> Option<SemaphorePermit<'_>> {
        self.room.acquire().await.ok()
    }

    /// The connection used last, if it has not waited too long; those that have are closed.
    pub fn take(&self) -> Option<Kept> {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.retain(|(_, since)| since.elapsed() < IDLE);
        idle.pop().map(|(connection, since)| Kept { connection, waited: since.elapsed() })
    }

    /// Closes all that wait: where one is dead, the others likely are too.
    pub fn clear(&self) {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Keeps a connection for the next message.
    pub fn put(&self, connection: Connection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((connection, Stopwatch::start()));
    }
}
