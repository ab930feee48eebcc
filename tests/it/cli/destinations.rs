//! `destinations`.

use super::{CONFIG, MARKER, Place, seed};
use review_bridge::app::build_targets;
use review_bridge::clock::Clock;
use review_bridge::config;
use review_bridge::outbox::Dispatcher;
use review_bridge::sandbox::{self, Answer, Inbox};
use review_bridge::store::SharedStore;
use review_bridge::store::sqlite::{Access, SqliteStore};
use std::future::pending;
use std::sync::Arc;
use tokio::net::TcpListener;

/// A place whose destinations can be reached, and what they receive.
async fn place() -> (Place, Arc<Inbox>) {
    let inbox = Inbox::new(Clock::System);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(sandbox::serve_inbox(listener, inbox.clone(), pending()));
    let config = CONFIG
        .replace("type = \"slack\"", "type = \"slack\"\nrate_limit = \"1000/s\"")
        .replace("127.0.0.1:9/services", &format!("{address}/slack"))
        .replace(&format!("127.0.0.1:9/{MARKER}"), &format!("{address}/webhook/{MARKER}"));
    (Place::new(&config), inbox)
}

fn slack() -> String {
    format!("/slack/{MARKER}")
}

#[tokio::test]
async fn destinations_are_listed_with_their_state_and_backlog() {
    let place = Place::new(CONFIG);
    let list = place.run(&["destinations", "list"]).await.ok().out;
    assert_eq!(list.lines().count(), 7, "{list}");
    assert!(list.contains("untried"), "{list}");
    seed(&place).await;
    // One that the configuration no longer has.
    let removed = CONFIG.replace("crm", "crm_new");
    let list = place.run(&["destinations", "list"]).await.ok().out;
    // 13: a list fits a terminal of 80 columns.
    assert!(list.lines().all(|line| line.starts_with("crm: ") || line.chars().count() <= 80), "{list}");
    for expected in ["127.0.0.1:9", "broken", "retry due", "destinations resume crm", "1/s", "10/s"] {
        assert!(list.contains(expected), "{expected}: {list}");
    }
    let json = place.run(&["destinations", "list", "--json"]).await.ok().json();
    let (crm, support) = (&json[0], &json[1]);
    assert_eq!((&crm["name"], &crm["state"], &crm["pending"]), (&"crm".into(), &"broken".into(), &2.into()));
    assert_eq!(
        (&crm["broken_reason"], &crm["next_probe_at"]),
        (&"revoked".into(), &"2024-03-01T12:15:00Z".into())
    );
    assert_eq!(
        (&support["broken_at"], &support["dead"], &support["kind"]),
        (&().into(), &1.into(), &"slack".into())
    );
    assert_ne!(support["state"], "broken");
    std::fs::write(place.folder.path().join("config.toml"), removed).unwrap();
    let list = place.run(&["destinations", "list"]).await.ok().out;
    assert!(list.contains("not configured"), "{list}");
}

#[tokio::test]
async fn a_pause_lasts_until_it_is_resumed() {
    let place = Place::new(CONFIG);
    let out = place.run(&["destinations", "pause", "support"]).await.ok().out;
    assert!(out.contains("destinations resume support"), "{out}");
    let out = place.run(&["destinations", "pause", "support"]).await.ok().out;
    assert!(out.contains("already"), "{out}");
    let json = place.run(&["destinations", "list", "--json"]).await.ok().json();
    assert_eq!(json[1]["state"], "paused");
    let out = place.run(&["destinations", "resume", "support"]).await.ok().out;
    assert!(out.contains("`support` is resumed"), "{out}");
    let out = place.run(&["destinations", "resume", "support"]).await.ok().out;
    assert!(out.contains("nothing to resume"), "{out}");
    // 13
    let json = place.run(&["destinations", "pause", "support", "--json"]).await.ok().json();
    assert_eq!((&json["state"], &json["changed"]), (&"paused".into(), &true.into()));
    let json = place.run(&["destinations", "resume", "support", "--json"]).await.ok().json();
    assert_eq!((&json["paused_at"], &json["changed"]), (&().into(), &true.into()));
    seed(&place).await;
    let out = place.run(&["destinations", "resume", "crm"]).await.ok().out;
    assert!(out.contains("is broken and is retried immediately"), "{out}");
    for verb in ["pause", "resume", "test"] {
        let text = place.fails(2, &["destinations", verb, "suport"]).await;
        assert_eq!(text, "error: unknown destination `suport`; did you mean `support`?\n");
    }
}

#[tokio::test]
async fn a_test_is_sent_from_here_where_nobody_runs() {
    let (place, inbox) = place().await;
    let out = place.run(&["destinations", "test", "support"]).await.ok().out;
    assert!(out.contains("`support`: delivered") && out.contains("status 200"), "{out}");
    let received = inbox.received_at(&slack());
    assert_eq!(received.len(), 1);
    assert!(received[0].body.contains("This is a test of the destination"), "{}", received[0].body);
    inbox.answer(&slack(), Answer::status(404, "no_service"));
    let text = place.fails(1, &["destinations", "test", "support"]).await;
    for expected in ["not delivered", "broken (revoked), status 404", "stays queued"] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    // A broken one is tried at once, and works again.
    let out = place.run(&["destinations", "test", "support"]).await;
    assert_eq!(out.code, 0, "{}{}", out.out, out.err);
    let json = place.run(&["destinations", "list", "--json"]).await.ok().json();
    assert_eq!(json[1]["state"], "working");
}

#[tokio::test]
async fn nothing_is_queued_for_a_paused_destination() {
    let (place, inbox) = place().await;
    place.run(&["destinations", "pause", "support"]).await.ok();
    let text = place.fails(1, &["destinations", "test", "support"]).await;
    assert!(text.contains("`support` is paused") && text.contains("destinations resume support"), "{text}");
    place.run(&["destinations", "resume", "support"]).await.ok();
    place.run(&["destinations", "test", "support"]).await.ok();
    assert_eq!(inbox.received_at(&slack()).len(), 1);
}

#[tokio::test]
async fn a_test_beside_a_daemon_is_sent_by_the_daemon() {
    let (place, inbox) = place().await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let none: [(String, String); 0] = [];
    let loaded = config::load(None, none, place.folder.path()).unwrap();
    let targets = build_targets(&loaded.settings).unwrap();
    let store: SharedStore = Arc::new(SqliteStore::open(&place.state(), Access::Own).await.unwrap());
    let mut dispatcher = Dispatcher::new(store, Clock::System, "daemon", 1);
    let daemon = async {
        loop {
            dispatcher.tick(&targets).await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let out = tokio::select! {
        ran = place.run(&["destinations", "test", "support"]) => ran.ok().out,
        () = daemon => unreachable!(),
    };
    assert!(out.contains("`support`: delivered"), "{out}");
    assert_eq!(inbox.received_at(&slack()).len(), 1);
}
