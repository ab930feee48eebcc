//! The environment above the file: names, values, twins, and what it may not do.

use super::super::environment::{self, Assignment};
use super::super::file::{find, parse};
use super::super::layers::{self, Layers};
use super::{Folder, with};
use crate::domain::Backfill;
use crate::settings::Table;
use std::path::Path;

const TOKEN: &str = "REVIEW_BRIDGE__ACCOUNTS__MAIN__TOKEN";
const TOKEN_FILE: &str = "REVIEW_BRIDGE__ACCOUNTS__MAIN__TOKEN_FILE";

fn merged(file: &str, variables: &[(&str, &str)]) -> Layers {
    let assignments: Vec<Assignment> = environment::read(variables.iter().copied()).assignments;
    let found = find(Some(Path::new("config.toml")), None, Path::new("."), Path::new("/")).unwrap();
    layers::merge(parse(file).unwrap(), &assignments, &found)
}

/// What `accounts.main.KEY` is as a secret.
fn account_secret(file: &str, key: &str, variables: &[(&str, &str)]) -> Result<String, String> {
    let layers = merged(file, variables);
    let root = Table::new("", &layers.dict, &layers.source);
    let secret = root.table("accounts").unwrap().table("main").unwrap().secret(key);
    match secret {
        Some(secret) => Ok(secret.expose().to_owned()),
        None => Err(layers.source.problems.into_vec().iter().map(ToString::to_string).collect()),
    }
}

#[test]
fn text_from_the_environment_is_verbatim() {
    for text in
        ["12345", "00123", "true", "1e9", "2020-01-01", "[1]", "{ a = 1 }", "\"quoted\"", " spaced ", "a=b#c"]
    {
        let variables = [("REVIEW_BRIDGE__ACCOUNTS__MAIN__PASSWORD", text)];
        assert_eq!(account_secret("", "password", &variables).as_deref(), Ok(text));
    }
}

#[test]
fn other_keys_take_it_as_toml() {
    let folder = with("");
    let loaded = folder
        .load(&[
            ("REVIEW_BRIDGE__ACCOUNTS__MAIN__RATING_SCALES", "{ Kiyoh = 10 }"),
            ("REVIEW_BRIDGE__ACCOUNTS__MAIN__REQUESTS_PER_MINUTE", "5"),
            ("REVIEW_BRIDGE__ACCOUNTS__MAIN__POLL_INTERVAL", "90s"),
            ("REVIEW_BRIDGE__OPERATOR__NOTIFY", "[\"ops\"]"),
            ("REVIEW_BRIDGE__HTTP__LISTEN", ""),
        ])
        .unwrap();
    let policy = &loaded.settings.accounts["main"].policy;
    assert_eq!(policy.rating_scales.of(["kiyoh"]), Some(10.0));
    assert_eq!(policy.poll_interval.as_secs(), 90);
    assert_eq!(loaded.settings.operator.notify, ["ops"]);
    assert_eq!(loaded.settings.http.listen, None);
    let injected = [("REVIEW_BRIDGE__ACCOUNTS__MAIN__REQUESTS_PER_MINUTE", "5\nother = 6")];
    assert_eq!(folder.problems(&injected).len(), 1);
}

#[test]
fn the_environment_beats_the_file_and_names_have_no_case() {
    let folder = with("[log]\nlevel = 'error'\n[operator]\nnotify = ['ops', 'ops']");
    let loaded = folder.load(&[("review_bridge__Log__LEVEL", "debug")]).unwrap();
    assert_eq!(loaded.settings.log.level, "debug");
    // An array is replaced, not added to.
    let loaded = folder.load(&[("REVIEW_BRIDGE__OPERATOR__NOTIFY", "[]")]).unwrap();
    assert_eq!(loaded.settings.operator.notify, Vec::<String>::new());
    // A key of a table leaves its other keys alone.
    let variable = [("REVIEW_BRIDGE__ACCOUNTS__MAIN__BACKFILL", "all")];
    let loaded = with("[accounts.main.rating_scales]\nKiyoh = 10").load(&variable).unwrap();
    let policy = &loaded.settings.accounts["main"].policy;
    assert_eq!((policy.backfill, policy.rating_scales.of(["kiyoh"])), (Backfill::All, Some(10.0)));
    // A whole account can come from there.
    let loaded = folder.load(&[("REVIEW_BRIDGE__ACCOUNTS__SHOP_DE__TOKEN", "x")]).unwrap();
    assert_eq!(loaded.settings.accounts.keys().collect::<Vec<_>>(), ["main", "shop_de"]);
}

