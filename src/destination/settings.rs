//! What all kinds of destination have in common in the configuration, and how a kind is chosen.

use super::hours::ActiveHours;
use super::{Kind, Make, Schedule, TABLE};
use crate::domain::text::is_visible;
use crate::outbound::{self, Outbound};
use crate::presentation::{Mention, Own, View};
use crate::settings::{Rate, Secret, Table, table::nearest, table::quoted};
use jiff::tz::TimeZone;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// One destination of the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: &'static Kind,
    /// What all kinds have.
    pub common: Common,
    /// What its kind has: makes the destination.
    pub make: Arc<dyn Make>,
}

/// What the destinations of each kind share, beside their own tables.
#[derive(Clone, Debug, Default)]
pub struct Shared {
    own: BTreeMap<&'static str, Own>,
    /// What they are reached with.
    pub outbound: Outbound,
}

impl Shared {
    /// Reads it from the root table; what is wrong is recorded.
    pub fn read(root: &Table<'_>) -> Self {
        let own = TABLE.iter().filter_map(|kind| Some((kind.name, (kind.shared?)(root)))).collect();
        Self { own, outbound: Outbound::default() }
    }

    /// What those of `kind` share.
    pub fn of<T: std::any::Any>(&self, kind: &str) -> Option<&T> {
        self.own.get(kind)?.get()
    }
}

/// What all kinds of destination have.
#[derive(Clone, Debug)]
pub struct Common {
    /// The kind of the destination.
    pub kind: &'static str,
    /// How often it may be sent to.
    pub rate_limit: Rate,
    /// How long one attempt may take, from 1 s to 120 s.
    pub timeout: Duration,
    /// How long after the first attempt a message is given up.
    pub give_up_after: Duration,
    /// When it may be sent to; always unless set.
    pub active_hours: Option<ActiveHours>,
    /// When its reviews are sent together; each at once where it is not set.
    pub digest: Option<Arc<Schedule>>,
    /// The zone of shown dates.
    pub timezone: TimeZone,
    /// Whether the author's e-mail address is shown.
    pub show_email: bool,
    /// Whether a review that was read elsewhere is not told any more.
    pub skip_if_read: bool,
    /// Whether its URL may be http beyond this machine.
    pub allow_http: bool,
    /// A certificate authority to trust beside the system's (PEM).
    pub ca_file: Option<PathBuf>,
    /// How many single messages may come how quickly; as many as there are unless set.
    pub burst: Option<Burst>,
    /// The name of the templates it uses; the usual ones unless set.
    pub template: Option<String>,
    /// What it is reached with, shared with the others.
    pub outbound: Outbound,
}

/// How many single messages may come how quickly, before the rest is told together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// So many,
    pub limit: u32,
    /// in this time.
    pub window: Duration,
}

impl Burst {
    /// Reads `{ limit = 20, window = "5m" }`, and finishes the table.
    fn read(table: Table<'_>) -> Option<Self> {
        let number = table.integer("limit", 1..=100_000);
        if !table.has("limit") {
            table.problem("limit", "is missing", "write how many messages are sent one by one: limit = 20");
        }
        let window = table.duration("window");
        if !table.has("window") {
            table.problem("window", "is missing", "write the period: window = \"5m\"");
        }
        let fits = |window: &Duration| (Duration::from_secs(1)..=LONGEST_WINDOW).contains(window);
        if window.is_some_and(|window| !fits(&window)) {
            table.problem("window", "is not in range", "write a duration from \"1s\" to \"24h\"");
        }
        table.finish();
        let limit = u32::try_from(number?).ok()?;
        Some(Self { limit, window: window.filter(fits)? })
    }
}

/// What waits for longer is no burst but a digest.
const LONGEST_WINDOW: Duration = Duration::from_secs(86_400);

/// A key of a destination's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// Its name; secrets have a twin `…_file`.
    pub name: &'static str,
    /// What it means, and its default.
    pub summary: &'static str,
    /// Whether it is a secret.
    pub secret: bool,
}

