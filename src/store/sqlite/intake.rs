//! Statements that take reviews in: what is known, new reviews and revisions, their deliveries and messages.

use super::*;
use crate::upstream::Malformed;
use serde_json::{Value, json as object};
use std::collections::{HashMap, HashSet};

/// A review's row as it was before this page.
struct Head {
    id: i64,
    revision: i64,
    state: ReviewState,
    body_hash: String,
    content_hash: String,
    /// Whether it is on the list, and the last complete listing or a page since showed it.
    listed: bool,
    shown: bool,
}

/// Reviews whose deliveries are to be made: the state's id, revision, and where they go.
struct Placement<'a> {
    id: i64,
    revision: i64,
    account: &'a str,
    uuid: &'a str,
    routed: &'a RouteDecision,
}

pub(super) async fn intake(
    mut transaction: Transaction,
    batch: &IntakeBatch<'_>,
    decide: Decide<'_>,
) -> Result<IntakeReport, StoreError> {
    let malformed = keep_malformed(&mut transaction, batch).await?;
    let mut report = IntakeReport { malformed, ..IntakeReport::default() };
    let heads = heads(&mut transaction, batch).await?;
    let changed = batch.reviews.iter().filter_map(|item| {
        let head = heads.get(&item.review.uuid)?;
        (head.body_hash != item.body_hash).then_some(head.id)
    });
    let known = known(&mut transaction, &changed.collect::<Vec<_>>(), &heads).await?;

    let (mut fresh, mut revised, mut refreshed) = (Vec::new(), Vec::new(), Vec::new());
    for item in batch.reviews {
        let head = heads.get(&item.review.uuid);
        report.seen.extend(head.map(|head| head.id));
        if head.is_some_and(|head| head.body_hash == item.body_hash) {
            continue;
        }
        let before = head.and_then(|head| known.get(&head.id));
        let arrival = Arrival { review: &item.review, content_hash: &item.content_hash, known: before };
        match (decide(arrival), head) {
            (Decision::Ignore, _) | (Decision::Refresh, None) => {}
            (Decision::Refresh, Some(head)) => refreshed.push((head, item)),
            (Decision::Revise(revision), Some(head)) => revised.push((head, item, revision)),
            (Decision::Revise(revision), None) => fresh.push((item, revision)),
        }
    }
    for (_, revision) in &fresh {
        tally(&mut report, &revision.routed, Some(revision.change));
        report.new += 1;
    }
    for (_, _, revision) in &revised {
        tally(&mut report, &revision.routed, Some(revision.change));
        report.edited += 1;
    }
    let fresh_ratings = fresh.iter().map(|(item, _)| (&item.review.source_uuid, None, &item.review.rating));
    let revised_ratings = revised.iter().map(|(head, item, _)| {
        let before = known.get(&head.id).and_then(|known| known.review.as_ref());
        (&item.review.source_uuid, before.map(|before| &before.rating), &item.review.rating)
    });
    names::see(&mut transaction, batch.account, fresh_ratings.chain(revised_ratings)).await?;
    refresh(&mut transaction, &refreshed).await?;
    let ids = insert(&mut transaction, batch, &fresh).await?;
    report.seen.extend(ids.values());
    revise(&mut transaction, batch, &revised).await?;

    let known_heads = || batch.reviews.iter().filter_map(|item| heads.get(&item.review.uuid));
    let unseen: Vec<i64> = known_heads().filter(|head| !head.shown).map(|head| head.id).collect();
    let again: Vec<i64> = known_heads().filter(|head| !head.listed).map(|head| head.id).collect();
    listing::shown_again(&mut transaction, &unseen).await?;

    let mut placements = Vec::new();
    for (item, revision) in &fresh {
        if let Some(id) = ids.get(&item.review.uuid) {
            placements.push(placement(*id, 1, batch.account, &item.review.uuid, &revision.routed));
        }
    }
    for (head, item, revision) in &revised {
        let (account, uuid) = (batch.account, item.review.uuid.as_str());
        placements.push(placement(head.id, head.revision + 1, account, uuid, &revision.routed));
    }
    place(&mut transaction, &placements, batch.now).await?;
    let ids: Vec<i64> = revised.iter().map(|(head, ..)| head.id).collect();
    if !revised.is_empty() {
        supersede(&mut transaction, &ids, batch.now).await?;
    }
    report.taken_back = listing::take_back_skips(&mut transaction, &again, batch.now).await?;
    if !revised.is_empty() {
        sqlx::query(marks::MARK_SETTLED)
            .bind(json(&ids)?)
            .bind(batch.now.0)
            .execute(&mut *transaction)
            .await?;
    }
    transaction.commit().await?;
    Ok(report)
}

