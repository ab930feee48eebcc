//! Hours in one go: the real binary under a steady stream of reviews and random faults, first without a
//! restart, then killed every minute. `cargo bench --bench soak [-- STEADY_MINUTES KILLED_MINUTES]` (30 and 20)
//! prints memory, file descriptors and the size of the state each minute, and in the end how many reviews
//! were lost (none) and repeated. Exits with 1 where one is lost, or memory or descriptors grow.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use review_bridge::clock::Clock;
use review_bridge::sandbox::{self, Answer, Fault, Inbox, Options, Sandbox};
use review_bridge::upstream::Endpoint;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

const REVIEWS_A_SECOND: u64 = 20;
const SEED: u64 = 4;
const MINUTE: Duration = Duration::from_secs(60);

fn main() {
    let minutes: Vec<u64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let steady = minutes.first().copied().unwrap_or(30);
    let killed = minutes.get(1).copied().unwrap_or(20);
    let fine = runtime.block_on(Soak::run(steady, killed));
    std::process::exit(i32::from(!fine));
}

struct Soak {
    folder: tempfile::TempDir,
    sandbox: Arc<Sandbox>,
    inbox: Arc<Inbox>,
    random: fastrand::Rng,
    /// How often each review was told.
    told: Arc<Mutex<HashMap<String, u32>>>,
    added: u64,
    faults: HashMap<&'static str, u64>,
    samples: Vec<Sample>,
    started: Instant,
    last_listing_fault: Instant,
}

#[derive(Clone, Copy)]
struct Sample {
    memory_kib: u64,
    descriptors: usize,
}

impl Soak {
    async fn run(steady: u64, killed: u64) -> bool {
        let mut soak = Self::new().await;
        println!("minute  memory MiB  descriptors  state MiB  unread");
        let mut child = soak.start();
        soak.live(&mut child, steady, false).await;
        let flat = steady == 0 || soak.is_flat();
        soak.drain().await;
        stop(child);
        let full = soak.state_bytes();
        let shown = soak.let_retention_pass();
        let mut child = soak.start();
        soak.live(&mut child, killed, true).await;
        soak.drain().await;
        stop(child);
        if shown {
            let (before, after) = (mib(full), mib(soak.state_bytes()));
            println!(
                "state after {steady} minutes {before:.1} MiB; past its retention, and {killed} minutes more, {after:.1} MiB"
            );
        }
        soak.verdict() && flat
    }

