//! Statements about scales of ratings, and about names in the configuration that nothing bears.

use super::*;
use crate::domain::{NativeRating, Scale, ScaleReason, SeenRatings};
use serde_json::json as object;
use std::collections::BTreeMap;

from_row! {
    struct ScaleRow {
        account: String,
        source: String,
        numbers: i64,
        above_five: i64,
        highest: f64,
        scale: Option<f64>,
        reason: Option<String>,
        since: Option<i64>,
    }
}

impl ScaleRow {
    fn record(self) -> Result<ScaleRecord, StoreError> {
        let reason =
            |name: String| ScaleReason::parse(&name).ok_or_else(|| unknown("reason of a scale", &name));
        let scale = self.scale.zip(self.reason.map(reason).transpose()?);
        Ok(ScaleRecord {
            account: self.account,
            source: self.source,
            seen: SeenRatings {
                numbers: count(self.numbers),
                above_five: count(self.above_five),
                highest: self.highest,
            },
            scale: scale.map(|(top, reason)| Scale { top, reason }),
            since: time(self.since),
        })
    }
}

pub(super) async fn scales(pool: &SqlitePool, account: &str) -> Result<Vec<ScaleRecord>, StoreError> {
    let rows: Vec<ScaleRow> = sqlx::query_as("SELECT * FROM scales WHERE account = $1 ORDER BY source")
        .bind(account)
        .fetch_all(pool)
        .await?;
    rows.into_iter().map(ScaleRow::record).collect()
}

/// Those that an operator wants to know of.
pub(super) async fn noted_scales(pool: &SqlitePool) -> Result<Vec<ScaleRecord>, StoreError> {
    let rows: Vec<ScaleRow> = sqlx::query_as(
        "SELECT * FROM scales WHERE reason IN ('learnt', 'contradicted') OR highest > scale
         ORDER BY account, source",
    )
    .fetch_all(pool)
    .await?;
    rows.into_iter().map(ScaleRow::record).collect()
}

pub(super) async fn save_scales(
    mut transaction: Transaction,
    account: &str,
    scales: &[(String, Scale)],
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows: Vec<_> =
        scales.iter().map(|(source, scale)| object!([source, scale.top, scale.reason.as_str()])).collect();
    let rows = json(&rows)?;
    // One that is decided for the first time is the one that its reviews were matched on.
    let changed: Vec<String> = sqlx::query_scalar(
        "SELECT s.source FROM json_each($2) j JOIN scales s ON s.account = $1 AND s.source = j.value ->> 0
         WHERE s.scale <> j.value ->> 1",
    )
    .bind(account)
    .bind(&rows)
    .fetch_all(&mut *transaction)
    .await?;
    sqlx::query(
        "INSERT INTO scales (account, source, scale, reason, since)
         SELECT $1, value ->> 0, value ->> 1, value ->> 2, $3 FROM json_each($2) WHERE true
         ON CONFLICT DO UPDATE SET scale = excluded.scale, reason = excluded.reason, since = excluded.since",
    )
    .bind(account)
    .bind(&rows)
    .bind(now.0)
    .execute(&mut *transaction)
    .await?;
    if !changed.is_empty() {
        sqlx::query(
            "UPDATE reviews SET rematch = 1 WHERE account = $1 AND state = 'unmatched'
                AND body ->> '$.source_uuid' IN (SELECT value FROM json_each($2))",
        )
        .bind(account)
        .bind(json(&changed)?)
        .execute(&mut *transaction)
        .await?;
    }
    Ok(transaction.commit().await?)
}

/// Adds to what was seen of each source what reviews show whose ratings were and are these.
pub(super) async fn see<'a>(
    transaction: &mut Transaction,
    account: &str,
    ratings: impl Iterator<Item = (&'a Option<String>, Option<&'a NativeRating>, &'a NativeRating)>,
) -> Result<(), StoreError> {
    let mut seen: BTreeMap<&str, SeenRatings> = BTreeMap::new();
    for (source, before, after) in ratings {
        let Some(source) = source else { continue };
        let of = seen.entry(source).or_default();
        *of = of.plus(SeenRatings::news(before, after));
    }
    seen.retain(|_, seen| seen.highest > 0.0 || seen.numbers > 0);
    if seen.is_empty() {
        return Ok(());
    }
    let rows: Vec<_> = seen
        .iter()
        .map(|(source, seen)| object!([source, seen.numbers, seen.above_five, seen.highest]))
        .collect();
    sqlx::query(
        "INSERT INTO scales (account, source, numbers, above_five, highest)
         SELECT $1, value ->> 0, value ->> 1, value ->> 2, value ->> 3 FROM json_each($2) WHERE true
         ON CONFLICT DO UPDATE SET numbers = numbers + excluded.numbers,
            above_five = above_five + excluded.above_five, highest = MAX(highest, excluded.highest)",
    )
    .bind(account)
    .bind(json(&rows)?)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Keeps the scales that revisions were matched on: their reviews' ids, numbers, and where they go.
pub(super) async fn keep_scales<'a>(
    transaction: &mut Transaction,
    routed: impl Iterator<Item = (i64, i64, &'a RouteDecision)>,
) -> Result<(), StoreError> {
    let rows: Vec<_> =
        routed.filter_map(|(id, revision, routed)| Some(object!([id, revision, routed.scale?]))).collect();
    sqlx::query(
        "UPDATE revisions SET scale = j.value ->> 2 FROM json_each($1) j
         WHERE review_id = j.value ->> 0 AND revision = j.value ->> 1",
    )
    .bind(json(&rows)?)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

pub(super) async fn unknown_names(pool: &SqlitePool) -> Result<Vec<UnknownName>, StoreError> {
    let rows: Vec<(String, String)> =
        sqlx::query_as("SELECT account, text FROM unknown_names ORDER BY account, text")
            .fetch_all(pool)
            .await?;
    Ok(rows.into_iter().map(|(account, text)| UnknownName { account, text }).collect())
}

pub(super) async fn save_unknown_names(
    mut transaction: Transaction,
    names: &[UnknownName],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM unknown_names").execute(&mut *transaction).await?;
    for name in names {
        sqlx::query("INSERT INTO unknown_names (account, text) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(&name.account)
            .bind(&name.text)
            .execute(&mut *transaction)
            .await?;
    }
    Ok(transaction.commit().await?)
}
