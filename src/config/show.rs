//! `config show`: the resolved settings as TOML, each with its origin, and no secret.

use super::account::show_backfill;
use super::layers::Layers;
use super::{Loaded, Settings, state};
use crate::destination;
use crate::domain::AccountPolicy;
use crate::domain::text::{is_unsafe, one_line};
use crate::settings::Source;
use crate::settings::units::show_duration;
use crate::upstream::{self, Endpoint};
use figment::value::{Num, Value};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::PathBuf;

/// What stands in [`super::STARTER`] where a user's own secret belongs.
const PLACEHOLDERS: [&str; 2] =
    ["paste-the-token-here", "https://hooks.slack.com/services/T00000000/B00000000/XXXXXXXXXXXXXXXXXXXXXXXX"];

/// The resolved settings as TOML: every key with its value, its layer in a comment, secrets as `[redacted]`.
pub fn show(loaded: &Loaded) -> String {
    loaded.shown.clone()
}

/// What was set, without secrets.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    /// The paths of secrets that are still the starter file's.
    pub placeholders: Vec<String>,
    /// The files that `*_file` keys name.
    pub files: Vec<PathBuf>,
    root: BTreeMap<String, Node>,
}

#[derive(Debug)]
enum Node {
    Table(BTreeMap<String, Node>),
    Tables(Vec<BTreeMap<String, Node>>),
    Leaf { text: String, origin: String },
}

/// Takes over what the layers hold, once all of it was read: only then it is known what is a secret.
pub(super) fn resolve(layers: &Layers) -> Resolved {
    let mut resolved = Resolved::default();
    for (key, value) in &layers.dict {
        let node = resolved.node(value, key.clone(), &layers.source);
        resolved.root.insert(key.clone(), node);
    }
    resolved
}

impl Resolved {
    fn node(&mut self, value: &Value, path: String, source: &Source) -> Node {
        let value = source.as_read(value);
        if source.problems.is_secret(&path) {
            if value.as_str().is_some_and(|text| PLACEHOLDERS.contains(&text)) {
                self.placeholders.push(path);
            }
            return leaf("\"[redacted]\"".into(), value, source);
        }
        match value {
            Value::Dict(_, dict) => Node::Table(self.table(dict, &path, source)),
            Value::Array(_, items)
                if !items.is_empty() && items.iter().all(|item| item.as_dict().is_some()) =>
            {
                let dicts = items.iter().filter_map(Value::as_dict).enumerate();
                let tables = dicts.map(|(index, dict)| self.table(dict, &format!("{path}[{index}]"), source));
                Node::Tables(tables.collect())
            }
            value => {
                if let (true, Some(name)) = (path.ends_with("_file"), value.as_str()) {
                    self.files.push(source.folder.join(name));
                }
                leaf(inline(value), value, source)
            }
        }
    }

    fn table(&mut self, dict: &figment::value::Dict, path: &str, source: &Source) -> BTreeMap<String, Node> {
        dict.iter()
            .map(|(key, value)| (key.clone(), self.node(value, format!("{path}.{key}"), source)))
            .collect()
    }
}

fn leaf(text: String, value: &Value, source: &Source) -> Node {
    let origin = source.variable(value).map_or(&source.file, |variable| &variable.name);
    Node::Leaf { text, origin: one_line(origin, 200) }
}

/// The text of `config show`: what was set, and the defaults of what was not.
pub(super) fn render(settings: &Settings, resolved: &mut Resolved) -> String {
    let root = &mut resolved.root;
    for (name, account) in &settings.accounts {
        for (key, text) in policy(&account.policy).into_iter().chain(upstream(&account.upstream)) {
            fill(root, &["accounts", name, key], text);
        }
        for endpoint in Endpoint::ALL {
            let path = account.upstream.endpoints.path(*endpoint);
            fill(root, &["accounts", name, "endpoints", endpoint.key()], quote(path));
        }
    }
    for (name, destination) in &settings.destinations {
        for (key, text) in common(&destination.common) {
            fill(root, &["destinations", name, key], text);
        }
    }
    if !is_set(root, "state", "url_file") {
        fill(root, &["state", "url"], quote(state::DEFAULT_URL));
    }
    fill(root, &["state", "retention"], quote(&show_duration(settings.state.retention)));
    let listen = settings.http.listen.map(|address| address.to_string()).unwrap_or_default();
    fill(root, &["http", "listen"], quote(&listen));
    fill(root, &["log", "level"], quote(&settings.log.level));
    fill(root, &["log", "format"], quote(settings.log.format.as_str()));
    fill(root, &["operator", "name"], quote(&settings.operator.name));
    fill(root, &["operator", "notify"], "[]".into());
    let mut text = String::new();
    write_table(&mut text, "", root);
    text
}

