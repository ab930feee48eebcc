//! Encryption: from the first byte and after STARTTLS, refused certificates, wrong ports, and words slipped in.

use super::*;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

/// TLS of a server called `localhost`, and its certificate as PEM.
fn tls() -> (Arc<rustls::ServerConfig>, String) {
    tls_of(rcgen::CertificateParams::new(vec!["localhost".to_owned()]).unwrap())
}

/// TLS of a server with this certificate, which nobody but itself has signed, and that as PEM.
fn tls_of(params: rcgen::CertificateParams) -> (Arc<rustls::ServerConfig>, String) {
    let key = rcgen::KeyPair::generate().unwrap();
    let cert = params.self_signed(&key).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    (Arc::new(config), cert.pem())
}

fn accept(
    config: &Arc<rustls::ServerConfig>,
    mut tcp: TcpStream,
) -> Option<rustls::StreamOwned<rustls::ServerConnection, TcpStream>> {
    let mut tls = rustls::ServerConnection::new(config.clone()).ok()?;
    while tls.is_handshaking() {
        tls.complete_io(&mut tcp).ok()?;
    }
    Some(rustls::StreamOwned::new(tls, tcp))
}

/// What a server says before the handshake.
fn until_tls(tcp: &mut TcpStream, offer: &str, go: &str) -> Option<()> {
    let mut lines = BufReader::new(tcp.try_clone().ok()?);
    tcp.write_all(b"220 fake\r\n").ok()?;
    lines.read_line(&mut String::new()).ok()?;
    tcp.write_all(format!("250-fake\r\n250 {offer}\r\n").as_bytes()).ok()?;
    let mut line = String::new();
    lines.read_line(&mut line).ok()?;
    tcp.write_all(go.as_bytes()).ok()?;
    line.starts_with("STARTTLS").then_some(())
}

fn smtp(tls: &str, more: &str) -> String {
    format!("host = \"localhost\"\ntls = \"{tls}\"\n{more}")
}

#[tokio::test]
async fn a_certificate_is_checked_and_a_private_authority_can_be_named() {
    let file = tempfile::NamedTempFile::new().unwrap();
    for mode in ["implicit", "starttls"] {
        let (config, pem) = tls();
        std::fs::write(file.path(), pem).unwrap();
        let fake = encrypted(mode, config);
        let attempt = send(&*make(&toml(fake.port, &smtp(mode, ""), "")), &message()).await;
        assert_eq!(
            attempt.outcome,
            Outcome::Broken { reason: Reason::CertificateRefused },
            "{}",
            attempt.detail
        );
        assert!(attempt.detail.contains("`smtp.ca_file`"), "{}", attempt.detail);
        assert!(fake.mails().is_empty() && !fake.commands().iter().any(|command| command.contains("AUTH")));
        for (of_server, of_destination) in [
            (format!("ca_file = \"{}\"", file.path().display()), String::new()),
            (String::new(), format!("ca_file = \"{}\"", file.path().display())),
        ] {
            let destination = make(&toml(fake.port, &smtp(mode, &of_server), &of_destination));
            for _ in 0..2 {
                let attempt = send(&*destination, &message()).await;
                assert_eq!(attempt.outcome, Outcome::Delivered, "{mode}: {}", attempt.detail);
            }
        }
        assert_eq!(fake.mails().len(), 4);
        let other_name =
            smtp(mode, &format!("ca_file = \"{}\"", file.path().display())).replace("localhost", "127.0.0.1");
        let attempt = send(&*make(&toml(fake.port, &other_name, "")), &message()).await;
        assert_eq!(
            attempt.outcome,
            Outcome::Broken { reason: Reason::CertificateRefused },
            "{}",
            attempt.detail
        );
    }
}

/// A server that encrypts with `config`.
fn encrypted(mode: &'static str, config: Arc<rustls::ServerConfig>) -> Fake {
    Fake::start_with(&[], move |mut tcp| {
        if mode == "starttls" {
            until_tls(&mut tcp, "STARTTLS", "220 go\r\n")?;
            // After the handshake comes no greeting: the fake's own goes nowhere.
            return accept(&config, tcp).map(WithoutGreeting::new);
        }
        accept(&config, tcp).map(WithoutGreeting::none)
    })
}