/// The keys of every kind.
pub const COMMON_KEYS: &[Key] = &[
    Key { name: "type", summary: "the kind of destination", secret: false },
    Key {
        name: "rate_limit",
        summary: "at most this many messages per period: \"1/s\", \"30/m\", \"100/h\"",
        secret: false,
    },
    Key { name: "timeout", summary: "of one attempt, 1s to 120s; default: \"10s\"", secret: false },
    Key {
        name: "give_up_after",
        summary: "how long after the first attempt; default: \"48h\"",
        secret: false,
    },
    Key {
        name: "active_hours",
        summary: "send only then: { days, from, to, timezone }; default: always",
        secret: false,
    },
    Key {
        name: "digest",
        summary: "{ schedule, timezone, send_empty }; default: reviews are sent immediately",
        secret: false,
    },
    Key {
        name: "timezone",
        summary: "for dates in messages; default: that of `digest`, or \"UTC\"",
        secret: false,
    },
    Key { name: "show_email", summary: "show the author's e-mail address; default: false", secret: false },
    Key {
        name: "skip_if_read",
        summary: "skip reviews that were read elsewhere; default: false",
        secret: false,
    },
    Key {
        name: "allow_http",
        summary: "allow an http URL beyond this machine; default: false",
        secret: false,
    },
    Key {
        name: "burst",
        summary: "{ limit, window }: more than this are grouped into one message; default: never",
        secret: false,
    },
    Key {
        name: "ca_file",
        summary: "a certificate authority to trust in addition to the system's",
        secret: false,
    },
];

/// The key of kinds whose messages are made from templates.
pub const TEMPLATE: Key = Key {
    name: "template",
    summary: "name of a custom template set; default: the built-in templates",
    secret: false,
};

impl Settings {
    /// Reads the destination `name` from its table and reports what nobody asked for. What is wrong is
    /// recorded with the table.
    pub fn read(name: &str, table: Table<'_>, shared: &Shared) -> Option<Self> {
        let kind = read_kind(&table)?;
        let common = Common::read(&table, kind, shared);
        let make = (kind.read)(&table, &common, shared);
        table.finish();
        Some(Self { name: name.into(), kind, common, make: make? })
    }
}

