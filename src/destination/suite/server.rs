//! A real server that answers, breaks off, dribbles or keeps silent.

use super::TOKEN;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

/// What the server does with a connection.
#[derive(Clone)]
pub enum Reply {
    /// Answers with this head and body.
    Answer(String, String),
    /// Answers, but closes before the promised end of the body.
    Cut(u16),
    /// Answers, and never ends the body.
    Dribble(u16),
    /// Closes once something has come in, without reading it.
    ResetUnread,
    /// Reads the request, then closes.
    CloseAfterRequest,
    /// Reads the request, then says nothing until the other side goes away.
    Silent,
}

/// An answer with its length.
pub fn answer(status: u16, headers: &str, body: &str) -> Reply {
    let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
    Reply::Answer(head, body.to_owned())
}

/// What came in; the head lower-cased, the target as it was.
pub struct Request {
    pub head: String,
    pub target: String,
    pub body: String,
}

/// A server on this machine that does the same for every request.
pub struct Server {
    pub port: u16,
    pub requests: Receiver<Request>,
}

impl Server {
    pub fn start(reply: Reply) -> Self {
        Self::start_with(reply, Some)
    }

    pub fn start_with<S: Read + Write>(
        reply: Reply,
        accept: impl Fn(TcpStream) -> Option<S> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if matches!(reply, Reply::ResetUnread) {
                    let _ = stream.peek(&mut [0]);
                    continue;
                }
                let Some(mut stream) = accept(stream) else { continue };
                while let Some(request) = read_request(&mut stream) {
                    if sender.send(request).is_err() {
                        return;
                    }
                    if !respond(&mut stream, &reply) {
                        break;
                    }
                }
            }
        });
        Self { port, requests }
    }

    /// Its address, with a secret in path and query.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/services/T00000000/{TOKEN}?key={TOKEN}", self.port)
    }

    pub fn request(&self) -> Request {
        self.requests.recv_timeout(Duration::from_secs(10)).unwrap()
    }
}

/// Whether the connection goes on.
fn respond(stream: &mut impl Write, reply: &Reply) -> bool {
    match reply {
        Reply::Answer(head, body) => stream.write_all(format!("{head}{body}").as_bytes()).is_ok(),
        Reply::Cut(status) | Reply::Dribble(status) => {
            let part = format!("HTTP/1.1 {status} X\r\ncontent-length: 1000\r\n\r\npart");
            stream.write_all(part.as_bytes()).is_ok() && matches!(reply, Reply::Dribble(_))
        }
        Reply::Silent => true,
        Reply::ResetUnread | Reply::CloseAfterRequest => false,
    }
}

fn read_request(stream: &mut impl Read) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    let target = head.split(' ').nth(1)?.to_owned();
    let head = head.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.trim().parse().ok())?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request { head, target, body: String::from_utf8(body).ok()? })
}
