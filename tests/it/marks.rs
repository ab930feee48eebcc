//! Marks over an API that fails for long: they follow soon after it is well again.

use crate::harness::{NOW, listing};
use crate::model::ModelStore;
use async_trait::async_trait;
use review_bridge::domain::{AccountPolicy, Catalog, MarkRead, Review, Timestamp};
use review_bridge::intake::{Intake, Plan};
use review_bridge::outbox::Acknowledger;
use review_bridge::store::Store;
use review_bridge::upstream::{Cursor, ErrorKind, Item, Page, Upstream, UpstreamError};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// An API that marks nothing while it is down; counts what it is asked.
#[derive(Default)]
struct Api {
    up: AtomicU64,
    asked: AtomicU64,
}

#[async_trait]
impl Upstream for Api {
    async fn unread_page(&self, _: Option<&Cursor>) -> Result<Page, UpstreamError> {
        Ok(Page::default())
    }

    async fn catalog(&self) -> Result<Catalog, UpstreamError> {
        Ok(Catalog::default())
    }

    async fn mark_read(&self, _: &str) -> Result<(), UpstreamError> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        match self.up.load(Ordering::SeqCst) {
            0 => Err(UpstreamError { kind: ErrorKind::Unavailable, setting: "", detail: "down".into() }),
            _ => Ok(()),
        }
    }
}

/// Two thousand reviews, of which each is to be marked.
async fn due() -> Arc<ModelStore> {
    let store = Arc::new(ModelStore::new());
    let rules: Vec<review_bridge::rules::Rule> = Vec::new();
    let plan =
        Plan { policy: AccountPolicy::default(), rules: rules.into(), audiences: Arc::new(BTreeMap::new()) };
    let catalog = Catalog::default();
    let intake = Intake { account: "main", plan: &plan, catalog: Some(&catalog), baseline: false, now: NOW };
    let review =
        |number: usize| Review { account: "main".into(), uuid: format!("r{number}"), ..Review::default() };
    let items = (0..2000).map(|number| Item::Review(Box::new(review(number)))).collect();
    let report = intake.take(&*store, items).await.unwrap();
    assert_eq!(store.request_marks(&report.seen, NOW).await.unwrap().len(), 2000);
    store
}

#[tokio::test]
async fn after_a_day_without_an_answer_marks_follow_within_two_minutes() {
    let (store, api) = (due().await, Arc::new(Api::default()));
    let mut acknowledger = Acknowledger::new("main", api.clone(), store.clone(), "reviews/{uuid}/read", 1);
    let mut now = NOW;
    let recovery = NOW.plus(Duration::from_secs(86_400));
    let mut first_done: Option<Timestamp> = None;
    while now < recovery.plus(Duration::from_secs(3 * 3600)) {
        if now >= recovery {
            api.up.store(1, Ordering::SeqCst);
        }
        let marked = acknowledger.tick(MarkRead::AfterDelivery, now).await.unwrap();
        if marked.done > 0 {
            first_done.get_or_insert(now);
        }
        let Some(until) = marked.wait_until else { break };
        now = until.max(now.plus(Duration::from_millis(1)));
    }
    let waited = first_done.expect("marks go on").since(recovery);
    assert!(waited <= Duration::from_secs(120), "{waited:?}");
    assert!(store.count_reviews().await.unwrap().iter().all(|count| count.marks_due == 0), "all are marked");
    // An API that is down is not asked as if it were up: a batch each two minutes.
    let asked = api.asked.load(Ordering::SeqCst);
    assert!(asked < 2000 + 64 * 86_400 / 90, "{asked}");
}

/// An API that answers marks with a failure of one kind.
struct Refusing(ErrorKind, AtomicU64);

#[async_trait]
impl Upstream for Refusing {
    async fn unread_page(&self, _: Option<&Cursor>) -> Result<Page, UpstreamError> {
        Ok(Page::default())
    }

    async fn catalog(&self) -> Result<Catalog, UpstreamError> {
        Ok(Catalog::default())
    }

    async fn mark_read(&self, _: &str) -> Result<(), UpstreamError> {
        let setting = "endpoints.mark_review_read";
        match self.1.load(Ordering::SeqCst) {
            0 => {
                Err(UpstreamError { kind: self.0.clone(), setting, detail: format!("no: check `{setting}`") })
            }
            _ => Ok(()),
        }
    }
}

const PATH: &str = "reviews/{uuid}/read";

/// One review on the list, whose mark is due; its id.
async fn one_due(store: &ModelStore) -> i64 {
    let audiences = Arc::new(BTreeMap::new());
    let plan = Plan { policy: AccountPolicy::default(), rules: Arc::new([]), audiences };
    let catalog = Catalog::default();
    let intake = Intake { account: "main", plan: &plan, catalog: Some(&catalog), baseline: false, now: NOW };
    let review = Review { account: "main".into(), uuid: "a".into(), ..Review::default() };
    let id = intake.take(store, vec![Item::Review(Box::new(review))]).await.unwrap().seen[0];
    store.complete_listing(&listing("main", &[id], NOW)).await.unwrap();
    assert_eq!(store.request_marks(&[id], NOW).await.unwrap(), [id]);
    id
}