fn policy(policy: &AccountPolicy) -> [(&'static str, String); 6] {
    [
        ("poll_interval", quote(&show_duration(policy.poll_interval))),
        ("backfill", quote(&show_backfill(policy.backfill))),
        ("max_age", quote(&show_duration(policy.max_age))),
        ("mark_read", quote(policy.mark_read.as_str())),
        ("unmatched", quote(policy.unmatched.as_str())),
        ("settle", quote(&show_duration(policy.settle))),
    ]
}

fn upstream(upstream: &upstream::Settings) -> [(&'static str, String); 4] {
    [
        ("base_url", quote(upstream.base_url.as_str())),
        ("requests_per_minute", upstream.requests_per_minute.to_string()),
        ("max_page_bytes", upstream.max_page_bytes.to_string()),
        ("allow_http", upstream.allow_http.to_string()),
    ]
}

fn common(common: &destination::Common) -> [(&'static str, String); 7] {
    [
        ("rate_limit", quote(&common.rate_limit.to_string())),
        ("timeout", quote(&show_duration(common.timeout))),
        ("give_up_after", quote(&show_duration(common.give_up_after))),
        ("timezone", quote(common.timezone.iana_name().unwrap_or("UTC"))),
        ("show_email", common.show_email.to_string()),
        ("skip_if_read", common.skip_if_read.to_string()),
        ("allow_http", common.allow_http.to_string()),
    ]
}

fn is_set(root: &BTreeMap<String, Node>, table: &str, key: &str) -> bool {
    matches!(root.get(table), Some(Node::Table(table)) if table.contains_key(key))
}

/// Puts a default where nothing was set.
fn fill(table: &mut BTreeMap<String, Node>, path: &[&str], text: String) {
    match path {
        [] => {}
        [key] => {
            let node = Node::Leaf { text, origin: "default".into() };
            table.entry((*key).to_owned()).or_insert(node);
        }
        [key, rest @ ..] => {
            let inner = table.entry((*key).to_owned()).or_insert_with(|| Node::Table(BTreeMap::new()));
            if let Node::Table(inner) = inner {
                fill(inner, rest, text);
            }
        }
    }
}

fn write_table(out: &mut String, path: &str, table: &BTreeMap<String, Node>) {
    for (name, node) in table {
        if let Node::Leaf { text, origin } = node {
            // Writing to a `String` cannot fail.
            let _ = writeln!(out, "{} = {text} # {origin}", key(name));
        }
    }
    for (name, node) in table {
        let path = if path.is_empty() { key(name) } else { format!("{path}.{}", key(name)) };
        match node {
            Node::Leaf { .. } => {}
            Node::Table(inner) => {
                if inner.is_empty() || inner.values().any(|node| matches!(node, Node::Leaf { .. })) {
                    let _ = writeln!(out, "\n[{path}]");
                }
                write_table(out, &path, inner);
            }
            Node::Tables(tables) => {
                for inner in tables {
                    let _ = writeln!(out, "\n[[{path}]]");
                    write_table(out, &path, inner);
                }
            }
        }
    }
}

fn key(name: &str) -> String {
    let bare = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name.chars().all(bare) { name.to_owned() } else { quote(name) }
}

fn inline(value: &Value) -> String {
    match value {
        Value::String(_, text) => quote(text),
        Value::Char(_, c) => quote(&c.to_string()),
        Value::Bool(_, value) => value.to_string(),
        Value::Num(_, number) => number_text(*number),
        Value::Empty(..) => quote(""),
        Value::Array(_, items) => format!("[{}]", items.iter().map(inline).collect::<Vec<_>>().join(", ")),
        Value::Dict(_, dict) => {
            let pairs = dict.iter().map(|(name, value)| format!("{} = {}", key(name), inline(value)));
            format!("{{ {} }}", pairs.collect::<Vec<_>>().join(", "))
        }
    }
}

fn number_text(number: Num) -> String {
    match number {
        Num::F64(number) => format!("{number:?}"),
        Num::F32(number) => format!("{number:?}"),
        number => match (number.to_u128_lossy(), number.to_i128()) {
            (Some(number), _) => number.to_string(),
            (None, Some(number)) => number.to_string(),
            (None, None) => "0".into(),
        },
    }
}

/// A basic string of TOML, in which nothing can control a terminal.
fn quote(text: &str) -> String {
    let mut quoted = String::from('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if is_unsafe(c) || c.is_control() => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}
