//! Statements about accounts: names, polls, endpoints, and the sliding log of requests.

use super::*;
use crate::domain::queue;
use crate::upstream::Purpose;

const ENSURE: &str = "INSERT INTO accounts (name) VALUES ($1) ON CONFLICT DO NOTHING";

pub(super) async fn ensure(transaction: &mut Transaction, account: &str) -> Result<(), StoreError> {
    sqlx::query(ENSURE).bind(account).execute(&mut **transaction).await?;
    Ok(())
}

from_row! {
    pub(super) struct Row {
        pub(super) name: String,
        catalog_at: Option<i64>,
        first_listing_at: Option<i64>,
        baseline_at: Option<i64>,
        last_steady_at: Option<i64>,
        listings: i64,
        listing_length: Option<i64>,
        full_length: i64,
        empty_listings: i64,
        last_poll_at: Option<i64>,
        last_success_at: Option<i64>,
        failed_polls: i64,
        failing_since: Option<i64>,
        last_error: Option<String>,
        last_error_kind: Option<String>,
        hold_until: i64,
        token_expires_at: Option<i64>,
        mark_setting: Option<String>,
        mark_error: Option<String>,
        marks_due_since: Option<i64>,
    }
}

impl From<Row> for AccountRecord {
    fn from(row: Row) -> Self {
        Self {
            catalog_at: time(row.catalog_at),
            first_listing_at: time(row.first_listing_at),
            baseline_at: time(row.baseline_at),
            last_steady_at: time(row.last_steady_at),
            listings: count(row.listings),
            listing_length: row.listing_length.map(count),
            full_length: count(row.full_length),
            empty_listings: number(row.empty_listings),
            last_poll_at: time(row.last_poll_at),
            last_success_at: time(row.last_success_at),
            failed_polls: number(row.failed_polls),
            failing_since: time(row.failing_since),
            last_error: row.last_error,
            last_error_kind: row.last_error_kind.as_deref().and_then(ErrorName::parse),
            hold_until: Timestamp(row.hold_until),
            token_expires_at: time(row.token_expires_at),
            mark_setting: row.mark_setting,
            mark_error: row.mark_error,
            marks_due_since: time(row.marks_due_since),
        }
    }
}

/// Everything that is kept of accounts, and since when marks are due: one that was never tried since its time came.
macro_rules! record {
    () => {
        "SELECT *, (SELECT MIN(CASE WHEN mark_attempts = 0 THEN mark_at ELSE mark_due_at END) FROM reviews
                    WHERE account = name AND mark = 'due' AND shown = 1) AS marks_due_since FROM accounts"
    };
}

pub(super) async fn all(pool: &SqlitePool) -> Result<Vec<(String, AccountRecord)>, StoreError> {
    let rows: Vec<Row> = sqlx::query_as(concat!(record!(), " ORDER BY name")).fetch_all(pool).await?;
    Ok(rows.into_iter().map(|row| (row.name.clone(), row.into())).collect())
}

pub(super) async fn account(pool: &SqlitePool, account: &str) -> Result<AccountRecord, StoreError> {
    let row: Option<Row> =
        sqlx::query_as(concat!(record!(), " WHERE name = $1")).bind(account).fetch_optional(pool).await?;
    Ok(row.map(AccountRecord::from).unwrap_or_default())
}

pub(super) async fn catalog(
    pool: &SqlitePool,
    account: &str,
) -> Result<Option<(Catalog, Timestamp)>, StoreError> {
    let row: Option<(String, i64)> =
        sqlx::query_as("SELECT catalog, catalog_at FROM accounts WHERE name = $1 AND catalog IS NOT NULL")
            .bind(account)
            .fetch_optional(pool)
            .await?;
    row.map(|(text, at)| Ok((parse(&text)?, Timestamp(at)))).transpose()
}

