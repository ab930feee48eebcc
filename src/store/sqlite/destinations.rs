//! Statements about destinations: their health, pauses, and what becomes of what is queued for one that is gone.
//! What follows from an attempt is decided by `domain::health`, within the transaction.

use super::*;
use crate::domain::{Health, HealthState};
use std::collections::BTreeMap;

/// How long a destination is missing from the configuration before what is queued for it becomes dead letters: a file
/// that is being edited may lack one for a moment.
const REMOVED_FOR: std::time::Duration = std::time::Duration::from_secs(10 * 60);

from_row! {
    struct DestinationRow {
        name: String,
        paused_at: Option<i64>,
        health: String,
        health_since: Option<i64>,
        reason: Option<String>,
        detail: Option<String>,
        probe_at: Option<i64>,
        probes: i64,
        failures: i64,
        failures_from: Option<i64>,
        hold_until: i64,
        stopped_since: Option<i64>,
        stopped_ms: i64,
        opened_at: i64,
    }
}

const COLUMNS: &str =
    "name, paused_at, health, health_since, reason, detail, probe_at, probes, failures, failures_from,
    hold_until, stopped_since, stopped_ms, opened_at";

fn record(row: DestinationRow) -> Result<DestinationRecord, StoreError> {
    let state = HealthState::parse(&row.health).ok_or_else(|| unknown("health", &row.health))?;
    let reason = row.reason.map(|name| Reason::parse(&name).ok_or_else(|| unknown("reason", &name)));
    Ok(DestinationRecord {
        name: row.name,
        paused_at: time(row.paused_at),
        health: Health {
            state,
            since: time(row.health_since),
            reason: reason.transpose()?,
            detail: row.detail,
            probe_at: time(row.probe_at),
            probes: number(row.probes),
            failures: number(row.failures),
            failures_from: time(row.failures_from),
        },
        hold_until: Timestamp(row.hold_until),
        stopped_since: time(row.stopped_since),
        stopped: span(row.stopped_ms),
        opened_at: Timestamp(row.opened_at),
    })
}

pub(super) async fn all(pool: &SqlitePool) -> Result<Vec<DestinationRecord>, StoreError> {
    let query = format!("SELECT {COLUMNS} FROM destinations ORDER BY name");
    let rows: Vec<DestinationRow> = sqlx::query_as(sqlx::AssertSqlSafe(query)).fetch_all(pool).await?;
    rows.into_iter().map(record).collect()
}

/// What is known of `name`; a record without anything where nothing is.
async fn load(transaction: &mut Transaction, name: &str) -> Result<DestinationRecord, StoreError> {
    let query = format!("SELECT {COLUMNS} FROM destinations WHERE name = $1");
    let row: Option<DestinationRow> =
        sqlx::query_as(sqlx::AssertSqlSafe(query)).bind(name).fetch_optional(&mut **transaction).await?;
    match row {
        Some(row) => record(row),
        None => Ok(DestinationRecord { name: name.to_owned(), ..DestinationRecord::default() }),
    }
}

