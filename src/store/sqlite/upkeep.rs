//! Statements of upkeep: tombstones for what is forgotten or too old, and a wall clock that was moved.

use super::*;

pub(super) async fn forget(
    mut transaction: Transaction,
    review: i64,
    now: Timestamp,
) -> Result<(), StoreError> {
    leave_tombstones(&mut transaction, &[review], ReviewState::Forgotten, now).await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn expire(
    mut transaction: Transaction,
    expiry: &Expiry,
    now: Timestamp,
) -> Result<Expired, StoreError> {
    let old: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM reviews
         WHERE body IS NOT NULL AND aged_at < $1 AND unlisted_at < $2
           -- The last listing of an account that is polled no more says nothing about today.
           AND (listed = 0 OR COALESCE((SELECT last_success_at FROM accounts a WHERE a.name = account), 0) < $2)
           AND state NOT IN ('held', 'settling')
           AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.review_id = reviews.id
                           AND (d.state = 'pending' OR d.settled_at >= $1))
         ORDER BY aged_at LIMIT $3",
    )
    .bind(expiry.aged_before.0)
    .bind(expiry.unlisted_before.0)
    .bind(expiry.limit)
    .fetch_all(&mut *transaction)
    .await?;
    if !old.is_empty() {
        leave_tombstones(&mut transaction, &old, ReviewState::Expired, now).await?;
    }
    let mut messages = 0;
    // Each by an index of its own.
    for statement in [
        "DELETE FROM messages WHERE kind <> 'review' AND settled_at < $1
           AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = messages.id)",
        "DELETE FROM messages WHERE kind = 'review' AND state = 'superseded' AND settled_at < $1
           AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = messages.id)",
    ] {
        let done = sqlx::query(statement).bind(expiry.aged_before.0).execute(&mut *transaction).await?;
        messages += done.rows_affected();
    }
    transaction.commit().await?;
    Ok(Expired { reviews: old.len() as u64, messages })
}

/// Leaves tombstones of reviews: account, uuid, times, and the hash of rating and of text. A mark that is due
/// stays due.
async fn leave_tombstones(
    transaction: &mut Transaction,
    reviews: &[i64],
    state: ReviewState,
    now: Timestamp,
) -> Result<(), StoreError> {
    let reviews = json(reviews)?;
    let messages: Vec<Option<String>> = sqlx::query_scalar(
        "DELETE FROM deliveries WHERE review_id IN (SELECT value FROM json_each($1)) RETURNING message_id",
    )
    .bind(&reviews)
    .fetch_all(&mut **transaction)
    .await?;
    let messages = json(&messages.into_iter().flatten().collect::<Vec<_>>())?;
    // Its attempts go with it. A digest in flight that would have nothing to say at its next attempt goes, too.
    sqlx::query(
        "DELETE FROM messages WHERE id IN (SELECT value FROM json_each($1)) AND (kind = 'review'
            OR lease IS NOT NULL AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = messages.id))",
    )
    .bind(&messages)
    .execute(&mut **transaction)
    .await?;
    interventions::end_emptied(transaction, &messages, DeliveryState::Discarded, now).await?;
    sqlx::query("DELETE FROM revisions WHERE review_id IN (SELECT value FROM json_each($1))")
        .bind(&reviews)
        .execute(&mut **transaction)
        .await?;
    sqlx::query(
        "UPDATE reviews SET state = $2, body = NULL, body_hash = content_hash, reviewed_at = NULL,
            match_at = NULL, undecided = 0, rematch = 0, told = 0, mark_error = NULL, changed_at = $3
         WHERE id IN (SELECT value FROM json_each($1))",
    )
    .bind(&reviews)
    .bind(state.as_str())
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Every time in state from which something is reckoned; those that only record what happened stay.
const RECKONED: [&str; 15] = [
    "UPDATE bursts SET from_at = from_at + $1",
    // Each by an index of its own.
    "UPDATE messages SET next_at = next_at + $1, first_attempt_at = first_attempt_at + $1,
        created_at = created_at + $1 WHERE state = 'pending' AND lease IS NULL",
    "UPDATE messages SET next_at = next_at + $1, first_attempt_at = first_attempt_at + $1,
        lease_until = lease_until + $1, created_at = created_at + $1 WHERE lease IS NOT NULL",
    "UPDATE deliveries SET created_at = created_at + $1 WHERE state = 'pending'",
    "UPDATE removed SET since = since + $1",
    "UPDATE destinations SET probe_at = probe_at + $1, failures_from = failures_from + $1,
        health_since = CASE WHEN health IN ('failing', 'broken') THEN health_since + $1 ELSE health_since END,
        stopped_since = stopped_since + $1, hold_until = MAX(hold_until + $1, 0),
        opened_at = MAX(opened_at + $1, 0)",
    "UPDATE accounts SET hold_until = MAX(hold_until + $1, 0), failing_since = failing_since + $1,
        first_listing_at = first_listing_at + $1, last_success_at = last_success_at + $1",
    "UPDATE requests SET at = at + $1",
    "UPDATE request_queue SET since = since + $1, until = until + $1",
    "UPDATE reviews SET match_at = match_at + $1 WHERE state IN ('held', 'settling')",
    "UPDATE reviews SET mark_at = mark_at + $1, mark_due_at = mark_due_at + $1,
        mark_refused_at = mark_refused_at + $1 WHERE mark = 'due'",
    "UPDATE reviews SET aged_at = aged_at + $1, unlisted_at = unlisted_at + $1 WHERE body IS NOT NULL",
    "UPDATE problems SET since = since + $1, notified_at = notified_at + $1, over_at = over_at + $1",
    "UPDATE reports SET since = since + $1",
    "UPDATE bridge SET started_at = started_at + $1, refused_at = refused_at + $1",
];

