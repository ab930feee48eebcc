//! The commands as people run them: the real binary, its output and its exit codes. Whatever is printed holds
//! no secret and nothing that controls a terminal; both are looked for in every run here.

mod check;
mod destinations;
mod explain;
mod help;
mod interventions;
mod ledger;
mod preview;
mod reviews;
mod sandbox;
mod status;

use crate::harness::process::command;
use crate::harness::{Bench, folder};
use review_bridge::domain::{
    Attempt, Catalog, Change, DeliveryState, Form, Named, NativeRating, Outcome, Reason, Review, RuleHit,
    Source, Timestamp, text::is_unsafe,
};
use review_bridge::store::sqlite::{Access, SqliteStore};
use review_bridge::store::*;
use review_bridge::upstream::ErrorName;
use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

/// In every secret of [`CONFIG`].
const MARKER: &str = "MARKERqhxwzj";

/// Two accounts, two destinations and a rule for each, an operator. Nothing in it can be reached.
const CONFIG: &str = r#"
[accounts.main]
token = "MARKERqhxwzj"
base_url = "http://127.0.0.1:9/api/v1"
rating_scales = { Kiyoh = 10 }
[accounts.other]
email = "bridge@shop.example"
password = "MARKERqhxwzj"
base_url = "http://127.0.0.1:9/api/v1"
[http]
listen = ""
[operator]
notify = ["support"]
heartbeat_url = "https://heartbeat.example/MARKERqhxwzj"
[destinations.support]
type = "slack"
webhook_url = "http://127.0.0.1:9/services/MARKERqhxwzj"
[destinations.crm]
type = "webhook"
url = "http://127.0.0.1:9/MARKERqhxwzj"
secret = "whsec_TUFSS0VScWh4d3pqTUFSS0VScWh4d3pqTUFSS0VS"
[[rules]]
name = "unhappy"
when = { max_rating = 2 }
to = ["support"]
[[rules]]
name = "all"
to = ["crm"]
"#;

/// What a command did.
struct Ran {
    code: i32,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self
    }
}

async fn run(mut command: Command, arguments: &[&str]) -> Ran {
    let output = tokio::task::spawn_blocking(move || command.output().unwrap()).await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ran = Ran { code: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) };
    for printed in [&ran.out, &ran.err] {
        assert!(!printed.contains(MARKER), "{arguments:?}: {printed}");
        assert!(!printed.contains("TUFSS0VScWh4d3pq"), "{arguments:?}: {printed}");
    }
    assert!(!ran.out.chars().any(is_unsafe), "{arguments:?}: {:?}", ran.out);
    assert!(!ran.err.chars().any(is_unsafe), "{arguments:?}: {:?}", ran.err);
    ran
}

/// Runs the binary with a bench's configuration, beside whatever runs with it.
async fn beside(bench: &Bench, arguments: &[&str]) -> Ran {
    bench.write_config();
    let mut command = command(bench);
    command.args(arguments);
    run(command, arguments).await
}

/// Like [`beside`], and expects `code`; what it printed in all.
async fn refused(bench: &Bench, code: i32, arguments: &[&str]) -> String {
    let ran = beside(bench, arguments).await;
    assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.out, ran.err);
    format!("{}{}", ran.out, ran.err)
}

/// A folder with a configuration, and the state beside it.
struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new(config: &str) -> Self {
        let folder = folder();
        std::fs::write(folder.path().join("config.toml"), config).unwrap();
        Self { folder }
    }

    fn state(&self) -> std::path::PathBuf {
        self.folder.path().join("review-bridge.db")
    }

    async fn store(&self) -> SqliteStore {
        SqliteStore::open(&self.state(), Access::Beside).await.unwrap()
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_review-bridge"));
        command.args(arguments).env_clear().current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// Runs the binary to its end. Servers of the test go on meanwhile.
    async fn run(&self, arguments: &[&str]) -> Ran {
        run(self.command(arguments), arguments).await
    }

    /// Runs it and expects `code`; what it printed in all.
    async fn fails(&self, code: i32, arguments: &[&str]) -> String {
        let ran = self.run(arguments).await;
        assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.out, ran.err);
        format!("{}{}", ran.out, ran.err)
    }
}

const NOW: Timestamp = Timestamp(1_709_294_400_000);
/// What would colour, clear or retitle a terminal, hide text, or begin a new line.
const HOSTILE: &str = "\u{1b}[31mred\u{1b}]0;title\u{7}\u{9b}2J\u{202e}desrever\u{2028}\r\nnext\u{0}";

fn review(uuid: &str, rating: f64, text: &str) -> Fingerprinted {
    let review = Review {
        account: "main".into(),
        uuid: uuid.into(),
        rating: NativeRating::Number(rating),
        text: Some(text.to_owned()),
        author: Some(format!("J. de Vries {text}")),
        title: Some(text.to_owned()),
        language: Some("nl_NL".into()),
        reviewed_at: Some(NOW),
        source_uuid: Some("s1".into()),
        ..Review::default()
    };
    let hash = ids::fingerprint(&serde_json::to_vec(&review).unwrap());
    Fingerprinted { review, content_hash: hash.clone(), body_hash: hash }
}

