//! A bench for the whole bridge: the fake API and the fake receivers over real sockets, a state of its own, a
//! clock that stands until it is moved. Tests step it; nothing sleeps.

pub mod component;
pub mod faketime;
pub mod faulty;
pub mod process;
pub mod proxy;
pub mod receiver;

use review_bridge::app::{App, Once};
use review_bridge::clock::Clock;
use review_bridge::config;
use review_bridge::domain::{DeliveryState, Timestamp};
use review_bridge::sandbox::{self, Inbox, Options, Received, Sandbox};
use review_bridge::store::sqlite::{Access, SqliteStore};
use review_bridge::store::*;
use std::collections::BTreeMap;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;

/// 2026-03-01T12:00:00Z.
pub const NOW: Timestamp = Timestamp(1_772_366_400_000);

/// Sources of the sandbox, one on each of its websites, and one on none.
pub const GOOGLE_NL: &str = "50a2ce00-0000-4000-8000-000000000001";
pub const KIYOH_NL: &str = "50a2ce00-0000-4000-8000-000000000002";
pub const GOOGLE_DE: &str = "50a2ce00-0000-4000-8000-000000000006";
pub const GOOGLE_UK: &str = "50a2ce00-0000-4000-8000-000000000010";
pub const EVERYWHERE: &str = "50a2ce00-0000-4000-8000-000000000015";

/// The bench.
pub struct Bench {
    pub folder: tempfile::TempDir,
    pub clock: Clock,
    pub sandbox: Arc<Sandbox>,
    pub inbox: Arc<Inbox>,
    pub api: String,
    pub inbox_url: String,
    /// What stands before all tables.
    pub before: String,
    /// Who `[accounts.main]` asks as.
    pub credentials: String,
    /// What `[accounts.main]` holds beside its address and credentials.
    pub account: String,
    /// Everything but the accounts.
    pub rest: String,
}

/// Destinations and rules most tests use: `support` gets what is bad, `crm` gets everything.
pub const USUAL: &str = r#"
[destinations.support]
type = "slack"
webhook_url = "INBOX/slack/support"
rate_limit = "10000/s"
[destinations.crm]
type = "webhook"
url = "INBOX/webhook/crm"
rate_limit = "10000/s"
[[rules]]
name = "bad"
when = { max_rating = 2 }
to = ["support"]
[[rules]]
name = "all"
to = ["crm"]
"#;

impl Bench {
    /// A bench with an empty sandbox of these manners, whose clock stands.
    pub async fn with(options: Options) -> Self {
        Self::on(Clock::manual(NOW), options).await
    }

    /// A bench for real processes, on the machine's clock.
    pub async fn real(options: Options) -> Self {
        Self::on(Clock::System, options).await
    }

