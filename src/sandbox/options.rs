//! How a sandbox is: its seed, its size, its manners.

use super::listing::Shape;
use std::time::Duration;

/// How a sandbox is.
#[derive(Clone, Debug)]
pub struct Options {
    /// The same seed gives the same reviews.
    pub seed: u64,
    /// How many reviews are unread at first.
    pub reviews: usize,
    /// A new one arrives this often while the sandbox is served.
    pub every: Option<Duration>,
    /// More requests in a minute are answered with 429.
    pub requests_per_minute: u32,
    /// How many items are on a page.
    pub page_size: usize,
    /// The most items that `limit` makes a page of unread reviews hold; 0: `limit` is ignored.
    pub max_page_size: usize,
    /// How lists come.
    pub shape: Shape,
    /// A token that is accepted until `Sandbox::revoke_tokens`.
    pub token: String,
    /// The address that can log in.
    pub email: String,
    /// Its password.
    pub password: String,
    /// Whether hostile items and names are mixed in.
    pub hostile: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            seed: 1,
            reviews: 0,
            every: None,
            requests_per_minute: 60,
            page_size: 15,
            max_page_size: 0,
            shape: Shape::default(),
            token: "sandbox-token".into(),
            email: "reviews@shop.example".into(),
            password: "sandbox-password".into(),
            hostile: false,
        }
    }
}
