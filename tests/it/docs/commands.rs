//! Commands and options that documents name exist, and every command has its row.

use super::{document, documents, section};
use clap::CommandFactory;
use regex::Regex;
use review_bridge::cli::Cli;
use std::collections::BTreeSet;

/// The subcommands that are shown.
fn below(command: &clap::Command) -> Vec<&clap::Command> {
    command.get_subcommands().filter(|sub| !sub.is_hide_set()).collect()
}

/// The command of that path, such as `deliveries list`.
fn find<'a>(root: &'a clap::Command, path: &str) -> Option<&'a clap::Command> {
    path.split(' ')
        .try_fold(root, |command, name| below(command).into_iter().find(|sub| sub.get_name() == name))
}

fn has_option(command: &clap::Command, name: &str) -> bool {
    // The first is of the root, and of all below it.
    matches!(name, "config" | "help" | "version")
        || command.get_arguments().any(|own| own.get_long() == Some(name))
}

fn options(text: &str) -> Vec<String> {
    let option = Regex::new(r"(?:^|[ `|(])--([a-z][a-z-]*)").unwrap();
    option.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

#[test]
fn commands_in_documents_exist() {
    let root = Cli::command();
    let mention = Regex::new(
        r"(?:review-bridge|cargo run --release --)(?: --config \S+)? ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?([^\n`]*)",
    )
    .unwrap();
    let code = Regex::new(r"`[^`\n]+`|(?m)^ *\$ .*$|(?m)^    .*$").unwrap();
    let mut sources = documents();
    sources.retain(|(name, _)| name != "CHANGELOG.md");
    sources.push(("config.toml.example".into(), document("config.toml.example")));
    let mut seen = 0;
    for (name, text) in &sources {
        for code in code.find_iter(text) {
            for found in mention.captures_iter(code.as_str()).filter(|found| &found[1] != "help") {
                let shown = &found[0];
                let command = find(&root, &found[1]).unwrap_or_else(|| panic!("{name}: {shown}"));
                let command = match (found.get(2), below(command).is_empty()) {
                    (Some(second), false) => {
                        find(command, second.as_str()).unwrap_or_else(|| panic!("{name}: {shown}"))
                    }
                    _ => command,
                };
                for option in options(&found[3]) {
                    assert!(has_option(command, &option), "{name}: no option --{option} in {shown}");
                }
                seen += 1;
            }
        }
    }
    assert!(seen >= 40, "{seen} commands");
}

#[test]
fn every_command_has_a_row_and_its_options_are_real() {
    let root = Cli::command();
    let text = document("docs/operations.md");
    let row = Regex::new(r"(?m)^\| `([^`]+)` \| (.*) \|$").unwrap();
    let mut rows = BTreeSet::new();
    for found in row.captures_iter(section(&text, "## Commands")) {
        let command = find(&root, &found[1]).unwrap_or_else(|| panic!("there is no command `{}`", &found[1]));
        for option in options(&found[2]) {
            assert!(has_option(command, &option), "`{}` has no option --{option}", &found[1]);
        }
        rows.insert(found[1].to_owned());
    }
    let mut all = BTreeSet::new();
    for command in below(&root) {
        let name = command.get_name();
        match below(command).as_slice() {
            [] => drop(all.insert(name.to_owned())),
            some => all.extend(some.iter().map(|sub| format!("{name} {}", sub.get_name()))),
        }
    }
    all.retain(|name| !name.ends_with("help"));
    assert_eq!(rows, all);
}
