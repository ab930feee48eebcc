//! Holds the image to the manifest, without building it: `.ci/run` builds it, or replays how.

use super::{files_below, root};
use regex::Regex;
use std::collections::BTreeSet;
use std::process::Command;

/// A file of the top level.
fn text(name: &str) -> String {
    std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn manifest() -> toml::Table {
    text("Cargo.toml").parse().unwrap()
}

/// The Dockerfile's instructions, one a line, without comments.
fn instructions() -> Vec<String> {
    let dockerfile = text("Dockerfile");
    let code: Vec<&str> = dockerfile.lines().filter(|line| !line.trim_start().starts_with('#')).collect();
    code.join("\n").replace("\\\n", " ").lines().map(str::to_owned).filter(|line| !line.is_empty()).collect()
}

/// The names of the top level that `.dockerignore` lets through.
fn let_through() -> BTreeSet<String> {
    let ignored = text(".dockerignore");
    let mut lines = ignored.lines().filter(|line| !line.starts_with('#'));
    assert_eq!(lines.next(), Some("*"), ".dockerignore lets everything through that it does not name");
    let name = Regex::new(r"^!([\w.-]+)$").unwrap();
    let names = lines.map(|line| name.captures(line).unwrap_or_else(|| panic!("`{line}` is not `!NAME`")));
    names.map(|found| found[1].to_owned()).collect()
}

/// The first part of a path of the repository.
fn top(path: &str) -> String {
    path.trim_start_matches("./").split('/').next().unwrap().to_owned()
}

/// The names of the targets of `kind`, as the manifest has them and as Cargo finds them in `folder`.
fn targets(kind: &str, folder: &str) -> BTreeSet<String> {
    let manifest = manifest();
    let named = manifest.get(kind).and_then(|list| list.as_array()).cloned().unwrap_or_default();
    let mut names: BTreeSet<String> =
        named.iter().map(|target| target["name"].as_str().unwrap().to_owned()).collect();
    for entry in std::fs::read_dir(root().join(folder)).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|end| end == "rs") || path.join("main.rs").exists() {
            names.insert(path.file_stem().unwrap().to_str().unwrap().to_owned());
        }
    }
    names
}

#[test]
fn the_dockerfile_names_no_bench_example_or_test() {
    let by_flag = Regex::new(r"--(bench|benches|example|examples|test|tests|all-targets)\b").unwrap();
    for (kind, folder) in [("bench", "benches"), ("example", "examples"), ("test", "tests")] {
        let targets = targets(kind, folder);
        assert!(!targets.is_empty(), "{folder} has no target");
        for line in instructions() {
            let mut words = line.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-');
            let named = words.find(|word| *word == folder || targets.contains(*word));
            assert!(named.is_none() && !by_flag.is_match(&line), "the Dockerfile names {named:?}: {line}");
        }
    }
}

