//! Reads as much of a mail as a reader sees: a few headers, the text, the HTML. Never fails: what cannot be
//! read is shown as it is.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

/// Parts within parts beyond this are not looked at.
const MAX_DEPTH: usize = 8;
/// More parts of one mail are not looked at.
const MAX_PARTS: usize = 50;
/// More headers of one part are not looked at.
const MAX_HEADERS: usize = 200;

/// Base64 as mail has it: padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// What a reader sees of a mail.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parsed {
    /// Its headers in order, names as written, values unfolded and decoded (RFC 2047).
    pub headers: Vec<(String, String)>,
    /// The first `text/plain` part.
    pub text: Option<String>,
    /// The first `text/html` part.
    pub html: Option<String>,
}

impl Parsed {
    /// The first header of that name, without case.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }
}

/// Reads a mail.
pub fn parse_mail(raw: &[u8]) -> Parsed {
    let mut parsed = Parsed::default();
    let mut left = MAX_PARTS;
    let (headers, body) = split(raw);
    part(&headers, body, 0, &mut left, &mut parsed);
    parsed.headers = headers.into_iter().map(|(name, value)| (name, decode_words(&value))).collect();
    parsed
}

fn part(headers: &[(String, String)], body: &[u8], depth: usize, left: &mut usize, parsed: &mut Parsed) {
    if depth > MAX_DEPTH || *left == 0 {
        return;
    }
    *left -= 1;
    let content_type = find(headers, "content-type").unwrap_or("text/plain");
    let media_type = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if media_type.starts_with("multipart/") {
        let Some(boundary) = parameter(content_type, "boundary").filter(|name| !name.is_empty()) else {
            return;
        };
        for piece in pieces(body, &boundary) {
            let (headers, body) = split(piece);
            part(&headers, body, depth + 1, left, parsed);
        }
        return;
    }
    let slot = match media_type.as_str() {
        "text/plain" => &mut parsed.text,
        "text/html" => &mut parsed.html,
        _ => return,
    };
    if slot.is_none() {
        let encoding = find(headers, "content-transfer-encoding").unwrap_or_default().trim();
        let bytes = match encoding.to_ascii_lowercase().as_str() {
            "quoted-printable" => quoted_printable(body),
            "base64" => base64_lines(body),
            _ => body.to_vec(),
        };
        let charset = parameter(content_type, "charset").unwrap_or_default();
        *slot = Some(characters(&bytes, &charset).replace("\r\n", "\n"));
    }
}

/// Headers, unfolded, and the body.
fn split(raw: &[u8]) -> (Vec<(String, String)>, &[u8]) {
    let (mut headers, mut rest) = (Vec::<(String, String)>::new(), raw);
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        let (line, after) = rest.split_at(end);
        rest = after;
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\r', '\n']);
        if text.is_empty() {
            return (headers, rest);
        }
        if text.starts_with([' ', '\t']) {
            if let Some((_, value)) = headers.last_mut() {
                value.push_str(text);
            }
        } else if let Some((name, value)) = text.split_once(':')
            && headers.len() < MAX_HEADERS
        {
            headers.push((name.trim().to_owned(), value.trim().to_owned()));
        }
    }
}

/// The parts between the lines of `boundary`.
fn pieces<'a>(body: &'a [u8], boundary: &str) -> Vec<&'a [u8]> {
    let line = format!("--{boundary}");
    let (mut pieces, mut start, mut at) = (Vec::new(), None, 0);
    for piece in body.split_inclusive(|byte| *byte == b'\n') {
        let text = piece.trim_ascii_end();
        if text.starts_with(line.as_bytes()) && matches!(&text[line.len()..], b"" | b"--") {
            if let Some(start) = start {
                let end: &[u8] = body.get(start..at).unwrap_or_default();
                let end = end.strip_suffix(b"\n").unwrap_or(end);
                pieces.push(end.strip_suffix(b"\r").unwrap_or(end));
            }
            if pieces.len() > MAX_PARTS || text.ends_with(b"--") && text.len() > line.len() {
                return pieces;
            }
            start = Some(at + piece.len());
        }
        at += piece.len();
    }
    // A mail that breaks off still shows what came.
    pieces.extend(start.and_then(|start| body.get(start..)));
    pieces
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
}

/// A parameter of a header: `charset` of `text/plain; charset="utf-8"`.
fn parameter(value: &str, name: &str) -> Option<String> {
    value.split(';').skip(1).find_map(|parameter| {
        let (known, value) = parameter.split_once('=')?;
        let value = value.trim();
        let value = value.strip_prefix('"').and_then(|value| value.strip_suffix('"')).unwrap_or(value);
        known.trim().eq_ignore_ascii_case(name).then(|| value.to_owned())
    })
}