    async fn new() -> Self {
        let options = Options { requests_per_minute: u32::MAX, page_size: 100, ..Options::default() };
        let sandbox = Sandbox::new(options, Clock::System);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = format!("http://{}{}", listener.local_addr().unwrap(), sandbox::BASE_PATH);
        tokio::spawn(sandbox::serve(listener, sandbox.clone(), pending()));
        let inbox = Inbox::new(Clock::System);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let receiver = listener.local_addr().unwrap();
        tokio::spawn(sandbox::serve_inbox(listener, inbox.clone(), pending()));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("config.toml"), config(&api, &receiver.to_string())).unwrap();
        let told = Arc::default();
        tokio::spawn(count(inbox.clone(), Arc::clone(&told)));
        Self {
            folder,
            sandbox,
            inbox,
            random: fastrand::Rng::with_seed(SEED),
            told,
            added: 0,
            faults: HashMap::new(),
            samples: Vec::new(),
            started: Instant::now(),
            last_listing_fault: Instant::now(),
        }
    }

    fn config(&self) -> PathBuf {
        self.folder.path().join("config.toml")
    }

    fn start(&self) -> Child {
        let log =
            std::fs::File::options().append(true).create(true).open(self.folder.path().join("log")).unwrap();
        Command::new(env!("CARGO_BIN_EXE_review-bridge"))
            .args(["--config", &self.config().to_string_lossy(), "run"])
            .stdin(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap()
    }

    /// Reviews arrive and faults happen for so many minutes.
    async fn live(&mut self, child: &mut Child, minutes: u64, kills: bool) {
        let mut tick = tokio::time::interval(Duration::from_millis(1000 / REVIEWS_A_SECOND));
        for minute in 1..=minutes {
            let end = Instant::now() + MINUTE;
            while Instant::now() < end {
                tick.tick().await;
                self.review();
                if self.random.u8(0..20) == 0 {
                    self.mishap();
                }
            }
            self.sample(child);
            self.sandbox.forget_read(20_000);
            if kills {
                child.kill().unwrap();
                child.wait().unwrap();
                *self.faults.entry("SIGKILL").or_default() += 1;
                *child = self.start();
            }
            if minute == minutes || minute % 5 == 0 || kills {
                self.tell();
            }
        }
    }

    fn review(&mut self) {
        self.added += 1;
        let rating = *self.random.choice(&[1, 2, 4, 5, 5, 5]).unwrap();
        self.sandbox.add(json!({
            "uuid": format!("soak-{:06}", self.added), "name": "J. de Vries", "email": null,
            "body": format!("Review number {} of the soak, {}", self.added, "with some words to it ".repeat(8)),
            "rating": rating, "source_uuid": "50a2ce00-0000-4000-8000-000000000001", "platform_uuid": null,
            "local_code": "nl_NL", "review_at": review_bridge::clock::rfc3339(Clock::System.now()),
        }));
    }

    /// Something goes wrong.
    fn mishap(&mut self) {
        // Faults wait for requests: there are few listings, and each that fails makes the next one rarer.
        let endpoint = match self.last_listing_fault.elapsed() > Duration::from_secs(20) {
            true => Endpoint::UnreadReviews,
            false => Endpoint::MarkReviewRead,
        };
        let path = *self.random.choice(&["/webhook/crm", "/slack/support"]).unwrap();
        let slow_down = vec![("Retry-After".to_owned(), "2".to_owned())];
        let choice = self.random.usize(0..11);
        if choice < 6 && endpoint == Endpoint::UnreadReviews {
            self.last_listing_fault = Instant::now();
        }
        let name = match choice {
            0 => self.api(endpoint, Fault::Reset, "API: connection reset"),
            1 => self.api(endpoint, Fault::ResetAfterApplying, "API: reset after it was done"),
            2 => self.api(endpoint, Fault::Cut, "API: answer cut"),
            3 => self.api(endpoint, Fault::Html, "API: HTML"),
            4 => self.api(endpoint, Fault::status(500, "oops"), "API: 500"),
            5 => {
                let fault = Fault::Status { code: 429, headers: slow_down, body: "{}".into() };
                self.api(endpoint, fault, "API: 429")
            }
            6 => self.destination(path, Answer::Reset, "destination: connection reset"),
            7 => self.destination(path, Answer::ResetAfterReading, "destination: reset after reading"),
            8 => self.destination(path, Answer::status(503, "later"), "destination: 503"),
            9 => {
                let answer = Answer::Status { code: 429, headers: slow_down, body: "slow down".into() };
                self.destination(path, answer, "destination: 429")
            }
            _ => self.destination(path, Answer::Slow, "destination: no answer"),
        };
        *self.faults.entry(name).or_default() += 1;
    }

    fn api(&self, endpoint: Endpoint, fault: Fault, name: &'static str) -> &'static str {
        self.sandbox.fault(endpoint, fault);
        name
    }

    fn destination(&self, path: &str, answer: Answer, name: &'static str) -> &'static str {
        self.inbox.answer(path, answer);
        name
    }

    fn sample(&mut self, child: &Child) {
        let descriptors = std::fs::read_dir(format!("/proc/{}/fd", child.id())).map_or(0, Iterator::count);
        self.samples.push(Sample { memory_kib: memory_kib(child.id()), descriptors });
    }

    fn tell(&self) {
        let Some(sample) = self.samples.last() else { return };
        println!(
            "{:>6}  {:>10.1}  {:>11}  {:>9.1}  {:>6}",
            self.started.elapsed().as_secs() / 60,
            sample.memory_kib as f64 / 1024.0,
            sample.descriptors,
            mib(self.state_bytes()),
            self.sandbox.unread_count()
        );
    }

    fn state_bytes(&self) -> u64 {
        let size = |name: &str| std::fs::metadata(self.folder.path().join(name)).map_or(0, |file| file.len());
        size("review-bridge.db") + size("review-bridge.db-wal")
    }

    /// Whether memory and descriptors stayed where they were after the first third.
    fn is_flat(&self) -> bool {
        let third = self.samples.len() / 3;
        let highest = |samples: &[Sample]| {
            let memory = samples.iter().map(|sample| sample.memory_kib).max().unwrap_or(0);
            (memory, samples.iter().map(|sample| sample.descriptors).max().unwrap_or(0))
        };
        let (before, after) = (highest(&self.samples[..third * 2]), highest(&self.samples[third * 2..]));
        let flat = after.0 <= before.0 + before.0 / 10 && after.1 <= before.1 + 10;
        println!(
            "highest of the first two thirds: {:.1} MiB, {} descriptors; of the last: {:.1} MiB, {} ({})",
            before.0 as f64 / 1024.0,
            before.1,
            after.0 as f64 / 1024.0,
            after.1,
            if flat { "flat" } else { "NOT FLAT" }
        );
        flat
    }

    /// Nothing new comes, nothing fails: all must be told and marked.
    async fn drain(&self) {
        let start = Instant::now();
        while self.sandbox.unread_count() > 0 && start.elapsed() < MINUTE * 15 {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        println!("at rest after {} s, {} unread", start.elapsed().as_secs(), self.sandbox.unread_count());
    }

    /// Runs once on a day by which everything is past its retention; `false` without `faketime`.
    fn let_retention_pass(&self) -> bool {
        let status = Command::new("faketime")
            .args(["-f", "+70d", env!("CARGO_BIN_EXE_review-bridge"), "--config"])
            .arg(self.config())
            .args(["run", "--once"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        match status {
            Ok(_) => true,
            Err(error) => {
                println!("faketime: {error}: that retention bounds the state is not shown");
                false
            }
        }
    }

    fn verdict(&self) -> bool {
        let told = self.told.lock().unwrap();
        let lost = (1..=self.added).filter(|number| !told.contains_key(&format!("soak-{number:06}"))).count();
        let repeated: u64 = told.values().map(|times| u64::from(*times) - 1).sum();
        let mut faults: Vec<_> = self.faults.iter().collect();
        faults.sort();
        println!("{} reviews, {lost} lost, {repeated} told again", self.added);
        for (name, count) in faults {
            println!("  {count:>6}  {name}");
        }
        lost == 0 && self.sandbox.unread_count() == 0
    }
}

/// Counts what reaches the webhook.
async fn count(inbox: Arc<Inbox>, told: Arc<Mutex<HashMap<String, u32>>>) {
    let mut seen = 0;
    loop {
        let (received, total) = inbox.beyond(seen).await;
        seen = total;
        let mut told = told.lock().unwrap();
        for one in received.iter().filter(|one| one.path == "/webhook/crm") {
            // What is answered with an error was not taken; what is not answered was.
            if one.status.is_some_and(|status| status >= 300) {
                continue;
            }
            let body: Value = serde_json::from_str(&one.body).unwrap();
            if let Some(uuid) = body["data"]["review"]["uuid"].as_str() {
                *told.entry(uuid.to_owned()).or_default() += 1;
            }
        }
    }
}

fn config(api: &str, receiver: &str) -> String {
    format!(
        "[accounts.main]\ntoken = \"sandbox-token\"\nbase_url = \"{api}\"\nrequests_per_minute = 6000\n\
         poll_interval = \"5s\"\nbackfill = \"all\"\n[state]\nretention = \"30d\"\n[http]\nlisten = \"\"\n\
         [log]\nlevel = \"error\"\n\
         [destinations.crm]\ntype = \"webhook\"\nurl = \"http://{receiver}/webhook/crm\"\nrate_limit = \"1000/s\"\n\
         timeout = \"5s\"\n\
         [destinations.support]\ntype = \"slack\"\nwebhook_url = \"http://{receiver}/slack/support\"\n\
         rate_limit = \"1000/s\"\ntimeout = \"5s\"\n\
         [[rules]]\nname = \"all\"\nto = [\"crm\"]\n[[rules]]\nname = \"bad\"\nwhen = {{ max_rating = 2 }}\n\
         to = [\"support\"]\n"
    )
}

fn stop(mut child: Child) {
    let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    child.wait().unwrap();
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / 1024.0 / 1024.0
}

fn memory_kib(process: u32) -> u64 {
    let status =
        std::fs::read_to_string(Path::new("/proc").join(process.to_string()).join("status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
