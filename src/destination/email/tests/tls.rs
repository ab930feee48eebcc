//! Encryption: from the first byte and after STARTTLS, refused certificates, wrong ports, and words slipped in.

use super::*;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

/// TLS of a server called `localhost`, and its certificate as PEM.
fn tls() -> (Arc<rustls::ServerConfig>, String) {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    (Arc::new(config), made.cert.pem())
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
        let fake = Fake::start_with(&[], move |mut tcp| {
            if mode == "starttls" {
                until_tls(&mut tcp, "STARTTLS", "220 go\r\n")?;
                // After the handshake comes no greeting: the fake's own goes nowhere.
                return accept(&config, tcp).map(WithoutGreeting::new);
            }
            accept(&config, tcp).map(WithoutGreeting::none)
        });
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
