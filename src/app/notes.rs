//! What a bridge notes of itself in state, for commands that run beside it or after it.

use super::Once;
use crate::domain::Timestamp;
use crate::store::{BridgeRecord, SharedStore, StoreError};

/// `run` has started; `shown` is its configuration without secrets, where that is known.
pub(super) async fn started(
    store: &SharedStore,
    shown: Option<String>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let known = store.bridge().await?;
    let (once_at, once_failure) = (known.once_at, known.once_failure);
    let at = Some(now);
    let record = BridgeRecord {
        started_at: at,
        loaded_at: at,
        shown,
        once_at,
        once_failure,
        ..BridgeRecord::default()
    };
    store.save_bridge(&record).await
}

/// `run` ends in good order.
pub(super) async fn stopped(store: &SharedStore, now: Timestamp) -> Result<(), StoreError> {
    let known = store.bridge().await?;
    store.save_bridge(&BridgeRecord { stopped_at: Some(now), ..known }).await
}

/// Another configuration is active.
pub(super) async fn loaded(store: &SharedStore, shown: String, now: Timestamp) -> Result<(), StoreError> {
    let known = store.bridge().await?;
    let record = BridgeRecord {
        loaded_at: Some(now),
        shown: Some(shown),
        refused_at: None,
        refused_why: None,
        ..known
    };
    store.save_bridge(&record).await
}

/// An edited configuration is refused.
pub(super) async fn refused(store: &SharedStore, why: &str, now: Timestamp) -> Result<(), StoreError> {
    let known = store.bridge().await?;
    let refused_at = known.refused_at.or(Some(now));
    store.save_bridge(&BridgeRecord { refused_at, refused_why: Some(why.to_owned()), ..known }).await
}

/// `run --once` has ended.
pub(super) async fn once(store: &SharedStore, once: &Once, now: Timestamp) -> Result<(), StoreError> {
    let known = store.bridge().await?;
    let record = BridgeRecord { once_at: Some(now), once_failure: once.failure(), ..known };
    store.save_bridge(&record).await
}