// S8
#[tokio::test]
async fn a_mark_that_is_refused_settles_once_a_listing_lacks_its_review_and_is_a_setting_otherwise() {
    let store = Arc::new(ModelStore::new());
    let id = one_due(&store).await;
    let api = Arc::new(Refusing(ErrorKind::Gone, AtomicU64::new(0)));
    let mut acknowledger = Acknowledger::new("main", api.clone(), store.clone(), PATH, 1);
    let error = async || store.account("main").await.unwrap().mark_error;
    let mut now = NOW;
    let mut tick = async |now: Timestamp| acknowledger.tick(MarkRead::AfterDelivery, now).await.unwrap();
    assert_eq!(tick(now).await.failed, 1);
    assert_eq!(error().await, None, "the review may be gone");
    // It is still listed: it is not the review.
    now = now.plus(Duration::from_secs(3_600));
    store.complete_listing(&listing("main", &[id], now)).await.unwrap();
    now = now.plus(Duration::from_secs(3_600));
    assert_eq!(tick(now).await.failed, 1);
    assert!(error().await.is_some_and(|error| error.contains("endpoints.mark_review_read")));
    assert_eq!(store.account("main").await.unwrap().marks_due_since, Some(NOW), "it stays due");
    // It is gone from the list.
    now = now.plus(Duration::from_secs(60));
    store.complete_listing(&listing("main", &[], now)).await.unwrap();
    assert_eq!(error().await, None);
    assert_eq!(store.next_mark("main").await.unwrap(), None);
    assert_eq!(tick(now.plus(Duration::from_secs(86_400))).await.failed, 0, "nothing is asked any more");
}

// S8
#[tokio::test]
async fn what_is_not_found_settles_only_where_that_path_has_worked() {
    for worked in [false, true] {
        let store = Arc::new(ModelStore::new());
        let id = one_due(&store).await;
        let api = Arc::new(Refusing(ErrorKind::NotFound, AtomicU64::new(u64::from(worked))));
        let mut acknowledger = Acknowledger::new("main", api.clone(), store.clone(), PATH, 1);
        let marked = acknowledger.tick(MarkRead::AfterDelivery, NOW).await.unwrap();
        assert_eq!((marked.done, marked.failed), (u64::from(worked), u64::from(!worked)));
        let error = store.account("main").await.unwrap().mark_error;
        assert_eq!(error.is_some(), !worked, "{error:?}");
        // Another setting has not worked yet.
        api.1.store(0, Ordering::SeqCst);
        let edited = Review { uuid: "b".into(), account: "main".into(), ..Review::default() };
        let audiences = Arc::new(BTreeMap::new());
        let plan = Plan { policy: AccountPolicy::default(), rules: Arc::new([]), audiences };
        let catalog = Catalog::default();
        let intake =
            Intake { account: "main", plan: &plan, catalog: Some(&catalog), baseline: false, now: NOW };
        let other = intake.take(&*store, vec![Item::Review(Box::new(edited))]).await.unwrap().seen[0];
        store.request_marks(&[id, other], NOW).await.unwrap();
        for (hours, path, settles) in [(1, "another/{uuid}", false), (2, PATH, worked)] {
            let now = NOW.plus(Duration::from_secs(hours * 3_600));
            let mut acknowledger = Acknowledger::new("main", api.clone(), store.clone(), path, 1);
            let marked = acknowledger.tick(MarkRead::AfterDelivery, now).await.unwrap();
            assert_eq!(marked.done > 0, settles, "{path}");
        }
    }
}

// F7
#[tokio::test]
async fn nothing_is_marked_that_the_last_complete_listing_did_not_show() {
    let store = Arc::new(ModelStore::new());
    let id = one_due(&store).await;
    store.complete_listing(&listing("main", &[], NOW)).await.unwrap();
    let api = Arc::new(Refusing(ErrorKind::Unavailable, AtomicU64::new(1)));
    let mut acknowledger = Acknowledger::new("main", api, store.clone(), PATH, 1);
    assert!(!acknowledger.is_due(MarkRead::AfterDelivery, NOW).await.unwrap());
    assert_eq!(acknowledger.tick(MarkRead::AfterDelivery, NOW).await.unwrap().done, 0);
    store.complete_listing(&listing("main", &[id], NOW)).await.unwrap();
    assert!(acknowledger.is_due(MarkRead::AfterDelivery, NOW).await.unwrap());
    assert!(!acknowledger.is_due(MarkRead::Never, NOW).await.unwrap());
    assert_eq!(acknowledger.tick(MarkRead::AfterDelivery, NOW).await.unwrap().done, 1);
}
