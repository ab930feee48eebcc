//! Listings that fail, have no end, or take long: others still come, a baseline ends, the newest page is seen in time.

use crate::harness::NOW;
use crate::model::ModelStore;
use async_trait::async_trait;
use review_bridge::domain::{AccountPolicy, Catalog, NativeRating, Review, Timestamp, ledger};
use review_bridge::intake::Plan;
use review_bridge::poller::{Poll, Poller, Tick};
use review_bridge::store::{ReviewFilter, ReviewState, Store};
use review_bridge::upstream::{Cursor, ErrorKind, ErrorName, Item, Page, Upstream, UpstreamError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

const SIZE: usize = 10;

/// An unread list in pages of ten, some of which can never be had.
#[derive(Default)]
struct List {
    uuids: Vec<String>,
    failing: BTreeSet<u32>,
    /// Whether there is always another page, with other reviews.
    endless: bool,
    /// What was asked for, in order.
    asked: Vec<u32>,
    written_at: Option<Timestamp>,
}

#[derive(Clone, Default)]
struct Api(Arc<Mutex<List>>);

#[async_trait]
impl Upstream for Api {
    async fn unread_page(&self, cursor: Option<&Cursor>) -> Result<Page, UpstreamError> {
        let mut list = self.0.lock().unwrap();
        let page = match cursor {
            None => 1,
            Some(Cursor::Page(page)) => *page,
            Some(other) => panic!("there is no {other:?}"),
        };
        list.asked.push(page);
        if list.failing.contains(&page) {
            return Err(UpstreamError { kind: ErrorKind::Unavailable, setting: "", detail: "500".into() });
        }
        let start = (page as usize - 1) * if list.endless { 1_000 } else { SIZE };
        let uuids: Vec<String> = match list.endless {
            true => (start..start + 1_000).map(|index| format!("e{index}")).collect(),
            false => list.uuids.iter().skip(start).take(SIZE).cloned().collect(),
        };
        let more = list.endless || list.uuids.len() > start + SIZE;
        let total = (!list.endless).then_some(list.uuids.len() as u64);
        let item = |uuid: String| {
            Item::Review(Box::new(Review {
                account: "main".into(),
                uuid,
                rating: NativeRating::Number(1.0),
                reviewed_at: list.written_at,
                ..Review::default()
            }))
        };
        let items = uuids.into_iter().map(item).collect();
        Ok(Page { items, next: more.then_some(Cursor::Page(page + 1)), total })
    }

    async fn catalog(&self) -> Result<Catalog, UpstreamError> {
        Ok(Catalog::default())
    }

    async fn mark_read(&self, _: &str) -> Result<(), UpstreamError> {
        unreachable!("a poll marks nothing")
    }
}

struct Bench {
    api: Api,
    store: Arc<ModelStore>,
    poller: Poller,
    plan: Plan,
    now: Timestamp,
}

impl Bench {
    async fn new(uuids: usize) -> Self {
        let api = Api::default();
        api.0.lock().unwrap().uuids = (0..uuids).map(|index| format!("r{index:04}")).collect();
        let store = Arc::new(ModelStore::new());
        let poller = Poller::new("main", Arc::new(api.clone()), store.clone()).await.unwrap();
        let audiences = Arc::new(BTreeMap::new());
        let plan = Plan { policy: AccountPolicy::default(), rules: Arc::new([]), audiences };
        Self { api, store, poller, plan, now: NOW }
    }

    /// One tick, after which so much time has passed.
    async fn tick(&mut self, takes: Duration) -> Tick {
        let tick = self.poller.tick(&self.plan, self.now).await.unwrap();
        self.now = self.now.plus(takes);
        if let Tick::Wait(until) = tick {
            self.now = self.now.max(until);
        }
        tick
    }

    async fn poll(&mut self) -> Poll {
        for _ in 0..2_000 {
            if let Tick::Listed(poll) = self.tick(Duration::ZERO).await {
                return poll;
            }
        }
        panic!("the listing does not end");
    }

    async fn states(&self) -> BTreeMap<String, ReviewState> {
        let filter = ReviewFilter { limit: u32::MAX, ..ReviewFilter::default() };
        let rows = self.store.list_reviews(&filter).await.unwrap();
        rows.into_iter().map(|row| (row.uuid, row.state)).collect()
    }

    fn asked(&self) -> Vec<u32> {
        std::mem::take(&mut self.api.0.lock().unwrap().asked)
    }
}

// H14
#[tokio::test]
async fn a_first_page_that_always_fails_does_not_hide_the_others() {
    let mut bench = Bench::new(35).await;
    bench.api.0.lock().unwrap().failing = [1].into();
    let poll = bench.poll().await;
    assert!(poll.error.is_some() && !poll.baseline, "it is not complete");
    assert_eq!((poll.report.new, bench.asked()), (25, vec![1, 2, 3, 4]));
    // Where nothing answers, that costs one request more.
    bench.api.0.lock().unwrap().failing = (1..9).collect();
    bench.poll().await;
    assert_eq!(bench.asked(), [1, 2]);
}

// "A baseline that never ends"
#[tokio::test]
async fn a_baseline_ends_after_a_day_although_a_page_always_fails() {
    let mut bench = Bench::new(35).await;
    let old = NOW.minus(Duration::from_secs(3 * 86_400));
    {
        let mut list = bench.api.0.lock().unwrap();
        (list.failing, list.written_at) = ([2].into(), Some(old));
    }
    bench.poll().await;
    let account = bench.store.account("main").await.unwrap();
    assert_eq!((account.first_listing_at, account.baseline_at), (Some(NOW), None));
    let since = account.failing_since;
    assert!(since.is_some(), "since then no listing was complete");
    bench.api.0.lock().unwrap().uuids.insert(0, "early".into());
    bench.poll().await;
    assert_eq!(bench.states().await["early"], ReviewState::Remembered, "older than `backfill`");
    bench.now = NOW.plus(ledger::LONGEST_BASELINE);
    assert!(bench.poll().await.error.is_some());
    assert!(bench.store.account("main").await.unwrap().baseline_at.is_some());
    bench.api.0.lock().unwrap().uuids.insert(0, "late".into());
    bench.poll().await;
    assert_eq!(bench.states().await["late"], ReviewState::Unmatched, "younger than `max_age`");
}

#[tokio::test]
async fn a_baseline_does_not_end_while_nothing_could_be_read() {
    let mut bench = Bench::new(5).await;
    bench.api.0.lock().unwrap().failing = (1..9).collect();
    bench.poll().await;
    bench.now = NOW.plus(ledger::LONGEST_BASELINE * 2);
    bench.poll().await;
    let account = bench.store.account("main").await.unwrap();
    assert_eq!((account.first_listing_at, account.baseline_at), (None, None));
    bench.api.0.lock().unwrap().failing.clear();
    assert!(bench.poll().await.baseline);
}

// H9
#[tokio::test]
async fn a_list_without_an_end_is_bounded_and_recorded() {
    let mut bench = Bench::new(0).await;
    bench.api.0.lock().unwrap().endless = true;
    let poll = bench.poll().await;
    let error = poll.error.unwrap();
    assert_eq!((error.kind, poll.length), (ErrorKind::Endless, 200_000));
    assert!(error.detail.contains("endpoints.unread_reviews"), "{}", error.detail);
    let account = bench.store.account("main").await.unwrap();
    assert_eq!((account.last_error_kind, account.failed_polls), (Some(ErrorName::Endless), 1));
    assert_eq!((account.listings, account.last_steady_at), (0, None), "it proves nothing");
}

// H15
#[tokio::test]
async fn the_newest_page_is_looked_at_every_poll_while_the_list_takes_longer() {
    let mut bench = Bench::new(3_000).await;
    let (mut came_at, mut latest) = (None, Duration::ZERO);
    for number in 0..400 {
        if number % 37 == 5 && came_at.is_none() {
            bench.api.0.lock().unwrap().uuids.insert(0, format!("came{number}"));
            came_at = Some((format!("came{number}"), bench.now));
        }
        // Two seconds a page: 10 minutes for all of them.
        if let Tick::Listed(_) = bench.tick(Duration::from_secs(2)).await {
            break;
        }
        if let Some((uuid, at)) = &came_at
            && bench
                .store
                .list_reviews(&ReviewFilter { uuid: Some(uuid.clone()), limit: 1, ..ReviewFilter::default() })
                .await
                .unwrap()
                .len()
                == 1
        {
            latest = latest.max(bench.now.since(*at));
            came_at = None;
        }
    }
    assert!(latest > Duration::ZERO && latest <= Duration::from_secs(65), "{latest:?}");
}

// F7, H4
#[tokio::test]
async fn a_long_listing_yields_to_marks_and_loses_nothing_by_it() {
    let mut bench = Bench::new(1_000).await;
    let (mut marked, mut turns) = (BTreeSet::new(), 0);
    let poll = loop {
        if bench.poller.yields(bench.now) {
            turns += 1;
            // Reviews that were read already are marked, and leave the list.
            let known: Vec<String> = bench.states().await.into_keys().collect();
            let gone: Vec<String> =
                known.into_iter().filter(|uuid| !marked.contains(uuid)).take(37).collect();
            bench.api.0.lock().unwrap().uuids.retain(|uuid| !gone.contains(uuid));
            bench.poller.marked(gone.len() as u64, bench.now);
            marked.extend(gone);
        }
        if let Tick::Listed(poll) = bench.tick(Duration::from_millis(10)).await {
            break poll;
        }
    };
    assert!(turns >= 4, "{turns}");
    assert_eq!(poll.error, None);
    assert_eq!(bench.states().await.len(), 1_000, "none was missed between the pages that moved");
    let account = bench.store.account("main").await.unwrap();
    assert_eq!(account.last_steady_at, None, "it proves no absence");
}

// F7
#[tokio::test]
async fn the_next_poll_counts_from_the_end_of_the_last() {
    let mut bench = Bench::new(5).await;
    bench.poll().await;
    let ended = bench.now.plus(Duration::from_secs(600));
    bench.poller.ended_at(ended);
    assert_eq!(bench.poller.next_poll_at(), ended.plus(bench.plan.policy.poll_interval));
}

/// Serves a page of unread reviews of `count` items with texts of `length`, and empty lists of names.
async fn serve_page(count: usize, length: usize) -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut head = vec![0; 4096];
            let read = socket.read(&mut head).await.unwrap();
            let unread = String::from_utf8_lossy(&head[..read]).contains("reviews/unread");
            socket.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{\"data\":[").await.unwrap();
            let text = "lorem &amp; ipsum ".repeat(length.div_ceil(18));
            for number in 0..if unread { count } else { 0 } {
                let comma = if number == 0 { "" } else { "," };
                let item = format!("{comma}{{\"uuid\":\"r{number}\",\"rating\":1,\"body\":\"{text}\"}}");
                if socket.write_all(item.as_bytes()).await.is_err() {
                    break;
                }
            }
            let end = format!("],\"meta\":{{\"current_page\":1,\"last_page\":1,\"total\":{count}}}}}");
            let _ = socket.write_all(end.as_bytes()).await;
        }
    });
    url
}

