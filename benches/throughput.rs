//! How much a review costs: the real binary between a fake API and a fake receiver on this machine, rates
//! lifted. `cargo bench --bench throughput [-- REVIEWS]` prints reviews a second, CPU and commits a review,
//! peak memory, the time from start to ready, and idle memory. Fake API and receiver share the machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use review_bridge::clock::Clock;
use review_bridge::sandbox::{self, Inbox, Options, Sandbox};
use std::future::pending;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tokio::net::TcpListener;

fn main() {
    let reviews: usize =
        std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(10_000);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(run(reviews));
}

async fn run(reviews: usize) {
    let options = Options { reviews, requests_per_minute: u32::MAX, page_size: 200, ..Options::default() };
    let sandbox = Sandbox::new(options, Clock::System);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = format!("http://{}{}", listener.local_addr().unwrap(), sandbox::BASE_PATH);
    tokio::spawn(sandbox::serve(listener, sandbox.clone(), pending()));
    let inbox = Inbox::new(Clock::System);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let receiver = listener.local_addr().unwrap();
    tokio::spawn(sandbox::serve_inbox(listener, inbox, pending()));
    let health = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();

    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("config.toml");
    let text = format!(
        "[accounts.main]\ntoken = \"sandbox-token\"\nbase_url = \"{api}\"\nrequests_per_minute = 10000000\n\
         backfill = \"all\"\n[http]\nlisten = \"{health}\"\n[log]\nlevel = \"warn\"\n[destinations.support]\n\
         type = \"slack\"\nwebhook_url = \"http://{receiver}/slack/support\"\nrate_limit = \"1000000/s\"\n\
         [[rules]]\nname = \"all\"\nto = [\"support\"]\n"
    );
    std::fs::write(&config, text).unwrap();
    let total = sandbox.unread().len();
    let started = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_review-bridge"))
        .args(["--config", &config.to_string_lossy(), "run"])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    wait(|| std::net::TcpStream::connect(health).is_ok()).await;
    let ready = started.elapsed();
    wait(|| sandbox.unread().is_empty()).await;
    let took = started.elapsed();
    let (cpu, peak_kib) = (cpu_seconds(child.id()), memory_kib(child.id(), "VmHWM"));
    let count = total as f64;
    println!("reviews                 {total}");
    println!("start to ready          {} ms", ready.as_millis());
    println!(
        "reviews a second        {:.0} (read, routed, sent to Slack, marked read)",
        count / took.as_secs_f64()
    );
    println!("CPU a review            {:.0} us", cpu * 1e6 / count);
    println!("peak memory             {:.1} MiB", peak_kib as f64 / 1024.0);
    let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    child.wait().unwrap();
    idle(&config).await;
}

/// Memory of a bridge with nothing to do.
async fn idle(config: &std::path::Path) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_review-bridge"))
        .args(["--config", &config.to_string_lossy(), "run"])
        .stdin(Stdio::null())
        .spawn()
        .unwrap();
    let before = Instant::now();
    tokio::time::sleep(Duration::from_secs(8)).await;
    println!("idle memory             {:.1} MiB", memory_kib(child.id(), "VmRSS") as f64 / 1024.0);
    println!(
        "idle CPU                {:.2} %",
        cpu_seconds(child.id()) * 100.0 / before.elapsed().as_secs_f64()
    );
    let _ = Command::new("kill").args(["-TERM", &child.id().to_string()]).status();
    child.wait().unwrap();
}

async fn wait(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// User and system time of a process, from proc(5): clock ticks are hundredths of a second on Linux.
fn cpu_seconds(process: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn memory_kib(process: u32, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}
