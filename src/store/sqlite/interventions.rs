//! Statements for what a person does to deliveries: retry, resend, discard, move.

use super::*;

/// Ends pending messages in the JSON array `messages` that carry nothing pending any more. One in flight is
/// left to its attempt.
pub(super) async fn end_emptied(
    transaction: &mut Transaction,
    messages: &str,
    state: DeliveryState,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE messages SET state = $2, settled_at = $3
         WHERE id IN (SELECT value FROM json_each($1)) AND state = 'pending' AND lease IS NULL
           AND NOT EXISTS (SELECT 1 FROM deliveries d WHERE d.message_id = messages.id AND d.state = 'pending')",
    )
    .bind(messages)
    .bind(state.as_str())
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    Ok(())
}

pub(super) async fn intervene(
    mut transaction: Transaction,
    what: Intervention,
    deliveries: &[i64],
    now: Timestamp,
) -> Result<Vec<i64>, StoreError> {
    let mut changed = match what {
        Intervention::Retry => revive(&mut transaction, deliveries, DeliveryState::Dead, now).await?,
        Intervention::Resend => revive(&mut transaction, deliveries, DeliveryState::Delivered, now).await?,
        Intervention::Discard => discard(&mut transaction, deliveries, now).await?,
    };
    transaction.commit().await?;
    changed.sort_unstable();
    Ok(changed)
}

from_row! {
    /// A delivery that is pending again, with what identifies a message of its own.
    pub(super) struct Revived {
        pub(super) id: i64,
        pub(super) review_id: i64,
        revision: i64,
        destination: String,
        recipient: String,
        account: String,
        uuid: String,
        pub(super) kind: String,
        possible_repeat: bool,
    }
}

/// Makes deliveries in state `from` pending again. Their messages keep their ids and go on counting attempts,
/// but `give_up_after` starts over. A member of a summary gets a message of its own, one of a digest waits for the
/// next. One that a newer revision has taken the place of stays as it is.
async fn revive(
    transaction: &mut Transaction,
    deliveries: &[i64],
    from: DeliveryState,
    now: Timestamp,
) -> Result<Vec<i64>, StoreError> {
    let revived: Vec<Revived> = sqlx::query_as(
        "SELECT d.id, d.review_id, d.revision, d.destination, d.recipient, r.account, r.uuid,
            COALESCE(m.kind, 'digest') AS kind, COALESCE(m.possible_repeat, 0) AS possible_repeat
         FROM deliveries d JOIN reviews r ON r.id = d.review_id LEFT JOIN messages m ON m.id = d.message_id
         WHERE d.id IN (SELECT value FROM json_each($1)) AND d.state = $2 AND d.newest = 1",
    )
    .bind(json(deliveries)?)
    .bind(from.as_str())
    .fetch_all(&mut **transaction)
    .await?;
    bind(transaction, &revived, from == DeliveryState::Delivered, now).await?;
    let reviews: Vec<i64> = revived.iter().map(|one| one.review_id).collect();
    marks::take_back(transaction, &json(&reviews)?).await?;
    Ok(revived.into_iter().map(|one| one.id).collect())
}

/// Makes deliveries pending, each with a message of its own; those that were in a digest wait for the next.
pub(super) async fn bind(
    transaction: &mut Transaction,
    deliveries: &[Revived],
    repeats: bool,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut rows = Vec::new();
    for one in deliveries {
        let revision = one.revision.to_string();
        let parts = ["review", &one.destination, &one.recipient, &one.account, &one.uuid, &revision];
        rows.push(serde_json::json!({
            "id": one.id,
            "destination": one.destination,
            "recipient": one.recipient,
            "message": (one.kind != MessageKind::Digest.as_str()).then(|| ids::message_id(&parts)),
            "repeat": u8::from(one.possible_repeat || repeats),
        }));
    }
    let rows = json(&rows)?;
    for statement in [
        "INSERT INTO messages (id, destination, recipient, kind, next_at, created_at, possible_repeat)
         SELECT value ->> 'message', value ->> 'destination', value ->> 'recipient', 'review', $2, $2, value ->> 'repeat'
         FROM json_each($1) WHERE value ->> 'message' IS NOT NULL ORDER BY key
         ON CONFLICT (id) DO UPDATE SET state = 'pending', reason = NULL, settled_at = NULL, next_at = $2, plain = 0, short = 0,
            admitted = 0, possible_repeat = MAX(possible_repeat, excluded.possible_repeat),
            first_attempt_at = CASE WHEN attempts > 0 THEN $2 END,
            stopped_base_ms = COALESCE((SELECT stopped_ms + MAX(COALESCE($2 - stopped_since, 0), 0)
                                        FROM destinations WHERE name = messages.destination), 0)",
        "UPDATE deliveries SET state = 'pending', reason = NULL, settled_at = NULL, message_id = j.value ->> 'message',
            received = CASE WHEN state = 'delivered' THEN NULL ELSE received END
         FROM json_each($1) j WHERE deliveries.id = j.value ->> 'id' AND $2 = $2",
    ] {
        sqlx::query(statement).bind(&rows).bind(now.0).execute(&mut **transaction).await?;
    }
    Ok(())
}

