//! `healthcheck`: checks that a running bridge is ready, for a container's HEALTHCHECK.

use super::{CliError, Context};
use clap::Args;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where the bridge serves /readyz [default: `http.listen` of the configuration]
    #[arg(long, value_name = "ADDRESS:PORT")]
    address: Option<SocketAddr>,
}

/// The time a probe may take.
const TIMEOUT: Duration = Duration::from_secs(5);

pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<(), CliError> {
    let address = match arguments.address {
        Some(address) => address,
        None => context.load()?.settings.http.listen.ok_or_else(|| {
            CliError::Usage("`http.listen` is \"\", so this bridge serves no health endpoint; set `http.listen`, or pass --address".into())
        })?,
    };
    let address = reachable(address);
    let failed = |why: String| CliError::Failed(format!("not ready at {address}: {why}"));
    let status = tokio::time::timeout(TIMEOUT, ask(address))
        .await
        .map_err(|_| failed("timed out after 5 seconds".into()))?
        .map_err(|error| failed(crate::settings::table::io_text(&error)))?;
    if status.split(' ').nth(1) == Some("200") { Ok(()) } else { Err(failed(status)) }
}

/// An address that listens on all interfaces is checked on this machine.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

async fn ask(address: SocketAddr) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut start = Vec::new();
    stream.take(1024).read_to_end(&mut start).await?;
    let text = String::from_utf8_lossy(&start);
    Ok(text.lines().next().unwrap_or_default().chars().take(80).collect())
}