#[tokio::test]
async fn a_self_signed_certificate_is_trusted_when_named_and_each_fault_has_its_own_words() {
    // J6, J14
    let of = |names: &[&str], from: i32, until: i32, is_ca: bool| {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        if is_ca {
            // As `openssl req -x509` makes it.
            params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        }
        params.not_before = rcgen::date_time_ymd(from, 1, 1);
        params.not_after = rcgen::date_time_ymd(until, 1, 1);
        params
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    let named = format!("ca_file = \"{}\"", file.path().display());
    for mode in ["implicit", "starttls"] {
        for (params, is_named, expected) in [
            (of(&["localhost"], 2020, 2100, true), true, None),
            (of(&["localhost"], 2020, 2100, false), true, None),
            (of(&["localhost"], 2020, 2100, true), false, Some("exactly this certificate")),
            (of(&["localhost"], 2019, 2020, true), true, Some("has expired (on 1 January 2020). The people")),
            (
                of(&["localhost"], 2099, 2100, true),
                true,
                Some("only from 1 January 2099). Correct the clock"),
            ),
            (
                of(&["mail.shop.example", "*.shop.example"], 2020, 2100, true),
                true,
                Some("(it is for `mail.shop.example`, `*.shop.example`). Set `smtp.host`"),
            ),
            (of(&[], 2020, 2100, true), true, Some("`subjectAltName` contains the name in `smtp.host`")),
        ] {
            let (config, pem) = tls_of(params);
            let fake = encrypted(mode, config);
            std::fs::write(file.path(), pem).unwrap();
            let more = if is_named { named.as_str() } else { "" };
            let attempt = send(&*make(&toml(fake.port, &smtp(mode, more), "")), &message()).await;
            let Some(expected) = expected else {
                assert_eq!(attempt.outcome, Outcome::Delivered, "{mode}: {}", attempt.detail);
                continue;
            };
            assert_eq!(
                attempt.outcome,
                Outcome::Broken { reason: Reason::CertificateRefused },
                "{}",
                attempt.detail
            );
            assert!(attempt.detail.contains(expected), "{expected}: {}", attempt.detail);
            for debug in ["Other", "(\"", "::", " { "] {
                assert!(!attempt.detail.contains(debug), "{}", attempt.detail);
            }
        }
    }
}

/// What a client says first in TLS: its version, as it is written in there.
fn hello(tcp: &mut TcpStream) -> Option<[u8; 2]> {
    use std::io::Read;
    let mut head = [0; 5];
    tcp.read_exact(&mut head).ok()?;
    let mut rest = vec![0; usize::from(u16::from_be_bytes([head[3], head[4]]))];
    tcp.read_exact(&mut rest).ok()?;
    Some([rest[4], rest[5]])
}

/// A `ServerHello` of TLS 1.0.
fn old_hello() -> Vec<u8> {
    let mut hello = [[3, 1].as_slice(), &[7; 32], &[0, 0, 0x2f, 0]].concat();
    hello = [&[2, 0, 0, u8::try_from(hello.len()).unwrap()], hello.as_slice()].concat();
    [&[22, 3, 1, 0, u8::try_from(hello.len()).unwrap()], hello.as_slice()].concat()
}

#[tokio::test]
async fn a_server_whose_tls_is_too_old_is_said_to_be() {
    // J13: it answers a client of today with its own version, an alert, or not at all.
    for mode in ["implicit", "starttls"] {
        for answer in [old_hello(), vec![21, 3, 1, 0, 2, 2, 70], vec![21, 3, 1, 0, 2, 2, 40], Vec::new()] {
            let attempt = against(mode, move |mut tcp| {
                if mode == "starttls" && until_tls(&mut tcp, "STARTTLS", "220 go\r\n").is_none() {
                    return;
                }
                match hello(&mut tcp) {
                    Some([3, 1]) => drop(tcp.write_all(&old_hello())),
                    _ => drop(tcp.write_all(&answer)),
                }
            })
            .await;
            let broken = Outcome::Broken { reason: Reason::CertificateRefused };
            assert_eq!(attempt.outcome, broken, "{mode}: {}", attempt.detail);
            assert!(attempt.detail.contains("TLS older than 1.2"), "{}", attempt.detail);
            assert!(attempt.detail.contains("must enable TLS 1.2"), "{}", attempt.detail);
        }
        // One that hangs up on everybody may have recovered by the next attempt.
        for answer in [Vec::new(), vec![21, 3, 3, 0, 2, 2, 80]] {
            let attempt = against(mode, move |mut tcp| {
                if mode == "implicit" || until_tls(&mut tcp, "STARTTLS", "220 go\r\n").is_some() {
                    hello(&mut tcp);
                    drop(tcp.write_all(&answer));
                }
            })
            .await;
            assert_eq!(attempt.outcome, retry(Reason::ConnectionLost, false), "{mode}: {}", attempt.detail);
            assert!(
                !attempt.detail.contains("eof") && !attempt.detail.contains("Internal"),
                "{}",
                attempt.detail
            );
        }
    }
}

#[tokio::test]
async fn a_server_that_waits_for_encryption_is_found_out() {
    // J14: it says nothing before the client does.
    for mode in ["starttls", "none"] {
        let (config, _) = tls();
        let fake = encrypted("implicit", config);
        let mode =
            smtp(mode, "").replace("localhost", if mode == "none" { "127.0.0.1" } else { "localhost" });
        let patience = super::super::dialogue::Patience {
            doubt: Duration::from_millis(300),
            ..super::super::dialogue::PATIENCE
        };
        let attempt = send(&*super::patience::patient(fake.port, &mode, patience), &message()).await;
        let broken = Outcome::Broken { reason: Reason::CertificateRefused };
        assert_eq!(attempt.outcome, broken, "{}", attempt.detail);
        assert!(attempt.detail.contains("expects encryption from the start"), "{}", attempt.detail);
        assert!(attempt.detail.contains("`smtp.tls` to \"implicit\""), "{}", attempt.detail);
    }
}

/// A stream that swallows the first line written, the fake's greeting.
struct WithoutGreeting<S>(S, bool);

impl<S> WithoutGreeting<S> {
    fn new(stream: S) -> Self {
        Self(stream, true)
    }

    fn none(stream: S) -> Self {
        Self(stream, false)
    }
}

impl<S: std::io::Read> std::io::Read for WithoutGreeting<S> {
    fn read(&mut self, bytes: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(bytes)
    }
}

impl<S: Write> Write for WithoutGreeting<S> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        if std::mem::take(&mut self.1) { Ok(bytes.len()) } else { self.0.write(bytes) }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.0.flush()
    }
}

