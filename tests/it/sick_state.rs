//! A state that is full, locked, not to be written, damaged or of a newer version: the real binary says what is
//! wrong and what to do, asks the API for nothing without a state, and ends with 1. Nothing is lost meanwhile.

use crate::harness::component::{DISK, is_root, mount, unmount};
use crate::harness::process::{Process, command, log, run, until};
use crate::harness::*;
use review_bridge::sandbox::Options;
use std::collections::BTreeSet;
use std::fs::Permissions;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
/// Debian's `nobody`.
const NOBODY: &str = "65534";

async fn bench(reviews: usize) -> Bench {
    let mut bench = Bench::real(Options { page_size: 50, ..Options::default() }).await;
    // On the disk, which is what is tested; and a file system in memory may run no programs.
    bench.folder = tempfile::tempdir().unwrap();
    bench.rest.insert_str(0, "[http]\nlisten = \"\"\n");
    for index in 0..reviews {
        bench.review(&format!("r{index:03}"), GOOGLE_NL, 5.0, "Prima");
    }
    bench
}

fn bridge(bench: &Bench, arguments: &[&str]) -> Command {
    let mut command = command(bench);
    command.arg("--config").arg(bench.write_config()).args(arguments);
    command
}

/// Runs what must fail for its state: it says so in these words, with the file's name, and has asked nothing.
async fn refused(bench: &Bench, arguments: &[&str], words: &[&str]) {
    let asked = bench.sandbox.requests();
    assert_refused(run(bridge(bench, arguments)).await, &bench.state(), words);
    assert_eq!(bench.sandbox.requests(), asked, "{arguments:?} polled without a state");
}

fn assert_refused((code, said): (i32, String), state: &Path, words: &[&str]) {
    assert_eq!(code, 1, "{said}");
    for word in words.iter().chain([&&*format!("state `{}", state.display())]) {
        assert!(said.contains(word), "`{word}` is not in: {said}");
    }
}

/// What arrived at `crm` was told before it was marked, and a repeat says so.
fn assert_honest(bench: &Bench) {
    let told = bench.told("crm");
    for uuid in bench.marked() {
        assert!(told.contains_key(&uuid), "{uuid} was marked read before it was told");
    }
    let mut seen = BTreeSet::new();
    for body in bench.webhook("crm") {
        let uuid = body["data"]["review"]["uuid"].as_str().unwrap().to_owned();
        assert!(
            seen.insert(uuid.clone()) || body["data"]["repeat"] == true,
            "{uuid} repeats and says nothing"
        );
    }
}

#[tokio::test]
async fn full_at_any_point_it_says_so_ends_and_goes_on_once_there_is_room() {
    let bench = bench(120).await;
    let mut failed = 0;
    // In blocks of 512 bytes; a file that may not grow is how a quota and a full disk look.
    for blocks in (0..).map(|step| step * 120) {
        let mut limited = Command::new("/bin/sh");
        let script = format!("ulimit -f {blocks}; exec \"$@\"");
        let plain = bridge(&bench, &["run", "--once"]);
        limited.args(["-c", &script, "sh"]).arg(plain.get_program()).args(plain.get_args());
        limited.current_dir(bench.folder.path()).env_clear().stdin(Stdio::null());
        let (code, said) = run(limited).await;
        assert_honest(&bench);
        if code == 0 {
            break;
        }
        let hint =
            if said.contains("too large") { "free up disk space" } else { "a limit allows (`ulimit -f`)" };
        assert_refused((code, said), &bench.state(), &[hint, "then start again"]);
        failed += 1;
    }
    assert!(failed >= 5, "it was full {failed} times only");
    bench.settle().await;
    // What could not be noted is told or marked once more.
    let marked: BTreeSet<String> = bench.marked().into_iter().collect();
    assert_eq!((bench.told("crm").len(), marked.len()), (120, 120));
}

/// A file system of a size, in memory; gone when dropped.
struct Disk(PathBuf);

