//! What a changed configuration does to destinations, and to what waits for them.

use super::*;
use review_bridge::app::build_targets;
use review_bridge::clock::Clock;
use review_bridge::domain::DeliveryState;
use review_bridge::outbox::{Dispatcher, Targets};
use review_bridge::store::Store;
use std::sync::Arc;

#[tokio::test]
async fn what_waits_for_a_removed_destination_is_dead_even_what_was_being_sent() {
    let two = format!("{CRM}{}", OTHER.replace("url =", "timeout = \"3s\"\nurl ="));
    let mut bench = bench(&two).await;
    bench.inbox.answer_all("/webhook/other", Answer::Slow);
    let process = Process::start(&bench, &["run"]);
    told(&bench, "a", "other").await;
    bench.rest = CRM.into();
    bench.write_config();
    process.hang_up();
    logged(&bench, "reason=timed_out", 1).await;
    let rows = bench.deliveries().await;
    assert!(
        rows.iter().all(|row| row.state == DeliveryState::Pending || row.destination == "crm"),
        "{rows:?}"
    );
    // Ten minutes later; the bridge itself looks every minute.
    let store = bench.store().await;
    let later = bench.clock.now().plus(Duration::from_secs(10 * 60));
    store.dead_letter_orphans(&["crm".into()], later).await.unwrap();
    store.close().await;
    let mut dead = bench.deliveries().await;
    dead.retain(|row| row.state == DeliveryState::Dead);
    let [row] = dead.as_slice() else { panic!("{}", log(&bench)) };
    assert_eq!((&*row.destination, row.reason.as_deref()), ("other", Some("destination_removed")));
    told(&bench, "b", "crm").await;
    assert!(process.terminate().await.success());
}

#[tokio::test]
async fn what_waited_for_a_digest_goes_out_when_it_is_none_any_more() {
    let digest = CRM.replace("url =", "digest = { schedule = \"0 0 29 2 *\" }\nurl =");
    let mut bench = bench(&digest).await;
    bench.review("a", GOOGLE_NL, 5.0, "Prima");
    let process = Process::start(&bench, &["run"]);
    logged(&bench, "first listing", 1).await;
    assert!(bench.told("crm").is_empty());
    bench.rest = CRM.into();
    bench.write_config();
    until("it is told", LONG, || bench.told("crm").contains_key("a")).await;
    assert!(process.terminate().await.success());
}

#[tokio::test]
async fn a_broken_destination_is_tried_at_once_after_a_reload() {
    let bench = bench(CRM).await;
    bench.inbox.answer("/webhook/crm", Answer::status(410, ""));
    bench.review("a", GOOGLE_NL, 5.0, "Prima");
    let process = Process::start(&bench, &["run"]);
    logged(&bench, "outcome=broken", 1).await;
    process.hang_up();
    logged(&bench, "reload requested", 1).await;
    let delivered = || bench.inbox.received_at("/webhook/crm").iter().any(|one| one.status == Some(204));
    until("it is sent again before a quarter of an hour is over", LONG, delivered).await;
    assert!(process.terminate().await.success());
}

#[tokio::test]
async fn rates_survive_and_a_longer_span_counts_what_was_sent_before() {
    let mut bench = Bench::new().await;
    for index in 0..9 {
        bench.review(&format!("r{index}"), GOOGLE_NL, 5.0, "Prima");
    }
    let targets = |bench: &Bench| -> Targets {
        let none: [(String, String); 0] = [];
        let path = bench.write_config();
        let loaded = review_bridge::config::load(Some(&path), none, bench.folder.path()).unwrap();
        build_targets(&loaded.settings).unwrap()
    };
    let usual = bench.rest.clone();
    let mut app = bench.app().await;
    app.poll_only().await.unwrap();
    app.close().await;
    let clock: Clock = bench.clock.clone();
    let mut dispatcher = Dispatcher::new(Arc::new(bench.store().await), clock, "test", 1);
    for (rate, sends) in [("2/s", 2), ("2/s", 0), ("3/s", 1), ("4/h", 1), ("4/h", 0)] {
        bench.rest = usual.replace("10000/s", rate);
        let mut sent = 0;
        // A destination begins with one at a time.
        loop {
            match dispatcher.tick(&targets(&bench)).await.unwrap().0.sends {
                0 => break,
                more => sent += more,
            }
        }
        assert_eq!(sent, sends, "{rate}");
    }
    bench.clock.advance(Duration::from_secs(10));
    bench.rest = usual.replace("10000/s", "1/s");
    assert_eq!(dispatcher.tick(&targets(&bench)).await.unwrap().0.sends, 1);
    bench.clock.advance(Duration::from_secs(10));
    bench.rest = usual.replace("10000/s", "5/h");
    assert_eq!(dispatcher.tick(&targets(&bench)).await.unwrap().0.sends, 0, "five were sent in this hour");
}
#[cfg(unix)]
#[tokio::test]
async fn a_secret_behind_a_link_that_is_swapped_is_taken_up() {
    // As Kubernetes mounts secrets: FILE -> ..data/FILE, ..data -> a folder; an update swaps ..data.
    use std::os::unix::fs::symlink;
    let bench = bench(&CRM.replace("url = \"INBOX/webhook/crm\"", "url_file = \"secrets/url\"")).await;
    let secrets = bench.folder.path().join("secrets");
    let version = |name: &str, webhook: &str| {
        std::fs::create_dir_all(secrets.join(name)).unwrap();
        std::fs::write(secrets.join(name).join("url"), format!("{}/webhook/{webhook}", bench.inbox_url))
            .unwrap();
    };
    version("..1", "crm");
    symlink("..1", secrets.join("..data")).unwrap();
    symlink("..data/url", secrets.join("url")).unwrap();
    let process = Process::start(&bench, &["run"]);
    told(&bench, "a", "crm").await;
    version("..2", "moved");
    symlink("..2", secrets.join("..data_tmp")).unwrap();
    std::fs::rename(secrets.join("..data_tmp"), secrets.join("..data")).unwrap();
    logged(&bench, RELOADED, 1).await;
    told(&bench, "b", "moved").await;
    assert!(process.terminate().await.success());
}

#[tokio::test]
async fn templates_are_taken_up_and_one_with_a_mistake_is_refused() {
    const SLACK: &str = r#"
[destinations.support]
type = "slack"
webhook_url = "INBOX/slack/support"
rate_limit = "10000/s"
[[rules]]
name = "slack"
to = ["support"]
"#;
    let mut bench = bench(&format!("{CRM}{SLACK}")).await;
    // A key of the root stands before all tables.
    bench.before = "templates_dir = \"templates\"".into();
    let templates = bench.folder.path().join("templates/slack");
    std::fs::create_dir_all(&templates).unwrap();
    let write = |text: &str| {
        let block = serde_json::json!({"type": "section", "text": {"type": "plain_text", "text": text}});
        let template = serde_json::json!({"text": "x", "blocks": [block]});
        std::fs::write(templates.join("review.json"), template.to_string()).unwrap();
    };
    write("first");
    let process = Process::start(&bench, &["run"]);
    told(&bench, "a", "crm").await;
    write("{{#if}}");
    logged(&bench, REFUSED, 1).await;
    write("second");
    logged(&bench, RELOADED, 1).await;
    told(&bench, "b", "crm").await;
    until("the new form is used", LONG, || {
        bench.slack("support").iter().any(|one| one.body.contains("second"))
    })
    .await;
    assert!(bench.slack("support").iter().any(|one| one.body.contains("first")));
    assert!(process.terminate().await.success());
}