pub(super) async fn clock_stepped(mut transaction: Transaction, by_ms: i64) -> Result<(), StoreError> {
    for statement in RECKONED {
        sqlx::query(statement).bind(by_ms).execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Times of what happened, or of the calendar: a step of the clock does not move them.
    const KEPT: &str = "accounts.catalog_at accounts.baseline_at accounts.last_poll_at accounts.last_steady_at
        accounts.token_expires_at bridge.stopped_at bridge.loaded_at bridge.once_at endpoints.ok_at endpoints.failed_at reviews.reviewed_at reviews.first_seen_at
        reviews.changed_at revisions.seen_at messages.settled_at deliveries.settled_at attempts.begun_at
        destinations.paused_at digests.from_at digests.next_at";

    // H2
    #[tokio::test]
    async fn every_time_in_state_is_moved_with_the_clock_or_kept_for_a_reason() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&folder.path().join("state.db"), Access::Own).await.unwrap();
        let columns: Vec<(String, String)> = sqlx::query_as(
            "SELECT t.name, c.name FROM sqlite_master t JOIN pragma_table_info(t.name) c
             WHERE t.type = 'table' AND t.name NOT GLOB '_sqlx*' AND c.type = 'INTEGER'
               AND (c.name = 'at' OR c.name GLOB '*_at' OR c.name GLOB '*_until' OR c.name GLOB '*_since')",
        )
        .fetch_all(&store.reader)
        .await
        .unwrap();
        assert!(columns.len() > 30, "{columns:?}");
        for (table, column) in columns {
            let update = format!("UPDATE {table} SET ");
            let moved =
                RECKONED.iter().any(|sql| sql.starts_with(&update) && sql.contains(&format!(" {column} = ")));
            let kept = KEPT.split_whitespace().any(|kept| kept == format!("{table}.{column}"));
            assert!(
                moved != kept,
                "{table}.{column}: does it wait for a time, or say when something happened?"
            );
        }
        store.close().await;
    }
}
