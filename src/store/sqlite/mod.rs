//! The state in one SQLite file: opening, owning and migrating it. The statements are in the submodules.
//!
//! WAL with `synchronous = FULL`: a commit that was answered survives a power cut. One connection writes,
//! so that `BEGIN IMMEDIATE` never waits for another of ours; two read.

mod accounts;
mod bursts;
mod destinations;
mod digests;
mod files;
mod intake;
mod interventions;
mod listing;
mod marks;
mod migrations;
mod names;
mod operator;
mod people;
mod row;
mod sending;
mod split;
mod upkeep;

use super::*;
use crate::domain::time::millis;
use crate::domain::{Cause, Change, DeliveryState, Form, MessageKind, Reason};
use files::Held;
pub use files::{Files, Owner, owner};
use row::from_row;
use sqlx::Connection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// How a process uses the state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// As the one that polls and sends: refused while another does.
    Own,
    /// Beside the owner, for a command.
    Beside,
}

/// The state in one SQLite file.
#[derive(Debug)]
pub struct SqliteStore {
    writer: SqlitePool,
    reader: SqlitePool,
    path: PathBuf,
    files: Option<Files>,
    // Held for as long as the store lives, after its connections; the system frees it however the process ends.
    _held: Held,
}

/// Connections that only read.
const READERS: u32 = 2;
/// How long it is waited for descriptors, and how often that is tried.
const DESCRIPTORS_WITHIN: Duration = Duration::from_secs(60);
const DESCRIPTORS_PAUSE: Duration = Duration::from_millis(500);

/// Tries again while the process may open no more files: others close theirs.
async fn patiently<T, F: Future<Output = Result<T, StoreError>>>(
    attempt: impl Fn() -> F,
) -> Result<T, StoreError> {
    let mut waited = Duration::ZERO;
    loop {
        let error = match attempt().await {
            Err(error) if error.wants_descriptors() && waited < DESCRIPTORS_WITHIN => error,
            done => return done,
        };
        if waited.is_zero() {
            tracing::warn!(error = %error, "the state waits for file descriptors");
        }
        tokio::time::sleep(DESCRIPTORS_PAUSE).await;
        waited += DESCRIPTORS_PAUSE;
    }
}

type Transaction = sqlx::Transaction<'static, sqlx::Sqlite>;

impl SqliteStore {
    /// Opens (and where needed creates and migrates) the state at `path`. Where the process may open no more files
    /// just now, that is waited for.
    pub async fn open(path: &Path, access: Access) -> Result<Self, StoreError> {
        patiently(|| Self::open_now(path, access)).await
    }

    async fn open_now(path: &Path, access: Access) -> Result<Self, StoreError> {
        let held = Held::take(path, access).await?;
        let options = SqliteConnectOptions::new()
            .filename(path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(10))
            .pragma("cache_size", "-4096")
            // What is forgotten is overwritten, not merely unlinked.
            .pragma("secure_delete", "1");
        // The owner opens all that it will ever need, and keeps it: nothing is opened later, when there may be no
        // descriptors left for it.
        let (options, readers) = match access {
            Access::Own => (options.pragma("temp_store", "MEMORY"), READERS),
            Access::Beside => (options, 0),
        };
        let pool =
            |size: u32| SqlitePoolOptions::new().max_connections(size).idle_timeout(None).max_lifetime(None);
        // A statement that finds no room may end its transaction without sqlx noticing: such a connection could
        // begin no other.
        let writer = pool(1)
            .before_acquire(|connection, _| Box::pin(async move { Ok(!connection.is_in_transaction()) }))
            .connect_with(options.clone())
            .await
            .map_err(|error| open_error(path, OpenError::Database(error)))?;
        migrate(&writer, path).await?;
        let reader = pool(READERS).connect_lazy_with(options.pragma("query_only", "1"));
        let opened = futures::future::try_join_all((0..readers).map(|_| reader.acquire())).await;
        drop(opened.map_err(|error| open_error(path, OpenError::Database(error)))?);
        let files = match access {
            Access::Own => {
                Some(Files::of(path, &held.file).map_err(|error| open_error(path, OpenError::File(error)))?)
            }
            Access::Beside => None,
        };
        Ok(Self { writer, reader, path: path.into(), files, _held: held })
    }

