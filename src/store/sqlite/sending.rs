//! Statements about messages, attempts and destinations: leases, settlements, pauses.

use super::*;
use serde_json::json as object;
use std::collections::HashMap;

pub(super) async fn recover(mut transaction: Transaction, now: Timestamp) -> Result<u64, StoreError> {
    let freed = release(&mut transaction, "lease IS NOT NULL", now).await?;
    transaction.commit().await?;
    Ok(freed)
}

pub(super) async fn expire(mut transaction: Transaction, now: Timestamp) -> Result<u64, StoreError> {
    let freed = release(&mut transaction, "lease IS NOT NULL AND lease_until < $1", now).await?;
    transaction.commit().await?;
    Ok(freed)
}

/// Frees the leases of messages whose sending was interrupted: whether they arrived is unknown.
async fn release(transaction: &mut Transaction, which: &str, now: Timestamp) -> Result<u64, StoreError> {
    let attempts = format!(
        "UPDATE attempts SET outcome = 'unknown', reason = 'interrupted',
            detail = 'the process ended, or the lease ran out, while this was being sent'
         WHERE outcome IS NULL AND message_id IN (SELECT id FROM messages WHERE {which} AND $1 = $1)"
    );
    sqlx::query(sqlx::AssertSqlSafe(attempts)).bind(now.0).execute(&mut **transaction).await?;
    let messages = format!(
        "UPDATE messages SET lease = NULL, lease_until = NULL, possible_repeat = 1, next_at = $1 WHERE {which}"
    );
    let freed = sqlx::query(sqlx::AssertSqlSafe(messages)).bind(now.0).execute(&mut **transaction).await?;
    let freed = freed.rows_affected();
    if freed > 0 {
        supersede_failed(transaction, None, now).await?;
    }
    Ok(freed)
}

/// Ends what failed in flight while a newer revision took its place; `Some` looks at these messages only.
async fn supersede_failed(
    transaction: &mut Transaction,
    messages: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE deliveries SET state = 'superseded', settled_at = $2
         WHERE state = 'pending' AND newest = 0
           AND ($1 IS NULL OR message_id IN (SELECT value FROM json_each($1)))
           AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = message_id AND m.lease IS NOT NULL)",
    )
    .bind(messages)
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    sqlx::query(
        "UPDATE messages SET state = 'superseded', settled_at = $2
         WHERE state = 'pending' AND lease IS NULL AND kind <> 'operator' AND kind <> 'test'
           AND ($1 IS NULL OR id IN (SELECT value FROM json_each($1)))
           AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = messages.id AND d.state = 'pending')
           AND EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = messages.id AND d.state = 'superseded')",
    )
    .bind(messages)
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Which due messages of a destination a request takes: `$1` destination, `$2` now, `$3` only this one,
/// `$4` without reviews.
const DUE: &str = "destination = $1 AND state = 'pending' AND lease IS NULL AND next_at <= $2
    AND ($3 IS NULL OR id = $3) AND ($4 = 0 OR kind IN ('operator', 'test'))";

from_row! {
    struct LeasedRow {
        id: String,
        recipient: String,
        kind: String,
        content: Option<String>,
        plain: bool,
        possible_repeat: bool,
        attempts: i64,
        first_attempt_at: i64,
        stopped_base_ms: i64,
    }
}

