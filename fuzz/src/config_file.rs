//! Any bytes as the configuration file, with no environment above it.
//!
//! The files that it names are not opened: where a key ends in `_file` or is `templates_dir`, a file that does not
//! exist takes its place.

use review_bridge::config::{self, Failure, Loaded, show};
use review_bridge::domain::text::is_unsafe;
use std::collections::BTreeSet;
use std::path::Path;
use toml::de::{DeTable, DeValue};
use toml::{Table, Value};

/// A folder with nothing in it.
const FOLDER: &str = "/nonexistent";
/// Secrets, `*` being any name.
const SECRETS: &[&str] = &[
    "accounts.*.token",
    "accounts.*.password",
    "destinations.*.webhook_url",
    "destinations.*.url",
    "destinations.*.secret",
    "state.url",
    "operator.heartbeat_url",
    "smtp.password",
    "http.password",
];

/// No file panics, every problem has its place and is told in safe words, and no secret is ever printed.
pub fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return assert_refused(&read(data).unwrap_err(), &BTreeSet::new());
    };
    let unmarked = text.strip_prefix('\u{FEFF}').unwrap_or(text);
    let Ok(parsed) = DeTable::parse(unmarked) else {
        // What cannot be read may hold a secret anywhere.
        return assert_refused(&read(data).unwrap_err(), &words(text));
    };
    let mut seen = Seen::default();
    parsed.get_ref().iter().for_each(|(key, value)| seen.table_entry("", key.get_ref(), value.get_ref()));
    let hidden = seen.hidden();
    if !seen.names_files {
        return check_values(data, &hidden);
    }
    // Numbers beyond 64 bits, which a `Table` cannot hold, are not worth the files.
    if let Ok(mut table) = unmarked.parse::<Table>() {
        name_no_files(&mut table);
        check_values(table.to_string().as_bytes(), &hidden);
    }
}

fn read(data: &[u8]) -> Result<Loaded, Failure> {
    config::read(data.to_vec(), Path::new(FOLDER))
}

fn check_values(data: &[u8], hidden: &BTreeSet<String>) {
    match read(data) {
        Err(failure) => assert_refused(&failure, hidden),
        Ok(loaded) => assert_loaded(data, &loaded, hidden),
    }
}

/// What is said of a file that is refused.
fn assert_refused(failure: &Failure, hidden: &BTreeSet<String>) {
    assert!(!failure.problems.is_empty());
    let told = failure.to_string();
    assert!(!told.contains(|c| is_unsafe(c) || c == '\t'), "{told:?}");
    assert!(told.len() <= 1024 * 1024);
    assert_silent(&told, hidden);
    assert_silent(&format!("{failure:?}"), hidden);
    for problem in &failure.problems {
        assert!(!problem.what.is_empty() && problem.origin == "config.toml", "{problem:?}");
    }
}

/// What is said of one that is good: it can be read again, and tells what was set.
fn assert_loaded(data: &[u8], loaded: &Loaded, hidden: &BTreeSet<String>) {
    let shown = show(loaded);
    assert!(!shown.contains(is_unsafe), "{shown:?}");
    assert_silent(&shown, hidden);
    assert_silent(&format!("{loaded:?} {:?}", loaded.warnings), hidden);
    assert!(!loaded.settings.accounts.is_empty() && !loaded.settings.rules.is_empty());
    let shown: Table = shown.parse().unwrap_or_else(|error| panic!("{error}\n{shown}"));
    let set: Table = std::str::from_utf8(data).unwrap().trim_start_matches('\u{FEFF}').parse().unwrap();
    assert_tells(&Value::Table(shown), &Value::Table(set), "");
}