    /// Its files, where they are this process's own.
    pub fn files(&self) -> Option<&Files> {
        self.files.as_ref()
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Counts the steps of SQLite's machine that statements take from now on: a measure of their cost that is the same
    /// on every machine. What a commit costs beside them is not in it.
    pub async fn count_steps(&self) -> Result<Arc<AtomicU64>, StoreError> {
        let steps = Arc::new(AtomicU64::new(0));
        let mut connections = vec![self.writer.acquire().await?];
        for _ in 0..READERS {
            connections.push(self.reader.acquire().await?);
        }
        for connection in &mut connections {
            let steps = steps.clone();
            connection.lock_handle().await?.set_progress_handler(1, move || {
                steps.fetch_add(1, Ordering::Relaxed);
                true
            });
        }
        Ok(steps)
    }

    /// Writes a consistent copy of the state to `target`, which must not exist.
    pub async fn copy_to(&self, target: &Path) -> Result<(), StoreError> {
        sqlx::query("VACUUM INTO $1").bind(target.to_string_lossy()).execute(&self.writer).await?;
        Ok(())
    }

    async fn begin(&self) -> Result<Transaction, StoreError> {
        if let Some(files) = &self.files {
            files.check()?;
        }
        // A deferred transaction that reads and then writes fails at once when another process wrote.
        patiently(|| async { Ok(self.writer.begin_with("BEGIN IMMEDIATE").await?) }).await
    }
}

/// Brings the state up to date, on the one connection that writes. Its steps are synced with the first commit after them:
/// one that a power cut takes back is made again, and a new state need not wait for the disk at each.
async fn migrate(pool: &SqlitePool, path: &Path) -> Result<(), StoreError> {
    use sqlx::migrate::MigrateError;
    let synced = async |pragma: &'static str| {
        let done = sqlx::query(pragma).execute(pool).await.map(drop);
        done.map_err(|error| open_error(path, OpenError::Database(error)))
    };
    synced("PRAGMA synchronous = NORMAL").await?;
    match migrations::all().run(pool).await {
        Ok(()) => synced("PRAGMA synchronous = FULL").await,
        Err(MigrateError::VersionMissing(_) | MigrateError::VersionMismatch(_)) => {
            Err(StoreError::Newer { path: path.to_owned() })
        }
        Err(MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _)) => {
            Err(open_error(path, OpenError::Database(error)))
        }
        Err(error) => Err(open_error(path, OpenError::Migration(error))),
    }
}

fn open_error(path: &Path, source: OpenError) -> StoreError {
    StoreError::Open { path: path.to_owned(), source }
}

fn json<T: serde::Serialize + ?Sized>(value: &T) -> Result<String, StoreError> {
    Ok(serde_json::to_string(value)?)
}

/// A record read as text that must be one of our own JSON.
fn parse<T: serde::de::DeserializeOwned>(text: &str) -> Result<T, StoreError> {
    Ok(serde_json::from_str(text)?)
}

fn unknown(what: &str, name: &str) -> StoreError {
    StoreError::Unreadable(serde::de::Error::custom(format!("{what} `{name}`")))
}

fn time(at: Option<i64>) -> Option<Timestamp> {
    at.map(Timestamp)
}

fn count(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}

fn number(count: i64) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

fn span(millis: i64) -> Duration {
    Duration::from_millis(count(millis))
}

