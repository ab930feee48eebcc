//! Tests of reading items.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use crate::domain::Timestamp;
use serde_json::json;

fn review_of(item: Value, keep_email: bool) -> Review {
    match read(&item.to_string(), "main", keep_email) {
        Item::Review(review) => *review,
        Item::Malformed(malformed) => panic!("{malformed:?}"),
    }
}

fn malformed_of(raw: &str) -> Malformed {
    match read(raw, "main", false) {
        Item::Review(review) => panic!("{review:?}"),
        Item::Malformed(malformed) => malformed,
    }
}

#[test]
fn a_review_as_the_api_gives_it() {
    let item = json!({
        "uuid": "0b7c-1", "name": "Tom &amp; Co", "email": "tom@shop.example", "body": "Great<br />thing ",
        "rating": "4,5", "source_uuid": "s1", "platform_uuid": 7, "company_uuid": "c", "local_code": "nl_NL",
        "review_at": "2022-06-30T12:34:56.000000Z", "title": " Top ", "url": "https://a.example/r/1",
        "website_uuid": "w1",
    });
    let expected = Review {
        account: "main".into(),
        uuid: "0b7c-1".into(),
        rating: NativeRating::Number(4.5),
        title: Some("Top".into()),
        text: Some("Great\nthing".into()),
        author: Some("Tom & Co".into()),
        email: None,
        language: Some("nl_NL".into()),
        reviewed_at: Some(Timestamp(1_656_592_496_000)),
        source_uuid: Some("s1".into()),
        platform_uuid: Some("7".into()),
        website_uuids: vec!["w1".into()],
        url: Some("https://a.example/r/1".into()),
    };
    assert_eq!(review_of(item.clone(), false), expected);
    assert_eq!(review_of(item, true).email.as_deref(), Some("tom@shop.example"));
}

#[test]
fn wrong_types_cost_only_their_field() {
    let item = json!({
        "uuid": 12, "name": {"first": "x"}, "email": 5, "body": ["x"], "rating": {"value": 5},
        "source_uuid": null, "local_code": true, "review_at": "yesterday", "url": "javascript:alert(1)",
    });
    let review = review_of(item, true);
    assert_eq!(review.uuid, "12");
    assert_eq!(review.rating, NativeRating::Word("{\"value\":5}".into()));
    let empty = Review {
        account: "main".into(),
        uuid: "12".into(),
        rating: review.rating.clone(),
        ..Review::default()
    };
    assert_eq!(review, empty);
}

#[test]
fn ratings_of_every_type() {
    for (raw, expected) in [
        ("5", NativeRating::Number(5.0)),
        ("\"5\"", NativeRating::Number(5.0)),
        ("4.5", NativeRating::Number(4.5)),
        ("0", NativeRating::Number(0.0)),
        ("-1", NativeRating::Number(-1.0)),
        ("true", NativeRating::Word("yes".into())),
        ("false", NativeRating::Word("no".into())),
        ("\"FIVE\"", NativeRating::Word("FIVE".into())),
        ("\"NaN\"", NativeRating::Word("NaN".into())),
        ("null", NativeRating::Missing),
        ("\" \"", NativeRating::Missing),
    ] {
        let item = read(&format!(r#"{{"uuid":"a","rating":{raw}}}"#), "main", false);
        assert!(matches!(&item, Item::Review(review) if review.rating == expected), "{raw}: {item:?}");
    }
    let huge = read(r#"{"uuid":"a","rating":1e999}"#, "main", false);
    assert!(
        matches!(&huge, Item::Review(review) if matches!(review.rating, NativeRating::Word(_))),
        "{huge:?}"
    );
}

#[test]
fn websites_in_every_form() {
    for (websites, expected) in [
        (json!(["a", "b", "a", null, 3]), vec!["a", "b", "3"]),
        (json!("[\"a\",\"b\"]"), vec!["a", "b"]),
        (json!("a, b,,"), vec!["a", "b"]),
        (json!("a,\u{1b} b \u{202e}"), vec!["a", "b"]),
        (json!("[broken"), vec![]),
        (json!(null), vec![]),
        (json!({"a": 1}), vec![]),
        // F9
        (json!({"0": "a", "2": "b"}), vec!["a", "b"]),
        (json!("{\"1\":\"a\"}"), vec!["a"]),
        (json!({}), vec![]),
    ] {
        assert_eq!(website_uuids(&json!({"website_uuids": websites})), expected, "{websites}");
    }
}

// F5
#[test]
fn a_placeholder_is_no_date_in_any_form() {
    for placeholder in [
        json!("1970-01-01"),
        json!("1970-01-01T00:00:00.000000Z"),
        json!("0001-01-01 00:00:00"),
        json!("0000-00-00 00:00:00"),
        json!("-000001-01-01T00:00:00Z"),
        json!("1999-12-31T23:59:59Z"),
        json!("1899-12-30"),
        json!(0),
        json!("0"),
        json!(0.0),
        json!(-1),
        json!(86_400_000),
        json!(-62_135_596_800_i64),
        json!("-62135596800000"),
    ] {
        let item = json!({"uuid": "a", "review_at": placeholder});
        assert_eq!(review_of(item, false).reviewed_at, None, "{placeholder}");
    }
    let item = json!({"uuid": "a", "review_at": "2000-01-01"});
    assert_eq!(review_of(item, false).reviewed_at, Some(ledger::EARLIEST_DATE));
}

#[test]
fn an_address_as_a_name_is_not_kept_either() {
    let item = json!({"uuid": "a", "name": "jan@shop.example"});
    assert_eq!(review_of(item.clone(), false).author, None);
    assert_eq!(review_of(item, true).author.as_deref(), Some("jan@shop.example"));
}

#[test]
fn without_a_usable_uuid_it_is_kept_by_its_hash() {
    for raw in [
        "{}",
        "null",
        "[]",
        "\"x\"",
        "7",
        r#"{"uuid":null}"#,
        r#"{"uuid":""}"#,
        r#"{"uuid":"../x"}"#,
        r#"{"uuid":".."}"#,
        r#"{"uuid":["a"]}"#,
        r#"{"uuid":1.5}"#,
        r#"{"uuid":"a\u0000"}"#,
    ] {
        let malformed = malformed_of(raw);
        assert_eq!(malformed.hash.len(), 64);
        assert!(!malformed.reason.is_empty(), "{raw}");
    }
    let one = malformed_of(r#"{"name":"x","email":"a@b.example","deep":{"E-Mail":"a@b.example"}}"#);
    let other = malformed_of(r#"{"email":"c@d.example", "deep":{}, "name":"x"}"#);
    assert_eq!(one, other);
    assert!(!one.payload.contains("b.example"));
    let large = malformed_of(&json!({"body": "é".repeat(20_000)}).to_string());
    assert!(large.payload.len() <= MAX_PAYLOAD);
}