impl Disk {
    /// `None` where this machine does not let tests mount one.
    fn new(folder: PathBuf, size: &str) -> Option<Self> {
        std::fs::create_dir(&folder).unwrap();
        let options = format!("size={size}");
        let mounted = DISK.is_here() && mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], &folder);
        mounted.then_some(Self(folder))
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(&self.0);
    }
}

#[tokio::test]
async fn a_disk_that_fills_up_while_it_runs_ends_it_with_1_and_nothing_is_lost() {
    let mut bench = bench(120).await;
    let Some(disk) = Disk::new(bench.folder.path().join("disk"), "640k") else { return };
    let state = disk.0.join("state.db");
    bench.rest.insert_str(0, &format!("[state]\nurl = \"sqlite:{}\"\n", state.display()));
    let mut process = Process::start(&bench, &["run"]);
    assert_eq!(process.ended(LONG).await.code(), Some(1));
    let full = "database or disk is full; free up disk space, then start again: what is stored is safe";
    assert_refused((1, log(&bench)), &state, &[full]);
    // Started again and again, as a supervisor does, it neither polls nor repeats without end.
    for _ in 0..3 {
        assert_refused(run(bridge(&bench, &["run"])).await, &state, &["free up disk space"]);
        assert_honest(&bench);
    }
    assert!(mount(&["-o", "remount,size=16m"], &disk.0));
    let process = Process::start(&bench, &["run"]);
    until("all are told and marked", LONG, || bench.sandbox.unread().is_empty()).await;
    assert!(process.terminate().await.success());
    assert_honest(&bench);
    assert_eq!(bench.told("crm").len(), 120);
}