fn placement<'a>(
    id: i64,
    revision: i64,
    account: &'a str,
    uuid: &'a str,
    routed: &'a RouteDecision,
) -> Placement<'a> {
    Placement { id, revision, account, uuid, routed }
}

fn tally(report: &mut IntakeReport, routed: &RouteDecision, change: Option<Change>) {
    match routed.state {
        ReviewState::Remembered => report.remembered += 1,
        ReviewState::Held | ReviewState::Settling => report.waiting += 1,
        _ if routed.deliveries.is_empty() => report.unmatched += 1,
        _ => report.matched += 1,
    }
    report.undecided += u64::from(routed.undecided);
    report.deliveries += routed.deliveries.len() as u64;
    if let Some(change) = change {
        report.count_change(change, 1);
    }
}

/// How often it is noted that an item without a uuid is still listed.
const SEEN_AGAIN: Duration = Duration::from_secs(86_400);

async fn keep_malformed(transaction: &mut Transaction, batch: &IntakeBatch<'_>) -> Result<u64, StoreError> {
    let mut kept = 0;
    for Malformed { hash, reason, payload } in batch.malformed {
        let body = json(&object!({ "reason": reason, "payload": payload }))?;
        let done = sqlx::query(
            "INSERT INTO reviews (account, uuid, state, revision, content_hash, body_hash, body,
                first_seen_at, changed_at, unlisted_at, aged_at)
             VALUES ($1, $2, 'malformed', 1, $2, $2, $3, $4, $4, $4, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(batch.account)
        .bind(format!("sha256:{hash}"))
        .bind(body)
        .bind(batch.now.0)
        .execute(&mut **transaction)
        .await?;
        kept += done.rows_affected();
        if done.rows_affected() == 0 {
            sqlx::query(
                "UPDATE reviews SET unlisted_at = $3 WHERE account = $1 AND uuid = $2 AND unlisted_at < $4",
            )
            .bind(batch.account)
            .bind(format!("sha256:{hash}"))
            .bind(batch.now.0)
            .bind(batch.now.minus(SEEN_AGAIN).0)
            .execute(&mut **transaction)
            .await?;
        }
    }
    Ok(kept)
}

type HeadRow = (i64, String, i64, String, String, String, bool, bool);

async fn heads(
    transaction: &mut Transaction,
    batch: &IntakeBatch<'_>,
) -> Result<HashMap<String, Head>, StoreError> {
    let uuids: Vec<&str> = batch.reviews.iter().map(|item| item.review.uuid.as_str()).collect();
    let rows: Vec<HeadRow> = sqlx::query_as(
        "SELECT id, uuid, revision, state, body_hash, content_hash, listed, shown FROM reviews
         WHERE account = $1 AND uuid IN (SELECT value FROM json_each($2))",
    )
    .bind(batch.account)
    .bind(json(&uuids)?)
    .fetch_all(&mut **transaction)
    .await?;
    rows.into_iter()
        .map(|(id, uuid, revision, state, body_hash, content_hash, listed, shown)| {
            let state = ReviewState::parse(&state).ok_or_else(|| unknown("review state", &state))?;
            Ok((uuid, Head { id, revision, state, body_hash, content_hash, listed, shown }))
        })
        .collect()
}

type KnownRow = (i64, String, Option<String>, i64, Option<String>, Option<String>, bool, i64);

/// What is known of the reviews `ids`, whose bodies changed.
async fn known(
    transaction: &mut Transaction,
    ids: &[i64],
    heads: &HashMap<String, Head>,
) -> Result<HashMap<i64, Known>, StoreError> {
    if ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<KnownRow> = sqlx::query_as(
        "SELECT r.id, r.uuid, r.body, r.first_seen_at, v.change, v.previous, r.told,
            r.changed_at
         FROM reviews r LEFT JOIN revisions v ON v.review_id = r.id AND v.revision = r.revision
         WHERE r.id IN (SELECT value FROM json_each($1))",
    )
    .bind(json(ids)?)
    .fetch_all(&mut **transaction)
    .await?;
    let mut known = HashMap::new();
    for (id, uuid, body, first_seen_at, change, previous, told, changed_at) in rows {
        let Some(head) = heads.get(&uuid) else { continue };
        // A tombstone keeps no revisions; what it is changed by is seen from its hashes.
        let change = change.unwrap_or_else(|| Change::New.as_str().to_owned());
        known.insert(
            id,
            Known {
                state: head.state,
                review: body.as_deref().map(parse).transpose()?,
                content_hash: head.content_hash.clone(),
                change: Change::parse(&change).ok_or_else(|| unknown("change", &change))?,
                previous: previous.as_deref().map(parse).transpose()?,
                attempted: told,
                first_seen_at: Timestamp(first_seen_at),
                changed_at: Timestamp(changed_at),
            },
        );
    }
    Ok(known)
}

/// What `insert` and `revise` write of a review, as one JSON object.
fn columns(item: &Fingerprinted, routed: &RouteDecision, now: Timestamp) -> Result<Value, StoreError> {
    let mark = routed.mark.then_some(now.0);
    Ok(object!({
        "uuid": item.review.uuid,
        "state": routed.state.as_str(),
        "content_hash": item.content_hash,
        "body_hash": item.body_hash,
        "body": json(&item.review)?,
        "reviewed_at": item.review.reviewed_at.map(|at| at.0),
        "match_at": routed.match_at.map(|at| at.0),
        "undecided": u8::from(routed.undecided),
        "mark": if routed.mark { "due" } else { "none" },
        "mark_at": mark,
    }))
}

async fn insert(
    transaction: &mut Transaction,
    batch: &IntakeBatch<'_>,
    fresh: &[(&Fingerprinted, Box<Revision>)],
) -> Result<HashMap<String, i64>, StoreError> {
    if fresh.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Result<Vec<Value>, StoreError> =
        fresh.iter().map(|(item, revision)| columns(item, &revision.routed, batch.now)).collect();
    let inserted: Vec<(i64, String)> = sqlx::query_as(
        "INSERT INTO reviews (account, uuid, state, revision, content_hash, body_hash, body, reviewed_at,
            first_seen_at, changed_at, unlisted_at, aged_at, listed, shown, match_at, undecided, mark, mark_at)
         SELECT $2, value ->> 'uuid', value ->> 'state', 1, value ->> 'content_hash', value ->> 'body_hash',
            value ->> 'body', value ->> 'reviewed_at', $3, $3, $3, $3, 1, 1, value ->> 'match_at', value ->> 'undecided',
            value ->> 'mark', value ->> 'mark_at'
         FROM json_each($1) ORDER BY key RETURNING id, uuid",
    )
    .bind(json(&rows?)?)
    .bind(batch.account)
    .bind(batch.now.0)
    .fetch_all(&mut **transaction)
    .await?;
    let ids: HashMap<String, i64> = inserted.into_iter().map(|(id, uuid)| (uuid, id)).collect();
    let revisions =
        fresh.iter().filter_map(|(item, revision)| Some((*ids.get(&item.review.uuid)?, 1, &**revision)));
    insert_revisions(transaction, revisions, batch.now).await?;
    Ok(ids)
}

