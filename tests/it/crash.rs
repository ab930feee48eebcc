//! Real processes, killed and stopped at any moment.

use crate::harness::process::{Process, command, log, until};
use crate::harness::*;
use review_bridge::domain::DeliveryState;
use review_bridge::sandbox::{Answer, Options};
use std::collections::BTreeSet;
use std::collections::btree_map::{BTreeMap, Entry};
use std::os::unix::process::ExitStatusExt;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);

async fn busy(reviews: usize, rate: &str) -> Bench {
    let mut bench = Bench::real(Options { page_size: 50, ..Options::default() }).await;
    bench.rest = format!("[http]\nlisten = \"\"\n{}", bench.rest.replace("10000/s", rate));
    for index in 0..reviews {
        bench.review(&format!("r{index:03}"), GOOGLE_NL, 5.0, "Prima");
    }
    bench
}

#[tokio::test]
async fn killed_ten_times_during_three_hundred_deliveries_it_loses_none_and_marks_none_early() {
    let bench = busy(300, "200/s").await;
    let total = || bench.inbox.received().len();
    for round in 1..=10 {
        let process = Process::start(&bench, &["run"]);
        let target = round * 25;
        until("deliveries go on", LONG, || total() >= target).await;
        process.kill();
        let told: BTreeSet<String> = bench.told("crm").into_keys().collect();
        for uuid in bench.marked() {
            assert!(told.contains(&uuid), "{uuid} was marked read before it was told");
        }
    }
    let process = Process::start(&bench, &["run"]);
    until("all are told and marked", LONG, || bench.sandbox.unread().is_empty()).await;
    assert!(process.terminate().await.success());
    let told = bench.told("crm");
    assert_eq!(told.len(), 300, "none is lost");
    let repeats: usize = told.values().map(|times| times - 1).sum();
    // At most 32 sends of a destination are in flight at a kill.
    assert!(repeats <= 10 * 32, "{repeats} repeats");
    for body in bench.webhook("crm") {
        let uuid = body["data"]["review"]["uuid"].as_str().unwrap();
        if told[uuid] == 1 {
            continue;
        }
        let times: Vec<bool> = bench
            .webhook("crm")
            .iter()
            .filter(|body| body["data"]["review"]["uuid"] == uuid)
            .map(|body| body["data"]["repeat"].as_bool().unwrap())
            .collect();
        // The first may say so, too: a send that a kill stopped before it arrived is unknown as well.
        assert!(times[1..].iter().all(|repeat| *repeat), "{uuid}: {times:?}");
    }
    let rows = bench.deliveries().await;
    assert!(rows.len() == 300 && rows.iter().all(|row| row.state == DeliveryState::Delivered));
}

/// The same seed gives the same moments and signals.
const SEED: u64 = 20_260_302;

#[tokio::test]
async fn killed_and_stopped_at_any_moment_even_of_its_start_it_loses_none_and_marks_none_early() {
    let bench = busy(200, "60/s").await;
    let mut random = fastrand::Rng::with_seed(SEED);
    let (mut kills, mut stops) = (0, 0);
    for _ in 0..16 {
        let process = Process::start(&bench, &["run"]);
        let mut ticks = random.u32(0..300);
        until("its moment comes", LONG, || {
            ticks = ticks.saturating_sub(1);
            ticks == 0
        })
        .await;
        if random.bool() {
            process.kill();
            kills += 1;
        } else {
            // Before it listens to signals, the system ends it as it ends every program.
            let status = process.terminate().await;
            assert!(status.success() || status.signal() == Some(15), "{status}");
            stops += 1;
        }
    }
    assert!(kills >= 4 && stops >= 4);
    // Something to wait for, should all else be done already.
    bench.review("last", GOOGLE_NL, 5.0, "Prima");
    let process = Process::start(&bench, &["run"]);
    until("all are told and marked", LONG, || bench.sandbox.unread().is_empty()).await;
    assert!(process.terminate().await.success());
    let mut first = BTreeMap::new();
    let mut repeats = 0;
    for received in bench.inbox.received_at("/webhook/crm") {
        let body: serde_json::Value = serde_json::from_str(&received.body).unwrap();
        let uuid = body["data"]["review"]["uuid"].as_str().unwrap().to_owned();
        match first.entry(uuid) {
            Entry::Vacant(place) => {
                place.insert(received.at);
            }
            Entry::Occupied(known) => {
                assert_eq!(body["data"]["repeat"], true, "{} repeats and does not say so", known.key());
                repeats += 1;
            }
        }
    }
    assert_eq!(first.len(), 201, "none is lost");
    assert!(repeats <= kills * 32, "{repeats} repeats after {kills} kills");
    for (uuid, at) in bench.sandbox.marks() {
        assert!(first[&uuid] <= at, "{uuid} was marked read before it was told");
    }
}