pub(super) async fn lease(
    mut transaction: Transaction,
    requests: &[LeaseRequest],
    now: Timestamp,
    owner: &str,
) -> Result<Vec<Leased>, StoreError> {
    let query = format!(
        "UPDATE messages SET lease = $5, lease_until = $6, attempts = attempts + 1,
            first_attempt_at = COALESCE(first_attempt_at, $2),
            stopped_base_ms = CASE WHEN attempts > 0 THEN stopped_base_ms ELSE COALESCE(
                (SELECT stopped_ms + MAX(COALESCE($2 - stopped_since, 0), 0) FROM destinations WHERE name = $1), 0) END
         WHERE seq IN (SELECT seq FROM messages WHERE {DUE} ORDER BY next_at, seq LIMIT $7)
         RETURNING id, recipient, kind, content, plain, possible_repeat, attempts, first_attempt_at,
            stopped_base_ms"
    );
    let mut leased = Vec::new();
    for request in requests.iter().filter(|request| request.limit > 0) {
        let rows: Vec<LeasedRow> = sqlx::query_as(sqlx::AssertSqlSafe(query.as_str().to_owned()))
            .bind(&request.destination)
            .bind(now.0)
            .bind(&request.only)
            .bind(request.without_reviews)
            .bind(owner)
            .bind(now.plus(request.hold).0)
            .bind(request.limit)
            .fetch_all(&mut *transaction)
            .await?;
        for row in rows {
            leased.push(Leased {
                id: row.id,
                destination: request.destination.clone(),
                recipient: row.recipient,
                kind: MessageKind::parse(&row.kind).ok_or_else(|| unknown("message kind", &row.kind))?,
                content: row.content,
                reviews: Vec::new(),
                form: if row.plain { Form::Plain } else { Form::Full },
                possible_repeat: row.possible_repeat,
                attempt: number(row.attempts),
                first_attempt_at: Timestamp(row.first_attempt_at),
                stopped_base: span(row.stopped_base_ms),
                begun_at: now,
            });
        }
    }
    if !leased.is_empty() {
        begin_attempts(&mut transaction, &leased, now).await?;
        load_reviews(&mut transaction, &mut leased).await?;
    }
    transaction.commit().await?;
    Ok(leased)
}

