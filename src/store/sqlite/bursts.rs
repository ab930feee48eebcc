//! Statements that pace single messages: some are let through, the rest is held back, or becomes one message.

use super::*;

/// Single messages of a destination that may be sent: `$1`.
const WAITS: &str = "destination = $1 AND state = 'pending' AND lease IS NULL AND kind = 'review'";

/// Whether anything is due that no window let through, or waited for the destination to open again.
pub(super) async fn anything_to_pace(
    pool: &SqlitePool,
    request: &BurstRequest,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let query = format!(
        "SELECT EXISTS (SELECT 1 FROM messages WHERE {WAITS} AND next_at <= $2 AND (admitted = 0 OR created_at < MAX($3,
            COALESCE((SELECT opened_at FROM destinations WHERE name = $1), 0))))"
    );
    let found = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
        .bind(&request.destination)
        .bind(now.0)
        .bind(request.opened_at.0)
        .fetch_one(pool)
        .await?;
    Ok(found)
}

pub(super) async fn pace(
    mut transaction: Transaction,
    requests: &[BurstRequest],
    now: Timestamp,
    decide: PaceBursts<'_>,
) -> Result<Grouped, StoreError> {
    let mut grouped = Grouped::default();
    for request in requests {
        for (recipient, seen) in waiting(&mut transaction, request).await? {
            let (to, step) = ((request.destination.as_str(), recipient.as_str()), decide(request, &seen));
            match step {
                BurstStep::Gather(cause) => {
                    grouped.reviews += gather(&mut transaction, to, cause, now).await?;
                    grouped.summaries += 1;
                }
                BurstStep::Admit { from, room } => {
                    admit(&mut transaction, request, to, (from, room), seen.window, now).await?;
                }
            }
        }
    }
    transaction.commit().await?;
    Ok(grouped)
}

from_row! {
    /// What is queued for one recipient.
    struct BacklogRow {
        recipient: String,
        from_at: Option<i64>,
        admitted: Option<i64>,
        backlog: i64,
        in_window: Option<i64>,
    }
}

/// What is queued for each recipient of a destination.
async fn waiting(
    transaction: &mut Transaction,
    request: &BurstRequest,
) -> Result<Vec<(String, BurstSeen)>, StoreError> {
    let query = format!(
        "SELECT m.recipient, b.from_at, b.admitted,
            SUM(m.created_at < MAX($2, COALESCE((SELECT opened_at FROM destinations WHERE name = $1), 0))) AS backlog,
            SUM(m.admitted = 0 AND m.created_at < b.from_at + $3) AS in_window
         FROM messages m LEFT JOIN bursts b ON b.destination = m.destination AND b.recipient = m.recipient
         WHERE {} GROUP BY m.recipient ORDER BY m.recipient",
        WAITS.replace("destination =", "m.destination =")
    );
    let rows: Vec<BacklogRow> = sqlx::query_as(sqlx::AssertSqlSafe(query))
        .bind(&request.destination)
        .bind(request.opened_at.0)
        .bind(crate::domain::time::millis(request.window))
        .fetch_all(&mut **transaction)
        .await?;
    let seen = |row: BacklogRow| {
        let window = row.from_at.zip(row.admitted);
        let window =
            window.map(|(from, admitted)| BurstWindow { from: Timestamp(from), admitted: number(admitted) });
        let in_window = row.in_window.map(count).unwrap_or_default();
        (row.recipient, BurstSeen { window, in_window, backlog: count(row.backlog) })
    };
    Ok(rows.into_iter().map(seen).collect())
}

/// Lets as many through as there is room for, the longest due first; the others wait for the window's end.
async fn admit(
    transaction: &mut Transaction,
    request: &BurstRequest,
    (destination, recipient): (&str, &str),
    (from, room): (Timestamp, u32),
    known: Option<BurstWindow>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let query = format!(
        "UPDATE messages SET admitted = 1 WHERE seq IN (SELECT seq FROM messages
            WHERE {WAITS} AND recipient = $2 AND admitted = 0 AND next_at <= $3 ORDER BY next_at, seq LIMIT $4)"
    );
    let admitted = sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(destination)
        .bind(recipient)
        .bind(now.0)
        .bind(room)
        .execute(&mut **transaction)
        .await?
        .rows_affected();
    let query = format!(
        "UPDATE messages SET next_at = $4 WHERE {WAITS} AND recipient = $2 AND admitted = 0 AND next_at <= $3"
    );
    sqlx::query(sqlx::AssertSqlSafe(query))
        .bind(destination)
        .bind(recipient)
        .bind(now.0)
        .bind(from.plus(request.window).0)
        .execute(&mut **transaction)
        .await?;
    let before = known.filter(|known| known.from == from).map_or(0, |known| u64::from(known.admitted));
    let total = i64::try_from(before + admitted).unwrap_or(i64::MAX);
    if total == 0 {
        return close_window(transaction, destination, recipient).await;
    }
    sqlx::query(
        "INSERT INTO bursts (destination, recipient, from_at, admitted) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO UPDATE SET from_at = excluded.from_at, admitted = excluded.admitted",
    )
    .bind(destination)
    .bind(recipient)
    .bind(from.0)
    .bind(total)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

