//! Durable state. Methods are named by intent, take batches, and each is one transaction; only this module
//! holds SQL, and it holds no policy: what to do is decided by the pure functions it is handed.
//!
//! No network call is ever made inside a transaction.

mod error;
pub mod ids;
pub mod records;
pub mod sqlite;

pub use error::{FilesFailure, OpenError, StoreError};
pub use records::*;

use crate::domain::{Catalog, Scale, Timestamp};
use crate::upstream::ErrorName;
use async_trait::async_trait;
use std::sync::Arc;
use std::time::Duration;

/// Decides what a listed review means, given what is known of it.
pub type Decide<'a> = &'a (dyn Fn(Arrival<'_>) -> Decision + Send + Sync);
/// Decides where a held or settling review goes.
pub type Route<'a> = &'a (dyn Fn(&UnroutedReview) -> RouteDecision + Send + Sync);
/// Decides what follows for what is queued for a recipient of a destination with bursts.
pub type PaceBursts<'a> = &'a (dyn Fn(&BurstRequest, &BurstSeen) -> BurstStep + Send + Sync);
/// A store behind its trait.
pub type SharedStore = Arc<dyn Store>;

/// The state of the bridge.
#[async_trait]
pub trait Store: Send + Sync {
    // ---- accounts -------------------------------------------------------------------------------------
    /// What is known of an account; a default record where it was never polled.
    async fn account(&self, account: &str) -> Result<AccountRecord, StoreError>;
    /// The names of an account, where they were loaded once.
    async fn catalog(&self, account: &str) -> Result<Option<(Catalog, Timestamp)>, StoreError>;
    /// Keeps the names of an account; its undecided reviews are to be matched again.
    async fn save_catalog(&self, account: &str, catalog: &Catalog, now: Timestamp) -> Result<(), StoreError>;
    /// Records that a poll failed.
    async fn poll_failed(
        &self,
        account: &str,
        kind: ErrorName,
        error: &str,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Records that an endpoint answered as it should (`None`) or why it did not.
    async fn endpoint_seen(
        &self,
        account: &str,
        endpoint: &str,
        error: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// The endpoints of an account that were called so far.
    async fn endpoints(&self, account: &str) -> Result<Vec<EndpointRecord>, StoreError>;
    /// Keeps when the account's token expires, where that is known.
    async fn save_token_expiry(&self, account: &str, at: Option<Timestamp>) -> Result<(), StoreError>;

    // ---- the request budget ---------------------------------------------------------------------------
    /// Takes up to `want` requests from the account's budget of `limit` in any `span`; where none is left,
    /// says when to try again.
    async fn take_requests(&self, take: &TakeRequests<'_>) -> Result<Grant, StoreError>;
    /// Grants nothing to the account before `until`.
    async fn hold_account(&self, account: &str, until: Timestamp) -> Result<(), StoreError>;

    // ---- intake ---------------------------------------------------------------------------------------
    /// Records when a listing began that has brought a page; only the account's first is kept.
    async fn listing_begun(&self, account: &str, at: Timestamp) -> Result<(), StoreError>;
    /// Ends the account's baseline, where that is not over: it took too long.
    async fn end_baseline(&self, account: &str, now: Timestamp) -> Result<(), StoreError>;
    /// One page, or a piece of one: reads what is known, decides, and writes reviews, revisions, deliveries and
    /// messages. What was skipped as read elsewhere is pending again where its review is listed again.
    async fn intake(&self, batch: &IntakeBatch<'_>, decide: Decide<'_>) -> Result<IntakeReport, StoreError>;
    /// Ends a complete listing: what it showed and what it did not. What several in a row did not show was read
    /// elsewhere, unless we marked it (`domain::ledger::absence`).
    async fn complete_listing(&self, listing: &CompleteListing<'_>) -> Result<ListingReport, StoreError>;
    /// Routes up to `limit` reviews that are held, whose time to settle has come, or that are to be matched again
    /// because names or a scale changed.
    async fn route_waiting(
        &self,
        account: &str,
        now: Timestamp,
        limit: u32,
        route: Route<'_>,
    ) -> Result<IntakeReport, StoreError>;

    /// What was seen of the ratings of an account's sources, and the scales in use, by source.
    async fn scales(&self, account: &str) -> Result<Vec<ScaleRecord>, StoreError>;
    /// Keeps which scales are in use, by source. Unmatched reviews of a source whose scale is another one now are
    /// to be matched again.
    async fn save_scales(
        &self,
        account: &str,
        scales: &[(String, Scale)],
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Keeps which names in the configuration nothing bears, all of them.
    async fn save_unknown_names(&self, names: &[UnknownName]) -> Result<(), StoreError>;

    /// When the next settling review of an account is to be routed.
    async fn next_match(&self, account: &str) -> Result<Option<Timestamp>, StoreError>;

    // ---- sending --------------------------------------------------------------------------------------
    /// After a start, with no other process on this state: what was being sent is unknown, and due again.
    async fn recover(&self, now: Timestamp) -> Result<u64, StoreError>;
    /// Frees leases that ran out: what was being sent under them is unknown, and due again.
    async fn expire(&self, now: Timestamp) -> Result<u64, StoreError>;
    /// Leases due messages and records that an attempt of each began.
    async fn lease(
        &self,
        requests: &[LeaseRequest],
        now: Timestamp,
        owner: &str,
    ) -> Result<Vec<Leased>, StoreError>;
    /// Records how attempts ended, and what follows for messages, deliveries, destinations and marks.
    async fn settle(&self, settlements: &[Settlement], now: Timestamp) -> Result<(), StoreError>;
    /// When the first pending message of each of these destinations is due; those without any are left out.
    async fn next_due(&self, destinations: &[&str]) -> Result<Vec<(String, Timestamp)>, StoreError>;
    /// The times attempts of a destination began since `since`, oldest first, for its rate.
    async fn attempts_since(&self, destination: &str, since: Timestamp)
    -> Result<Vec<Timestamp>, StoreError>;
    /// Queues messages that carry no delivery: notices, tests.
    async fn enqueue(&self, messages: &[NewMessage], now: Timestamp) -> Result<(), StoreError>;
    /// The windows of all digests.
    async fn digest_windows(&self) -> Result<Vec<DigestWindow>, StoreError>;
    /// Keeps a window.
    async fn save_digest_window(&self, window: &DigestWindow) -> Result<(), StoreError>;
    /// Makes the digests of a destination that is due, of all that is queued for it; an earlier one that was not
    /// delivered is folded in. Returns how many messages there are.
    async fn make_digest(&self, digest: &NewDigest<'_>, now: Timestamp) -> Result<u64, StoreError>;
    /// Follows the configuration: what is queued for a digest that is none any more becomes messages, and messages
    /// never attempted to what is a digest now are queued for it.
    async fn regroup(&self, digests: &[&str], now: Timestamp) -> Result<(), StoreError>;
    /// Lets single messages of these destinations through, as many as `decide` says; the others wait for the end of
    /// their window, or all that is queued becomes one summary. Returns what was grouped.
    async fn pace_bursts(
        &self,
        requests: &[BurstRequest],
        now: Timestamp,
        decide: PaceBursts<'_>,
    ) -> Result<Grouped, StoreError>;
    /// Lets everything that a burst holds back be due: the configuration may be another one now.
    async fn release_held(&self, now: Timestamp) -> Result<(), StoreError>;
    /// Moves to dead letters what is queued for destinations that are not among `configured`; returns how many.
    async fn dead_letter_orphans(&self, configured: &[String], now: Timestamp) -> Result<u64, StoreError>;

    // ---- destinations ---------------------------------------------------------------------------------
    /// The state of every destination that ever had one.
    async fn destinations(&self) -> Result<Vec<DestinationRecord>, StoreError>;
    /// Pauses or resumes a destination; resuming a broken one makes it due for a probe immediately.
    async fn pause(&self, destination: &str, paused: bool, now: Timestamp) -> Result<(), StoreError>;
    /// Makes every broken destination due for a probe immediately.
    async fn probe_broken(&self, now: Timestamp) -> Result<(), StoreError>;

    // ---- what people do -------------------------------------------------------------------------------
    /// Runs the rules again on these reviews of an account; deliveries that their newest revisions have already
    /// stay as they are. Returns what was created.
    async fn route_again(
        &self,
        account: &str,
        reviews: &[i64],
        now: Timestamp,
        route: Route<'_>,
    ) -> Result<IntakeReport, StoreError>;
    /// Makes the marks of these reviews due, delivered or not; returns those it did. Held and settling ones wait
    /// for their rules, marked ones are marked.
    async fn request_marks(&self, reviews: &[i64], now: Timestamp) -> Result<Vec<i64>, StoreError>;
    /// Leaves nothing of a review but a tombstone; what was to be sent of it is not sent.
    async fn forget(&self, review: i64, now: Timestamp) -> Result<(), StoreError>;
    /// Retries, resends or discards those of `deliveries` that are in a state for it, and returns these. A
    /// retried or resent member of a digest waits for the next one.
    async fn intervene(
        &self,
        what: Intervention,
        deliveries: &[i64],
        now: Timestamp,
    ) -> Result<Vec<i64>, StoreError>;
    /// Sends those of `deliveries` that are dead to another destination, and returns these.
    async fn move_deliveries(
        &self,
        deliveries: &[i64],
        to: &MoveTo<'_>,
        now: Timestamp,
    ) -> Result<Vec<i64>, StoreError>;

    // ---- upkeep ---------------------------------------------------------------------------------------
    /// Removes one batch of what is too old, with tombstones for reviews; never what is pending.
    async fn expire_old(&self, expiry: &Expiry, now: Timestamp) -> Result<Expired, StoreError>;
    /// The wall clock was moved by so many milliseconds: whatever waits for a time waits as long as before.
    async fn clock_stepped(&self, by_ms: i64) -> Result<(), StoreError>;

    // ---- marks ----------------------------------------------------------------------------------------
    /// Reviews to be marked read now.
    async fn due_marks(&self, account: &str, now: Timestamp, limit: u32) -> Result<Vec<DueMark>, StoreError>;
    /// Records how marks ended.
    async fn record_marks(
        &self,
        account: &str,
        results: &[MarkResult],
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// When the next mark of an account is due.
    async fn next_mark(&self, account: &str) -> Result<Option<Timestamp>, StoreError>;

    // ---- the operator ---------------------------------------------------------------------------------
    /// Facts from which problems are assessed. Costs the same however much the state holds.
    async fn problem_facts(&self, now: Timestamp) -> Result<ProblemFacts, StoreError>;
    /// The problems from when they were first seen until their end was notified.
    async fn problems(&self) -> Result<Vec<ProblemRecord>, StoreError>;
    /// Keeps problems as they are now, ends others, and queues their notices, together.
    async fn notify_operator(
        &self,
        kept: &[ProblemRecord],
        over: &[ProblemKey],
        notices: &[NewMessage],
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// Reports a problem that only one part of the bridge sees (`Some`: what happened, what to do), or that it is
    /// over (`None`). The operator is notified of it like of any other.
    async fn report(
        &self,
        key: &ProblemKey,
        said: Option<(&str, &str)>,
        now: Timestamp,
    ) -> Result<(), StoreError>;
    /// The reviews that were queued for a destination until `until`: how many still wait, and how many were sent
    /// since `since`.
    async fn backlog(
        &self,
        destination: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Backlog, StoreError>;
    /// What the bridge noted of itself.
    async fn bridge(&self) -> Result<BridgeRecord, StoreError>;
    /// Notes it. Only for the process that owns the state.
    async fn save_bridge(&self, record: &BridgeRecord) -> Result<(), StoreError>;

    // ---- reading for people ---------------------------------------------------------------------------
    /// Deliveries, newest first.
    async fn list_deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<DeliveryRow>, StoreError>;
    /// Attempts of a message, oldest first.
    async fn list_attempts(&self, message: &str) -> Result<Vec<AttemptRow>, StoreError>;
    /// Reviews, newest change first.
    async fn list_reviews(&self, filter: &ReviewFilter) -> Result<Vec<ReviewRow>, StoreError>;
    /// The revisions of a review, oldest first.
    async fn list_revisions(&self, review: i64) -> Result<Vec<RevisionRow>, StoreError>;
    /// Deliveries by destination and state.
    async fn count_deliveries(&self) -> Result<Vec<DeliveryCount>, StoreError>;
    /// Messages without deliveries, by id.
    async fn message(&self, id: &str) -> Result<Option<MessageRow>, StoreError>;
    /// Reviews by account and state, and marks due.
    async fn count_reviews(&self) -> Result<Vec<ReviewCount>, StoreError>;

    /// Closes the state; later calls fail.
    async fn close(&self);
}

/// How long after its last use a request still counts against its budget. A second more than the span of
/// the budget, because a grant may be used up to a second after it was taken.
pub const REQUEST_SPAN: Duration = Duration::from_secs(61);
