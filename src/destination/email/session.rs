//! One conversation with a mail server: open, log in, hand over one message for one recipient.

use super::dialogue::{BLOCK_BYTES, Dialogue, Fault, stuffed};
use super::reply::Reply;
use super::settings::{Server, Tls};
use super::step::{Progress, Step};
use super::wire::{self, Wire};
use crate::causes::{TlsCause, tls_error};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;
use std::io;
use std::net::IpAddr;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// The ways to log in that this version speaks, the preferred first.
pub const MECHANISMS: [&str; 2] = ["PLAIN", "LOGIN"];
/// A server that asks more often does not log anybody in.
const MAX_CHALLENGES: usize = 4;

/// Why a conversation ended.
#[derive(Debug)]
pub enum Failure {
    /// No connection, or it was lost.
    Lost(io::Error),
    /// No answer in this time.
    Silent(Duration),
    /// No trusted TLS.
    Tls(io::Error),
    /// TLS, but none newer than 1.1.
    OutdatedTls,
    /// The server waits for encryption from the first byte.
    WaitsForTls,
    /// STARTTLS is not offered.
    NoStartTls,
    /// None of the ways to log in that are offered is known.
    NoMechanism(Vec<String>),
    /// Not SMTP.
    Strange,
    /// The server takes no address beyond ASCII.
    NoUtf8,
    /// The server takes messages up to this size only.
    TooLarge(u64),
    /// What the server said.
    Reply(Reply),
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Lost(error) => Self::Lost(error),
            Fault::Silent(limit) => Self::Silent(limit),
            Fault::Strange => Self::Strange,
        }
    }
}

/// What a server offers.
#[derive(Debug, Default)]
struct Offers {
    start_tls: bool,
    eight_bit: bool,
    utf8: bool,
    /// The largest message, where it says so; 0 for no limit.
    size: Option<u64>,
    mechanisms: Vec<String>,
}

impl Offers {
    fn read(reply: &Reply) -> Self {
        let mut offers = Self::default();
        for line in reply.text.lines().skip(1) {
            // Some write `AUTH=PLAIN LOGIN`.
            let line = line.trim().to_ascii_uppercase().replacen("AUTH=", "AUTH ", 1);
            let mut words = line.split_whitespace();
            match words.next() {
                Some("STARTTLS") => offers.start_tls = true,
                Some("8BITMIME") => offers.eight_bit = true,
                Some("SMTPUTF8") => offers.utf8 = true,
                Some("SIZE") => {
                    offers.size = Some(words.next().and_then(|size| size.parse().ok()).unwrap_or(0))
                }
                Some("AUTH") => offers.mechanisms.extend(words.map(str::to_owned)),
                _ => {}
            }
        }
        offers
    }
}

/// An open connection.
#[derive(Debug)]
pub struct Connection {
    talk: Dialogue<Wire>,
    offers: Offers,
}

/// Opens a connection within `timeout`, encrypts it and logs in.
pub async fn open(
    server: &Server,
    tls: Option<&TlsConnector>,
    timeout: Duration,
    progress: &Progress,
) -> Result<Connection, Failure> {
    progress.at(Step::Connect);
    let connecting = tokio::time::timeout(timeout, wire::connect(server)).await;
    let tcp = connecting.map_err(|_| Failure::Silent(timeout))?.map_err(Failure::Lost)?;
    let hello = server.helo.clone().unwrap_or_else(|| address_literal(&tcp));
    let mut connection = match server.tls {
        Tls::Implicit => {
            progress.at(Step::Encrypt);
            let wire = encrypt(tcp, server, tls).await?;
            let mut talk = Dialogue::new(wire);
            greet(&mut talk, server, progress).await?;
            meet(talk, server, &hello, progress).await?
        }
        Tls::None => {
            let mut talk = Dialogue::new(Wire::Plain(tcp));
            greet(&mut talk, server, progress).await?;
            meet(talk, server, &hello, progress).await?
        }
        Tls::StartTls => {
            let tcp = start_tls(tcp, server, &hello, progress).await?;
            let wire = encrypt(tcp, server, tls).await?;
            meet(Dialogue::new(wire), server, &hello, progress).await?
        }
    };
    progress.at(Step::Login);
    log_in(&mut connection, server).await?;
    Ok(connection)
}

/// How we name ourselves unless the settings say: by address, since the name of a container means nothing to anybody.
fn address_literal(tcp: &TcpStream) -> String {
    match tcp.local_addr().map(|address| address.ip()) {
        Ok(IpAddr::V4(address)) => format!("[{address}]"),
        Ok(IpAddr::V6(address)) => format!("[IPv6:{address}]"),
        Err(_) => "[127.0.0.1]".into(),
    }
}

