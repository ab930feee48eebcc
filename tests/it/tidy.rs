//! Holds the code to the architecture that `ARCHITECTURE.md` states.

mod image;
pub mod source;

use regex::Regex;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What each module may name of the crate, beside itself: rows above its own, and of these only what it needs.
const MAY_IMPORT: &[(&str, &[&str])] = &[
    // The ground: pure words, and what everything stands on.
    ("domain", &[]),
    ("task", &[]),
    ("telemetry", &[]),
    ("causes", &["domain"]),
    ("clock", &["domain"]),
    ("settings", &["domain"]),
    ("spelling", &["domain"]),
    ("outbound", &["causes", "settings"]),
    // The parts: each knows its own concern.
    ("upstream", &["causes", "clock", "domain", "outbound", "settings", "spelling"]),
    ("rules", &["domain", "settings", "spelling"]),
    ("presentation", &["clock", "domain"]),
    ("template", &["clock", "domain", "presentation", "settings"]),
    ("destination", &["causes", "clock", "domain", "outbound", "presentation", "settings", "template"]),
    // What the API calls malformed, and what a request is for, are kept as they are.
    ("store", &["domain", "settings", "upstream"]),
    ("config", &["destination", "domain", "outbound", "rules", "settings", "spelling", "upstream"]),
    // The work.
    ("intake", &["domain", "rules", "store", "upstream"]),
    ("poller", &["domain", "intake", "store", "upstream"]),
    ("outbox", &["clock", "destination", "domain", "rules", "settings", "store", "task", "upstream"]),
    // Its notices go where `outbox::Targets` says.
    ("operator", &["clock", "domain", "outbox", "store", "upstream"]),
    ("web", &["clock", "domain", "operator", "store", "task"]),
    ("sandbox", &["clock", "destination", "domain", "task", "upstream"]),
    // The whole.
    (
        "app",
        &[
            "clock",
            "config",
            "destination",
            "domain",
            "intake",
            "operator",
            "outbox",
            "poller",
            "rules",
            "settings",
            "store",
            "task",
            "template",
            "upstream",
            "web",
        ],
    ),
    // The whole on the table of a fair: it has a configuration of its own and shows what the receivers got.
    (
        "demo",
        &["app", "clock", "config", "destination", "domain", "rules", "sandbox", "settings", "store", "task"],
    ),
    (
        "cli",
        &[
            "app",
            "clock",
            "config",
            "demo",
            "destination",
            "domain",
            "intake",
            "operator",
            "outbox",
            "presentation",
            "rules",
            "sandbox",
            "settings",
            "store",
            "task",
            "telemetry",
            "upstream",
            "web",
        ],
    ),
];

/// What only its owners may contain.
struct Owned {
    what: &'static str,
    pattern: &'static str,
    /// Modules and files of `src/`.
    owners: &'static [&'static str],
}

const OWNED: &[Owned] = &[
    Owned { what: "SQL", pattern: r"\bsqlx\b", owners: &["store/"] },
    Owned { what: "the environment", pattern: r"\benv::(var|vars|set_|remove_)", owners: &["config/"] },
    Owned {
        what: "the time",
        pattern: r"\b(Instant|SystemTime|Zoned|jiff::Timestamp|Utc|Local)::now\b",
        owners: &["clock.rs"],
    },
    Owned { what: "spawning", pattern: r"\bspawn(_blocking|_local)?\(|\bthread::", owners: &["task.rs"] },
    Owned {
        what: "calls to elsewhere",
        pattern: r"\b(reqwest|hyper|lettre|hickory_resolver)::|\bTcpStream::connect|\blookup_host\b|\bUdpSocket\b",
        // The last asks this machine's own bridge.
        owners: &["outbound.rs", "upstream/", "destination/", "cli/healthcheck.rs"],
    },
    Owned { what: "standard output and error", pattern: r"\be?print(ln)?!", owners: &["main.rs"] },
    Owned {
        what: "allowing panics",
        pattern: r"(allow|expect)\([^)]*clippy::(unwrap_used|expect_used|panic)",
        owners: &[],
    },
    Owned {
        what: "process-wide state",
        pattern: r"\bstatic mut\b|\bthread_local!|\binstall_default\b|\bstatic \w+: .*\b(Mutex|RwLock|Atomic\w+|OnceLock|OnceCell)\b",
        owners: &[],
    },
];

/// What decides without doing: no I/O, no clock, not async.
const PURE: &[&str] = &[
    "domain/",
    "rules/",
    "spelling/",
    "intake/diff.rs",
    "outbox/burst.rs",
    "outbox/retry.rs",
    "outbox/slots.rs",
    "operator/course.rs",
    "operator/heart.rs",
    "operator/names.rs",
    "operator/problem.rs",
    "operator/verdict.rs",
    "operator/words.rs",
];