/// Gives each review of a summary that can never pass a message of its own; not where it was leased again meanwhile.
pub(super) async fn split_summary(
    transaction: &mut Transaction,
    message: &str,
    number: u32,
    now: Timestamp,
) -> Result<(), StoreError> {
    let members: Vec<Revived> = sqlx::query_as(
        "SELECT d.id, d.review_id, d.revision, d.destination, d.recipient, r.account, r.uuid, m.kind, m.possible_repeat
         FROM messages m JOIN deliveries d ON d.message_id = m.id JOIN reviews r ON r.id = d.review_id
         WHERE m.id = $1 AND m.state = 'pending' AND m.attempts = $2 AND d.state = 'pending' AND d.newest = 1",
    )
    .bind(message)
    .bind(number)
    .fetch_all(&mut **transaction)
    .await?;
    bind(transaction, &members, false, now).await
}

async fn discard(
    transaction: &mut Transaction,
    deliveries: &[i64],
    now: Timestamp,
) -> Result<Vec<i64>, StoreError> {
    let discarded: Vec<(i64, i64, Option<String>)> = sqlx::query_as(
        "UPDATE deliveries SET state = 'discarded', reason = NULL, settled_at = $2
         WHERE id IN (SELECT value FROM json_each($1)) AND state IN ('pending', 'dead')
           AND NOT EXISTS (SELECT 1 FROM messages m WHERE m.id = message_id AND m.lease IS NOT NULL)
         RETURNING id, review_id, message_id",
    )
    .bind(json(deliveries)?)
    .bind(now.0)
    .fetch_all(&mut **transaction)
    .await?;
    let messages: Vec<&String> = discarded.iter().filter_map(|(_, _, message)| message.as_ref()).collect();
    end_emptied(transaction, &json(&messages)?, DeliveryState::Discarded, now).await?;
    let reviews: Vec<i64> = discarded.iter().map(|(_, review, _)| *review).collect();
    sqlx::query(marks::MARK_SETTLED).bind(json(&reviews)?).bind(now.0).execute(&mut **transaction).await?;
    Ok(discarded.into_iter().map(|(id, ..)| id).collect())
}

from_row! {
    /// A dead delivery that is to be moved: the state's id, its review, revision and rules, and what identifies
    /// its message.
    struct Dead {
        id: i64,
        review_id: i64,
        revision: i64,
        rules: String,
        account: String,
        uuid: String,
    }
}

pub(super) async fn move_to(
    mut transaction: Transaction,
    deliveries: &[i64],
    to: &MoveTo<'_>,
    now: Timestamp,
) -> Result<Vec<i64>, StoreError> {
    let dead: Vec<Dead> = sqlx::query_as(
        "SELECT d.id, d.review_id, d.revision, d.rules, r.account, r.uuid
         FROM deliveries d JOIN reviews r ON r.id = d.review_id
         WHERE d.id IN (SELECT value FROM json_each($1)) AND d.state = 'dead' AND d.newest = 1
           AND d.destination <> $2 ORDER BY d.id",
    )
    .bind(json(deliveries)?)
    .bind(to.destination)
    .fetch_all(&mut *transaction)
    .await?;
    for delivery in &dead {
        for recipient in to.recipients {
            deliver_instead(&mut transaction, delivery, to, recipient, now).await?;
        }
    }
    let ids: Vec<i64> = dead.iter().map(|delivery| delivery.id).collect();
    sqlx::query(
        "UPDATE deliveries SET state = 'discarded', reason = 'moved', settled_at = $2
         WHERE id IN (SELECT value FROM json_each($1))",
    )
    .bind(json(&ids)?)
    .bind(now.0)
    .execute(&mut *transaction)
    .await?;
    let reviews = json(&dead.iter().map(|delivery| delivery.review_id).collect::<Vec<_>>())?;
    sqlx::query(marks::MARK_SETTLED).bind(&reviews).bind(now.0).execute(&mut *transaction).await?;
    transaction.commit().await?;
    Ok(ids)
}

/// Makes the delivery that replaces a dead one, unless that recipient has one of this revision or a newer.
async fn deliver_instead(
    transaction: &mut Transaction,
    dead: &Dead,
    to: &MoveTo<'_>,
    recipient: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let known: Option<i64> = sqlx::query_scalar(
        "SELECT MAX(revision) FROM deliveries WHERE review_id = $1 AND destination = $2 AND recipient = $3",
    )
    .bind(dead.review_id)
    .bind(to.destination)
    .bind(recipient)
    .fetch_one(&mut **transaction)
    .await?;
    if known.is_some_and(|known| known >= dead.revision) {
        return Ok(());
    }
    sqlx::query(
        "UPDATE deliveries SET newest = 0 WHERE review_id = $1 AND destination = $2 AND recipient = $3",
    )
    .bind(dead.review_id)
    .bind(to.destination)
    .bind(recipient)
    .execute(&mut **transaction)
    .await?;
    let revision = dead.revision.to_string();
    let parts = ["review", to.destination, recipient, &dead.account, &dead.uuid, &revision];
    let message = to.at_once.then(|| ids::message_id(&parts));
    if let Some(message) = &message {
        sqlx::query(
            "INSERT INTO messages (id, destination, recipient, kind, next_at, created_at)
             VALUES ($1, $2, $3, 'review', $4, $4)",
        )
        .bind(message)
        .bind(to.destination)
        .bind(recipient)
        .bind(now.0)
        .execute(&mut **transaction)
        .await?;
    }
    sqlx::query(
        "INSERT INTO deliveries (review_id, revision, destination, recipient, rules, message_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
    )
    .bind(dead.review_id)
    .bind(dead.revision)
    .bind(to.destination)
    .bind(recipient)
    .bind(&dead.rules)
    .bind(&message)
    .bind(now.0)
    .execute(&mut **transaction)
    .await?;
    intake::supersede(transaction, &[dead.review_id], now).await?;
    marks::take_back(transaction, &json(&[dead.review_id])?).await
}