/// A reply that says yes to what was asked, in its class.
fn expect(reply: Reply, class: u16) -> Result<Reply, Failure> {
    match reply.code / 100 {
        4 | 5 => Err(Failure::Reply(reply)),
        found if found == class && reply.whole => Ok(reply),
        _ => Err(Failure::Strange),
    }
}

/// Waits for the greeting. After a while of silence, whether the server waits for encryption is found out beside it.
async fn greet(talk: &mut Dialogue<Wire>, server: &Server, progress: &Progress) -> Result<(), Failure> {
    progress.at(Step::Greeting);
    let patience = &server.patience;
    // On the port that is for encryption, silence means it.
    let doubt = if server.port == Tls::Implicit.usual_port() { patience.doubt / 4 } else { patience.doubt };
    let waiting = tokio::time::timeout(doubt, talk.reply(patience.greeting)).await;
    let reply = match waiting {
        Ok(reply) => reply?,
        Err(_) if !talk.has_begun() && wire::waits_for_encryption(server).await => {
            return Err(Failure::WaitsForTls);
        }
        Err(_) => match talk.reply(patience.greeting.saturating_sub(doubt)).await {
            Err(Fault::Silent(_)) => return Err(Failure::Silent(patience.greeting)),
            reply => reply?,
        },
    };
    expect(reply, 2).map(drop)
}

/// Says hello: `EHLO`, and `HELO` to what does not know that.
async fn meet(
    mut talk: Dialogue<Wire>,
    server: &Server,
    hello: &str,
    progress: &Progress,
) -> Result<Connection, Failure> {
    progress.at(Step::Hello);
    let limit = server.patience.command;
    let reply = talk.command(&format!("EHLO {hello}"), limit).await?;
    let offers = match reply.code {
        500..=599 if talk.is_usable() => {
            let reply = talk.command(&format!("HELO {hello}"), limit).await?;
            expect(reply, 2)?;
            Offers::default()
        }
        _ => Offers::read(&expect(reply, 2)?),
    };
    Ok(Connection { talk, offers })
}

/// The connection that is ready to be encrypted.
async fn start_tls(
    tcp: TcpStream,
    server: &Server,
    hello: &str,
    progress: &Progress,
) -> Result<TcpStream, Failure> {
    let mut talk = Dialogue::new(Wire::Plain(tcp));
    greet(&mut talk, server, progress).await?;
    let Connection { mut talk, offers } = meet(talk, server, hello, progress).await?;
    progress.at(Step::Encrypt);
    if !offers.start_tls {
        return Err(Failure::NoStartTls);
    }
    expect(talk.command("STARTTLS", server.patience.command).await?, 2)?;
    talk.into_stream().and_then(Wire::into_plain).ok_or(Failure::Strange)
}

/// Encrypts a connection. Where that fails as with a server whose TLS is too old, that is found out.
async fn encrypt(tcp: TcpStream, server: &Server, tls: Option<&TlsConnector>) -> Result<Wire, Failure> {
    let limit = server.patience.command;
    let encrypting = tokio::time::timeout(limit, wire::encrypt(tcp, server, tls)).await;
    let error = match encrypting.map_err(|_| Failure::Silent(limit))? {
        Ok(wire) => return Ok(wire),
        Err(error) => error,
    };
    let may_be_old = match tls_error(&error) {
        Some(error) => matches!(TlsCause::of(error), Some(TlsCause::NothingInCommon) | None),
        None => true,
    };
    if may_be_old && speaks_old_tls(server).await {
        return Err(Failure::OutdatedTls);
    }
    Err(Failure::Tls(error))
}

/// Whether the server takes a handshake of an old version, on a connection of its own.
async fn speaks_old_tls(server: &Server) -> bool {
    let trial = async {
        let tcp = wire::connect(server).await.ok()?;
        let hello = server.helo.clone().unwrap_or_else(|| address_literal(&tcp));
        match server.tls {
            Tls::StartTls => start_tls(tcp, server, &hello, &Progress::default()).await.ok(),
            Tls::Implicit | Tls::None => Some(tcp),
        }
    };
    match tokio::time::timeout(server.patience.doubt, trial).await {
        Ok(Some(tcp)) => wire::is_outdated(tcp, server).await,
        _ => false,
    }
}

