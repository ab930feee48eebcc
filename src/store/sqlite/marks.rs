//! Statements about marking reviews read.

use super::*;

/// Whether some destination or recipient of a row of `reviews` has not settled the newest delivery of any
/// revision. A dead letter is not settled.
macro_rules! unsettled {
    () => {
        "EXISTS (SELECT 1 FROM deliveries d WHERE d.review_id = reviews.id AND d.newest = 1
                 AND d.state NOT IN ('delivered', 'discarded', 'skipped'))"
    };
}
pub(super) use unsettled;

/// Whether some destination or recipient of a row of `reviews` is a reason to mark it: `ledger::voice`.
macro_rules! asks {
    () => {
        "EXISTS (SELECT 1 FROM deliveries d WHERE d.review_id = reviews.id AND d.newest = 1
                 AND (d.state IN ('delivered', 'discarded') OR d.state = 'skipped' AND d.reason = 'unchanged'))"
    };
}

/// Makes the marks of the reviews in the JSON array `$1` due where `ledger::mark_is_due`; `$2` is now.
pub(super) const MARK_SETTLED: &str = concat!(
    "UPDATE reviews SET mark = 'due', mark_at = $2, mark_attempts = 0, mark_error = NULL
     WHERE id IN (SELECT value FROM json_each($1)) AND mark = 'none'
       AND state IN ('matched', 'unmatched', 'remembered') AND ",
    asks!(),
    " AND NOT ",
    unsettled!()
);

pub(super) async fn due(
    pool: &SqlitePool,
    account: &str,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<DueMark>, StoreError> {
    let rows: Vec<(i64, String, i64, i64, bool)> = sqlx::query_as(
        "SELECT id, uuid, revision, mark_attempts, mark_attempts > 0 AND COALESCE(mark_refused_at <
            (SELECT last_success_at FROM accounts WHERE name = $1), 0) FROM reviews
         WHERE account = $1 AND mark = 'due' AND shown = 1 AND mark_at <= $2 ORDER BY mark_at, id LIMIT $3",
    )
    .bind(account)
    .bind(now.0)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    let due = |(review_id, uuid, revision, attempts, refused)| DueMark {
        review_id,
        uuid,
        revision: number(revision),
        attempts: number(attempts),
        refused,
    };
    Ok(rows.into_iter().map(due).collect())
}

pub(super) async fn next(pool: &SqlitePool, account: &str) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> = sqlx::query_scalar(
        "SELECT MIN(mark_at) FROM reviews WHERE account = $1 AND mark = 'due' AND shown = 1",
    )
    .bind(account)
    .fetch_one(pool)
    .await?;
    Ok(time(at))
}

pub(super) async fn request(
    mut transaction: Transaction,
    reviews: &[i64],
    now: Timestamp,
) -> Result<Vec<i64>, StoreError> {
    let mut due: Vec<i64> = sqlx::query_scalar(
        "UPDATE reviews SET mark = 'due', mark_at = $2, mark_attempts = 0, mark_error = NULL
         WHERE id IN (SELECT value FROM json_each($1)) AND mark <> 'done'
           AND state NOT IN ('held', 'settling', 'malformed') RETURNING id",
    )
    .bind(json(reviews)?)
    .bind(now.0)
    .fetch_all(&mut *transaction)
    .await?;
    transaction.commit().await?;
    due.sort_unstable();
    Ok(due)
}

/// Takes back the marks of reviews (a JSON array) that are to be sent once more; done ones stay.
pub(super) async fn take_back(transaction: &mut Transaction, reviews: &str) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE reviews SET mark = 'none', mark_at = NULL, mark_attempts = 0, mark_error = NULL
         WHERE id IN (SELECT value FROM json_each($1)) AND mark = 'due'",
    )
    .bind(reviews)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

pub(super) async fn record(
    mut transaction: Transaction,
    account: &str,
    results: &[MarkResult],
    now: Timestamp,
) -> Result<(), StoreError> {
    let done: Vec<_> = results
        .iter()
        .filter(|result| result.result.is_ok())
        .map(|result| serde_json::json!([result.mark.review_id, result.mark.revision]))
        .collect();
    // Only the revision that was settled: an edit that came in meanwhile is sent and marked on its own.
    sqlx::query(
        "UPDATE reviews SET mark = 'done', mark_at = $2, mark_error = NULL, listed_since_mark = 0
         FROM json_each($1) j
         WHERE reviews.id = j.value ->> 0 AND reviews.revision = j.value ->> 1 AND reviews.mark = 'due'",
    )
    .bind(json(&done)?)
    .bind(now.0)
    .execute(&mut *transaction)
    .await?;
    let failed: Vec<_> = results
        .iter()
        .filter_map(|result| {
            let (error, next_at) = result.result.as_ref().err()?;
            let refused_at = result.refused.then_some(now.0);
            Some(serde_json::json!([result.mark.review_id, error, next_at.0, refused_at]))
        })
        .collect();
    if !failed.is_empty() {
        sqlx::query(
            "UPDATE reviews SET mark_due_at = CASE WHEN mark_attempts = 0 THEN mark_at ELSE mark_due_at END,
                mark_attempts = mark_attempts + 1, mark_error = j.value ->> 1, mark_at = j.value ->> 2,
                mark_refused_at = j.value ->> 3
             FROM json_each($1) j WHERE reviews.id = j.value ->> 0 AND reviews.mark = 'due'",
        )
        .bind(json(&failed)?)
        .execute(&mut *transaction)
        .await?;
    }
    accounts::ensure(&mut transaction, account).await?;
    for result in results.iter().filter(|result| result.setting.is_some() || result.account_error.is_some()) {
        sqlx::query(
            "UPDATE accounts SET mark_setting = COALESCE($2, mark_setting),
                mark_error = CASE WHEN $3 IS NULL THEN mark_error ELSE NULLIF($3, '') END
             WHERE name = $1 AND (mark_setting IS NOT COALESCE($2, mark_setting)
                OR mark_error IS NOT CASE WHEN $3 IS NULL THEN mark_error ELSE NULLIF($3, '') END)",
        )
        .bind(account)
        .bind(&result.setting)
        .bind(&result.account_error)
        .execute(&mut *transaction)
        .await?;
    }
    Ok(transaction.commit().await?)
}