async fn close_window(
    transaction: &mut Transaction,
    destination: &str,
    recipient: &str,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM bursts WHERE destination = $1 AND recipient = $2")
        .bind(destination)
        .bind(recipient)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

from_row! {
    /// A message that becomes a part of a summary.
    struct Folded {
        id: String,
        content: Option<String>,
        possible_repeat: bool,
        attempts: i64,
        first_attempt_at: Option<i64>,
        stopped_base_ms: i64,
        created_at: i64,
    }
}

/// Gathers all that is queued for one recipient, an earlier summary too, into one message. It goes on counting their
/// attempts, and the time since the first. Returns how many reviews it holds.
async fn gather(
    transaction: &mut Transaction,
    (destination, recipient): (&str, &str),
    cause: Cause,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let folded: Vec<Folded> = sqlx::query_as(
        "SELECT id, content, possible_repeat, attempts, first_attempt_at, stopped_base_ms, created_at FROM messages
         WHERE destination = $1 AND recipient = $2 AND state = 'pending' AND lease IS NULL
           AND kind IN ('review', 'summary') ORDER BY seq",
    )
    .bind(destination)
    .bind(recipient)
    .fetch_all(&mut **transaction)
    .await?;
    let mut from = now;
    for one in &folded {
        let own = one.content.as_deref().map(parse::<Gathered>).transpose()?;
        from = from.min(own.map_or(Timestamp(one.created_at), |own| own.from));
    }
    let first = folded.iter().filter(|one| one.attempts > 0).min_by_key(|one| one.first_attempt_at);
    let id = digests::new_id(transaction, ids::summary_ids(destination, recipient, now)).await?;
    sqlx::query(
        "INSERT INTO messages (id, destination, recipient, kind, content, next_at, created_at, possible_repeat, attempts,
            first_attempt_at, stopped_base_ms)
         VALUES ($1, $2, $3, 'summary', $4, $5, $5, $6, $7, $8, $9)",
    )
    .bind(&id)
    .bind(destination)
    .bind(recipient)
    .bind(json(&Gathered { cause, from, to: now, part: None })?)
    .bind(now.0)
    .bind(folded.iter().any(|one| one.possible_repeat))
    .bind(folded.iter().map(|one| one.attempts).max().unwrap_or(0))
    .bind(first.and_then(|first| first.first_attempt_at))
    .bind(first.map_or(0, |first| first.stopped_base_ms))
    .execute(&mut **transaction)
    .await?;
    let folded = json(&folded.iter().map(|one| &one.id).collect::<Vec<_>>())?;
    let moved = sqlx::query(
        "UPDATE deliveries SET message_id = $2
         WHERE message_id IN (SELECT value FROM json_each($1)) AND state = 'pending'",
    )
    .bind(&folded)
    .bind(&id)
    .execute(&mut **transaction)
    .await?;
    // One that was never attempted leaves nothing to remember.
    sqlx::query(
        "DELETE FROM messages
         WHERE id IN (SELECT value FROM json_each($1)) AND kind = 'review' AND attempts = 0",
    )
    .bind(&folded)
    .execute(&mut **transaction)
    .await?;
    sqlx::query(
        "UPDATE messages SET state = 'superseded', settled_at = $2 WHERE id IN (SELECT value FROM json_each($1))",
    )
    .bind(&folded)
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    close_window(transaction, destination, recipient).await?;
    Ok(moved.rows_affected())
}

pub(super) async fn release(mut transaction: Transaction, now: Timestamp) -> Result<(), StoreError> {
    // What was never attempted waits for nothing else.
    sqlx::query(
        "UPDATE messages SET next_at = $1
         WHERE state = 'pending' AND lease IS NULL AND kind = 'review' AND admitted = 0 AND attempts = 0 AND next_at > $1",
    )
    .bind(now.0)
    .execute(&mut *transaction)
    .await?;
    Ok(transaction.commit().await?)
}
