//! What is known of a listing under way: what it has read, whether it can prove an absence, where it goes on. Pure.

use crate::domain::Timestamp;
use crate::store::IntakeReport;
use crate::upstream::{Cursor, PageEnd, UpstreamError};
use std::collections::{HashSet, VecDeque};
use std::time::Duration;

/// The maximum of items that are read of one listing: a list with more has no end.
pub(super) const MAX_ITEMS: usize = 200_000;
/// Marks get a turn after so many pages of a listing, or so long.
const TURN_PAGES: u32 = 20;
const TURN_AFTER: Duration = Duration::from_secs(60);
/// The maximum of pages that are remembered, to step back to them.
const TRAIL: usize = 1_000;

/// A listing under way.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) begun_at: Timestamp,
    /// The page that is read next.
    pub(super) cursor: Option<Cursor>,
    /// Pages that were read.
    pub(super) pages: u32,
    /// What was on them.
    pub(super) uuids: HashSet<String>,
    pub(super) seen: Vec<i64>,
    pub(super) report: IntakeReport,
    pub(super) errors: u32,
    pub(super) limited: u32,
    pub(super) error: Option<UpstreamError>,
    /// Whether no listing of the account was complete when it began.
    pub(super) baseline: Option<bool>,
    /// When the newest page is looked at again.
    pub(super) look_at: Timestamp,
    /// How many reviews the pages said there are, where they said so.
    total: Option<u64>,
    /// Whether that changed from page to page, or we marked some: then the pages shifted meanwhile.
    shifted: bool,
    /// Whether its second page told that there is but one.
    single: bool,
    /// The pages that were read, the last one at the end.
    trail: VecDeque<Option<Cursor>>,
    /// Items on the first page, and on the longest.
    first_page: usize,
    longest_page: usize,
    /// Pages that are read once more after a step back.
    again: u32,
    turn_at: Timestamp,
    turn_pages: u32,
}

/// What one page brought.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Brought {
    /// Items on it.
    pub(super) items: usize,
    /// Those that no page before showed.
    pub(super) new: usize,
}

impl Listing {
    pub(super) fn new(now: Timestamp, look_at: Timestamp) -> Self {
        Self {
            begun_at: now,
            cursor: None,
            pages: 0,
            uuids: HashSet::new(),
            seen: Vec::new(),
            report: IntakeReport::default(),
            errors: 0,
            limited: 0,
            error: None,
            baseline: None,
            look_at,
            total: None,
            shifted: false,
            single: false,
            trail: VecDeque::new(),
            first_page: 0,
            longest_page: 0,
            again: 0,
            turn_at: now,
            turn_pages: 0,
        }
    }

    /// The page at the cursor was read. `usual` is the length of the longest page of earlier listings.
    pub(super) fn read(&mut self, end: PageEnd, brought: Brought, usual: usize) {
        self.limited = 0;
        self.shifted |= self.pages > 0 && end.total != self.total;
        self.total = end.total;
        if self.pages == 0 {
            self.first_page = brought.items;
        }
        // A server that knows no pages gives all of them again; one whose first page was not full had no more.
        self.single = self.pages == 1 && brought.new == 0 && (brought.items > 0 || self.first_page < usual);
        self.longest_page = self.longest_page.max(brought.items);
        self.pages += 1;
        self.turn_pages += 1;
        self.trail.push_back(self.cursor.take());
        if self.trail.len() > TRAIL {
            self.trail.pop_front();
        }
        // A page that brings nothing new ends the list, unless it was read before.
        let goes_on = brought.new > 0 || self.again > 0;
        self.again = self.again.saturating_sub(1);
        self.cursor = end.next.filter(|_| goes_on);
    }

    /// The newest page was looked at meanwhile.
    pub(super) fn looked(&mut self, total: Option<u64>, look_at: Timestamp) {
        self.shifted |= total != self.total;
        self.look_at = look_at;
    }

    /// Whether it has gone beyond any list's end.
    pub(super) fn is_endless(&self) -> bool {
        self.cursor.is_some() && self.uuids.len() >= MAX_ITEMS
    }

    pub(super) fn longest_page(&self) -> usize {
        self.longest_page
    }