/// The repository.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `folder`, but not what builds, fuzzers and version control keep there.
pub fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let kept = ["target", ".git", "node_modules", "__pycache__", "corpus", "artifacts", "coverage"];
        if kept.contains(&&*name) {
            continue;
        }
        if path.is_dir() { files.extend(files_below(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

fn is_of(path: &str, places: &[&str]) -> bool {
    places.iter().any(|place| path == *place || place.ends_with('/') && path.starts_with(place))
}

#[test]
fn modules_name_only_what_is_below_them() {
    let allowed: BTreeMap<&str, &[&str]> = MAY_IMPORT.iter().copied().collect();
    let mut wrong = Vec::new();
    for file in source::production() {
        let module = file.module();
        if matches!(module, "lib" | "main") {
            continue;
        }
        let may = allowed.get(module).unwrap_or_else(|| panic!("`{module}` has no row in MAY_IMPORT"));
        for import in file.imports() {
            if import != module && !may.contains(&&*import) {
                wrong.push(format!("src/{}: `{module}` must not name `{import}`", file.path));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_table_of_imports_has_no_circle_and_no_row_too_many() {
    let mut above = BTreeSet::new();
    for (module, may) in MAY_IMPORT {
        let exists = root().join("src").join(format!("{module}.rs")).exists()
            || root().join("src").join(module).join("mod.rs").exists();
        assert!(exists, "there is no module `{module}`");
        for import in *may {
            assert!(
                above.contains(import),
                "`{module}` names `{import}`, which is not above it in the table"
            );
        }
        above.insert(*module);
    }
}

#[test]
fn what_is_owned_is_found_with_its_owner_only() {
    let files = source::production();
    let mut wrong = Vec::new();
    for owned in OWNED {
        let pattern = Regex::new(owned.pattern).unwrap();
        for file in files.iter().filter(|file| !is_of(&file.path, owned.owners)) {
            wrong.extend(file.lines_with(&pattern).iter().map(|line| format!("{}: {line}", owned.what)));
        }
        for owner in owned.owners {
            let used = files.iter().filter(|file| is_of(&file.path, &[owner]));
            let used = used.map(|file| file.lines_with(&pattern).len()).sum::<usize>();
            assert!(used > 0, "`{owner}` does not use {}: take it off the list", owned.what);
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn what_decides_does_nothing_else() {
    let doing =
        Regex::new(r"\basync\b|\.await\b|\btokio\b|std::(fs|io|net|env|process|thread)\b|::now\(").unwrap();
    let pure = source::production().into_iter().filter(|file| is_of(&file.path, PURE));
    let wrong: Vec<String> = pure.flat_map(|file| file.lines_with(&doing)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_domain_needs_nothing_but_the_standard_library_and_serde() {
    let manifest: toml::Table = std::fs::read_to_string(root().join("Cargo.toml")).unwrap().parse().unwrap();
    let crates = manifest["dependencies"].as_table().unwrap().keys().filter(|name| *name != "serde");
    let names: Vec<String> = crates.map(|name| name.replace('-', "_")).collect();
    let others = Regex::new(&format!(r"\b({})::", names.join("|"))).unwrap();
    let domain = source::production().into_iter().filter(|file| file.module() == "domain");
    let wrong: Vec<String> = domain.flat_map(|file| file.lines_with(&others)).collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_destination_knows_another() {
    let kinds: Vec<&str> = review_bridge::destination::TABLE.iter().map(|kind| kind.name).collect();
    let files = source::production();
    for kind in &kinds {
        let own =
            |path: &str| is_of(path, &[&format!("destination/{kind}/"), &format!("destination/{kind}.rs")]);
        let others: Vec<&str> = kinds.iter().copied().filter(|other| other != kind).collect();
        let other = Regex::new(&format!(r"\b(super|destination)::({})\b", others.join("|"))).unwrap();
        let of_kind: Vec<_> = files.iter().filter(|file| own(&file.path)).collect();
        assert!(!of_kind.is_empty(), "`{kind}` has no file of its name");
        for file in of_kind {
            assert!(file.lines_with(&other).is_empty(), "src/{} knows another kind", file.path);
        }
    }
}

#[test]
fn every_file_says_what_it_owns() {
    let mut files = files_below(&root().join("src"));
    files.extend(files_below(&root().join("tests")));
    files.extend(files_below(&root().join("fuzz")));
    for path in files.iter().filter(|path| path.extension().is_some_and(|extension| extension == "rs")) {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(text.starts_with("//! "), "{} does not open with `//! `", path.display());
    }
}

#[test]
fn the_map_of_the_crate_names_every_module() {
    let lib = std::fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let names = |pattern: &str| {
        let pattern = Regex::new(pattern).unwrap();
        pattern.captures_iter(&lib).map(|found| found[1].to_owned()).collect::<BTreeSet<_>>()
    };
    assert_eq!(names(r"(?m)^//! \| \[`(\w+)`\]"), names(r"(?m)^pub mod (\w+);"));
}

#[test]
fn the_numbers_of_migrations_are_without_gaps() {
    let mut numbers = Vec::new();
    for path in files_below(&root().join("migrations/sqlite")) {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        numbers.push(name.split('_').next().unwrap().parse::<usize>().unwrap());
    }
    assert_eq!(numbers, (1..=numbers.len()).collect::<Vec<_>>());
}

#[test]
fn nothing_here_speaks_of_where_it_was_made() {
    // In pieces, so that this file does not contain them.
    let parts = [
        ("/wor", "k/"),
        ("/tmp", "/wt"),
        ("/ro", "ot/"),
        ("../", "shared"),
        ("shared/", "design"),
        ("index.cra", "tes.io"),
        ("static.cra", "tes.io"),
        ("py", "pi.org"),
        ("pythonho", "sted.org"),
        ("registry.n", "pmjs.org"),
        ("deb.deb", "ian.org"),
    ];
    let words: Vec<String> = parts.iter().map(|(a, b)| regex::escape(&format!("{a}{b}"))).collect();
    let words = Regex::new(&words.join("|")).unwrap();
    for path in files_below(root()) {
        let shown = path.strip_prefix(root()).unwrap().display().to_string();
        let Ok(text) = std::fs::read_to_string(&path) else { continue };
        // Cargo writes these.
        if !shown.ends_with("Cargo.lock")
            && let Some(found) = words.find(&text)
        {
            panic!("{shown} names {}", found.as_str());
        }
    }
}
