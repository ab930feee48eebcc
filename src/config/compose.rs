//! Which modules there are: the one place where their settings come together.

use super::account::{self, Account};
use super::names::named_tables;
use super::show::Resolved;
use super::{HttpSettings, LogSettings, OperatorSettings, StateSettings, http, log, operator, state};
use crate::destination;
use crate::outbound::Outbound;
use crate::rules::{self, Case, Rule};
use crate::settings::Table;
use crate::upstream;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

/// What all modules run with.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The accounts by name; at least one.
    pub accounts: BTreeMap<String, Account>,
    /// Where the database is.
    pub state: StateSettings,
    /// What is served over HTTP.
    pub http: HttpSettings,
    /// What is logged.
    pub log: LogSettings,
    /// Who is notified of problems.
    pub operator: OperatorSettings,
    /// The destinations by name.
    pub destinations: BTreeMap<String, destination::Settings>,
    /// The rules, in order; at least one.
    pub rules: Arc<[Rule]>,
    /// The tests that `check` runs.
    pub tests: Vec<Case>,
    /// The folder of templates that override the built-in ones.
    pub templates_dir: Option<PathBuf>,
    /// The configuration's folder.
    pub folder: PathBuf,
    /// What all that it names is reached with.
    pub outbound: Outbound,
}

/// Reads the whole configuration. Problems are recorded; the settings are valid only if there are none.
pub(super) fn compose(root: Table) -> Settings {
    let accounts = accounts(&root);
    let destinations = named_tables(&root, "destinations");
    let known: Vec<String> = destinations.iter().map(|(name, _)| name.clone()).collect();
    let names: BTreeSet<&str> = known.iter().map(String::as_str).collect();
    let shared = destination::Shared::read(&root);
    let destinations = destinations
        .into_iter()
        .filter_map(|(name, table)| Some((name.clone(), destination::Settings::read(&name, table, &shared)?)))
        .collect();
    let settings = Settings {
        accounts,
        destinations,
        rules: rules::read_rules(&root, &known).into(),
        tests: rules::read_cases(&root, &known),
        state: state::read(&root),
        http: http::read(&root),
        log: log::read(&root),
        operator: operator::read(&root, &names),
        templates_dir: templates_dir(&root),
        folder: root.source().folder.clone(),
        outbound: shared.outbound,
    };
    for name in &settings.operator.notify {
        if settings.destinations.get(name).is_some_and(|destination| destination.common.digest.is_some()) {
            root.problem(
                "operator.notify",
                format!("`{name}` sends digests, which would delay notices"),
                "use a destination that delivers immediately",
            );
        }
    }
    root.finish();
    settings
}

/// Settings that work but are probably mistakes.
pub(super) fn warnings(settings: &Settings, resolved: &Resolved) -> Vec<String> {
    let mut warnings: Vec<String> = resolved
        .placeholders
        .iter()
        .map(|path| {
            format!("`{path}` still has the placeholder from `config init`: replace it with your own value")
        })
        .collect();
    if settings.operator.notify.is_empty() {
        warnings.push("nobody is notified of problems: add destinations to `operator.notify`".into());
    }
    warnings.extend(rules::warnings(&settings.rules));
    if let [only] = &*settings.operator.notify
        && settings.rules.iter().any(|rule| rule.to.contains(only))
    {
        warnings.push(format!(
            "no notice can arrive when `{only}` fails, the only destination in `operator.notify`: add one that no rule uses"
        ));
    }
    warnings
}

fn accounts(root: &Table) -> BTreeMap<String, Account> {
    let mut accounts = BTreeMap::new();
    let mut any = false;
    for (name, table) in named_tables(root, "accounts") {
        let policy = account::policy(&table);
        let upstream = upstream::Settings::read(&table);
        let credential = account::credential(&table);
        table.finish();
        if let Some(upstream) = upstream {
            accounts.insert(name, Account { policy, upstream, credential });
        }
        any = true;
    }
    if !any {
        let hint = "add [accounts.main] with token = \"…\" or token_file = \"…\"";
        root.problem("accounts", "no account is configured", hint);
    }
    accounts
}

fn templates_dir(root: &Table) -> Option<PathBuf> {
    let path = root.file("templates_dir")?;
    if path.is_dir() {
        return Some(path);
    }
    root.problem("templates_dir", "is not a readable folder", "set an existing folder, or remove the key");
    None
}
