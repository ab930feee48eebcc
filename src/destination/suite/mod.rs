//! What every kind is held to, row by row of the TABLE, by its fixture: what it makes of answers and of broken
//! connections (`conformance`), and that no text of a customer's can hurt anybody (`hostile_text`).

#![allow(clippy::unwrap_used, clippy::expect_used)]

mod conformance;
mod hostile_text;
pub mod messages;
pub mod server;
mod shapes;

use super::*;
use crate::domain::{Outcome, Reason};
use crate::presentation::sample;
use crate::settings::{Problem, Problems, Source, Table};
use figment::providers::{Format as _, Toml};
use server::{Reply, Server, answer};
use std::path::PathBuf;
use std::time::Duration;

/// Part of the addresses that are tried, which nobody may see.
pub const TOKEN: &str = "XXXXsecretpathXXXXsecret";

/// Reads the destination `support` from TOML, with what its kind shares.
pub fn read(toml: &str) -> (Option<Settings>, Vec<Problem>) {
    let smtp = "smtp = { host = \"127.0.0.1\", port = 25, tls = \"none\" }\n";
    let text = format!("{smtp}[support]\n{toml}");
    let dict: figment::value::Dict = figment::Figment::from(Toml::string(&text)).extract().unwrap();
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let source =
        Source { folder, file: "config.toml".into(), environment: Vec::new(), problems: Problems::default() };
    let root = Table::new("", &dict, &source);
    let shared = Shared::read(&root);
    let settings = Settings::read("support", root.table("support").unwrap(), &shared);
    (settings, source.problems.into_vec())
}

/// The configuration of `kind` that sends to `url`.
pub fn config(kind: &Kind, url: &str) -> String {
    format!("type = \"{}\"\n{}\n", kind.name, kind.fixture.config(url))
}

/// The destination of a configuration.
pub fn make(toml: &str) -> Arc<dyn Destination> {
    make_with(toml, |_| {})
}

/// The destination of a configuration of which `change` was changed.
pub fn make_with(toml: &str, change: impl Fn(&mut Common)) -> Arc<dyn Destination> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (settings, problems) = read(toml);
    assert!(problems.is_empty(), "{toml}: {problems:?}");
    let mut settings = settings.unwrap();
    change(&mut settings.common);
    no_secret(settings.kind, &format!("{settings:?}"));
    settings.make.make("support", &settings.common, built_in_templates()).unwrap()
}

/// Nothing of what nobody may see is in `text`.
fn no_secret(kind: &Kind, text: &str) {
    assert!(!text.to_lowercase().contains("secretpath"), "{text}");
    for secret in kind.fixture.secrets {
        assert!(!text.contains(secret), "{}: {text}", kind.name);
    }
}

/// Sends the usual review once; what is said of that holds no secret and is fit for a terminal.
pub async fn send(kind: &Kind, destination: &dyn Destination) -> Attempt {
    let message = sample("everything");
    let payload = destination.render(&message);
    let attempt = destination.send(&message, &payload).await;
    for text in [Some(&attempt.detail), attempt.excerpt.as_ref()].into_iter().flatten() {
        no_secret(kind, text);
        assert!(!text.contains(|c: char| c.is_control()), "{text:?}");
        assert!(text.chars().count() <= 600, "{text}");
    }
    assert!(attempt.detail.ends_with('.') && attempt.detail.len() > 20, "{}", attempt.detail);
    attempt
}

/// What `kind` makes of an answer, and a part of what it says.
pub async fn assert_means(
    kind: &Kind,
    status: u16,
    headers: &str,
    body: &str,
    expected: Outcome,
    part: &str,
) {
    let server = Server::start(answer(status, headers, body));
    let attempt = send(kind, &*make(&config(kind, &server.url()))).await;
    assert_eq!(attempt.outcome, expected, "{status} {body}");
    assert_eq!(attempt.status, Some(status));
    assert!(attempt.detail.contains(part), "{status} {body}: {}", attempt.detail);
}

/// Another attempt may pass.
pub fn retry(reason: Reason, after: Option<u64>, ambiguous: bool) -> Outcome {
    Outcome::Retry { reason, after: after.map(Duration::from_secs), ambiguous }
}

/// Each configuration has the problem, and none of them tells what nobody may see.
pub fn assert_refused(cases: &[(&str, &str)]) {
    for (toml, expected) in cases {
        let (_, problems) = read(toml);
        let all: Vec<String> =
            problems.iter().map(|problem| format!("{}: {}", problem.path, problem.what)).collect();
        assert!(all.iter().any(|problem| problem.contains(expected)), "{toml}: {all:?}");
        assert!(problems.iter().all(|problem| !format!("{problem}").contains("secretpath")), "{problems:?}");
    }
}

/// Sends once to a server that does `reply`, for every kind.
async fn each_kind(reply: Reply, check: impl Fn(&Kind, Attempt)) {
    for kind in by_http() {
        let server = Server::start(reply.clone());
        check(kind, send(kind, &*make(&config(kind, &server.url()))).await);
    }
}

/// The kinds that post to a URL; e-mail is tried in its own folder.
fn by_http() -> impl Iterator<Item = &'static Kind> {
    TABLE.iter().copied().filter(|kind| kind.fixture.answer.is_some())
}

/// What settles a message of `kind`.
fn success(kind: &Kind) -> Outcome {
    kind.fixture.answer.as_ref().unwrap().outcome.clone()
}

/// What its receiver answers when all is well.
fn fine(kind: &Kind) -> Reply {
    let fine = kind.fixture.answer.as_ref().unwrap();
    answer(fine.status, "", fine.body)
}

/// Whether a success needs a sign that only its receiver gives.
fn is_strict(kind: &Kind) -> bool {
    !matches!(kind.name, "webhook" | "teams")
}
