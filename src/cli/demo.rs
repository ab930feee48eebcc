//! `demo`: the bridge at work between fakes, and a page that shows it.

use super::{CliError, output};
use crate::clock::Clock;
use crate::demo::{Demo, DemoError};
use crate::telemetry;
use clap::Args;
use std::io::IsTerminal;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Address and port of the page; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
}

pub(super) async fn run(arguments: Arguments) -> Result<(), CliError> {
    let colour = std::io::stderr().is_terminal() && !crate::config::no_color();
    // Retries are part of the demo and logged as warnings.
    telemetry::start("error", false, colour);
    let stop = stopped()?;
    let demo = Demo::start(arguments.listen, Clock::System).await?;
    output::line(&format!("Open http://{}", shown(demo.addr().unwrap_or(arguments.listen))));
    output::line(
        "Invented reviews arrive and the bridge delivers them. Press Ctrl-C to stop; nothing is left behind.",
    );
    Ok(demo.run(stop).await?)
}

/// The address as a browser on this machine can open it.
fn shown(addr: SocketAddr) -> SocketAddr {
    let ip = match addr.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    SocketAddr::new(ip, addr.port())
}

impl From<DemoError> for CliError {
    fn from(error: DemoError) -> Self {
        match error {
            DemoError::App(error) => error.into(),
            error => Self::Failed(error.to_string()),
        }
    }
}

/// Ends with Ctrl-C, SIGTERM, or the terminal. Registered before anything starts, so that none is missed and
/// nothing is left behind.
#[cfg(unix)]
fn stopped() -> Result<impl Future<Output = ()>, CliError> {
    use tokio::signal::unix::{SignalKind, signal};
    let listen =
        |kind| signal(kind).map_err(|error| CliError::Failed(format!("cannot listen for signals: {error}")));
    let mut interrupt = listen(SignalKind::interrupt())?;
    let mut terminate = listen(SignalKind::terminate())?;
    let mut hangup = listen(SignalKind::hangup())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

#[cfg(not(unix))]
fn stopped() -> Result<impl Future<Output = ()>, CliError> {
    Ok(async {
        let _ = tokio::signal::ctrl_c().await;
    })
}
