//! Statements about messages, attempts and destinations: leases, settlements, pauses.

use super::*;
use crate::domain::{Called, Outcome, Previous, Receipt, Review, receipt};
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
    let doubts = format!(
        "UPDATE deliveries SET doubt = MIN(COALESCE(doubt, revision), revision)
         WHERE state = 'pending' AND message_id IN (SELECT id FROM messages WHERE {which} AND $1 = $1)"
    );
    sqlx::query(sqlx::AssertSqlSafe(doubts)).bind(now.0).execute(&mut **transaction).await?;
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
    // A condition that also means "all" would be answered by reading all of them.
    let (of_these, these) = match messages {
        Some(_) => (
            "message_id IN (SELECT value FROM json_each($1))",
            "id IN (SELECT value FROM json_each($1)) AND +state = 'pending'",
        ),
        None => ("$1 IS NULL", "$1 IS NULL AND state = 'pending'"),
    };
    for statement in [
        format!(
            "UPDATE deliveries SET state = 'superseded', settled_at = $2
             WHERE state = 'pending' AND newest = 0 AND {of_these}
               AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = message_id AND m.lease IS NOT NULL)"
        ),
        format!(
            "UPDATE messages SET state = 'superseded', settled_at = $2
             WHERE {these} AND lease IS NULL AND kind <> 'operator' AND kind <> 'test'
               AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = messages.id AND d.state = 'pending')
               AND EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = messages.id AND d.state = 'superseded')"
        ),
    ] {
        sqlx::query(sqlx::AssertSqlSafe(statement)).bind(messages).bind(now.0).execute(&mut **transaction).await?;
    }
    Ok(())
}

/// Which due messages of a destination a request takes: `$1` destination, `$2` now, `$3` only this one,
/// `$4` without reviews, `$8` none of these.
const DUE: &str = "destination = $1 AND state = 'pending' AND lease IS NULL AND next_at <= $2
    AND ($3 IS NULL OR id = $3) AND ($4 = 0 OR kind IN ('operator', 'test'))
    AND ($8 IS NULL OR id NOT IN (SELECT value FROM json_each($8))) ORDER BY next_at, seq";

/// Which messages may be a probe, due or not: notices first, then what was tried least.
const PROBES: &str = "destination = $1 AND state = 'pending' AND lease IS NULL AND $2 = $2
    AND ($3 IS NULL OR id = $3) AND ($4 = 0 OR kind IN ('operator', 'test'))
    AND ($8 IS NULL OR id NOT IN (SELECT value FROM json_each($8)))
    ORDER BY kind NOT IN ('operator', 'test'), attempts, next_at, seq";

