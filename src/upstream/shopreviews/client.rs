//! The client of one account: what the rest of the bridge calls, built from calls, envelopes and items.

use super::connection::{Call, Connection};
use super::envelope::Paging;
use super::names::Kind;
use super::page::{Collected, Each, LARGE_PAGE, PageSize, Pieces, Read, Reviews};
use super::settings::Settings;
use super::{Budget, Cursor, Endpoint, ErrorKind, Items, Page, PageEnd, Purpose, Upstream, UpstreamError};
use super::{address, envelope, names, paging};
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
    page_size: PageSize,
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
        let connection = Connection::new(settings, account, budget, clock, outbound)?;
        Ok(Self { connection, keep_email, page_size: PageSize::default() })
    }

    /// Reads one page of the list `endpoint`, and hands its items to `pieces`.
    async fn list(
        &self,
        endpoint: Endpoint,
        purpose: Purpose,
        url: &Url,
        pieces: &mut dyn Pieces,
    ) -> Result<Paging, UpstreamError> {
        let call = Call { endpoint, purpose, method: &Method::GET, url, body: None };
        self.connection.page(call, pieces).await
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
            let url = self.page_address(endpoint, cursor.as_ref(), None)?;
            let (mut count, mut unusable, mut new) = (0, 0, false);
            let mut add = Each(|raw: &str| {
                count += 1;
                match names::add(catalog, kind, raw) {
                    Some(added) => new |= added,
                    None => unusable += 1,
                }
            });
            let paging = self.list(endpoint, Purpose::Names, &url, &mut add).await?;
            if unusable > 0 {
                tracing::warn!(list = %endpoint.name(), unusable, "names without a usable uuid were skipped");
            }
            cursor = paging::next(&self.connection.base_url, cursor.as_ref(), &paging, count);
            if cursor.is_none() || !new {
                return Ok(());
            }
        }
        tracing::warn!(list = %endpoint.name(), "names beyond page {MAX_NAME_PAGES} were skipped");
        Ok(())
    }

    /// Reads the page of unread reviews at `cursor`; the first one with `limit` items where that is known.
    async fn unread(
        &self,
        cursor: Option<&Cursor>,
        limit: Option<u32>,
        items: &mut dyn Items,
    ) -> Result<Read, UpstreamError> {
        let endpoint = Endpoint::UnreadReviews;
        let purpose = if cursor.is_none() { Purpose::Newest } else { Purpose::Listing };
        let url = self.page_address(endpoint, cursor, limit)?;
        let mut reviews = Reviews::new(&self.connection.account, self.keep_email, items);
        let paging = self.list(endpoint, purpose, &url, &mut reviews).await?;
        Ok(Read { count: reviews.count, paging })
    }

    /// Asks once for a larger page than the first, `usual`; the page to go on from, and its length where that was asked.
    async fn larger(&self, usual: Read, items: &mut dyn Items) -> Result<(Read, Option<u32>), UpstreamError> {
        match self.unread(None, Some(LARGE_PAGE), items).await {
            Ok(read) if read.is_larger(&usual) => {
                self.page_size.learn(true);
                return Ok((read, Some(LARGE_PAGE)));
            }
            Err(error) if matches!(error.kind, ErrorKind::State(_)) => return Err(error),
            // It was not asked.
            Err(error) if matches!(error.kind, ErrorKind::Budget(_) | ErrorKind::RateLimited(_)) => {}
            Ok(_) | Err(_) => self.page_size.learn(false),
        }
        Ok((usual, None))
    }

    /// Reads the page at `cursor`, and where it `learns`, whether the API gives larger ones.
    async fn unread_from(
        &self,
        cursor: Option<&Cursor>,
        learns: bool,
        items: &mut dyn Items,
    ) -> Result<PageEnd, UpstreamError> {
        let asked = match cursor {
            None => self.page_size.limit(),
            Some(Cursor::Sized { limit, .. }) => Some(*limit),
            Some(Cursor::Page(_) | Cursor::Link(_)) => None,
        };
        let read = self.unread(cursor, asked, items).await;
        if let (Some(_), Err(error)) = (asked, &read)
            && matches!(error.kind, ErrorKind::Unavailable | ErrorKind::TimedOut | ErrorKind::Refused)
        {
            self.page_size.failed();
        }
        let (read, asked) = match read? {
            usual
                if learns
                    && cursor.is_none()
                    && self.page_size.is_unknown()
                    && usual.count < usize::try_from(LARGE_PAGE).unwrap_or(usize::MAX)
                    && paging::says_more(&usual.paging) =>
            {
                self.larger(usual, items).await?
            }
            read => (read, asked),
        };
        let next = paging::next(&self.connection.base_url, cursor, &read.paging, read.count);
        let next = match (next, asked) {
            (Some(Cursor::Page(page)), Some(limit)) => Some(Cursor::Sized { page, limit }),
            (next, _) => next,
        };
        Ok(PageEnd { next, total: read.paging.total })
    }

    fn page_address(
        &self,
        endpoint: Endpoint,
        cursor: Option<&Cursor>,
        limit: Option<u32>,
    ) -> Result<Url, UpstreamError> {
        let numbered = |page: Option<u32>, limit: Option<u32>| {
            let mut url = self.connection.address(endpoint, None)?;
            for (key, value) in [("page", page), ("limit", limit)] {
                if let Some(value) = value {
                    url.query_pairs_mut().append_pair(key, &value.to_string());
                }
            }
            Ok(url)
        };
        match cursor {
            None => numbered(None, limit),
            Some(Cursor::Page(page)) => numbered(Some(*page), None),
            Some(Cursor::Sized { page, limit }) => numbered(Some(*page), Some(*limit)),
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
        let mut collected = Collected::default();
        let PageEnd { next, total } = self.unread_from(cursor, false, &mut collected).await?;
        Ok(Page { items: collected.0, next, total })
    }

    async fn read_page(
        &self,
        cursor: Option<&Cursor>,
        items: &mut dyn Items,
    ) -> Result<PageEnd, UpstreamError> {
        self.unread_from(cursor, true, items).await
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
        let call =
            Call { endpoint, purpose: Purpose::Mark, method: &Method::POST, url: &url, body: body.as_ref() };
        self.connection.call(call, envelope::accept).await
    }

    fn token_expires_at(&self) -> Option<Timestamp> {
        self.connection.token_expires_at()
    }
}
