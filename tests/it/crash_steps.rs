//! Crash at every step: a scenario with all kinds of destination, edits, digests and marks, in which the n-th
//! call of the state fails, or the process dies at it, for every n.

use crate::harness::faulty::{FaultPlan, FaultyStore, StoreFault, is_made_up};
use crate::harness::*;
use review_bridge::app::{App, build_targets};
use review_bridge::clock::Clock;
use review_bridge::config::{self, Settings};
use review_bridge::domain::Timestamp;
use review_bridge::outbox::Targets;
use review_bridge::sandbox::{Answer, Mailbox, serve_mailbox};
use review_bridge::store::sqlite::{Access, SqliteStore};
use review_bridge::store::{SharedStore, Store};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
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
const ROUNDS: u32 = 5;
const HOUR: Duration = Duration::from_secs(3600);

struct Scenario {
    bench: Bench,
    settings: Settings,
    targets: Targets,
    mailbox: Arc<Mailbox>,
}

impl Scenario {
    async fn new() -> Self {
        let mut bench = Bench::new().await;
        let memory = Path::new("/dev/shm");
        if memory.is_dir() {
            bench.folder = tempfile::tempdir_in(memory).unwrap();
        }
        let mailbox = Mailbox::new(bench.clock.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(serve_mailbox(listener, mailbox.clone(), pending()));
        bench.rest = DESTINATIONS.replace("PORT", &port.to_string());
        let (settings, targets) = wiring(&bench.write_config());
        Self { bench, settings, targets, mailbox }
    }

    /// One process: it starts, runs once, ends.
    async fn process(&self, plan: FaultPlan) -> Result<(), String> {
        let (settings, targets) = (self.settings.clone(), self.targets.clone());
        process(settings, targets, self.bench.clock.clone(), plan).await
    }

    fn before_round(&self, round: u32) {
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
    fn nothing_is_marked_early(&self, context: &str) {
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

    async fn holds_in_the_end(&self, context: &str) {
        for _ in 0..100 {
            self.process(Box::new(|_| None)).await.unwrap();
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

/// Counts calls up to the one that goes wrong.
fn plan(calls: Arc<AtomicU32>, at: u32, fault: StoreFault) -> FaultPlan {
    Box::new(move |_| (calls.fetch_add(1, Ordering::SeqCst) + 1 == at).then_some(fault))
}

/// What a process makes of its configuration: the same each time, so it is made once.
fn wiring(config: &Path) -> (Settings, Targets) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let none: [(String, String); 0] = [];
    let mut settings = config::load(Some(config), none, config.parent().unwrap()).unwrap().settings;
    settings.http.listen = None;
    let targets = build_targets(&settings).unwrap_or_else(|error| panic!("{error}"));
    (settings, targets)
}

async fn process(settings: Settings, targets: Targets, clock: Clock, plan: FaultPlan) -> Result<(), String> {
    let store = SqliteStore::open(&settings.state.path, Access::Own).await.unwrap();
    let store: SharedStore = Arc::new(FaultyStore::new(Arc::new(store), plan));
    let mut app = App::on(settings, targets, store, clock).await.map_err(|error| error.to_string())?;
    let result = app.run_once().await.map(drop).map_err(|error| error.to_string());
    app.close().await;
    result
}

/// Runs the scenario with one fault; returns how many calls each of its processes made, from its start.
async fn run_with(at: u32, fault: StoreFault) -> Vec<u32> {
    let scenario = Scenario::new().await;
    let calls = Arc::new(AtomicU32::new(0));
    let context = format!("call {at} {fault:?}");
    let mut ends = Vec::new();
    for round in 0..ROUNDS {
        scenario.before_round(round);
        loop {
            let ended = scenario.process(plan(calls.clone(), at, fault)).await;
            scenario.nothing_is_marked_early(&context);
            ends.push(calls.load(Ordering::SeqCst));
            match ended {
                Ok(()) => break,
                Err(error) => assert!(is_made_up(&error), "{context}: {error}"),
            }
        }
    }
    scenario.holds_in_the_end(&context).await;
    ends
}

/// Runs the scenario; the process in which call `at` falls is a real one, and dies at it. Whether it did: what
/// is sent at a time is settled in as many commits as the answers' order makes of it, so that a process may
/// end a call or two earlier than the one that was counted, and then it ends well.
async fn die_at(at: u32, fault: StoreFault, ends: &[u32]) -> bool {
    let scenario = Scenario::new().await;
    let context = format!("call {at} {fault:?}");
    let (mut before, mut died) = (0, false);
    for (round, end) in (0..ROUNDS).zip(ends) {
        scenario.before_round(round);
        let config = scenario.bench.write_config();
        if (before + 1..=*end).contains(&at) {
            died = !child(&config, scenario.bench.clock.now(), at - before, fault).await;
            scenario.nothing_is_marked_early(&context);
        }
        before = *end;
        scenario.process(Box::new(|_| None)).await.unwrap();
        scenario.nothing_is_marked_early(&context);
    }
    scenario.holds_in_the_end(&context).await;
    died
}

const CONFIG: &str = "CRASH_STEPS_CONFIG";
const TIME: &str = "CRASH_STEPS_TIME";
const CALL: &str = "CRASH_STEPS_CALL";
const AFTER: &str = "CRASH_STEPS_AFTER";

/// Starts this very program again, as the process that dies; whether it ended well.
async fn child(config: &Path, now: Timestamp, at: u32, fault: StoreFault) -> bool {
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "crash_steps::a_process_that_is_to_die"])
        .env(CONFIG, config)
        .env(TIME, now.0.to_string())
        .env(CALL, at.to_string())
        .env(AFTER, (fault == StoreFault::AbortAfter).to_string())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    // The API and the inboxes live in this process, and must answer meanwhile.
    tokio::task::spawn_blocking(move || command.status().unwrap().success()).await.unwrap()
}

/// The other end of [`child`]; nothing where it is run like a test.
#[tokio::test]
async fn a_process_that_is_to_die() {
    let Some(config) = std::env::var_os(CONFIG) else { return };
    let number = |name: &str| std::env::var(name).unwrap().parse::<i64>().unwrap();
    let after = std::env::var(AFTER).unwrap() == "true";
    let fault = if after { StoreFault::AbortAfter } else { StoreFault::AbortBefore };
    let at = u32::try_from(number(CALL)).unwrap();
    let plan = plan(Arc::default(), at, fault);
    let (settings, targets) = wiring(Path::new(&config));
    process(settings, targets, Clock::manual(Timestamp(number(TIME))), plan).await.unwrap();
}

async fn every_call_fails(fault: StoreFault) {
    let total = *run_with(u32::MAX, fault).await.last().unwrap();
    println!("{total} calls of the state, {fault:?}");
    assert!(total > 100, "the scenario does something: {total}");
    for at in 1..=total {
        run_with(at, fault).await;
    }
}

async fn every_call_kills(fault: StoreFault) {
    let ends = run_with(u32::MAX, StoreFault::Before).await;
    let total = *ends.last().unwrap();
    let mut died = 0;
    for at in 1..=total {
        died += u32::from(die_at(at, fault, &ends).await);
    }
    // At most the last calls of a round may be missed.
    println!("{died} of {total} processes died, {fault:?}");
    assert!(total - died <= 3 * ROUNDS, "only {died} of {total} processes died, {fault:?}");
}

#[tokio::test]
async fn the_state_fails_before_each_of_its_calls() {
    every_call_fails(StoreFault::Before).await;
}

#[tokio::test]
async fn the_state_fails_after_each_of_its_calls() {
    every_call_fails(StoreFault::After).await;
}

#[tokio::test]
async fn the_process_dies_before_each_call_of_the_state() {
    every_call_kills(StoreFault::AbortBefore).await;
}

#[tokio::test]
async fn the_process_dies_after_each_call_of_the_state() {
    every_call_kills(StoreFault::AbortAfter).await;
}
