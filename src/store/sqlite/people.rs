//! Statements for people: listings of deliveries, attempts, reviews and revisions, and counts.

use super::*;

from_row! {
    struct Delivery {
        id: i64,
        account: String,
        uuid: String,
        revision: i64,
        destination: String,
        recipient: String,
        state: String,
        reason: Option<String>,
        rules: String,
        message_id: Option<String>,
        attempts: Option<i64>,
        next_at: Option<i64>,
        last_detail: Option<String>,
        created_at: i64,
        settled_at: Option<i64>,
    }
}

impl TryFrom<Delivery> for DeliveryRow {
    type Error = StoreError;

    fn try_from(row: Delivery) -> Result<Self, StoreError> {
        let state = DeliveryState::parse(&row.state).ok_or_else(|| unknown("delivery state", &row.state))?;
        Ok(Self {
            id: row.id,
            account: row.account,
            uuid: row.uuid,
            revision: number(row.revision),
            destination: row.destination,
            recipient: row.recipient,
            state,
            reason: row.reason,
            rules: parse(&row.rules)?,
            message_id: row.message_id,
            attempts: number(row.attempts.unwrap_or(0)),
            next_at: time(row.next_at).filter(|_| state == DeliveryState::Pending),
            last_detail: row.last_detail,
            created_at: Timestamp(row.created_at),
            settled_at: time(row.settled_at),
        })
    }
}

pub(super) async fn deliveries(
    pool: &SqlitePool,
    filter: &DeliveryFilter,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let rows: Vec<Delivery> = sqlx::query_as(
        "SELECT d.id, r.account, r.uuid, d.revision, d.destination, d.recipient, d.state, d.reason, d.rules,
            d.message_id, m.attempts, m.next_at, d.created_at, d.settled_at,
            (SELECT detail FROM attempts a WHERE a.message_id = d.message_id AND a.outcome IS NOT NULL
             ORDER BY a.number DESC LIMIT 1) AS last_detail
         FROM deliveries d JOIN reviews r ON r.id = d.review_id LEFT JOIN messages m ON m.id = d.message_id
         WHERE ($1 IS NULL OR d.id = $1) AND ($2 IS NULL OR r.account = $2)
           AND ($3 IS NULL OR d.destination = $3) AND ($4 IS NULL OR d.state = $4)
           AND ($5 IS NULL OR r.uuid = $5)
         ORDER BY d.id DESC LIMIT $6",
    )
    .bind(filter.id)
    .bind(&filter.account)
    .bind(&filter.destination)
    .bind(filter.state.map(DeliveryState::as_str))
    .bind(&filter.uuid)
    .bind(filter.limit)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(DeliveryRow::try_from).collect()
}

type Attempted =
    (i64, i64, Option<i64>, Option<String>, Option<String>, Option<i64>, Option<String>, Option<String>);

pub(super) async fn attempts(pool: &SqlitePool, message: &str) -> Result<Vec<AttemptRow>, StoreError> {
    let rows: Vec<Attempted> = sqlx::query_as(
        "SELECT number, begun_at, duration_ms, outcome, reason, status, detail, excerpt FROM attempts
         WHERE message_id = $1 ORDER BY number",
    )
    .bind(message)
    .fetch_all(pool)
    .await?;
    let row = |(at, begun_at, duration, outcome, reason, status, detail, excerpt): Attempted| AttemptRow {
        number: number(at),
        begun_at: Timestamp(begun_at),
        duration_ms: duration.map(count),
        outcome,
        reason,
        status: status.and_then(|status| u16::try_from(status).ok()),
        detail,
        excerpt,
    };
    Ok(rows.into_iter().map(row).collect())
}

from_row! {
    struct Reviewed {
        id: i64,
        account: String,
        uuid: String,
        state: String,
        revision: i64,
        body: Option<String>,
        first_seen_at: i64,
        changed_at: i64,
        listed: bool,
        undecided: bool,
        mark: String,
        mark_at: Option<i64>,
        mark_error: Option<String>,
    }
}

