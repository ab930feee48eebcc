//! What some tests need beyond Rust and Python. A person's machine may lack it: those tests then end at once, and the
//! last test says in one line what was not tested. In CI it is a failure.

use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

/// A thing that tests need.
pub struct Component {
    /// What is wanted, and how to get it.
    needs: &'static str,
    /// The tests that need it.
    tests: &'static str,
    is_here: LazyLock<bool>,
}

pub static MAIL_SERVER: Component = Component {
    needs: "root and OpenSMTPD (apt-get install -y --no-install-recommends opensmtpd)",
    tests: "mta",
    is_here: LazyLock::new(|| is_root() && mail_server().is_some()),
};

pub static BROWSER: Component = Component {
    needs: "Chromium and npm (apt-get install -y --no-install-recommends chromium nodejs npm)",
    tests: "browser",
    is_here: LazyLock::new(|| {
        let install = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracles/web/install");
        let runs = |mut command: Command| {
            command.stdout(Stdio::null()).status().is_ok_and(|status| status.success())
        };
        let mut version = chromium();
        version.arg("--version").stderr(Stdio::null());
        runs(version) && runs(Command::new(install))
    }),
};

pub static FAKETIME: Component = Component {
    needs: "libfaketime (apt-get install -y --no-install-recommends faketime)",
    tests: "wall_clock",
    is_here: LazyLock::new(|| faketime().is_some()),
};

pub static DISK: Component = Component {
    needs: "root and the right to mount a tmpfs",
    tests: "sick_state (a full disk)",
    is_here: LazyLock::new(|| {
        let folder = tempfile::tempdir().unwrap();
        let mounted = is_root() && mount(&["-t", "tmpfs", "-o", "size=64k", "tmpfs"], folder.path());
        mounted && unmount(folder.path())
    }),
};

/// All of them.
pub static ALL: [&Component; 4] = [&MAIL_SERVER, &BROWSER, &FAKETIME, &DISK];

impl Component {
    /// Whether it is here.
    ///
    /// # Panics
    /// In CI where it is not.
    pub fn is_here(&self) -> bool {
        let here = *self.is_here;
        assert!(here || std::env::var_os("CI").is_none(), "{} needs {}", self.tests, self.needs);
        here
    }
}

pub fn is_root() -> bool {
    std::fs::metadata("/proc/self").unwrap().uid() == 0
}

/// The program of OpenSMTPD.
pub fn mail_server() -> Option<&'static str> {
    ["/usr/sbin/smtpd", "/usr/local/sbin/smtpd"].into_iter().find(|path| Path::new(path).exists())
}

/// The program that opens pages: `CHROMIUM` names another.
pub fn chromium() -> Command {
    Command::new(std::env::var_os("CHROMIUM").unwrap_or_else(|| "chromium".into()))
}

/// The library that sets a process's clock, where Debian keeps it on any architecture.
pub fn faketime() -> Option<PathBuf> {
    let of_each_architecture = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
    of_each_architecture
        .map(|folder| folder.path().join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.exists())
}

pub fn mount(arguments: &[&str], folder: &Path) -> bool {
    let quiet = Command::new("mount").args(arguments).arg(folder).stderr(Stdio::null()).status();
    quiet.is_ok_and(|status| status.success())
}

pub fn unmount(folder: &Path) -> bool {
    Command::new("umount").arg("-l").arg(folder).status().is_ok_and(|status| status.success())
}

/// Says in one line what was not tested; where nothing is missing, nothing. Called by the test whose name comes
/// last, and past what libtest captures of passing tests.
pub fn summary() {
    let missing: Vec<String> = ALL
        .into_iter()
        .filter(|component| !component.is_here())
        .map(|component| format!("{}: needs {}", component.tests, component.needs))
        .collect();
    if !missing.is_empty() {
        let line = format!("\nNOT TESTED on this machine: {}\n", missing.join("; "));
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    }
}
