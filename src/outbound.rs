//! What all calls to elsewhere share: one TLS configuration for each set of trusted authorities, and one HTTP client for each
//! of these and each [`Http`].
//!
//! It is a value, not state of the process: each configuration that is read has one of its own, so a reload reads the
//! system's certificates again. They are read only once something is reached over TLS.

mod hello;
mod trust;

pub use hello::{first_words, old_words};

use crate::settings::table::io_text;
use rustls::client::Resumption;
use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use url::Url;

/// Connections to one host that stay open for the next request: as many as are sent to one destination at a time,
/// where the process may have many files open, and few or none where it may not.
fn max_idle_per_host() -> usize {
    match descriptors() {
        Some(0..512) => 0,
        Some(512..8192) => 2,
        _ => 32,
    }
}

/// The files and connections that the process may have open; `None` where that has no limit.
#[cfg(unix)]
fn descriptors() -> Option<u64> {
    rustix::process::getrlimit(rustix::process::Resource::Nofile).current
}

#[cfg(not(unix))]
fn descriptors() -> Option<u64> {
    None
}

/// TLS sessions that can be resumed: eight of each of the last 128 servers.
const MAX_SESSIONS: usize = 1024;

/// Makes TLS configurations and HTTP clients, each once. Clones share them.
#[derive(Clone, Default)]
pub struct Outbound(Arc<Mutex<Made>>);

/// Certificates (DER) that are trusted beside the system's: authorities, and servers' own.
type Extra = BTreeSet<Vec<u8>>;

#[derive(Default)]
struct Made {
    tls: BTreeMap<Extra, Arc<ClientConfig>>,
    /// `None` are the clients that only reach http URLs.
    http: BTreeMap<(Option<Extra>, Http), reqwest::Client>,
}

/// What tells one HTTP client from another. Redirects are never followed, nothing is repeated, and proxies of the
/// environment are ignored by all of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Http {
    /// The time that a connection may take, TLS included.
    pub connect_timeout: Duration,
    /// The time that may pass between two pieces of an answer, where it is bounded.
    pub read_timeout: Option<Duration>,
    /// How long a connection waits for another request.
    pub idle_timeout: Duration,
    /// Whether answers may be compressed.
    pub gzip: bool,
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outbound")
    }
}

