//! Sources, websites and platforms as the API gives them, read item by item.

use super::address::is_usable_uuid;
use super::item::{reference, website_uuids};
use super::normalise::{self, MAX_NAME};
use super::value::{as_count, as_text, as_time, tolerant};
use crate::domain::{Catalog, Named, NativeRating, Source};
use serde_json::Value;

/// The kinds of names, in the order they are requested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Sources,
    Websites,
    Platforms,
}

/// Adds the item `raw` to `catalog`; whether that brought something new, or `None` where it has no uuid.
pub(super) fn add(catalog: &mut Catalog, kind: Kind, raw: &str) -> Option<bool> {
    let value = tolerant(raw);
    let named = named(&value)?;
    let uuid = named.uuid.clone();
    Some(match kind {
        Kind::Sources => catalog.sources.insert(uuid, source(&value, named)).is_none(),
        Kind::Websites => catalog.websites.insert(uuid, named).is_none(),
        Kind::Platforms => catalog.platforms.insert(uuid, named).is_none(),
    })
}

fn named(value: &Value) -> Option<Named> {
    let uuid = reference(value.get("uuid")).filter(|uuid| is_usable_uuid(uuid))?;
    let name = as_text(value.get("name")).and_then(|name| normalise::line(&name, MAX_NAME));
    Some(Named { name: name.unwrap_or_else(|| uuid.clone()), uuid })
}

fn source(value: &Value, named: Named) -> Source {
    let link = |key: &str| as_text(value.get(key)).and_then(|link| normalise::link(&link));
    Source {
        named,
        url: link("url"),
        review_link: link("review_link"),
        platform_uuid: reference(value.get("platform_uuid")),
        website_uuids: website_uuids(value),
        average: value.pointer("/overview_summary/avg_rating").and_then(average),
        reviews: as_count(value.get("total_reviews")),
        last_sync_at: as_time(value.get("last_sync_at")),
        next_sync_at: as_time(value.get("next_sync_at")),
    }
}

/// An average rating, as a number or as text; 0 is what a source without reviews has.
fn average(value: &Value) -> Option<f64> {
    match NativeRating::from_text(&as_text(Some(value))?) {
        NativeRating::Number(average) if average > 0.0 => Some(average),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn one_bad_name_costs_only_itself() {
        let mut catalog = Catalog::default();
        let mut add = |kind, raw: &str| add(&mut catalog, kind, raw);
        assert_eq!(
            add(
                Kind::Sources,
                r#"{"uuid":"s","name":"A &amp; B","url":"javascript:x","review_link":"https://a.example","website_uuids":"[\"w\"]","platform_uuid":"p","next_sync_at":"2022-06-30"}"#
            ),
            Some(true)
        );
        assert_eq!(add(Kind::Sources, r#"{"uuid":"s","name":null}"#), Some(false));
        assert_eq!(add(Kind::Sources, r#"{"uuid":"t","name":null,"website_uuids":null}"#), Some(true));
        assert_eq!(add(Kind::Websites, r#"{"uuid":7,"name":"Shop\u202e NL"}"#), Some(true));
        for bad in ["null", "{}", r#"{"uuid":"","name":"x"}"#, r#"{"uuid":"a b"}"#] {
            assert_eq!(add(Kind::Platforms, bad), None, "{bad}");
        }
        assert_eq!(catalog.sources["t"].named.name, "t");
        assert_eq!(catalog.websites["7"].name, "Shop NL");
        assert!(catalog.platforms.is_empty());
    }

    #[test]
    fn a_source_keeps_what_messages_and_rules_need() {
        let mut catalog = Catalog::default();
        let raw = r#"{"uuid":"s","name":"A &amp; B","url":"javascript:x","review_link":"https://a.example/",
            "website_uuids":"[\"w\"]","platform_uuid":"p","next_sync_at":"2022-06-30",
            "total_reviews":"412","overview_summary":{"avg_rating":"8,7"}}"#;
        add(&mut catalog, Kind::Sources, raw);
        let source = &catalog.sources["s"];
        assert_eq!(source.named.name, "A & B");
        assert_eq!(
            (source.url.as_deref(), source.review_link.as_deref()),
            (None, Some("https://a.example/"))
        );
        assert_eq!(source.website_uuids, ["w"]);
        assert_eq!(source.platform_uuid.as_deref(), Some("p"));
        assert!(source.next_sync_at.is_some());
        assert_eq!((source.average, source.reviews), (Some(8.7), Some(412)));
        let none = r#"{"uuid":"s","total_reviews":-1,"overview_summary":{"avg_rating":0}}"#;
        add(&mut catalog, Kind::Sources, none);
        assert_eq!((catalog.sources["s"].average, catalog.sources["s"].reviews), (None, None));
    }
}