/// Whatever was set is shown as it was set, unless it is a secret.
fn assert_tells(shown: &Value, set: &Value, path: &str) {
    if is_secret(path) {
        return assert_eq!(shown.as_str(), Some("[redacted]"), "{path}");
    }
    match (shown, set) {
        (Value::Table(shown), Value::Table(set)) => {
            for (key, value) in set {
                let path = join(path, key);
                assert_tells(shown.get(key).unwrap_or_else(|| panic!("{path}")), value, &path);
            }
        }
        (Value::Array(shown), Value::Array(set)) => {
            assert_eq!(shown.len(), set.len(), "{path}");
            shown.iter().zip(set).for_each(|(shown, set)| assert_tells(shown, set, &format!("{path}[]")));
        }
        (shown, set) => assert_eq!(shown, set, "{path}"),
    }
}

fn assert_silent(told: &str, hidden: &BTreeSet<String>) {
    for secret in hidden {
        assert!(!told.contains(secret), "`{secret}` is told: {told}");
    }
}

/// What a parsed file holds, in words.
#[derive(Default)]
struct Seen {
    /// Words of secrets.
    secrets: BTreeSet<String>,
    /// The letters and digits of each text that may be told.
    shown: Vec<String>,
    /// Whether anything names a file.
    names_files: bool,
}

impl Seen {
    /// The secrets that do not stand elsewhere, too.
    fn hidden(&self) -> BTreeSet<String> {
        let hidden =
            self.secrets.iter().filter(|secret| !self.shown.iter().any(|text| text.contains(*secret)));
        hidden.cloned().collect()
    }

    fn may_be_told(&mut self, text: &str) {
        self.shown.push(text.chars().filter(char::is_ascii_alphanumeric).collect());
    }

    fn table_entry(&mut self, path: &str, key: &str, value: &DeValue<'_>) {
        self.may_be_told(key);
        self.names_files |= names_a_file(key);
        self.value(&join(path, key), value);
    }

    fn value(&mut self, path: &str, value: &DeValue<'_>) {
        let secret = is_secret(path);
        match value {
            DeValue::Table(table) if secret => self.secrets.extend(words(&format!("{table:?}"))),
            DeValue::Array(items) if secret => self.secrets.extend(words(&format!("{items:?}"))),
            DeValue::Table(table) => {
                table.iter().for_each(|(key, value)| self.table_entry(path, key.get_ref(), value.get_ref()));
            }
            DeValue::Array(items) => {
                items.iter().for_each(|item| self.value(&format!("{path}[]"), item.get_ref()));
            }
            // Where a file of the state is may be told; where a server is may hold a password.
            DeValue::String(text) if secret && !text.starts_with("sqlite:") => {
                self.secrets.extend(words(text))
            }
            DeValue::String(text) => self.may_be_told(text),
            other => self.may_be_told(&format!("{other:?}")),
        }
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

fn is_secret(path: &str) -> bool {
    SECRETS.iter().any(|secret| match secret.split_once(".*.") {
        Some((first, last)) => {
            let name = path.strip_prefix(first).and_then(|rest| rest.strip_prefix('.'));
            let name = name.and_then(|rest| rest.strip_suffix(last)?.strip_suffix('.'));
            name.is_some_and(|name| !name.is_empty() && !name.contains('.'))
        }
        None => path == *secret,
    })
}

fn names_a_file(key: &str) -> bool {
    key.ends_with("_file") || key == "templates_dir"
}

fn name_no_files(table: &mut Table) {
    for (key, value) in table {
        match value {
            Value::String(path) if names_a_file(key) => *path = "missing".into(),
            value => name_no_files_in(value),
        }
    }
}

fn name_no_files_in(value: &mut Value) {
    match value {
        Value::Table(table) => name_no_files(table),
        Value::Array(items) => items.iter_mut().for_each(name_no_files_in),
        _ => {}
    }
}

/// What could be a secret: runs of 12 letters and digits or more, with both of them; no text of ours has any.
fn words(text: &str) -> BTreeSet<String> {
    let runs = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|run| run.len() >= 12);
    let runs = runs.filter(|run| {
        run.contains(|c: char| c.is_ascii_digit()) && run.contains(|c: char| c.is_ascii_alphabetic())
    });
    runs.map(str::to_owned).collect()
}
