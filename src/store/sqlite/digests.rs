//! Statements about digests: their windows, and the messages that gather what is queued.

use super::*;
use crate::domain::Figures;
use std::collections::BTreeSet;

pub(super) async fn windows(pool: &SqlitePool) -> Result<Vec<DigestWindow>, StoreError> {
    let rows: Vec<(String, String, i64, i64)> =
        sqlx::query_as("SELECT destination, schedule, from_at, next_at FROM digests").fetch_all(pool).await?;
    let window = |(destination, schedule, from, next_at)| DigestWindow {
        destination,
        schedule,
        from: Timestamp(from),
        next_at: Timestamp(next_at),
    };
    Ok(rows.into_iter().map(window).collect())
}

pub(super) async fn save_window(
    transaction: &mut Transaction,
    window: &DigestWindow,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO digests (destination, schedule, from_at, next_at) VALUES ($1, $2, $3, $4)
         ON CONFLICT DO UPDATE SET schedule = excluded.schedule, from_at = excluded.from_at,
            next_at = excluded.next_at",
    )
    .bind(&window.destination)
    .bind(&window.schedule)
    .bind(window.from.0)
    .bind(window.next_at.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

pub(super) async fn make(
    mut transaction: Transaction,
    digest: &NewDigest<'_>,
    now: Timestamp,
) -> Result<u64, StoreError> {
    let destination = &digest.next.destination;
    let from: Option<i64> = sqlx::query_scalar("SELECT from_at FROM digests WHERE destination = $1")
        .bind(destination)
        .fetch_optional(&mut *transaction)
        .await?;
    // A recipient who was taken out of the configuration still gets what waited for it.
    let waiting: Vec<String> = sqlx::query_scalar(
        "SELECT DISTINCT recipient FROM deliveries WHERE destination = $1 AND state = 'pending'",
    )
    .bind(destination)
    .fetch_all(&mut *transaction)
    .await?;
    let recipients: BTreeSet<String> = digest.recipients.iter().cloned().chain(waiting).collect();
    let mut made = 0;
    for recipient in &recipients {
        let configured = digest.recipients.contains(recipient);
        let from = Timestamp(from.unwrap_or(now.0));
        made += gather(&mut transaction, digest, recipient, from, now, configured).await?;
    }
    save_window(&mut transaction, digest.next).await?;
    transaction.commit().await?;
    Ok(made)
}

/// The first of `ids` that no message bears: another one than that of a message made at the same time of day before
/// the clock was set back.
pub(super) async fn new_id(
    transaction: &mut Transaction,
    ids: impl Iterator<Item = String>,
) -> Result<String, StoreError> {
    for id in ids {
        let taken: bool = sqlx::query_scalar("SELECT EXISTS (SELECT 1 FROM messages WHERE id = $1)")
            .bind(&id)
            .fetch_one(&mut **transaction)
            .await?;
        if !taken {
            return Ok(id);
        }
    }
    Err(unknown("message", "without an identity"))
}

/// The figures of the last digest that was delivered.
async fn last_figures(
    transaction: &mut Transaction,
    destination: &str,
    recipient: &str,
) -> Result<Option<Figures>, StoreError> {
    let content: Option<String> = sqlx::query_scalar(
        "SELECT content FROM messages WHERE destination = $1 AND recipient = $2 AND kind = 'digest'
            AND state = 'delivered' AND settled_at IS NOT NULL ORDER BY settled_at DESC, seq DESC LIMIT 1",
    )
    .bind(destination)
    .bind(recipient)
    .fetch_optional(&mut **transaction)
    .await?;
    Ok(content.as_deref().map(parse::<Window>).transpose()?.and_then(|window| window.figures))
}

/// Gathers what is queued for one recipient, and what an earlier digest did not deliver, into one message.
async fn gather(
    transaction: &mut Transaction,
    digest: &NewDigest<'_>,
    recipient: &str,
    from: Timestamp,
    now: Timestamp,
    configured: bool,
) -> Result<u64, StoreError> {
    let destination = &digest.next.destination;
    let folded: Vec<(String, String, bool)> = sqlx::query_as(
        "SELECT id, content, possible_repeat FROM messages WHERE destination = $1 AND recipient = $2 AND kind = 'digest'
            AND state = 'pending' AND lease IS NULL",
    )
    .bind(destination)
    .bind(recipient)
    .fetch_all(&mut **transaction)
    .await?;
    let mut start = from;
    for (_, content, _) in &folded {
        start = start.min(parse::<Window>(content)?.from);
    }
    // What may have arrived with an earlier one is repeated by this one.
    let repeats = folded.iter().any(|(.., possible_repeat)| *possible_repeat);
    let id = new_id(transaction, ids::digest_ids(destination, recipient, now)).await?;
    sqlx::query(
        "INSERT INTO messages (id, destination, recipient, kind, content, next_at, created_at, possible_repeat)
         VALUES ($1, $2, $3, 'digest', $4, $5, $5, $6)",
    )
    .bind(&id)
    .bind(destination)
    .bind(recipient)
    .bind(json(&Window { from: start, to: now, before: last_figures(transaction, destination, recipient).await?, figures: None, part: None })?)
    .bind(now.0)
    .bind(repeats)
    .execute(&mut **transaction)
    .await?;
    let earlier: Vec<&str> = folded.iter().map(|(id, ..)| id.as_str()).collect();
    let earlier = json(&earlier)?;
    let members = sqlx::query(
        "UPDATE deliveries SET message_id = $1
         WHERE destination = $2 AND recipient = $3 AND state = 'pending'
           AND (message_id IS NULL OR message_id IN (SELECT value FROM json_each($4)))",
    )
    .bind(&id)
    .bind(destination)
    .bind(recipient)
    .bind(&earlier)
    .execute(&mut **transaction)
    .await?
    .rows_affected();
    sqlx::query(
        "UPDATE messages SET state = 'superseded', settled_at = $2
         WHERE id IN (SELECT value FROM json_each($1))",
    )
    .bind(&earlier)
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    if members == 0 && !(digest.send_empty && configured) {
        sqlx::query("DELETE FROM messages WHERE id = $1").bind(&id).execute(&mut **transaction).await?;
        return Ok(0);
    }
    Ok(1)
}

type Loose = (i64, String, String, String, String, i64);

pub(super) async fn regroup(
    mut transaction: Transaction,
    digests: &[&str],
    now: Timestamp,
) -> Result<(), StoreError> {
    let digests = json(digests)?;
    let loose: Vec<Loose> = sqlx::query_as(
        "SELECT d.id, d.destination, d.recipient, r.account, r.uuid, d.revision
         FROM deliveries d JOIN reviews r ON r.id = d.review_id
         WHERE d.state = 'pending' AND d.message_id IS NULL
           AND d.destination NOT IN (SELECT value FROM json_each($1))",
    )
    .bind(&digests)
    .fetch_all(&mut *transaction)
    .await?;
    for (id, destination, recipient, account, uuid, revision) in loose {
        let message =
            ids::message_id(&["review", &destination, &recipient, &account, &uuid, &revision.to_string()]);
        sqlx::query(
            "INSERT INTO messages (id, destination, recipient, kind, next_at, created_at)
             VALUES ($1, $2, $3, 'review', $4, $4)
             ON CONFLICT (id) DO UPDATE SET state = 'pending', settled_at = NULL, next_at = excluded.next_at,
                plain = 0, short = 0, admitted = 0, first_attempt_at = CASE WHEN attempts > 0 THEN excluded.next_at END,
                stopped_base_ms = COALESCE((SELECT stopped_ms + MAX(COALESCE(excluded.next_at - stopped_since, 0), 0)
                                            FROM destinations WHERE name = destination), 0)",
        )
        .bind(&message)
        .bind(destination)
        .bind(recipient)
        .bind(now.0)
        .execute(&mut *transaction)
        .await?;
        sqlx::query("UPDATE deliveries SET message_id = $2 WHERE id = $1")
            .bind(id)
            .bind(&message)
            .execute(&mut *transaction)
            .await?;
    }
    let untried = "state = 'pending' AND lease IS NULL AND kind = 'review' AND attempts = 0
        AND destination IN (SELECT value FROM json_each($1))";
    for query in [
        format!(
            "UPDATE deliveries SET message_id = NULL WHERE state = 'pending' AND $2 = $2
                AND message_id IN (SELECT id FROM messages WHERE {untried})"
        ),
        format!("UPDATE messages SET state = 'superseded', settled_at = $2 WHERE {untried}"),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(query)).bind(&digests).bind(now.0).execute(&mut *transaction).await?;
    }
    Ok(transaction.commit().await?)
}