async fn save(transaction: &mut Transaction, record: &DestinationRecord) -> Result<(), StoreError> {
    let health = &record.health;
    sqlx::query(
        "INSERT INTO destinations (name, paused_at, health, health_since, reason, detail, probe_at, probes, failures,
            failures_from, hold_until, stopped_since, stopped_ms, opened_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
         ON CONFLICT DO UPDATE SET paused_at = $2, health = $3, health_since = $4, reason = $5, detail = $6, probe_at = $7,
            probes = $8, failures = $9, failures_from = $10, hold_until = $11, stopped_since = $12, stopped_ms = $13,
            opened_at = $14",
    )
    .bind(&record.name)
    .bind(record.paused_at.map(|at| at.0))
    .bind(health.state.as_str())
    .bind(health.since.map(|at| at.0))
    .bind(health.reason.map(Reason::as_str))
    .bind(&health.detail)
    .bind(health.probe_at.map(|at| at.0))
    .bind(health.probes)
    .bind(health.failures)
    .bind(health.failures_from.map(|at| at.0))
    .bind(record.hold_until.0)
    .bind(record.stopped_since.map(|at| at.0))
    .bind(millis(record.stopped))
    .bind(record.opened_at.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// What attempts mean for the destinations they are evidence about.
pub(super) async fn affect(
    transaction: &mut Transaction,
    settlements: &[Settlement],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut records: BTreeMap<&str, (DestinationRecord, bool)> = BTreeMap::new();
    for settlement in settlements {
        for name in &settlement.about {
            if !records.contains_key(name.as_str()) {
                let record = load(transaction, name).await?;
                records.insert(name, (record, false));
            }
            let Some((record, changed)) = records.get_mut(name.as_str()) else { continue };
            *changed |= record.follow(settlement, now);
        }
    }
    for (record, _) in records.values().filter(|(_, changed)| *changed) {
        save(transaction, record).await?;
        if record.opened_at == now && !record.is_stopped() {
            release(transaction, &record.name, now).await?;
        }
    }
    Ok(())
}

/// It works again: what failed while it did not need not wait for its next attempt.
async fn release(transaction: &mut Transaction, destination: &str, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE messages SET next_at = $2
         WHERE destination = $1 AND state = 'pending' AND lease IS NULL AND next_at > $2 AND attempts > 0",
    )
    .bind(destination)
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

pub(super) async fn pause(
    mut transaction: Transaction,
    destination: &str,
    paused: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut record = load(&mut transaction, destination).await?;
    record.set_paused(paused, now);
    save(&mut transaction, &record).await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn probe(mut transaction: Transaction, now: Timestamp) -> Result<(), StoreError> {
    sqlx::query("UPDATE destinations SET probe_at = $1 WHERE probe_at > $1")
        .bind(now.0)
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

pub(super) async fn dead_letter_orphans(
    mut transaction: Transaction,
    configured: &[String],
    now: Timestamp,
) -> Result<u64, StoreError> {
    let configured = json(configured)?;
    sqlx::query("DELETE FROM removed WHERE destination IN (SELECT value FROM json_each($1))")
        .bind(&configured)
        .execute(&mut *transaction)
        .await?;
    // From name to name by the index, for most of the ledger is settled.
    for (table, queued) in
        [("messages", "state = 'pending' AND lease IS NULL"), ("deliveries", "state = 'pending'")]
    {
        let query = format!(
            "WITH RECURSIVE names (name) AS (
                SELECT MIN(destination) FROM {table} WHERE {queued}
                UNION ALL
                SELECT (SELECT MIN(destination) FROM {table} WHERE {queued} AND destination > name) FROM names
                WHERE name IS NOT NULL)
             INSERT INTO removed (destination, since) SELECT name, $2 FROM names
             WHERE name NOT IN (SELECT value FROM json_each($1))
               AND EXISTS (SELECT 1 FROM {table} WHERE destination = name AND {queued}) ON CONFLICT DO NOTHING"
        );
        sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(&configured)
            .bind(now.0)
            .execute(&mut *transaction)
            .await?;
    }
    let gone = "destination IN (SELECT destination FROM removed WHERE since <= $1)";
    let deliveries = format!(
        "UPDATE deliveries SET state = 'dead', reason = 'destination_removed', settled_at = $2
         WHERE state = 'pending' AND {gone}
           AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = message_id AND m.lease IS NOT NULL)"
    );
    let messages = format!(
        "UPDATE messages SET state = 'dead', reason = 'destination_removed', settled_at = $2
         WHERE state = 'pending' AND lease IS NULL AND {gone}"
    );
    let mut orphans = 0;
    for query in [deliveries, messages] {
        orphans = sqlx::query(sqlx::AssertSqlSafe(query))
            .bind(now.minus(REMOVED_FOR).0)
            .bind(now.0)
            .execute(&mut *transaction)
            .await?
            .rows_affected();
    }
    transaction.commit().await?;
    Ok(orphans)
}
