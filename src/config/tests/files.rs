//! Which file is read, and what a file can be that is none.

use super::super::file::{find, parse};
use super::super::{Failure, load};
use super::{Folder, LEAST, with};
use std::path::Path;

const NO_VARIABLES: [(&str, &str); 0] = [];

fn only(failure: Failure) -> String {
    assert_eq!(failure.problems.len(), 1, "{failure}");
    failure.to_string()
}

#[test]
fn the_option_beats_the_variable_beats_the_folder() {
    let folder = with("[log]\nlevel = 'error'");
    for (name, level) in [("variable.toml", "warn"), ("option.toml", "debug")] {
        folder.write(name, format!("{LEAST}[log]\nlevel = '{level}'"));
    }
    let level = |explicit: Option<&str>, variables: &[(&str, &str)]| {
        let explicit = explicit.map(Path::new);
        load(explicit, variables.iter().copied(), folder.path()).unwrap().settings.log.level
    };
    let variable = [("REVIEW_BRIDGE_CONFIG", "variable.toml")];
    assert_eq!(level(None, &[]), "error");
    assert_eq!(level(None, &[("REVIEW_BRIDGE_CONFIG", "")]), "error");
    assert_eq!(level(None, &variable), "warn");
    assert_eq!(level(Some("option.toml"), &variable), "debug");
}

#[test]
fn the_system_file_is_the_last_resort() {
    let system = Folder::new(LEAST);
    let system_file = system.path().join("config.toml");
    let here = Folder::new(LEAST);
    let path = |folder: &Path| find(None, None, folder, &system_file).unwrap().path;
    assert_eq!(path(here.path()), here.path().join("config.toml"));
    std::fs::remove_file(here.path().join("config.toml")).unwrap();
    assert_eq!(path(here.path()), system_file);
    let none = find(None, None, here.path(), Path::new("/nonexistent/config.toml")).unwrap_err();
    assert!(
        none.what.contains("`config.toml`") && none.what.contains("`/nonexistent/config.toml`"),
        "{none}"
    );
    assert!(none.hint.contains("review-bridge config init"), "{none}");
}

#[test]
fn a_named_file_that_is_missing_is_a_problem_and_no_other_is_read() {
    let folder = Folder::new(LEAST);
    let text = only(load(Some(Path::new("missing.toml")), NO_VARIABLES, folder.path()).unwrap_err());
    assert!(text.contains("missing.toml: cannot be read: no such file"), "{text}");
    let text = only(folder.load(&[("REVIEW_BRIDGE_CONFIG", "gone.toml")]).unwrap_err());
    assert!(text.contains("gone.toml: cannot be read") && text.contains("REVIEW_BRIDGE_CONFIG"), "{text}");
}

#[test]
fn a_file_in_a_parent_folder_is_somebody_elses() {
    let folder = Folder::new(LEAST);
    let below = folder.path().join("below");
    std::fs::create_dir(&below).unwrap();
    assert!(find(None, None, &below, Path::new("/nonexistent")).is_err());
}

#[test]
fn relative_paths_start_at_the_files_folder() {
    let folder = Folder::new("");
    std::fs::create_dir(folder.path().join("etc")).unwrap();
    folder.write("etc/bridge.toml", LEAST);
    let loaded = load(Some(Path::new("etc/bridge.toml")), NO_VARIABLES, folder.path()).unwrap();
    let etc = folder.path().join("etc");
    assert_eq!(loaded.settings.folder, etc);
    assert_eq!(loaded.settings.state.path, etc.join("review-bridge.db"));
    assert_eq!(loaded.file, Some(etc.join("bridge.toml")));
}

#[test]
fn a_file_that_is_no_configuration() {
    let folder = Folder::new("");
    let problem = |contents: &[u8]| {
        folder.write("config.toml", contents);
        only(folder.load(&[]).unwrap_err())
    };
    assert!(problem(&vec![b'#'; 4 * 1024 * 1024 + 1]).contains("is larger than 4 MiB"));
    assert!(problem(b"a = 1\nb = '\xff'\n").contains("line 2 is not valid UTF-8"));
    assert!(problem(b"[log]\nlevel = \n").contains("line 2, column"));
    std::fs::remove_file(folder.path().join("config.toml")).unwrap();
    std::fs::create_dir(folder.path().join("config.toml")).unwrap();
    assert!(only(folder.load(&[]).unwrap_err()).contains("config.toml: cannot be read"));
}

#[test]
fn every_syntax_error_is_reported_with_its_place() {
    let folder = Folder::new("[log]\nlevel = info\nformat = \"text\n[http]\nlisten == \"\"\n");
    let problems = folder.problems(&[]);
    assert!(problems.len() == 3, "{problems:#?}");
    for (problem, line) in problems.iter().zip([2, 3, 5]) {
        assert!(problem.starts_with(&format!("config.toml||line {line}, column ")), "{problem}");
    }
}

#[test]
fn what_editors_do_to_files_is_harmless() {
    let folder = Folder::new(&format!("\u{FEFF}{}", LEAST.replace('\n', "\r\n")));
    assert_eq!(folder.problems(&[]), Vec::<String>::new());
}

#[test]
fn no_depth_overflows_the_stack() {
    for deep in [
        format!("{}=1", vec!["a"; 200_000].join(".")),
        format!("[{}]", vec!["a"; 200_000].join(".")),
        format!("a = {}", "[".repeat(200_000)),
        format!("a = {}", "{a=".repeat(200_000)),
    ] {
        assert!(parse(&deep).is_err());
    }
    let folder = with("");
    let deep = "[".repeat(100_000);
    assert_eq!(folder.problems(&[("REVIEW_BRIDGE__OPERATOR__NOTIFY", &deep)]).len(), 1);
}

#[test]
fn all_that_a_reload_depends_on_is_watched() {
    let folder = with("[operator]\nheartbeat_url_file = 'beat'\n");
    folder.write(
        "config.toml",
        format!("templates_dir = 'mine'\n{LEAST}[operator]\nheartbeat_url_file = 'beat'\n"),
    );
    folder.write("beat", "https://heartbeat.example/s3cret\n");
    std::fs::create_dir_all(folder.path().join("mine/slack")).unwrap();
    folder.write("mine/slack/review.json", "{}");
    let watched = folder.load(&[]).unwrap().watched;
    let expected: Vec<_> = ["config.toml", "beat", "mine", "mine/slack", "mine/slack/review.json"]
        .map(|name| folder.path().join(name))
        .into();
    assert_eq!(watched, expected);
}
