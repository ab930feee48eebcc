//! Real processes of the bridge: started, killed, waited for.

use super::Bench;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

/// A running bridge; killed when dropped.
pub struct Process {
    child: Child,
}

impl Process {
    /// Starts `review-bridge` with these arguments and the bench's configuration.
    pub fn start(bench: &Bench, arguments: &[&str]) -> Self {
        let config = bench.write_config();
        let log = std::fs::File::options().create(true).append(true).open(bench.folder.path().join("log"));
        let child = command(bench)
            .args(["--config", &config.to_string_lossy()])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(log.unwrap())
            .spawn()
            .unwrap();
        Self { child }
    }

    /// SIGKILL.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGHUP.
    pub fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    }

    /// SIGTERM, and how it ended.
    pub async fn terminate(mut self) -> ExitStatus {
        self.signal("-TERM");
        let mut status = None;
        until("the process ends", Duration::from_secs(10), || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        status.unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The binary, without anything of this process's environment that it would read.
pub fn command(bench: &Bench) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_review-bridge"));
    command.current_dir(bench.folder.path()).env_clear().stdin(Stdio::null());
    command
}

/// Waits for what another process does. The only wait by time in these tests: a real process has no steps.
pub async fn until(what: &str, longest: Duration, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    let mut ticks = tokio::time::interval(Duration::from_millis(5));
    while !holds() {
        assert!(started.elapsed() < longest, "waited {longest:?} in vain: {what}");
        ticks.tick().await;
    }
}
