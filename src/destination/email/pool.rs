//! Connections to a mail server that stay open for the next message: at most eight at a time, for a minute.
//!
//! lettre's own pool is not used: its sockets wait 44 ms on each message, as they lack TCP_NODELAY.

use crate::clock::Stopwatch;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Semaphore, SemaphorePermit};

/// Connections at a time; many servers allow ten from one address.
const MOST: usize = 8;
/// How long a connection waits for another message. Servers close theirs after five minutes, firewalls sooner.
const IDLE: Duration = Duration::from_secs(60);

/// The connections to one server.
pub struct Pool {
    idle: Mutex<Vec<(AsyncSmtpConnection, Stopwatch)>>,
    room: Semaphore,
}

/// A connection that was kept.
pub struct Kept {
    /// It.
    pub connection: AsyncSmtpConnection,
    /// How long it was not used.
    pub waited: Duration,
}

impl Default for Pool {
    fn default() -> Self {
        Self { idle: Mutex::default(), room: Semaphore::new(MOST) }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pool")
    }
}

impl Pool {
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
    pub fn put(&self, connection: AsyncSmtpConnection) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.push((connection, Stopwatch::start()));
    }
}
