//! One SMTP dialogue (RFC 5321, the part that clients use). Hostile input costs bounded memory and time.

use super::{Mailbox, Reply, Stage};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};

/// The longest command line; RFC 4954 asks for 12,288 bytes of `AUTH`.
const MAX_LINE: u64 = 12_288;
/// The largest message, as `SIZE` says.
const MAX_MESSAGE: usize = 4 * 1024 * 1024;
/// The most recipients of a message.
const MAX_RECIPIENTS: usize = 100;
/// A client that errs this often is cut off.
const MAX_ERRORS: u32 = 20;
/// A client that says nothing for so long is cut off.
const IDLE: Duration = Duration::from_secs(300);

/// What became of a reply.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Said {
    /// All is well, and so it was said.
    Fine,
    /// Something else was said.
    Other,
    /// The dialogue is over.
    Over,
}

struct Session<S> {
    mailbox: Arc<Mailbox>,
    stream: BufReader<S>,
    greeted: bool,
    sender: Option<String>,
    recipients: Vec<String>,
    errors: u32,
}

/// Talks to one client until it leaves.
pub(super) async fn serve<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    mailbox: Arc<Mailbox>,
) -> io::Result<()> {
    let stream = BufReader::new(stream);
    let mut session =
        Session { mailbox, stream, greeted: false, sender: None, recipients: Vec::new(), errors: 0 };
    if session.say(Stage::Greeting, "220 mailbox.invalid ESMTP sandbox").await? == Said::Over {
        return Ok(());
    }
    while let Some(line) = session.line().await? {
        let (verb, rest) = line.split_once(' ').unwrap_or((&line, ""));
        let said = session.command(&verb.to_ascii_uppercase(), rest.trim()).await?;
        if said == Said::Over || session.errors >= MAX_ERRORS {
            break;
        }
    }
    Ok(())
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    async fn command(&mut self, verb: &str, rest: &str) -> io::Result<Said> {
        match verb {
            "EHLO" | "HELO" => self.hello(verb).await,
            "AUTH" => self.login(rest).await,
            "MAIL" => self.sender(rest).await,
            "RCPT" => self.recipient(rest).await,
            "DATA" => self.data().await,
            "RSET" => {
                self.reset();
                self.write("250 2.0.0 Ok").await
            }
            "NOOP" => self.write("250 2.0.0 Ok").await,
            "VRFY" => self.write("252 2.1.5 Send some mail").await,
            "QUIT" => {
                self.write("221 2.0.0 Bye").await?;
                Ok(Said::Over)
            }
            _ => self.refuse("502 5.5.2 Command not recognised").await,
        }
    }

    async fn hello(&mut self, verb: &str) -> io::Result<Said> {
        self.greeted = true;
        self.reset();
        let offer = format!(
            "250-mailbox.invalid\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n250-SIZE {MAX_MESSAGE}\r\n\
             250-ENHANCEDSTATUSCODES\r\n250 AUTH PLAIN LOGIN"
        );
        self.say(Stage::Hello, if verb == "EHLO" { &offer } else { "250 mailbox.invalid" }).await
    }

    /// Any credentials will do: what is tried is the client.
    async fn login(&mut self, rest: &str) -> io::Result<Said> {
        let mut words = rest.split_whitespace();
        let mechanism = words.next().unwrap_or_default().to_ascii_uppercase();
        let challenges: &[&str] = match (mechanism.as_str(), words.next()) {
            ("PLAIN", Some(_)) => &[],
            ("PLAIN", None) => &["334 "],
            ("LOGIN", None) => &["334 VXNlcm5hbWU6", "334 UGFzc3dvcmQ6"],
            ("LOGIN", Some(_)) => &["334 UGFzc3dvcmQ6"],
            _ => return self.refuse("504 5.5.4 Mechanism not offered").await,
        };
        for challenge in challenges {
            self.write(challenge).await?;
            if self.line().await?.is_none() {
                return Ok(Said::Over);
            }
        }
        self.say(Stage::Login, "235 2.7.0 Welcome").await
    }

    async fn sender(&mut self, rest: &str) -> io::Result<Said> {
        if !self.greeted {
            return self.refuse("503 5.5.1 EHLO first").await;
        }
        if self.sender.is_some() {
            return self.refuse("503 5.5.1 There is a sender already").await;
        }
        let Some(address) = path(rest, "FROM:") else {
            return self.refuse("501 5.5.4 Write MAIL FROM:<address>").await;
        };
        let said = self.say(Stage::Sender, "250 2.1.0 Ok").await?;
        self.sender = Some(address).filter(|_| said == Said::Fine);
        Ok(said)
    }

    async fn recipient(&mut self, rest: &str) -> io::Result<Said> {
        if self.sender.is_none() {
            return self.refuse("503 5.5.1 MAIL first").await;
        }
        let address = match path(rest, "TO:") {
            Some(address) if !address.is_empty() => address,
            _ => return self.refuse("501 5.5.4 Write RCPT TO:<address>").await,
        };
        if self.recipients.len() >= MAX_RECIPIENTS {
            return self.refuse("452 4.5.3 Too many recipients").await;
        }
        let said = self.say(Stage::Recipient, "250 2.1.5 Ok").await?;
        if said == Said::Fine {
            self.recipients.push(address);
        }
        Ok(said)
    }

    async fn data(&mut self) -> io::Result<Said> {
        if self.recipients.is_empty() {
            return self.refuse("503 5.5.1 RCPT first").await;
        }
        let said = self.say(Stage::Data, "354 End with a dot on a line of its own").await?;
        if said != Said::Fine {
            return Ok(said);
        }
        let Some(raw) = self.message().await? else { return Ok(Said::Over) };
        let (sender, recipients) = (self.sender.take().unwrap_or_default(), self.recipients.clone());
        self.reset();
        if raw.len() > MAX_MESSAGE {
            return self.refuse("552 5.3.4 Message too large").await;
        }
        match self.mailbox.reply_at(Stage::Message) {
            Some(Reply::Line(line)) => {
                self.write(&line).await?;
                Ok(Said::Other)
            }
            Some(Reply::Close) => Ok(Said::Over),
            Some(Reply::Silence) => self.silence().await,
            reply => {
                self.mailbox.keep(&sender, &recipients, raw);
                match reply {
                    Some(Reply::CloseAfterKeeping) => return Ok(Said::Over),
                    Some(Reply::Bytes(bytes)) => return self.write_bytes(&bytes).await,
                    Some(Reply::Late(by)) => self.mailbox.clock.sleep(by).await,
                    _ => {}
                }
                self.write("250 2.0.0 Ok").await
            }
        }
    }

    /// The message up to the lone dot, which only CRLF makes a line of (a bare LF is how mail is smuggled);
    /// `None` where the client left before. Of one that is too large, little more than is allowed is kept.
    async fn message(&mut self) -> io::Result<Option<Vec<u8>>> {
        let (mut raw, mut piece, mut at_start) = (Vec::new(), Vec::new(), true);
        loop {
            if !self.piece(&mut piece).await? {
                return Ok(None);
            }
            if at_start && piece == b".\r\n" {
                return Ok(Some(raw));
            }
            let dot = at_start && piece.first() == Some(&b'.');
            if raw.len() <= MAX_MESSAGE {
                raw.extend_from_slice(piece.get(usize::from(dot)..).unwrap_or_default());
            }
            at_start = piece.ends_with(b"\r\n");
        }
    }

    /// The next command line without its end; `None` where the client left, or never ends it.
    async fn line(&mut self) -> io::Result<Option<String>> {
        let mut piece = Vec::new();
        if !self.piece(&mut piece).await? || !piece.ends_with(b"\n") {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&piece);
        Ok(Some(line.trim_end_matches(['\r', '\n']).to_owned()))
    }

    /// Bytes up to a line feed, or as many as a line may have; whether there were any.
    async fn piece(&mut self, piece: &mut Vec<u8>) -> io::Result<bool> {
        piece.clear();
        let mut limited = (&mut self.stream).take(MAX_LINE);
        match tokio::time::timeout(IDLE, limited.read_until(b'\n', piece)).await {
            Ok(read) => Ok(read? > 0),
            Err(_) => Ok(false),
        }
    }

    /// Says `fine`, unless another reply is configured.
    async fn say(&mut self, stage: Stage, fine: &str) -> io::Result<Said> {
        match self.mailbox.reply_at(stage) {
            None => self.write(fine).await,
            Some(Reply::Line(line)) => {
                self.write(&line).await?;
                Ok(Said::Other)
            }
            // Whether all is well is the client's to find out: what follows is taken.
            Some(Reply::Bytes(bytes)) => self.write_bytes(&bytes).await,
            Some(Reply::Silence) => self.silence().await,
            Some(Reply::Late(by)) => {
                self.mailbox.clock.sleep(by).await;
                self.write(fine).await
            }
            Some(Reply::Close | Reply::CloseAfterKeeping) => Ok(Said::Over),
        }
    }

    async fn refuse(&mut self, line: &str) -> io::Result<Said> {
        self.errors += 1;
        self.write(line).await?;
        Ok(Said::Other)
    }

    /// Says nothing until the client leaves.
    async fn silence(&mut self) -> io::Result<Said> {
        let mut piece = Vec::new();
        while self.piece(&mut piece).await? {}
        Ok(Said::Over)
    }

    async fn write(&mut self, line: &str) -> io::Result<Said> {
        self.write_bytes(format!("{line}\r\n").as_bytes()).await
    }

    async fn write_bytes(&mut self, bytes: &[u8]) -> io::Result<Said> {
        self.stream.write_all(bytes).await?;
        self.stream.flush().await?;
        Ok(Said::Fine)
    }

    fn reset(&mut self) {
        self.sender = None;
        self.recipients.clear();
    }
}

/// The address of `FROM:<a@b> SIZE=1`; empty for `<>`. In quotes, any character is one of it.
pub(super) fn path(rest: &str, keyword: &str) -> Option<String> {
    let start = rest.get(..keyword.len())?;
    if !start.eq_ignore_ascii_case(keyword) {
        return None;
    }
    let path = rest.get(keyword.len()..)?.trim_start().strip_prefix('<')?;
    let (mut quoted, mut escaped) = (false, false);
    for (at, c) in path.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => return path.get(..at).map(str::to_owned),
            _ => {}
        }
    }
    None
}