impl Outbound {
    /// The TLS configuration that trusts the system's authorities and `extra`.
    ///
    /// # Errors
    /// No authority is trusted at all, or one of `extra` is not a certificate.
    pub fn tls(&self, extra: &[CertificateDer<'_>]) -> Result<Arc<ClientConfig>, String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).tls(&set(extra))
    }

    /// The client that reaches `url`, and whatever else has its scheme.
    ///
    /// # Errors
    /// As those of [`Self::tls`].
    pub fn http(
        &self,
        url: &Url,
        http: Http,
        extra: &[CertificateDer<'_>],
    ) -> Result<reqwest::Client, String> {
        let mut made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = ((url.scheme() != "http").then(|| set(extra)), http);
        if let Some(known) = made.http.get(&key) {
            return Ok(known.clone());
        }
        let mut tls = match &key.0 {
            Some(extra) => made.tls(extra)?.as_ref().clone(),
            None => trusting_nobody()?,
        };
        tls.alpn_protocols = vec![b"http/1.1".to_vec()];
        let client = build(http, tls)?;
        made.http.insert(key, client.clone());
        Ok(client)
    }

    /// How many TLS configurations and HTTP clients were made.
    pub fn made(&self) -> (usize, usize) {
        let made = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (made.tls.len(), made.http.len())
    }
}

impl Made {
    fn tls(&mut self, extra: &Extra) -> Result<Arc<ClientConfig>, String> {
        if let Some(known) = self.tls.get(extra) {
            return Ok(known.clone());
        }
        let config = Arc::new(trusting(extra).map_err(|error| error.to_string())?);
        self.tls.insert(extra.clone(), config.clone());
        Ok(config)
    }
}

fn set(certificates: &[CertificateDer<'_>]) -> Extra {
    certificates.iter().map(|certificate| certificate.to_vec()).collect()
}

/// Reads and parses the system's certificates: milliseconds.
fn trusting(extra: &Extra) -> Result<ClientConfig, rustls::Error> {
    let provider = provider();
    let verifier = trust::Verifier::new(extra, provider.clone())?;
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.resumption = Resumption::in_memory_sessions(MAX_SESSIONS);
    Ok(config)
}

/// For clients that never speak TLS: if one ever did, it would refuse every certificate.
fn trusting_nobody() -> Result<ClientConfig, String> {
    let builder = ClientConfig::builder_with_provider(provider()).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| error.to_string())?;
    let mut config = builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth();
    config.resumption = Resumption::disabled();
    Ok(config)
}

fn provider() -> Arc<CryptoProvider> {
    Arc::new(ring::default_provider())
}

fn build(http: Http, tls: ClientConfig) -> Result<reqwest::Client, String> {
    let mut builder = reqwest::Client::builder()
        .user_agent(concat!("review-bridge/", env!("CARGO_PKG_VERSION")))
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .no_proxy()
        .gzip(http.gzip)
        .tcp_nodelay(true)
        .connect_timeout(http.connect_timeout)
        .pool_idle_timeout(http.idle_timeout)
        .pool_max_idle_per_host(max_idle_per_host())
        .tls_backend_preconfigured(tls);
    if let Some(timeout) = http.read_timeout {
        builder = builder.read_timeout(timeout);
    }
    builder.build().map_err(|error| crate::causes::innermost(&error.without_url()))
}

/// The certificates of a PEM file.
///
/// # Errors
/// It cannot be read, or holds none.
pub fn certificates(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let shown = file.display();
    let pem = std::fs::read(file).map_err(|error| format!("cannot read `{shown}`: {}", io_text(&error)))?;
    match CertificateDer::pem_slice_iter(&pem).collect::<Result<Vec<_>, _>>() {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(format!("`{shown}` holds no certificate in PEM form")),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const HTTP: Http = Http {
        connect_timeout: Duration::from_secs(5),
        read_timeout: None,
        idle_timeout: Duration::from_secs(30),
        gzip: false,
    };

    fn certificate() -> CertificateDer<'static> {
        rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap().cert.der().clone()
    }

    fn url(text: &str) -> Url {
        text.parse().unwrap()
    }

    #[test]
    fn equal_sets_of_authorities_are_one_configuration() {
        let outbound = Outbound::default();
        let (one, other) = (certificate(), certificate());
        let system = outbound.tls(&[]).unwrap();
        assert!(Arc::ptr_eq(&system, &outbound.clone().tls(&[]).unwrap()));
        let both = outbound.tls(&[one.clone(), other.clone()]).unwrap();
        assert!(Arc::ptr_eq(&both, &outbound.tls(&[other.clone(), one.clone(), one.clone()]).unwrap()));
        assert!(!Arc::ptr_eq(&both, &outbound.tls(&[one]).unwrap()) && !Arc::ptr_eq(&both, &system));
        assert_eq!(outbound.made(), (3, 0));
        assert!(outbound.tls(&[CertificateDer::from(vec![1, 2, 3])]).is_err());
        assert_eq!(Outbound::default().made(), (0, 0));
    }

    #[test]
    fn clients_differ_by_authorities_and_settings_and_share_their_tls() {
        let outbound = Outbound::default();
        for host in ["https://a.example/x", "https://b.example:8443/y?z"] {
            outbound.http(&url(host), HTTP, &[]).unwrap();
        }
        assert_eq!(outbound.made(), (1, 1));
        outbound.http(&url("https://a.example/"), Http { gzip: true, ..HTTP }, &[]).unwrap();
        assert_eq!(outbound.made(), (1, 2));
        outbound.http(&url("https://a.example/"), HTTP, &[certificate()]).unwrap();
        assert_eq!(outbound.made(), (2, 3));
    }

    #[test]
    fn http_alone_reads_no_certificates() {
        let outbound = Outbound::default();
        outbound.http(&url("http://127.0.0.1:1/"), HTTP, &[]).unwrap();
        outbound.http(&url("http://127.0.0.1:2/"), HTTP, &[certificate()]).unwrap();
        assert_eq!(outbound.made(), (0, 1));
    }

    /// A server of one connection on this machine, with this certificate; the URL that reaches it.
    async fn serve(
        params: rcgen::CertificateParams,
    ) -> (String, CertificateDer<'static>, crate::task::Group<()>) {
        let key = rcgen::KeyPair::generate().unwrap();
        let cert = params.self_signed(&key).unwrap().der().clone();
        let private = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let server = rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.clone()], private)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut group = crate::task::Group::default();
        group.start(async move {
            use tokio::io::{AsyncReadExt, AsyncWriteExt};
            if let Ok(mut stream) = acceptor.accept(listener.accept().await.unwrap().0).await {
                stream.read_buf(&mut Vec::with_capacity(1024)).await.unwrap();
                stream.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
                stream.flush().await.unwrap();
            }
        });
        (format!("https://localhost:{port}/"), cert, group)
    }

    #[tokio::test]
    async fn a_self_signed_certificate_that_is_named_is_trusted_over_https() {
        // J6: an authority and a server in one, as `openssl req -x509` makes it.
        for (host, passes) in [("localhost", true), ("other.example", false)] {
            let mut params = rcgen::CertificateParams::new(vec![host.to_owned()]).unwrap();
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
            let (address, cert, _server) = serve(params).await;
            let client = Outbound::default().http(&url(&address), HTTP, &[cert]).unwrap();
            let answer = client.get(&address).send().await;
            assert_eq!(answer.as_ref().is_ok_and(|answer| answer.status() == 204), passes, "{answer:?}");
            let Err(error) = answer else { continue };
            let said = crate::causes::words(&error);
            assert_eq!(said, "its certificate is for another host name (it is for `other.example`)");
        }
    }

    #[tokio::test]
    async fn a_client_for_http_trusts_no_certificate() {
        let key = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let private = rustls::pki_types::PrivateKeyDer::try_from(key.signing_key.serialize_der()).unwrap();
        let server = rustls::ServerConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![key.cert.der().clone()], private)
            .unwrap();
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(server));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let client = Outbound::default().http(&url("http://localhost/"), HTTP, &[]).unwrap();
        let asked = client.get(format!("https://localhost:{port}/")).send();
        let served = async { acceptor.accept(listener.accept().await.unwrap().0).await.map(drop) };
        let (asked, served) = tokio::join!(asked, served);
        assert!(asked.is_err() && served.is_err());
    }
}
