//! Tests of reading lists in pieces.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;

/// Reads `text` in pieces of `size` bytes.
fn scan(text: &[u8], size: usize) -> Result<(Vec<String>, Paging), Wrong> {
    let mut items = Vec::new();
    let mut scanner = Scanner::default();
    let mut item = |raw: &str| items.push(raw.to_owned());
    for piece in text.chunks(size) {
        scanner.push(piece, &mut item)?;
    }
    let paging = scanner.finish(&mut item)?;
    Ok((items, paging))
}

#[test]
fn it_does_not_matter_where_pieces_end() {
    let texts: [&[u8]; 9] = [
        b"\xEF\xBB\xBF [1,\xFF2, \"a]\\\"b\" ,{\"x\":[{}]}] \n",
        br#"{"data":[{"uuid":"a","b":"\u00e9\\"},null,-1.5e3],"meta":{"current_page":2,"last_page":"3","total":9}}"#,
        br#"{"data":{"data":{"0":{"uuid":"a"},"7":{"uuid":"b"}},"next_page_url":"https://a.example/x"}}"#,
        br#"{"1":{"uuid":"a"},"3":{"uuid":"b"}}"#,
        br#"{"error":"no","data":null}"#,
        br#"{"data":[1,,2]}"#,
        b"{\"data\":[\"line\nend\"]}",
        b"<html>",
        b"",
    ];
    for text in texts {
        let whole = scan(text, 1_000_000);
        for size in 1..text.len().min(20) {
            assert_eq!(scan(text, size), whole, "{}", String::from_utf8_lossy(text));
        }
    }
}

// F9
#[test]
fn an_object_whose_keys_are_numbers_is_a_list_and_so_is_an_empty_one() {
    for text in [
        r#"{"1":7,"3":8}"#,
        r#"{"data":{"1":7,"3":8}}"#,
        r#"{"data":{"data":{"0":7,"1":8},"total":2}}"#,
        r#"{"data":{"data":[7,8],"total":2}}"#,
    ] {
        assert_eq!(scan(text.as_bytes(), 7).unwrap().0, ["7", "8"], "{text}");
    }
    for text in
        ["{}", r#"{"data":{}}"#, r#"{"data":{"data":{},"total":0}}"#, r#"{"data":[],"links":{},"meta":[]}"#]
    {
        assert_eq!(scan(text.as_bytes(), 7).unwrap().0, Vec::<String>::new(), "{text}");
    }
    for text in [r#"{"data":{"1":7,"x":8}}"#, r#"{"data":{"data":{"x":8}}}"#, r#"{"data":{"x":8}}"#] {
        assert_eq!(scan(text.as_bytes(), 7).unwrap_err(), no_list(), "{text}");
    }
}

// H13
#[test]
fn of_a_text_without_end_no_more_is_kept_than_is_needed() {
    let mut scanner = Scanner::default();
    let mut items = Vec::new();
    let mut item = |raw: &str| items.push(raw.len());
    scanner.push(br#"{"data":[{"uuid":"a","body":""#, &mut item).unwrap();
    let piece = "\\u00e9 and so on ".repeat(4096);
    let mut pushed = 0;
    while pushed < 64 * 1024 * 1024 {
        scanner.push(piece.as_bytes(), &mut item).unwrap();
        pushed += piece.len();
        assert!(scanner.value.as_ref().unwrap().bytes.capacity() <= 4 * MAX_STRING);
    }
    scanner.push(br#"","rating":5},{"uuid":"b"}]}"#, &mut item).unwrap();
    scanner.finish(&mut item).unwrap();
    assert_eq!(items.len(), 2, "the item ends where it ends, and the next one is read");
    assert!(items[0] < MAX_STRING + 2 * piece.len());
}