/// The most memory that this process has had, in bytes.
fn peak() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
}

// H13. Measures its whole process, so it runs on its own: `cargo test --test it -- --ignored long_pages`.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "takes minutes, and must be alone in its process"]
async fn long_pages_take_less_than_64_mib_and_twice_their_longest_item() {
    use review_bridge::config;
    use review_bridge::store::sqlite::{Access, SqliteStore};
    let _ = rustls::crypto::ring::default_provider().install_default();
    for (count, length) in [(98, 1024 * 1024), (50_000, 2_000), (1, 98 * 1024 * 1024)] {
        let url = serve_page(count, length).await;
        let text = format!(
            "accounts.main = {{ token = \"t\", base_url = \"{url}\" }}\n[destinations]\ncrm = {{ type = \"webhook\", url = \"https://crm.example\" }}\n[[rules]]\nname = \"all\"\nto = [\"crm\"]\n"
        );
        let settings = config::read(text.into_bytes(), std::path::Path::new("."))
            .unwrap_or_else(|failure| panic!("{failure}"))
            .settings;
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&folder.path().join("s.db"), Access::Own).await.unwrap());
        let clock = review_bridge::clock::Clock::manual(NOW);
        let budget = review_bridge::app::StoreBudget::new(store.clone(), clock.clone(), "main", 1_000_000);
        let upstream = review_bridge::upstream::Client::new(
            &settings.accounts["main"].upstream,
            "main",
            Arc::new(budget),
            clock,
            false,
            &settings.outbound,
        )
        .unwrap();
        let mut poller = Poller::new("main", Arc::new(upstream), store.clone()).await.unwrap();
        let plan = crate::properties::plan();
        let poll = loop {
            match poller.tick(&plan, NOW).await.unwrap() {
                Tick::Listed(poll) => break poll,
                Tick::Wait(until) => panic!("waits until {until:?}"),
                Tick::Again | Tick::Page(_) => {}
            }
        };
        assert_eq!((poll.error, poll.report.new), (None, count as u64));
        println!("{count} items of {length} bytes: peak {} MiB", peak() / 1024 / 1024);
        assert!(peak() < 64 * 1024 * 1024 + 2 * length, "{count} items of {length} bytes: {}", peak());
    }
}
