//! Marks reviews read, after they are delivered and never before.

use super::retry;
use crate::clock::rfc3339;
use crate::domain::{MarkRead, Timestamp};
use crate::store::{DueMark, MarkResult, SharedStore, StoreError};
use crate::upstream::{ErrorKind, Upstream, UpstreamError};
use futures::stream::{self, StreamExt};
use std::sync::Arc;
use std::time::Duration;
use tracing::Instrument;

/// Marks of one account that are made in one step.
const BATCH: u32 = 64;
/// Marks of one account that may be under way at once.
const IN_FLIGHT: usize = 8;
/// How often marking is retried while its setting cannot work.
const MISCONFIGURED_INTERVAL: Duration = Duration::from_secs(15 * 60);

/// The longest pause where every mark failed: once the API is well again, marks are to follow soon.
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// What a step did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Marked {
    /// Marked read.
    pub done: u64,
    /// Failed; they are retried.
    pub failed: u64,
    /// Nothing more can be done before then; `None` where nothing is due.
    pub wait_until: Option<Timestamp>,
    /// Whether that is for want of requests.
    pub starved: bool,
}

/// Marks the reviews of one account.
pub struct Acknowledger {
    account: String,
    upstream: Arc<dyn Upstream>,
    store: SharedStore,
    /// The configured path: a success is remembered for this path only.
    setting: String,
    random: fastrand::Rng,
    failures: u32,
    waits_until: Timestamp,
    /// Whether it waits for want of requests.
    starved: bool,
}

impl Acknowledger {
    /// Marks through `upstream`, whose path for marks is `setting`.
    pub fn new(
        account: &str,
        upstream: Arc<dyn Upstream>,
        store: SharedStore,
        setting: &str,
        seed: u64,
    ) -> Self {
        Self {
            account: account.to_owned(),
            upstream,
            store,
            setting: setting.to_owned(),
            random: fastrand::Rng::with_seed(seed),
            failures: 0,
            waits_until: Timestamp(0),
            starved: false,
        }
    }

    /// The time of day was set: what is waited for is as far away as before.
    pub fn clock_stepped(&mut self, by_ms: i64) {
        self.waits_until.0 = self.waits_until.0.saturating_add(by_ms);
    }

    /// Whether a mark is due that could be made now.
    pub async fn is_due(&self, policy: MarkRead, now: Timestamp) -> Result<bool, StoreError> {
        if policy == MarkRead::Never || (now < self.waits_until && !self.starved) {
            return Ok(false);
        }
        Ok(self.store.next_mark(&self.account).await?.is_some_and(|at| at <= now))
    }

    /// Marks what is due, one batch. Only between listings, and where one yields: it shifts the pages of a listing.
    pub async fn tick(&mut self, policy: MarkRead, now: Timestamp) -> Result<Marked, StoreError> {
        if policy == MarkRead::Never {
            return Ok(Marked::default());
        }
        if now < self.waits_until {
            let (wait_until, starved) = (Some(self.waits_until), self.starved);
            return Ok(Marked { wait_until, starved, ..Marked::default() });
        }
        let due = self.store.due_marks(&self.account, now, BATCH).await?;
        if due.is_empty() {
            let next = self.store.next_mark(&self.account).await?;
            return Ok(Marked { wait_until: next, ..Marked::default() });
        }
        let known = self.store.account(&self.account).await?;
        let before = Before {
            worked: known.mark_setting.as_deref() == Some(&*self.setting),
            failing: known.mark_error.is_some(),
        };
        let upstream = &self.upstream;
        let account = &self.account;
        let ended: Vec<(DueMark, Result<(), UpstreamError>)> = stream::iter(due)
            .map(|mark| async move {
                let span =
                    tracing::error_span!("mark", account = %account, review = %mark.uuid, attempt = mark.attempts + 1);
                let result = upstream.mark_read(&mark.uuid).instrument(span).await;
                (mark, result)
            })
            .buffer_unordered(IN_FLIGHT)
            .collect()
            .await;
        self.record(ended, before, now).await
    }

