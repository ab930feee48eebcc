//! `run --once`: one attempt of everything that is due, and an end, whatever is down.

use crate::harness::process::{command, run};
use crate::harness::*;
use review_bridge::app::Waiting;
use review_bridge::domain::DeliveryState;
use review_bridge::sandbox::{Answer, Options};
use review_bridge::store::Store;
use std::time::Duration;

fn waiting(destination: &str, count: u64, why: &str) -> Waiting {
    Waiting { destination: destination.into(), count, why: Some(why.into()) }
}

// first-use 6
#[tokio::test]
async fn fifty_reviews_to_a_closed_port_are_each_attempted_once_and_wait() {
    let mut bench = Bench::real(Options { page_size: 50, ..Options::default() }).await;
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    bench.rest = format!(
        "[destinations.praise]\ntype = \"webhook\"\nurl = \"http://{closed}/\"\nrate_limit = \"20/s\"\n[[rules]]\nname = \"all\"\nto = [\"praise\"]\n"
    );
    for number in 0..50 {
        bench.review(&format!("r{number}"), GOOGLE_NL, 5.0, "Mooi");
    }
    let mut bridge = command(&bench);
    bridge.arg("--config").arg(bench.write_config()).args(["run", "--once"]);
    let (code, said) = run(bridge).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("50 new") && said.contains("0 delivered"), "{said}");
    assert!(said.contains("50 waiting (praise: ") && said.contains("refused"), "{said}");
    let rows = bench.deliveries().await;
    assert!(rows.iter().all(|row| row.state == DeliveryState::Pending && row.attempts <= 1), "{rows:?}");
    assert!(bench.marked().is_empty());
}

// first-use 6
#[tokio::test]
async fn waiting_for_a_retry_alone_is_no_failure() {
    let bench = Bench::new().await;
    bench.review("a", GOOGLE_NL, 5.0, "Mooi");
    bench.inbox.answer("/webhook/crm", Answer::status(503, ""));
    let first = bench.once().await;
    assert_eq!((first.failed_attempts, first.is_fine(), &*first.waiting[0].destination), (1, false, "crm"));
    let second = bench.once().await;
    assert_eq!((second.failed_attempts, second.is_fine(), second.waiting), (0, true, first.waiting));
    bench.clock.advance(Duration::from_secs(3600));
    let third = bench.once().await;
    assert_eq!((third.delivered, third.is_fine(), third.waiting.len()), (1, true, 0));
}

// first-use 6
#[tokio::test]
async fn a_broken_destination_gets_one_probe_and_the_others_all_of_theirs() {
    let bench = Bench::new().await;
    for number in 0..8 {
        bench.review(&format!("r{number}"), GOOGLE_NL, 1.0, "Slecht");
    }
    // Revoked: 404 with these words.
    let revoked = || Answer::status(404, "no_service");
    bench.inbox.answer_all("/slack/support", revoked());
    bench.once().await;
    let attempts = bench.slack("support").len();
    bench.clock.advance(Duration::from_secs(3600));
    bench.review("more", GOOGLE_NL, 1.0, "Slecht");
    let probe = bench.once().await;
    assert_eq!((probe.failed_attempts, probe.delivered, probe.is_fine()), (1, 1, false));
    assert_eq!(bench.slack("support").len(), attempts + 1);
    assert_eq!((&*probe.waiting[0].destination, probe.waiting[0].count), ("support", 9));
    bench.inbox.answer_all("/slack/support", Answer::Fine);
    bench.clock.advance(Duration::from_secs(3600));
    let repaired = bench.once().await;
    assert_eq!((repaired.delivered, repaired.waiting.len()), (9, 0));
}

// first-use 6
#[tokio::test]
async fn it_says_what_waits_for_a_digest_for_its_hours_or_for_a_person() {
    let mut bench = Bench::new().await;
    bench.rest = r#"
[destinations.closed]
type = "webhook"
url = "INBOX/webhook/closed"
active_hours = { from = "20:00", to = "21:00" }
[destinations.daily]
type = "webhook"
url = "INBOX/webhook/daily"
digest = { schedule = "0 8 * * *" }
[destinations.paused]
type = "webhook"
url = "INBOX/webhook/paused"
[[rules]]
name = "all"
to = ["closed", "daily", "paused"]
"#
    .into();
    let store = bench.store().await;
    store.pause_for_test("paused").await;
    store.close().await;
    bench.review("a", GOOGLE_NL, 5.0, "Mooi");
    let once = bench.once().await;
    assert!(once.is_fine());
    assert_eq!(
        once.waiting,
        [
            waiting("closed", 1, "outside its active hours"),
            waiting("daily", 1, "digest at 2026-03-02 08:00 UTC"),
            waiting("paused", 1, "paused"),
        ]
    );
}
