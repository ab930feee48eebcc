//! Tables of the documents that are made from the code's own: `UPDATE_DOCS=1 cargo test --test it tables_are`
//! rewrites them between `<!-- generated: NAME -->` and `<!-- end -->`.

use super::{document, first_column, section};
use crate::style::BANNED;
use crate::tidy::root;
use regex::{NoExpand, Regex};
use review_bridge::destination::{COMMON_KEYS, Key, Kind, TABLE};
use review_bridge::rules::condition;
use review_bridge::upstream::Endpoint;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

const DESTINATIONS: &str = "docs/destinations.md";
/// Above this line, kinds get a section that have none.
const MORE_KINDS: &str = "<!-- kinds without a section";

/// A table that is made from the code.
struct Generated {
    document: &'static str,
    name: String,
    text: String,
}

fn all() -> Vec<Generated> {
    let one = |document, name: &str, text| Generated { document, name: name.to_owned(), text };
    let mut all = vec![
        one("docs/rules.md", "conditions", conditions()),
        one("docs/configuration.md", "endpoints", endpoints()),
        one("docs/style.md", "words", words()),
        one(DESTINATIONS, "kinds", kinds()),
        one(DESTINATIONS, "common keys", keys(COMMON_KEYS)),
    ];
    let of_kind = |kind: &&Kind| one(DESTINATIONS, &format!("keys of {}", kind.name), keys(kind.keys));
    all.extend(TABLE.iter().map(of_kind));
    all
}

fn conditions() -> String {
    let mut table = String::from("| condition | holds if | example |\n|---|---|---|\n");
    for row in condition::TABLE {
        let example = row.example.replace('|', "\\|");
        writeln!(table, "| `{}` | {} | `{example}` |", row.key, prose(row.summary)).unwrap();
    }
    table
}

fn endpoints() -> String {
    let mut table = String::from("| key | default |\n|---|---|\n");
    for endpoint in Endpoint::ALL {
        writeln!(table, "| `{}` | `\"{}\"` |", endpoint.key(), endpoint.default_path()).unwrap();
    }
    table
}

fn words() -> String {
    let mut table = String::from("| instead of | write |\n|---|---|\n");
    for banned in BANNED {
        writeln!(table, "| {} | {} |", banned.shown, banned.instead).unwrap();
    }
    table
}

fn kinds() -> String {
    let mut table = String::from("| type | what it is | `rate_limit` unless set |\n|---|---|---|\n");
    for kind in TABLE {
        writeln!(table, "| `{}` | {} | `\"{}\"` |", kind.name, prose(kind.summary), kind.default_rate)
            .unwrap();
    }
    table
}

fn keys(keys: &[Key]) -> String {
    let mut table = String::from("| key | meaning |\n|---|---|\n");
    for key in keys {
        let twin = if key.secret { format!("; a secret, or `{}_file`", key.name) } else { String::new() };
        writeln!(table, "| `{}` | {}{twin} |", key.name, prose(key.summary)).unwrap();
    }
    table
}

/// As text of a cell: what Markdown would take for markup is escaped, but in code.
fn prose(text: &str) -> String {
    let mut is_code = false;
    let mut escaped = String::new();
    for c in text.chars() {
        is_code ^= c == '`';
        if c == '|' || (!is_code && matches!(c, '<' | '*' | '_' | '[')) {
            escaped.push('\\');
        }
        escaped.push(c);
    }
    escaped
}

/// An example with every setting of it, but of a secret and the file that may hold it only the secret.
fn uncommented(example: &str) -> String {
    let setting = Regex::new(r"(?m)^# (\[|\w+ = )").unwrap();
    let twin = Regex::new(r"^# \w+_file = ").unwrap();
    let kept = example.trim().lines().filter(|line| !twin.is_match(line)).collect::<Vec<_>>().join("\n");
    setting.replace_all(&kept, "$1").into_owned()
}

/// The section of a kind that nobody has written one for: its summary, its keys and its example.
fn section_of(kind: &Kind) -> String {
    let path = root().join("src/destination").join(kind.name).join("example.toml");
    let example = std::fs::read_to_string(&path).unwrap_or_else(|_| {
        panic!("{DESTINATIONS}: write a section for `{}`, or {}", kind.name, path.display())
    });
    let example = uncommented(&example);
    format!(
        "## {}\n\nSends to {}.\n\n<!-- generated: keys of {} -->\n<!-- end -->\n\n```toml\n{example}\n```\n\n",
        kind.name, kind.summary, kind.name
    )
}

fn marked(name: &str) -> Regex {
    Regex::new(&format!(r"(?s)<!-- generated: {} -->\n.*?<!-- end -->", regex::escape(name))).unwrap()
}