    /// Whether what was not listed is not on the list: a review that somebody reads between two pages moves another one
    /// from the second to the first, where it is not seen. Without totals nothing shows whether that happened.
    pub(super) fn is_steady(&self) -> bool {
        let all = self.total == Some(self.uuids.len() as u64);
        !self.shifted && (self.pages <= 1 || all || self.single)
    }

    /// The time of day was set: what is waited for is as far away as before.
    pub(super) fn clock_stepped(&mut self, by_ms: i64) {
        for at in [&mut self.begun_at, &mut self.look_at, &mut self.turn_at] {
            at.0 = at.0.saturating_add(by_ms);
        }
    }

    /// Whether due marks get their turn now.
    pub(super) fn yields(&self, now: Timestamp) -> bool {
        self.turn_pages >= TURN_PAGES || now.since(self.turn_at) >= TURN_AFTER
    }

    /// Marks had their turn, and `count` were made: the pages behind them have moved forward by as many reviews.
    pub(super) fn marked(&mut self, count: u64, now: Timestamp) {
        (self.turn_at, self.turn_pages) = (now, 0);
        if count == 0 || self.pages == 0 {
            return;
        }
        self.shifted = true;
        let steps = count.div_ceil(self.longest_page.max(1) as u64).saturating_add(1);
        for _ in 0..steps {
            match self.trail.pop_back() {
                Some(cursor) => {
                    self.cursor = cursor;
                    self.again = self.again.saturating_add(1);
                }
                None => {
                    self.cursor = None;
                    self.again = self.again.max(self.pages);
                    break;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn end(page: u32, last: u32, total: Option<u64>) -> PageEnd {
        PageEnd { next: (page < last).then_some(Cursor::Page(page + 1)), total }
    }

    /// Reads pages of ten, `to` of `last`.
    fn listed(to: u32, last: u32, total: Option<u64>) -> Listing {
        let mut listing = Listing::new(NOW, NOW);
        for page in 1..=to {
            listing.uuids.extend((0..10).map(|index| format!("{page}.{index}")));
            listing.read(end(page, last, total), Brought { items: 10, new: 10 }, 0);
        }
        listing
    }

    // H8
    #[test]
    fn only_totals_make_several_pages_steady() {
        assert!(listed(1, 1, None).is_steady());
        assert!(listed(3, 3, Some(30)).is_steady());
        assert!(!listed(3, 3, Some(31)).is_steady());
        assert!(!listed(2, 2, None).is_steady());
        // The same page again: this server knows no pages.
        let mut all = listed(1, 2, None);
        all.read(end(2, 2, None), Brought { items: 10, new: 0 }, 0);
        assert!(all.is_steady());
        // Nothing more, after a page that was full as far as is known, or was not.
        for (usual, steady) in [(0, false), (10, false), (15, true)] {
            let mut probed = listed(1, 2, None);
            probed.read(end(2, 2, None), Brought::default(), usual);
            assert_eq!(probed.is_steady(), steady, "{usual}");
        }
    }

    // F7, H4
    #[test]
    fn after_marks_it_steps_back_by_the_pages_that_moved_and_one() {
        let mut listing = listed(7, 99, Some(990));
        assert!(!listing.yields(NOW));
        assert!(listing.yields(NOW.plus(TURN_AFTER)));
        listing.marked(0, NOW.plus(TURN_AFTER));
        assert_eq!(listing.cursor, Some(Cursor::Page(8)), "nothing moved");
        listing.marked(11, NOW);
        assert_eq!(listing.cursor, Some(Cursor::Page(5)), "two pages and one");
        // They bring nothing new, and do not end it.
        for page in 5..=7 {
            listing.read(end(page, 99, Some(979)), Brought { items: 10, new: 0 }, 0);
            assert_eq!(listing.cursor, Some(Cursor::Page(page + 1)));
        }
        assert!(!listing.is_steady());
        listing.marked(640, NOW);
        assert_eq!(listing.cursor, None, "from the first page");
        let mut long = listed(20, 99, Some(990));
        assert!(long.yields(NOW));
        long.marked(0, NOW);
        assert!(!long.yields(NOW));
    }

    // H9
    #[test]
    fn a_list_has_an_end() {
        let mut listing = listed(1, 2, None);
        listing.uuids.extend((0..MAX_ITEMS).map(|index| index.to_string()));
        assert!(listing.is_endless());
        listing.cursor = None;
        assert!(!listing.is_endless(), "this was all");
    }
}
