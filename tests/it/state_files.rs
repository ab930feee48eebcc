//! The files of a state: one owner, whatever the state is called; watched while they are used; never another user's.

use crate::harness::component::{DISK, is_root, mount, unmount};
use crate::harness::process::{Process, command, log, run, until};
use crate::harness::*;
use review_bridge::app::{App, AppError};
use review_bridge::config;
use review_bridge::sandbox::Options;
use review_bridge::store::sqlite::{Access, SqliteStore, owner};
use review_bridge::store::{Store, StoreError};
use std::os::unix::fs::{MetadataExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::net::TcpListener;

const LONG: Duration = Duration::from_secs(60);
/// Debian's `nobody`.
const NOBODY: u32 = 65534;

async fn refused(path: &Path, access: Access) -> String {
    match SqliteStore::open(path, access).await {
        Err(error @ (StoreError::Locked { .. } | StoreError::OtherName { .. })) => error.to_string(),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("{} was opened a second time", path.display()),
    }
}

// H12
#[tokio::test]
async fn a_second_owner_is_refused_by_whatever_name_it_opens_the_state() {
    let folder = folder();
    let path = folder.path().join("state.db");
    let first = SqliteStore::open(&path, Access::Own).await.unwrap();
    let (soft, hard) = (folder.path().join("soft.db"), folder.path().join("hard.db"));
    symlink(&path, &soft).unwrap();
    std::fs::hard_link(&path, &hard).unwrap();
    for name in [&path, &soft] {
        let said = refused(name, Access::Own).await;
        assert!(said.contains(&format!("process {}", std::process::id())), "{said}");
        assert!(owner(name).is_some());
        SqliteStore::open(name, Access::Beside).await.unwrap().close().await;
    }
    // SQLite keeps its log by the name of the file: by another, even reading is not safe.
    for access in [Access::Own, Access::Beside] {
        let said = refused(&hard, access).await;
        assert!(said.contains("by another name") && said.contains("hard.db"), "{said}");
    }
    let bound = folder.path().join("bound.db");
    std::fs::write(&bound, "").unwrap();
    if DISK.is_here() {
        assert!(mount(&["--bind", path.to_str().unwrap()], &bound));
        assert!(refused(&bound, Access::Own).await.contains("by another name"));
        assert!(unmount(&bound));
    }
    first.close().await;
    drop(first);
    SqliteStore::open(&soft, Access::Own).await.unwrap().close().await;
    SqliteStore::open(&hard, Access::Own).await.unwrap().close().await;
}

async fn bench() -> Bench {
    let mut bench = Bench::real(Options::default()).await;
    bench.rest.insert_str(0, "[http]\nlisten = \"\"\n");
    bench.account = "poll_interval = \"5s\"".into();
    bench
}

type Change = fn(&Path);

// H11
#[tokio::test]
async fn a_state_that_is_moved_deleted_or_replaced_ends_the_bridge_which_says_so() {
    let wal = |path: &Path| PathBuf::from(format!("{}-wal", path.display()));
    let away = |path: &Path| std::fs::rename(path, path.with_extension("away")).unwrap();
    let changes: [(&str, Change, &str); 5] = [
        ("deleted", |path| std::fs::remove_file(path).unwrap(), "was deleted or renamed"),
        ("renamed", away, "was deleted or renamed"),
        (
            "replaced",
            |path| {
                std::fs::copy(path, path.with_extension("new")).unwrap();
                std::fs::rename(path.with_extension("new"), path).unwrap();
            },
            "was replaced by another file",
        ),
        (
            "log deleted",
            |path| std::fs::remove_file(format!("{}-wal", path.display())).unwrap(),
            "-wal` was deleted",
        ),
        (
            "folder renamed",
            |path| {
                let folder = path.parent().unwrap();
                std::fs::rename(folder, folder.with_extension("away")).unwrap();
            },
            "was deleted or renamed",
        ),
    ];
    for (what, change, words) in changes {
        let mut bench = bench().await;
        let folder = bench.folder.path().join("state");
        std::fs::create_dir(&folder).unwrap();
        bench.before = "[state]\nurl = \"sqlite:state/state.db\"".into();
        let state = folder.join("state.db");
        bench.review("a", GOOGLE_NL, 5.0, "Mooi");
        let mut process = Process::start(&bench, &["run"]);
        until("it is marked", LONG, || bench.marked().len() == 1).await;
        assert!(wal(&state).exists());
        change(&state);
        let code = process.ended(Duration::from_secs(10)).await.code();
        assert_eq!(code, Some(1), "{what}: {}", log(&bench));
        assert!(log(&bench).contains(words), "{what}: {}", log(&bench));
        assert_eq!(bench.told("crm").values().sum::<usize>(), 1, "{what}: sent twice");
    }
}

// H11
#[tokio::test]
async fn nothing_is_leased_or_recorded_in_a_file_that_is_gone() {
    let folder = folder();
    let path = folder.path().join("state.db");
    let store = SqliteStore::open(&path, Access::Own).await.unwrap();
    store.pause("crm", true, NOW).await.unwrap();
    std::fs::rename(&path, folder.path().join("away.db")).unwrap();
    let error = store.pause("crm", false, NOW).await.unwrap_err();
    assert!(matches!(error, StoreError::Moved { .. }), "{error}");
    std::fs::rename(folder.path().join("away.db"), &path).unwrap();
    store.pause("crm", false, NOW).await.unwrap();
    store.close().await;
}

// first-use 7
#[tokio::test]
async fn a_second_run_is_refused_for_the_state_not_for_the_port() {
    let bench = Bench::new().await;
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let first = bench.app().await;
    let none: [(String, String); 0] = [];
    let mut settings = config::load(Some(&bench.write_config()), none, bench.folder.path()).unwrap().settings;
    settings.http.listen = Some(taken.local_addr().unwrap());
    let second = App::build(settings.clone(), bench.clock.clone()).await.err().unwrap();
    assert!(matches!(second, AppError::Store(StoreError::Locked { .. })), "{second}");
    first.close().await;
    let third = App::build(settings, bench.clock.clone()).await.err().unwrap();
    assert!(matches!(third, AppError::Listen { .. }), "{third}");
}

// The smaller ones: a state that root creates before the first start.
#[tokio::test]
async fn what_root_creates_in_another_users_folder_belongs_to_that_user() {
    if !is_root() {
        return;
    }
    for arguments in [&["destinations", "pause", "crm"][..], &["run", "--once"]] {
        let mut bench = bench().await;
        let folder = bench.folder.path().join("state");
        std::fs::create_dir(&folder).unwrap();
        chown(&folder, Some(NOBODY), Some(NOBODY)).unwrap();
        bench.before = "[state]\nurl = \"sqlite:state/state.db\"".into();
        let mut bridge = command(&bench);
        bridge.arg("--config").arg(bench.write_config()).args(arguments);
        let (code, said) = run(bridge).await;
        assert_eq!(code, 0, "{said}");
        let mut names = Vec::new();
        for entry in std::fs::read_dir(&folder).unwrap() {
            let entry = entry.unwrap();
            let metadata = entry.metadata().unwrap();
            let name = entry.file_name().into_string().unwrap();
            assert_eq!((metadata.uid(), metadata.gid()), (NOBODY, NOBODY), "{name}");
            assert_eq!(metadata.mode() & 0o777, 0o600, "{name}");
            names.push(name);
        }
        assert!(names.contains(&"state.db".to_owned()), "{names:?}");
    }
}

#[tokio::test]
async fn check_creates_no_state() {
    let bench = bench().await;
    for arguments in [&["check"][..], &["check", "--offline"], &["status"], &["destinations", "list"]] {
        let mut bridge = command(&bench);
        bridge.arg("--config").arg(bench.write_config()).args(arguments);
        let (_, said) = run(bridge).await;
        let mut entries = std::fs::read_dir(bench.folder.path()).unwrap();
        let created = entries.any(|entry| entry.unwrap().file_name().to_string_lossy().contains(".db"));
        assert!(!created, "{arguments:?}: {said}");
    }
}
