//! A way between the bridge and what it talks to that fails as networks do: one request a connection, and one
//! fault for each connection, in the order they come. When all faults are used up, it is a good way.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What becomes of one connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The request goes there, the answer comes back.
    Pass,
    /// So does this, but the answer dribbles in.
    Slow,
    /// The connection is reset as soon as it stands.
    ResetAtOnce,
    /// It is reset when the first bytes of the request have come; they go nowhere.
    ResetInRequest,
    /// This side is closed instead of answering, while the other stays open; the request goes nowhere.
    HalfClose,
    /// The request goes there; its answer is thrown away and the connection reset.
    Swallow,
    /// The request goes there; of its answer comes the first half of the head.
    CutHead,
    /// The request goes there; of its answer all comes but the last byte.
    CutEnd,
    /// An answer that is no HTTP; the request goes nowhere.
    Garbage,
    /// The request goes there; no answer comes for as long as the bridge waits.
    Hang,
    /// 503; the request goes nowhere.
    Refuse,
}

impl Fault {
    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::Pass,
        Self::Slow,
        Self::ResetAtOnce,
        Self::ResetInRequest,
        Self::HalfClose,
        Self::Swallow,
        Self::CutHead,
        Self::CutEnd,
        Self::Garbage,
        Self::Hang,
        Self::Refuse,
    ];

    /// Whether the request arrives although the bridge is not told so.
    pub fn swallows(self) -> bool {
        matches!(self, Self::Swallow | Self::CutHead | Self::CutEnd | Self::Hang)
    }

    /// Whether the bridge cannot know if the request arrived.
    pub fn is_doubtful(self) -> bool {
        !matches!(self, Self::Pass | Self::Slow | Self::Refuse)
    }
}

/// Each of `faults` so many times, in an order that `seed` decides.
pub fn shuffled(faults: &[Fault], times: usize, seed: u64) -> Vec<Fault> {
    let mut deck = faults.repeat(times);
    fastrand::Rng::with_seed(seed).shuffle(&mut deck);
    deck
}

/// What came over one connection.
#[derive(Clone, Debug)]
pub struct Passed {
    pub fault: Fault,
    /// The whole request; less, or nothing, where that was not waited for.
    pub request: String,
}

/// A running proxy.
pub struct Proxy {
    pub address: SocketAddr,
    passed: Arc<Mutex<Vec<Passed>>>,
}

impl Proxy {
    /// A way to the server at `to`.
    pub async fn start(to: SocketAddr, faults: Vec<Fault>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let passed: Arc<Mutex<Vec<Passed>>> = Arc::default();
        let log = passed.clone();
        tokio::spawn(async move {
            let mut faults = faults.into_iter();
            while let Ok((client, _)) = listener.accept().await {
                let fault = faults.next().unwrap_or(Fault::Pass);
                let log = log.clone();
                tokio::spawn(async move {
                    let mut request = Vec::new();
                    // What fails here is a side that has gone, which is as good a fault as any.
                    let _ = pass(client, to, fault, &mut request).await;
                    let request = String::from_utf8_lossy(&request).into_owned();
                    log.lock().unwrap().push(Passed { fault, request });
                });
            }
        });
        Self { address, passed }
    }

    /// The connections that have ended.
    pub fn passed(&self) -> Vec<Passed> {
        self.passed.lock().unwrap().clone()
    }
}

async fn pass(
    mut client: TcpStream,
    to: SocketAddr,
    fault: Fault,
    request: &mut Vec<u8>,
) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    match fault {
        Fault::ResetAtOnce => return client.set_zero_linger(),
        Fault::ResetInRequest => {
            request.resize(16, 0);
            client.read_exact(request).await?;
            return client.set_zero_linger();
        }
        _ => read_request(&mut client, request).await?,
    }
    match fault {
        Fault::HalfClose => {
            client.shutdown().await?;
            return until_gone(&mut client).await;
        }
        Fault::Garbage => return client.write_all(b"\x00\xff\x16\x03 this is no HTTP\r\n\r\n").await,
        Fault::Refuse => {
            let answer =
                b"HTTP/1.1 503 Service Unavailable\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
            return client.write_all(answer).await;
        }
        _ => {}
    }
    let answer = forward(to, request).await?;
    match fault {
        Fault::Swallow => client.set_zero_linger(),
        Fault::Hang => until_gone(&mut client).await,
        Fault::CutHead => {
            let head = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n").unwrap_or(answer.len());
            client.write_all(&answer[..head / 2]).await
        }
        Fault::CutEnd => client.write_all(&answer[..answer.len() - 1]).await,
        Fault::Slow => dribble(&mut client, &answer).await,
        _ => client.write_all(&answer).await,
    }
}

/// Reads a request up to the end of its body.
async fn read_request(client: &mut TcpStream, request: &mut Vec<u8>) -> std::io::Result<()> {
    loop {
        if let Some(end) = request.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&request[..end]).to_lowercase();
            let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
            let length: usize = length.map_or(0, |length| length.trim().parse().unwrap());
            if request.len() >= end + 4 + length {
                return Ok(());
            }
        }
        if client.read_buf(request).await? == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
    }
}

/// Hands the request on, and reads the whole answer. Both sides hear that the connection is for one request.
async fn forward(to: SocketAddr, request: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut server = TcpStream::connect(to).await?;
    let line = request.iter().position(|byte| *byte == b'\n').unwrap_or(0) + 1;
    server.write_all(&[&request[..line], b"connection: close\r\n", &request[line..]].concat()).await?;
    let mut answer = Vec::new();
    server.read_to_end(&mut answer).await?;
    Ok(answer)
}

async fn until_gone(client: &mut TcpStream) -> std::io::Result<()> {
    while client.read(&mut [0; 256]).await? > 0 {}
    Ok(())
}

/// In at most a hundred pieces, a moment apart.
async fn dribble(client: &mut TcpStream, answer: &[u8]) -> std::io::Result<()> {
    let mut ticks = tokio::time::interval(Duration::from_millis(1));
    for piece in answer.chunks(answer.len().div_ceil(100)) {
        ticks.tick().await;
        client.write_all(piece).await?;
    }
    Ok(())
}
