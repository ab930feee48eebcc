//! What can be checked on this machine: the configuration, templates, tests, rules, the database, the listener.

use super::super::output::counted;
use super::super::state::State;
use super::report::Report;
use crate::app::{AppError, build_targets};
use crate::config::{Loaded, Settings};
use crate::destination;
use crate::rules::{Known, run_case, unreachable_rules};
use crate::settings::table::io_text;
use std::collections::BTreeMap;

/// The file and what it contains.
pub(super) fn configuration(loaded: &Loaded, report: &mut Report) {
    let settings = &loaded.settings;
    let file = loaded.file.as_ref().map_or_else(|| "no file".into(), |file| file.display().to_string());
    let counts = [
        counted(settings.accounts.len() as u64, "account", "accounts"),
        counted(settings.destinations.len() as u64, "destination", "destinations"),
        counted(settings.rules.len() as u64, "rule", "rules"),
        counted(settings.tests.len() as u64, "test", "tests"),
    ];
    report.ok("configuration", &counts.join(", "));
    report.ok("configuration file", &file);
    for warning in &loaded.warnings {
        let (what, hint) = warning.split_once(": ").unwrap_or((warning, ""));
        report.warn("configuration", what, hint);
    }
}

/// Templates compile and render.
pub(super) fn templates(settings: &Settings, report: &mut Report) {
    match build_targets(settings) {
        Err(AppError::Templates(problems)) => {
            for problem in problems {
                let hint = match problem.line {
                    0 => "fix it",
                    _ => "fix it, or remove the file to use the built-in template",
                };
                report.failed("templates", &problem.to_string(), hint);
            }
        }
        // A destination that cannot be built is reported with the destinations: its template was fine.
        _ => {
            let which = match &settings.templates_dir {
                Some(folder) => {
                    format!("{}, tested on sample messages, and the built-in ones", folder.display())
                }
                None => "built-in".into(),
            };
            report.ok("templates", &which);
        }
    }
    let renderer = destination::templates(settings.templates_dir.as_deref());
    for problem in renderer.map(|renderer| renderer.fixed_mentions()).unwrap_or_default() {
        let hint =
            "it may ping people with every message: remove it, and set `mention` in the destination instead";
        report.warn("templates", &problem.to_string(), hint);
    }
}

/// Destinations that send to the same URL.
pub(super) fn same_targets(settings: &Settings, report: &mut Report) {
    let mut known = BTreeMap::new();
    for (name, own) in &settings.destinations {
        let Some(target) = own.make.target() else { continue };
        match known.get(&target) {
            None => drop(known.insert(target, name)),
            Some(first) => {
                let what = format!(
                    "sends to the same URL as `{first}`: a review that both get arrives twice, and together they may \
                     exceed the rate that the receiver allows"
                );
                let hint = "use one destination in both rules, or lower `rate_limit` in both";
                report.warn(&format!("destination {name} ({})", own.kind.name), &what, hint);
            }
        }
    }
}

/// Each of `[[tests]]`.
pub(super) fn tests(settings: &Settings, known: &BTreeMap<String, Known>, report: &mut Report) {
    let first = settings.accounts.keys().next().map_or("", String::as_str);
    for case in &settings.tests {
        let what = format!("test `{}`", case.name);
        match run_case(case, &settings.rules, known, first) {
            Ok(()) if case.expect.is_empty() => report.ok(&what, "reaches nobody"),
            Ok(()) => report.ok(&what, &format!("reaches {}", case.expect.join(", "))),
            Err(why) => report.failed(&what, &why, "fix the rule, or what the test expects"),
        }
    }
}

/// Rules that no review can reach.
pub(super) fn rules(settings: &Settings, report: &mut Report) {
    for (rule, above) in unreachable_rules(&settings.rules) {
        let what = format!("never reached: rule `{above}` above it stops every review");
        report.warn(&format!("rule `{rule}`"), &what, "move it up, or remove one of the two");
    }
}

/// The database opens, or could be created.
pub(super) async fn state(settings: &Settings, report: &mut Report) -> Option<State> {
    let path = &settings.state.path;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Some(folder) = folder.filter(|folder| !folder.is_dir()) {
        let detail = format!("{}: folder {} does not exist", path.display(), folder.display());
        report.failed("state", &detail, "create the folder, or set another file in `state.url`");
        return None;
    }
    match State::read(settings).await {
        Ok(state) => {
            // Never created here: it would belong to whoever runs this. A file without a name shows whether it could be.
            if let Some(Err(error)) = folder.filter(|_| !state.exists).map(tempfile::tempfile_in) {
                let detail = format!("{} cannot be created: {}", path.display(), io_text(&error));
                report.failed("state", &detail, "let the user that runs review-bridge write to its folder");
                return Some(state);
            }
            let detail = match (state.owner, state.exists) {
                (_, false) => "does not exist yet; the first start creates it".into(),
                (None, true) => "opens; no running instance uses it".into(),
                (Some(owner), true) => match owner.process {
                    Some(process) => format!("opens; in use by the running instance (process {process})"),
                    None => "opens; in use by the running instance".into(),
                },
            };
            report.ok("state", &detail);
            Some(state)
        }
        Err(error) => {
            report.failed("state", &error.to_string(), "");
            None
        }
    }
}

/// The address for health is free, or ours.
pub(super) fn http(settings: &Settings, state: Option<&State>, report: &mut Report) {
    let Some(address) = settings.http.listen else {
        return report.ok("http", "health endpoints are disabled (`http.listen` is \"\")");
    };
    let served = format!("/healthz and /readyz at {address}");
    if state.is_some_and(|state| state.owner.is_some()) {
        return report.ok("http", &format!("{served}, from the running instance"));
    }
    match std::net::TcpListener::bind(address) {
        Ok(_) => report.ok("http", &served),
        Err(error) => {
            let hint = "free the port, set another one in `http.listen`, or set it to \"\" to disable it";
            report.failed("http", &format!("cannot listen on {address}: {}", io_text(&error)), hint);
        }
    }
}
