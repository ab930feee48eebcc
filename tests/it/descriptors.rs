//! Few file descriptors: nothing is lost, nothing ends, and whoever holds connections open holds up nobody.

use crate::harness::process::{Process, command, log, until};
use crate::harness::*;
use review_bridge::sandbox::Options;
use review_bridge::web::{HEAD_WITHIN, MOST};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const LONG: Duration = Duration::from_secs(120);

/// `run` with so many descriptors, and no way to more.
fn limited(bench: &Bench, soft: u32, hard: u32) -> Process {
    let mut limited = Command::new("/bin/sh");
    limited.args([
        "-c",
        "ulimit -Sn $0; ulimit -Hn $1; shift; exec \"$@\"",
        &soft.to_string(),
        &hard.to_string(),
    ]);
    let plain = command(bench);
    limited.arg(plain.get_program()).arg("--config").arg(bench.write_config()).arg("run");
    limited.current_dir(bench.folder.path()).env_clear().env("PATH", "/usr/bin:/bin").stdin(Stdio::null());
    Process::spawn(bench, limited)
}

fn many_webhooks(count: usize) -> String {
    let names: Vec<String> = (0..count).map(|number| format!("hook{number:03}")).collect();
    let tables: String = names
        .iter()
        .map(|name| {
            format!("[destinations.{name}]\ntype = \"webhook\"\nurl = \"INBOX/webhook/{name}\"\nrate_limit = \"10000/s\"\n")
        })
        .collect();
    format!("[http]\nlisten = \"\"\n{tables}[[rules]]\nname = \"all\"\nto = {names:?}\n")
}

fn limit_of(process: &Process) -> String {
    let limits =
        std::fs::read_to_string(Path::new("/proc").join(process.id().to_string()).join("limits")).unwrap();
    limits.lines().find(|line| line.starts_with("Max open files")).unwrap().to_owned()
}

// H1
#[tokio::test]
async fn with_few_descriptors_115_webhooks_get_20_reviews_each_and_nothing_ends() {
    let mut bench = Bench::real(Options::default()).await;
    bench.rest = many_webhooks(115);
    for number in 0..20 {
        bench.review(&format!("r{number}"), GOOGLE_NL, 5.0, "Mooi");
    }
    let process = limited(&bench, 128, 256);
    until("all are marked", LONG, || bench.sandbox.unread().is_empty()).await;
    let limits = limit_of(&process);
    assert_eq!(limits.split_whitespace().filter(|word| *word == "256").count(), 2, "raised: {limits}");
    assert!(process.terminate().await.success(), "{}", log(&bench));
    for number in 0..115 {
        assert_eq!(bench.told(&format!("hook{number:03}")).len(), 20, "{number}");
    }
    assert!(!log(&bench).contains("must be able to write"), "{}", log(&bench));
}

// H1
#[tokio::test]
async fn with_hardly_any_descriptors_sends_wait_and_the_state_goes_on() {
    let mut bench = Bench::real(Options::default()).await;
    bench.rest = many_webhooks(6);
    for number in 0..20 {
        bench.review(&format!("r{number}"), GOOGLE_NL, 5.0, "Mooi");
    }
    let process = limited(&bench, 48, 48);
    until("all are marked", LONG, || bench.sandbox.unread().is_empty()).await;
    assert!(process.terminate().await.success(), "{}", log(&bench));
    assert!(!log(&bench).contains("the state"), "{}", log(&bench));
}

async fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap()
}

async fn asks(stream: &mut TcpStream) -> String {
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    let mut answer = vec![0; 1024];
    let length = stream.read(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer[..length]).into_owned()
}

async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = Vec::new();
    // Whether with an error or with a word to it.
    stream.read_to_end(&mut rest).await.is_ok() || rest.is_empty()
}

// H1
#[tokio::test]
async fn the_health_port_closes_the_oldest_idle_connection_and_whoever_says_nothing() {
    let mut bench = Bench::real(Options::default()).await;
    let address = free_address().await;
    bench.rest.insert_str(0, &format!("[http]\nlisten = \"{address}\"\n"));
    let process = Process::start(&bench, &["run"]);
    until("it is served", LONG, || std::net::TcpStream::connect(address).is_ok()).await;
    let mut idle = Vec::new();
    for _ in 0..MOST + 200 {
        idle.push(TcpStream::connect(address).await.unwrap());
    }
    let mut asking = TcpStream::connect(address).await.unwrap();
    assert!(asks(&mut asking).await.starts_with("HTTP/1.1 200 "));
    assert!(is_closed(&mut idle[0]).await, "the oldest is closed for a newer one");
    let open =
        || std::fs::read_dir(Path::new("/proc").join(process.id().to_string()).join("fd")).unwrap().count();
    until("the others are closed", LONG, || open() < MOST + 40).await;
    let mut slow = TcpStream::connect(address).await.unwrap();
    let began = Instant::now();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nHost:").await.unwrap();
    assert!(is_closed(&mut slow).await);
    assert!(began.elapsed() < HEAD_WITHIN * 3, "{:?}", began.elapsed());
    assert!(is_closed(&mut asking).await, "one that asks nothing more, too");
    let mut again = TcpStream::connect(address).await.unwrap();
    assert!(asks(&mut again).await.starts_with("HTTP/1.1 200 "));
    assert!(process.terminate().await.success());
}
