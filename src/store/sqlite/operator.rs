//! Statements about problems: the facts they are assessed from, which the operator was notified of, and what the
//! bridge notes of itself.

use super::*;
use crate::domain::ProblemKind;
use std::collections::HashMap;

/// Attempts among which the last delivery is looked for.
const LATEST: i64 = 50;
/// Messages waiting for a retry that are looked at, those furthest ahead first.
const RETRIED: i64 = 1_000;

pub(super) async fn problem_facts(pool: &SqlitePool, now: Timestamp) -> Result<ProblemFacts, StoreError> {
    // The number of listings is written out, as in the index: a bound one would not use it.
    let listed = "SELECT account, COUNT(*), NULL FROM reviews INDEXED BY reviews_yet_listed
         WHERE listed = 1 AND mark = 'done' AND listed_since_mark >= 3 GROUP BY account";
    let malformed = "SELECT account, COUNT(*), NULL FROM reviews INDEXED BY reviews_malformed
         WHERE state = 'malformed' GROUP BY account";
    let undecided = "SELECT account, COUNT(*), MIN(changed_at) FROM reviews INDEXED BY reviews_undecided
         WHERE state = 'unmatched' AND undecided = 1 GROUP BY account";
    Ok(ProblemFacts {
        accounts: account_facts(pool).await?,
        destinations: destinations::all(pool).await?,
        queues: queues(pool, now).await?,
        dead: dead_letters(pool).await?,
        marked_yet_listed: tallies(pool, listed).await?,
        malformed: tallies(pool, malformed).await?,
        undecided: tallies(pool, undecided).await?,
        unknown_names: names::unknown_names(pool).await?,
        scales: names::noted_scales(pool).await?,
        reported: reports(pool).await?,
        bridge: bridge(pool).await?,
    })
}

/// Subjects, counts, and the time of the first.
async fn tallies(pool: &SqlitePool, query: &'static str) -> Result<Vec<Tally>, StoreError> {
    let rows: Vec<(String, i64, Option<i64>)> = sqlx::query_as(query).fetch_all(pool).await?;
    let tally = |(subject, total, since)| Tally { subject, count: count(total), since: time(since) };
    Ok(rows.into_iter().map(tally).collect())
}

/// What waits for each destination. The destinations are found by jumping from one to the next in the index.
async fn queues(pool: &SqlitePool, now: Timestamp) -> Result<Vec<QueueFacts>, StoreError> {
    type Row = (String, Option<i64>, Option<i64>, Option<i64>);
    let rows: Vec<Row> = sqlx::query_as(
        "WITH RECURSIVE names (name) AS (
            SELECT MIN(destination) FROM messages WHERE state = 'pending' AND lease IS NULL
            UNION ALL
            SELECT (SELECT MIN(destination) FROM messages
                    WHERE state = 'pending' AND lease IS NULL AND destination > name)
            FROM names WHERE name IS NOT NULL)
         SELECT name,
            (SELECT next_at FROM messages
             WHERE destination = name AND state = 'pending' AND lease IS NULL AND next_at <= $1
               AND kind NOT IN ('operator', 'test') AND attempts = 0 ORDER BY next_at LIMIT 1),
            (SELECT MIN(first_attempt_at) FROM (SELECT first_attempt_at FROM messages
             WHERE destination = name AND state = 'pending' AND lease IS NULL
               AND kind NOT IN ('operator', 'test') ORDER BY next_at DESC LIMIT $2)),
            (SELECT MAX(begun_at) FROM (SELECT begun_at, outcome FROM attempts WHERE destination = name
             ORDER BY begun_at DESC LIMIT $3) WHERE outcome IN ('delivered', 'accepted'))
         FROM names WHERE name IS NOT NULL",
    )
    .bind(now.0)
    .bind(RETRIED)
    .bind(LATEST)
    .fetch_all(pool)
    .await?;
    let queue = |(destination, due, tried, delivered)| QueueFacts {
        destination,
        due_since: time(due),
        tried_since: time(tried),
        delivered_at: time(delivered),
    };
    Ok(rows.into_iter().map(queue).collect())
}

