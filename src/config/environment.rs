//! The environment's layer: `REVIEW_BRIDGE__SECTION__KEY`, names without case, values verbatim.
//!
//! Whether a value is text or TOML is for the key to say, so nothing is parsed here: a numeric password
//! stays the text it is.

use crate::settings::Problem;
use std::collections::BTreeMap;
use std::ffi::OsString;

const PREFIX: &str = "review_bridge__";
const CONFIG: &str = "review_bridge_config";
/// Deeper than any key.
const DEEPEST: usize = 8;

/// The settings in the environment.
#[derive(Debug, Default)]
pub(super) struct Environment {
    /// The file that `REVIEW_BRIDGE_CONFIG` names.
    pub config: Option<OsString>,
    /// What sets a key, by the key's path.
    pub assignments: Vec<Assignment>,
    /// The problems found.
    pub problems: Vec<Problem>,
    /// The variables that name a proxy, which is not used.
    pub proxies: Vec<String>,
}

/// Variables by which other programs find a proxy.
const PROXIES: &[&str] = &["https_proxy", "http_proxy", "all_proxy"];

/// One variable that sets one key.
#[derive(Debug)]
pub(super) struct Assignment {
    /// The variable.
    pub name: String,
    /// The key's path in lower case; at least one segment.
    pub path: Vec<String>,
    /// Its value, verbatim.
    pub text: String,
}

/// Takes the variables that are meant for the bridge; others, such as `REVIEW_BRIDGE_IMAGE`, are not ours.
pub(super) fn read<K, V>(variables: impl IntoIterator<Item = (K, V)>) -> Environment
where
    K: Into<OsString>,
    V: Into<OsString>,
{
    let mut environment = Environment::default();
    // Two spellings of one variable must not win by the order in which the system lists them.
    let mut ours: BTreeMap<String, OsString> = BTreeMap::new();
    for (name, value) in variables {
        let (name, value) = (name.into().to_string_lossy().into_owned(), value.into());
        ours.insert(name, value);
    }
    let mut rust_log = None;
    for (name, value) in ours {
        let lower = name.to_lowercase();
        if lower == CONFIG {
            // An empty one is what a compose file makes of an unset `${VARIABLE:-}`.
            environment.config = Some(value).filter(|value| !value.is_empty());
        } else if let Some(rest) = lower.strip_prefix(PREFIX) {
            environment.take(&name, rest.split("__").map(str::to_owned).collect(), value);
        } else if name == "RUST_LOG" && !value.is_empty() {
            rust_log = Some(value);
        } else if PROXIES.contains(&lower.as_str()) && !value.is_empty() {
            environment.proxies.push(name);
        }
    }
    let level = ["log".to_owned(), "level".to_owned()];
    if let Some(value) = rust_log
        && !environment.assignments.iter().any(|assignment| level.starts_with(&assignment.path))
    {
        environment.take("RUST_LOG", level.to_vec(), value);
    }
    environment.refuse_overlaps();
    environment
}

impl Environment {
    /// What is set, and has no effect.
    pub fn warnings(&self) -> impl Iterator<Item = String> {
        self.proxies.iter().map(|name| {
            format!(
                "`{name}` is set in the environment and ignored: this version connects directly, so allow that, or use \
                 a transparent proxy"
            )
        })
    }

    fn take(&mut self, name: &str, path: Vec<String>, value: OsString) {
        let (what, hint) = if path.iter().any(String::is_empty) || path.len() > DEEPEST {
            (
                "does not name a setting",
                "write REVIEW_BRIDGE__SECTION__KEY, such as REVIEW_BRIDGE__LOG__LEVEL",
            )
        } else if matches!(path[0].as_str(), "rules" | "tests") {
            ("can only be set in the file", "set it there and unset the variable")
        } else {
            match value.into_string() {
                Ok(text) => {
                    self.assignments.push(Assignment { name: name.to_owned(), path, text });
                    return;
                }
                Err(_) => ("is not valid UTF-8", "set it to UTF-8 text"),
            }
        };
        self.problem(name, &path, what, hint);
    }

    /// A variable set together with another spelling of itself, or with one that sets something inside it.
    fn refuse_overlaps(&mut self) {
        self.assignments.sort_by(|a, b| a.path.cmp(&b.path));
        let overlaps: Vec<(String, Vec<String>, String)> = self
            .assignments
            .windows(2)
            .filter(|pair| pair[1].path.starts_with(&pair[0].path))
            .map(|pair| (pair[1].name.clone(), pair[1].path.clone(), pair[0].name.clone()))
            .collect();
        for (name, path, other) in overlaps {
            self.problem(&name, &path, &format!("is also set by `{other}`"), "unset one of them");
        }
    }

    fn problem(&mut self, name: &str, path: &[String], what: &str, hint: &str) {
        self.problems.push(Problem {
            origin: name.to_owned(),
            path: path.join("."),
            what: what.into(),
            hint: hint.into(),
        });
    }
}
