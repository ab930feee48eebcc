//! Reads as much of an e-mail as a reader sees: its headers, the text, the HTML. Never fails: what cannot be read is
//! shown as it is.

use mail_parser::{HeaderValue, MessageParser, PartType};

/// What a reader sees of an e-mail.
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
    /// The first header of that name, case-insensitive.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers.find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }
}

/// Reads an e-mail.
pub fn parse_mail(raw: &[u8]) -> Parsed {
    let parser = MessageParser::new().with_mime_headers().default_header_text();
    let Some(message) = parser.parse(raw) else { return Parsed::default() };
    let header = |header: &mail_parser::Header<'_>| {
        let value = match &header.value {
            HeaderValue::Text(text) => text.trim().to_owned(),
            // Structured: as written.
            _ => {
                let range = header.offset_start as usize..header.offset_end as usize;
                String::from_utf8_lossy(raw.get(range).unwrap_or_default()).trim().to_owned()
            }
        };
        (header.name().to_owned(), value)
    };
    let mut parsed = Parsed { headers: message.headers().iter().map(header).collect(), ..Parsed::default() };
    for part in &message.parts {
        let (slot, text) = match &part.body {
            PartType::Text(text) => (&mut parsed.text, text),
            PartType::Html(html) => (&mut parsed.html, html),
            _ => continue,
        };
        slot.get_or_insert_with(|| text.replace("\r\n", "\n"));
    }
    parsed
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
            let mail = format!("Subject: {text}\r\n\r\n");
            assert_eq!(parse_mail(mail.as_bytes()).header("subject"), Some(text));
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
