//! Tests of one exchange against sockets that answer byte by byte as told.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

/// `{"data":[{"uuid":"a"}]}`, compressed.
const SMALL: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 74, 73, 44, 73, 84, 178, 138, 174, 86, 42, 45, 205, 76, 81,
    178, 82, 74, 84, 170, 141, 173, 5, 0, 226, 170, 234, 238, 23, 0, 0, 0,
];
/// 5,002 bytes, compressed to 40.
const BOMB: &[u8] = &[
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 237, 193, 65, 17, 0, 0, 12, 2, 160, 42, 235, 229, 173, 127, 13, 83, 248,
    3, 114, 0, 0, 0, 0, 192, 220, 23, 246, 155, 69, 127, 138, 19, 0, 0,
];

/// What comes of an answer with these bytes after its status line.
async fn exchange(
    answer: &[u8],
    page_bytes: Option<u64>,
    timeouts: Timeouts,
) -> Result<Answer, UpstreamError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("http://{}/x?secret=s3cret", listener.local_addr().unwrap()).parse().unwrap();
    let http = build(&Outbound::default(), &url, timeouts).unwrap();
    let request = Request { method: Method::GET, url, body: None, page_bytes };
    let serve = async {
        let (mut socket, _) = listener.accept().await.unwrap();
        let _ = socket.read(&mut [0; 4096]).await;
        let _ = socket.write_all(b"HTTP/1.1 200 OK\r\n").await;
        let _ = socket.write_all(answer).await;
        // The socket stays open until the other side is done.
        let _ = socket.read(&mut [0; 4096]).await;
    };
    tokio::select! {
        biased;
        answer = send(&http, timeouts, &request, None) => answer,
        () = async { serve.await; std::future::pending().await } => unreachable!(),
    }
}

fn gzip(body: &[u8]) -> Vec<u8> {
    let head = format!("content-encoding: gzip\r\ncontent-length: {}\r\n\r\n", body.len());
    [head.as_bytes(), body].concat()
}

#[tokio::test]
async fn compressed_answers_are_read_and_bounded_by_what_they_hold() {
    let answer = exchange(&gzip(SMALL), Some(1000), Timeouts::default()).await.unwrap();
    assert_eq!(answer.body.unwrap(), br#"{"data":[{"uuid":"a"}]}"#);
    let bomb = exchange(&gzip(BOMB), Some(1000), Timeouts::default()).await.unwrap();
    assert!(bomb.body.unwrap_err().detail.contains("`max_page_bytes` (1000 bytes)"));
    let fits = exchange(&gzip(BOMB), Some(5002), Timeouts::default()).await.unwrap();
    assert_eq!(fits.body.unwrap().len(), 5002);
    let start = exchange(&gzip(BOMB), None, Timeouts::default()).await.unwrap();
    assert_eq!(start.body.unwrap().len(), 5002);
    let broken = exchange(&gzip(&SMALL[..20]), Some(1000), Timeouts::default()).await.unwrap();
    assert_eq!(broken.body.unwrap_err().kind, ErrorKind::Unavailable);
}

#[tokio::test]
async fn an_answer_that_stops_is_out_of_time() {
    let timeouts = Timeouts { read: Duration::from_millis(20), ..Timeouts::default() };
    let head = exchange(b"", Some(1000), timeouts).await.unwrap_err();
    assert_eq!(head.kind, ErrorKind::TimedOut);
    let body = exchange(b"content-length: 10\r\n\r\nabc", Some(1000), timeouts).await.unwrap();
    let error = body.body.unwrap_err();
    assert_eq!(error.kind, ErrorKind::TimedOut);
    assert!(!format!("{error:?}{head:?}").contains("s3cret"));
}

#[tokio::test]
async fn what_is_not_http_is_no_connection_to_the_api() {
    let error = exchange(b"\0\0\0", Some(1000), Timeouts::default()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Unreachable);
    assert!(!error.detail.contains("s3cret"), "{error}");
}