from_row! {
    struct LeasedRow {
        id: String,
        recipient: String,
        kind: String,
        content: Option<String>,
        form: i64,
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
    let query = |due: &str| {
        format!(
        "UPDATE messages SET lease = $5, lease_until = $6, attempts = attempts + 1,
            first_attempt_at = COALESCE(first_attempt_at, $2),
            stopped_base_ms = CASE WHEN attempts > 0 THEN stopped_base_ms ELSE COALESCE(
                (SELECT stopped_ms + MAX(COALESCE($2 - stopped_since, 0), 0) FROM destinations WHERE name = $1), 0) END
         WHERE seq IN (SELECT seq FROM messages WHERE {due} LIMIT $7)
         RETURNING id, recipient, kind, content, plain + short AS form, possible_repeat, attempts, first_attempt_at,
            stopped_base_ms"
    )
    };
    let mut leased = Vec::new();
    for request in requests.iter().filter(|request| request.limit > 0) {
        let query = query(if request.is_probe { PROBES } else { DUE });
        let rows: Vec<LeasedRow> = sqlx::query_as(sqlx::AssertSqlSafe(query))
            .bind(&request.destination)
            .bind(now.0)
            .bind(&request.only)
            .bind(request.without_reviews)
            .bind(owner)
            .bind(now.plus(request.hold).0)
            .bind(request.limit)
            .bind((!request.except.is_empty()).then(|| json(&request.except)).transpose()?)
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
                form: form_of(row.form),
                possible_repeat: row.possible_repeat,
                attempt: number(row.attempts),
                first_attempt_at: Timestamp(row.first_attempt_at),
                stopped_base: span(row.stopped_base_ms),
                begun_at: now,
            });
        }
    }
    if !leased.is_empty() {
        load_reviews(&mut transaction, &mut leased).await?;
        unchanged(&mut transaction, &mut leased, now).await?;
        begin_attempts(&mut transaction, &leased, now).await?;
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

from_row! {
    /// A delivery with the newest revision of its review, and what its recipient has.
    struct MemberRow {
        message_id: String,
        delivery: i64,
        revision: i64,
        review_id: i64,
        shown: i64,
        body: String,
        change: String,
        previous: Option<String>,
        scale: Option<f64>,
        rules: String,
        certain: Option<i64>,
        doubt: Option<i64>,
    }
}

async fn load_reviews(transaction: &mut Transaction, leased: &mut [Leased]) -> Result<(), StoreError> {
    let ids: Vec<&str> = leased
        .iter()
        .filter(|message| !matches!(message.kind, MessageKind::Operator | MessageKind::Test))
        .map(|message| message.id.as_str())
        .collect();
    // What was never edited was never sent as anything else. Of a tombstone it is no longer known who got what.
    let rows: Vec<MemberRow> = sqlx::query_as(
        "SELECT d.message_id, d.id AS delivery, d.revision, r.id AS review_id, r.revision AS shown, r.body, v.change,
            v.previous, v.scale, d.rules,
            CASE WHEN r.revision > 1 THEN (SELECT MAX(o.received) FROM deliveries o WHERE o.review_id = d.review_id
                AND +o.destination = d.destination AND +o.recipient = d.recipient) END AS certain,
            CASE WHEN r.revision > 1 THEN COALESCE(
                (SELECT MAX(o.doubt) FROM deliveries o WHERE o.review_id = d.review_id
                    AND +o.destination = d.destination AND +o.recipient = d.recipient AND o.doubt <> r.revision),
                (SELECT MIN(h.revision) - 1 FROM revisions h WHERE h.review_id = r.id HAVING MIN(h.revision) > 1)
            ) END AS doubt
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
    for row in rows {
        let message = row.message_id.clone();
        let member = member(transaction, row).await?;
        reviews.entry(message).or_default().push(member);
    }
    for message in leased {
        message.reviews = reviews.remove(&message.id).unwrap_or_default();
    }
    Ok(())
}

/// The review of a delivery, called as its recipient knows it.
async fn member(transaction: &mut Transaction, row: MemberRow) -> Result<LeasedReview, StoreError> {
    let review: Review = parse(&row.body)?;
    let own = row.previous.as_deref().map(parse::<Previous>).transpose()?;
    let said = match row.certain {
        Some(certain) if certain + 1 == row.shown => own,
        Some(certain) if certain < row.shown => said(transaction, row.review_id, certain).await?,
        _ => None,
    };
    let receipt = Receipt { certain: row.certain.map(number), doubt: row.doubt.map(number), said };
    let change = Change::parse(&row.change).ok_or_else(|| unknown("change", &row.change))?;
    let called = receipt::called(number(row.shown), &review, change, receipt);
    Ok(LeasedReview {
        delivery: row.delivery,
        revision: number(row.revision),
        shown: number(row.shown),
        review,
        called,
        rules: parse(&row.rules)?,
        scale: row.scale,
    })
}

/// What a revision said before the next one came.
async fn said(
    transaction: &mut Transaction,
    review: i64,
    revision: i64,
) -> Result<Option<Previous>, StoreError> {
    let previous: Option<Option<String>> =
        sqlx::query_scalar("SELECT previous FROM revisions WHERE review_id = $1 AND revision = $2")
            .bind(review)
            .bind(revision + 1)
            .fetch_optional(&mut **transaction)
            .await?;
    previous.flatten().as_deref().map(parse).transpose()
}

/// Takes out what the recipients have already: it is settled without an attempt.
async fn unchanged(
    transaction: &mut Transaction,
    leased: &mut Vec<Leased>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let (mut deliveries, mut emptied) = (Vec::new(), Vec::new());
    for message in leased.iter_mut() {
        let before = message.reviews.len();
        message.reviews.retain(|review| {
            let same = review.called == Called::Unchanged;
            deliveries.extend(same.then_some(review.delivery));
            !same
        });
        if before > 0 && message.reviews.is_empty() {
            emptied.push(message.id.clone());
        }
    }
    if deliveries.is_empty() {
        return Ok(());
    }
    leased.retain(|message| !emptied.contains(&message.id));
    let reviews: Vec<i64> = sqlx::query_scalar(
        "UPDATE deliveries SET state = 'skipped', reason = 'unchanged', settled_at = $2
         WHERE id IN (SELECT value FROM json_each($1)) RETURNING review_id",
    )
    .bind(json(&deliveries)?)
    .bind(now.0)
    .fetch_all(&mut **transaction)
    .await?;
    sqlx::query(
        "UPDATE messages SET state = 'skipped', reason = 'unchanged', settled_at = $2, lease = NULL, lease_until = NULL,
            first_attempt_at = CASE WHEN attempts > 1 THEN first_attempt_at END, attempts = attempts - 1
         WHERE id IN (SELECT value FROM json_each($1))",
    )
    .bind(json(&emptied)?)
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    sqlx::query(marks::MARK_SETTLED).bind(json(&reviews)?).bind(now.0).execute(&mut **transaction).await?;
    Ok(())
}

pub(super) async fn settle(
    mut transaction: Transaction,
    settlements: &[Settlement],
    now: Timestamp,
) -> Result<(), StoreError> {
    for settlement in settlements {
        split::split(&mut transaction, settlement, now).await?;
    }
    receipts(&mut transaction, settlements).await?;
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
        "UPDATE deliveries SET state = j.value ->> 'state', reason = j.value ->> 'reason', settled_at = $2,
            received = CASE WHEN j.value ->> 'state' = 'delivered' THEN revision ELSE received END,
            doubt = CASE WHEN j.value ->> 'state' = 'delivered' THEN NULL ELSE doubt END
         FROM json_each($1) j
         WHERE deliveries.message_id = j.value ->> 'id' AND deliveries.state = 'pending'
           AND j.value ->> 'state' <> 'pending'
           AND EXISTS (SELECT 1 FROM messages m WHERE m.id = deliveries.message_id
                       AND m.state = 'pending' AND m.attempts = j.value ->> 'number')",
        "UPDATE messages SET state = j.value ->> 'state', reason = j.value ->> 'reason', lease = NULL,
            lease_until = NULL, next_at = j.value ->> 'next_at', plain = j.value ->> 'plain', short = j.value ->> 'short',
            possible_repeat = j.value ->> 'possible_repeat', content = COALESCE(j.value ->> 'content', content),
            settled_at = CASE WHEN j.value ->> 'state' <> 'pending' THEN $2 END
         FROM json_each($1) j
         WHERE messages.id = j.value ->> 'id' AND messages.state = 'pending'
           AND messages.attempts = j.value ->> 'number'",
    ] {
        sqlx::query(statement).bind(&rows).bind(now.0).execute(&mut *transaction).await?;
    }
    received_newer(&mut transaction, settlements).await?;
    after_settling(&mut transaction, settlements, now).await?;
    destinations::affect(&mut transaction, settlements, now).await?;
    Ok(transaction.commit().await?)
}

/// What an attempt may have brought to its recipients, where that cannot be known.
async fn receipts(transaction: &mut Transaction, settlements: &[Settlement]) -> Result<(), StoreError> {
    let in_doubt = settlements
        .iter()
        .filter(|one| matches!(one.attempt.outcome, Outcome::Retry { ambiguous: true, .. }));
    let rows: Vec<_> = in_doubt
        .flat_map(|one| one.shown.iter().map(|shown| object!([shown.delivery, shown.shown, one.id])))
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE deliveries SET doubt = MIN(COALESCE(doubt, j.value ->> 1), j.value ->> 1) FROM json_each($1) j
         WHERE deliveries.id = j.value ->> 0 AND deliveries.message_id = j.value ->> 2 AND deliveries.state <> 'delivered'",
    )
    .bind(json(&rows)?)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// A delivery of an older revision that stood showed the newest.
async fn received_newer(transaction: &mut Transaction, settlements: &[Settlement]) -> Result<(), StoreError> {
    let delivered = settlements.iter().filter(|one| one.state == DeliveryState::Delivered);
    let rows: Vec<_> = delivered
        .flat_map(|one| {
            let newer = one.shown.iter().filter(|shown| shown.shown != shown.revision);
            newer.map(|shown| object!([shown.delivery, shown.shown, one.id]))
        })
        .collect();
    if rows.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE deliveries SET received = j.value ->> 1 FROM json_each($1) j
         WHERE deliveries.id = j.value ->> 0 AND deliveries.message_id = j.value ->> 2 AND deliveries.state = 'delivered'
           AND received < j.value ->> 1",
    )
    .bind(json(&rows)?)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// How a message is rendered, as its row keeps it.
fn form_of(steps: i64) -> Form {
    match steps {
        0 => Form::Full,
        1 => Form::Plain,
        _ => Form::Short,
    }
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
        "plain": u8::from(settlement.form != Form::Full),
        "short": u8::from(settlement.form == Form::Short),
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
