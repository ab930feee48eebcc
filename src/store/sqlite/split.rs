//! Statements that send something else instead of a message that can never pass: its reviews one by one, or its halves.

use super::*;
use crate::domain::Part;

from_row! {
    /// A message that is too large.
    struct WholeRow {
        destination: String,
        recipient: String,
        kind: String,
        content: Option<String>,
        possible_repeat: bool,
    }
}

/// Does what the settlement says; nothing where the message was leased again meanwhile.
pub(super) async fn split(
    transaction: &mut Transaction,
    settlement: &Settlement,
    now: Timestamp,
) -> Result<(), StoreError> {
    match &settlement.split {
        Split::No => Ok(()),
        Split::Reviews => {
            interventions::split_summary(transaction, &settlement.id, settlement.number, now).await
        }
        Split::Halves(whole) => {
            let found: Option<WholeRow> = sqlx::query_as(
                "SELECT destination, recipient, kind, content, possible_repeat FROM messages
                 WHERE id = $1 AND state = 'pending' AND attempts = $2",
            )
            .bind(&settlement.id)
            .bind(settlement.number)
            .fetch_optional(&mut **transaction)
            .await?;
            match found {
                Some(row) => halves(transaction, &settlement.id, row, whole, now).await,
                None => Ok(()),
            }
        }
    }
}

async fn halves(
    transaction: &mut Transaction,
    id: &str,
    row: WholeRow,
    whole: &crate::domain::Figures,
    now: Timestamp,
) -> Result<(), StoreError> {
    let members: Vec<i64> = sqlx::query_scalar(
        "SELECT d.id FROM deliveries d JOIN reviews r ON r.id = d.review_id
         WHERE d.message_id = $1 AND d.state = 'pending'
         ORDER BY r.reviewed_at IS NULL, r.reviewed_at, r.id, d.id",
    )
    .bind(id)
    .fetch_all(&mut **transaction)
    .await?;
    let sides = members.chunks(members.len().div_ceil(2).max(1));
    for (side, members) in sides.enumerate() {
        let half = ids::message_id(&["half", id, &side.to_string()]);
        sqlx::query(
            "INSERT INTO messages (id, destination, recipient, kind, content, next_at, created_at, possible_repeat)
             VALUES ($1, $2, $3, $4, $5, $6, $6, $7)",
        )
        .bind(&half)
        .bind(&row.destination)
        .bind(&row.recipient)
        .bind(&row.kind)
        .bind(part_of(row.content.as_deref().unwrap_or("{}"), side, whole)?)
        .bind(now.0)
        .bind(row.possible_repeat)
        .execute(&mut **transaction)
        .await?;
        sqlx::query("UPDATE deliveries SET message_id = $1 WHERE id IN (SELECT value FROM json_each($2))")
            .bind(&half)
            .bind(json(members)?)
            .execute(&mut **transaction)
            .await?;
    }
    Ok(())
}

/// The content of one side of a message with this content.
///
/// # Errors
/// Where `content` is not that of a digest or a summary.
pub fn part_of(content: &str, side: usize, whole: &crate::domain::Figures) -> Result<String, StoreError> {
    let mut content: serde_json::Map<String, serde_json::Value> = parse(content)?;
    let parent: Option<Part> =
        content.get("part").cloned().map(serde_json::from_value).transpose()?.flatten();
    let parent = parent.unwrap_or(Part { number: 1, of: 1, whole: *whole });
    let side = u32::try_from(side).unwrap_or(u32::MAX);
    let number = parent.number.saturating_mul(2).saturating_sub(1).saturating_add(side);
    let part = Part { number, of: parent.of.saturating_mul(2), whole: parent.whole };
    content.insert("part".into(), serde_json::to_value(part)?);
    json(&content)
}
