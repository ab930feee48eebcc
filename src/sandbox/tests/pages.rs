//! How the real client reads pages: larger ones where the API gives them, in chunks, and over connections that die.

use super::*;
use crate::upstream::{Cursor, Endpoint, Item, Items};
use std::collections::BTreeSet;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What a reader was handed.
#[derive(Default)]
struct Handed {
    chunks: Vec<usize>,
    uuids: BTreeSet<String>,
}

#[async_trait]
impl Items for Handed {
    async fn take(&mut self, items: Vec<Item>) -> bool {
        self.chunks.push(items.len());
        for item in items {
            if let Item::Review(review) = item {
                self.uuids.insert(review.uuid);
            }
        }
        true
    }
}

/// Reads all pages; how many there were.
async fn read_all(client: &Client, handed: &mut Handed) -> usize {
    let (mut cursor, mut pages): (Option<Cursor>, usize) = (None, 0);
    loop {
        let before = handed.uuids.len();
        cursor = client.read_page(cursor.as_ref(), handed).await.unwrap().next;
        pages += 1;
        if cursor.is_none() || handed.uuids.len() == before {
            return pages;
        }
    }
}

// H15
#[tokio::test]
async fn larger_pages_are_asked_for_and_learnt_from_the_answer() {
    for shape in [Shape::Laravel, Shape::Top, Shape::Nested] {
        // Of 250 reviews, in pages of 15: with a limit of 100, of 50, and of none.
        for (max_page_size, first, again) in [(1000, 3, 3), (50, 5, 5), (0, 17, 17)] {
            let options = Options {
                reviews: 250,
                max_page_size,
                shape,
                requests_per_minute: 1000,
                ..Options::default()
            };
            let served = Served::start(options).await;
            let client = served.client(&served.settings());
            let mut handed = Handed::default();
            assert_eq!(read_all(&client, &mut handed).await, first, "{shape:?} {max_page_size}");
            assert_eq!(handed.uuids.len(), 250);
            let learnt = served.sandbox.requests()[&Endpoint::UnreadReviews];
            assert_eq!(learnt, first as u64 + 1, "one request to learn it");
            let mut handed = Handed::default();
            assert_eq!(read_all(&client, &mut handed).await, again);
            assert_eq!(handed.uuids.len(), 250);
            assert_eq!(served.sandbox.requests()[&Endpoint::UnreadReviews], learnt + again as u64);
            served.stop().await;
        }
    }
    // A list without a word about its pages is not cut by a limit.
    for shape in [Shape::Silent, Shape::Links] {
        let options = Options {
            reviews: 250,
            max_page_size: 1000,
            shape,
            requests_per_minute: 1000,
            ..Options::default()
        };
        let served = Served::start(options).await;
        let mut handed = Handed::default();
        read_all(&served.client(&served.settings()), &mut handed).await;
        assert_eq!(handed.uuids.len(), 250, "{shape:?}");
        served.stop().await;
    }
}

async fn serve_raw(answers: Vec<Vec<Option<String>>>) -> (Settings, tokio::task::JoinHandle<usize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut connections = 0;
        for answers in answers {
            let (mut socket, _) = listener.accept().await.unwrap();
            connections += 1;
            for answer in answers {
                if !read_head(&mut socket).await {
                    break;
                }
                // Nothing: the connection is closed without a byte.
                let Some(body) = answer else { break };
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len());
                socket.write_all(head.as_bytes()).await.unwrap();
                let _ = socket.write_all(body.as_bytes()).await;
            }
        }
        connections
    });
    (settings(&url, token("t")), server)
}

async fn read_head(socket: &mut TcpStream) -> bool {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        match socket.read(&mut byte).await {
            Ok(1) => head.push(byte[0]),
            _ => return false,
        }
    }
    true
}

// F10
#[tokio::test]
async fn a_kept_connection_that_was_closed_is_replaced_once() {
    let fine = || Some(r#"{"data":[{"uuid":"a"}]}"#.to_owned());
    let budget = Arc::new(Open::default());
    let (settings, server) =
        serve_raw(vec![vec![fine(), None], vec![fine()], vec![None], vec![fine()]]).await;
    let client = client(&settings, &budget, &Clock::manual(NOW));
    for _ in 0..2 {
        assert_eq!(client.unread_page(None).await.unwrap().items.len(), 1);
    }
    assert_eq!(budget.taken.lock().unwrap().len(), 3, "each attempt is one of the budget");
    // A connection that dies at its first use is a failure, and is not tried again.
    assert_eq!(kind(client.unread_page(None).await), ErrorKind::Unreachable);
    assert_eq!(budget.taken.lock().unwrap().len(), 4);
    assert_eq!(client.unread_page(None).await.unwrap().items.len(), 1);
    assert_eq!(server.await.unwrap(), 4);
}

// F10
#[tokio::test]
async fn a_mark_is_never_sent_again_on_its_own() {
    let budget = Arc::new(Open::default());
    let page = Some(r#"{"data":[]}"#.to_owned());
    let (settings, _server) = serve_raw(vec![vec![page.clone(), None], vec![page]]).await;
    let client = client(&settings, &budget, &Clock::manual(NOW));
    client.unread_page(None).await.unwrap();
    assert!(client.mark_read("a").await.is_err());
    assert_eq!(budget.taken.lock().unwrap().len(), 2);
}

// H13
#[tokio::test]
async fn a_long_page_is_handed_on_in_chunks_as_it_arrives() {
    let text = "x".repeat(900);
    let items: Vec<String> =
        (0..6_000).map(|n| format!(r#"{{"uuid":"r{n}","body":"{text}","rating":5}}"#)).collect();
    let whole =
        format!(r#"{{"data":[{}],"meta":{{"current_page":1,"last_page":1,"total":6000}}}}"#, items.join(","));
    let cut = whole[..whole.len() / 2].to_owned();
    let (settings, _server) = serve_raw(vec![vec![Some(whole)], vec![Some(cut)]]).await;
    let settings = Settings { max_page_bytes: 1 << 23, ..settings };
    let client = client(&settings, &Arc::new(Open::default()), &Clock::manual(NOW));
    let mut handed = Handed::default();
    let end = client.read_page(None, &mut handed).await.unwrap();
    assert_eq!((handed.uuids.len(), end.total, end.next), (6_000, Some(6_000), None));
    assert!(handed.chunks.len() > 4, "{:?}", handed.chunks);
    let longest = *handed.chunks.iter().max().unwrap();
    assert!(longest < 1_500, "no more than a piece of the answer and what waited before it: {longest}");
    // What comes before a cut is taken in.
    let mut handed = Handed::default();
    assert_eq!(kind(client.read_page(None, &mut handed).await), ErrorKind::Unavailable);
    assert!(handed.uuids.len() > 2_900, "{}", handed.uuids.len());
    // Long reviews are few at a time.
    let text = "y".repeat(300_000);
    let items: Vec<String> = (0..20).map(|n| format!(r#"{{"uuid":"l{n}","body":"{text}"}}"#)).collect();
    let (settings, _server) = serve_raw(vec![vec![Some(format!("[{}]", items.join(",")))]]).await;
    let settings = Settings { max_page_bytes: 1 << 23, ..settings };
    let client = super::client(&settings, &Arc::new(Open::default()), &Clock::manual(NOW));
    let mut handed = Handed::default();
    client.read_page(None, &mut handed).await.unwrap();
    assert_eq!(handed.uuids.len(), 20);
    assert!(handed.chunks.iter().all(|chunk| *chunk <= 9), "{:?}", handed.chunks);
}
