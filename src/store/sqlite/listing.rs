//! Statements about the unread list as a whole: what a complete listing showed and what it did not, what is skipped for
//! that, and what is taken back when it is listed again.

use super::*;
use crate::domain::ledger;
use interventions::Revived;

/// What is known of an account before a listing ends.
struct Before {
    baseline_at: Option<i64>,
    full_length: u64,
    empty: u32,
}

async fn before(transaction: &mut Transaction, account: &str) -> Result<Before, StoreError> {
    let (baseline_at, full_length, empty): (Option<i64>, i64, i64) =
        sqlx::query_as("SELECT baseline_at, full_length, empty_listings FROM accounts WHERE name = $1")
            .bind(account)
            .fetch_one(&mut **transaction)
            .await?;
    Ok(Before { baseline_at, full_length: count(full_length), empty: number(empty) })
}

pub(super) async fn complete(
    mut transaction: Transaction,
    listing: &CompleteListing<'_>,
) -> Result<ListingReport, StoreError> {
    let CompleteListing { account, now, .. } = *listing;
    let length = listing.seen.len() as u64;
    let seen = json(listing.seen)?;
    accounts::ensure(&mut transaction, account).await?;
    let before = before(&mut transaction, account).await?;
    let (full_length, empty) =
        if length == 0 { (before.full_length, before.empty.saturating_add(1)) } else { (length, 0) };

    note_seen(&mut transaction, listing, &seen).await?;
    let absence = if listing.steady { ledger::absence(length, before.full_length, empty) } else { 0 };
    let read_elsewhere = note_missing(&mut transaction, account, &seen, absence, now).await?;
    settle_refused(&mut transaction, listing, &seen).await?;
    if !listing.skip_if_read.is_empty() {
        skip_read(&mut transaction, listing).await?;
    }
    sqlx::query(
        "UPDATE accounts SET baseline_at = COALESCE(baseline_at, $2), listings = listings + 1,
            listing_length = $3, last_poll_at = $2, last_success_at = $2, failed_polls = 0,
            failing_since = NULL, full_length = $4, empty_listings = $5,
            last_steady_at = CASE WHEN $6 THEN $2 ELSE last_steady_at END WHERE name = $1",
    )
    .bind(account)
    .bind(now.0)
    .bind(i64::try_from(length).unwrap_or(i64::MAX))
    .bind(i64::try_from(full_length).unwrap_or(i64::MAX))
    .bind(empty)
    .bind(listing.steady)
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(ListingReport { baseline: before.baseline_at.is_none(), length, read_elsewhere })
}