fn characters(bytes: &[u8], charset: &str) -> String {
    match charset.to_ascii_lowercase().as_str() {
        "iso-8859-1" | "latin1" => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

fn base64_lines(body: &[u8]) -> Vec<u8> {
    let known = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    let letters: Vec<u8> = body.iter().copied().filter(known).collect();
    BASE64.decode(&letters).unwrap_or_else(|_| body.to_vec())
}

fn quoted_printable(body: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(body.len());
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let content = line.trim_ascii_end();
        let end: &[u8] = if line.ends_with(b"\n") { b"\r\n" } else { b"" };
        match content.strip_suffix(b"=") {
            Some(soft) => escapes(soft, b'=', &mut bytes),
            None => {
                escapes(content, b'=', &mut bytes);
                bytes.extend_from_slice(end);
            }
        }
    }
    bytes
}

/// Appends `text` with its `=C3` decoded; what is no escape stays.
fn escapes(text: &[u8], mark: u8, into: &mut Vec<u8>) {
    let hex = |byte: Option<&u8>| byte.and_then(|byte| char::from(*byte).to_digit(16));
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        match (hex(text.get(at + 1)), hex(text.get(at + 2))) {
            (Some(high), Some(low)) if *byte == mark => {
                into.push(u8::try_from(high * 16 + low).unwrap_or(b'?'));
                at += 3;
            }
            _ => {
                into.push(*byte);
                at += 1;
            }
        }
    }
}

/// A header with its `=?utf-8?q?…?=` decoded (RFC 2047); blanks between two of them are none.
fn decode_words(value: &str) -> String {
    let (mut decoded, mut rest, mut after_word) = (String::new(), value, false);
    while let Some(start) = rest.find("=?") {
        let (before, word) = rest.split_at(start);
        let Some((text, end)) = decode_word(word) else {
            decoded.push_str(before);
            decoded.push_str("=?");
            rest = &word[2..];
            after_word = false;
            continue;
        };
        if !(after_word && before.trim().is_empty()) {
            decoded.push_str(before);
        }
        decoded.push_str(&text);
        rest = &word[end..];
        after_word = true;
    }
    decoded.push_str(rest);
    decoded
}

/// The text of the encoded word that `value` starts with, and where it ends.
fn decode_word(value: &str) -> Option<(String, usize)> {
    let mut fields = value.strip_prefix("=?")?.splitn(3, '?');
    let (charset, encoding, rest) = (fields.next()?, fields.next()?, fields.next()?);
    let (text, _) = rest.split_once("?=")?;
    if text.contains([' ', '?']) {
        return None;
    }
    let bytes = match encoding {
        "q" | "Q" => {
            let mut bytes = Vec::new();
            escapes(text.replace('_', " ").as_bytes(), b'=', &mut bytes);
            bytes
        }
        "b" | "B" => base64_lines(text.as_bytes()),
        _ => return None,
    };
    let end = 2 + charset.len() + 1 + encoding.len() + 1 + text.len() + 2;
    Some((characters(&bytes, charset), end))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const MAIL: &str = "From: =?utf-8?b?UmV2aWV3cw==?= <reviews@shop.example>\r\nTo: owner@shop.example\r\n\
        Subject: =?utf-8?q?Caf=C3=A9?=\r\n =?utf-8?q?_cr=C3=A8me?= & more\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/alternative;\r\n boundary=\"a b\"\r\n\r\nNot shown.\r\n--a b\r\n\
        Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
        Very g=C3=B6od =\r\nshop=20\r\n1 =3D 1\r\n--a b\r\nContent-Type: text/html; charset=\"utf-8\"\r\n\
        Content-Transfer-Encoding: base64\r\n\r\nPHA+SGVs\r\nbG88L3A+\r\n--a b--\r\nNor this.\r\n";

    #[test]
    fn a_mail_of_two_parts_is_read() {
        let parsed = parse_mail(MAIL.as_bytes());
        assert_eq!(parsed.header("subject"), Some("Café crème & more"));
        assert_eq!(parsed.header("From"), Some("Reviews <reviews@shop.example>"));
        assert_eq!(parsed.text.as_deref(), Some("Very göod shop \n1 = 1"));
        assert_eq!(parsed.html.as_deref(), Some("<p>Hello</p>"));
    }

    #[test]
    fn plain_mail_and_other_characters_are_read() {
        let parsed = parse_mail(b"Subject: x\nContent-Type: text/plain; charset=iso-8859-1\n\ncaf\xe9\n");
        assert_eq!((parsed.header("subject"), parsed.text.as_deref()), (Some("x"), Some("café\n")));
        let parsed = parse_mail(b"\r\nno headers");
        assert_eq!(parsed.text.as_deref(), Some("no headers"));
    }

    #[test]
    fn what_is_no_encoded_word_stays() {
        for text in ["=?", "=?utf-8?", "=?utf-8?x?abc?=", "a =?utf-8?q?no end", "=?=?=?utf-8?q?"] {
            assert_eq!(decode_words(text), text);
        }
    }

    #[test]
    fn hostile_mail_costs_no_more_than_it_is_long() {
        let nested: String = (0..500)
            .map(|n| format!("Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n"))
            .collect();
        assert_eq!(parse_mail(nested.as_bytes()).text, None);
        let many = format!("Content-Type: multipart/mixed; boundary=b\r\n\r\n{}", "--b\r\n".repeat(10_000));
        parse_mail(many.as_bytes());
        let mut rng = fastrand::Rng::with_seed(3);
        for _ in 0..2_000 {
            let mut raw = MAIL.as_bytes().to_vec();
            for _ in 0..rng.usize(1..20) {
                let at = rng.usize(..raw.len());
                raw[at] = rng.u8(..);
            }
            raw.truncate(rng.usize(..=raw.len()));
            parse_mail(&raw);
        }
    }
}
