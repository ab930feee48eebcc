//! Tests of what the log says of a poll.
#![allow(clippy::unwrap_used)]

use super::*;
use crate::domain::AccountPolicy;
use crate::store::sqlite::{Access, SqliteStore};
use crate::telemetry::capture::Capture;
use crate::upstream::Page;
use async_trait::async_trait;

/// An API whose requests must wait for the budget, once the names have loaded.
struct Spent(Timestamp);

#[async_trait]
impl Upstream for Spent {
    async fn unread_page(&self, _: Option<&Cursor>) -> Result<Page, UpstreamError> {
        Err(UpstreamError { kind: ErrorKind::Budget(self.0), setting: "", detail: "used up".into() })
    }

    async fn catalog(&self) -> Result<Catalog, UpstreamError> {
        Ok(Catalog::default())
    }

    async fn mark_read(&self, _: &str) -> Result<(), UpstreamError> {
        unreachable!("a poll marks nothing")
    }
}

async fn logged_by_a_poll_that_waits(seconds: u64) -> String {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("s.db"), Access::Own).await.unwrap();
    let now = Timestamp(1_000_000);
    let until = now.plus(Duration::from_secs(seconds));
    let plan = Plan { policy: AccountPolicy::default(), rules: Arc::new([]), audiences: Arc::default() };
    let mut poller = Poller::new("main", Arc::new(Spent(until)), Arc::new(store)).await.unwrap();
    let capture = Capture::start();
    assert_eq!(poller.tick(&plan, now).await.unwrap(), Tick::Again, "the names load");
    assert_eq!(poller.tick(&plan, now).await.unwrap(), Tick::Wait(until));
    // Still nothing to spend: it has been said.
    assert_eq!(poller.tick(&plan, until).await.unwrap(), Tick::Wait(until));
    capture.text()
}

#[tokio::test]
async fn a_gap_between_polls_is_explained_once_with_the_account() {
    let text = logged_by_a_poll_that_waits(42).await;
    assert_eq!(text.matches("request budget").count(), 1, "{text}");
    assert!(text.contains("poll{account=main}:listing{page=1}: ") && text.contains("seconds=42"), "{text}");
    assert_eq!(logged_by_a_poll_that_waits(2).await, "", "no gap that anybody sees");
}