fn read_kind(table: &Table<'_>) -> Option<&'static Kind> {
    let names: Vec<&str> = TABLE.iter().map(|kind| kind.name).collect();
    let hint = format!("write one of: {}", quoted(&names));
    let wanted = table.required_text("type", &hint)?;
    let kind = Kind::named(&wanted);
    if kind.is_none() {
        let shown = crate::domain::text::one_line(&wanted, 60);
        let near = nearest(&wanted, names.iter().copied());
        let near = near.map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        table.problem("type", format!("unknown kind `{shown}`"), format!("{near}{hint}"));
    }
    kind
}

impl Common {
    /// Reads the common keys; a wrong one is recorded and its default stands in.
    fn read(table: &Table<'_>, kind: &'static Kind, shared: &Shared) -> Self {
        let digest = table.table("digest").and_then(Schedule::read);
        // A digest that comes at eight says so by the same clocks.
        let zone = digest.as_ref().map_or(TimeZone::UTC, |digest| digest.zone.clone());
        let timezone = table.zone("timezone").unwrap_or(zone);
        let timeout = table.duration("timeout").unwrap_or(Duration::from_secs(10));
        if !(Duration::from_secs(1)..=Duration::from_secs(120)).contains(&timeout) {
            table.problem("timeout", "is not in range", "write a duration from \"1s\" to \"120s\"");
        }
        let ca_file = table.file("ca_file");
        if let Some(Err(what)) = ca_file.as_deref().map(outbound::certificates) {
            table.problem("ca_file", what, "set it to a PEM file with the authority's certificate");
        }
        if table.has("digest") && table.has("active_hours") {
            table.problem(
                "active_hours",
                "cannot be combined with `digest`",
                "a digest has its own schedule: keep one of the two",
            );
        }
        Self {
            kind: kind.name,
            digest: digest.map(Arc::new),
            rate_limit: table.rate("rate_limit").unwrap_or(kind.default_rate),
            timeout,
            give_up_after: table.duration("give_up_after").unwrap_or(Duration::from_secs(48 * 3_600)),
            active_hours: table.table("active_hours").and_then(|table| ActiveHours::read(table, &timezone)),
            timezone,
            show_email: table.boolean("show_email").unwrap_or(false),
            skip_if_read: table.boolean("skip_if_read").unwrap_or(false),
            allow_http: table.boolean("allow_http").unwrap_or(false),
            ca_file,
            burst: table.table("burst").and_then(Burst::read),
            template: kind.keys.contains(&TEMPLATE).then(|| read_template(table)).flatten(),
            outbound: shared.outbound.clone(),
        }
    }

    /// How the destination `name` wants messages to be shown; `own` is what its kind needs for that.
    pub(super) fn view(&self, name: &str, mention: Option<Mention>, own: Own) -> View {
        View {
            destination: name.into(),
            zone: self.timezone.clone(),
            show_email: self.show_email,
            mention,
            template: self.template.clone(),
            own,
        }
    }
}

/// The name of templates; whether there are any of that name is seen when they have been loaded.
fn read_template(table: &Table<'_>) -> Option<String> {
    let name = table.text("template")?;
    if crate::template::is_template_name(&name) {
        return Some(name);
    }
    table.problem("template", "is not a valid name", "write letters, digits, `-` and `_`, such as \"brief\"");
    None
}

/// Reads the secret URL `key`: https, or http where it stays on this machine or `allow_http` says so;
/// without a name, password or fragment. Problems never quote it.
pub fn read_url(table: &Table<'_>, key: &str, common: &Common) -> Option<Secret> {
    let twin = format!("{key}_file");
    let place = if table.has(&twin) && !table.has(key) { &twin } else { key };
    let hint = format!("set {key} = \"https://…\", or set {twin} to a file that holds it");
    let secret = table.secret(key);
    if !table.has(key) && !table.has(&twin) {
        table.problem(key, "is missing", hint.as_str());
    }
    let secret = secret?;
    let text = secret.expose().trim();
    // A URL would take a space as a part of it, and leave out a line end.
    if text.chars().any(|c| c.is_whitespace() || !is_visible(c.encode_utf8(&mut [0; 4]))) {
        table.problem(
            place,
            "contains a space or an invisible character",
            "write the URL alone, without a comment",
        );
        return None;
    }
    let Ok(url) = url::Url::parse(text) else {
        table.problem(place, "is not a URL", hint.as_str());
        return None;
    };
    let what = match url.scheme() {
        "https" => None,
        "http" if common.allow_http || is_loopback(&url) => None,
        "http" => Some(("is http, which is not encrypted", "write https://…, or set allow_http = true")),
        _ => Some(("is not an https URL", hint.as_str())),
    };
    let credentials = !url.username().is_empty() || url.password().is_some();
    let what = what
        .or(url.host_str().is_none().then_some(("has no host", hint.as_str())))
        .or(credentials.then_some(("contains a username or password", "remove it from the URL")))
        .or(url.fragment().map(|_| ("contains a `#` part, which is never sent", "remove it from the URL")));
    let what = what.map(|(what, hint)| (what.to_owned(), hint.to_owned()));
    match what.or_else(|| super::hosts::misplaced(common.kind, &url)) {
        None => Some(Secret::new(url.as_str())),
        Some((what, hint)) => {
            table.problem(place, what, hint);
            None
        }
    }
}

/// Whether `url` stays on this machine.
fn is_loopback(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => {
            address.is_loopback() || address.to_ipv4_mapped().is_some_and(|address| address.is_loopback())
        }
        None => false,
    }
}