#[test]
fn dockerignore_lets_through_what_the_build_reads() {
    // A folder of targets counts before it has one.
    let mut read: BTreeSet<String> =
        ["Cargo.toml", "Cargo.lock", "src", "benches", "examples", "tests"].map(str::to_owned).into();
    // What Cargo reads where it is there.
    for name in ["build.rs", ".cargo", "rust-toolchain", "rust-toolchain.toml"] {
        read.extend(root().join(name).exists().then(|| name.to_owned()));
    }
    // Every path in the manifest: of a target, of a dependency, of members.
    let path = Regex::new(r#"(?m)\b(?:path|build|readme|license-file) = "([^"]+)""#).unwrap();
    read.extend(path.captures_iter(&text("Cargo.toml")).map(|found| top(&found[1])));
    assert!(manifest().get("workspace").is_none(), "say here what the members are");
    // What the code takes in when it is compiled.
    let included = Regex::new(r#"include(?:_str|_bytes)?!\(\s*"([^"]+)""#).unwrap();
    let from_root = Regex::new(r#"(?:include_dir!\("\$CARGO_MANIFEST_DIR/|migrate!\(")([^"]+)""#).unwrap();
    let mut found = 0;
    for file in files_below(&root().join("src")) {
        if file.extension().is_none_or(|end| end != "rs") {
            continue;
        }
        let code = std::fs::read_to_string(&file).unwrap();
        for include in included.captures_iter(&code) {
            let target = file.parent().unwrap().join(&include[1]).canonicalize().unwrap();
            read.insert(top(target.strip_prefix(root()).unwrap().to_str().unwrap()));
            found += 1;
        }
        for include in from_root.captures_iter(&code) {
            read.insert(top(&include[1]));
            found += 1;
        }
    }
    assert!(found >= 3, "the code takes in templates, migrations and an example: {read:?}");
    let let_through = let_through();
    let missing: Vec<_> = read.difference(&let_through).collect();
    assert!(missing.is_empty(), ".dockerignore keeps from the build what it reads: {missing:?}");
    let unread: Vec<_> = let_through.difference(&read).collect();
    assert!(unread.is_empty(), ".dockerignore lets through what no build reads: {unread:?}");
}

#[test]
fn what_the_dockerfile_copies_is_let_through() {
    let let_through = let_through();
    let mut copied = 0;
    for line in instructions().iter().filter(|line| line.starts_with("COPY ") && !line.contains("--from=")) {
        let words: Vec<&str> =
            line.split_whitespace().skip(1).filter(|word| !word.starts_with("--")).collect();
        for source in &words[..words.len() - 1] {
            assert!(*source == "." || let_through.contains(&top(source)), "{line}: not in .dockerignore");
            copied += 1;
        }
    }
    assert!(copied > 0, "the Dockerfile copies nothing");
}

#[test]
fn the_image_is_built_with_the_rust_of_the_manifest() {
    let version = manifest()["package"]["rust-version"].as_str().unwrap().to_owned();
    let from = instructions().into_iter().find(|line| line.starts_with("FROM rust:")).unwrap();
    assert!(from.starts_with(&format!("FROM rust:{version}-")), "{from}, but Cargo.toml says {version}");
}

/// What a replay of `dockerfile` ends with: it must fail, none of them makes an image.
fn replayed(dockerfile: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("Dockerfile");
    std::fs::write(&path, dockerfile).unwrap();
    let output = Command::new("python3")
        .arg(root().join("tests/container/replay"))
        .arg(&path)
        .env_remove("CARGO_TARGET_DIR")
        .output()
        .expect("this test runs tests/container/replay: install python3");
    assert!(!output.status.success());
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn a_replay_sees_what_an_image_would_lack() {
    // Cargo looks for the files of all targets before it finds that this one is none.
    let build = "RUN cargo build --offline --locked --bin none";
    let refused = replayed("FROM rust AS build\nWORKDIR /src\nCOPY README.md ./\n");
    assert!(refused.contains("Dockerfile:3: COPY README.md: it is not in what .dockerignore"), "{refused}");
    let refused = replayed("FROM rust AS build\nCOPY . .\nRUN mkdir /data\n");
    assert!(refused.contains("Dockerfile:3: RUN names `/data`"), "{refused}");
    let refused = replayed("FROM rust AS build\nCOPY . .\nFROM base\nCOPY --from=build /none /none\n");
    assert!(refused.contains("COPY /none: it is not in the stage"), "{refused}");
    // Targets of the manifest that a stub lacks, and then all that they need.
    let stub = format!(
        "FROM rust\nCOPY Cargo.toml Cargo.lock ./\nRUN mkdir src && : > src/lib.rs && : > src/main.rs\n{build}"
    );
    let refused = replayed(&stub);
    assert!(refused.contains("` bench at `benches/"), "{refused}");
    let refused = replayed(&format!("FROM rust\nWORKDIR /src\nCOPY . .\n{build}"));
    assert!(refused.contains("no bin target named `none`"), "{refused}");
    let refused = replayed("FROM rust\nCOPY . .\nFROM base\nCMD [\"run\"]\n");
    assert!(refused.contains("the last stage has no ENTRYPOINT and no HEALTHCHECK"), "{refused}");
}

#[test]
fn the_container_test_looks_for_what_the_code_says() {
    let line_end = Regex::new(r"\\\n\s*").unwrap();
    let files = files_below(&root().join("src")).into_iter();
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let code: String = files.map(|path| std::fs::read_to_string(path).unwrap()).collect();
    let code = line_end.replace_all(&code, "");
    let looked_for = Regex::new(r"docker logs .*grep -q '([^']+)'").unwrap();
    let script = text("tests/container/run");
    let mut found = 0;
    for phrase in looked_for.captures_iter(&script) {
        assert!(code.contains(&phrase[1]), "tests/container/run looks for `{}` in the log", &phrase[1]);
        found += 1;
    }
    assert!(found > 0, "tests/container/run reads no log");
}