pub(super) async fn save_catalog(
    mut transaction: Transaction,
    account: &str,
    catalog: &Catalog,
    now: Timestamp,
) -> Result<(), StoreError> {
    ensure(&mut transaction, account).await?;
    sqlx::query("UPDATE accounts SET catalog = $2, catalog_at = $3 WHERE name = $1")
        .bind(account)
        .bind(json(catalog)?)
        .bind(now.0)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("UPDATE reviews SET rematch = 1 WHERE account = $1 AND undecided = 1 AND rematch = 0")
        .bind(account)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn poll_failed(
    mut transaction: Transaction,
    account: &str,
    kind: ErrorName,
    error: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    ensure(&mut transaction, account).await?;
    sqlx::query(
        "UPDATE accounts SET failed_polls = failed_polls + 1, failing_since = COALESCE(failing_since, $4),
            last_poll_at = $4, last_error_kind = $2, last_error = $3 WHERE name = $1",
    )
    .bind(account)
    .bind(kind.as_str())
    .bind(error)
    .bind(now.0)
    .execute(&mut *transaction)
    .await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn listing_begun(
    mut transaction: Transaction,
    account: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    ensure(&mut transaction, account).await?;
    sqlx::query("UPDATE accounts SET first_listing_at = COALESCE(first_listing_at, $2) WHERE name = $1")
        .bind(account)
        .bind(at.0)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn end_baseline(
    mut transaction: Transaction,
    account: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query("UPDATE accounts SET baseline_at = COALESCE(baseline_at, $2) WHERE name = $1")
        .bind(account)
        .bind(now.0)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn endpoint_seen(
    mut transaction: Transaction,
    account: &str,
    endpoint: &str,
    error: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO endpoints (account, endpoint, ok_at, failed_at, error)
         VALUES ($1, $2, CASE WHEN $3 IS NULL THEN $4 END, CASE WHEN $3 IS NOT NULL THEN $4 END, $3)
         ON CONFLICT DO UPDATE SET ok_at = COALESCE(excluded.ok_at, ok_at),
            failed_at = COALESCE(excluded.failed_at, failed_at), error = excluded.error",
    )
    .bind(account)
    .bind(endpoint)
    .bind(error)
    .bind(now.0)
    .execute(&mut *transaction)
    .await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn endpoints(pool: &SqlitePool, account: &str) -> Result<Vec<EndpointRecord>, StoreError> {
    type Row = (String, Option<i64>, Option<i64>, Option<String>);
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT endpoint, ok_at, failed_at, error FROM endpoints WHERE account = $1 ORDER BY endpoint",
    )
    .bind(account)
    .fetch_all(pool)
    .await?;
    let record = |(endpoint, ok_at, failed_at, error)| EndpointRecord {
        endpoint,
        ok_at: time(ok_at),
        failed_at: time(failed_at),
        error,
    };
    Ok(rows.into_iter().map(record).collect())
}

pub(super) async fn save_token_expiry(
    mut transaction: Transaction,
    account: &str,
    at: Option<Timestamp>,
) -> Result<(), StoreError> {
    ensure(&mut transaction, account).await?;
    sqlx::query("UPDATE accounts SET token_expires_at = $2 WHERE name = $1")
        .bind(account)
        .bind(at.map(|at| at.0))
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn hold(
    mut transaction: Transaction,
    account: &str,
    until: Timestamp,
) -> Result<(), StoreError> {
    ensure(&mut transaction, account).await?;
    sqlx::query("UPDATE accounts SET hold_until = MAX(hold_until, $2) WHERE name = $1")
        .bind(account)
        .bind(until.0)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

/// Who waits for a request of an account's budget.
struct Queued {
    /// Whether somebody else goes first: [`queue::yields_to`].
    first: bool,
    /// Since when this one waits, where it does.
    since: Option<Timestamp>,
    /// Whether it is in the queue at all.
    waited: bool,
}

async fn queue(transaction: &mut Transaction, take: &TakeRequests<'_>) -> Result<Queued, StoreError> {
    let rows: Vec<(String, i64, i64)> =
        sqlx::query_as("SELECT purpose, since, until FROM request_queue WHERE account = $1")
            .bind(take.account)
            .fetch_all(&mut **transaction)
            .await?;
    let own = rows.iter().find(|(purpose, ..)| purpose == take.purpose.as_str());
    // One that did not ask in time waits no longer, and a clock that was set back has waited for nothing.
    let still = |(_, since, until): &&(String, i64, i64)| {
        *since <= take.now.0 && take.now.since(Timestamp(*until)) <= queue::PATIENCE
    };
    let since = own.filter(still).map(|(_, since, _)| Timestamp(*since));
    let first = rows.iter().any(|(purpose, began, until)| {
        let Some(other) = Purpose::parse(purpose).filter(|other| *other != take.purpose) else {
            return false;
        };
        let waiting =
            queue::Waiting { rank: other.rank(), since: Timestamp(*began), until: Timestamp(*until) };
        queue::yields_to(waiting, take.purpose.rank(), since, take.now)
    });
    Ok(Queued { first, since, waited: own.is_some() })
}

async fn wait(
    transaction: &mut Transaction,
    take: &TakeRequests<'_>,
    since: Timestamp,
    until: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO request_queue (account, purpose, since, until) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO UPDATE SET since = excluded.since, until = excluded.until",
    )
    .bind(take.account)
    .bind(take.purpose.as_str())
    .bind(since.0)
    .bind(until.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// The longest pause an API may ask for; a later `hold_until` means that the wall clock was set back.
const LONGEST_HOLD: Duration = Duration::from_secs(3600);

pub(super) async fn take_requests(
    mut transaction: Transaction,
    take: &TakeRequests<'_>,
) -> Result<Grant, StoreError> {
    let now = take.now;
    let hold: Option<i64> = sqlx::query_scalar("SELECT hold_until FROM accounts WHERE name = $1")
        .bind(take.account)
        .fetch_optional(&mut *transaction)
        .await?;
    let hold = Timestamp(hold.unwrap_or(0));
    if hold > now && hold <= now.plus(LONGEST_HOLD) {
        return Ok(Grant::Until(hold));
    }
    // Entries from the future are left by a clock that was set back: they would block for as long.
    sqlx::query("DELETE FROM requests WHERE account = $1 AND (at <= $2 OR at > $3)")
        .bind(take.account)
        .bind(now.minus(REQUEST_SPAN).0)
        .bind(now.plus(REQUEST_SPAN).0)
        .execute(&mut *transaction)
        .await?;
    let (all, own, oldest, oldest_own): (i64, i64, Option<i64>, Option<i64>) = sqlx::query_as(
        "SELECT COALESCE(SUM(count), 0), COALESCE(SUM(CASE WHEN purpose = $2 THEN count ELSE 0 END), 0),
            MIN(at), MIN(CASE WHEN purpose = $2 THEN at END) FROM requests WHERE account = $1",
    )
    .bind(take.account)
    .bind(take.purpose.as_str())
    .fetch_one(&mut *transaction)
    .await?;
    let Queued { first, since, waited } = queue(&mut transaction, take).await?;
    let left = i64::from(take.limit) - all;
    let left_own = i64::from(take.purpose_limit) - own;
    let granted = left.min(left_own).min(i64::from(take.want));
    if granted <= 0 || first {
        let blocking = if left <= 0 { oldest } else { oldest_own };
        let free_at = if granted <= 0 {
            Timestamp(blocking.unwrap_or(now.0)).plus(REQUEST_SPAN).max(now.plus(Duration::from_millis(1)))
        } else {
            now.plus(queue::NEXT_TURN)
        };
        wait(&mut transaction, take, since.unwrap_or(now), free_at).await?;
        transaction.commit().await?;
        return Ok(Grant::Until(free_at));
    }
    if waited {
        sqlx::query("DELETE FROM request_queue WHERE account = $1 AND purpose = $2")
            .bind(take.account)
            .bind(take.purpose.as_str())
            .execute(&mut *transaction)
            .await?;
    }
    sqlx::query("INSERT INTO requests (account, at, purpose, count) VALUES ($1, $2, $3, $4)")
        .bind(take.account)
        .bind(now.0)
        .bind(take.purpose.as_str())
        .bind(granted)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(Grant::Taken(number(granted)))
}
