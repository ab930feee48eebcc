//! The demo's configuration: a real one, loaded like any other, with the addresses of the fakes filled in.

use super::DemoError;
use crate::config::{self, Settings};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

/// The configuration, but for the addresses.
const TEXT: &str = include_str!("demo.toml");

/// Shorter than a configuration allows for the real API: this one is in the same process.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// Where the fakes are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fakes {
    /// The ShopReviews API.
    pub(super) api: SocketAddr,
    /// The receivers of Slack, Teams and webhooks.
    pub(super) inbox: SocketAddr,
    /// The mailbox.
    pub(super) mailbox: SocketAddr,
}

/// Loads the configuration in `folder`, where the state will be too.
pub(super) fn load(folder: &Path, fakes: Fakes) -> Result<Settings, DemoError> {
    let api = format!("http://{}{}", fakes.api, crate::sandbox::BASE_PATH);
    let inbox = format!("http://{}", fakes.inbox);
    let text = TEXT
        .replace("\"API\"", &format!("{api:?}"))
        .replace("INBOX", &inbox)
        .replace("MAILBOX_PORT", &fakes.mailbox.port().to_string());
    let path = folder.join("config.toml");
    std::fs::write(&path, text)
        .map_err(|error| DemoError::Folder(crate::settings::table::io_text(&error)))?;
    // Nothing from the environment: a demo is the same everywhere.
    let nothing: [(String, String); 0] = [];
    let mut settings = config::load(Some(&path), nothing, folder).map_err(DemoError::Config)?.settings;
    for account in settings.accounts.values_mut() {
        account.policy.poll_interval = POLL_INTERVAL;
    }
    Ok(settings)
}

/// The rules as they are written.
pub(super) fn rules() -> &'static str {
    TEXT.find("[[rules]]").and_then(|start| TEXT.get(start..)).unwrap_or_default()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::demo::feed::Place;

    #[test]
    fn the_configuration_is_a_real_one_and_every_destination_is_on_the_page() {
        let folder = tempfile::tempdir().unwrap();
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        let settings = load(folder.path(), Fakes { api: address, inbox: address, mailbox: address }).unwrap();
        assert!(rules().starts_with("[[rules]]"));
        for (name, destination) in &settings.destinations {
            assert!(!Place::new(destination).title.is_empty());
            assert!(settings.rules.iter().any(|rule| rule.to.contains(name)), "{name} is never used");
        }
    }
}