pub(super) async fn reviews(pool: &SqlitePool, filter: &ReviewFilter) -> Result<Vec<ReviewRow>, StoreError> {
    let rows: Vec<Reviewed> = sqlx::query_as(
        "SELECT id, account, uuid, state, revision, body, first_seen_at, changed_at, listed, undecided, mark,
            mark_at, mark_error FROM reviews
         WHERE ($1 IS NULL OR account = $1) AND ($2 IS NULL OR uuid = $2) AND ($3 IS NULL OR state = $3)
         ORDER BY changed_at DESC, id DESC LIMIT $4",
    )
    .bind(&filter.account)
    .bind(&filter.uuid)
    .bind(filter.state.map(ReviewState::as_str))
    .bind(filter.limit)
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(review).collect()
}

fn review(row: Reviewed) -> Result<ReviewRow, StoreError> {
    let state = ReviewState::parse(&row.state).ok_or_else(|| unknown("review state", &row.state))?;
    let body = row.body.as_deref();
    let (review, malformed) = match state {
        ReviewState::Malformed => (None, body.map(parse).transpose()?),
        _ => (body.map(parse).transpose()?, None),
    };
    Ok(ReviewRow {
        id: row.id,
        account: row.account,
        uuid: row.uuid,
        state,
        revision: number(row.revision),
        review,
        malformed,
        first_seen_at: Timestamp(row.first_seen_at),
        changed_at: Timestamp(row.changed_at),
        listed: row.listed,
        undecided: row.undecided,
        mark: row.mark,
        mark_at: time(row.mark_at),
        mark_error: row.mark_error,
    })
}

type Revised = (i64, String, Option<String>, Option<f64>, i64);

pub(super) async fn revisions(pool: &SqlitePool, review: i64) -> Result<Vec<RevisionRow>, StoreError> {
    let rows: Vec<Revised> = sqlx::query_as(
        "SELECT revision, change, previous, scale, seen_at FROM revisions WHERE review_id = $1 ORDER BY revision",
    )
    .bind(review)
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(revision, change, previous, scale, seen_at)| {
            Ok(RevisionRow {
                revision: number(revision),
                change: Change::parse(&change).ok_or_else(|| unknown("change", &change))?,
                previous: previous.as_deref().map(parse).transpose()?,
                scale,
                seen_at: Timestamp(seen_at),
            })
        })
        .collect()
}

pub(super) async fn count_deliveries(pool: &SqlitePool) -> Result<Vec<DeliveryCount>, StoreError> {
    let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
        "SELECT destination, state, COUNT(*), MIN(created_at) FROM deliveries GROUP BY destination, state",
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(destination, state, total, oldest)| {
            Ok(DeliveryCount {
                destination,
                state: DeliveryState::parse(&state).ok_or_else(|| unknown("delivery state", &state))?,
                count: count(total),
                oldest: Timestamp(oldest),
            })
        })
        .collect()
}

pub(super) async fn count_reviews(pool: &SqlitePool) -> Result<Vec<ReviewCount>, StoreError> {
    let rows: Vec<(String, String, i64, i64)> = sqlx::query_as(
        "SELECT account, state, COUNT(*), SUM(mark = 'due' AND shown) FROM reviews GROUP BY account, state
         ORDER BY account, state",
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter()
        .map(|(account, state, total, marks_due)| {
            Ok(ReviewCount {
                account,
                state: ReviewState::parse(&state).ok_or_else(|| unknown("review state", &state))?,
                count: count(total),
                marks_due: count(marks_due),
            })
        })
        .collect()
}

pub(super) async fn message(pool: &SqlitePool, id: &str) -> Result<Option<MessageRow>, StoreError> {
    let row: Option<(String, String, String, i64)> =
        sqlx::query_as("SELECT id, destination, state, attempts FROM messages WHERE id = $1")
            .bind(id)
            .fetch_optional(pool)
            .await?;
    row.map(|(id, destination, state, attempts)| {
        Ok(MessageRow {
            id,
            destination,
            state: DeliveryState::parse(&state).ok_or_else(|| unknown("message state", &state))?,
            attempts: number(attempts),
        })
    })
    .transpose()
}
