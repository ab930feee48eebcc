//! A listing whose pages repeat, shift, are cut or come late: nothing is lost, and nothing is told twice.

use crate::harness::{NOW, folder};
use crate::properties::plan;
use async_trait::async_trait;
use proptest::prelude::*;
use review_bridge::domain::{Catalog, NativeRating, Review, Timestamp};
use review_bridge::poller::{Poll, Poller, Tick};
use review_bridge::store::sqlite::{Access, SqliteStore};
use review_bridge::store::*;
use review_bridge::upstream::{Cursor, ErrorKind, Item, Page, Upstream, UpstreamError};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// What happens to a request for a page.
#[derive(Clone, Debug)]
enum Event {
    /// It is answered.
    Fine,
    /// New reviews came to the head of the list: what was on this page moves to the next.
    Came(u8),
    /// Reviews left the list: what would be on this page moves to the one before.
    Left(usize),
    /// The page before is given once more.
    Repeats,
    /// It is cut off, or the API fails.
    Fails,
    /// Nobody answers in time.
    Late,
    /// The API wants a pause.
    Pause,
    /// It holds nothing, and says that there is more.
    Empty,
}

/// An unread list, served in pages, to which events happen.
#[derive(Debug)]
struct Listed {
    uuids: Vec<String>,
    size: usize,
    /// Whether it says which page is the last.
    says_last: bool,
    events: Vec<Event>,
    came: usize,
    before: Vec<String>,
    /// Pages that could not be had.
    failed: usize,
    /// Whatever was on any page.
    shown: BTreeSet<String>,
}

impl Listed {
    fn serve(&mut self, page: usize) -> Result<Page, UpstreamError> {
        match self.events.pop().unwrap_or(Event::Fine) {
            Event::Came(count) => {
                for _ in 0..count {
                    self.came += 1;
                    self.uuids.insert(0, format!("came{}", self.came));
                }
            }
            Event::Left(index) => {
                drop((!self.uuids.is_empty()).then(|| self.uuids.remove(index % self.uuids.len())))
            }
            Event::Repeats => {
                let before = self.before.clone();
                return Ok(self.page(before, page, true));
            }
            Event::Fails => return Err(self.fails(ErrorKind::Unavailable)),
            Event::Late => return Err(self.fails(ErrorKind::TimedOut)),
            Event::Pause => return Err(error(ErrorKind::RateLimited(NOW.plus(Duration::from_secs(1))))),
            Event::Empty => return Ok(self.page(Vec::new(), page, true)),
            Event::Fine => {}
        }
        let start = ((page - 1) * self.size).min(self.uuids.len());
        let end = (start + self.size).min(self.uuids.len());
        let more = end < self.uuids.len() || (!self.says_last && end > start);
        let uuids = self.uuids[start..end].to_vec();
        self.before.clone_from(&uuids);
        Ok(self.page(uuids, page, more))
    }

    fn fails(&mut self, kind: ErrorKind) -> UpstreamError {
        self.failed += 1;
        error(kind)
    }

    fn page(&mut self, uuids: Vec<String>, page: usize, more: bool) -> Page {
        self.shown.extend(uuids.iter().cloned());
        let next = more.then(|| Cursor::Page(u32::try_from(page + 1).unwrap()));
        Page { items: uuids.into_iter().map(review).collect(), next, total: None }
    }
}

fn review(uuid: String) -> Item {
    let (text, rating) = (Some("x".into()), NativeRating::Number(1.0));
    Item::Review(Box::new(Review { account: "main".into(), uuid, text, rating, ..Review::default() }))
}

fn error(kind: ErrorKind) -> UpstreamError {
    UpstreamError { kind, setting: "", detail: "as the test wants it".into() }
}

#[derive(Clone, Debug)]
struct Fake(Arc<Mutex<Listed>>);

#[async_trait]
impl Upstream for Fake {
    async fn unread_page(&self, cursor: Option<&Cursor>) -> Result<Page, UpstreamError> {
        let page = match cursor {
            None => 1,
            Some(Cursor::Page(page)) => *page as usize,
            Some(other) => panic!("there is no {other:?}"),
        };
        self.0.lock().unwrap().serve(page)
    }