#[test]
fn rust_log_beats_the_file_only() {
    let folder = with("[log]\nlevel = 'error'");
    let level = |variables: &[(&str, &str)]| folder.load(variables).unwrap().settings.log.level;
    assert_eq!(level(&[("RUST_LOG", "warn")]), "warn");
    assert_eq!(level(&[("RUST_LOG", "")]), "error");
    assert_eq!(level(&[("RUST_LOG", "warn"), ("REVIEW_BRIDGE__LOG__LEVEL", "debug")]), "debug");
    assert_eq!(folder.problems(&[("RUST_LOG", "inof")]), ["RUST_LOG|log.level|is not a log level"]);
}

#[test]
fn unknown_variables_are_errors_and_foreign_ones_are_not() {
    let folder = with("");
    let foreign =
        [("REVIEW_BRIDGE_IMAGE", "x"), ("REVIEW_BRIDGE", "x"), ("PATH", "x"), ("MY_REVIEW_BRIDGE__A", "x")];
    assert_eq!(folder.problems(&foreign), Vec::<String>::new());
    for (variable, path) in [
        ("REVIEW_BRIDGE__LGO__LEVEL", "lgo"),
        ("REVIEW_BRIDGE__LOG__LEVLE", "log.levle"),
        ("REVIEW_BRIDGE__ACCOUNTS__MAIN___TOKEN", "accounts.main._token"),
        ("REVIEW_BRIDGE__ACCOUNTS__MAIN__TOKENS", "accounts.main.tokens"),
    ] {
        assert_eq!(folder.problems(&[(variable, "x")]), [format!("{variable}|{path}|unknown key")]);
    }
    for variable in [
        "REVIEW_BRIDGE__",
        "REVIEW_BRIDGE__LOG__",
        "REVIEW_BRIDGE____LOG",
        "REVIEW_BRIDGE__A__B__C__D__E__F__G__H__I",
    ] {
        let problems = folder.problems(&[(variable, "x")]);
        assert!(problems.len() == 1 && problems[0].ends_with("does not name a setting"), "{problems:?}");
    }
}

#[test]
fn rules_and_tests_exist_only_in_the_file() {
    let folder = with("");
    for variable in ["REVIEW_BRIDGE__RULES", "REVIEW_BRIDGE__TESTS__0__NAME", "review_bridge__rules__to"] {
        let problems = folder.problems(&[(variable, "[]")]);
        assert!(problems.len() == 1 && problems[0].ends_with("can only be set in the file"), "{problems:?}");
    }
}

#[test]
fn one_place_of_an_array_cannot_be_set() {
    let problems =
        with("[operator]\nnotify = ['ops']").problems(&[("REVIEW_BRIDGE__OPERATOR__NOTIFY__0", "x")]);
    assert_eq!(problems, ["REVIEW_BRIDGE__OPERATOR__NOTIFY__0|operator.notify|is not a list"]);
}

#[test]
fn one_key_has_one_variable() {
    let folder = with("");
    let twice =
        folder.problems(&[("REVIEW_BRIDGE__LOG__LEVEL", "info"), ("review_bridge__log__level", "warn")]);
    assert!(twice.len() == 1 && twice[0].contains("`REVIEW_BRIDGE__LOG__LEVEL`"), "{twice:?}");
    let inside = [("REVIEW_BRIDGE__LOG", "{ level = 'info' }"), ("REVIEW_BRIDGE__LOG__FORMAT", "json")];
    let inside = folder.problems(&inside);
    assert!(inside.len() == 1 && inside[0].contains("`REVIEW_BRIDGE__LOG`"), "{inside:?}");
}

