//! How fast mail goes out: one destination of type `email` over its eight connections, to a receiver in this
//! process. `cargo bench --bench mail [-- MAILS]` prints mails a second, rendering included, for a connection
//! that is plain, encrypted after STARTTLS, and encrypted from the first byte.
//!
//! The receiver is an ordinary one: it has neither TCP_NODELAY nor TCP_QUICKACK, and takes a message and its
//! end in two reads. A client that waits for the answer to the first before it writes the second (Nagle) gets
//! about 20 mails a second on each connection, as Linux then waits 40 ms. Sender and receiver share the machine.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

use review_bridge::app::build_targets;
use review_bridge::config;
use review_bridge::destination::Destination;
use review_bridge::domain::{Message, Outcome};
use review_bridge::presentation::sample;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

/// As many as the destination has connections: no send waits for room.
const CONNECTIONS: usize = 8;
const HELLO: &str = "250-receiver\r\n250 8BITMIME\r\n";

#[derive(Clone, Copy, PartialEq, Eq)]
enum Encryption {
    None,
    StartTls,
    Implicit,
}

fn main() {
    let mails = std::env::args().filter_map(|argument| argument.parse().ok()).next().unwrap_or(8_000);
    rustls::crypto::ring::default_provider().install_default().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for (tls, key, name) in [
        (Encryption::None, "none", "plain"),
        (Encryption::StartTls, "starttls", "STARTTLS"),
        (Encryption::Implicit, "implicit", "implicit TLS"),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let port = receive(tls, &folder.path().join("ca.pem"));
        let destination = destination(folder.path(), key, port);
        // The connections are opened first: a bridge at work keeps them.
        runtime.block_on(send(&destination, CONNECTIONS));
        let began = Instant::now();
        runtime.block_on(send(&destination, mails));
        let rate = mails as f64 / began.elapsed().as_secs_f64();
        println!("{name:<14}{rate:>8.0} mails a second over {CONNECTIONS} connections");
    }
}

/// The destination as a configuration has it.
fn destination(folder: &Path, tls: &str, port: u16) -> Arc<dyn Destination> {
    let text = format!(
        "[accounts.main]\ntoken = \"sandbox-token\"\n[smtp]\nhost = \"127.0.0.1\"\nport = {port}\ntls = \"{tls}\"\n\
         ca_file = \"ca.pem\"\nfrom = \"reviews@shop.example\"\n[destinations.owner]\ntype = \"email\"\n\
         to = [\"owner@shop.example\"]\n[[rules]]\nname = \"all\"\nto = [\"owner\"]\n"
    );
    let file = folder.join("config.toml");
    std::fs::write(&file, text).unwrap();
    let none: [(String, String); 0] = [];
    let loaded = config::load(Some(&file), none, folder).unwrap_or_else(|failure| panic!("{failure}"));
    build_targets(&loaded.settings).unwrap().by_name["owner"].destination.clone()
}

/// Sends so many, each connection's share one after the other.
async fn send(destination: &Arc<dyn Destination>, mails: usize) {
    let message = Arc::new(Message { recipient: "owner@shop.example".into(), ..sample("everything") });
    let senders = (0..CONNECTIONS).map(|sender| {
        let (destination, message) = (destination.clone(), message.clone());
        tokio::spawn(async move {
            for _ in (sender..mails).step_by(CONNECTIONS) {
                let attempt = destination.send(&message, &destination.render(&message)).await;
                assert_eq!(attempt.outcome, Outcome::Delivered, "{}", attempt.detail);
            }
        })
    });
    for sender in senders.collect::<Vec<_>>() {
        sender.await.unwrap();
    }
}

/// Starts a receiver, writes whom to trust to `ca`, and returns the port.
fn receive(tls: Encryption, ca: &Path) -> u16 {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    std::fs::write(ca, made.cert.pem()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for tcp in listener.incoming().map_while(Result::ok) {
            let config = config.clone();
            // A client that leaves ends its thread; what matters is asserted by the client.
            std::thread::spawn(move || serve(tcp, tls, config));
        }
    });
    port
}

fn serve(mut tcp: TcpStream, tls: Encryption, config: Arc<rustls::ServerConfig>) -> io::Result<()> {
    let greeting = "220 receiver ESMTP\r\n";
    match tls {
        Encryption::None => return talk(tcp, greeting),
        Encryption::Implicit => {}
        Encryption::StartTls => {
            let mut lines = BufReader::new(tcp.try_clone()?);
            for answer in [greeting, "250-receiver\r\n250 STARTTLS\r\n", "220 go on\r\n"] {
                tcp.write_all(answer.as_bytes())?;
                if !answer.ends_with("go on\r\n") {
                    lines.read_line(&mut String::new())?;
                }
            }
        }
    }
    let tls_session = rustls::ServerConnection::new(config).map_err(io::Error::other)?;
    let stream = rustls::StreamOwned::new(tls_session, tcp);
    talk(stream, if tls == Encryption::Implicit { greeting } else { "" })
}

/// The dialogue, until the client leaves.
fn talk<S: Read + Write>(stream: S, greeting: &str) -> io::Result<()> {
    let mut stream = BufReader::new(stream);
    stream.get_mut().write_all(greeting.as_bytes())?;
    let mut line = String::new();
    while stream.read_line(&mut line)? > 0 {
        let answer = match line.get(..4) {
            Some("EHLO") => HELLO,
            Some("DATA") => {
                stream.get_mut().write_all(b"354 go on\r\n")?;
                let mut content = Vec::new();
                while !content.ends_with(b"\r\n.\r\n") {
                    if stream.read_until(b'\n', &mut content)? == 0 {
                        return Ok(());
                    }
                }
                "250 2.0.0 taken\r\n"
            }
            _ => "250 2.0.0 fine\r\n",
        };
        stream.get_mut().write_all(answer.as_bytes())?;
        line.clear();
    }
    Ok(())
}
