//! `[http]`: where the health endpoints are served.

use crate::settings::Table;
use std::net::{Ipv4Addr, SocketAddr};

/// What is served over HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpSettings {
    /// Where to listen; `None` is nowhere.
    pub listen: Option<SocketAddr>,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self { listen: Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 8080))) }
    }
}

/// Reads `[http]`.
pub(super) fn read(root: &Table) -> HttpSettings {
    let mut settings = HttpSettings::default();
    let Some(table) = root.table("http") else { return settings };
    if let Some(text) = table.text("listen") {
        let hint =
            "write an address and a port such as \"127.0.0.1:8080\" or \"[::]:8080\", or \"\" to disable it";
        match text.trim() {
            "" => settings.listen = None,
            text => match text.parse() {
                Ok(address) => settings.listen = Some(address),
                Err(_) => table.problem("listen", "is not an address and a port", hint),
            },
        }
    }
    for key in ["password", "password_file", "public_url", "hosts"] {
        table.not_in_this_version(key);
    }
    table.finish();
    settings
}
