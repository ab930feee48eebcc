//! The log: one subscriber for the process, to standard error.

use tracing_subscriber::EnvFilter;

/// Starts logging at `level` (a directive such as `info`); `json` writes one object a line, `colour` is
/// for a terminal. Only the first call of a process counts.
pub fn start(level: &str, json: bool, colour: bool) {
    let filter = EnvFilter::builder().parse_lossy(level);
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let started = if json {
        builder.json().flatten_event(true).try_init()
    } else {
        builder.with_ansi(colour).with_target(false).try_init()
    };
    // In tests several runs share a process; the first log serves them all.
    drop(started);
}
