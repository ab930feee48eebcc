//! Tests of the envelopes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

use super::super::scan::Scanner;

/// The items of a list, and what is said about other pages.
fn list(text: &str) -> Result<(Vec<String>, Paging), Wrong> {
    let mut items = Vec::new();
    let mut item = |raw: &str| items.push(raw.to_owned());
    let mut scanner = Scanner::default();
    scanner.push(text.as_bytes(), &mut item)?;
    let paging = scanner.finish(&mut item)?;
    Ok((items, paging))
}

fn items(text: &str) -> Vec<String> {
    list(text).unwrap().0
}

fn paging_of(text: &str) -> Paging {
    list(text).unwrap().1
}

#[test]
fn every_envelope_of_a_list() {
    for text in [
        "[1,2]",
        r#"{"data":[1,2]}"#,
        r#"{"data":{"data":[1,2],"current_page":1}}"#,
        r#"{"data":[1,2],"links":{},"meta":{}}"#,
        r#"{"data":{"1":1,"10":2}}"#,
        r#"{"error":null,"data":[1,2]}"#,
        r#"{"error":"partial","data":[1,2]}"#,
    ] {
        assert_eq!(items(text), ["1", "2"], "{text}");
    }
    assert_eq!(items("[]"), Vec::<String>::new());
    assert_eq!(body_text(b"\xEF\xBB\xBF [1,\xFF] \n"), "[1,\u{FFFD}]");
}

#[test]
fn paging_wherever_it_stands() {
    let full = Paging {
        current: Some(2),
        last: Some(3),
        next: Some(Some("https://a.example/x".into())),
        total: Some(9),
    };
    for text in [
        r#"{"data":[],"meta":{"current_page":2,"last_page":"3","total":9},"links":{"next":"https://a.example/x"}}"#,
        r#"{"data":[],"current_page":2,"last_page":3,"total":9,"next_page_url":"https://a.example/x"}"#,
        r#"{"data":{"data":[],"current_page":2,"last_page":3,"total":9,"next_page_url":"https://a.example/x"}}"#,
        r#"{"data":{"data":[],"meta":{"current_page":2,"last_page":3,"total":9},"links":{"next":"https://a.example/x"}}}"#,
    ] {
        assert_eq!(paging_of(text), full, "{text}");
    }
    assert_eq!(paging_of(r#"{"data":[],"links":{"next":null}}"#).next, Some(None));
    assert_eq!(paging_of(r#"{"data":[],"links":[{"url":null}],"meta":7}"#), Paging::default());
}

#[test]
fn what_is_not_the_api_is_told_from_a_refusal() {
    let error = |text| list(text).unwrap_err();
    assert_eq!(
        error(r#"{"error":"request is invalid #473298"}"#),
        Wrong::Error("request is invalid #473298".into())
    );
    assert_eq!(error(r#"{"error":{"message":"no"},"data":null}"#), Wrong::Error("no".into()));
    for (text, what) in [
        ("", "an empty body"),
        ("<!DOCTYPE html><title>502</title>", "an HTML page instead of JSON"),
        (r#"{"data":[1,2"#, "JSON that is cut off"),
        (r#"{"data":[1,,2]}"#, "JSON that is broken"),
        (r#"{"message":"hm"}"#, "JSON without `data`: hm"),
        (r#"{"data":null}"#, "JSON without `data`"),
        (r#"{"data":"x"}"#, "JSON whose `data` is not a list"),
        (r#"{"data":{"x":1}}"#, "JSON whose `data` is not a list"),
        ("null", "something that is not JSON"),
        ("\"[]\"", "a JSON text instead of a list"),
    ] {
        assert_eq!(error(text), Wrong::Body(what.into()), "{text}");
    }
}

#[test]
fn one_bad_item_never_costs_the_page() {
    let bomb = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
    let text = format!(r#"{{"data":[{{"uuid":"a"}},{{"rating":1e999}},"\uD800",{bomb},{{"uuid":"b"}}]}}"#);
    assert_eq!(items(&text).len(), 5);
}

#[test]
fn an_answer_that_is_not_read_further() {
    for fine in ["", "{}", "[]", "null", "OK", r#"{"data":{}}"#, r#"{"success":true}"#, "{\"da"] {
        assert_eq!(accept(fine), Ok(()), "{fine}");
    }
    assert!(matches!(accept("<html>"), Err(Wrong::Body(_))));
    assert_eq!(accept(r#"{"error":"no"}"#), Err(Wrong::Error("no".into())));
    assert_eq!(accept(r#"{"success":false,"message":"why"}"#), Err(Wrong::Error("why".into())));
}
