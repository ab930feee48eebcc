//! The only place that spawns: groups of tasks that end with their owner.

use std::future::Future;
use tokio::task::JoinSet;

/// A task ended by a panic, or was aborted.
#[derive(Debug, thiserror::Error)]
#[error("a part of the bridge ended unexpectedly: {0}")]
pub struct Panicked(#[from] tokio::task::JoinError);

/// Does what blocks, such as reading files, where it holds up no other task.
#[expect(clippy::disallowed_methods, reason = "the owner of tasks")]
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, Panicked> {
    Ok(tokio::task::spawn_blocking(work).await?)
}

/// Tasks that are aborted when the group is dropped.
#[derive(Debug)]
pub struct Group<T> {
    tasks: JoinSet<T>,
}

impl<T: Send + 'static> Default for Group<T> {
    fn default() -> Self {
        Self { tasks: JoinSet::new() }
    }
}

impl<T: Send + 'static> Group<T> {
    /// Starts a task.
    #[expect(clippy::disallowed_methods, reason = "the owner of tasks")]
    pub fn start(&mut self, task: impl Future<Output = T> + Send + 'static) {
        self.tasks.spawn(task);
    }

    /// The tasks that have not been collected.
    pub fn len(&self) -> usize {
        self.tasks.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    /// The next task to end: `None` where there is none, `Err` where it panicked.
    pub async fn next(&mut self) -> Option<Result<T, Panicked>> {
        self.tasks.join_next().await.map(|ended| ended.map_err(Panicked::from))
    }

    /// A task that has already ended, without waiting.
    pub fn try_next(&mut self) -> Option<Result<T, Panicked>> {
        self.tasks.try_join_next().map(|ended| ended.map_err(Panicked::from))
    }
}
