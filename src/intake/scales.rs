//! The scales that ratings are read on: from what is known of an account's sources, and kept when they change.

use crate::domain::{AccountPolicy, Catalog, Review, Scale, ScaleReason, SeenRatings, Timestamp};
use crate::rules::Scales;
use crate::store::{ScaleRecord, Store, StoreError};
use std::collections::BTreeMap;

/// The scales of an account, as it sets them and as its sources are known.
pub fn of(policy: &AccountPolicy, known: &[ScaleRecord]) -> Scales {
    let seen = known.iter().map(|record| (record.source.clone(), record.seen));
    Scales::new(policy.rating_scales.clone(), seen)
}

/// Adds what a page shows, before its reviews are matched.
pub(super) fn see_page<'a>(scales: &mut Scales, reviews: impl Iterator<Item = &'a Review>) {
    let mut page: BTreeMap<&str, SeenRatings> = BTreeMap::new();
    for review in reviews {
        if let Some(source) = &review.source_uuid {
            page.entry(source).or_default().add(&review.rating);
        }
    }
    for (source, seen) in page {
        scales.see(source, seen);
    }
}

/// Keeps the scales that are others than those in use, and says so in the log.
pub(super) async fn settle(
    store: &dyn Store,
    account: &str,
    policy: &AccountPolicy,
    catalog: &Catalog,
    known: &[ScaleRecord],
    now: Timestamp,
) -> Result<(), StoreError> {
    let scales = of(policy, known);
    let mut changed: Vec<(String, Scale)> = Vec::new();
    for record in known {
        let review = Review { source_uuid: Some(record.source.clone()), ..Review::default() };
        let scale = scales.of_review(&review, catalog);
        if record.scale == Some(scale) {
            continue;
        }
        let name = catalog.named(&record.source).map_or(record.source.as_str(), |named| named.name.as_str());
        if matches!(scale.reason, ScaleReason::Learnt | ScaleReason::Contradicted) {
            tracing::warn!(
                account = %account,
                source = %name,
                scale = %scale.top,
                "a rating scale was found: {}; to choose another, set it in `rating_scales`",
                scale.reason.because()
            );
        }
        changed.push((record.source.clone(), scale));
    }
    if changed.is_empty() {
        return Ok(());
    }
    store.save_scales(account, &changed, now).await
}
