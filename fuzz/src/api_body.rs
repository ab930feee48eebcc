//! Any bytes as the body of an answer: of the unread list, of a list of names, of a refusal, and as one item
//! among others.

use review_bridge::domain::text::is_unsafe;
use review_bridge::domain::{Catalog, Review};
use review_bridge::upstream::{Cursor, Item, Page, Reader, UpstreamError};
use serde_json::value::RawValue;
use url::Url;

const BASE: &str = "https://api.example/api/v1";
/// Statuses of each kind that is told apart.
const REFUSALS: [u16; 10] = [302, 400, 401, 403, 404, 405, 408, 422, 429, 503];

/// No body panics or grows; what it holds is told in safe words, leads nowhere else and can be kept, and an item
/// costs none beside it.
pub fn check(data: &[u8]) {
    let base_url = Url::parse(BASE).unwrap();
    let reader = Reader { account: "main", base_url: &base_url, keep_email: true };
    for asked in [None, Some(Cursor::Page(7)), Some(Cursor::Link(format!("{BASE}/reviews/unread?cursor=a")))]
    {
        match reader.unread_page(data, asked.as_ref()) {
            Ok(page) => assert_page(&page, data.len()),
            Err(error) => assert_told(&error),
        }
    }
    match reader.catalog(data) {
        Ok(catalog) => assert_catalog(&catalog, data.len()),
        Err(error) => assert_told(&error),
    }
    for status in REFUSALS {
        assert_told(&reader.refusal(status, data));
    }
    if let Ok(item) = std::str::from_utf8(data).map(str::trim)
        && serde_json::from_str::<&RawValue>(item).is_ok()
    {
        assert_costs_only_itself(&reader, item);
    }
}

fn assert_page(page: &Page, body: usize) {
    match &page.next {
        Some(Cursor::Link(link)) => assert!(link.starts_with(&format!("{BASE}/")), "{link}"),
        Some(Cursor::Page(number) | Cursor::Sized { page: number, .. }) => {
            assert!(*number > 0 || body > 0, "{number}");
        }
        None => {}
    }
    let mut kept = 0;
    for item in &page.items {
        match item {
            Item::Review(review) => {
                let json = serde_json::to_string(review).unwrap();
                assert_eq!(serde_json::from_str::<Review>(&json).unwrap(), **review, "as state keeps it");
                kept += json.len();
            }
            Item::Malformed(item) => {
                assert!(!item.reason.contains(is_unsafe) && item.reason.chars().count() <= 200);
                kept += item.payload.len();
            }
        }
    }
    assert_bounded(kept, page.items.len(), body);
}

fn assert_catalog(catalog: &Catalog, body: usize) {
    let json = serde_json::to_string(catalog).unwrap();
    assert_eq!(serde_json::from_str::<Catalog>(&json).unwrap(), *catalog, "as state keeps it");
    let names = catalog.sources.values().map(|source| &source.named);
    let names = names.chain(catalog.websites.values()).chain(catalog.platforms.values());
    for named in names {
        assert!(!named.name.contains(is_unsafe) && !named.name.contains('\n'), "{named:?}");
        assert!(!named.name.trim().is_empty() && named.name.chars().count() <= 300, "{named:?}");
    }
    let known = catalog.sources.len() + catalog.websites.len() + catalog.platforms.len();
    assert_bounded(json.len(), known, body);
}

/// What is kept of a body is in proportion to it.
fn assert_bounded(kept: usize, items: usize, body: usize) {
    assert!(kept <= 1_024 * (items + 1) + 16 * body, "{kept} bytes of {items} items in {body} bytes");
}

fn assert_told(error: &UpstreamError) {
    let detail = &error.detail;
    assert!(!detail.contains(is_unsafe) && !detail.contains(['\n', '\t']), "{detail:?}");
    assert!(detail.chars().count() <= 700 && detail.contains("`main`"), "{detail:?}");
}

/// Whatever stands between two reviews, both of them arrive.
fn assert_costs_only_itself(reader: &Reader<'_>, item: &str) {
    let body = format!(r#"{{"data":[{{"uuid":"before"}},{item},{{"uuid":"behind"}}]}}"#);
    let page = reader.unread_page(body.as_bytes(), None).unwrap();
    let uuid = |item: &Item| match item {
        Item::Review(review) => review.uuid.clone(),
        Item::Malformed(item) => panic!("{item:?}"),
    };
    assert_eq!(page.items.len(), 3);
    assert_eq!([uuid(&page.items[0]), uuid(&page.items[2])], ["before", "behind"]);
}