    async fn on(clock: Clock, options: Options) -> Self {
        let sandbox = Sandbox::new(Options { requests_per_minute: 1_000_000, ..options }, clock.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}{}", listener.local_addr().unwrap(), sandbox::BASE_PATH);
        tokio::spawn(sandbox::serve(listener, sandbox.clone(), pending()));
        let inbox = Inbox::new(clock.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let inbox_url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(sandbox::serve_inbox(listener, inbox.clone(), pending()));
        let folder = folder();
        Self {
            folder,
            clock,
            sandbox,
            inbox,
            api,
            inbox_url,
            before: String::new(),
            credentials: "token = \"sandbox-token\"".into(),
            account: String::new(),
            rest: USUAL.into(),
        }
    }

    pub async fn new() -> Self {
        Self::with(Options::default()).await
    }

    /// The configuration file as it would be written.
    pub fn config(&self) -> String {
        format!(
            "{}\n[accounts.main]\n{}\nbase_url = \"{}\"\nrequests_per_minute = 600000\n{}\n{}",
            self.before,
            self.credentials,
            self.api,
            self.account,
            self.rest.replace("INBOX", &self.inbox_url)
        )
    }

    pub fn state(&self) -> PathBuf {
        self.folder.path().join("review-bridge.db")
    }

    /// Writes the configuration and returns its path. A bridge that runs never sees half of it.
    pub fn write_config(&self) -> PathBuf {
        let path = self.folder.path().join("config.toml");
        let new = self.folder.path().join("config.toml.new");
        std::fs::write(&new, self.config()).unwrap();
        std::fs::rename(&new, &path).unwrap();
        path
    }

    pub async fn app(&self) -> App {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let none: [(String, String); 0] = [];
        let loaded = config::load(Some(&self.write_config()), none, self.folder.path());
        let mut settings = loaded.unwrap_or_else(|failure| panic!("{failure}")).settings;
        settings.http.listen = None;
        App::build(settings, self.clock.clone()).await.unwrap()
    }

    /// One `run --once` of a process of its own.
    pub async fn once(&self) -> Once {
        let mut app = self.app().await;
        let once = app.run_once().await.unwrap();
        app.close().await;
        once
    }

    /// Like [`Self::once`], with a clock that moves on while the run waits for a pause the API asked for.
    pub async fn once_moving(&self) -> Once {
        let mut app = self.app().await;
        let moving = async {
            loop {
                tokio::time::sleep(Duration::from_millis(5)).await;
                self.clock.advance(Duration::from_secs(10));
            }
        };
        let once = tokio::select! {
            once = app.run_once() => once.unwrap(),
            () = moving => unreachable!(),
        };
        app.close().await;
        once
    }

    /// Runs again and again, an hour later each time, until nothing is pending or marked.
    pub async fn settle(&self) {
        for _ in 0..100 {
            self.once().await;
            let store = self.store().await;
            let waits = pending_work(&store).await;
            store.close().await;
            if !waits {
                return;
            }
            self.clock.advance(Duration::from_secs(3600));
        }
        panic!("work is left over after 100 rounds");
    }

    /// The state, beside whatever runs.
    pub async fn store(&self) -> SqliteStore {
        SqliteStore::open(&self.state(), Access::Beside).await.unwrap()
    }

    /// Adds a review that is an hour old.
    pub fn review(&self, uuid: &str, source: &str, rating: f64, text: &str) {
        self.sandbox.add(review(
            uuid,
            source,
            rating,
            text,
            self.clock.now().minus(Duration::from_secs(3600)),
        ));
    }

    pub fn slack(&self, name: &str) -> Vec<Received> {
        self.inbox.received_at(&format!("/slack/{name}"))
    }

    /// The bodies a webhook destination got.
    pub fn webhook(&self, name: &str) -> Vec<serde_json::Value> {
        let received = self.inbox.received_at(&format!("/webhook/{name}"));
        received.iter().map(|one| serde_json::from_str(&one.body).unwrap()).collect()
    }

    /// How often each review reached a webhook destination.
    pub fn told(&self, name: &str) -> BTreeMap<String, usize> {
        let mut told = BTreeMap::new();
        for body in self.webhook(name) {
            if let Some(uuid) = body["data"]["review"]["uuid"].as_str() {
                *told.entry(uuid.to_owned()).or_default() += 1;
            }
        }
        told
    }

    /// The uuids marked read, in order.
    pub fn marked(&self) -> Vec<String> {
        self.sandbox.marks().into_iter().map(|(uuid, _)| uuid).collect()
    }

    pub async fn deliveries(&self) -> Vec<DeliveryRow> {
        let store = self.store().await;
        let filter = DeliveryFilter { limit: 10_000, ..DeliveryFilter::default() };
        let rows = store.list_deliveries(&filter).await.unwrap();
        store.close().await;
        rows
    }

    pub async fn reviews(&self) -> BTreeMap<String, ReviewRow> {
        let store = self.store().await;
        let filter = ReviewFilter { limit: 10_000, ..ReviewFilter::default() };
        let rows = store.list_reviews(&filter).await.unwrap();
        store.close().await;
        rows.into_iter().map(|row| (row.uuid.clone(), row)).collect()
    }

    pub async fn state_of(&self, uuid: &str) -> ReviewState {
        self.reviews().await[uuid].state
    }
}

/// A folder that is gone afterwards; in memory where the system has such a place: nothing here tests the disk.
pub fn folder() -> tempfile::TempDir {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { tempfile::tempdir_in(memory).unwrap() } else { tempfile::tempdir().unwrap() }
}

/// Short words for what tests do to a state beside the bridge.
#[allow(async_fn_in_trait)]
pub trait Beside {
    async fn pause_for_test(&self, destination: &str);
    async fn resume_for_test(&self, destination: &str);
    async fn pause_for_test_at(&self, destination: &str, now: Timestamp);
    async fn resume_for_test_at(&self, destination: &str, now: Timestamp);
    async fn account_for_test(&self) -> AccountRecord;
}

impl Beside for SqliteStore {
    async fn pause_for_test(&self, destination: &str) {
        self.pause(destination, true, NOW).await.unwrap();
    }

    async fn resume_for_test(&self, destination: &str) {
        self.pause(destination, false, NOW).await.unwrap();
    }

    async fn pause_for_test_at(&self, destination: &str, now: Timestamp) {
        self.pause(destination, true, now).await.unwrap();
    }

    async fn resume_for_test_at(&self, destination: &str, now: Timestamp) {
        self.pause(destination, false, now).await.unwrap();
    }

    async fn account_for_test(&self) -> AccountRecord {
        self.account("main").await.unwrap()
    }
}

/// The end of a complete listing, for destinations that want everything.
pub fn listing<'a>(account: &'a str, seen: &'a [i64], now: Timestamp) -> CompleteListing<'a> {
    CompleteListing { account, seen, steady: true, begun_at: now, skip_if_read: &[], now }
}

/// An item as the API lists it.
pub fn review(uuid: &str, source: &str, rating: f64, text: &str, at: Timestamp) -> serde_json::Value {
    serde_json::json!({
        "uuid": uuid, "name": "J. de Vries", "email": "customer@example.org", "body": text, "rating": rating,
        "source_uuid": source, "platform_uuid": null, "company_uuid": null, "local_code": "nl_NL",
        "review_at": review_bridge::clock::rfc3339(at),
    })
}

/// Whether anything is still to be sent or marked.
pub async fn pending_work(store: &SqliteStore) -> bool {
    let filter =
        DeliveryFilter { state: Some(DeliveryState::Pending), limit: 1, ..DeliveryFilter::default() };
    let pending = !store.list_deliveries(&filter).await.unwrap().is_empty();
    pending || store.count_reviews().await.unwrap().iter().any(|count| count.marks_due > 0)
}