/// The bridge as a user who may read and run what lies in `folder`, and no more; who is not root is one already.
fn as_somebody(bench: &Bench, arguments: &[&str]) -> Command {
    let plain = bridge(bench, arguments);
    if !is_root() {
        return plain;
    }
    // Where the binary was built, others may not get to.
    let binary = bench.folder.path().join("review-bridge");
    if !binary.exists() {
        std::fs::copy(plain.get_program(), &binary).unwrap();
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups"]).arg(binary).args(plain.get_args());
    command.current_dir(bench.folder.path()).env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    command
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[tokio::test]
async fn a_state_that_may_not_be_written_is_refused_with_what_to_change() {
    let bench = bench(1).await;
    bench.once().await;
    let asked = bench.sandbox.requests();
    let (folder, lock) = (bench.folder.path(), bench.folder.path().join("review-bridge.db.lock"));
    let may = "must be able to write";
    // The configuration is written before the folder is closed.
    let commands = |arguments: &[&str]| as_somebody(&bench, arguments);
    let (first, status) = (commands(&["run"]), commands(&["status"]));
    let (second, third) = (commands(&["run", "--once"]), commands(&["run"]));
    for (path, mode) in [(bench.state(), 0o444), (lock.clone(), 0o444), (folder.to_owned(), 0o555)] {
        set_mode(&path, mode);
    }
    assert_refused(run(first).await, &bench.state(), &["review-bridge.db.lock`: permission denied", may]);
    assert_refused(run(status).await, &bench.state(), &["permission denied", may]);
    set_mode(&lock, 0o666);
    assert_refused(run(second).await, &bench.state(), &["permission denied", may]);
    // SQLite keeps two more files beside it.
    set_mode(&bench.state(), 0o666);
    assert_refused(run(third).await, &bench.state(), &["readonly database", may]);
    set_mode(folder, 0o755);
    assert_eq!(bench.sandbox.requests(), asked);
}

/// Another program that holds the state; ended when dropped.
struct Holder(Child);

impl Holder {
    fn new(state: &Path) -> Self {
        let script = "import sqlite3, sys\n\
            state = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
            state.execute('BEGIN IMMEDIATE')\n\
            print('held', flush=True)\nsys.stdin.read()\n";
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(state).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = python.spawn().expect("this test needs python3");
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "held\n");
        Self(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn a_state_that_another_program_holds_is_waited_for_and_then_said() {
    let bench = bench(1).await;
    bench.once().await;
    let held = "database is locked; another program has locked it: stop that program, then try again";
    let holder = Holder::new(&bench.state());
    refused(&bench, &["run"], &[held]).await;
    drop(holder);
    let mut process = Process::start(&bench, &["run"]);
    until("it runs", LONG, || log(&bench).contains(" started")).await;
    bench.review("more", GOOGLE_NL, 5.0, "Prima");
    let holder = Holder::new(&bench.state());
    assert_eq!(process.ended(LONG).await.code(), Some(1));
    assert!(log(&bench).contains(held), "{}", log(&bench));
    drop(holder);
    let process = Process::start(&bench, &["run"]);
    until("it is told", LONG, || bench.told("crm").len() == 2).await;
    assert!(process.terminate().await.success());
    assert_honest(&bench);
}

/// Puts another file in the place of the state, without what SQLite keeps beside it.
fn replace_state(bench: &Bench, bytes: Option<&[u8]>) {
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", bench.state().display()));
    }
    if let Some(bytes) = bytes {
        std::fs::write(bench.state(), bytes).unwrap();
    }
}

#[tokio::test]
async fn a_damaged_a_newer_and_another_programs_file_are_refused_by_every_command() {
    let bench = bench(30).await;
    bench.once().await;
    let good = std::fs::read(bench.state()).unwrap();
    let restore = "restore a backup, or move the file away";
    // Everything behind the page that names the tables; all of it; what a copy that broke off leaves.
    let mut damaged = good.clone();
    damaged[4096..].fill(0x5a);
    let cases: [(Vec<u8>, &[&str]); 3] = [
        (damaged, &["malformed", restore]),
        (vec![0x5a; good.len()], &["file is not a database", restore]),
        (good[..good.len() / 2].to_vec(), &["malformed", restore]),
    ];
    for (bytes, words) in cases {
        replace_state(&bench, Some(&bytes));
        refused(&bench, &["run"], words).await;
        refused(&bench, &["run", "--once"], words).await;
        refused(&bench, &["check"], words).await;
        refused(&bench, &["status"], words).await;
    }
    let sql = |statement: &str| {
        let script =
            "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as state: state.execute(sys.argv[2])";
        let mut python = Command::new("python3");
        python.args(["-c", script]).arg(bench.state()).arg(statement);
        assert!(python.status().expect("this test needs python3").success());
    };
    replace_state(&bench, Some(&good));
    sql("INSERT INTO _sqlx_migrations VALUES (9999, 'later', '2026-01-01', 1, x'00', 0)");
    let newer = ["was written by a newer version of review-bridge; run that version, or restore a backup"];
    for arguments in [&["run"][..], &["run", "--once"], &["check"], &["status"], &["deliveries", "list"]] {
        refused(&bench, arguments, &newer).await;
    }
    replace_state(&bench, None);
    sql("CREATE TABLE messages (text)");
    refused(&bench, &["run"], &["another program, set `state.url` to another file"]).await;
    replace_state(&bench, Some(&good));
    assert_eq!(run(bridge(&bench, &["run", "--once"])).await.0, 0, "the backup works");
}

#[tokio::test]
async fn a_place_that_cannot_be_is_said_with_what_to_change() {
    let mut bench = bench(0).await;
    let rest = bench.rest.clone();
    std::fs::create_dir(bench.folder.path().join("folder")).unwrap();
    for (url, word) in [("nowhere/state.db", "create its folder"), ("folder", "set `state.url` to a file")] {
        bench.rest = format!("[state]\nurl = \"sqlite:{url}\"\n{rest}");
        let said = run(bridge(&bench, &["run"])).await;
        assert_refused(said, &bench.folder.path().join(url), &[word]);
    }
    assert!(bench.sandbox.requests().is_empty());
}

#[tokio::test]
async fn a_budget_that_cannot_be_asked_ends_it() {
    let bench = bench(1).await;
    bench.once().await;
    let script = "import sqlite3, sys\nwith sqlite3.connect(sys.argv[1]) as state: state.execute('DROP TABLE requests')";
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(bench.state());
    assert!(python.status().unwrap().success());
    let mut process = Process::start(&bench, &["run"]);
    assert_eq!(process.ended(LONG).await.code(), Some(1));
}
