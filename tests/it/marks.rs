//! Marks over an API that fails for long: they follow soon after it is well again.

use crate::harness::NOW;
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
