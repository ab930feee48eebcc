//! Reads the replies of a mail server, bounded: whatever bytes come, however they are cut into pieces.
//!
//! The code alone decides (RFC 5321, 4.2). The text is for people: read as UTF-8 as far as it is that, and cut
//! where it is too long.

/// As much of a line is kept; the rest is skipped. RFC 5321 (4.5.3.1.5) allows 512 bytes.
pub const MAX_LINE_BYTES: usize = 8 * 1024;
/// A reply that is longer than this has no end.
pub const MAX_REPLY_BYTES: usize = 64 * 1024;

/// A reply.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// Its code, from 200 to 599.
    pub code: u16,
    /// Its lines without codes, joined by line feeds.
    pub text: String,
    /// Whether its end was read; without it the connection is good for nothing more.
    pub whole: bool,
}

impl Reply {
    /// The text on one line. A status that every line repeats (`5.1.1`) is said once.
    pub fn words(&self) -> String {
        let status = self.text.split_whitespace().next().filter(|word| is_status(word)).unwrap_or_default();
        let lines = self.text.lines().enumerate().map(|(index, line)| match line.trim() {
            line if index == 0 => line,
            line => line.strip_prefix(status).filter(|rest| rest.starts_with(' ')).unwrap_or(line).trim(),
        });
        lines.collect::<Vec<_>>().join(" ").trim().to_owned()
    }
}

/// Whether `word` is an enhanced status code (RFC 3463).
fn is_status(word: &str) -> bool {
    let mut parts = word.split('.');
    let number = |part: &str| (1..=3).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
    parts.next().is_some_and(|class| matches!(class, "2" | "4" | "5"))
        && parts.next().is_some_and(number)
        && parts.next().is_some_and(number)
        && parts.next().is_none()
}

/// What a byte led to.
#[derive(Debug, PartialEq, Eq)]
pub enum Read {
    /// The reply goes on.
    More,
    /// It has ended, or will not end; the reader is ready for the next.
    Done(Reply),
    /// This is no SMTP.
    Strange,
}

/// Reads one reply after the other.
#[derive(Debug, Default)]
pub struct ReplyReader {
    /// The line that is being read, without what is beyond its bound.
    line: Vec<u8>,
    /// The lines before it.
    text: Vec<u8>,
    /// The code of the lines before it.
    code: Option<u16>,
    taken: usize,
}

impl ReplyReader {
    /// Whether no byte of a reply was read.
    pub fn is_empty(&self) -> bool {
        self.taken == 0
    }

    /// Whether what was read so far begins with this digit.
    pub fn begins_with(&self, digit: u8) -> bool {
        match self.code {
            Some(code) => code / 100 == u16::from(digit - b'0'),
            None => self.line.first() == Some(&digit),
        }
    }

    /// Takes the next byte.
    pub fn push(&mut self, byte: u8) -> Read {
        self.taken += 1;
        if byte == b'\n' {
            return self.end_line();
        }
        if self.line.len() < MAX_LINE_BYTES {
            self.line.push(byte);
            // Another protocol need not have line ends at all, so that it is looked for with every byte.
            if self.code.is_none() && !may_be_code(&self.line) {
                return Read::Strange;
            }
        }
        if self.taken < MAX_REPLY_BYTES {
            Read::More
        } else {
            self.cut_off().map_or(Read::Strange, Read::Done)
        }
    }

    /// The reply as far as it was read, where its code is known; the connection has ended.
    pub fn cut_off(&mut self) -> Option<Reply> {
        let known = self.code.or_else(|| code(&self.line));
        let read = std::mem::take(self);
        Some(read.reply(known?, false))
    }

    fn end_line(&mut self) -> Read {
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        let Some(code) = code(&self.line) else {
            if self.code.is_none() {
                return Read::Strange;
            }
            // A line without a code within a reply: text.
            self.keep_line(0);
            return self.within_bound();
        };
        if self.line.get(3) != Some(&b'-') {
            let read = std::mem::take(self);
            return Read::Done(read.reply(code, true));
        }
        self.code = Some(code);
        self.keep_line(4);
        self.within_bound()
    }

    fn within_bound(&mut self) -> Read {
        if self.taken < MAX_REPLY_BYTES {
            Read::More
        } else {
            self.cut_off().map_or(Read::Strange, Read::Done)
        }
    }

    fn keep_line(&mut self, from: usize) {
        self.text.extend_from_slice(self.line.get(from..).unwrap_or_default());
        self.text.push(b'\n');
        self.line.clear();
    }

    fn reply(mut self, known: u16, whole: bool) -> Reply {
        let from = if code(&self.line).is_some() { 4 } else { 0 };
        self.text.extend_from_slice(self.line.get(from..).unwrap_or_default());
        Reply { code: known, text: String::from_utf8_lossy(&self.text).into_owned(), whole }
    }
}

/// Whether a reply may begin with these bytes.
fn may_be_code(line: &[u8]) -> bool {
    match (line.len(), line.last()) {
        (1, Some(byte)) => matches!(byte, b'2'..=b'5'),
        (2 | 3, Some(byte)) => byte.is_ascii_digit(),
        (4, Some(byte)) => !byte.is_ascii_digit(),
        _ => true,
    }
}

