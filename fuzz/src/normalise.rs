//! Any JSON item of an unread list, as the review that is stored, matched and shown.

use review_bridge::domain::text::is_unsafe;
use review_bridge::domain::{NativeRating, Rating, Review};
use review_bridge::upstream::{Item, read_item};
use serde_json::{Value, json};

/// No input panics; what is kept is safe to show, within its bounds, and already what normalising makes of it.
pub fn check(data: &[u8]) {
    let raw = String::from_utf8_lossy(data);
    for keep_email in [false, true] {
        match read_item(&raw, "main", keep_email) {
            Item::Review(review) => {
                assert!(keep_email || review.email.is_none());
                assert_shown(&review);
                assert_rated(&review.rating);
                assert_settled(&review);
                let json = serde_json::to_string(&review).unwrap();
                assert_eq!(serde_json::from_str::<Review>(&json).unwrap(), *review, "as state keeps it");
            }
            Item::Malformed(item) => {
                assert_line(&item.reason, 200);
                assert!(item.payload.len() <= 16 * 1024);
                assert!(item.hash.len() == 64 && item.hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
            }
        }
    }
}

/// Nothing controls a terminal, a header or the reading direction, and nothing is longer than it may be.
fn assert_shown(review: &Review) {
    assert_line(&review.uuid, 200);
    for (line, limit) in [
        (&review.title, 500),
        (&review.author, 300),
        (&review.email, 320),
        (&review.language, 35),
        (&review.source_uuid, 200),
        (&review.platform_uuid, 200),
        (&review.url, 2_000),
    ] {
        line.iter().for_each(|line| assert_line(line, limit));
    }
    review.website_uuids.iter().for_each(|uuid| assert_line(uuid, 200));
    assert!(review.website_uuids.len() <= 1_000);
    if let Some(text) = &review.text {
        assert!(!text.contains(is_unsafe) && text.chars().count() <= 100_000, "{text:?}");
        assert!(text.trim() == text && !text.is_empty() && !text.contains("\n\n\n\n"), "{text:?}");
    }
    if let Some(url) = &review.url {
        assert!(url.starts_with("http://") || url.starts_with("https://"), "{url}");
    }
}

fn assert_line(line: &str, limit: usize) {
    assert!(!line.contains(is_unsafe) && !line.contains(['\n', '\t']), "{line:?}");
    assert!(!line.trim().is_empty() && line.chars().count() <= limit, "{line:?}");
}

/// A rating is within the common scale or unknown, on whatever scale it is read.
fn assert_rated(native: &NativeRating) {
    match native {
        NativeRating::Number(number) => assert!(number.is_finite()),
        NativeRating::Word(word) => assert_line(word, 64),
        NativeRating::Missing => {}
    }
    let given = match native {
        NativeRating::Number(number) => number.abs(),
        _ => 5.0,
    };
    for scale in [5.0, 10.0, 100.0, given] {
        let rating = Rating::evaluate(native.clone(), scale);
        assert!(rating.normalised.is_none_or(|value| value > 0.0 && value <= 5.0), "{rating:?}");
        assert!(rating.rounded().is_none_or(|value| (0.0..=5.0).contains(&value)), "{rating:?}");
    }
}

/// A review that is sent again as it was kept is the same review: only entities are decoded anew, in two
/// rounds, so they are written as the API would.
fn assert_settled(review: &Review) {
    let encoded = |text: &Option<String>| {
        text.as_ref()
            .map(|text| text.replace('&', "&amp;amp;").replace('<', "&amp;lt;").replace('>', "&amp;gt;"))
    };
    let rating = match &review.rating {
        NativeRating::Number(number) => json!(number),
        NativeRating::Word(word) => json!(word),
        NativeRating::Missing => Value::Null,
    };
    let item = json!({
        "uuid": review.uuid,
        "title": encoded(&review.title),
        "name": encoded(&review.author),
        "body": encoded(&review.text),
        "email": review.email,
        "local_code": encoded(&review.language),
        "rating": rating,
        "review_at": review.reviewed_at.map(review_bridge::clock::rfc3339),
        "source_uuid": review.source_uuid,
        "platform_uuid": review.platform_uuid,
        "website_uuids": review.website_uuids,
        "url": review.url,
    });
    match read_item(&item.to_string(), &review.account, true) {
        Item::Review(again) => assert_eq!(*again, *review),
        Item::Malformed(item) => panic!("{item:?}"),
    }
}
