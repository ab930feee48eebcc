//! `demo` as a person starts it: the real binary, its page, and nothing left behind.

use review_bridge::destination::TABLE;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::spawn_blocking;

/// A real process does its work in real time: this is far beyond what it needs.
const PATIENCE: Duration = Duration::from_secs(30);

struct Demo {
    /// None once it was waited for.
    process: Option<Child>,
    address: String,
    folder: tempfile::TempDir,
}

struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Demo {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut process = Command::new(env!("CARGO_BIN_EXE_review-bridge"))
            .args(["demo", "--listen", "127.0.0.1:0"])
            // A configuration beside it, and one in the environment, are none of the demo's business.
            .env("REVIEW_BRIDGE__LOG__LEVEL", "no such level")
            .env("REVIEW_BRIDGE_CONFIG", "/nowhere/config.toml")
            .env("TMPDIR", folder.path())
            .current_dir(folder.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(process.stdout.take().unwrap());
        let read = spawn_blocking(move || {
            let mut line = String::new();
            stdout.read_line(&mut line).unwrap();
            line
        });
        let line = tokio::time::timeout(PATIENCE, read).await.expect("it says where it is").unwrap();
        let address = line.trim().strip_prefix("Open http://").expect(&line).to_owned();
        Self { process: Some(process), address, folder }
    }

    async fn get(&self, path: &str, host: &str) -> Answer {
        let mut stream = TcpStream::connect(&self.address).await.unwrap();
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_lowercase(), body: body.to_owned() }
    }

    /// The feed once `enough` of it is there.
    async fn feed(&self, enough: impl Fn(&Value) -> bool) -> Value {
        let found = async {
            loop {
                let answer = self.get("/feed", &self.address).await;
                let feed: Value = serde_json::from_str(&answer.body).unwrap_or_default();
                if enough(&feed) {
                    return feed;
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        };
        tokio::time::timeout(PATIENCE, found).await.expect("the demo does what it is there for")
    }

    async fn stop(mut self) {
        let mut process = self.process.take().unwrap();
        let id = process.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
        let ended = spawn_blocking(move || process.wait().unwrap());
        let ended = tokio::time::timeout(Duration::from_secs(10), ended).await;
        assert!(ended.expect("it ends within 10 seconds").unwrap().success());
        assert_eq!(entries(self.folder.path()), Vec::<String>::new(), "something is left behind");
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        // Where a test failed.
        if let Some(process) = &mut self.process {
            let _ = process.kill();
        }
    }
}

fn entries(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.to_string_lossy().into_owned()).collect()
}

/// The reviews of a feed that are marked read.
fn marked(feed: &Value) -> impl Iterator<Item = &Value> {
    feed["reviews"].as_array().into_iter().flatten().filter(|review| review["marked"] == true)
}

/// A post that a destination of a kind received.
fn post_of<'a>(feed: &'a Value, kind: &str, destination: &str) -> Option<&'a Value> {
    let posts = feed["posts"].as_array()?;
    posts.iter().find(|post| post["kind"] == kind && post["destination"] == destination)
}

