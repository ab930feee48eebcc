//! What the body of an answer holds: from bytes to pages, names and refusals. Pure: the client adds only the
//! connection.

use super::envelope::{self, Wrong, body_text};
use super::failure::CallContext;
use super::names::{self, Kind};
use super::{Cursor, Endpoint, Page, UpstreamError, item, paging};
use crate::domain::Catalog;
use url::Url;

/// One page of a list.
#[derive(Debug)]
pub(super) struct List<T> {
    /// Its items, in order.
    pub(super) items: Vec<T>,
    /// Where the next page may be.
    pub(super) next: Option<Cursor>,
    /// How many items the API says there are in all.
    pub(super) total: Option<u64>,
}

impl From<List<super::Item>> for Page {
    fn from(List { items, next, total }: List<super::Item>) -> Self {
        Self { items, next, total }
    }
}

/// Reads the list that `text` holds in any envelope, each item with `read`: the answer to a request for the
/// page at `requested`.
pub(super) fn list<T>(
    text: &str,
    base: &Url,
    requested: Option<&Cursor>,
    read: &impl Fn(&str) -> T,
) -> Result<List<T>, Wrong> {
    let strictly = |text: &str| {
        let list = envelope::list(text)?;
        let items: Vec<T> = list.items.iter().map(|raw| read(raw.get())).collect();
        let next = paging::next(base, requested, &list.paging, items.len());
        Ok(List { items, next, total: list.paging.total })
    };
    match strictly(text) {
        // A line end within a text is no JSON, yet some platforms' texts come through with one.
        Err(Wrong::Body(_)) if text.contains(|c: char| c < ' ') => {
            strictly(&text.replace(|c: char| c < ' ', " "))
        }
        other => other,
    }
}

/// Reads answers as the client of an account does, without a connection: what tests and fuzzers call.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    /// The account's name.
    pub account: &'a str,
    /// What links to other pages must lie below.
    pub base_url: &'a Url,
    /// Whether customers' e-mail addresses are kept.
    pub keep_email: bool,
}

impl Reader<'_> {
    /// The page of unread reviews that `body` holds, which was requested at `requested`.
    ///
    /// # Errors
    /// What it is instead, or the API's own refusal.
    pub fn unread_page(&self, body: &[u8], requested: Option<&Cursor>) -> Result<Page, UpstreamError> {
        let read = |raw: &str| item::read(raw, self.account, self.keep_email);
        let list = list(&body_text(body), self.base_url, requested, &read);
        list.map(Page::from).map_err(|wrong| self.context(Endpoint::UnreadReviews).wrong(200, &wrong))
    }

    /// The names that `body` holds, as if it were the list of sources, of websites and of platforms.
    ///
    /// # Errors
    /// What it is instead, or the API's own refusal.
    pub fn catalog(&self, body: &[u8]) -> Result<Catalog, UpstreamError> {
        let mut catalog = Catalog::default();
        let list = list(&body_text(body), self.base_url, None, &str::to_owned)
            .map_err(|wrong| self.context(Endpoint::Sources).wrong(200, &wrong))?;
        for kind in [Kind::Sources, Kind::Websites, Kind::Platforms] {
            for raw in &list.items {
                names::add(&mut catalog, kind, raw);
            }
        }
        Ok(catalog)
    }

    /// What an answer of `status`, which is not 2xx, means.
    pub fn refusal(&self, status: u16, body: &[u8]) -> UpstreamError {
        self.context(Endpoint::UnreadReviews).status(status, &body_text(body), None)
    }

    fn context(&self, endpoint: Endpoint) -> CallContext<'_> {
        let host = self.base_url.host_str().unwrap_or_default();
        CallContext {
            account: self.account,
            endpoint,
            path: endpoint.default_path(),
            host,
            with_login: false,
        }
    }
}
