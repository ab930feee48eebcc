//! Remembers which endpoints of an account answer as they should, for `check` and `status`.

use crate::clock::Clock;
use crate::domain::{Catalog, Timestamp};
use crate::store::SharedStore;
use crate::upstream::{Cursor, Endpoint, ErrorKind, Items, Page, PageEnd, Upstream, UpstreamError};
use async_trait::async_trait;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// How often a success that is no news is saved again.
const REFRESH: Duration = Duration::from_secs(3600);

/// An [`Upstream`] whose answers are noted in state.
pub struct Observed {
    inner: Arc<dyn Upstream>,
    store: SharedStore,
    clock: Clock,
    account: String,
    noted: Mutex<HashMap<&'static str, (Option<String>, Timestamp)>>,
}

impl Observed {
    /// Notes what `inner` answers.
    pub fn new(inner: Arc<dyn Upstream>, store: SharedStore, clock: Clock, account: &str) -> Self {
        Self { inner, store, clock, account: account.to_owned(), noted: Mutex::default() }
    }

    /// Writes only what is news, so that an endpoint that works costs no transaction a call.
    async fn note(&self, endpoint: &'static str, error: Option<&UpstreamError>) {
        let now = self.clock.now();
        let error = error.map(|error| error.detail.clone());
        let news = match self.noted.lock() {
            Ok(mut noted) => {
                let old = matches!(noted.get(endpoint), Some((known, at))
                    if *known == error && *at <= now && now.since(*at) < REFRESH);
                if !old {
                    noted.insert(endpoint, (error.clone(), now));
                }
                !old
            }
            Err(_) => false,
        };
        if news
            && let Err(failed) =
                self.store.endpoint_seen(&self.account, endpoint, error.as_deref(), now).await
        {
            tracing::warn!(endpoint = %endpoint, error = %failed, "the state of an endpoint could not be saved");
        }
    }

    async fn note_result<T>(&self, endpoints: &[Endpoint], result: &Result<T, UpstreamError>) {
        match result {
            Ok(_) => {
                for endpoint in endpoints {
                    self.note(endpoint.key(), None).await;
                }
            }
            Err(error) if matches!(error.kind, ErrorKind::Budget(_) | ErrorKind::State(_)) => {}
            Err(error) => {
                let named = endpoints.iter().find(|endpoint| endpoint.setting() == error.setting);
                if let Some(endpoint) = named.or(endpoints.first()) {
                    self.note(endpoint.key(), Some(error)).await;
                }
            }
        }
    }
}

#[async_trait]
impl Upstream for Observed {
    async fn unread_page(&self, cursor: Option<&Cursor>) -> Result<Page, UpstreamError> {
        let result = self.inner.unread_page(cursor).await;
        self.note_result(&[Endpoint::UnreadReviews], &result).await;
        result
    }

    async fn read_page(
        &self,
        cursor: Option<&Cursor>,
        items: &mut dyn Items,
    ) -> Result<PageEnd, UpstreamError> {
        let result = self.inner.read_page(cursor, items).await;
        self.note_result(&[Endpoint::UnreadReviews], &result).await;
        result
    }

    async fn catalog(&self) -> Result<Catalog, UpstreamError> {
        let result = self.inner.catalog().await;
        self.note_result(&[Endpoint::Sources, Endpoint::Websites, Endpoint::Platforms], &result).await;
        result
    }

    async fn mark_read(&self, uuid: &str) -> Result<(), UpstreamError> {
        let result = self.inner.mark_read(uuid).await;
        self.note_result(&[Endpoint::MarkReviewRead], &result).await;
        result
    }

    fn token_expires_at(&self) -> Option<Timestamp> {
        self.inner.token_expires_at()
    }
}
