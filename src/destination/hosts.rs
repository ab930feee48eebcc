//! Which URLs belong to which kind: the one place that knows it. A webhook in a destination of another kind refuses
//! every message, or takes it and shows nothing, and so does the address of a page in place of a webhook.

use url::Url;

/// The URLs of a host.
struct Host {
    /// The host, or with a dot before it whatever ends in it.
    host: &'static str,
    /// What the path of a webhook begins with; empty where the host has none.
    path: &'static str,
    /// How many parts of the path follow it at least.
    parts: usize,
    /// The kind they belong to.
    kind: &'static str,
}

const fn host(host: &'static str, path: &'static str, parts: usize, kind: &'static str) -> Host {
    Host { host, path, parts, kind }
}

/// The first row that fits a URL counts. `*` in a path is one part of it.
const HOSTS: &[Host] = &[
    host("hooks.slack.com", "/services/", 1, "slack"),
    host("hooks.slack-gov.com", "/services/", 1, "slack"),
    host("hooks.slack.com", "", 0, "slack"),
    host("slack.com", "", 0, "slack"),
    host(".slack.com", "", 0, "slack"),
    host("discord.com", "/api/webhooks/", 1, "discord"),
    host("discord.com", "/api/*/webhooks/", 1, "discord"),
    host(".discord.com", "/api/webhooks/", 1, "discord"),
    host(".discord.com", "/api/*/webhooks/", 1, "discord"),
    host("discordapp.com", "/api/webhooks/", 1, "discord"),
    host("discordapp.com", "/api/*/webhooks/", 1, "discord"),
    host("discord.com", "", 0, "discord"),
    host(".discord.com", "", 0, "discord"),
    host("discordapp.com", "", 0, "discord"),
    host("discord.gg", "", 0, "discord"),
    host("chat.googleapis.com", "/v1/spaces/", 1, "google_chat"),
    host("chat.googleapis.com", "/", 0, "google_chat"),
    host("chat.google.com", "", 0, "google_chat"),
    host("mail.google.com", "", 0, "google_chat"),
    host(".logic.azure.com", "/", 0, "teams"),
    host(".api.powerplatform.com", "/", 0, "teams"),
    host(".webhook.office.com", "/", 0, "teams"),
    host("webhook.office.com", "/", 0, "teams"),
    host("outlook.office365.com", "/", 0, "teams"),
    host("outlook.office.com", "/webhook", 0, "teams"),
    host("teams.microsoft.com", "", 0, "teams"),
    host("teams.live.com", "", 0, "teams"),
    host("teams.cloud.microsoft", "", 0, "teams"),
    host(".powerautomate.com", "", 0, "teams"),
    host("flow.microsoft.com", "", 0, "teams"),
    host(".flow.microsoft.com", "", 0, "teams"),
    host("ntfy.sh", "/", 0, "ntfy"),
];

/// What is wrong with `url` as that of a destination of `kind`, and what to write instead.
pub fn misplaced(kind: &str, url: &Url) -> Option<(String, String)> {
    let Some(known) = HOSTS.iter().find(|row| row.fits(url)) else { return page_of_an_own_server(kind, url) };
    let title = super::Kind::named(known.kind).map_or(known.kind, |kind| kind.title);
    if known.path.is_empty() {
        let what = format!("is the address of a page of {title}, not of a webhook");
        let hint = match known.kind {
            _ if kind != known.kind && kind != "webhook" => {
                format!("this destination has type = \"{kind}\": copy its webhook's URL")
            }
            "teams" => "in Teams, open Workflows and copy the URL of the Workflow".to_owned(),
            _ => format!("in {title}, create a webhook and copy its URL"),
        };
        return Some((what, hint));
    }
    if known.kind == kind {
        return incomplete(known, url, title);
    }
    // Workflows and topics take any JSON, and connectors are refused with a reason of their own.
    if kind == "webhook"
        && (known.kind == "ntfy" || known.host.contains("azure") || known.host.contains("powerplatform"))
    {
        return None;
    }
    let what = format!("belongs to {title}, and this destination is of another type");
    Some((what, format!("write type = \"{}\", or set a URL of this type", known.kind)))
}

fn incomplete(known: &Host, url: &Url, title: &str) -> Option<(String, String)> {
    let mut rest = known.rest(url)?.split('/').filter(|part| !part.is_empty());
    let (count, last) = (rest.clone().count(), rest.next_back().unwrap_or_default());
    if known.kind == "ntfy" && count > 0 {
        let hint = "set url = \"https://ntfy.sh\", and put the topic into `topic`";
        return Some(("contains a topic".into(), hint.into()));
    }
    if count < known.parts {
        let hint = format!("copy the whole URL of the webhook from {title}");
        return Some(("is not complete".into(), hint));
    }
    if known.kind == "discord" && matches!(last, "slack" | "github") {
        let what = format!("ends in `/{last}`, which is for messages of another kind");
        return Some((what, format!("remove `/{last}` from the URL")));
    }
    None
}

/// A channel's page on a Mattermost server, of which any host may be one.
fn page_of_an_own_server(kind: &str, url: &Url) -> Option<(String, String)> {
    let is_page =
        kind == "mattermost" && !url.path().contains("/hooks/") && url.path().contains("/channels/");
    let hint = "in Mattermost, open Integrations > Incoming Webhooks and copy the URL: https://…/hooks/…";
    is_page.then(|| ("is the address of a channel, not of a webhook".into(), hint.into()))
}

