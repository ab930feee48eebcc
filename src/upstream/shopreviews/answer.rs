//! Answers read without a connection: what tests, fuzzers and the sandbox's tools call. Pure.

use super::envelope::{Paging, Wrong, body_text};
use super::failure::CallContext;
use super::names::{self, Kind};
use super::scan::Scanner;
use super::{Cursor, Endpoint, Page, UpstreamError, item, paging};
use crate::domain::Catalog;
use url::Url;

/// Hands each item of the list that `body` holds to `item`; what it says about other pages.
fn scan(body: &[u8], item: &mut impl FnMut(&str)) -> Result<Paging, Wrong> {
    let mut scanner = Scanner::default();
    scanner.push(body, item)?;
    scanner.finish(item)
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
        let mut items = Vec::new();
        let mut read = |raw: &str| items.push(item::read(raw, self.account, self.keep_email));
        let paging = scan(body, &mut read)
            .map_err(|wrong| self.context(Endpoint::UnreadReviews).wrong(200, &wrong))?;
        let next = paging::next(self.base_url, requested, &paging, items.len());
        Ok(Page { items, next, total: paging.total })
    }

    /// The names that `body` holds, as if it were the list of sources, of websites and of platforms.
    ///
    /// # Errors
    /// What it is instead, or the API's own refusal.
    pub fn catalog(&self, body: &[u8]) -> Result<Catalog, UpstreamError> {
        let mut catalog = Catalog::default();
        let mut add = |raw: &str| {
            for kind in [Kind::Sources, Kind::Websites, Kind::Platforms] {
                names::add(&mut catalog, kind, raw);
            }
        };
        scan(body, &mut add).map_err(|wrong| self.context(Endpoint::Sources).wrong(200, &wrong))?;
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
