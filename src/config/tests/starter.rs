//! The starter file is the reference of all keys: it loads as it is, and it states every key that is read.

use super::super::file::parse;
use super::super::{STARTER, Settings};
use super::Folder;
use crate::destination::{Kind, TABLE};
use figment::value::{Dict, Value};
use std::collections::{BTreeMap, BTreeSet};

const PROBE: &str = "zz_no_such_key";

/// The starter with the # taken from before every setting.
fn uncommented() -> String {
    let setting = |line: &str| {
        let key = line.split(" = ").next().unwrap_or_default();
        line.starts_with('[')
            || (line.contains(" = ") && key.chars().all(|c| c.is_ascii_lowercase() || c == '_'))
    };
    let lines = STARTER.lines().map(|line| match line.strip_prefix("# ") {
        Some(rest) if setting(rest) => rest,
        _ => line,
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The keys stated by table; every rule and every test counts for all of them.
fn stated(path: &str, dict: &Dict, tables: &mut BTreeMap<String, BTreeSet<String>>) {
    tables.entry(path.to_owned()).or_default().extend(dict.keys().filter(|key| *key != PROBE).cloned());
    for (key, value) in dict {
        let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
        match value {
            Value::Dict(_, dict) => stated(&path, dict, tables),
            Value::Array(_, items) => {
                items.iter().filter_map(Value::as_dict).for_each(|dict| stated(&path, dict, tables));
            }
            _ => {}
        }
    }
}

#[test]
fn it_loads_as_it_is_and_says_what_to_replace() {
    let loaded = Folder::new(STARTER).load(&[]).unwrap();
    let starts: Vec<&str> = loaded.warnings.iter().map(|w| w.split(" still").next().unwrap()).collect();
    let only = "no notice can arrive when `support` fails, the only destination in `operator.notify`: add one that no \
                rule uses";
    assert_eq!(starts, ["`accounts.main.token`", "`destinations.support.webhook_url`", only]);
}

#[test]
fn it_holds_the_example_of_every_kind() {
    let first = STARTER.find("\n# [destinations.").unwrap() + 1;
    let end = STARTER.find("# ---- Which review goes where").unwrap();
    let (shown, others): (Vec<&Kind>, Vec<&Kind>) =
        TABLE.iter().copied().partition(|kind: &&Kind| !kind.example.starts_with("# "));
    for kind in shown {
        assert!(STARTER[..first].contains(kind.example), "{}", kind.name);
    }
    let examples: String = others.iter().map(|kind| format!("{}\n", kind.example)).collect();
    let expected = format!("{}{examples}{}", &STARTER[..first], &STARTER[end..]);
    assert_eq!(STARTER, expected, "put each example.toml of src/destination there, in the order of TABLE");
}

#[test]
fn what_it_shows_as_defaults_are_the_defaults() {
    let twins = [
        "password",
        "username",
        "email = ",
        "_file =",
        "secret =",
        "heartbeat_url",
        "ca_file",
        "templates_dir",
    ];
    let keep = |line: &&str| {
        let from_starter = STARTER.lines().any(|original| original == *line);
        from_starter || !twins.iter().any(|twin| line.contains(twin))
    };
    let all = uncommented();
    let until_rules = all.split("# Every condition there is").next().unwrap().lines().filter(keep);
    let bridge = all.split("[operator]").nth(1).unwrap().lines().filter(keep);
    let contents: Vec<&str> = until_rules.chain(["[operator]"]).chain(bridge).collect();
    let explicit = Folder::new(&contents.join("\n")).load(&[]).unwrap().settings;
    let implicit = Folder::new(STARTER).load(&[]).unwrap().settings;
    let mut policy = explicit.accounts["main"].policy.clone();
    policy.rating_scales = implicit.accounts["main"].policy.rating_scales.clone();
    assert_eq!(policy, implicit.accounts["main"].policy);
    assert_eq!(explicit.accounts["main"].upstream, implicit.accounts["main"].upstream);
    let common = |settings: &Settings| {
        let common = &settings.destinations["support"].common;
        let zone = common.timezone.iana_name().map(str::to_owned);
        (common.rate_limit, common.timeout, common.give_up_after, zone, common.show_email, common.allow_http)
    };
    assert_eq!(common(&explicit), common(&implicit));
    assert_eq!((explicit.http, explicit.log), (implicit.http, implicit.log));
    assert_eq!(explicit.state.path.file_name(), implicit.state.path.file_name());
}

#[test]
fn it_states_every_key_that_is_read_and_no_other() {
    let probed: Vec<String> = uncommented()
        .lines()
        .map(|line| match line.starts_with('[') {
            true => format!("{line}\n{PROBE} = 1"),
            false => line.replacen("{ ", &format!("{{ {PROBE} = 1, "), 1),
        })
        .collect();
    let contents = format!("{PROBE} = 1\n{}", probed.join("\n"));
    let mut tables = BTreeMap::new();
    stated("", &parse(&contents).unwrap(), &mut tables);
    let failure = Folder::new(&contents).load(&[]).unwrap_err();
    let mut probes = 0;
    for problem in &failure.problems {
        let Some(table) = problem.path.strip_suffix(PROBE) else {
            assert_ne!(problem.what, "unknown key", "{problem}");
            continue;
        };
        // `rules[2].when` is stated with all other rules.
        let table: String = table
            .trim_end_matches('.')
            .split('[')
            .map(|part| part.split_once(']').map_or(part, |p| p.1))
            .collect();
        let known: BTreeSet<String> = problem.hint.split('`').skip(1).step_by(2).map(str::to_owned).collect();
        assert!(problem.hint.starts_with("known keys: "), "{problem}");
        // The file says that `unless` takes what `when` takes.
        let mut stated = tables[&table.replace("rules.unless", "rules.when")].clone();
        // What one destination shows need not be said again at the next.
        if table.starts_with("destinations.") && table.matches('.').count() == 1 {
            let others = tables.iter().filter(|(name, _)| name.starts_with("destinations."));
            stated.extend(others.flat_map(|(_, keys)| keys.clone()));
        }
        assert!(known.is_subset(&stated), "[{table}] lacks {:?}", known.difference(&stated));
        probes += 1;
    }
    assert!(probes >= 6, "{failure}");
}