impl Host {
    fn fits(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
        let fits = match self.host.strip_prefix('.') {
            Some(_) => host.ends_with(self.host),
            None => host == self.host,
        };
        fits && self.rest(url).is_some()
    }

    /// What of the path follows that of a webhook.
    fn rest<'a>(&self, url: &'a Url) -> Option<&'a str> {
        match self.path.split_once('*') {
            None => url.path().strip_prefix(self.path),
            Some((before, behind)) => {
                let rest = url.path().strip_prefix(before)?;
                rest[rest.find('/')?..].strip_prefix(behind)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::destination::suite::read;

    /// What is wrong with `url` in a destination of `kind`, and no part of it with that.
    fn wrong(kind: &str, url: &str) -> Option<String> {
        let key = if matches!(kind, "webhook" | "ntfy") { "url" } else { "webhook_url" };
        let topic = if kind == "ntfy" { "topic = \"t\"\n" } else { "" };
        let (_, problems) = read(&format!("type = \"{kind}\"\n{topic}{key} = \"{url}\""));
        assert!(problems.iter().all(|problem| !format!("{problem}").contains("secretpath")), "{problems:?}");
        problems.first().map(|problem| problem.what.clone())
    }

    // F12
    #[test]
    fn a_url_of_another_kind_is_refused() {
        let slack = "https://hooks.slack.com/services/T0/B0/secretpath";
        let discord = "https://discord.com/api/webhooks/112233/secretpath";
        let google = "https://chat.googleapis.com/v1/spaces/A/messages?key=secretpath&token=secretpath";
        let teams = "https://x.environment.api.powerplatform.com/workflows/secretpath";
        let logic = "https://prod-1.westeurope.logic.azure.com:443/workflows/secretpath";
        for (own, url) in [
            ("slack", slack),
            ("discord", discord),
            ("google_chat", google),
            ("teams", teams),
            ("teams", logic),
        ] {
            for kind in ["slack", "discord", "google_chat", "teams", "mattermost", "ntfy", "webhook"] {
                let any = kind == "webhook" && own == "teams";
                let what = wrong(kind, url);
                assert_eq!(what.is_none(), kind == own || any, "{kind} {url}: {what:?}");
                assert!(what.is_none_or(|what| what.starts_with("belongs to ")), "{kind} {url}");
            }
        }
        for (kind, url) in [
            ("discord", "https://canary.discord.com/api/webhooks/112233/secretpath"),
            ("discord", "https://discord.com/api/v10/webhooks/112233/secretpath?thread_id=1"),
            ("discord", "https://discordapp.com/api/webhooks/112233/secretpath"),
            ("slack", "https://slack.proxy.example/in/secretpath"),
            ("mattermost", "https://chat.example/hooks/secretpath"),
            ("mattermost", "https://example.com/channels/hooks/secretpath"),
            ("ntfy", "https://ntfy.sh/"),
            ("webhook", "https://crm.example/slack.com/channels/x"),
        ] {
            assert_eq!(wrong(kind, url), None, "{kind} {url}");
        }
    }

    // F12
    #[test]
    fn pages_and_broken_copies_are_refused() {
        let page = "is the address of a page of";
        let space = "contains a space";
        for (kind, url, expected) in [
            ("slack", "https://app.slack.com/client/T0/secretpath", page),
            ("slack", "https://shop.slack.com/archives/secretpath", page),
            ("webhook", "https://shop.slack.com/archives/secretpath", page),
            ("slack", "https://hooks.slack.com/workflows/T0/secretpath", page),
            ("slack", "https://HOOKS.slack.com./triggers/T0/secretpath", page),
            ("discord", "https://discord.com/channels/1/secretpath", page),
            ("teams", "https://teams.microsoft.com/l/channel/secretpath", page),
            ("teams", "https://make.powerautomate.com/environments/secretpath", page),
            ("google_chat", "https://chat.google.com/room/secretpath", page),
            ("google_chat", "https://mail.google.com/chat/u/0/secretpath", page),
            ("mattermost", "https://chat.example/shop/channels/secretpath", "is the address of a channel"),
            ("slack", "https://hooks.slack.com/services/", "is not complete"),
            ("discord", "https://discord.com/api/webhooks/?secretpath", "is not complete"),
            ("discord", "https://discord.com/api/webhooks/1/secretpath/slack", "ends in `/slack`"),
            ("ntfy", "https://ntfy.sh/secretpath", "contains a topic"),
            ("slack", "https://hooks.slack.com/services/T0/B0/secretpath  the reviews", space),
            ("webhook", "https://crm.example/secretpath # the old one", space),
            ("webhook", "https://crm.example/\\u200bsecretpath", space),
            ("webhook", "https://crm.example/\\nhttps://crm.example/secretpath", "contains a line break"),
            (
                "teams",
                "https://x.webhook.office.com/webhookb2/secretpath",
                "belongs to an Office 365 connector",
            ),
        ] {
            let what = wrong(kind, url).unwrap_or_default();
            assert!(what.contains(expected), "{kind} {url}: {what}");
        }
    }
}
