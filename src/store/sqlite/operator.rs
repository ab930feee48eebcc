//! Statements about problems: the facts they are assessed from, and which the operator was notified of.

use super::*;
use crate::domain::ProblemKind;
use crate::domain::ledger::LISTINGS_AFTER_MARK;
use std::collections::HashMap;

pub(super) async fn problem_facts(pool: &SqlitePool) -> Result<ProblemFacts, StoreError> {
    let listed = "SELECT account, COUNT(*) FROM reviews
         WHERE listed = 1 AND mark = 'done' AND listed_since_mark >= $1 GROUP BY account";
    let malformed =
        "SELECT account, COUNT(*) FROM reviews WHERE state = 'malformed' AND $1 = $1 GROUP BY account";
    let undecided = "SELECT account, COUNT(*) FROM reviews
         WHERE state = 'unmatched' AND undecided = 1 AND $1 = $1 GROUP BY account";
    // Only for what is broken: to count for every destination would cost reading all of the ledger.
    let queued = "SELECT name, COUNT(DISTINCT d.review_id)
         FROM destinations CROSS JOIN deliveries d ON d.destination = name AND d.state = 'pending'
         WHERE health IN ('failing', 'broken') AND $1 = $1 GROUP BY name ORDER BY name";
    Ok(ProblemFacts {
        accounts: account_facts(pool).await?,
        destinations: destinations::all(pool).await?,
        queued: tallies(pool, queued).await?,
        dead: dead_letters(pool).await?,
        marked_yet_listed: tallies(pool, listed).await?,
        malformed: tallies(pool, malformed).await?,
        undecided: tallies(pool, undecided).await?,
        unknown_names: names::unknown_names(pool).await?,
        scales: names::noted_scales(pool).await?,
    })
}

/// Subjects and counts; `$1` is how many listings may still show a marked review.
async fn tallies(pool: &SqlitePool, query: &'static str) -> Result<Vec<Tally>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(query).bind(LISTINGS_AFTER_MARK).fetch_all(pool).await?;
    Ok(rows.into_iter().map(|(subject, total)| Tally { subject, count: count(total) }).collect())
}

async fn dead_letters(pool: &SqlitePool) -> Result<Vec<DeadLetters>, StoreError> {
    let rows: Vec<(String, Option<String>, i64)> = sqlx::query_as(
        "SELECT destination, reason, COUNT(*) FROM deliveries
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
    let accounts = accounts::all(pool).await?;
    accounts
        .into_iter()
        .map(|(name, record)| {
            let catalog = catalogs.remove(&name).as_deref().map(parse).transpose()?;
            Ok(AccountFacts { name, record, catalog })
        })
        .collect()
}

pub(super) async fn problems(pool: &SqlitePool) -> Result<Vec<ProblemRecord>, StoreError> {
    let rows: Vec<(String, String, String, String, i64)> =
        sqlx::query_as("SELECT kind, subject, text, hint, told_at FROM troubles ORDER BY kind, subject")
            .fetch_all(pool)
            .await?;
    rows.into_iter()
        .map(|(kind, subject, text, hint, notified_at)| {
            let kind = ProblemKind::parse(&kind).ok_or_else(|| unknown("problem", &kind))?;
            Ok(ProblemRecord { kind, subject, text, hint, notified_at: Timestamp(notified_at) })
        })
        .collect()
}

pub(super) async fn notify(
    mut transaction: Transaction,
    started: &[ProblemRecord],
    over: &[ProblemKey],
    notices: &[NewMessage],
    now: Timestamp,
) -> Result<(), StoreError> {
    for key in over {
        sqlx::query("DELETE FROM troubles WHERE kind = $1 AND subject = $2")
            .bind(key.kind.as_str())
            .bind(&key.subject)
            .execute(&mut *transaction)
            .await?;
    }
    for problem in started {
        sqlx::query(
            "INSERT INTO troubles (kind, subject, text, hint, told_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO UPDATE SET text = excluded.text, hint = excluded.hint, told_at = excluded.told_at",
        )
        .bind(problem.kind.as_str())
        .bind(&problem.subject)
        .bind(&problem.text)
        .bind(&problem.hint)
        .bind(now.0)
        .execute(&mut *transaction)
        .await?;
    }
    sending::enqueue(&mut transaction, notices, now).await?;
    Ok(transaction.commit().await?)
}
