//! A wall clock for one process that can be set while it runs, with libfaketime as Debian has it; the machine's
//! own clock is never touched, and how time passes stays what it is.

use super::component;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The clock of the processes that were given it.
pub struct WallClock {
    library: PathBuf,
    file: PathBuf,
}

impl WallClock {
    /// A right clock, kept in `folder`. `None` where a person's machine has no libfaketime; in CI that is a
    /// failure.
    pub fn new(folder: &Path) -> Option<Self> {
        if !component::FAKETIME.is_here() {
            return None;
        }
        let library = component::faketime()?;
        let clock = Self { library, file: folder.join("clock") };
        clock.set(0);
        Some(clock)
    }

    /// Has a process that is still to be started go by this clock.
    pub fn give(&self, command: &mut Command) {
        command
            .env("LD_PRELOAD", &self.library)
            .env("FAKETIME_TIMESTAMP_FILE", &self.file)
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1");
    }

    /// Sets it so many seconds before or after the right time.
    pub fn set(&self, seconds: i64) {
        // It is read all the time: never half of it.
        let next = self.file.with_extension("next");
        std::fs::write(&next, format!("{seconds:+}\n")).unwrap();
        std::fs::rename(next, &self.file).unwrap();
    }
}
