//! The bytes below SMTP: TCP without delay, TLS from the first byte or after STARTTLS.
//!
//! STARTTLS is spoken here and not by lettre, which keeps what it had read before the handshake and would take
//! what somebody on the way put there for the server's encrypted words.

use super::settings::{Server, Tls};
use lettre::transport::smtp::client::AsyncTokioStream;
use rustls::pki_types::ServerName;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// The longest reply of a server before the handshake.
const MAX_REPLY_BYTES: usize = 16 * 1024;

/// Why there is no connection.
#[derive(Debug)]
pub enum Refusal {
    /// No TCP connection, or it was lost.
    Network(io::Error),
    /// No trusted TLS.
    Tls(io::Error),
    /// STARTTLS is not offered.
    NoStartTls,
    /// Not SMTP.
    Strange,
    /// The server said no.
    Reply(u16, String),
}

/// A connection of bytes.
#[derive(Debug)]
pub struct Wire {
    stream: Stream,
    /// What is read before anything else: after STARTTLS there is no greeting, and lettre waits for one.
    ahead: &'static [u8],
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Secure(Box<TlsStream<TcpStream>>),
}

/// A TCP connection to `server`.
pub async fn connect(server: &Server) -> Result<TcpStream, Refusal> {
    let tcp = TcpStream::connect((server.host.as_str(), server.port)).await.map_err(Refusal::Network)?;
    // lettre writes a message and its end apart; without this the second waits for the answer to the first.
    tcp.set_nodelay(true).map_err(Refusal::Network)?;
    Ok(tcp)
}

/// What SMTP is spoken over; `hello` is how we name ourselves. Where the server wants encryption and there is no `tls`,
/// nothing is said.
pub async fn secure(
    mut tcp: TcpStream,
    server: &Server,
    tls: Option<&TlsConnector>,
    hello: &str,
) -> Result<Wire, Refusal> {
    let (tls, ahead): (_, &'static [u8]) = match (server.tls, tls) {
        (Tls::None, _) => return Ok(Wire { stream: Stream::Plain(tcp), ahead: b"" }),
        (_, None) => return Err(Refusal::Tls(ErrorKind::InvalidInput.into())),
        (Tls::Implicit, Some(tls)) => (tls, b""),
        (Tls::StartTls, Some(tls)) => {
            start_tls(&mut tcp, hello).await?;
            (tls, b"220 encrypted\r\n")
        }
    };
    let name = ServerName::try_from(server.host.clone());
    let name = name.map_err(|error| Refusal::Tls(io::Error::new(ErrorKind::InvalidInput, error)))?;
    let stream = tls.connect(name, tcp).await.map_err(Refusal::Tls)?;
    Ok(Wire { stream: Stream::Secure(Box::new(stream)), ahead })
}

async fn start_tls(tcp: &mut TcpStream, hello: &str) -> Result<(), Refusal> {
    expect(tcp, 220).await?;
    tcp.write_all(format!("EHLO {hello}\r\n").as_bytes()).await.map_err(Refusal::Network)?;
    let offers = expect(tcp, 250).await?;
    let offered = |line: &str| line.get(4..).is_some_and(|word| word.trim().eq_ignore_ascii_case("STARTTLS"));
    if !offers.lines().any(offered) {
        return Err(Refusal::NoStartTls);
    }
    tcp.write_all(b"STARTTLS\r\n").await.map_err(Refusal::Network)?;
    expect(tcp, 220).await.map(drop)
}

/// Reads one whole reply, which must have this code and nothing behind it.
async fn expect(tcp: &mut TcpStream, code: u16) -> Result<String, Refusal> {
    let mut bytes = Vec::new();
    loop {
        let read = tcp.read_buf(&mut bytes).await.map_err(Refusal::Network)?;
        if let Some(end) = end_of_reply(&bytes)? {
            let text = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let given = text.get(..3).and_then(|digits| digits.parse().ok()).ok_or(Refusal::Strange)?;
            // More than was asked for is what somebody on the way would send to be read later.
            return match (given == code, end == bytes.len()) {
                (true, true) => Ok(text),
                (false, _) => Err(Refusal::Reply(given, words(&text))),
                (true, false) => Err(Refusal::Strange),
            };
        }
        if read == 0 {
            return Err(Refusal::Network(ErrorKind::UnexpectedEof.into()));
        }
        if bytes.len() > MAX_REPLY_BYTES {
            return Err(Refusal::Strange);
        }
    }
}

/// Where the last line of a reply ends: `250-…` goes on, `250 …` is the last.
fn end_of_reply(bytes: &[u8]) -> Result<Option<usize>, Refusal> {
    let mut start = 0;
    while let Some(length) = bytes[start..].iter().position(|byte| *byte == b'\n') {
        let line = &bytes[start..start + length];
        let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
        start += length + 1;
        match line.get(3) {
            _ if digits != 3 => return Err(Refusal::Strange),
            Some(b'-') => {}
            _ => return Ok(Some(start)),
        }
    }
    // A TLS record or another protocol need not have line ends at all.
    match bytes.first() {
        Some(first) if start == 0 && !first.is_ascii_digit() => Err(Refusal::Strange),
        _ => Ok(None),
    }
}

/// A reply without its codes.
fn words(reply: &str) -> String {
    let lines = reply.lines().map(|line| line.get(4..).unwrap_or_default().trim());
    lines.collect::<Vec<_>>().join(" ")
}

impl AsyncTokioStream for Wire {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        match &self.stream {
            Stream::Plain(tcp) => tcp.peer_addr(),
            Stream::Secure(tls) => tls.get_ref().0.peer_addr(),
        }
    }
}

impl AsyncRead for Wire {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if !self.ahead.is_empty() {
            let (now, later) = self.ahead.split_at(self.ahead.len().min(buffer.remaining()));
            buffer.put_slice(now);
            self.ahead = later;
            return Poll::Ready(Ok(()));
        }
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_read(context, buffer),
            Stream::Secure(tls) => Pin::new(tls).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write(context, bytes),
            Stream::Secure(tls) => Pin::new(tls).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_flush(context),
            Stream::Secure(tls) => Pin::new(tls).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Stream::Plain(tcp) => Pin::new(tcp).poll_shutdown(context),
            Stream::Secure(tls) => Pin::new(tls).poll_shutdown(context),
        }
    }
}
