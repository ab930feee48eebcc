//! The ShopReviews API: its client, and its wire formats.
//!
//! What the API sends is not trusted to have any shape: a page is read item by item, and a bad one costs only itself.

mod address;
mod answer;
mod client;
mod connection;
mod endpoint;
mod envelope;
mod failure;
mod item;
mod limits;
mod login;
mod names;
mod normalise;
mod page;
mod paging;
mod scan;
mod settings;
mod transport;
mod value;

pub use answer::Reader;
pub use client::Client;
pub use endpoint::Endpoint;
pub use item::read as read_item;
pub use settings::{
    Credentials, DEFAULT_BASE_URL, DEFAULT_MAX_PAGE_BYTES, DEFAULT_REQUESTS_PER_MINUTE, Endpoints, Settings,
};

use super::{
    Budget, Cursor, Denied, ErrorKind, Item, Items, Malformed, Page, PageEnd, Purpose, Upstream,
    UpstreamError,
};
