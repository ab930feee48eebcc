//! A mail as its reader's program decodes it, and what it must not hold.

use crate::domain::text::is_unsafe;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;
use std::sync::LazyLock;

/// Tags that the templates are made of.
const TAGS: &str =
    "a body br div em head html meta p span strong style table td th title tr !doctype !--[if ![endif]--";
/// Headers of a mail and of its parts.
const HEADERS: &str = "from to reply-to subject date message-id auto-submitted x-auto-response-suppress in-reply-to \
                       references precedence list-id x-review-bridge-repeat mime-version content-type \
                       content-transfer-encoding";

/// The subject, and the parts with their media types.
pub fn decoded(body: &str) -> (String, Vec<(String, String)>) {
    let (head, rest) = body.split_once("\r\n\r\n").unwrap();
    let head = unfolded(head);
    let subject = header(&head, "Subject").map(words).unwrap_or_default();
    let boundary = head.split("boundary=\"").nth(1).and_then(|rest| rest.split('"').next());
    let Some(boundary) = boundary else { return (subject, vec![part(&head, rest)]) };
    let separator = format!("--{boundary}");
    let parts = rest.split(&separator).skip(1).filter(|part| part.trim() != "--");
    let parts = parts.map(|part| part.trim_start().split_once("\r\n\r\n").unwrap());
    (subject, parts.map(|(head, content)| part(&unfolded(head), content)).collect())
}

fn part(head: &str, content: &str) -> (String, String) {
    let media = header(head, "Content-Type").unwrap_or_default().split(';').next().unwrap_or_default();
    let text = match header(head, "Content-Transfer-Encoding") {
        Some("base64") => base64(content),
        Some("quoted-printable") => quoted_printable(&content.replace("=\r\n", ""), '='),
        _ => content.to_owned(),
    };
    (media.to_owned(), text)
}

fn unfolded(head: &str) -> String {
    head.replace("\r\n ", " ").replace("\r\n\t", " ")
}

fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.split("\r\n").find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::trim)
}

/// A header's encoded words (RFC 2047) as text.
fn words(text: &str) -> String {
    static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"=\?utf-8\?b\?([^?]*)\?=").unwrap());
    let joined = Regex::new(r"\?= +=\?").unwrap().replace_all(text, "?==?").into_owned();
    WORD.replace_all(&joined, |found: &regex::Captures<'_>| base64(&found[1])).into_owned()
}

fn base64(content: &str) -> String {
    let bytes: Vec<u8> = content.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    String::from_utf8(STANDARD.decode(bytes).unwrap()).unwrap()
}

fn quoted_printable(content: &str, escape: char) -> String {
    let mut bytes = Vec::new();
    let mut pieces = content.split(escape);
    bytes.extend(pieces.next().unwrap_or_default().bytes());
    for piece in pieces {
        bytes.push(u8::from_str_radix(&piece[..2], 16).unwrap());
        bytes.extend(piece[2..].bytes());
    }
    String::from_utf8(bytes).unwrap()
}

/// No header, tag or link but our own; nothing that hides or controls.
pub fn check(body: &str, links: &[String], emails: &[String], clicked: bool) -> Result<(), String> {
    if !body.is_ascii()
        || body.split("\r\n").any(|line| line.len() > 998 || line.contains(['\r', '\n', '\0']))
    {
        return Err("has lines that no server takes".into());
    }
    let head = unfolded(body.split("\r\n\r\n").next().unwrap_or_default());
    for line in head.split("\r\n") {
        let name = line.split(": ").next().unwrap_or_default().to_lowercase();
        if !HEADERS.split_whitespace().any(|known| known == name) {
            return Err(format!("has the header {line}"));
        }
    }
    let (subject, parts) = decoded(body);
    if subject.is_empty() || subject.contains(|c: char| c == '\n' || is_unsafe(c)) {
        return Err(format!("has the subject {subject:?}"));
    }
    for (media, text) in &parts {
        // Mails end their lines with CR LF.
        let text = text.replace("\r\n", "\n");
        if let Some(c) = text.chars().find(|c| is_unsafe(*c)) {
            return Err(format!("{media} holds {c:?}"));
        }
        let shown = if media == "text/html" { html(&text, links)? } else { text };
        if clicked {
            no_stray_link(&shown, &[links, emails].concat())?;
        }
    }
    Ok(())
}

/// The text of a document whose tags are all known, and whose links are all the reviews'.
fn html(document: &str, links: &[String]) -> Result<String, String> {
    let mut shown = String::new();
    for part in document.split('<').skip(1) {
        let (tag, text) = part.split_once('>').ok_or("has a tag that does not end")?;
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default().to_lowercase();
        if !TAGS.split(' ').any(|known| known == name) || tag.contains("src=") || tag.contains(" on") {
            return Err(format!("has the tag <{tag}>"));
        }
        if let Some(link) = tag.split("href=\"").nth(1).and_then(|rest| rest.split('"').next()) {
            let link = html_escape::decode_html_entities(link);
            if !links.iter().any(|known| *known == link) {
                return Err(format!("leads to {link}"));
            }
        }
        if name != "style" {
            shown.push_str(text);
        }
    }
    Ok(html_escape::decode_html_entities(&shown).into_owned())
}

/// What a mail program would make a link of by itself.
fn no_stray_link(text: &str, own: &[String]) -> Result<(), String> {
    let rest = own.iter().fold(text.to_owned(), |text, link| text.replace(link, ""));
    static ADDRESS: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"\w+://\w|\bwww\.\w|evil\.example").unwrap());
    match ADDRESS.find(&rest) {
        None => Ok(()),
        Some(found) => {
            Err(format!("would link {:?}", rest[found.start()..].chars().take(30).collect::<String>()))
        }
    }
}