    async fn catalog(&self) -> Result<Catalog, UpstreamError> {
        Ok(Catalog::default())
    }

    async fn mark_read(&self, _: &str) -> Result<(), UpstreamError> {
        Ok(())
    }
}

/// Ticks until a listing has ended.
async fn list(poller: &mut Poller, now: &mut Timestamp) -> Poll {
    let plan = plan();
    for _ in 0..10_000 {
        match poller.tick(&plan, *now).await.unwrap() {
            Tick::Listed(poll) => return poll,
            Tick::Wait(until) => *now = (*now).max(until),
            Tick::Again | Tick::Page(_) => {}
        }
    }
    panic!("the listing does not end");
}

/// How many deliveries each review has, by its destinations.
async fn told(store: &SqliteStore) -> BTreeMap<String, Vec<String>> {
    let filter = DeliveryFilter { limit: 10_000, ..DeliveryFilter::default() };
    let mut told = BTreeMap::<String, Vec<String>>::new();
    for row in store.list_deliveries(&filter).await.unwrap() {
        told.entry(row.uuid).or_default().push(row.destination);
    }
    told.values_mut().for_each(|destinations| destinations.sort());
    told
}

async fn lists(listed: Listed, stormy: usize) {
    let folder = folder();
    let store = Arc::new(SqliteStore::open(&folder.path().join("state.db"), Access::Own).await.unwrap());
    let fake = Fake(Arc::new(Mutex::new(listed)));
    let mut poller = Poller::new("main", Arc::new(fake.clone()), store.clone()).await.unwrap();
    let mut now = NOW;
    for _ in 0..stormy {
        let before = fake.0.lock().unwrap().failed;
        let poll = list(&mut poller, &mut now).await;
        if fake.0.lock().unwrap().failed > before {
            assert!(poll.error.is_some() && !poll.baseline, "a listing that saw an error is not complete");
        }
    }
    // Whatever happened, a calm listing is complete, and brings what the others could not.
    fake.0.lock().unwrap().events.clear();
    let poll = list(&mut poller, &mut now).await;
    assert_eq!(poll.error, None);
    let (listed, shown) = {
        let listed = fake.0.lock().unwrap();
        (listed.uuids.clone(), listed.shown.clone())
    };
    assert_eq!(poll.length, listed.len() as u64);
    let told = told(&store).await;
    let names: BTreeSet<String> = told.keys().cloned().collect();
    assert!(listed.iter().all(|uuid| names.contains(uuid)), "what is listed is told");
    assert_eq!(names, shown, "and whatever was on any page");
    assert!(told.values().all(|destinations| destinations == &["all", "low"]), "once: {told:?}");
    let calm = list(&mut poller, &mut now).await;
    assert_eq!((calm.report.new, calm.report.edited, calm.report.deliveries), (0, 0, 0));
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => Just(Event::Fine),
        3 => (1..6u8).prop_map(Event::Came),
        3 => (0..100usize).prop_map(Event::Left),
        1 => Just(Event::Repeats),
        1 => Just(Event::Fails),
        1 => Just(Event::Late),
        1 => Just(Event::Pause),
        1 => Just(Event::Empty),
    ]
}

proptest! {
    // Each case is a state on disk.
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_happens_to_its_pages_nothing_is_lost_and_nothing_told_twice(
        count in 0..40usize, size in 1..9usize, says_last in any::<bool>(), stormy in 1..4usize,
        events in prop::collection::vec(event(), 0..30),
    ) {
        let uuids = (0..count).map(|index| format!("r{index}")).collect();
        let (before, shown) = (Vec::new(), BTreeSet::new());
        let listed = Listed { uuids, size, says_last, events, came: 0, before, failed: 0, shown };
        tokio::runtime::Runtime::new().unwrap().block_on(lists(listed, stormy));
    }
}
