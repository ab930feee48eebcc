//! Pages as they are read: what takes the items of one, and how many a page may hold.

use super::envelope::Paging;
use super::{Item, Items, item};
use async_trait::async_trait;
use std::sync::{Mutex, PoisonError};

/// Reviews handed on together.
const CHUNK: usize = 500;
/// The maximum of bytes handed on together, so that long reviews are few at a time.
const CHUNK_BYTES: usize = 2 * 1024 * 1024;
/// The items that are asked for on one page.
pub(super) const LARGE_PAGE: u32 = 100;
/// Larger pages that may fail before the API's own are asked for again.
const LARGE_PAGE_FAILURES: u32 = 3;

/// Takes the items of one page as they arrive.
#[async_trait]
pub(super) trait Pieces: Send {
    /// The next item, as JSON.
    fn item(&mut self, raw: &str);
    /// A piece of the page was read, the last one where it is `over`; `false` where no more are wanted.
    async fn piece(&mut self, over: bool) -> bool;
}

/// Reads reviews, and hands them on in chunks.
pub(super) struct Reviews<'a> {
    pub(super) account: &'a str,
    pub(super) keep_email: bool,
    pub(super) to: &'a mut dyn Items,
    pub(super) count: usize,
    waiting: Vec<Item>,
    bytes: usize,
}

impl<'a> Reviews<'a> {
    pub(super) fn new(account: &'a str, keep_email: bool, to: &'a mut dyn Items) -> Self {
        Self { account, keep_email, to, count: 0, waiting: Vec::new(), bytes: 0 }
    }
}

#[async_trait]
impl Pieces for Reviews<'_> {
    fn item(&mut self, raw: &str) {
        self.count += 1;
        self.bytes += raw.len();
        self.waiting.push(item::read(raw, self.account, self.keep_email));
    }

    async fn piece(&mut self, over: bool) -> bool {
        let enough = self.waiting.len() >= CHUNK || self.bytes >= CHUNK_BYTES;
        if self.waiting.is_empty() || !(over || enough) {
            return true;
        }
        self.bytes = 0;
        self.to.take(std::mem::take(&mut self.waiting)).await
    }
}

/// Hands each item to a function.
pub(super) struct Each<F>(pub(super) F);

#[async_trait]
impl<F: FnMut(&str) + Send> Pieces for Each<F> {
    fn item(&mut self, raw: &str) {
        (self.0)(raw);
    }

    async fn piece(&mut self, _: bool) -> bool {
        true
    }
}

/// Collects items.
#[derive(Default)]
pub(super) struct Collected(pub(super) Vec<Item>);

#[async_trait]
impl Items for Collected {
    async fn take(&mut self, items: Vec<Item>) -> bool {
        self.0.extend(items);
        true
    }
}

/// A page that was read.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) paging: Paging,
    pub(super) count: usize,
}

impl Read {
    /// Whether this, the answer to a request for a larger page, is one: longer than `usual`, and sure not to hide the
    /// rest of the list.
    pub(super) fn is_larger(&self, usual: &Self) -> bool {
        let limit = usize::try_from(LARGE_PAGE).unwrap_or(usize::MAX);
        let leads_on =
            self.paging.total.is_some() || self.paging.last.is_some() || self.paging.next.is_some();
        self.count > usual.count
            && self.paging.total >= usual.paging.total
            && (leads_on || self.count < limit)
    }
}

/// Whether the API gives larger pages, as far as it was learnt.
#[derive(Debug, Default)]
pub(super) struct PageSize(Mutex<Learnt>);

#[derive(Clone, Copy, Debug, Default)]
struct Learnt {
    larger: Option<bool>,
    failures: u32,
}

impl PageSize {
    fn change<T>(&self, act: impl FnOnce(&mut Learnt) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How many items to ask for on the first page, where that is known to work.
    pub(super) fn limit(&self) -> Option<u32> {
        self.change(|learnt| learnt.larger.filter(|larger| *larger).map(|_| LARGE_PAGE))
    }

    pub(super) fn is_unknown(&self) -> bool {
        self.change(|learnt| learnt.larger.is_none())
    }

    pub(super) fn learn(&self, larger: bool) {
        self.change(|learnt| learnt.larger = Some(larger));
    }

    /// A larger page failed: what is on it may come with smaller ones.
    pub(super) fn failed(&self) {
        self.change(|learnt| {
            learnt.failures += 1;
            learnt.larger = (learnt.failures >= LARGE_PAGE_FAILURES).then_some(false);
        });
    }
}