async fn dead_letters(pool: &SqlitePool) -> Result<Vec<DeadLetters>, StoreError> {
    let rows: Vec<(String, Option<String>, i64)> = sqlx::query_as(
        "SELECT destination, reason, COUNT(*) FROM deliveries INDEXED BY deliveries_dead
         WHERE state = 'dead' AND newest = 1 GROUP BY destination, reason ORDER BY destination, reason",
    )
    .fetch_all(pool)
    .await?;
    let dead = |(destination, reason, total): (String, Option<String>, i64)| DeadLetters {
        destination,
        reason: reason.as_deref().and_then(Reason::parse),
        count: count(total),
    };
    Ok(rows.into_iter().map(dead).collect())
}

async fn account_facts(pool: &SqlitePool) -> Result<Vec<AccountFacts>, StoreError> {
    let catalogs: Vec<(String, String)> =
        sqlx::query_as("SELECT name, catalog FROM accounts WHERE catalog IS NOT NULL")
            .fetch_all(pool)
            .await?;
    let mut catalogs: HashMap<String, String> = catalogs.into_iter().collect();
    type Work = (String, Option<i64>, Option<i64>, Option<i64>, Option<String>);
    let work: Vec<Work> = sqlx::query_as(
        "SELECT name, (SELECT MAX(at) FROM requests WHERE account = name),
            (SELECT MIN(mark_at) FROM reviews WHERE account = name AND mark = 'due' AND shown = 1),
            last.mark_attempts, last.mark_error
         FROM accounts LEFT JOIN reviews last ON last.id =
            (SELECT id FROM reviews WHERE account = name AND mark = 'due' AND shown = 1 ORDER BY mark_at DESC, id DESC LIMIT 1)",
    )
    .fetch_all(pool)
    .await?;
    let mut work: HashMap<String, Work> = work.into_iter().map(|row| (row.0.clone(), row)).collect();
    let accounts = accounts::all(pool).await?;
    accounts
        .into_iter()
        .map(|(name, record)| {
            let catalog = catalogs.remove(&name).as_deref().map(parse).transpose()?;
            let (_, requested, due, tries, error) = work.remove(&name).unwrap_or_default();
            Ok(AccountFacts {
                name,
                record,
                catalog,
                requested_at: time(requested),
                mark_due_at: time(due),
                mark_tries: error.map(|error| (number(tries.unwrap_or_default()), error)),
            })
        })
        .collect()
}

from_row! {
    struct ProblemRow {
        kind: String,
        subject: String,
        text: String,
        hint: String,
        since: i64,
        notified_at: Option<i64>,
        over_at: Option<i64>,
    }
}

fn record(row: ProblemRow) -> Result<ProblemRecord, StoreError> {
    Ok(ProblemRecord {
        kind: ProblemKind::parse(&row.kind).ok_or_else(|| unknown("problem", &row.kind))?,
        subject: row.subject,
        text: row.text,
        hint: row.hint,
        since: Timestamp(row.since),
        notified_at: time(row.notified_at),
        over_at: time(row.over_at),
    })
}

pub(super) async fn problems(pool: &SqlitePool) -> Result<Vec<ProblemRecord>, StoreError> {
    let rows: Vec<ProblemRow> =
        sqlx::query_as("SELECT * FROM problems ORDER BY kind, subject").fetch_all(pool).await?;
    rows.into_iter().map(record).collect()
}