#[tokio::test]
async fn the_demo_tells_and_marks_reviews_and_leaves_nothing_behind() {
    let demo = Demo::start().await;
    // How much of its story is told by when depends on the machine: what is waited for is that each
    // destination got something, not a moment at which a number of reviews is through.
    let everyone = [
        ("slack", "support"),
        ("slack", "wins"),
        ("teams", "managers"),
        ("email", "quality"),
        ("webhook", "crm"),
    ];
    let feed = demo
        .feed(|feed| {
            let reached =
                everyone.iter().all(|(kind, destination)| post_of(feed, kind, destination).is_some());
            reached && feed["tally"]["marked"].as_u64() >= Some(12) && marked(feed).next().is_some()
        })
        .await;
    assert!(!entries(demo.folder.path()).is_empty(), "its state is in a folder of its own");
    assert_eq!(feed["tally"]["lost"], 0);
    for review in marked(&feed) {
        for delivery in review["deliveries"].as_array().unwrap() {
            assert_eq!(delivery["state"], "delivered", "marked before it was told: {review:#}");
        }
    }

    let of = |kind: &str, destination: &str| post_of(&feed, kind, destination).cloned();
    let support = of("slack", "support").expect("the unhappy reach support");
    assert!(support["content"]["body"]["blocks"].is_array());
    let mail = of("email", "quality").expect("what is broken reaches quality");
    assert_eq!(mail["content"]["html"], true);
    let html = demo.get(&format!("/mail/{}", mail["id"]), &demo.address).await;
    assert!(html.body.contains("kapot"), "{}", html.body);
    assert!(html.head.contains("frame-ancestors 'self'; sandbox"), "{}", html.head);
    let crm = of("webhook", "crm").expect("everything reaches the CRM");
    assert!(crm["content"]["signature"].as_str().unwrap().starts_with("v1,"));
    let posts = feed["posts"].as_array().unwrap();
    let last = posts.iter().map(|post| post["id"].as_u64().unwrap()).max().unwrap();
    let newer = demo.get(&format!("/feed?after={last}"), &demo.address).await;
    let newer: Value = serde_json::from_str(&newer.body).unwrap();
    assert!(newer["posts"].as_array().unwrap().iter().all(|post| post["id"].as_u64() > Some(last)));
    demo.stop().await;
}

#[tokio::test]
async fn the_page_is_locked_down() {
    let demo = Demo::start().await;
    for (path, media_type) in [
        ("/", "text/html"),
        ("/demo.css", "text/css"),
        ("/demo.js", "text/javascript"),
        ("/nothing", "text/plain"),
    ] {
        let answer = demo.get(path, &demo.address).await;
        assert_eq!(answer.status, if path == "/nothing" { 404 } else { 200 }, "{path}");
        for header in [
            "content-security-policy: default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
             img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
            "x-content-type-options: nosniff",
            "x-frame-options: deny",
            "referrer-policy: no-referrer",
            "cache-control: no-store",
            &format!("content-type: {media_type}; charset=utf-8"),
        ] {
            assert!(answer.head.contains(header), "{path}: {header}\n{}", answer.head);
        }
    }
    let page = demo.get("/", "localhost").await.body;
    assert!(page.contains("unhappy customers in the Netherlands"), "the rules are shown");
    for inline in ["<style", "style=", "onclick", "onload", "{{", "http://", "https://"] {
        assert!(!page.contains(inline), "{inline}");
    }
    assert_eq!(page.matches("<script").count(), 1);
    for host in ["evil.example", "localhost.evil.example"] {
        for path in ["/", "/feed", "/mail/1"] {
            assert_eq!(demo.get(path, host).await.status, 421, "{host} {path}");
        }
    }
    assert_eq!(demo.get("/mail/999999", "localhost").await.status, 404);
    assert_eq!(demo.get("/mail/x", "localhost").await.status, 400);
    demo.stop().await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_said_and_leaves_nothing_behind() {
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ran = Command::new(env!("CARGO_BIN_EXE_review-bridge"))
        .args(["demo", "--listen", &address])
        .env("TMPDIR", folder.path())
        .output()
        .unwrap();
    assert_eq!(ran.status.code(), Some(1));
    let text = String::from_utf8(ran.stderr).unwrap();
    assert!(text.contains(&format!("cannot listen on {address}")) && text.contains("--listen"), "{text}");
    assert!(entries(folder.path()).is_empty());
}

/// The script draws hostile texts: it may only make text nodes of them.
#[test]
fn the_script_has_no_way_to_make_markup_of_a_text() {
    let kinds = ["slack", "teams", "webhook"].map(|name| {
        let kind = TABLE.iter().find(|kind| kind.name == name).unwrap();
        kind.fixture.draw
    });
    let page = [include_str!("../../templates/web/draw.js"), include_str!("../../templates/web/demo.js")];
    let script = [&kinds[..], &page[..]].concat().concat();
    for way in
        ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "srcdoc"]
    {
        assert!(!script.contains(way), "{way}");
    }
}
