//! The log: one subscriber for the process, to standard error.

#[cfg(test)]
pub mod capture;

use std::fmt;
use tracing_subscriber::EnvFilter;

/// Changes how much is logged.
pub struct Level(Box<dyn Fn(EnvFilter) + Send + Sync>);

impl Level {
    /// Logs at `level` (a directive such as `info`) from now on.
    pub fn set(&self, level: &str) {
        (self.0)(filter(level));
    }
}

impl fmt::Debug for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Level")
    }
}

/// Starts logging at `level` (a directive such as `info`); `json` writes one object a line, `colour` is
/// for a terminal. Only the first call of a process counts.
pub fn start(level: &str, json: bool, colour: bool) -> Level {
    let builder = tracing_subscriber::fmt().with_writer(std::io::stderr);
    // In tests several runs share a process; the first log serves them all, and later handles do nothing.
    if json {
        let builder = builder.json().flatten_event(true);
        let builder = builder.with_env_filter(filter(level)).with_filter_reloading();
        let handle = builder.reload_handle();
        drop(builder.try_init());
        Level(Box::new(move |filter| drop(handle.reload(filter))))
    } else {
        let builder = builder.with_ansi(colour).with_target(false);
        let builder = builder.with_env_filter(filter(level)).with_filter_reloading();
        let handle = builder.reload_handle();
        drop(builder.try_init());
        Level(Box::new(move |filter| drop(handle.reload(filter))))
    }
}

fn filter(level: &str) -> EnvFilter {
    EnvFilter::builder().parse_lossy(level)
}
