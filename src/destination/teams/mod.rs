//! Microsoft Teams, via a Workflow ("When a Teams webhook request is received"). An answer of 2xx says only
//! that the Workflow has the message: whether its card is shown cannot be seen.
//!
//! The old connectors are gone, so their URLs are refused when the configuration is read.

mod answers;
mod fixture;
#[cfg(test)]
mod hostile_tests;
pub mod limits;
mod payload;
#[cfg(test)]
mod tests;

pub use super::chat::lookalikes::inert;
pub use payload::{DIALECT, FORMAT, plain};

use super::chat::Chat;
use super::settings::{Common, Key, Shared, TEMPLATE, read_url};
use super::{Kind, Make};
use crate::settings::{Rate, Secret, Table};
use std::sync::Arc;

/// The row of this kind.
pub static KIND: Kind = Kind {
    name: "teams",
    title: "Microsoft Teams",
    summary: "a Microsoft Teams channel or chat, via a Workflow",
    // Four a second are throttled; a Workflow's owner has a daily quota besides.
    default_rate: Rate::per_second(1),
    keys: &[Key { name: "webhook_url", summary: "the Workflow's URL, from Teams", secret: true }, TEMPLATE],
    format: Some(&FORMAT),
    example: include_str!("example.toml"),
    shared: None,
    read,
    fixture: fixture::FIXTURE,
};

fn read(table: &Table<'_>, common: &Common, _: &Shared) -> Option<Arc<dyn Make>> {
    let webhook_url = read_url(table, "webhook_url", common)?;
    if is_retired(&webhook_url) {
        let place = if table.has("webhook_url") { "webhook_url" } else { "webhook_url_file" };
        let hint = "in Teams, open the channel's menu > Workflows > “Send webhook alerts to a channel” and copy \
                    the URL";
        table.problem(
            place,
            "belongs to an Office 365 connector; Microsoft switched these off in 2026",
            hint,
        );
        return None;
    }
    Some(Arc::new(Chat::webhook(&FORMAT, webhook_url, None, &answers::ANSWERS)))
}

/// Whether `url` is of a connector: nothing that it is sent arrives.
fn is_retired(url: &Secret) -> bool {
    let Ok(url) = url::Url::parse(url.expose()) else { return false };
    match url.host_str().unwrap_or_default().trim_end_matches('.') {
        "outlook.office365.com" => true,
        "outlook.office.com" => url.path().starts_with("/webhook"),
        host => host == "webhook.office.com" || host.ends_with(".webhook.office.com"),
    }
}

#[cfg(test)]
mod url_tests {
    use super::*;

    #[test]
    fn connectors_are_known_by_their_hosts() {
        for (url, retired) in [
            ("https://shop.webhook.office.com/webhookb2/x", true),
            ("https://outlook.office.com/webhook/x", true),
            ("https://outlook.office365.com/webhook/x", true),
            ("https://outlook.office.com./webhook/x", true),
            ("https://outlook.office.com/other", false),
            ("https://webhook.office.com.example/x", false),
            ("https://prod-1.westeurope.logic.azure.com/workflows/x", false),
            ("https://x.environment.api.powerplatform.com/powerautomate/x", false),
        ] {
            assert_eq!(is_retired(&Secret::new(url)), retired, "{url}");
        }
    }
}
