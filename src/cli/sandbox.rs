//! `sandbox`: the fake ShopReviews API and the fake receivers, on this machine only.

use super::{CliError, output, signals};
use crate::clock::Clock;
use crate::destination::TABLE;
use crate::domain::text::one_line;
use crate::sandbox::{BASE_PATH, INBOX_PATH, Inbox, Options, Received, Sandbox, kind_of, serve_with_inbox};
use crate::settings::table::io_text;
use crate::settings::units::parse_duration;
use clap::Args;
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Address and port, on this machine only; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8090")]
    listen: SocketAddr,
    /// Seed of the invented reviews: the same seed gives the same reviews
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Number of unread reviews at the start
    #[arg(long, default_value_t = 120, value_name = "COUNT")]
    reviews: usize,
    /// How often a new review arrives; 0s for never
    #[arg(long, default_value = "10s", value_name = "DURATION", value_parser = read_duration)]
    every: Duration,
    /// Rate limit: more requests per minute get status 429
    #[arg(long, default_value_t = 60, value_name = "COUNT")]
    requests_per_minute: u32,
    /// Number of reviews per page
    #[arg(long, default_value_t = 50, value_name = "COUNT", value_parser = read_page_size)]
    page_size: usize,
    /// API token to accept; it protects nothing
    #[arg(long, default_value = "sandbox-token")]
    token: String,
    /// Mix in reviews and names that try to break the programs that read them
    #[arg(long)]
    hostile: bool,
}

fn read_duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "expected a whole number and a unit, such as 500ms, 10s or 5m".into())
}

fn read_page_size(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|size| (1..=10_000).contains(size)).ok_or_else(|| "expected 1 to 10000".into())
}

pub(super) async fn run(arguments: Arguments) -> Result<(), CliError> {
    if !arguments.listen.ip().is_loopback() {
        return Err(CliError::Usage(format!(
            "the sandbox listens on this machine only, and {} is not a loopback address; use --listen 127.0.0.1:{}",
            arguments.listen,
            arguments.listen.port()
        )));
    }
    let stop = signals::stop()?;
    let failed = |error: std::io::Error| {
        let why = io_text(&error);
        CliError::Failed(format!(
            "cannot listen on {}: {why}; choose another port with --listen",
            arguments.listen
        ))
    };
    let listener = TcpListener::bind(arguments.listen).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    output::line(&introduction(address, &arguments));
    let sandbox = Sandbox::new(options(arguments), Clock::System);
    let inbox = Inbox::new(Clock::System);
    // Dropped on a stop signal: an open connection must not keep it running.
    let served = serve_with_inbox(listener, sandbox, inbox.clone(), std::future::pending());
    tokio::select! {
        result = served => result.map_err(|error| CliError::Failed(format!("the sandbox failed: {}", io_text(&error)))),
        () = show(&inbox) => Ok(()),
        () = stop => {
            output::line("stopped");
            Ok(())
        }
    }
}

fn options(arguments: Arguments) -> Options {
    Options {
        seed: arguments.seed,
        reviews: arguments.reviews,
        every: Some(arguments.every).filter(|every| !every.is_zero()),
        requests_per_minute: arguments.requests_per_minute,
        page_size: arguments.page_size,
        token: arguments.token,
        hostile: arguments.hostile,
        ..Options::default()
    }
}

/// What a person needs to point a bridge at it.
fn introduction(address: SocketAddr, arguments: &Arguments) -> String {
    let token = one_line(&arguments.token, 200);
    let kinds = TABLE.iter().filter(|kind| kind.fixture.answer.is_some()).map(|kind| kind.name);
    let kinds: Vec<&str> = kinds.collect();
    format!(
        "Fake ShopReviews API: http://{address}{BASE_PATH} (token: {token})
Fake receivers: http://{address}{INBOX_PATH}/KIND/NAME
KIND is one of: {}
The messages they receive are shown below.

A config.toml to use it with:

[accounts.main]
token = {token:?}
base_url = \"http://{address}{BASE_PATH}\"
poll_interval = \"10s\"
backfill = \"all\"
[destinations.support]
type = \"slack\"
webhook_url = \"http://{address}{INBOX_PATH}/slack/support\"
[[rules]]
name = \"unhappy customers\"
when = {{ max_rating = 2 }}
to = [\"support\"]
",
        kinds.join(", ")
    )
}

/// Prints every message that arrives, forever.
async fn show(inbox: &Arc<Inbox>) {
    let mut seen = 0;
    loop {
        let (received, total) = inbox.beyond(seen).await;
        seen = total;
        for message in &received {
            output::line(&line(message));
        }
    }
}

/// A message in one line: the receiver and the text.
fn line(message: &Received) -> String {
    let text = match serde_json::from_str::<Value>(&message.body) {
        Ok(body) => {
            let shown = kind_of(&message.path).and_then(|kind| (kind.fixture.said)(&body));
            shown.unwrap_or_else(|| body.to_string())
        }
        Err(_) => message.body.clone(),
    };
    format!("{}  {}", one_line(message.path.trim_start_matches('/'), 60), one_line(&text, 200))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use std::collections::BTreeMap;

    fn shown(kind: &str, body: &str) -> String {
        let message = Received {
            number: 0,
            status: Some(200),
            path: format!("/{kind}/support"),
            headers: BTreeMap::new(),
            body: body.into(),
            at: Timestamp(0),
        };
        line(&message).trim_start_matches(&format!("{kind}/support  ")).to_owned()
    }

    #[test]
    fn whatever_arrives_is_one_line() {
        assert_eq!(shown("slack", r#"{"text": "a\nb\u001b[31m"}"#), "a b[31m");
        let review = r#"{"type": "review.created", "data": {"review": {"rating": 1.5, "author": "Jan", "text": "Kapot"}}}"#;
        assert_eq!(shown("webhook", review), "review.created: 1.5/5 by Jan: Kapot");
        let mute = r#"{"type": "review.updated", "data": {"review": {"rating": null, "text": null}}}"#;
        assert_eq!(shown("webhook", mute), "review.updated: no rating by anonymous: (no text)");
        assert_eq!(shown("webhook", r#"{"type": "test", "data": {"text": "hello"}}"#), "test: hello");
        let embed = r#"{"content": "@here", "embeds": [{"title": "1 of 5", "description": "Kapot"}]}"#;
        assert_eq!(shown("discord", embed), "1 of 5 Kapot");
        let card = r#"{"text": "<users/all>", "fallbackText": "1/5 Kapot"}"#;
        assert_eq!(shown("google_chat", card), "1/5 Kapot");
        let many = r#"{"type": "summary.created", "data": {"counts": {"reviews": 7}}}"#;
        assert_eq!(shown("webhook", many), "summary.created: 7 reviews");
        assert_eq!(shown("slack", "[1]"), "[1]");
        assert_eq!(shown("slack", "\u{1b}no JSON"), "no JSON");
        assert_eq!(shown("none", r#"{"text": "x"}"#), r#"{"text":"x"}"#);
    }
}