#[async_trait]
impl Store for SqliteStore {
    async fn account(&self, account: &str) -> Result<AccountRecord, StoreError> {
        accounts::account(&self.reader, account).await
    }
    async fn catalog(&self, account: &str) -> Result<Option<(Catalog, Timestamp)>, StoreError> {
        accounts::catalog(&self.reader, account).await
    }
    async fn save_catalog(&self, account: &str, catalog: &Catalog, now: Timestamp) -> Result<(), StoreError> {
        accounts::save_catalog(self.begin().await?, account, catalog, now).await
    }
    async fn poll_failed(
        &self,
        account: &str,
        kind: ErrorName,
        error: &str,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        accounts::poll_failed(self.begin().await?, account, kind, error, now).await
    }
    async fn endpoint_seen(
        &self,
        account: &str,
        endpoint: &str,
        error: Option<&str>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        accounts::endpoint_seen(self.begin().await?, account, endpoint, error, now).await
    }
    async fn endpoints(&self, account: &str) -> Result<Vec<EndpointRecord>, StoreError> {
        accounts::endpoints(&self.reader, account).await
    }
    async fn save_token_expiry(&self, account: &str, at: Option<Timestamp>) -> Result<(), StoreError> {
        accounts::save_token_expiry(self.begin().await?, account, at).await
    }
    async fn take_requests(&self, take: &TakeRequests<'_>) -> Result<Grant, StoreError> {
        accounts::take_requests(self.begin().await?, take).await
    }
    async fn hold_account(&self, account: &str, until: Timestamp) -> Result<(), StoreError> {
        accounts::hold(self.begin().await?, account, until).await
    }
    async fn listing_begun(&self, account: &str, at: Timestamp) -> Result<(), StoreError> {
        accounts::listing_begun(self.begin().await?, account, at).await
    }
    async fn end_baseline(&self, account: &str, now: Timestamp) -> Result<(), StoreError> {
        accounts::end_baseline(self.begin().await?, account, now).await
    }
    async fn intake(&self, batch: &IntakeBatch<'_>, decide: Decide<'_>) -> Result<IntakeReport, StoreError> {
        intake::intake(self.begin().await?, batch, decide).await
    }
    async fn complete_listing(&self, listing: &CompleteListing<'_>) -> Result<ListingReport, StoreError> {
        listing::complete(self.begin().await?, listing).await
    }
    async fn route_waiting(
        &self,
        account: &str,
        now: Timestamp,
        limit: u32,
        route: Route<'_>,
    ) -> Result<IntakeReport, StoreError> {
        // Most rounds find nothing: they must not take the write lock for it.
        if !intake::anything_waiting(&self.reader, account, now).await? {
            return Ok(IntakeReport::default());
        }
        intake::route_waiting(self.begin().await?, account, now, limit, route).await
    }
    async fn scales(&self, account: &str) -> Result<Vec<ScaleRecord>, StoreError> {
        names::scales(&self.reader, account).await
    }
    async fn save_scales(
        &self,
        account: &str,
        scales: &[(String, Scale)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        names::save_scales(self.begin().await?, account, scales, now).await
    }
    async fn save_unknown_names(&self, unknown: &[UnknownName]) -> Result<(), StoreError> {
        // Mostly they are the same: that must not take the write lock.
        let mut unknown = unknown.to_vec();
        unknown.sort_by(|a, b| (&a.account, &a.text).cmp(&(&b.account, &b.text)));
        unknown.dedup();
        if names::unknown_names(&self.reader).await? == unknown {
            return Ok(());
        }
        names::save_unknown_names(self.begin().await?, &unknown).await
    }
    async fn next_match(&self, account: &str) -> Result<Option<Timestamp>, StoreError> {
        intake::next_match(&self.reader, account).await
    }
    async fn recover(&self, now: Timestamp) -> Result<u64, StoreError> {
        sending::recover(self.begin().await?, now).await
    }
    async fn expire(&self, now: Timestamp) -> Result<u64, StoreError> {
        sending::expire(self.begin().await?, now).await
    }
    async fn lease(
        &self,
        requests: &[LeaseRequest],
        now: Timestamp,
        owner: &str,
    ) -> Result<Vec<Leased>, StoreError> {
        sending::lease(self.begin().await?, requests, now, owner).await
    }
    async fn settle(&self, settlements: &[Settlement], now: Timestamp) -> Result<(), StoreError> {
        sending::settle(self.begin().await?, settlements, now).await
    }
    async fn next_due(&self, destinations: &[&str]) -> Result<Vec<(String, Timestamp)>, StoreError> {
        sending::next_due(&self.reader, destinations).await
    }
    async fn attempts_since(
        &self,
        destination: &str,
        since: Timestamp,
    ) -> Result<Vec<Timestamp>, StoreError> {
        sending::attempts_since(&self.reader, destination, since).await
    }
    async fn enqueue(&self, messages: &[NewMessage], now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        sending::enqueue(&mut transaction, messages, now).await?;
        Ok(transaction.commit().await?)
    }
    async fn digest_windows(&self) -> Result<Vec<DigestWindow>, StoreError> {
        digests::windows(&self.reader).await
    }
    async fn save_digest_window(&self, window: &DigestWindow) -> Result<(), StoreError> {
        let mut transaction = self.begin().await?;
        digests::save_window(&mut transaction, window).await?;
        Ok(transaction.commit().await?)
    }
    async fn make_digest(&self, digest: &NewDigest<'_>, now: Timestamp) -> Result<u64, StoreError> {
        digests::make(self.begin().await?, digest, now).await
    }
    async fn regroup(&self, digests: &[&str], now: Timestamp) -> Result<(), StoreError> {
        digests::regroup(self.begin().await?, digests, now).await
    }
    async fn pace_bursts(
        &self,
        requests: &[BurstRequest],
        now: Timestamp,
        decide: PaceBursts<'_>,
    ) -> Result<Grouped, StoreError> {
        let mut due = Vec::new();
        for request in requests {
            // Most rounds find nothing: they must not take the write lock for it.
            if bursts::anything_to_pace(&self.reader, request, now).await? {
                due.push(request.clone());
            }
        }
        if due.is_empty() {
            return Ok(Grouped::default());
        }
        bursts::pace(self.begin().await?, &due, now, decide).await
    }
    async fn release_held(&self, now: Timestamp) -> Result<(), StoreError> {
        bursts::release(self.begin().await?, now).await
    }
    async fn dead_letter_orphans(&self, configured: &[String], now: Timestamp) -> Result<u64, StoreError> {
        destinations::dead_letter_orphans(self.begin().await?, configured, now).await
    }
    async fn destinations(&self) -> Result<Vec<DestinationRecord>, StoreError> {
        destinations::all(&self.reader).await
    }
    async fn pause(&self, destination: &str, paused: bool, now: Timestamp) -> Result<(), StoreError> {
        destinations::pause(self.begin().await?, destination, paused, now).await
    }
    async fn probe_broken(&self, now: Timestamp) -> Result<(), StoreError> {
        destinations::probe(self.begin().await?, now).await
    }
    async fn route_again(
        &self,
        account: &str,
        reviews: &[i64],
        now: Timestamp,
        route: Route<'_>,
    ) -> Result<IntakeReport, StoreError> {
        intake::route_again(self.begin().await?, account, reviews, now, route).await
    }
    async fn request_marks(&self, reviews: &[i64], now: Timestamp) -> Result<Vec<i64>, StoreError> {
        marks::request(self.begin().await?, reviews, now).await
    }
    async fn forget(&self, review: i64, now: Timestamp) -> Result<(), StoreError> {
        upkeep::forget(self.begin().await?, review, now).await?;
        // The log that runs ahead of the file still holds the text. Where somebody reads from it just now, it is
        // emptied with the next of these, or when the last process closes the state.
        sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)").execute(&self.writer).await?;
        Ok(())
    }
    async fn intervene(
        &self,
        what: Intervention,
        deliveries: &[i64],
        now: Timestamp,
    ) -> Result<Vec<i64>, StoreError> {
        interventions::intervene(self.begin().await?, what, deliveries, now).await
    }
    async fn move_deliveries(
        &self,
        deliveries: &[i64],
        to: &MoveTo<'_>,
        now: Timestamp,
    ) -> Result<Vec<i64>, StoreError> {
        interventions::move_to(self.begin().await?, deliveries, to, now).await
    }
    async fn expire_old(&self, expiry: &Expiry, now: Timestamp) -> Result<Expired, StoreError> {
        upkeep::expire(self.begin().await?, expiry, now).await
    }
    async fn clock_stepped(&self, by_ms: i64) -> Result<(), StoreError> {
        upkeep::clock_stepped(self.begin().await?, by_ms).await
    }
    async fn due_marks(&self, account: &str, now: Timestamp, limit: u32) -> Result<Vec<DueMark>, StoreError> {
        marks::due(&self.reader, account, now, limit).await
    }
    async fn record_marks(
        &self,
        account: &str,
        results: &[MarkResult],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        marks::record(self.begin().await?, account, results, now).await
    }
    async fn next_mark(&self, account: &str) -> Result<Option<Timestamp>, StoreError> {
        marks::next(&self.reader, account).await
    }
    async fn problem_facts(&self, now: Timestamp) -> Result<ProblemFacts, StoreError> {
        operator::problem_facts(&self.reader, now).await
    }
    async fn problems(&self) -> Result<Vec<ProblemRecord>, StoreError> {
        operator::problems(&self.reader).await
    }
    async fn notify_operator(
        &self,
        kept: &[ProblemRecord],
        over: &[ProblemKey],
        notices: &[NewMessage],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        operator::notify(self.begin().await?, kept, over, notices, now).await
    }
    async fn report(
        &self,
        key: &ProblemKey,
        said: Option<(&str, &str)>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        operator::report(self.begin().await?, key, said, now).await
    }
    async fn backlog(
        &self,
        destination: &str,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Backlog, StoreError> {
        operator::backlog(&self.reader, destination, since, until).await
    }
    async fn bridge(&self) -> Result<BridgeRecord, StoreError> {
        operator::bridge(&self.reader).await
    }
    async fn save_bridge(&self, record: &BridgeRecord) -> Result<(), StoreError> {
        operator::save_bridge(self.begin().await?, record).await
    }
    async fn list_deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<DeliveryRow>, StoreError> {
        people::deliveries(&self.reader, filter).await
    }
    async fn list_attempts(&self, message: &str) -> Result<Vec<AttemptRow>, StoreError> {
        people::attempts(&self.reader, message).await
    }
    async fn list_reviews(&self, filter: &ReviewFilter) -> Result<Vec<ReviewRow>, StoreError> {
        people::reviews(&self.reader, filter).await
    }
    async fn list_revisions(&self, review: i64) -> Result<Vec<RevisionRow>, StoreError> {
        people::revisions(&self.reader, review).await
    }
    async fn count_deliveries(&self) -> Result<Vec<DeliveryCount>, StoreError> {
        people::count_deliveries(&self.reader).await
    }
    async fn message(&self, id: &str) -> Result<Option<MessageRow>, StoreError> {
        people::message(&self.reader, id).await
    }
    async fn count_reviews(&self) -> Result<Vec<ReviewCount>, StoreError> {
        people::count_reviews(&self.reader).await
    }
    async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}