#[test]
fn tables_are_those_of_the_code() {
    let update = std::env::var_os("UPDATE_DOCS").is_some();
    let generated = all();
    let mut texts: BTreeMap<&str, String> = BTreeMap::new();
    for one in &generated {
        texts.entry(one.document).or_insert_with(|| document(one.document));
    }
    let mut stale = Vec::new();
    for kind in TABLE {
        let text = texts.get_mut(DESTINATIONS).unwrap();
        if !marked(&format!("keys of {}", kind.name)).is_match(text) {
            assert!(update, "{DESTINATIONS} has no section of `{}`: UPDATE_DOCS=1 adds one", kind.name);
            *text = text.replace(MORE_KINDS, &format!("{}{MORE_KINDS}", section_of(kind)));
        }
    }
    for one in &generated {
        let text = texts.get_mut(one.document).unwrap();
        let pattern = marked(&one.name);
        assert!(pattern.is_match(text), "{} has no place for the table `{}`", one.document, one.name);
        let wanted = format!("<!-- generated: {} -->\n{}<!-- end -->", one.name, one.text);
        let renewed = pattern.replace(text, NoExpand(&wanted)).into_owned();
        if renewed != *text {
            stale.push(format!("{}: `{}`", one.document, one.name));
        }
        *text = renewed;
    }
    let known: BTreeSet<&str> = generated.iter().map(|one| one.name.as_str()).collect();
    let marker = Regex::new(r"<!-- generated: (.+?) -->").unwrap();
    for (name, text) in &texts {
        for found in marker.captures_iter(text) {
            assert!(known.contains(&found[1]), "{name}: no table `{}` is made from the code", &found[1]);
        }
        if update {
            // Other tests may be reading it.
            let new = root().join(format!("{name}.new"));
            std::fs::write(&new, text).unwrap();
            std::fs::rename(&new, root().join(name)).unwrap();
        }
    }
    assert!(update || stale.is_empty(), "not what the code says; UPDATE_DOCS=1 rewrites it: {stale:?}");
}

/// Every key that the starter file states, and no other, has its row in docs/configuration.md.
#[test]
fn keys_of_the_configuration_are_those_of_the_starter_file() {
    let setting = Regex::new(r"(?m)^# (\[|[a-z_]+ = )").unwrap();
    let starter = document("config.toml.example");
    let starter: toml::Table = setting.replace_all(&starter, "$1").parse().unwrap();
    let text = document("docs/configuration.md");
    let tables = |value: &toml::Value| -> Vec<toml::Table> {
        match value {
            toml::Value::Array(items) => items.iter().filter_map(|item| item.as_table().cloned()).collect(),
            other => Vec::from_iter(other.as_table().cloned()),
        }
    };
    let at = |path: &[&str]| {
        let root = vec![starter.clone()];
        path.iter()
            .fold(root, |found, key| found.iter().filter_map(|one| one.get(*key)).flat_map(tables).collect())
    };
    for (path, heading) in [
        (&["accounts", "main"][..], "## `[accounts.NAME]`"),
        (&["accounts", "main", "endpoints"], "### `[accounts.NAME.endpoints]`"),
        (&["rules"], "## `[[rules]]`"),
        (&["tests"], "## `[[tests]]`"),
        (&["tests", "review"], "### `[tests.review]`"),
        (&["operator"], "## `[operator]`"),
        (&["smtp"], "## `[smtp]`"),
        (&["state"], "## `[state]`"),
        (&["http"], "## `[http]`"),
        (&["log"], "## `[log]`"),
    ] {
        let stated: BTreeSet<String> = at(path).iter().flat_map(|table| table.keys().cloned()).collect();
        let is_twin = |key: &String| key.strip_suffix("_file").is_some_and(|own| stated.contains(own));
        let stated: BTreeSet<String> = stated.iter().filter(|key| !is_twin(key)).cloned().collect();
        assert!(!stated.is_empty(), "{heading}");
        assert_eq!(first_column(section(&text, heading)), stated, "{heading}");
    }
    // At the top, what is no table.
    let plain = |(key, value): (&String, &toml::Value)| tables(value).is_empty().then(|| key.clone());
    let stated: BTreeSet<String> = starter.iter().filter_map(plain).collect();
    assert_eq!(first_column(section(&text, "## Top level")), stated);
}

/// Those that a new kind's section is made with load, too.
#[test]
fn every_kind_has_an_example() {
    let text = document(DESTINATIONS);
    for kind in TABLE {
        assert!(text.contains(&format!("type = \"{}\"", kind.name)), "no example of `{}`", kind.name);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        let section = section_of(kind);
        let example = super::blocks(&section, "toml").remove(0);
        // A secret that is shown as … is none.
        let example = example.replace("whsec_…", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").replace('…', "x");
        std::fs::write(&path, super::complete(&example)).unwrap();
        let none: [(String, String); 0] = [];
        if let Err(failure) = review_bridge::config::load(Some(&path), none, folder.path()) {
            panic!("{failure}\n{section}");
        }
    }
}
