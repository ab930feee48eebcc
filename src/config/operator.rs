//! `[operator]`: who is notified of problems.

use crate::domain::text::one_line;
use crate::settings::hint::{nearest, quoted};
use crate::settings::{Secret, Table};
use std::collections::BTreeSet;
use url::{Host, Url};

/// Who is notified of problems.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct OperatorSettings {
    /// What the bridge is called in notices: the host's name unless set.
    pub name: String,
    /// Names of destinations, each once.
    pub notify: Vec<String>,
    /// Called after each successful poll of all accounts: https, or loopback. A secret.
    pub heartbeat_url: Option<Secret>,
}

/// Reads `[operator]`; `destinations` are the configured names.
pub(super) fn read(root: &Table, destinations: &BTreeSet<&str>) -> OperatorSettings {
    let Some(table) = root.table("operator") else {
        return OperatorSettings { name: host_name(), ..OperatorSettings::default() };
    };
    let name = name(&table).unwrap_or_else(host_name);
    let notify = notify(&table, destinations);
    let heartbeat_url = table.secret("heartbeat_url");
    if let Some(url) = &heartbeat_url
        && !may_be_called(url.expose())
    {
        let key = if table.has("heartbeat_url") { "heartbeat_url" } else { "heartbeat_url_file" };
        table.problem(key, "is not an https URL", "copy it from your monitoring service: \"https://…\"");
    }
    table.finish();
    OperatorSettings { name, notify, heartbeat_url }
}

/// The longest name of a bridge, in characters.
const LONGEST_NAME: usize = 60;

fn name(table: &Table) -> Option<String> {
    let name = one_line(&table.text("name")?, LONGEST_NAME);
    if name.trim().is_empty() {
        table.problem("name", "is empty", "write a short name, or remove the key to use the host's name");
    }
    Some(name)
}

/// The name of this machine, where it can be read.
fn host_name() -> String {
    let read = |path| std::fs::read_to_string(path).ok().map(|text| one_line(text.trim(), LONGEST_NAME));
    let files = ["/proc/sys/kernel/hostname", "/etc/hostname"];
    let found = files.into_iter().find_map(|path| read(path).filter(|name| !name.is_empty()));
    found.unwrap_or_else(|| "review-bridge".into())
}

fn notify(table: &Table, destinations: &BTreeSet<&str>) -> Vec<String> {
    let mut notify: Vec<String> = Vec::new();
    for name in table.texts("notify").unwrap_or_default() {
        if !destinations.contains(name.as_str()) {
            let known: Vec<&str> = destinations.iter().copied().collect();
            let hint = match nearest(&name, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "define it first: [destinations.NAME]".into(),
                None => format!("use one of: {}", quoted(&known)),
            };
            table.problem("notify", format!("unknown destination `{}`", one_line(&name, 60)), hint);
        } else if !notify.contains(&name) {
            notify.push(name);
        }
    }
    notify
}

fn may_be_called(url: &str) -> bool {
    let Ok(url) = Url::parse(url) else { return false };
    let loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    url.has_host() && (url.scheme() == "https" || (url.scheme() == "http" && loopback))
}