#[tokio::test]
async fn told_to_stop_it_ends_within_ten_seconds_and_repeats_nothing() {
    // Slow enough that work is left at each stop: then the process was up, and its signals were listened to.
    let bench = busy(60, "10/s").await;
    for _ in 0..3 {
        let before = bench.inbox.received().len();
        let process = Process::start(&bench, &["run"]);
        until("deliveries go on", LONG, || bench.inbox.received().len() >= before + 5).await;
        assert!(process.terminate().await.success());
    }
    let process = Process::start(&bench, &["run"]);
    until("all are told and marked", LONG, || bench.sandbox.unread().is_empty()).await;
    assert!(process.terminate().await.success());
    assert!(bench.told("crm").values().all(|times| *times == 1));
    for words in ["shutting down", "INFO stopped"] {
        assert_eq!(log(&bench).matches(words).count(), 4, "{words}: {}", log(&bench));
    }
}

#[tokio::test]
async fn a_send_that_hangs_at_the_stop_is_repeated_and_says_so() {
    let bench = busy(1, "200/s").await;
    bench.inbox.answer("/webhook/crm", Answer::Slow);
    let process = Process::start(&bench, &["run"]);
    until("it is sent", LONG, || bench.inbox.received().len() == 1).await;
    assert!(process.terminate().await.success());
    let process = Process::start(&bench, &["run"]);
    until("it is marked", LONG, || bench.sandbox.unread().is_empty()).await;
    assert!(process.terminate().await.success());
    let repeats: Vec<bool> =
        bench.webhook("crm").iter().map(|body| body["data"]["repeat"].as_bool().unwrap()).collect();
    assert_eq!(repeats, [false, true]);
}

#[tokio::test]
async fn a_second_process_on_the_same_state_is_refused_and_told_who_has_it() {
    let bench = busy(1, "200/s").await;
    let process = Process::start(&bench, &["run"]);
    until("it is marked", LONG, || bench.sandbox.unread().is_empty()).await;
    let config = bench.write_config();
    let second = command(&bench).args(["--config", &config.to_string_lossy(), "run"]).output().unwrap();
    assert_eq!(second.status.code(), Some(1));
    let text = String::from_utf8(second.stderr).unwrap();
    assert!(text.contains("is in use by another review-bridge (process "), "{text}");
    assert!(process.terminate().await.success());
}

#[tokio::test]
async fn with_api_and_destination_down_it_starts_says_so_and_goes_on() {
    let mut bench = busy(0, "200/s").await;
    let api = std::mem::replace(&mut bench.api, "http://127.0.0.1:9/api/v1".into());
    let process = Process::start(&bench, &["run"]);
    until("it says so", LONG, || log(&bench).contains("poll failed")).await;
    assert!(process.terminate().await.success());
    bench.api = api;
    bench.review("a", GOOGLE_NL, 5.0, "x");
    let process = Process::start(&bench, &["run"]);
    until("it is told", LONG, || bench.sandbox.unread().is_empty()).await;
    assert!(process.terminate().await.success());
}
