//! Whether something listens where a destination sends, found out without sending anything.

use crate::settings::table::io_text;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;
use tokio::net::{TcpStream, lookup_host};
use url::{Host, Url};

/// Resolves the host of `url` and connects to it, within `timeout`. The error names the host and no more of
/// the URL.
pub(super) async fn reach(url: &Url, timeout: Duration) -> Result<(), String> {
    let port = url.port_or_known_default().unwrap_or(443);
    let host = url.host().ok_or("its URL has no host")?.to_owned();
    within(&host, port, timeout).await
}

/// Resolves `host`, a name or an address, and connects to it, within `timeout`.
pub(super) async fn reach_server(host: &str, port: u16, timeout: Duration) -> Result<(), String> {
    let parsed = match host.parse() {
        Ok(IpAddr::V4(ip)) => Host::Ipv4(ip),
        Ok(IpAddr::V6(ip)) => Host::Ipv6(ip),
        Err(_) => Host::Domain(host.to_owned()),
    };
    within(&parsed, port, timeout).await
}

async fn within(host: &Host, port: u16, timeout: Duration) -> Result<(), String> {
    match tokio::time::timeout(timeout, connect(host, port)).await {
        Ok(result) => result.map_err(|why| format!("{host}:{port}: {why}")),
        Err(_) => Err(format!("{host}:{port}: no answer within {} s", timeout.as_secs())),
    }
}

async fn connect(host: &Host, port: u16) -> Result<(), String> {
    let addresses: Vec<SocketAddr> = match host {
        Host::Ipv4(ip) => vec![SocketAddr::from((*ip, port))],
        Host::Ipv6(ip) => vec![SocketAddr::from((*ip, port))],
        Host::Domain(name) => {
            let found = lookup_host((name.as_str(), port)).await;
            found.map_err(|error| format!("the name was not found: {}", io_text(&error)))?.collect()
        }
    };
    let mut why = "the name has no address".to_owned();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(_) => return Ok(()),
            Err(error) => why = io_text(&error),
        }
    }
    Err(why)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_listener_is_reached_and_a_closed_port_is_told_without_the_rest_of_the_url() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let url = Url::parse(&format!("http://{address}/s3cret?s3cret")).unwrap();
        let timeout = Duration::from_secs(5);
        assert_eq!(reach(&url, timeout).await, Ok(()));
        drop(listener);
        let error = reach(&url, timeout).await.unwrap_err();
        assert_eq!(error, format!("{address}: connection refused"));
        let none = Url::parse("https://no-such-host.invalid/s3cret").unwrap();
        let error = reach(&none, timeout).await.unwrap_err();
        assert!(error.starts_with("no-such-host.invalid:443: ") && !error.contains("s3cret"), "{error}");
    }
}