    async fn record(
        &mut self,
        ended: Vec<(DueMark, Result<(), UpstreamError>)>,
        before: Before,
        now: Timestamp,
    ) -> Result<Marked, StoreError> {
        let mut marked = Marked::default();
        let mut results = Vec::new();
        let mut pause = None;
        let mut state_failed = None;
        for (mark, result) in ended {
            let error = match result {
                Ok(()) => {
                    results.push(self.success(mark, before));
                    continue;
                }
                Err(error) => error,
            };
            match error.kind {
                // Not attempted at all, or not counted: it stays due.
                ErrorKind::Budget(until) | ErrorKind::RateLimited(until) => {
                    pause = pause.max(Some(until));
                    marked.starved = true;
                }
                ErrorKind::State(failure) => state_failed = Some(StoreError::Budget(failure)),
                // The path is right, so the review is gone: there is nothing left to mark.
                ErrorKind::NotFound if before.worked => results.push(settled(mark)),
                ErrorKind::NotFound => {
                    let next_at = now.plus(MISCONFIGURED_INTERVAL);
                    pause = pause.max(Some(next_at));
                    results.push(failed(mark, error, next_at, true));
                }
                _ => results.push(self.retried(mark, error, now)),
            }
        }
        marked.done = results.iter().filter(|result| result.result.is_ok()).count() as u64;
        marked.failed = results.len() as u64 - marked.done;
        if !results.is_empty() {
            self.store.record_marks(&self.account, &results, now).await?;
        }
        if let Some(error) = state_failed {
            return Err(error);
        }
        // An API that refuses everything is called less often; one that requested a pause gets that one.
        if marked.done > 0 || marked.failed == 0 {
            self.failures = 0;
        } else if pause.is_none() {
            self.failures += 1;
            let backoff = retry::delay(self.failures, self.random.f64()).min(LONGEST_PAUSE);
            pause = Some(now.plus(backoff));
        }
        self.waits_until = pause.unwrap_or(Timestamp(0));
        self.starved = marked.starved;
        marked.wait_until = Some(pause.unwrap_or(now));
        Ok(marked)
    }

    fn success(&self, mark: DueMark, before: Before) -> MarkResult {
        let setting = (!before.worked).then(|| self.setting.clone());
        let account_error = (!before.worked || before.failing).then(String::new);
        MarkResult { setting, account_error, ..settled(mark) }
    }

    fn retried(&mut self, mark: DueMark, error: UpstreamError, now: Timestamp) -> MarkResult {
        let next_at = now.plus(retry::delay(mark.attempts + 1, self.random.f64()));
        tracing::warn!(
            account = %self.account,
            review = %mark.uuid,
            attempt = mark.attempts + 1,
            next_at = %rfc3339(next_at),
            error = %error,
            "not marked read, will be retried"
        );
        // Refused twice, while complete listings still show the review: it is not the review.
        let is_setting = error.kind == ErrorKind::Gone && mark.refused;
        failed(mark, error, next_at, is_setting)
    }
}

/// What is known of marking an account's reviews before a batch.
#[derive(Clone, Copy, Debug)]
struct Before {
    /// Whether a mark has succeeded with this setting.
    worked: bool,
    /// Whether marking was found to be misconfigured.
    failing: bool,
}

/// There is nothing left to do for `mark`.
fn settled(mark: DueMark) -> MarkResult {
    MarkResult { mark, result: Ok(()), refused: false, setting: None, account_error: None }
}

/// `mark` stays due; `is_setting` where the setting of its path is to blame.
fn failed(mark: DueMark, error: UpstreamError, next_at: Timestamp, is_setting: bool) -> MarkResult {
    let refused = error.kind == ErrorKind::Gone;
    let account_error = is_setting.then(|| error.detail.clone());
    MarkResult { mark, result: Err((error.detail, next_at)), refused, setting: None, account_error }
}