async fn begin_attempts(
    transaction: &mut Transaction,
    leased: &[Leased],
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows: Vec<_> =
        leased.iter().map(|message| object!([message.id, message.attempt, message.destination])).collect();
    let rows = json(&rows)?;
    sqlx::query(
        "INSERT INTO attempts (message_id, number, destination, begun_at)
         SELECT value ->> 0, value ->> 1, value ->> 2, $2 FROM json_each($1)",
    )
    .bind(&rows)
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    sqlx::query(
        "UPDATE reviews SET told = 1 WHERE told = 0 AND id IN
            (SELECT review_id FROM deliveries
             WHERE message_id IN (SELECT value ->> 0 FROM json_each($1)) AND state = 'pending')",
    )
    .bind(&rows)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

type ReviewTold = (String, String, String, Option<String>, String);

async fn load_reviews(transaction: &mut Transaction, leased: &mut [Leased]) -> Result<(), StoreError> {
    let ids: Vec<&str> = leased
        .iter()
        .filter(|message| !matches!(message.kind, MessageKind::Operator | MessageKind::Test))
        .map(|message| message.id.as_str())
        .collect();
    let rows: Vec<ReviewTold> = sqlx::query_as(
        "SELECT d.message_id, r.body, v.change, v.previous, d.rules
         FROM deliveries d JOIN reviews r ON r.id = d.review_id
         JOIN revisions v ON v.review_id = r.id AND v.revision = r.revision
         WHERE d.message_id IN (SELECT value FROM json_each($1)) AND d.state = 'pending'
           AND r.body IS NOT NULL
         ORDER BY r.reviewed_at IS NULL, r.reviewed_at, r.id",
    )
    .bind(json(&ids)?)
    .fetch_all(&mut **transaction)
    .await?;
    let mut reviews: HashMap<String, Vec<LeasedReview>> = HashMap::new();
    for (message, body, change, previous, rules) in rows {
        let review = LeasedReview {
            review: parse(&body)?,
            change: Change::parse(&change).ok_or_else(|| unknown("change", &change))?,
            previous: previous.as_deref().map(parse).transpose()?,
            rules: parse(&rules)?,
        };
        reviews.entry(message).or_default().push(review);
    }
    for message in leased {
        message.reviews = reviews.remove(&message.id).unwrap_or_default();
    }
    Ok(())
}

pub(super) async fn settle(
    mut transaction: Transaction,
    settlements: &[Settlement],
    now: Timestamp,
) -> Result<(), StoreError> {
    for settlement in settlements.iter().filter(|settlement| settlement.split_summary) {
        interventions::split_summary(&mut transaction, &settlement.id, settlement.number, now).await?;
    }
    let rows: Vec<_> = settlements.iter().map(|settlement| row_of(settlement, now)).collect();
    let rows = json(&rows)?;
    for statement in [
        "UPDATE attempts SET duration_ms = j.value ->> 'duration', outcome = j.value ->> 'outcome',
            reason = j.value ->> 'attempt_reason', status = j.value ->> 'status',
            detail = j.value ->> 'detail', excerpt = j.value ->> 'excerpt'
         FROM json_each($1) j
         WHERE attempts.message_id = j.value ->> 'id' AND attempts.number = j.value ->> 'number'
           AND $2 = $2",
        // A message whose lease ran out meanwhile and was taken again is not ours to settle, but one that
        // was delivered all the same must not be sent again.
        "UPDATE deliveries SET state = j.value ->> 'state', reason = j.value ->> 'reason', settled_at = $2
         FROM json_each($1) j
         WHERE deliveries.message_id = j.value ->> 'id' AND deliveries.state = 'pending'
           AND j.value ->> 'state' <> 'pending'
           AND EXISTS (SELECT 1 FROM messages m WHERE m.id = deliveries.message_id
                       AND m.state = 'pending' AND m.attempts = j.value ->> 'number')",
        "UPDATE messages SET state = j.value ->> 'state', reason = j.value ->> 'reason', lease = NULL,
            lease_until = NULL, next_at = j.value ->> 'next_at', plain = j.value ->> 'plain',
            possible_repeat = j.value ->> 'possible_repeat', content = COALESCE(j.value ->> 'content', content),
            settled_at = CASE WHEN j.value ->> 'state' <> 'pending' THEN $2 END
         FROM json_each($1) j
         WHERE messages.id = j.value ->> 'id' AND messages.state = 'pending'
           AND messages.attempts = j.value ->> 'number'",
    ] {
        sqlx::query(statement).bind(&rows).bind(now.0).execute(&mut *transaction).await?;
    }
    after_settling(&mut transaction, settlements, now).await?;
    for settlement in settlements {
        affect(&mut transaction, &settlement.destination, &settlement.effect, now).await?;
    }
    Ok(transaction.commit().await?)
}

fn row_of(settlement: &Settlement, now: Timestamp) -> serde_json::Value {
    let Settlement { attempt, .. } = settlement;
    object!({
        "id": settlement.id,
        "number": settlement.number,
        "duration": u64::try_from(settlement.duration.as_millis()).unwrap_or(u64::MAX),
        "outcome": attempt.outcome.as_str(),
        "attempt_reason": attempt.outcome.reason().map(Reason::as_str),
        "status": attempt.status,
        "detail": attempt.detail,
        "excerpt": attempt.excerpt,
        "state": settlement.state.as_str(),
        "reason": settlement.reason.map(Reason::as_str),
        "next_at": settlement.next_at.max(now).0,
        "plain": u8::from(settlement.form == Form::Plain),
        "possible_repeat": u8::from(settlement.possible_repeat),
        "content": settlement.content,
    })
}

async fn after_settling(
    transaction: &mut Transaction,
    settlements: &[Settlement],
    now: Timestamp,
) -> Result<(), StoreError> {
    let ids_where = |settled: bool| {
        settlements
            .iter()
            .filter(|settlement| (settlement.state != DeliveryState::Pending) == settled)
            .map(|settlement| settlement.id.as_str())
            .collect::<Vec<_>>()
    };
    let failed = ids_where(false);
    if !failed.is_empty() {
        supersede_failed(transaction, Some(&json(&failed)?), now).await?;
    }
    // A superseded delivery can be what held a mark back, so all of them are looked at.
    let all: Vec<&str> = settlements.iter().map(|settlement| settlement.id.as_str()).collect();
    let reviews: Vec<i64> = sqlx::query_scalar(
        "SELECT DISTINCT review_id FROM deliveries WHERE message_id IN (SELECT value FROM json_each($1))
            AND state <> 'pending'",
    )
    .bind(json(&all)?)
    .fetch_all(&mut **transaction)
    .await?;
    if !reviews.is_empty() {
        sqlx::query(marks::MARK_SETTLED)
            .bind(json(&reviews)?)
            .bind(now.0)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

async fn affect(
    transaction: &mut Transaction,
    destination: &str,
    effect: &DestinationEffect,
    now: Timestamp,
) -> Result<(), StoreError> {
    match effect {
        DestinationEffect::None => {}
        DestinationEffect::Working => {
            sqlx::query(
                "UPDATE destinations SET broken_at = NULL, broken_reason = NULL, broken_detail = NULL,
                    retry_at = NULL,
                    stopped_ms = stopped_ms + CASE WHEN paused_at IS NULL THEN MAX($2 - stopped_since, 0) ELSE 0 END,
                    stopped_since = CASE WHEN paused_at IS NULL THEN NULL ELSE stopped_since END,
                    opened_at = CASE WHEN paused_at IS NULL THEN $2 ELSE opened_at END
                 WHERE name = $1 AND broken_at IS NOT NULL",
            )
            .bind(destination)
            .bind(now.0)
            .execute(&mut **transaction)
            .await?;
        }
        DestinationEffect::Hold(until) => {
            sqlx::query(
                "INSERT INTO destinations (name, hold_until) VALUES ($1, $2)
                 ON CONFLICT DO UPDATE SET hold_until = MAX(hold_until, excluded.hold_until)",
            )
            .bind(destination)
            .bind(until.0)
            .execute(&mut **transaction)
            .await?;
        }
        DestinationEffect::Broken { reason, detail, retry_at } => {
            sqlx::query(
                "INSERT INTO destinations (name, broken_at, broken_reason, broken_detail, retry_at, stopped_since)
                 VALUES ($1, $2, $3, $4, $5, $2)
                 ON CONFLICT DO UPDATE SET broken_at = COALESCE(broken_at, excluded.broken_at),
                    broken_reason = excluded.broken_reason, broken_detail = excluded.broken_detail,
                    retry_at = excluded.retry_at, stopped_since = COALESCE(stopped_since, excluded.stopped_since)",
            )
            .bind(destination)
            .bind(now.0)
            .bind(reason.as_str())
            .bind(detail)
            .bind(retry_at.0)
            .execute(&mut **transaction)
            .await?;
        }
    }
    Ok(())
}

pub(super) async fn next_due(
    pool: &SqlitePool,
    destinations: &[&str],
) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let rows: Vec<(String, Option<i64>)> = sqlx::query_as(
        "SELECT value, (SELECT MIN(next_at) FROM messages
            WHERE destination = value AND state = 'pending' AND lease IS NULL) FROM json_each($1)",
    )
    .bind(json(destinations)?)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().filter_map(|(destination, at)| Some((destination, Timestamp(at?)))).collect())
}

