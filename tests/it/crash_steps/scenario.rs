//! The scenario: all kinds of destination, edits, digests, bursts and marks in five rounds, and what must hold at any
//! moment of it and in the end.

use super::process::{Ended, FaultPlan, Process};
use crate::harness::*;
use review_bridge::domain::Timestamp;
use review_bridge::sandbox::{Answer, Mailbox, serve_mailbox};
use review_bridge::store::Store;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

const DESTINATIONS: &str = r#"
[smtp]
host = "127.0.0.1"
port = PORT
tls = "none"
from = "Reviews <reviews@shop.example>"
[destinations.support]
type = "slack"
webhook_url = "INBOX/slack/support"
rate_limit = "10000/s"
[destinations.managers]
type = "teams"
webhook_url = "INBOX/teams/managers"
rate_limit = "10000/s"
[destinations.people]
type = "email"
to = ["a@shop.example", "b@shop.example"]
rate_limit = "10000/s"
[destinations.crm]
type = "webhook"
url = "INBOX/webhook/crm"
rate_limit = "10000/s"
burst = { limit = 1, window = "5m" }
[destinations.owner]
type = "webhook"
url = "INBOX/webhook/owner"
rate_limit = "10000/s"
digest = { schedule = "0 8 * * *" }
[[rules]]
name = "bad"
when = { max_rating = 2 }
to = ["support", "managers", "people"]
[[rules]]
name = "with words"
when = { has_text = true }
to = ["crm", "owner"]
"#;

/// The rounds of the scenario: what happens in the world before each, then the bridge runs once.
pub const ROUNDS: u32 = 5;
const HOUR: Duration = Duration::from_secs(3600);

pub struct Scenario {
    bench: Bench,
    process: Process,
    mailbox: Arc<Mailbox>,
}

