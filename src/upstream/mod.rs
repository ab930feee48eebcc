//! Where reviews come from, as the rest of the bridge sees it: the trait, and what it takes and gives.
//!
//! One page, one catalog, one mark at a time: the caller paces, pages and remembers. [`shopreviews`] is the one
//! implementation. Only this module and `destination` make outbound calls.

mod error;
pub mod shopreviews;

pub use error::{ErrorKind, ErrorName, StateFailure, UpstreamError};
pub use shopreviews::{
    Client, Credentials, DEFAULT_BASE_URL, DEFAULT_MAX_PAGE_BYTES, DEFAULT_REQUESTS_PER_MINUTE, Endpoint,
    Endpoints, Reader, Settings, read_item,
};

use crate::domain::{Catalog, Review, Timestamp};
use async_trait::async_trait;

/// What a request is for. While several wait, those of a lower rank go first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Purpose {
    /// The newest page of unread reviews.
    Newest,
    /// Another page of them.
    Listing,
    /// Sources, websites, platforms.
    Names,
    /// Marking a review read.
    Mark,
    /// Logging in, and what a person requested.
    Other,
}

impl Purpose {
    /// Its name in state.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Listing => "listing",
            Self::Names => "names",
            Self::Mark => "mark",
            Self::Other => "other",
        }
    }

    /// Its place in the queue for the budget; a login is for whatever comes next.
    pub fn rank(self) -> u8 {
        match self {
            Self::Newest | Self::Other => 0,
            Self::Mark => 1,
            Self::Listing => 2,
            Self::Names => 3,
        }
    }

    /// The purpose of that name in state.
    pub fn parse(name: &str) -> Option<Self> {
        let all = [Self::Newest, Self::Listing, Self::Names, Self::Mark, Self::Other];
        all.into_iter().find(|purpose| purpose.as_str() == name)
    }
}

/// Grants requests to one account so that its budget is never exceeded, by any process on the same state.
#[async_trait]
pub trait Budget: Send + Sync {
    /// Takes one request from the budget, or says when to try again.
    async fn take(&self, purpose: Purpose) -> Result<(), Denied>;
    /// The API asked for a pause (429, or no request remaining): nothing is granted before `until`.
    async fn hold(&self, until: Timestamp);
}

/// Why a request was not granted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Denied {
    /// The budget is spent until then.
    Until(Timestamp),
    /// The state that keeps the budget failed.
    State(StateFailure),
}

/// One item of an unread list.
#[derive(Clone, Debug, PartialEq)]
pub enum Item {
    /// A review.
    Review(Box<Review>),
    /// Something without a usable uuid: kept and reported, never routed or marked.
    Malformed(Malformed),
}

/// An item that cannot be routed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    /// SHA-256 (hex) of the payload without its e-mail address: its identity.
    pub hash: String,
    /// What is wrong with it, for people.
    pub reason: String,
    /// The payload without its e-mail address, at most 16 KiB.
    pub payload: String,
}

/// Where the next page is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cursor {
    /// The page of that number, from 1, asked for with `page=`.
    Page(u32),
    /// The same, with `limit` items on each page.
    Sized {
        /// The page, from 1.
        page: u32,
        /// How many items are asked for.
        limit: u32,
    },
    /// The address the API gave for it, below the same base URL.
    Link(String),
}

/// One page of unread reviews.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// Its items, in order.
    pub items: Vec<Item>,
    /// Where the next page may be. A page that brings nothing new ends the listing whatever this says.
    pub next: Option<Cursor>,
    /// How many reviews the API says there are in all.
    pub total: Option<u64>,
}

/// What is known of a page once it was read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageEnd {
    /// Where the next page may be. A page that brings nothing new ends the listing whatever this says.
    pub next: Option<Cursor>,
    /// How many reviews the API says there are in all.
    pub total: Option<u64>,
}

/// Takes the items of a page as they are read.
#[async_trait]
pub trait Items: Send {
    /// Takes the next ones, in order; `false` where no more are wanted.
    async fn take(&mut self, items: Vec<Item>) -> bool;
}

/// One account of the ShopReviews API.
#[async_trait]
pub trait Upstream: Send + Sync {
    /// One page of the unread list; `None` is the first.
    async fn unread_page(&self, cursor: Option<&Cursor>) -> Result<Page, UpstreamError>;
    /// The same, its items handed on as they are read, so that no page is ever held as a whole. What was read of a
    /// page that is cut off is handed on, too, and an item may come twice.
    async fn read_page(
        &self,
        cursor: Option<&Cursor>,
        items: &mut dyn Items,
    ) -> Result<PageEnd, UpstreamError> {
        let page = self.unread_page(cursor).await?;
        items.take(page.items).await;
        Ok(PageEnd { next: page.next, total: page.total })
    }
    /// All sources, websites and platforms.
    async fn catalog(&self) -> Result<Catalog, UpstreamError>;
    /// Marks one review read.
    async fn mark_read(&self, uuid: &str) -> Result<(), UpstreamError>;
    /// When the token of the moment expires, where that is known.
    fn token_expires_at(&self) -> Option<Timestamp> {
        None
    }
}
