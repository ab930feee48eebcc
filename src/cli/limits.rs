//! The limits of the process: more open files than most systems grant at first, and no sudden death by a signal
//! where a file may not grow.

/// Prepares the process for work. Where the system refuses, it goes on within the limits there are.
#[cfg(unix)]
pub(super) fn prepare() {
    use rustix::process::{Resource, getrlimit, setrlimit};
    use tokio::signal::unix::{SignalKind, signal};
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        limit.current = limit.maximum;
        // macOS refuses what its own limit does not allow: then the first one stays.
        let _ = setrlimit(Resource::Nofile, limit);
    }
    // A handler that does nothing: the write fails instead (EFBIG), and says so.
    let _ = signal(SignalKind::from_raw(SIGXFSZ));
}

/// Has no name in tokio; the same number on Linux, macOS and the BSDs.
#[cfg(unix)]
const SIGXFSZ: i32 = 25;

#[cfg(not(unix))]
pub(super) fn prepare() {}
