//! Tests of an account whose configuration changes while it lists, against the fake API.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::app::build_targets;
use crate::config::Loader;
use crate::sandbox::{self, Options, Sandbox};
use crate::store::sqlite::{Access, SqliteStore};
use crate::task::Group;
use std::path::Path;
use tokio::net::TcpListener;

const NOW: Timestamp = Timestamp(1_772_366_400_000);

async fn shared(folder: &Path) -> Shared {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let store = Arc::new(SqliteStore::open(&folder.join("s.db"), Access::Own).await.unwrap());
    Shared { budgets: store.clone(), store, clock: Clock::manual(NOW), seed: 1 }
}

fn wiring(folder: &Path, config: &str, shared: &Shared, before: Option<&Wiring>) -> Wiring {
    std::fs::write(folder.join("config.toml"), config).unwrap();
    let none: [(String, String); 0] = [];
    let settings = Loader::new(None, none, folder).unwrap().load().unwrap().settings;
    let targets = build_targets(&settings).unwrap();
    Wiring::build(settings, targets, shared, before).unwrap()
}

/// Steps until a listing is `under_way` or ends; the poll that ended.
async fn steps(worker: &mut AccountWorker, until_under_way: bool) -> Option<Poll> {
    for _ in 0..20 {
        if until_under_way && worker.poller.is_listing() {
            return None;
        }
        if let Some(poll) = worker.step().await.unwrap().poll {
            return Some(poll);
        }
    }
    panic!("no poll ends");
}

#[tokio::test]
async fn a_listing_goes_on_by_other_rules_and_begins_anew_where_the_list_may_be_another() {
    let folder = tempfile::tempdir().unwrap();
    let shared = shared(folder.path()).await;
    let options = Options { reviews: 30, page_size: 10, requests_per_minute: 1_000, ..Options::default() };
    let fake = Sandbox::new(options, shared.clock.clone());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}{}", listener.local_addr().unwrap(), sandbox::BASE_PATH);
    let mut tasks = Group::default();
    tasks.start(sandbox::serve(listener, fake.clone(), std::future::pending()));
    let config = format!(
        "[accounts.main]\ntoken = \"sandbox-token\"\nbase_url = \"{url}\"\nrequests_per_minute = 1000\n\
         poll_interval = \"1h\"\nbackfill = \"all\"\n[destinations.crm]\ntype = \"webhook\"\n\
         url = \"http://127.0.0.1:9/crm\"\n[[rules]]\nname = \"all\"\nto = [\"crm\"]\n"
    );
    let pages = || fake.requests()[&Endpoint::UnreadReviews];

    let first = wiring(folder.path(), &config, &shared, None);
    let mut worker = AccountWorker::new("main", &first, &shared).await.unwrap().unwrap();
    steps(&mut worker, true).await;
    let rules = config.replace("\"all\"\nto", "\"none of them\"\nwhen = { min_length = 100000 }\nto");
    let rules = wiring(folder.path(), &rules, &shared, Some(&first));
    assert!(worker.follow(&rules, &shared).await.unwrap());
    assert!(worker.poller.is_listing());
    let poll = steps(&mut worker, false).await.unwrap();
    // Three pages, and the question whether there are larger ones.
    assert_eq!((poll.length, pages()), (30, 4), "it goes on");
    assert_eq!((poll.report.matched, poll.report.unmatched), (10, 20), "by the new rules");

    // A shorter interval counts at once.
    let sooner = wiring(folder.path(), &config.replace("1h", "5s"), &shared, Some(&rules));
    assert!(worker.poller.next_poll_at() > NOW.plus(Duration::from_secs(60)));
    worker.follow(&sooner, &shared).await.unwrap();
    assert_eq!(worker.poller.next_poll_at(), NOW.plus(Duration::from_secs(5)));

    shared.clock.advance(Duration::from_secs(5));
    worker.step().await.unwrap();
    assert!(worker.poller.is_listing());
    let revoked = wiring(folder.path(), &config.replace("sandbox-token", "revoked"), &shared, Some(&sooner));
    worker.follow(&revoked, &shared).await.unwrap();
    assert!(!worker.poller.is_listing(), "it may be another list");
    assert!(steps(&mut worker, false).await.unwrap().error.is_some());

    let gone =
        wiring(folder.path(), &config.replace("accounts.main", "accounts.new"), &shared, Some(&revoked));
    assert!(!worker.follow(&gone, &shared).await.unwrap());
}