async fn reports(pool: &SqlitePool) -> Result<Vec<ProblemRecord>, StoreError> {
    let rows: Vec<ProblemRow> = sqlx::query_as(
        "SELECT kind, subject, text, hint, since, NULL AS notified_at, NULL AS over_at FROM reports
         ORDER BY kind, subject",
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(record).collect()
}

pub(super) async fn report(
    mut transaction: Transaction,
    key: &ProblemKey,
    said: Option<(&str, &str)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let statement = match said {
        Some(_) => {
            "INSERT INTO reports (kind, subject, text, hint, since) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO UPDATE SET text = excluded.text, hint = excluded.hint"
        }
        None => "DELETE FROM reports WHERE kind = $1 AND subject = $2",
    };
    let (text, hint) = said.unwrap_or_default();
    sqlx::query(statement)
        .bind(key.kind.as_str())
        .bind(&key.subject)
        .bind(text)
        .bind(hint)
        .bind(now.0)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn notify(
    mut transaction: Transaction,
    kept: &[ProblemRecord],
    over: &[ProblemKey],
    notices: &[NewMessage],
    now: Timestamp,
) -> Result<(), StoreError> {
    for key in over {
        sqlx::query("DELETE FROM problems WHERE kind = $1 AND subject = $2")
            .bind(key.kind.as_str())
            .bind(&key.subject)
            .execute(&mut *transaction)
            .await?;
    }
    for problem in kept {
        sqlx::query(
            "INSERT INTO problems (kind, subject, text, hint, since, notified_at, over_at)
             VALUES ($1, $2, $3, $4, $5, $6, $7)
             ON CONFLICT DO UPDATE SET text = excluded.text, hint = excluded.hint, since = excluded.since,
                notified_at = excluded.notified_at, over_at = excluded.over_at",
        )
        .bind(problem.kind.as_str())
        .bind(&problem.subject)
        .bind(&problem.text)
        .bind(&problem.hint)
        .bind(problem.since.0)
        .bind(problem.notified_at.map(|at| at.0))
        .bind(problem.over_at.map(|at| at.0))
        .execute(&mut *transaction)
        .await?;
    }
    sending::enqueue(&mut transaction, notices, now).await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn backlog(
    pool: &SqlitePool,
    destination: &str,
    since: Timestamp,
    until: Timestamp,
) -> Result<Backlog, StoreError> {
    let waiting: i64 = sqlx::query_scalar(
        "SELECT COUNT(DISTINCT review_id) FROM deliveries
         WHERE destination = $1 AND state = 'pending' AND created_at <= $2",
    )
    .bind(destination)
    .bind(until.0)
    .fetch_one(pool)
    .await?;
    let sent: i64 = sqlx::query_scalar(
        "SELECT COUNT(DISTINCT d.review_id) FROM attempts a JOIN deliveries d ON d.message_id = a.message_id
         WHERE a.destination = $1 AND a.begun_at >= $2 AND a.outcome IN ('delivered', 'accepted')
           AND d.state = 'delivered' AND d.created_at <= $3",
    )
    .bind(destination)
    .bind(since.0)
    .bind(until.0)
    .fetch_one(pool)
    .await?;
    Ok(Backlog { waiting: count(waiting), sent: count(sent) })
}

from_row! {
    struct BridgeRow {
        started_at: Option<i64>,
        stopped_at: Option<i64>,
        loaded_at: Option<i64>,
        shown: Option<String>,
        refused_at: Option<i64>,
        refused_why: Option<String>,
        once_at: Option<i64>,
        once_failure: Option<String>,
    }
}

pub(super) async fn bridge(pool: &SqlitePool) -> Result<BridgeRecord, StoreError> {
    let row: Option<BridgeRow> = sqlx::query_as(
        "SELECT started_at, stopped_at, loaded_at, shown, refused_at, refused_why, once_at, once_failure
         FROM bridge",
    )
    .fetch_optional(pool)
    .await?;
    let record = |row: BridgeRow| BridgeRecord {
        started_at: time(row.started_at),
        stopped_at: time(row.stopped_at),
        loaded_at: time(row.loaded_at),
        shown: row.shown,
        refused_at: time(row.refused_at),
        refused_why: row.refused_why,
        once_at: time(row.once_at),
        once_failure: row.once_failure,
    };
    Ok(row.map(record).unwrap_or_default())
}

pub(super) async fn save_bridge(
    mut transaction: Transaction,
    record: &BridgeRecord,
) -> Result<(), StoreError> {
    let millis = |at: Option<Timestamp>| at.map(|at| at.0);
    sqlx::query(
        "INSERT OR REPLACE INTO bridge (id, started_at, stopped_at, loaded_at, shown, refused_at, refused_why,
            once_at, once_failure) VALUES (1, $1, $2, $3, $4, $5, $6, $7, $8)",
    )
    .bind(millis(record.started_at))
    .bind(millis(record.stopped_at))
    .bind(millis(record.loaded_at))
    .bind(&record.shown)
    .bind(millis(record.refused_at))
    .bind(&record.refused_why)
    .bind(millis(record.once_at))
    .bind(&record.once_failure)
    .execute(&mut *transaction)
    .await?;
    Ok(transaction.commit().await?)
}