pub(super) async fn attempts_since(
    pool: &SqlitePool,
    destination: &str,
    since: Timestamp,
) -> Result<Vec<Timestamp>, StoreError> {
    let rows: Vec<i64> = sqlx::query_scalar(
        "SELECT begun_at FROM attempts WHERE destination = $1 AND begun_at > $2 ORDER BY begun_at",
    )
    .bind(destination)
    .bind(since.0)
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(Timestamp).collect())
}

pub(super) async fn enqueue(
    transaction: &mut Transaction,
    messages: &[NewMessage],
    now: Timestamp,
) -> Result<(), StoreError> {
    for message in messages {
        sqlx::query(
            "INSERT INTO messages (id, destination, recipient, kind, content, next_at, created_at)
             VALUES ($1, $2, $3, $4, $5, $6, $6) ON CONFLICT (id) DO NOTHING",
        )
        .bind(&message.id)
        .bind(&message.destination)
        .bind(&message.recipient)
        .bind(message.kind.as_str())
        .bind(&message.content)
        .bind(now.0)
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}

pub(super) async fn dead_letter_orphans(
    mut transaction: Transaction,
    configured: &[String],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let configured = json(configured)?;
    sqlx::query(
        "UPDATE deliveries SET state = 'dead', reason = 'destination_removed', settled_at = $2
         WHERE state = 'pending' AND destination NOT IN (SELECT value FROM json_each($1))
           AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = message_id AND m.lease IS NOT NULL)",
    )
    .bind(&configured)
    .bind(now.0)
    .execute(&mut *transaction)
    .await?;
    let orphans = sqlx::query(
        "UPDATE messages SET state = 'dead', reason = 'destination_removed', settled_at = $2
         WHERE state = 'pending' AND lease IS NULL
           AND destination NOT IN (SELECT value FROM json_each($1))",
    )
    .bind(&configured)
    .bind(now.0)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(orphans.rows_affected())
}

