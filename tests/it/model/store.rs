//! The trait `Store`, method by method: one transaction of the model each.

use super::ModelStore;
use async_trait::async_trait;
use review_bridge::domain::{Catalog, Scale, Timestamp};
use review_bridge::store::*;
use review_bridge::upstream::ErrorName;

#[async_trait]
impl Store for ModelStore {
    async fn account(&self, account: &str) -> Result<AccountRecord, StoreError> {
        self.with(|state| state.account(account))
    }
    async fn catalog(&self, account: &str) -> Result<Option<(Catalog, Timestamp)>, StoreError> {
        self.with(|state| state.catalog(account))
    }
    async fn save_catalog(&self, account: &str, catalog: &Catalog, now: Timestamp) -> Result<(), StoreError> {
        self.with(|state| state.save_catalog(account, catalog, now))
    }
    async fn poll_failed(
        &self,
        account: &str,
        kind: ErrorName,
        error: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.with(|state| state.poll_failed(account, kind, error, now))
    }
    async fn endpoint_seen(
        &self,
        account: &str,
        endpoint: &str,
        error: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.with(|state| state.endpoint_seen(account, endpoint, error, now))
    }
    async fn endpoints(&self, account: &str) -> Result<Vec<EndpointRecord>, StoreError> {
        self.with(|state| state.endpoints(account))
    }
    async fn save_token_expiry(&self, account: &str, at: Option<Timestamp>) -> Result<(), StoreError> {
        self.with(|state| state.save_token_expiry(account, at))
    }
    async fn take_requests(&self, take: &TakeRequests<'_>) -> Result<Grant, StoreError> {
        self.with(|state| state.take_requests(take))
    }
    async fn hold_account(&self, account: &str, until: Timestamp) -> Result<(), StoreError> {
        self.with(|state| state.hold_account(account, until))
    }
    async fn intake(&self, batch: &IntakeBatch<'_>, decide: Decide<'_>) -> Result<IntakeReport, StoreError> {
        self.with(|state| state.intake(batch, decide))
    }
    async fn listing_begun(&self, account: &str, at: Timestamp) -> Result<(), StoreError> {
        self.with(|state| state.listing_begun(account, at))
    }
    async fn end_baseline(&self, account: &str, now: Timestamp) -> Result<(), StoreError> {
        self.with(|state| state.end_baseline(account, now))
    }
    async fn complete_listing(&self, listing: &CompleteListing<'_>) -> Result<ListingReport, StoreError> {
        self.with(|state| state.complete_listing(listing))
    }
    async fn route_waiting(
        &self,
        account: &str,
        now: Timestamp,
        limit: u32,
        route: Route<'_>,
    ) -> Result<IntakeReport, StoreError> {
        self.with(|state| state.route_waiting(account, now, limit, route))
    }
    async fn scales(&self, account: &str) -> Result<Vec<ScaleRecord>, StoreError> {
        self.with(|state| state.scales(account))
    }
    async fn save_scales(
        &self,
        account: &str,
        scales: &[(String, Scale)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.with(|state| state.save_scales(account, scales, now))
    }
    async fn save_unknown_names(&self, names: &[UnknownName]) -> Result<(), StoreError> {
        self.with(|state| state.save_unknown_names(names))
    }
    async fn next_match(&self, account: &str) -> Result<Option<Timestamp>, StoreError> {
        self.with(|state| state.next_match(account))
    }
    async fn recover(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.with(|state| state.recover(now))
    }
    async fn expire(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.with(|state| state.expire(now))
    }
    async fn lease(
        &self,
        requests: &[LeaseRequest],
        now: Timestamp,
        _owner: &str,
    ) -> Result<Vec<Leased>, StoreError> {
        self.with(|state| state.lease(requests, now))
    }
    async fn settle(&self, settlements: &[Settlement], now: Timestamp) -> Result<(), StoreError> {
        self.with(|state| state.settle(settlements, now))
    }
    async fn next_due(&self, destinations: &[&str]) -> Result<Vec<(String, Timestamp)>, StoreError> {
        self.with(|state| state.next_due(destinations))
    }
    async fn attempts_since(
        &self,
        destination: &str,
        since: Timestamp,
    ) -> Result<Vec<Timestamp>, StoreError> {
        self.with(|state| state.attempts_since(destination, since))
    }
    async fn enqueue(&self, messages: &[NewMessage], now: Timestamp) -> Result<(), StoreError> {
        self.with(|state| state.enqueue(messages, now))
    }
    async fn digest_windows(&self) -> Result<Vec<DigestWindow>, StoreError> {
        self.with(|state| state.digests.values().cloned().collect())
    }
    async fn save_digest_window(&self, window: &DigestWindow) -> Result<(), StoreError> {
        self.with(|state| state.save_digest_window(window))
    }
    async fn make_digest(&self, digest: &NewDigest<'_>, now: Timestamp) -> Result<u64, StoreError> {
        self.with(|state| state.make_digest(digest, now))
    }
    async fn regroup(&self, digests: &[&str], now: Timestamp) -> Result<(), StoreError> {
        self.with(|state| state.regroup(digests, now))
    }
    async fn pace_bursts(
        &self,
        requests: &[BurstRequest],
        now: Timestamp,
        decide: PaceBursts<'_>,
    ) -> Result<Grouped, StoreError> {
        self.with(|state| state.pace_bursts(requests, now, decide))
    }
    async fn release_held(&self, now: Timestamp) -> Result<(), StoreError> {
        self.with(|state| state.release_held(now))
    }
    async fn dead_letter_orphans(&self, configured: &[String], now: Timestamp) -> Result<u64, StoreError> {
        self.with(|state| state.dead_letter_orphans(configured, now))
    }
    async fn destinations(&self) -> Result<Vec<DestinationRecord>, StoreError> {
        self.with(|state| state.destinations())
    }
    async fn pause(&self, destination: &str, paused: bool, now: Timestamp) -> Result<(), StoreError> {
        self.with(|state| state.pause(destination, paused, now))
    }
    async fn probe_broken(&self, now: Timestamp) -> Result<(), StoreError> {
        self.with(|state| state.probe_broken(now))
    }
    async fn route_again(
        &self,
        account: &str,
        reviews: &[i64],
        now: Timestamp,
        route: Route<'_>,
    ) -> Result<IntakeReport, StoreError> {
        self.with(|state| state.route_again(account, reviews, now, route))
    }
    async fn request_marks(&self, reviews: &[i64], now: Timestamp) -> Result<Vec<i64>, StoreError> {
        self.with(|state| state.request_marks(reviews, now))
    }
    async fn forget(&self, review: i64, now: Timestamp) -> Result<(), StoreError> {
        self.with(|state| state.forget(review, now))
    }
    async fn intervene(
        &self,
        what: Intervention,
        deliveries: &[i64],
        now: Timestamp,
    ) -> Result<Vec<i64>, StoreError> {
        self.with(|state| state.intervene(what, deliveries, now))
    }
    async fn move_deliveries(
        &self,
        deliveries: &[i64],
        to: &MoveTo<'_>,
        now: Timestamp,
    ) -> Result<Vec<i64>, StoreError> {
        self.with(|state| state.move_deliveries(deliveries, to, now))
    }
    async fn expire_old(&self, expiry: &Expiry, now: Timestamp) -> Result<Expired, StoreError> {
        self.with(|state| state.expire_old(expiry, now))
    }
    async fn clock_stepped(&self, by_ms: i64) -> Result<(), StoreError> {
        self.with(|state| state.clock_stepped(by_ms))
    }
    async fn due_marks(&self, account: &str, now: Timestamp, limit: u32) -> Result<Vec<DueMark>, StoreError> {
        self.with(|state| state.due_marks(account, now, limit))
    }
    async fn record_marks(
        &self,
        account: &str,
        results: &[MarkResult],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.with(|state| state.record_marks(account, results, now))
    }
    async fn next_mark(&self, account: &str) -> Result<Option<Timestamp>, StoreError> {
        self.with(|state| state.next_mark(account))
    }
    async fn problem_facts(&self, now: Timestamp) -> Result<ProblemFacts, StoreError> {
        self.with(|state| state.problem_facts(now))
    }
    async fn problems(&self) -> Result<Vec<ProblemRecord>, StoreError> {
        self.with(|state| state.problems())
    }
    async fn notify_operator(
        &self,
        kept: &[ProblemRecord],
        over: &[ProblemKey],
        notices: &[NewMessage],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.with(|state| state.notify_operator(kept, over, notices, now))
    }
    async fn report(
        &self,
        key: &ProblemKey,
        said: Option<(&str, &str)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        self.with(|state| state.report(key, said, now))
    }
    async fn backlog(
        &self,
        destination: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Backlog, StoreError> {
        self.with(|state| state.backlog(destination, since, until))
    }
    async fn bridge(&self) -> Result<BridgeRecord, StoreError> {
        self.with(|state| state.bridge.clone())
    }
    async fn save_bridge(&self, record: &BridgeRecord) -> Result<(), StoreError> {
        self.with(|state| state.bridge = record.clone())
    }
    async fn list_deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<DeliveryRow>, StoreError> {
        self.with(|state| state.list_deliveries(filter))
    }
    async fn list_attempts(&self, message: &str) -> Result<Vec<AttemptRow>, StoreError> {
        self.with(|state| state.list_attempts(message))
    }
    async fn list_reviews(&self, filter: &ReviewFilter) -> Result<Vec<ReviewRow>, StoreError> {
        self.with(|state| state.list_reviews(filter))
    }
    async fn list_revisions(&self, review: i64) -> Result<Vec<RevisionRow>, StoreError> {
        self.with(|state| state.list_revisions(review))
    }
    async fn count_deliveries(&self) -> Result<Vec<DeliveryCount>, StoreError> {
        self.with(|state| state.count_deliveries())
    }
    async fn message(&self, id: &str) -> Result<Option<MessageRow>, StoreError> {
        self.with(|state| state.message_row(id))
    }
    async fn count_reviews(&self) -> Result<Vec<ReviewCount>, StoreError> {
        self.with(|state| state.count_reviews())
    }
    async fn close(&self) {
        self.lock().take();
    }
}
