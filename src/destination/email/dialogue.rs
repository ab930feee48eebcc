//! Commands and replies over a connection of bytes, each within its time. lettre's own dialogue is not used: it reads
//! lines of any length, wants replies in UTF-8, and does not tell how far it came.

use super::reply::{Read, Reply, ReplyReader};
use std::io::{self, ErrorKind};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

/// So much of a message is written within the time for a block.
pub const BLOCK_BYTES: usize = 64 * 1024;
const CHUNK_BYTES: usize = 4 * 1024;

/// How long each step may take: RFC 5321, 4.5.3.2, whatever the time-out of other destinations is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The greeting.
    pub greeting: Duration,
    /// `EHLO`, `STARTTLS`, `AUTH`, `MAIL` and `RCPT`, each; the handshake of TLS.
    pub command: Duration,
    /// `DATA`.
    pub data: Duration,
    /// A block of the message.
    pub block: Duration,
    /// The answer to the final dot.
    pub end: Duration,
    /// After so long without a greeting, whether the server waits for encryption is found out, in as much time.
    pub doubt: Duration,
}

const MINUTE: Duration = Duration::from_secs(60);

/// The times of RFC 5321.
pub const PATIENCE: Patience = Patience {
    greeting: MINUTE.saturating_mul(5),
    command: MINUTE.saturating_mul(5),
    data: MINUTE.saturating_mul(2),
    block: MINUTE.saturating_mul(3),
    end: MINUTE.saturating_mul(10),
    doubt: Duration::from_secs(10),
};

impl Patience {
    /// What an attempt takes at most that waits to the end at every step: two `EHLO`, one `HELO`, `STARTTLS`, the
    /// handshake, `AUTH`, `MAIL` and `RCPT`, beside the greeting and the message.
    pub fn longest(&self, blocks: u32) -> Duration {
        self.greeting + self.command * 8 + self.data + self.block * blocks + self.end
    }
}

/// Why there is no reply.
#[derive(Debug)]
pub enum Fault {
    /// The connection was lost.
    Lost(io::Error),
    /// Nothing came in this time.
    Silent(Duration),
    /// This is no SMTP.
    Strange,
}