/// One message to a server that does this with its connection.
async fn against(mode: &str, serve: impl Fn(TcpStream) + Send + 'static) -> Attempt {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || listener.incoming().map_while(Result::ok).for_each(serve));
    send(&*make(&toml(port, &smtp(mode, ""), "timeout = \"2s\"")), &message()).await
}

#[tokio::test]
async fn without_encryption_nothing_is_sent_and_what_to_change_is_said() {
    let refused = Outcome::Broken { reason: Reason::CertificateRefused };
    let attempt = against("starttls", |mut tcp| {
        let _ = until_tls(&mut tcp, "SIZE 1", "");
    })
    .await;
    assert_eq!(attempt.outcome, refused);
    assert!(
        attempt.detail.contains("STARTTLS") && attempt.detail.contains("`smtp.port`"),
        "{}",
        attempt.detail
    );
    let attempt = against("implicit", |mut tcp| {
        let _ = tcp.write_all(b"220 fake ESMTP\r\n");
        let _ = BufReader::new(tcp).read_line(&mut String::new());
    })
    .await;
    assert_eq!(attempt.outcome, refused, "{}", attempt.detail);
    assert!(attempt.detail.contains("Set `smtp.tls` to \"starttls\""), "{}", attempt.detail);
    // What somebody on the way adds behind the reply must not count as said under encryption.
    let attempt = against("starttls", |mut tcp| {
        let _ = until_tls(&mut tcp, "STARTTLS", "220 go\r\n250-fake\r\n250 AUTH PLAIN\r\n");
    })
    .await;
    assert_eq!(attempt.outcome, Outcome::Broken { reason: Reason::UnexpectedAnswer }, "{}", attempt.detail);
    let attempt = against("starttls", |mut tcp| {
        let _ = until_tls(&mut tcp, "STARTTLS", "454 4.7.0 no TLS today\r\n");
    })
    .await;
    assert_eq!(attempt.outcome, retry(Reason::ServerError, false), "{}", attempt.detail);
    let attempt = against("starttls", |mut tcp| drop(tcp.write_all(&[21, 3, 1, 0, 2, 2, 80]))).await;
    assert_eq!(attempt.outcome, Outcome::Broken { reason: Reason::UnexpectedAnswer }, "{}", attempt.detail);
}