/// The code that a line begins with.
fn code(line: &[u8]) -> Option<u16> {
    let (digits, rest) = line.split_at_checked(3)?;
    let number = digits.iter().all(u8::is_ascii_digit) && !rest.first().is_some_and(u8::is_ascii_digit);
    let code = digits.iter().fold(0, |code, digit| code * 10 + u16::from(digit.wrapping_sub(b'0')));
    Some(code).filter(|code| number && (200..600).contains(code))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Everything read of `pieces`, until it is strange; what was retained on the way is within the bounds.
    fn read(pieces: &[&[u8]]) -> Vec<Read> {
        let (mut reader, mut all) = (ReplyReader::default(), Vec::new());
        for byte in pieces.iter().copied().flatten() {
            let read = reader.push(*byte);
            assert!(reader.line.len() <= MAX_LINE_BYTES && reader.text.len() <= MAX_REPLY_BYTES);
            assert!(reader.taken < MAX_REPLY_BYTES);
            match read {
                Read::More => {}
                Read::Strange => {
                    all.push(Read::Strange);
                    return all;
                }
                Read::Done(reply) => {
                    assert!(reply.text.len() <= 3 * MAX_REPLY_BYTES && (200..600).contains(&reply.code));
                    all.push(Read::Done(reply));
                }
            }
        }
        all
    }

    fn one(bytes: &[u8]) -> Reply {
        match read(&[bytes]).pop() {
            Some(Read::Done(reply)) => reply,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_code_decides_and_any_text_is_read() {
        // H6
        for (bytes, code, words) in [
            (b"250 2.0.0 queued\r\n" as &[u8], 250, "2.0.0 queued"),
            (b"250\r\n", 250, ""),
            (b"250\n", 250, ""),
            (b"250 accept\xe9\r\n", 250, "accept\u{fffd}"),
            (b"550\tno\r\n", 550, "no"),
            (b"550-5.1.1 no such\r\n550 5.1.1 user\r\n", 550, "5.1.1 no such user"),
            (b"250-a\r\nb without a code\r\n250 c\r\n", 250, "a b without a code c"),
            (b"250-\r\n250-\r\n250 \r\n", 250, ""),
            (b"250-fine\r\n550 no\r\n", 550, "fine no"),
            (b"354-\xff\xfe\r\n354 go\r\n", 354, "\u{fffd}\u{fffd} go"),
            (b"250-a\r\n999 b\r\n250 c\r\n", 250, "a 999 b c"),
        ] {
            let reply = one(bytes);
            assert_eq!((reply.code, reply.words().as_str(), reply.whole), (code, words, true));
        }
        for bytes in [
            b"HTTP/1.1 400\r\n" as &[u8],
            b"\x15\x03\x01",
            b"\r\n250 x",
            b"25\r\n",
            b"2500 x",
            b"150 x",
            b"650",
        ] {
            assert_eq!(read(&[bytes]), [Read::Strange], "{bytes:?}");
        }
    }

    #[test]
    fn long_and_endless_replies_are_cut() {
        // S10
        let long = format!("450 4.2.0 {}\r\n", "x".repeat(3_000));
        assert_eq!((one(long.as_bytes()).code, one(long.as_bytes()).words().len()), (450, 3_006));
        let many = format!("{}450 end\r\n", "450-all about it\r\n".repeat(3_000));
        assert!(one(many.as_bytes()).whole && one(many.as_bytes()).words().ends_with("end"));
        // H7
        let line = one(format!("550 {}\r\n", "x".repeat(20_000)).as_bytes());
        assert_eq!((line.text.len(), line.whole), (MAX_LINE_BYTES - 4, true));
        for endless in [
            format!("220 {}", "x".repeat(100_000)),
            "220-x\r\n".repeat(50_000),
            "220-\r\n\n\n\n".repeat(20_000),
        ] {
            let read = read(&[endless.as_bytes()]);
            assert!(
                matches!(&read[0], Read::Done(Reply { code: 220, whole: false, .. })),
                "{:?}",
                read.len()
            );
        }
    }

    #[test]
    fn what_was_read_of_a_reply_that_was_cut_off_is_known() {
        for (bytes, digit, code) in [
            (b"2" as &[u8], b'2', None),
            (b"25", b'2', None),
            (b"250", b'2', Some(250)),
            (b"250 o", b'2', Some(250)),
            (b"250-o\r\n", b'2', Some(250)),
            (b"250-o\r\n55", b'2', Some(250)),
            (b"550 no", b'5', Some(550)),
        ] {
            let mut reader = ReplyReader::default();
            assert!(reader.is_empty() && !reader.begins_with(b'2'));
            bytes.iter().for_each(|byte| assert_eq!(reader.push(*byte), Read::More));
            assert!(reader.begins_with(digit) && !reader.begins_with(b'4') && !reader.is_empty());
            let reply = reader.cut_off();
            assert_eq!(reply.as_ref().map(|reply| (reply.code, reply.whole)), code.map(|code| (code, false)));
        }
    }

    /// Bytes that are nearly replies.
    fn bytes() -> impl Strategy<Value = Vec<u8>> {
        let line = prop_oneof![
            "(250|354|450|550|2|55|999|)[- ]?[a-z]{0,9}(\r\n|\n|\r|)".prop_map(String::into_bytes),
            proptest::collection::vec(any::<u8>(), 0..12),
            (200u16..600, 0usize..9_000)
                .prop_map(|(code, n)| format!("{code}-{}\r\n", "y".repeat(n)).into_bytes()),
        ];
        proptest::collection::vec(line, 0..12).prop_map(|lines| lines.concat())
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]
        #[test]
        fn any_bytes_in_any_pieces_are_read_alike(bytes in bytes(), cuts in proptest::collection::vec(0usize..9_000, 0..8)) {
            let mut pieces = Vec::new();
            let mut rest = bytes.as_slice();
            for cut in cuts {
                let (piece, more) = rest.split_at(cut.min(rest.len()));
                pieces.push(piece);
                rest = more;
            }
            pieces.push(rest);
            prop_assert_eq!(read(&pieces), read(&[&bytes]));
        }
    }
}
