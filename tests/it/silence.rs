//! Nothing is silent: edits that are refused while a bridge runs, what is said once it has gone, and the heartbeat.

use crate::harness::process::{Process, command, log, run, until};
use crate::harness::*;
use review_bridge::sandbox::Options;
use review_bridge::upstream::Endpoint;
use std::time::Duration;
use tokio::net::TcpListener;

const LONG: Duration = Duration::from_secs(60);

/// Only the webhook `crm`, which gets everything.
const CRM: &str = r#"
[http]
listen = "127.0.0.1:0"
[destinations.crm]
type = "webhook"
url = "INBOX/webhook/crm"
rate_limit = "10000/s"
[[rules]]
name = "all"
to = ["crm"]
"#;

async fn bench() -> Bench {
    let mut bench = Bench::real(Options::default()).await;
    bench.account = "poll_interval = \"5s\"".into();
    bench.rest = CRM.into();
    bench
}

async fn told(bench: &Bench, uuid: &str) {
    bench.review(uuid, GOOGLE_NL, 5.0, "Prima");
    until(&format!("crm is told of {uuid}"), LONG, || bench.told("crm").contains_key(uuid)).await;
}

async fn logged(bench: &Bench, text: &str, times: usize) {
    let count = || log(bench).matches(text).count() >= times;
    until(&format!("the log says {times} times: {text}"), LONG, count).await;
}

/// A command beside the bridge: its exit code, and all that it said.
async fn said(bench: &Bench, arguments: &[&str]) -> (i32, String) {
    let mut command = command(bench);
    command.args(arguments);
    run(command).await
}

// first-use 5
#[tokio::test]
async fn commands_that_read_go_on_beside_a_bridge_whose_edited_file_is_refused_and_say_so() {
    let mut bench = bench().await;
    let good = bench.rest.clone();
    let process = Process::start(&bench, &["run"]);
    told(&bench, "a").await;
    let typo = format!("{good}\n[[rules]]\nname = \"typo\"\nwhen = {{ max_ratng = 2 }}\nto = [\"crm\"]\n");
    for (count, bad) in [(1, typo), (2, format!("{good}\n[[[not toml"))] {
        bench.rest = bad;
        bench.write_config();
        logged(&bench, "the changed configuration was rejected", count).await;
        for arguments in [
            &["status"][..],
            &["status", "--short"],
            &["deliveries", "list"],
            &["deliveries", "show", "1"],
            &["reviews", "list"],
            &["reviews", "show", "a"],
            &["destinations", "list"],
            &["config", "show"],
        ] {
            let (code, said) = said(&bench, arguments).await;
            assert_eq!(code, 0, "{arguments:?}: {said}");
            assert!(said.contains("runs with the configuration of 20"), "{arguments:?}: {said}");
            assert!(said.contains("the edited file is refused: "), "{arguments:?}: {said}");
        }
        let (_, shown) = said(&bench, &["config", "show"]).await;
        assert!(shown.contains("[destinations.crm]") && !shown.contains("typo\""), "{shown}");
        let (_, status) = said(&bench, &["status"]).await;
        assert!(status.contains("OK (1 warning: the edited configuration is refused since "), "{status}");
        assert!(!status.contains("not in the configuration"), "{status}");
    }
    bench.rest = good;
    bench.write_config();
    logged(&bench, "configuration reloaded", 1).await;
    let accepted = |said: &str| said.starts_with("OK\n");
    let mut last = String::new();
    for _ in 0..100 {
        last = said(&bench, &["status", "--short"]).await.1;
        if accepted(&last) {
            break;
        }
    }
    assert!(accepted(&last), "{last}");
    assert!(process.terminate().await.success());
    let (code, said_after) = said(&bench, &["status", "--short"]).await;
    assert!(code == 1 && said_after.starts_with("NOT RUNNING: it was stopped at "), "{said_after}");
    bench.rest.push_str("\n[[[not toml");
    bench.write_config();
    assert_eq!(said(&bench, &["status"]).await.0, 2, "without a bridge there is nothing to go by");
}

// J23
#[tokio::test]
async fn a_template_that_is_refused_is_said_like_an_edit_and_a_killed_bridge_is_not_called_stopped() {
    let mut bench = bench().await;
    bench.before = "templates_dir = \"mine\"".into();
    let folder = bench.folder.path().join("mine/webhook");
    std::fs::create_dir_all(&folder).unwrap();
    let process = Process::start(&bench, &["run"]);
    told(&bench, "a").await;
    std::fs::write(folder.join("review.json"), "{\"text\": \"{{#if}}\"}").unwrap();
    logged(&bench, "the changed configuration was rejected", 1).await;
    for arguments in [&["status"][..], &["deliveries", "list"]] {
        let (code, said) = said(&bench, arguments).await;
        assert_eq!(code, 0, "{arguments:?}: {said}");
        assert!(said.contains("the edited file is refused: ") && said.contains("review.json"), "{said}");
    }
    process.kill();
    let (code, status) = said(&bench, &["status", "--short"]).await;
    assert!(code == 1 && status.contains("NOT RUNNING: it was started at "), "{status}");
    assert!(status.contains("ended without being stopped"), "{status}");
}

// F7; product: the probes' bodies
#[tokio::test]
async fn a_heartbeat_that_hangs_delays_neither_polls_nor_marks() {
    let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut bench = bench().await;
    let url = format!("http://{}/beat", hanging.local_addr().unwrap());
    bench.rest += &format!("[operator]\nname = \"shop bridge\"\nheartbeat_url = \"{url}\"\n");
    bench.review("a", GOOGLE_NL, 5.0, "Prima");
    let process = Process::start(&bench, &["run"]);
    // Accepted, never answered, and held open.
    let (held, _) = hanging.accept().await.unwrap();
    let listings = || bench.sandbox.requests()[&Endpoint::UnreadReviews];
    until("the review is marked", LONG, || bench.marked() == ["a"]).await;
    let before = listings();
    until("polls go on", LONG, || listings() >= before + 2).await;
    drop(held);
    let address = log(&bench).split("health=").nth(1).unwrap().split("/healthz").next().unwrap().to_owned();
    let _ = rustls::crypto::ring::default_provider().install_default();
    for path in ["healthz", "readyz"] {
        let answer = reqwest::get(format!("{address}/{path}")).await.unwrap();
        assert_eq!(answer.status(), 200);
        let body = answer.text().await.unwrap();
        assert!(body.contains("poll_age_seconds") && body.contains("verdict"), "{body}");
    }
    assert!(process.terminate().await.success());
}
