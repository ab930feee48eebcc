//! Where the next page of a list is. Pure: what was requested, what came back, what to request next.

use super::Cursor;
use super::address::below;
use super::envelope::Paging;
use url::Url;

/// The page after the one that `requested` led to, which said `paging` and held `items`.
///
/// Numbers win over links: Laravel's links leave out the parameters of the request they answer. A link leads
/// below `base` or is ignored but for its page number (behind a proxy Laravel writes http links). A page
/// that says nothing is followed by the next number while there is something on it: a server that ignores
/// `page` then repeats itself, which ends the listing.
pub(super) fn next(base: &Url, requested: Option<&Cursor>, paging: &Paging, items: usize) -> Option<Cursor> {
    let requested_page = match requested {
        None => Some(1),
        Some(Cursor::Page(page) | Cursor::Sized { page, .. }) => Some(u64::from(*page)),
        Some(Cursor::Link(_)) => None,
    };
    if let (Some(current), Some(last)) = (paging.current, paging.last) {
        return (current < last).then(|| page(current.saturating_add(1))).flatten();
    }
    match &paging.next {
        Some(None) => None,
        Some(Some(link)) => match below(base, link) {
            Some(url) => Some(Cursor::Link(url.into())),
            None => page_of(base, link).or_else(|| page(requested_page?.saturating_add(1))),
        },
        None if items == 0 => None,
        None => page(paging.current.or(requested_page)?.saturating_add(1)),
    }
}

/// Whether a page that said `paging` has others behind it, as far as it says so itself.
pub(super) fn says_more(paging: &Paging) -> bool {
    match (paging.current, paging.last) {
        (Some(current), Some(last)) => current < last,
        _ => matches!(paging.next, Some(Some(_))),
    }
}

fn page(number: u64) -> Option<Cursor> {
    u32::try_from(number).ok().map(Cursor::Page)
}

fn page_of(base: &Url, link: &str) -> Option<Cursor> {
    let url = base.join(link).ok()?;
    let (_, value) = url.query_pairs().find(|(key, _)| key == "page")?;
    value.parse().ok().and_then(page)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn after(requested: Option<Cursor>, paging: Paging, items: usize) -> Option<Cursor> {
        next(&Url::parse("https://a.example/api/v1").unwrap(), requested.as_ref(), &paging, items)
    }

    fn link(to: &str) -> Paging {
        Paging { next: Some(Some(to.into())), ..Paging::default() }
    }

    #[test]
    fn numbers_lead_and_end() {
        let numbers = |current, last| Paging {
            last,
            ..Paging { current: Some(current), ..link("https://a.example/api/v1/x?page=9") }
        };
        assert_eq!(after(None, numbers(1, Some(2)), 5), Some(Cursor::Page(2)));
        assert_eq!(
            after(None, numbers(1, Some(2)), 0),
            Some(Cursor::Page(2)),
            "an empty page although more exist"
        );
        assert_eq!(after(Some(Cursor::Page(2)), numbers(2, Some(2)), 5), None);
        assert_eq!(after(None, numbers(u64::MAX, Some(u64::MAX)), 5), None);
        assert_eq!(after(None, numbers(u64::from(u32::MAX), Some(u64::MAX)), 5), None);
    }

    #[test]
    fn links_lead_below_the_base_only() {
        let inside = "https://a.example/api/v1/reviews/unread?cursor=abc";
        assert_eq!(after(None, link(inside), 5), Some(Cursor::Link(inside.into())));
        assert_eq!(after(None, link("http://a.example/api/v1/reviews?page=7"), 5), Some(Cursor::Page(7)));
        assert_eq!(after(None, link("https://evil.example/?cursor=x"), 5), Some(Cursor::Page(2)));
        let none = Paging { next: Some(None), ..Paging::default() };
        assert_eq!(after(None, none, 5), None);
    }

    #[test]
    fn silence_is_followed_by_number_while_something_comes() {
        assert_eq!(after(None, Paging::default(), 5), Some(Cursor::Page(2)));
        assert_eq!(after(Some(Cursor::Page(2)), Paging::default(), 5), Some(Cursor::Page(3)));
        assert_eq!(after(Some(Cursor::Page(3)), Paging::default(), 0), None);
        assert_eq!(after(Some(Cursor::Link("x".into())), Paging::default(), 5), None);
    }
}
