//! Ratings that are above their scale: the scale is probably not set. Looked for in the newest reviews.

use crate::domain::{Catalog, Change, NativeRating, ProblemKind, RatingScales, Subject, Timestamp};
use crate::settings::table::quoted;
use crate::store::{ProblemKey, ReviewFilter, SharedStore, StoreError};
use std::collections::BTreeMap;

/// How many of the newest reviews are looked at.
const NEWEST: u32 = 1000;

/// How many ratings of an account are above their scale, by platform or source.
///
/// # Errors
/// The state failed.
pub async fn off_scale(
    store: &SharedStore,
    account: &str,
    scales: &RatingScales,
) -> Result<BTreeMap<String, u64>, StoreError> {
    let filter = ReviewFilter { account: Some(account.to_owned()), uuid: None, state: None, limit: NEWEST };
    let catalog = store.catalog(account).await?.map_or_else(Catalog::default, |(catalog, _)| catalog);
    let mut found = BTreeMap::new();
    for review in store.list_reviews(&filter).await?.into_iter().filter_map(|row| row.review) {
        let subject = Subject::resolve(review, &catalog, scales, Change::New, None);
        if matches!(subject.rating.native, NativeRating::Number(number) if number > subject.rating.scale) {
            let named = subject.platform.or(subject.source);
            *found.entry(named.map_or_else(|| "unknown".into(), |named| named.name)).or_default() += 1;
        }
    }
    Ok(found)
}

/// Reports them as a problem of the account, or that there are none.
pub(super) async fn report(
    store: &SharedStore,
    account: &str,
    scales: &RatingScales,
    now: Timestamp,
) -> Result<(), StoreError> {
    let found = off_scale(store, account, scales).await?;
    let key = ProblemKey { kind: ProblemKind::RatingsUnreadable, subject: account.to_owned() };
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    let count: u64 = found.values().sum();
    let text = format!(
        "ratings of account `{account}` are above their scale and count as unknown: {count} of the newest, of {}",
        quoted(&names)
    );
    let hint = format!(
        "set the scale that they use in `accounts.{account}.rating_scales`, such as `{{ \"NAME\" = 10 }}`"
    );
    store.report(&key, (count > 0).then_some((&*text, &*hint)), now).await
}
