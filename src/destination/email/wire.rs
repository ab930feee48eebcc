//! The bytes below SMTP: TCP without delay, TLS from the first byte or after STARTTLS; and what a server speaks that
//! speaks neither as it should.

use super::settings::{Server, Tls};
use crate::outbound::{first_words, old_words};
use rustls::pki_types::ServerName;
use std::io::{self, ErrorKind};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// A connection of bytes.
#[derive(Debug)]
pub enum Wire {
    /// As they are.
    Plain(TcpStream),
    /// Encrypted.
    Secure(Box<TlsStream<TcpStream>>),
}

/// A TCP connection to `server`.
pub async fn connect(server: &Server) -> io::Result<TcpStream> {
    let tcp = TcpStream::connect((server.host.as_str(), server.port)).await?;
    // A message and its end are written apart; without this the second waits for the answer to the first.
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

/// Encrypts `tcp`.
pub async fn encrypt(tcp: TcpStream, server: &Server, tls: Option<&TlsConnector>) -> io::Result<Wire> {
    let tls = tls.ok_or(ErrorKind::InvalidInput)?;
    let name = ServerName::try_from(server.host.clone())
        .map_err(|error| io::Error::new(ErrorKind::InvalidInput, error))?;
    Ok(Wire::Secure(Box::new(tls.connect(name, tcp).await?)))
}

impl Wire {
    /// The TCP connection, where nothing encrypts it.
    pub fn into_plain(self) -> Option<TcpStream> {
        match self {
            Self::Plain(tcp) => Some(tcp),
            Self::Secure(_) => None,
        }
    }
}

/// Whether a server that keeps silent waits for encryption: it is greeted so on a connection of its own. Port 25 is left
/// alone: whoever speaks first there is taken for a spammer.
pub async fn waits_for_encryption(server: &Server) -> bool {
    let trial = async {
        let mut tcp = connect(server).await.ok()?;
        tcp.write_all(&first_words(&server.host)?).await.ok()?;
        let mut record = [0; 2];
        tcp.read_exact(&mut record).await.ok()?;
        // An alert or a handshake, of any version.
        Some(matches!(record, [21 | 22, 3]))
    };
    server.tls != Tls::Implicit
        && server.port != 25
        && tokio::time::timeout(server.patience.doubt, trial).await.ok().flatten().unwrap_or(false)
}

/// Whether what answers on this connection speaks TLS, but only older versions than 1.2.
pub async fn is_outdated(mut tcp: TcpStream, server: &Server) -> bool {
    let trial = async {
        tcp.write_all(&old_words(&server.host)).await.ok()?;
        let mut hello = [0; 11];
        tcp.read_exact(&mut hello).await.ok()?;
        // A record with a `ServerHello` that chooses SSL 3.0, TLS 1.0 or 1.1.
        Some(matches!(hello, [22, 3, _, _, _, 2, _, _, _, 3, 0..=2]))
    };
    tokio::time::timeout(server.patience.doubt, trial).await.ok().flatten().unwrap_or(false)
}

impl AsyncRead for Wire {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_read(context, buffer),
            Self::Secure(tls) => Pin::new(tls).poll_read(context, buffer),
        }
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_write(context, bytes),
            Self::Secure(tls) => Pin::new(tls).poll_write(context, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_flush(context),
            Self::Secure(tls) => Pin::new(tls).poll_flush(context),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(tcp) => Pin::new(tcp).poll_shutdown(context),
            Self::Secure(tls) => Pin::new(tls).poll_shutdown(context),
        }
    }
}