async fn log_in(connection: &mut Connection, server: &Server) -> Result<(), Failure> {
    let Some(login) = &server.login else { return Ok(()) };
    let offered = &connection.offers.mechanisms;
    let known = MECHANISMS.into_iter().find(|known| offered.iter().any(|offered| offered == known));
    let Some(mechanism) = known else { return Err(Failure::NoMechanism(offered.clone())) };
    let (user, password) = (login.username.as_str(), login.password.expose());
    let plain = STANDARD.encode(format!("\0{user}\0{password}"));
    let (first, answers) = match mechanism {
        "PLAIN" => (format!("AUTH PLAIN {plain}"), vec![plain]),
        _ => ("AUTH LOGIN".to_owned(), vec![STANDARD.encode(user), STANDARD.encode(password)]),
    };
    let limit = server.patience.command;
    let talking = async {
        let mut reply = connection.talk.command(&first, limit).await?;
        let mut answers = answers.iter().cycle().take(MAX_CHALLENGES);
        while reply.code / 100 == 3 {
            let answer = answers.next().ok_or(Failure::Strange)?;
            reply = connection.talk.command(answer, limit).await?;
        }
        expect(reply, 2).map(drop)
    };
    tokio::time::timeout(limit, talking).await.unwrap_or(Err(Failure::Silent(limit)))
}

/// Hands over `message`; the answer is to its end.
pub async fn hand_over(
    connection: &mut Connection,
    server: &Server,
    (from, to): (&Address, &Address),
    message: &str,
    progress: &Progress,
) -> Result<Reply, Failure> {
    progress.at(Step::Sender);
    let patience = &server.patience;
    let bytes = stuffed(message);
    let mut command = format!("MAIL FROM:<{from}>");
    if !to.to_string().is_ascii() {
        if !connection.offers.utf8 {
            return Err(Failure::NoUtf8);
        }
        command.push_str(" SMTPUTF8");
    }
    if !message.is_ascii() && connection.offers.eight_bit {
        command.push_str(" BODY=8BITMIME");
    }
    if let Some(most) = connection.offers.size {
        let size = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        if (1..size).contains(&most) {
            return Err(Failure::TooLarge(most));
        }
        command.push_str(&format!(" SIZE={size}"));
    }
    let talk = &mut connection.talk;
    expect(talk.command(&command, patience.command).await?, 2)?;
    progress.at(Step::Recipient);
    expect(talk.command(&format!("RCPT TO:<{to}>"), patience.command).await?, 2)?;
    progress.at(Step::Data);
    expect(talk.command("DATA", patience.data).await?, 3)?;
    progress.at(Step::Content);
    let mut blocks = bytes.chunks(BLOCK_BYTES).peekable();
    while let Some(block) = blocks.next() {
        if blocks.peek().is_none() {
            progress.at(Step::End);
        }
        if let Some(refusal) = talk.block(block, patience.block).await? {
            return Err(Failure::Reply(refusal));
        }
    }
    match talk.reply(patience.end).await {
        Ok(reply) if reply.code / 100 == 2 => Ok(reply),
        Ok(reply) => expect(reply, 2),
        // It was taken, whatever became of the rest of the sentence.
        Err(_) if talk.answer_begins_with(b'2') => Ok(Reply { code: 250, text: String::new(), whole: false }),
        Err(fault) => Err(fault.into()),
    }
}

impl Connection {
    /// Whether the server is still there.
    pub async fn is_alive(&mut self, limit: Duration) -> bool {
        self.talk.command("NOOP", limit).await.is_ok() && self.talk.is_usable()
    }

    /// Whether it is good for another message after this result: a refusal alone ends nothing.
    pub async fn is_usable(&mut self, result: &Result<Reply, Failure>, step: Step) -> bool {
        const RESET: Duration = Duration::from_secs(1);
        match result {
            Ok(_) => self.talk.is_usable(),
            Err(Failure::NoUtf8 | Failure::TooLarge(_)) => self.talk.is_usable(),
            Err(Failure::Reply(_)) if step == Step::End => self.talk.is_usable(),
            Err(Failure::Reply(_)) if self.talk.is_usable() => {
                self.talk.command("RSET", RESET).await.is_ok_and(|reply| reply.code / 100 == 2)
            }
            Err(_) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_read_whatever_their_case() {
        // J10
        let text =
            "fake\nstarttls\nauth plain Login xoauth2\nAUTH=PLAIN LOGIN\n8bitmime\nSmtpUtf8\nsize 1000\nX";
        let offers = Offers::read(&Reply { code: 250, text: text.into(), whole: true });
        assert!(offers.start_tls && offers.eight_bit && offers.utf8);
        assert_eq!(offers.size, Some(1000));
        assert_eq!(offers.mechanisms, ["PLAIN", "LOGIN", "XOAUTH2", "PLAIN", "LOGIN"]);
        let offers = Offers::read(&Reply { code: 250, text: "STARTTLS is my name".into(), whole: true });
        assert!(!offers.start_tls && offers.size.is_none());
    }
}