#[test]
fn a_higher_layers_twin_replaces_both_below() {
    let folder = tempfile::tempdir().unwrap();
    let [low, high] = ["low", "high"].map(|name| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("{name}-file\r\n")).unwrap();
        path.display().to_string()
    });
    let plain_below = "[accounts.main]\ntoken = 'low'";
    let file_below = format!("[accounts.main]\ntoken_file = '{low}'");
    for below in [plain_below, &file_below] {
        assert_eq!(account_secret(below, "token", &[(TOKEN, "high")]).as_deref(), Ok("high"));
        assert_eq!(account_secret(below, "token", &[(TOKEN_FILE, &high)]).as_deref(), Ok("high-file"));
    }
    let both = "together with `token_file`";
    let both_above = account_secret(plain_below, "token", &[(TOKEN, "high"), (TOKEN_FILE, &high)]);
    assert!(both_above.unwrap_err().contains(both));
    let both_below = format!("{plain_below}\ntoken_file = '{low}'");
    for variables in [&[][..], &[(TOKEN, "high")], &[(TOKEN_FILE, high.as_str())]] {
        assert!(account_secret(&both_below, "token", variables).unwrap_err().contains(both));
    }
}

#[test]
fn a_problem_names_the_variable_it_came_from() {
    let folder = with("[log]\nformat = 'xml'");
    let problems = folder.problems(&[
        ("REVIEW_BRIDGE__ACCOUNTS__MAIN__POLL_INTERVAL", "soon"),
        ("REVIEW_BRIDGE__LOG__LEVEL", "loud"),
        ("REVIEW_BRIDGE__ACCOUNTS__MAIN__RATING_SCALES", "{ Kiyoh = 'ten' }"),
        ("REVIEW_BRIDGE__ACCOUNTS__Shop__De__TOKEN", "x"),
        ("REVIEW_BRIDGE__ACCOUNTS__2NL__TOKEN", "x"),
    ]);
    for expected in [
        "REVIEW_BRIDGE__ACCOUNTS__MAIN__POLL_INTERVAL|accounts.main.poll_interval|is not a duration",
        "REVIEW_BRIDGE__LOG__LEVEL|log.level|is not a log level",
        "REVIEW_BRIDGE__ACCOUNTS__MAIN__RATING_SCALES|accounts.main.rating_scales.Kiyoh|is not a number",
        "REVIEW_BRIDGE__ACCOUNTS__Shop__De__TOKEN|accounts.shop.de|unknown key",
        "REVIEW_BRIDGE__ACCOUNTS__2NL__TOKEN|accounts.2nl|is not a valid name",
        "config.toml|log.format|unknown value `xml`",
        "config.toml|accounts.shop.token|is missing",
    ] {
        assert!(problems.iter().any(|problem| problem == expected), "{expected}: {problems:#?}");
    }
    assert_eq!(problems.len(), 7, "{problems:#?}");
    // A table that both set something in is the file's.
    let mixed = with("[logs]\nz = 1").problems(&[("REVIEW_BRIDGE__LOGS__A", "x")]);
    assert_eq!(mixed, ["config.toml|logs|unknown key"]);
}

#[cfg(unix)]
#[test]
fn a_variable_that_is_not_text_is_a_problem() {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;
    let folder = Folder::new(super::LEAST);
    let bytes = OsString::from_vec(vec![b'a', 0xff]);
    let failure = super::load(None, [(TOKEN, bytes.clone())], folder.path()).unwrap_err();
    assert_eq!((failure.problems.len(), failure.problems[0].what.as_str()), (1, "is not valid UTF-8"));
    assert!(super::load(None, [("OTHER", bytes)], folder.path()).is_ok());
}