impl Scenario {
    pub async fn new() -> Self {
        let mut bench = Bench::new().await;
        let mailbox = Mailbox::new(bench.clock.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(serve_mailbox(listener, mailbox.clone(), pending()));
        bench.rest = DESTINATIONS.replace("PORT", &port.to_string());
        let process = Process::new(&bench.write_config(), bench.clock.clone());
        Self { bench, process, mailbox }
    }

    /// One process: it starts, runs once, ends.
    pub async fn process(&self, fate: FaultPlan) -> Ended {
        self.process.run(fate).await
    }

    /// One process to which nothing happens.
    pub async fn calm_process(&self) {
        assert_eq!(self.process(Box::new(|_| None)).await, Ended::Well);
    }

    pub fn config(&self) -> PathBuf {
        self.bench.write_config()
    }

    pub fn now(&self) -> Timestamp {
        self.bench.clock.now()
    }

    /// Whether the state's log holds what is not yet in its file.
    pub fn has_log(&self) -> bool {
        let log = self.bench.state().with_extension("db-wal");
        std::fs::metadata(log).is_ok_and(|log| log.len() > 0)
    }

    pub fn before_round(&self, round: u32) {
        let bench = &self.bench;
        match round {
            0 => {
                bench.review("bad", GOOGLE_NL, 1.0, "Kapot");
                bench.review("good", GOOGLE_DE, 5.0, "Sehr gut");
                bench.review("mute", GOOGLE_UK, 4.0, "");
            }
            1 => {
                bench.sandbox.edit("good", &json!({ "rating": 1, "body": "Doch nicht gut" }));
                bench.sandbox.set_unread("good", true);
                bench.review("late", GOOGLE_NL, 2.0, "Te laat");
                bench.inbox.answer("/slack/support", Answer::status(503, "later"));
            }
            2 => bench.clock.advance(HOUR),
            3 => {
                bench.clock.advance(HOUR * 20);
                bench.sandbox.edit("late", &json!({ "rating": 4, "body": "Toch goed" }));
                bench.sandbox.set_unread("late", true);
            }
            _ => {
                bench.clock.advance(HOUR * 24);
                bench.review("fresh", GOOGLE_NL, 1.0, "En dit nu");
            }
        }
    }

    /// What each review must have reached in the end, as (destination, text).
    fn expected() -> Vec<(&'static str, &'static str, &'static str)> {
        let mut expected = Vec::new();
        for (uuid, text) in [("bad", "Kapot"), ("good", "Doch nicht gut"), ("fresh", "En dit nu")] {
            for destination in ["support", "managers", "a@shop.example", "b@shop.example", "crm", "owner"] {
                expected.push((uuid, destination, text));
            }
        }
        for destination in ["support", "managers", "a@shop.example", "b@shop.example"] {
            expected.push(("late", destination, "Te laat"));
        }
        for destination in ["crm", "owner"] {
            expected.push(("late", destination, "Toch goed"));
        }
        expected
    }

    /// Everything that arrived: where, and which texts it tells. An edit shows the text before it, too.
    fn arrived(&self) -> Vec<(String, Vec<&'static str>)> {
        let posts = self.bench.inbox.received().into_iter();
        let posts = posts.filter(|post| post.status.is_some_and(|status| status < 300));
        let posts = posts.map(|post| (post.path.rsplit('/').next().unwrap().to_owned(), post.body));
        let mails = self.mailbox.received().into_iter();
        let mails = mails.map(|mail| (mail.recipients.join(","), mail.parsed.text.unwrap_or_default()));
        posts.chain(mails).map(|(to, said)| (to, texts_of(&said))).collect()
    }

    fn has_arrived(&self, destination: &str, text: &str) -> bool {
        self.arrived().iter().any(|(to, texts)| to == destination && texts.contains(&text))
    }

    /// At any moment: what is marked read was told before, whatever its newest revision was then.
    pub fn nothing_is_marked_early(&self, context: &str) {
        for uuid in self.bench.marked() {
            let told: &[&str] = match uuid.as_str() {
                "bad" => &["Kapot"],
                "good" => &["Sehr gut", "Doch nicht gut"],
                "late" => &["Te laat", "Toch goed"],
                "fresh" => &["En dit nu"],
                other => panic!("{context}: {other} was marked, which no rule matches"),
            };
            for destination in ["crm", "owner"] {
                let arrived = told.iter().any(|text| self.has_arrived(destination, text));
                assert!(arrived, "{context}: {uuid} was marked before {destination} was told");
            }
        }
    }

    pub async fn holds_in_the_end(&self, context: &str) {
        for _ in 0..100 {
            self.calm_process().await;
            let store = self.bench.store().await;
            let waits = pending_work(&store).await;
            store.close().await;
            if !waits {
                break;
            }
            self.bench.clock.advance(HOUR);
        }
        self.nothing_is_marked_early(context);
        for (uuid, destination, text) in Self::expected() {
            assert!(self.has_arrived(destination, text), "{context}: {uuid} is lost at {destination}");
        }
        let marked: BTreeSet<String> = self.bench.marked().into_iter().collect();
        assert_eq!(marked, ["bad", "fresh", "good", "late"].map(String::from).into(), "{context}");
        assert_eq!(self.bench.sandbox.unread(), ["mute"], "{context}");
        let mut times: BTreeMap<(String, &str), usize> = BTreeMap::new();
        for (destination, text) in
            self.arrived().iter().flat_map(|(to, texts)| texts.iter().map(move |text| (to, text)))
        {
            assert!(!(destination == "support" && *text == "Sehr gut"), "{context}: not for support");
            *times.entry((destination.clone(), text)).or_default() += 1;
        }
        // What a crash left unknown may be told again; that is in the ledger.
        let unknown = self.unknown_attempts().await;
        let repeats: usize = times.values().map(|times| times - 1).sum();
        assert!(repeats <= unknown, "{context}: {repeats} repeats, {unknown} unknown attempts");
        let left: Vec<_> = self.bench.deliveries().await;
        assert!(left.iter().all(|row| row.state.as_str() != "dead"), "{context}: {left:?}");
    }

    async fn unknown_attempts(&self) -> usize {
        let store = self.bench.store().await;
        let mut unknown = 0;
        for row in self.bench.deliveries().await {
            let Some(message) = row.message_id else { continue };
            let attempts = store.list_attempts(&message).await.unwrap();
            unknown += attempts.iter().filter(|one| one.outcome.as_deref() == Some("unknown")).count();
        }
        store.close().await;
        unknown
    }
}

/// The texts a message tells.
fn texts_of(said: &str) -> Vec<&'static str> {
    let all = ["Kapot", "Sehr gut", "Doch nicht gut", "Te laat", "Toch goed", "En dit nu"];
    let mut texts: Vec<&'static str> = all.into_iter().filter(|text| said.contains(text)).collect();
    for (before, after) in [("Sehr gut", "Doch nicht gut"), ("Te laat", "Toch goed")] {
        if texts.contains(&after) {
            texts.retain(|text| *text != before);
        }
    }
    texts
}