/// Writes only what differs, so that a long list without news costs reading alone.
async fn note_seen(
    transaction: &mut Transaction,
    listing: &CompleteListing<'_>,
    seen: &str,
) -> Result<(), StoreError> {
    for statement in [
        "UPDATE reviews SET listed = 1, missing = 0, shown = 1
         WHERE +account = $1 AND (listed = 0 OR missing > 0 OR shown = 0)
            AND id IN (SELECT value FROM json_each($2)) AND $3 = $3",
        "UPDATE reviews SET shown = 0 WHERE account = $1 AND listed = 1 AND shown = 1
            AND id NOT IN (SELECT value FROM json_each($2)) AND $3 = $3",
        // A listing that began before the mark says nothing about it.
        "UPDATE reviews SET listed_since_mark = listed_since_mark + 1
         WHERE +account = $1 AND mark = 'done' AND listed = 1 AND mark_at <= $3
            AND listed_since_mark BETWEEN 0 AND 2 AND id IN (SELECT value FROM json_each($2))",
        "UPDATE reviews SET listed_since_mark = -1
         WHERE account = $1 AND mark = 'done' AND listed = 1 AND mark_at <= $3
            AND listed_since_mark >= 0 AND id NOT IN (SELECT value FROM json_each($2))",
    ] {
        sqlx::query(statement)
            .bind(listing.account)
            .bind(seen)
            .bind(listing.begun_at.0)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

/// Brings what is not among `seen` nearer to being off the list by so many listings. Returns how many reviews that we
/// did not mark are off it now: they were read elsewhere.
async fn note_missing(
    transaction: &mut Transaction,
    account: &str,
    seen: &str,
    absence: u32,
    now: Timestamp,
) -> Result<u64, StoreError> {
    if absence > 0 {
        sqlx::query(
            "UPDATE reviews SET missing = missing + $3 WHERE account = $1 AND listed = 1
                AND id NOT IN (SELECT value FROM json_each($2))",
        )
        .bind(account)
        .bind(seen)
        .bind(absence)
        .execute(&mut **transaction)
        .await?;
    }
    let gone: Vec<(String,)> = sqlx::query_as(
        "UPDATE reviews SET listed = 0, missing = 0, shown = 0, unlisted_at = $2
         WHERE account = $1 AND listed = 1 AND missing >= $3 RETURNING mark",
    )
    .bind(account)
    .bind(now.0)
    .bind(ledger::MISSING_LISTINGS)
    .fetch_all(&mut **transaction)
    .await?;
    Ok(gone.iter().filter(|(mark,)| mark != "done").count() as u64)
}

/// Marks that were refused, of reviews that a complete listing since does not show: there is nothing left to mark.
async fn settle_refused(
    transaction: &mut Transaction,
    listing: &CompleteListing<'_>,
    seen: &str,
) -> Result<(), StoreError> {
    let settled = sqlx::query(
        "UPDATE reviews SET mark = 'done', mark_at = $4, mark_error = NULL, listed_since_mark = -1,
            mark_refused_at = NULL
         WHERE account = $1 AND mark_refused_at IS NOT NULL AND mark_refused_at <= $3
            AND mark = 'due' AND mark_attempts > 0
            AND id NOT IN (SELECT value FROM json_each($2))",
    )
    .bind(listing.account)
    .bind(seen)
    .bind(listing.begun_at.0)
    .bind(listing.now.0)
    .execute(&mut **transaction)
    .await?;
    if settled.rows_affected() > 0 {
        sqlx::query(
            "UPDATE accounts SET mark_error = NULL WHERE name = $1 AND NOT EXISTS
                (SELECT 1 FROM reviews WHERE account = $1 AND mark = 'due' AND shown = 1)",
        )
        .bind(listing.account)
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}

/// Ends what is queued for destinations that skip what was read elsewhere: [`ledger::may_skip`].
async fn skip_read(transaction: &mut Transaction, listing: &CompleteListing<'_>) -> Result<(), StoreError> {
    let skipped: Vec<(i64, Option<String>)> = sqlx::query_as(
        "UPDATE deliveries SET state = 'skipped', reason = 'read_elsewhere', settled_at = $3
         WHERE destination IN (SELECT value FROM json_each($2)) AND state = 'pending'
           AND EXISTS (SELECT 1 FROM reviews r WHERE r.id = review_id AND r.account = $1 AND r.listed = 0
                       AND r.mark <> 'done' AND deliveries.created_at <= r.unlisted_at)
           AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = message_id AND m.lease IS NOT NULL)
         RETURNING review_id, message_id",
    )
    .bind(listing.account)
    .bind(json(listing.skip_if_read)?)
    .bind(listing.now.0)
    .fetch_all(&mut **transaction)
    .await?;
    if skipped.is_empty() {
        return Ok(());
    }
    let messages: Vec<&String> = skipped.iter().filter_map(|(_, message)| message.as_ref()).collect();
    interventions::end_emptied(transaction, &json(&messages)?, DeliveryState::Skipped, listing.now).await?;
    let reviews: Vec<i64> = skipped.iter().map(|(review, _)| *review).collect();
    sqlx::query(marks::MARK_SETTLED)
        .bind(json(&reviews)?)
        .bind(listing.now.0)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}

/// A page shows these reviews, which the last complete listing did not: they are on the list.
pub(super) async fn shown_again(transaction: &mut Transaction, reviews: &[i64]) -> Result<(), StoreError> {
    if reviews.is_empty() {
        return Ok(());
    }
    sqlx::query(
        "UPDATE reviews SET listed = 1, missing = 0, shown = 1 WHERE id IN (SELECT value FROM json_each($1))",
    )
    .bind(json(reviews)?)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Takes back the skips of reviews that are listed as unread again: their deliveries are pending as before, and their
/// marks wait for these. A member of a digest or summary that is still queued is one again; of one that is not, it waits
/// for the next digest, or gets a message of its own. Returns how many there were.
pub(super) async fn take_back_skips(
    transaction: &mut Transaction,
    reviews: &[i64],
    now: Timestamp,
) -> Result<u64, StoreError> {
    if reviews.is_empty() {
        return Ok(0);
    }
    let skipped: Vec<Revived> = sqlx::query_as(
        "SELECT d.id, d.review_id, d.revision, d.destination, d.recipient, r.account, r.uuid,
            CASE WHEN m.kind IN ('digest', 'summary') AND m.state = 'pending' AND m.lease IS NULL THEN 'queued'
                ELSE COALESCE(m.kind, 'digest') END AS kind,
            COALESCE(m.possible_repeat, 0) AS possible_repeat
         FROM deliveries d JOIN reviews r ON r.id = d.review_id LEFT JOIN messages m ON m.id = d.message_id
         WHERE d.review_id IN (SELECT value FROM json_each($1)) AND d.newest = 1 AND d.state = 'skipped'
            AND d.reason IS NOT 'unchanged' ORDER BY d.id",
    )
    .bind(json(reviews)?)
    .fetch_all(&mut **transaction)
    .await?;
    if skipped.is_empty() {
        return Ok(0);
    }
    let (members, others): (Vec<_>, Vec<_>) = skipped.into_iter().partition(|one| one.kind == "queued");
    let ids: Vec<i64> = members.iter().map(|one| one.id).collect();
    sqlx::query(
        "UPDATE deliveries SET state = 'pending', reason = NULL, settled_at = NULL
         WHERE id IN (SELECT value FROM json_each($1))",
    )
    .bind(json(&ids)?)
    .execute(&mut **transaction)
    .await?;
    interventions::bind(transaction, &others, false, now).await?;
    let reviews: Vec<i64> = members.iter().chain(&others).map(|one| one.review_id).collect();
    marks::take_back(transaction, &json(&reviews)?).await?;
    Ok((members.len() + others.len()) as u64)
}
