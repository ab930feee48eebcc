//! Statements about problem: the facts it is assessed from, and what the operator was told.

use super::*;

/// Complete listings that may still show a marked review before somebody hears of it.
const LISTINGS_AFTER_MARK: i64 = 3;

pub(super) async fn problem_facts(pool: &SqlitePool) -> Result<ProblemFacts, StoreError> {
    let counted = |rows: Vec<(String, i64, i64)>| {
        rows.into_iter().map(|(name, total, newest)| (name, count(total), Timestamp(newest))).collect()
    };
    let dead: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT destination, COUNT(*), MAX(settled_at) FROM deliveries
         WHERE state = 'dead' AND newest = 1 GROUP BY destination",
    )
    .fetch_all(pool)
    .await?;
    let listed: Vec<(String, i64)> = sqlx::query_as(
        "SELECT account, COUNT(*) FROM reviews
         WHERE listed = 1 AND mark = 'done' AND listed_since_mark >= $1 GROUP BY account",
    )
    .bind(LISTINGS_AFTER_MARK)
    .fetch_all(pool)
    .await?;
    let malformed: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT account, COUNT(*), MAX(first_seen_at) FROM reviews WHERE state = 'malformed' GROUP BY account",
    )
    .fetch_all(pool)
    .await?;
    let undecided: Vec<(String, i64, i64)> = sqlx::query_as(
        "SELECT account, COUNT(*), MAX(changed_at) FROM reviews
         WHERE state = 'unmatched' AND undecided = 1 GROUP BY account",
    )
    .fetch_all(pool)
    .await?;
    let catalogs: Vec<(String, String)> =
        sqlx::query_as("SELECT name, catalog FROM accounts WHERE catalog IS NOT NULL ORDER BY name")
            .fetch_all(pool)
            .await?;
    Ok(ProblemFacts {
        accounts: accounts::all(pool).await?,
        destinations: sending::destinations(pool).await?,
        dead: counted(dead),
        marked_yet_listed: listed.into_iter().map(|(account, total)| (account, count(total))).collect(),
        malformed: counted(malformed),
        undecided: counted(undecided),
        catalogs: catalogs
            .into_iter()
            .map(|(name, text)| Ok((name, parse(&text)?)))
            .collect::<Result<_, StoreError>>()?,
    })
}

pub(super) async fn problems(pool: &SqlitePool) -> Result<Vec<ProblemRecord>, StoreError> {
    let rows: Vec<(String, String, String, String, i64)> =
        sqlx::query_as("SELECT kind, subject, text, hint, told_at FROM troubles ORDER BY kind, subject")
            .fetch_all(pool)
            .await?;
    let record = |(kind, subject, text, hint, notified_at)| ProblemRecord {
        kind,
        subject,
        text,
        hint,
        notified_at: Timestamp(notified_at),
    };
    Ok(rows.into_iter().map(record).collect())
}

pub(super) async fn tell(
    mut transaction: Transaction,
    started: &[ProblemRecord],
    over: &[(String, String)],
    notices: &[NewMessage],
    now: Timestamp,
) -> Result<(), StoreError> {
    for (kind, subject) in over {
        sqlx::query("DELETE FROM troubles WHERE kind = $1 AND subject = $2")
            .bind(kind)
            .bind(subject)
            .execute(&mut *transaction)
            .await?;
    }
    for problem in started {
        sqlx::query(
            "INSERT INTO troubles (kind, subject, text, hint, told_at) VALUES ($1, $2, $3, $4, $5)
             ON CONFLICT DO UPDATE SET text = excluded.text, hint = excluded.hint, told_at = excluded.told_at",
        )
        .bind(&problem.kind)
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