/// One connection.
#[derive(Debug)]
pub struct Dialogue<S> {
    stream: S,
    /// What was read and belongs to the next reply.
    ahead: Vec<u8>,
    reader: ReplyReader,
    broken: bool,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Dialogue<S> {
    /// Over this stream.
    pub fn new(stream: S) -> Self {
        Self { stream, ahead: Vec::new(), reader: ReplyReader::default(), broken: false }
    }

    /// The stream, where nothing was read that belongs to a further reply: what somebody on the way put behind the
    /// answer to STARTTLS must not count as said under encryption.
    pub fn into_stream(self) -> Option<S> {
        self.ahead.is_empty().then_some(self.stream)
    }

    /// Whether another command can be said.
    pub fn is_usable(&self) -> bool {
        !self.broken
    }

    /// Whether the server has begun to answer.
    pub fn has_begun(&self) -> bool {
        !self.reader.is_empty()
    }

    /// Whether what was read of the answer begins with this digit.
    pub fn answer_begins_with(&self, digit: u8) -> bool {
        self.reader.begins_with(digit)
    }

    /// Says `line` and reads the answer within `limit`.
    pub async fn command(&mut self, line: &str, limit: Duration) -> Result<Reply, Fault> {
        let said = async {
            self.write(format!("{line}\r\n").as_bytes()).await?;
            self.next_reply().await
        };
        let result = tokio::time::timeout(limit, said).await.unwrap_or(Err(Fault::Silent(limit)));
        self.broken |= !matches!(&result, Ok(Reply { whole: true, code, .. }) if *code != 421);
        result
    }

    /// Reads the next reply within `limit`. What was read until then is kept.
    pub async fn reply(&mut self, limit: Duration) -> Result<Reply, Fault> {
        let result =
            tokio::time::timeout(limit, self.next_reply()).await.unwrap_or(Err(Fault::Silent(limit)));
        self.broken |= !matches!(&result, Ok(Reply { whole: true, code, .. }) if *code != 421);
        result
    }

    /// Writes a block of a message within `limit`. Where that fails, what the server said before it went is the answer.
    pub async fn block(&mut self, bytes: &[u8], limit: Duration) -> Result<Option<Reply>, Fault> {
        match tokio::time::timeout(limit, self.write(bytes)).await {
            Ok(Ok(())) => Ok(None),
            Ok(Err(fault)) => {
                self.broken = true;
                let last = tokio::time::timeout(Duration::from_secs(1), self.next_reply()).await;
                match last {
                    Ok(Ok(reply)) if reply.code >= 400 => Ok(Some(reply)),
                    _ => Err(fault),
                }
            }
            Err(_) => {
                self.broken = true;
                Err(Fault::Silent(limit))
            }
        }
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        self.stream.write_all(bytes).await.map_err(Fault::Lost)?;
        self.stream.flush().await.map_err(Fault::Lost)
    }

    /// May be dropped half-way: what was read is kept.
    async fn next_reply(&mut self) -> Result<Reply, Fault> {
        loop {
            let pushed = std::mem::take(&mut self.ahead);
            for (index, byte) in pushed.iter().enumerate() {
                match self.reader.push(*byte) {
                    Read::More => {}
                    Read::Done(reply) => {
                        self.ahead = pushed.get(index + 1..).unwrap_or_default().to_vec();
                        return Ok(reply);
                    }
                    Read::Strange => return Err(Fault::Strange),
                }
            }
            let mut chunk = [0; CHUNK_BYTES];
            let error = match self.stream.read(&mut chunk).await {
                Ok(0) => ErrorKind::UnexpectedEof.into(),
                Ok(read) => {
                    self.ahead.extend_from_slice(chunk.get(..read).unwrap_or_default());
                    continue;
                }
                Err(error) => error,
            };
            // A refusal is one even where the server did not end its sentence.
            if !self.reader.begins_with(b'2')
                && !self.reader.begins_with(b'3')
                && let Some(reply) = self.reader.cut_off()
            {
                return Ok(reply);
            }
            return Err(Fault::Lost(error));
        }
    }
}

/// A message as it is transferred (RFC 5321, 4.5.2): a dot before each that begins a line, line ends that are CRLF, and
/// the lone dot behind it.
pub fn stuffed(message: &str) -> Vec<u8> {
    let mut out = Vec::with_capacity(message.len() + 64);
    let mut lines = message.split('\n').peekable();
    while let Some(line) = lines.next() {
        if lines.peek().is_none() && line.is_empty() {
            break;
        }
        // A carriage return alone could end a line for some servers: that is how mail is smuggled.
        let mut bytes = line.bytes().filter(|byte| *byte != b'\r').peekable();
        if bytes.peek() == Some(&b'.') {
            out.push(b'.');
        }
        out.extend(bytes);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
    out
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SOON: Duration = Duration::from_secs(60);

    /// What a dialogue reads where the server writes these pieces and goes.
    async fn replies(pieces: Vec<Vec<u8>>) -> Vec<String> {
        let (ours, mut theirs) = tokio::io::duplex(512);
        let writing = async move {
            for piece in pieces {
                if theirs.write_all(&piece).await.is_err() {
                    return;
                }
            }
        };
        let reading = async move {
            let mut dialogue = Dialogue::new(ours);
            let mut all = Vec::new();
            loop {
                match dialogue.reply(SOON).await {
                    Ok(reply) => all.push(format!("{} {} {}", reply.code, reply.text.len(), reply.whole)),
                    Err(fault) => {
                        all.push(format!("{fault:?} {}", dialogue.answer_begins_with(b'2')));
                        return all;
                    }
                }
            }
        };
        tokio::join!(writing, reading).1
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]
        // H7
        #[test]
        fn any_bytes_in_any_pieces_make_the_same_replies(
            lines in proptest::collection::vec(("(250|354|550|2|)[- ]?", proptest::collection::vec(any::<u8>(), 0..40), any::<bool>()), 0..12),
            cuts in proptest::collection::vec(1usize..60, 0..20),
        ) {
            let bytes: Vec<u8> = lines
                .into_iter()
                .flat_map(|(code, text, end)| [code.into_bytes(), text, if end { b"\r\n".to_vec() } else { Vec::new() }].concat())
                .collect();
            let mut pieces = Vec::new();
            let mut rest = bytes.as_slice();
            for cut in cuts {
                let (piece, more) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece.to_vec());
                rest = more;
            }
            pieces.push(rest.to_vec());
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let (whole, cut) = runtime.block_on(async { (replies(vec![bytes.clone()]).await, replies(pieces).await) });
            prop_assert_eq!(whole, cut);
        }

        #[test]
        fn nothing_within_a_message_ends_it(message in "(\\.|\r|\n|a|QUIT|ü){0,40}") {
            let out = stuffed(&message);
            let end = b"\r\n.\r\n";
            let ends = [b"\r\n".as_slice(), &out].concat().windows(end.len()).filter(|window| window == end).count();
            prop_assert_eq!(ends, 1);
            prop_assert!(out.ends_with(b".\r\n"));
            let text = String::from_utf8(out).unwrap();
            prop_assert!(!text.replace("\r\n", "").contains(['\r', '\n']));
        }
    }

    #[test]
    fn dots_are_doubled_and_lines_end_alike() {
        for (message, expected) in [
            ("a\r\n", "a\r\n.\r\n"),
            ("a", "a\r\n.\r\n"),
            ("", ".\r\n"),
            (".\r\n..\r\nx.\r\n", "..\r\n...\r\nx.\r\n.\r\n"),
            ("a\n.\nb\r.\r\n", "a\r\n..\r\nb.\r\n.\r\n"),
        ] {
            assert_eq!(String::from_utf8(stuffed(message)).unwrap(), expected, "{message:?}");
        }
    }

    #[test]
    fn each_step_has_the_time_of_rfc_5321() {
        // F3, S5
        let minutes = |n: u64| Duration::from_secs(60 * n);
        assert_eq!((PATIENCE.greeting, PATIENCE.command), (minutes(5), minutes(5)));
        assert_eq!((PATIENCE.data, PATIENCE.block, PATIENCE.end), (minutes(2), minutes(3), minutes(10)));
        assert_eq!(PATIENCE.longest(5), minutes(5 + 8 * 5 + 2 + 5 * 3 + 10));
    }
}