fn catalog() -> Catalog {
    let named = |uuid: &str, name: &str| Named { uuid: uuid.into(), name: name.into() };
    let source = Source {
        named: named("s1", &format!("Kiyoh Amsterdam{HOSTILE}")),
        url: Some("https://kiyoh.example/shop".into()),
        review_link: None,
        platform_uuid: Some("p1".into()),
        website_uuids: vec!["w1".into()],
        last_sync_at: Some(NOW),
        next_sync_at: Some(NOW),
        average: None,
        reviews: None,
    };
    Catalog {
        sources: BTreeMap::from([("s1".into(), source)]),
        websites: BTreeMap::from([("w1".into(), named("w1", "Shop NL"))]),
        platforms: BTreeMap::from([("p1".into(), named("p1", "Kiyoh"))]),
        ..Catalog::default()
    }
}

/// A state in which much has happened: `told` was delivered to `support` and refused by `crm`, `dead` is a dead
/// letter, `wait` waits; all of them hold what is hostile.
async fn seed(place: &Place) {
    let store = place.store().await;
    store.save_catalog("main", &catalog(), NOW).await.unwrap();
    for (uuid, rating, destinations) in [
        ("told", 2.0, &["support", "crm"][..]),
        ("dead", 1.0, &["support"]),
        ("wait", 4.0, &["crm"]),
        ("unwanted", 10.0, &[]),
    ] {
        let routed = RouteDecision {
            state: if destinations.is_empty() { ReviewState::Unmatched } else { ReviewState::Matched },
            match_at: None,
            deliveries: destinations.iter().map(|name| to(name)).collect(),
            undecided: false,
            mark: false,
            scale: None,
        };
        let reviews = [review(uuid, rating, HOSTILE)];
        let batch = IntakeBatch { account: "main", reviews: &reviews, malformed: &malformed(), now: NOW };
        let decide = |_: Arrival<'_>| {
            Decision::Revise(Box::new(Revision {
                change: Change::New,
                previous: None,
                routed: routed.clone(),
            }))
        };
        store.intake(&batch, &decide).await.unwrap();
        let (outcome, state) = match uuid {
            "told" => (Outcome::Delivered, DeliveryState::Delivered),
            "dead" => (Outcome::Dead { reason: Reason::PayloadRefused }, DeliveryState::Dead),
            _ => continue,
        };
        attempt(&store, "support", outcome, state, "what happened").await;
    }
    let detail = "the webhook was removed";
    attempt(&store, "crm", Outcome::Broken { reason: Reason::Revoked }, DeliveryState::Pending, detail).await;
    store.complete_listing(&crate::harness::listing("main", &[1, 2], NOW)).await.unwrap();
    store
        .poll_failed("other", ErrorName::Unauthenticated, &format!("Unauthenticated.{HOSTILE}"), NOW)
        .await
        .unwrap();
    store.endpoint_seen("main", "unread_reviews", None, NOW).await.unwrap();
    store.close().await;
}

fn to(destination: &str) -> NewDelivery {
    let rules = vec![RuleHit { rule: "unhappy".into(), because: vec![format!("rating is low{HOSTILE}")] }];
    NewDelivery { destination: destination.into(), recipient: String::new(), rules, at_once: true }
}

fn malformed() -> [review_bridge::upstream::Malformed; 1] {
    [review_bridge::upstream::Malformed {
        hash: "f00d".into(),
        reason: "it has no `uuid`".into(),
        payload: format!("{{\"body\": \"{HOSTILE}\"}}"),
    }]
}

async fn attempt(
    store: &SqliteStore,
    destination: &str,
    outcome: Outcome,
    state: DeliveryState,
    detail: &str,
) {
    let request = LeaseRequest {
        destination: destination.into(),
        limit: 1,
        without_reviews: false,
        is_probe: false,
        only: None,
        except: Vec::new(),
        hold: Duration::from_secs(40),
    };
    let leased = store.lease(&[request], NOW, "test").await.unwrap().remove(0);
    let evidence = outcome.clone();
    let settlement = Settlement {
        id: leased.id.clone(),
        number: leased.attempt,
        reason: outcome.reason().filter(|_| state == DeliveryState::Dead),
        attempt: Attempt {
            outcome,
            status: Some(403),
            detail: format!("{detail}{HOSTILE}"),
            excerpt: Some(format!("no_service{HOSTILE}")),
        },
        duration: Duration::from_millis(5),
        state,
        next_at: NOW,
        form: Form::Full,
        possible_repeat: false,
        destination: destination.into(),
        about: vec![destination.into()],
        random: 0.0,
        hold: None,
        evidence,
        shown: Vec::new(),
        split: Split::No,
        content: None,
    };
    store.settle(&[settlement], NOW).await.unwrap();
}
