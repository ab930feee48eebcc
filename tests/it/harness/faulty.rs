//! A store that fails, stops, or kills its process, at calls of the test's choice: before the call did anything, or
//! after all of it is done and only the answer is lost. A transaction has no other ends.

use async_trait::async_trait;
use review_bridge::domain::{Catalog, Scale, Timestamp};
use review_bridge::store::*;
use review_bridge::upstream::ErrorName;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::Notify;

/// What happens at a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreFault {
    /// It fails, and has changed nothing.
    Before,
    /// It fails, and has changed everything.
    After,
    /// It and all that follow never return, and it has changed nothing: the test drops what made it.
    StopBefore,
    /// It and all that follow never return, and it has changed everything.
    StopAfter,
    /// The process dies, and it has changed nothing.
    AbortBefore,
    /// The process dies, and it has changed everything.
    AbortAfter,
}

/// Says what happens at a call, whose name it is given.
pub type FaultPlan = Box<dyn FnMut(&'static str) -> Option<StoreFault> + Send>;

/// A store of which some calls fail.
pub struct FaultyStore {
    inner: SharedStore,
    plan: Mutex<FaultPlan>,
    has_stopped: AtomicBool,
    stopped: Arc<Notify>,
}

impl FaultyStore {
    pub fn new(inner: SharedStore, plan: FaultPlan) -> Self {
        Self { inner, plan: Mutex::new(plan), has_stopped: AtomicBool::default(), stopped: Arc::default() }
    }

    /// Notified when it stops.
    pub fn stopped(&self) -> Arc<Notify> {
        self.stopped.clone()
    }

    async fn stop(&self) -> ! {
        self.has_stopped.store(true, Ordering::SeqCst);
        self.stopped.notify_one();
        std::future::pending().await
    }

    async fn before(&self, call: &'static str) -> Result<Option<StoreFault>, StoreError> {
        if self.has_stopped.load(Ordering::SeqCst) {
            self.stop().await;
        }
        let fault = (self.plan.lock().unwrap())(call);
        match fault {
            Some(StoreFault::Before) => Err(failure(call)),
            Some(StoreFault::StopBefore) => self.stop().await,
            Some(StoreFault::AbortBefore) => std::process::abort(),
            _ => Ok(fault),
        }
    }
}

/// Whether an error is one that this store made up.
pub fn is_made_up(error: &str) -> bool {
    error.contains("made to fail")
}

fn failure(call: &str) -> StoreError {
    let why = std::io::Error::other(format!("`{call}` was made to fail"));
    StoreError::Open { path: "test".into(), source: OpenError::File(why) }
}

macro_rules! faulty {
    ($(fn $name:ident($($argument:ident: $type:ty),*) -> $answer:ty;)*) => {
        #[async_trait]
        impl Store for FaultyStore {
            $(async fn $name(&self, $($argument: $type),*) -> Result<$answer, StoreError> {
                let fault = self.before(stringify!($name)).await?;
                let answer = self.inner.$name($($argument),*).await;
                match fault {
                    Some(StoreFault::After) => Err(failure(stringify!($name))),
                    Some(StoreFault::StopAfter) => self.stop().await,
                    Some(StoreFault::AbortAfter) => std::process::abort(),
                    _ => answer,
                }
            })*

            async fn close(&self) {
                self.inner.close().await;
            }
        }
    };
}

faulty! {
    fn account(account: &str) -> AccountRecord;
    fn catalog(account: &str) -> Option<(Catalog, Timestamp)>;
    fn save_catalog(account: &str, catalog: &Catalog, now: Timestamp) -> ();
    fn poll_failed(account: &str, kind: ErrorName, error: &str, now: Timestamp) -> ();
    fn endpoint_seen(account: &str, endpoint: &str, error: Option<&str>, now: Timestamp) -> ();
    fn endpoints(account: &str) -> Vec<EndpointRecord>;
    fn save_token_expiry(account: &str, at: Option<Timestamp>) -> ();
    fn take_requests(take: &TakeRequests<'_>) -> Grant;
    fn hold_account(account: &str, until: Timestamp) -> ();
    fn listing_begun(account: &str, at: Timestamp) -> ();
    fn end_baseline(account: &str, now: Timestamp) -> ();
    fn intake(batch: &IntakeBatch<'_>, decide: Decide<'_>) -> IntakeReport;
    fn complete_listing(listing: &CompleteListing<'_>) -> ListingReport;
    fn route_waiting(account: &str, now: Timestamp, limit: u32, route: Route<'_>) -> IntakeReport;
    fn scales(account: &str) -> Vec<ScaleRecord>;
    fn save_scales(account: &str, scales: &[(String, Scale)], now: Timestamp) -> ();
    fn save_unknown_names(names: &[UnknownName]) -> ();
    fn next_match(account: &str) -> Option<Timestamp>;
    fn recover(now: Timestamp) -> u64;
    fn expire(now: Timestamp) -> u64;
    fn lease(requests: &[LeaseRequest], now: Timestamp, owner: &str) -> Vec<Leased>;
    fn settle(settlements: &[Settlement], now: Timestamp) -> ();
    fn next_due(destinations: &[&str]) -> Vec<(String, Timestamp)>;
    fn attempts_since(destination: &str, since: Timestamp) -> Vec<Timestamp>;
    fn enqueue(messages: &[NewMessage], now: Timestamp) -> ();
    fn digest_windows() -> Vec<DigestWindow>;
    fn save_digest_window(window: &DigestWindow) -> ();
    fn make_digest(digest: &NewDigest<'_>, now: Timestamp) -> u64;
    fn regroup(digests: &[&str], now: Timestamp) -> ();
    fn pace_bursts(requests: &[BurstRequest], now: Timestamp, decide: PaceBursts<'_>) -> Grouped;
    fn release_held(now: Timestamp) -> ();
    fn dead_letter_orphans(configured: &[String], now: Timestamp) -> u64;
    fn destinations() -> Vec<DestinationRecord>;
    fn pause(destination: &str, paused: bool, now: Timestamp) -> ();
    fn probe_broken(now: Timestamp) -> ();
    fn route_again(account: &str, reviews: &[i64], now: Timestamp, route: Route<'_>) -> IntakeReport;
    fn request_marks(reviews: &[i64], now: Timestamp) -> Vec<i64>;
    fn forget(review: i64, now: Timestamp) -> ();
    fn intervene(what: Intervention, deliveries: &[i64], now: Timestamp) -> Vec<i64>;
    fn move_deliveries(deliveries: &[i64], to: &MoveTo<'_>, now: Timestamp) -> Vec<i64>;
    fn expire_old(expiry: &Expiry, now: Timestamp) -> Expired;
    fn clock_stepped(by_ms: i64) -> ();
    fn due_marks(account: &str, now: Timestamp, limit: u32) -> Vec<DueMark>;
    fn record_marks(account: &str, results: &[MarkResult], now: Timestamp) -> ();
    fn next_mark(account: &str) -> Option<Timestamp>;
    fn problem_facts(now: Timestamp) -> ProblemFacts;
    fn problems() -> Vec<ProblemRecord>;
    fn notify_operator(
        kept: &[ProblemRecord], over: &[ProblemKey], notices: &[NewMessage], now: Timestamp
    ) -> ();
    fn report(key: &ProblemKey, said: Option<(&str, &str)>, now: Timestamp) -> ();
    fn backlog(destination: &str, since: Timestamp, until: Timestamp) -> Backlog;
    fn bridge() -> BridgeRecord;
    fn save_bridge(record: &BridgeRecord) -> ();
    fn list_deliveries(filter: &DeliveryFilter) -> Vec<DeliveryRow>;
    fn list_attempts(message: &str) -> Vec<AttemptRow>;
    fn list_reviews(filter: &ReviewFilter) -> Vec<ReviewRow>;
    fn list_revisions(review: i64) -> Vec<RevisionRow>;
    fn count_deliveries() -> Vec<DeliveryCount>;
    fn message(id: &str) -> Option<MessageRow>;
    fn count_reviews() -> Vec<ReviewCount>;
}