async fn insert_revisions<'a>(
    transaction: &mut Transaction,
    revisions: impl Iterator<Item = (i64, i64, &'a Revision)>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let rows: Result<Vec<Value>, StoreError> = revisions
        .map(|(id, number, revision)| {
            let previous = revision.previous.as_ref().map(json).transpose()?;
            Ok(object!([id, number, revision.change.as_str(), previous, revision.routed.scale]))
        })
        .collect();
    sqlx::query(
        "INSERT INTO revisions (review_id, revision, change, previous, scale, seen_at)
         SELECT value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, $2 FROM json_each($1)",
    )
    .bind(json(&rows?)?)
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Keeps fields that make no revision.
async fn refresh(
    transaction: &mut Transaction,
    refreshed: &[(&Head, &Fingerprinted)],
) -> Result<(), StoreError> {
    for (head, item) in refreshed {
        sqlx::query("UPDATE reviews SET body = $2, body_hash = $3, reviewed_at = $4 WHERE id = $1")
            .bind(head.id)
            .bind(json(&item.review)?)
            .bind(&item.body_hash)
            .bind(item.review.reviewed_at.map(|at| at.0))
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

async fn revise(
    transaction: &mut Transaction,
    batch: &IntakeBatch<'_>,
    revised: &[(&Head, &Fingerprinted, Box<Revision>)],
) -> Result<(), StoreError> {
    if revised.is_empty() {
        return Ok(());
    }
    let mut rows = Vec::new();
    for (head, item, revision) in revised {
        let mut row = columns(item, &revision.routed, batch.now)?;
        row["id"] = head.id.into();
        rows.push(row);
    }
    // What no rule matches any more is not marked before its earlier deliveries are settled.
    sqlx::query(concat!(
        "UPDATE reviews SET revision = revision + 1, state = j.value ->> 'state',
            content_hash = j.value ->> 'content_hash', body_hash = j.value ->> 'body_hash',
            body = j.value ->> 'body', reviewed_at = j.value ->> 'reviewed_at', changed_at = $2, aged_at = $2,
            match_at = j.value ->> 'match_at', undecided = j.value ->> 'undecided', rematch = 0,
            mark_attempts = 0,
            mark_error = NULL, listed_since_mark = 0,
            mark = CASE WHEN ",
        marks::unsettled!(),
        " THEN 'none' ELSE j.value ->> 'mark' END,
            mark_at = CASE WHEN ",
        marks::unsettled!(),
        " THEN NULL ELSE j.value ->> 'mark_at' END
         FROM json_each($1) j WHERE reviews.id = j.value ->> 'id'",
    ))
    .bind(json(&rows)?)
    .bind(batch.now.0)
    .execute(&mut **transaction)
    .await?;
    let revisions = revised.iter().map(|(head, _, revision)| (head.id, head.revision + 1, &**revision));
    insert_revisions(transaction, revisions, batch.now).await
}

/// Makes deliveries and their messages; an older delivery to the same destination and recipient is no longer
/// the newest.
async fn place(
    transaction: &mut Transaction,
    placements: &[Placement<'_>],
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for placement in placements {
        for delivery in &placement.routed.deliveries {
            let revision = placement.revision.to_string();
            let (destination, recipient) = (&delivery.destination, &delivery.recipient);
            let message = ids::message_id(&[
                "review",
                destination,
                recipient,
                placement.account,
                placement.uuid,
                &revision,
            ]);
            rows.push(object!({
                "review_id": placement.id, "revision": placement.revision, "destination": destination,
                "recipient": recipient, "rules": json(&delivery.rules)?,
                "message": delivery.at_once.then_some(message),
            }));
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let rows = json(&rows)?;
    let revises = placements.iter().any(|placement| placement.revision > 1);
    if revises {
        sqlx::query(
            "UPDATE deliveries SET newest = 0 FROM json_each($1) j
             WHERE deliveries.review_id = j.value ->> 'review_id' AND deliveries.newest = 1
               AND deliveries.destination = j.value ->> 'destination'
               AND deliveries.recipient = j.value ->> 'recipient'",
        )
        .bind(&rows)
        .execute(&mut **transaction)
        .await?;
    }
    sqlx::query(
        "INSERT INTO messages (id, destination, recipient, kind, next_at, created_at)
         SELECT value ->> 'message', value ->> 'destination', value ->> 'recipient', 'review', $2, $2
         FROM json_each($1) WHERE value ->> 'message' IS NOT NULL ORDER BY key",
    )
    .bind(&rows)
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    sqlx::query(
        "INSERT INTO deliveries (review_id, revision, destination, recipient, rules, message_id, created_at)
         SELECT value ->> 'review_id', value ->> 'revision', value ->> 'destination',
            value ->> 'recipient', value ->> 'rules', value ->> 'message', $2
         FROM json_each($1) ORDER BY key",
    )
    .bind(&rows)
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// Ends pending deliveries that a newer revision replaces. One in flight is left: only if that attempt fails
/// is it superseded.
pub(super) async fn supersede(
    transaction: &mut Transaction,
    ids: &[i64],
    now: Timestamp,
) -> Result<(), StoreError> {
    let ids = json(ids)?;
    sqlx::query(
        "UPDATE deliveries SET state = 'superseded', settled_at = $2
         WHERE review_id IN (SELECT value FROM json_each($1)) AND newest = 0 AND state = 'pending'
           AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = message_id AND m.lease IS NOT NULL)",
    )
    .bind(&ids)
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    // A digest that still has other members goes on without the superseded one.
    sqlx::query(
        "UPDATE messages SET state = 'superseded', settled_at = $2
         WHERE state = 'pending' AND lease IS NULL AND kind <> 'operator' AND kind <> 'test'
           AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = messages.id AND d.state = 'pending')
           AND id IN
            (SELECT message_id FROM deliveries
             WHERE review_id IN (SELECT value FROM json_each($1)) AND state = 'superseded')",
    )
    .bind(&ids)
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

/// What waits for names, a scale or `settle`, or is to be matched again; by two partial indexes.
const WAITING: &str = "id IN (
    SELECT id FROM reviews WHERE account = $1 AND state IN ('held', 'settling') AND (state = 'held' OR match_at <= $2)
    UNION ALL
    SELECT id FROM reviews WHERE account = $1 AND rematch = 1 AND state IN ('matched', 'unmatched'))";

pub(super) async fn anything_waiting(
    pool: &SqlitePool,
    account: &str,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let query = format!("SELECT EXISTS (SELECT 1 FROM reviews WHERE {WAITING})");
    let waiting = sqlx::query_scalar(sqlx::AssertSqlSafe(query)).bind(account).bind(now.0);
    Ok(waiting.fetch_one(pool).await?)
}

type WaitingRow = (i64, String, i64, String, String, i64, String, Option<String>, Option<f64>);

/// Reviews with their newest revisions, as rules see them.
async fn waiting(
    transaction: &mut Transaction,
    ids: &[i64],
) -> Result<Vec<(i64, String, i64, UnroutedReview)>, StoreError> {
    let rows: Vec<WaitingRow> = sqlx::query_as(
        "SELECT r.id, r.uuid, r.revision, r.state, r.body, r.first_seen_at, v.change, v.previous,
            v.scale
         FROM reviews r JOIN revisions v ON v.review_id = r.id AND v.revision = r.revision
         WHERE r.body IS NOT NULL AND r.state <> 'malformed' AND r.id IN (SELECT value FROM json_each($1))
         ORDER BY r.id",
    )
    .bind(json(ids)?)
    .fetch_all(&mut **transaction)
    .await?;
    rows.into_iter()
        .map(|(id, uuid, revision, state, body, first_seen_at, change, previous, scale)| {
            let waiting = UnroutedReview {
                review: parse(&body)?,
                change: Change::parse(&change).ok_or_else(|| unknown("change", &change))?,
                previous: previous.as_deref().map(parse).transpose()?,
                first_seen_at: Timestamp(first_seen_at),
                state: ReviewState::parse(&state).ok_or_else(|| unknown("review state", &state))?,
                scale,
            };
            Ok((id, uuid, revision, waiting))
        })
        .collect()
}

pub(super) async fn route_again(
    mut transaction: Transaction,
    account: &str,
    reviews: &[i64],
    now: Timestamp,
    route: Route<'_>,
) -> Result<IntakeReport, StoreError> {
    let existing = existing(&mut transaction, reviews).await?;
    let mut report = IntakeReport::default();
    let mut routed = Vec::new();
    let mut updates = Vec::new();
    for (id, uuid, revision, waiting) in waiting(&mut transaction, reviews).await? {
        let waits = matches!(waiting.state, ReviewState::Held | ReviewState::Settling);
        if waits || waiting.review.account != account {
            continue;
        }
        let mut own = route(&waiting);
        own.deliveries.retain(|delivery| !existing.contains(&existing_key(id, delivery)));
        tally(&mut report, &own, None);
        updates.push(object!({
            "id": id, "state": own.state.as_str(), "undecided": u8::from(own.undecided),
            "waits": u8::from(!own.deliveries.is_empty()), "mark": u8::from(own.mark),
        }));
        routed.push((id, uuid, revision, own));
    }
    // What is to be sent once more is not marked before it is.
    sqlx::query(concat!(
        "UPDATE reviews SET state = j.value ->> 'state', undecided = j.value ->> 'undecided', rematch = 0,
            mark = CASE WHEN mark = 'due' AND j.value ->> 'waits' THEN 'none'
                        WHEN mark = 'none' AND j.value ->> 'mark' AND NOT ",
        marks::unsettled!(),
        " THEN 'due' ELSE mark END,
            mark_at = CASE WHEN mark = 'due' AND j.value ->> 'waits' THEN NULL
                           WHEN mark = 'none' AND j.value ->> 'mark' AND NOT ",
        marks::unsettled!(),
        " THEN $2 ELSE mark_at END
         FROM json_each($1) j WHERE reviews.id = j.value ->> 'id'",
    ))
    .bind(json(&updates)?)
    .bind(now.0)
    .execute(&mut *transaction)
    .await?;
    place_routed(&mut transaction, account, &routed, now).await?;
    transaction.commit().await?;
    Ok(report)
}

/// A delivery by its review, destination and recipient.
type ExistingKey = (i64, String, String);

fn existing_key(review: i64, delivery: &NewDelivery) -> ExistingKey {
    (review, delivery.destination.clone(), delivery.recipient.clone())
}

/// The deliveries that the newest revisions of these reviews have.
async fn existing(
    transaction: &mut Transaction,
    reviews: &[i64],
) -> Result<HashSet<ExistingKey>, StoreError> {
    let existing: Vec<ExistingKey> = sqlx::query_as(
        "SELECT d.review_id, d.destination, d.recipient FROM deliveries d JOIN reviews r ON r.id = d.review_id
         WHERE d.revision = r.revision AND r.id IN (SELECT value FROM json_each($1))",
    )
    .bind(json(reviews)?)
    .fetch_all(&mut **transaction)
    .await?;
    Ok(existing.into_iter().collect())
}

/// Makes the deliveries of reviews that were routed in state, by their id, uuid and revision; returns the ids.
async fn place_routed(
    transaction: &mut Transaction,
    account: &str,
    routed: &[(i64, String, i64, RouteDecision)],
    now: Timestamp,
) -> Result<Vec<i64>, StoreError> {
    let placements: Vec<Placement<'_>> = routed
        .iter()
        .map(|(id, uuid, revision, routed)| placement(*id, *revision, account, uuid, routed))
        .collect();
    place(transaction, &placements, now).await?;
    names::keep_scales(transaction, routed.iter().map(|(id, _, revision, routed)| (*id, *revision, routed)))
        .await?;
    let ids: Vec<i64> = routed.iter().map(|(id, ..)| *id).collect();
    supersede(transaction, &ids, now).await?;
    Ok(ids)
}

pub(super) async fn route_waiting(
    mut transaction: Transaction,
    account: &str,
    now: Timestamp,
    limit: u32,
    route: Route<'_>,
) -> Result<IntakeReport, StoreError> {
    let query = format!("SELECT id FROM reviews WHERE {WAITING} ORDER BY id LIMIT $3");
    let ids: Vec<i64> = sqlx::query_scalar(sqlx::AssertSqlSafe(query))
        .bind(account)
        .bind(now.0)
        .bind(limit)
        .fetch_all(&mut *transaction)
        .await?;
    let existing = existing(&mut transaction, &ids).await?;
    let mut report = IntakeReport::default();
    let mut routed = Vec::new();
    for (id, uuid, revision, waiting) in waiting(&mut transaction, &ids).await? {
        let mut own = route(&waiting);
        own.deliveries.retain(|delivery| !existing.contains(&existing_key(id, delivery)));
        tally(&mut report, &own, None);
        // What is still held is as it was.
        if own.state != ReviewState::Held {
            routed.push((id, uuid, revision, own));
        }
    }
    let mut updates = Vec::new();
    for (id, _, _, routed) in &routed {
        let mark = if routed.mark { "due" } else { "none" };
        let mark_at = routed.mark.then_some(now.0);
        let match_at = routed.match_at.map(|at| at.0);
        updates.push(object!([
            id,
            routed.state.as_str(),
            match_at,
            u8::from(routed.undecided),
            mark,
            mark_at,
            u8::from(routed.deliveries.is_empty())
        ]));
    }
    sqlx::query(concat!(
        "UPDATE reviews SET state = j.value ->> 1, match_at = j.value ->> 2, undecided = j.value ->> 3, rematch = 0,
            mark = CASE WHEN mark = 'done' OR (mark = 'due' AND j.value ->> 6) THEN mark WHEN ",
        marks::unsettled!(),
        " THEN 'none' ELSE j.value ->> 4 END,
            mark_at = CASE WHEN mark = 'done' OR (mark = 'due' AND j.value ->> 6) THEN mark_at WHEN ",
        marks::unsettled!(),
        " THEN NULL ELSE j.value ->> 5 END
         FROM json_each($1) j WHERE reviews.id = j.value ->> 0",
    ))
    .bind(json(&updates)?)
    .execute(&mut *transaction)
    .await?;
    let ids = place_routed(&mut transaction, account, &routed, now).await?;
    sqlx::query(marks::MARK_SETTLED).bind(json(&ids)?).bind(now.0).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(report)
}

pub(super) async fn next_match(pool: &SqlitePool, account: &str) -> Result<Option<Timestamp>, StoreError> {
    let at: Option<i64> =
        // Only what settles has such a time.
        sqlx::query_scalar("SELECT MIN(match_at) FROM reviews WHERE account = $1 AND state IN ('held', 'settling')")
            .bind(account)
            .fetch_one(pool)
            .await?;
    Ok(time(at))
}