from_row! {
    struct DestinationRow {
        name: String,
        paused_at: Option<i64>,
        broken_at: Option<i64>,
        broken_reason: Option<String>,
        broken_detail: Option<String>,
        retry_at: Option<i64>,
        hold_until: i64,
        stopped_since: Option<i64>,
        stopped_ms: i64,
        opened_at: i64,
    }
}

pub(super) async fn destinations(pool: &SqlitePool) -> Result<Vec<DestinationRecord>, StoreError> {
    let rows: Vec<DestinationRow> =
        sqlx::query_as("SELECT * FROM destinations ORDER BY name").fetch_all(pool).await?;
    let record = |row: DestinationRow| DestinationRecord {
        name: row.name,
        paused_at: time(row.paused_at),
        broken_at: time(row.broken_at),
        broken_reason: row.broken_reason,
        broken_detail: row.broken_detail,
        retry_at: time(row.retry_at),
        hold_until: Timestamp(row.hold_until),
        stopped_since: time(row.stopped_since),
        stopped: span(row.stopped_ms),
        opened_at: Timestamp(row.opened_at),
        ..DestinationRecord::default()
    };
    Ok(rows.into_iter().map(record).map(DestinationRecord::with_health).collect())
}

pub(super) async fn pause(
    mut transaction: Transaction,
    destination: &str,
    paused: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = if paused {
        "INSERT INTO destinations (name, paused_at, stopped_since) VALUES ($1, $2, $2)
         ON CONFLICT DO UPDATE SET paused_at = COALESCE(paused_at, $2), stopped_since = COALESCE(stopped_since, $2)"
    } else {
        "UPDATE destinations SET paused_at = NULL,
            retry_at = CASE WHEN broken_at IS NULL THEN NULL ELSE $2 END,
            stopped_ms = stopped_ms + CASE WHEN broken_at IS NULL THEN MAX($2 - COALESCE(stopped_since, $2), 0) ELSE 0 END,
            stopped_since = CASE WHEN broken_at IS NULL THEN NULL ELSE stopped_since END,
            opened_at = CASE WHEN broken_at IS NULL AND paused_at IS NOT NULL THEN $2 ELSE opened_at END
         WHERE name = $1"
    };
    sqlx::query(statement).bind(destination).bind(now.0).execute(&mut *transaction).await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn probe_broken(mut transaction: Transaction, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE destinations SET retry_at = $1 WHERE broken_at IS NOT NULL AND retry_at > $1")
        .bind(now.0)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}
