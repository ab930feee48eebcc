//! The client of one account: what the rest of the bridge calls, built from calls, envelopes and items.

use super::answer::{self, List};
use super::connection::{Call, Connection};
use super::names::Kind;
use super::settings::Settings;
use super::{Budget, Cursor, Endpoint, ErrorKind, Page, Purpose, Upstream, UpstreamError};
use super::{address, envelope, item, names};
use crate::clock::Clock;
use crate::domain::{Catalog, Timestamp};
use crate::outbound::Outbound;
use async_trait::async_trait;
use reqwest::Method;
use serde_json::json;
use std::sync::Arc;
use url::Url;

/// More pages of names than any account has.
const MAX_NAME_PAGES: u32 = 50;

/// One account of the ShopReviews API, over HTTP.
pub struct Client {
    connection: Connection,
    keep_email: bool,
}

impl Client {
    /// The client of `account`, calling by `outbound`. Customers' e-mail addresses are dropped unless `keep_email`.
    /// The error says what is wrong, without a secret.
    pub fn new(
        settings: &Settings,
        account: &str,
        budget: Arc<dyn Budget>,
        clock: Clock,
        keep_email: bool,
        outbound: &Outbound,
    ) -> Result<Self, String> {
        Ok(Self { connection: Connection::new(settings, account, budget, clock, outbound)?, keep_email })
    }

    /// One page of the list `endpoint`.
    async fn list<T: Send>(
        &self,
        endpoint: Endpoint,
        purpose: Purpose,
        cursor: Option<&Cursor>,
        read: impl Fn(&str) -> T + Send + Sync,
    ) -> Result<List<T>, UpstreamError> {
        let url = self.page_address(endpoint, cursor)?;
        let call = Call { endpoint, purpose, method: &Method::GET, url: &url, body: None, page: true };
        let base = &self.connection.base_url;
        self.connection.call(call, |text| answer::list(text, base, cursor, &read)).await
    }

    /// Reads every page of the names `kind` into `catalog`.
    async fn names(
        &self,
        kind: Kind,
        endpoint: Endpoint,
        catalog: &mut Catalog,
    ) -> Result<(), UpstreamError> {
        let mut cursor = None;
        for _ in 0..MAX_NAME_PAGES {
            let List { items, next, .. } =
                self.list(endpoint, Purpose::Names, cursor.as_ref(), |raw| raw.to_owned()).await?;
            let results: Vec<Option<bool>> = items.iter().map(|raw| names::add(catalog, kind, raw)).collect();
            let unusable = results.iter().filter(|result| result.is_none()).count();
            if unusable > 0 {
                tracing::warn!(list = %endpoint.name(), unusable, "names without a usable uuid were skipped");
            }
            cursor = next;
            if cursor.is_none() || !results.contains(&Some(true)) {
                return Ok(());
            }
        }
        tracing::warn!(list = %endpoint.name(), "names beyond page {MAX_NAME_PAGES} were skipped");
        Ok(())
    }

    fn page_address(&self, endpoint: Endpoint, cursor: Option<&Cursor>) -> Result<Url, UpstreamError> {
        match cursor {
            None => self.connection.address(endpoint, None),
            Some(Cursor::Page(page)) => {
                let mut url = self.connection.address(endpoint, None)?;
                url.query_pairs_mut().append_pair("page", &page.to_string());
                Ok(url)
            }
            // It was checked when it came in; it may have been kept in state since.
            Some(Cursor::Link(link)) => address::below(&self.connection.base_url, link).ok_or_else(|| {
                self.connection
                    .context(endpoint)
                    .error(ErrorKind::Refused, "the next page is not below `base_url`")
            }),
        }
    }
}

#[async_trait]
impl Upstream for Client {
    async fn unread_page(&self, cursor: Option<&Cursor>) -> Result<Page, UpstreamError> {
        let read = |raw: &str| item::read(raw, &self.connection.account, self.keep_email);
        Ok(self.list(Endpoint::UnreadReviews, Purpose::Listing, cursor, read).await?.into())
    }

    async fn catalog(&self) -> Result<Catalog, UpstreamError> {
        let mut catalog = Catalog::default();
        self.names(Kind::Sources, Endpoint::Sources, &mut catalog).await?;
        self.names(Kind::Websites, Endpoint::Websites, &mut catalog).await?;
        self.names(Kind::Platforms, Endpoint::Platforms, &mut catalog).await?;
        Ok(catalog)
    }

    async fn mark_read(&self, uuid: &str) -> Result<(), UpstreamError> {
        let endpoint = Endpoint::MarkReviewRead;
        if !address::is_usable_uuid(uuid) {
            return Err(self
                .connection
                .context(endpoint)
                .error(ErrorKind::Refused, "the uuid of the review cannot be part of a path"));
        }
        let url = self.connection.address(endpoint, Some(uuid))?;
        let in_path = self.connection.endpoints.path(endpoint).contains("{uuid}");
        let body = (!in_path).then(|| json!({"uuid": uuid}));
        let call = Call {
            endpoint,
            purpose: Purpose::Mark,
            method: &Method::POST,
            url: &url,
            body: body.as_ref(),
            page: false,
        };
        self.connection.call(call, envelope::accept).await
    }

    fn token_expires_at(&self) -> Option<Timestamp> {
        self.connection.token_expires_at()
    }
}
