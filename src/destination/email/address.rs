//! Addresses: who sends, who is answered, who receives. Only ever from the configuration; nothing of a review
//! gets near an address.

use super::mime;
use crate::settings::Table;
use lettre::Address;
use lettre::message::Mailbox;
use std::collections::BTreeSet;
use std::net::IpAddr;

/// A mailbox with an optional name, safe to write into a header.
pub type Sender = Mailbox;

/// The longest address (RFC 5321, 4.5.3.1.3), and the part of it before the `@`.
const MAX_ADDRESS_BYTES: usize = 254;
const MAX_LOCAL_BYTES: usize = 64;

const HINT: &str = "write an address, optionally with a name: \"Reviews <reviews@shop.example>\"";

/// Reads the mailbox `key`. Its address is plain ASCII: not every server takes others from a sender.
pub fn read(table: &Table<'_>, key: &str) -> Option<Sender> {
    let text = table.text(key)?;
    let fits = |mailbox: &Sender| mailbox.email.to_string().is_ascii() && mime::can_be_sender(mailbox);
    let mailbox = parse(&text).filter(fits);
    if mailbox.is_none() {
        table.problem(key, "is not an address", HINT);
    }
    mailbox
}

/// What tells recipients apart, in state too: nobody has two mailboxes that differ only in case.
pub fn key(address: &Address) -> String {
    address.to_string().to_ascii_lowercase()
}

/// Reads the list of recipients `key`: at least one, each once, whatever its case. A name before an address is left out.
pub fn read_list(table: &Table<'_>, key: &str) -> Option<Vec<Address>> {
    let hint = format!("write {key} = [\"owner@shop.example\"]");
    if !table.has(key) {
        table.problem(key, "is missing", hint.as_str());
    }
    let texts = table.texts(key)?;
    if texts.is_empty() {
        table.problem(key, "is empty", hint.as_str());
    }
    let mut known = BTreeSet::new();
    let mut addresses = Vec::new();
    for (index, text) in texts.iter().enumerate() {
        match parse(text) {
            Some(mailbox) if known.insert(self::key(&mailbox.email)) => addresses.push(mailbox.email),
            Some(_) => {}
            None => table.problem(key, format!("item {} is not an address", index + 1), hint.as_str()),
        }
    }
    (!addresses.is_empty()).then_some(addresses)
}

/// An address alone, or `Name <address>`. The domain is lower-cased, and in ASCII (`xn--…`).
pub fn parse(text: &str) -> Option<Mailbox> {
    let text = text.trim();
    // lettre panics on line ends in a name, and a quoted local part could hold them.
    if text.chars().any(|c| c.is_control() || crate::domain::text::is_unsafe(c)) {
        return None;
    }
    let (name, address) = match text.strip_suffix('>') {
        Some(rest) => rest.rsplit_once('<')?,
        None => ("", text),
    };
    let name = name.trim();
    let name = name.strip_prefix('"').and_then(|name| name.strip_suffix('"')).unwrap_or(name);
    let (local, domain) = address.trim().rsplit_once('@')?;
    let address = match domain.strip_prefix('[').and_then(|domain| domain.strip_suffix(']')) {
        Some(ip) => {
            // Checked with a domain that there is: the other one is checked already.
            let checked: Address = format!("{local}@shop.example").parse().ok()?;
            Address::new_dangerous(checked.user(), literal(ip)?)
        }
        None => match url::Host::parse(domain).ok()? {
            url::Host::Domain(domain) => format!("{local}@{domain}").parse().ok()?,
            _ => return None,
        },
    };
    if local.len() > MAX_LOCAL_BYTES || address.to_string().len() > MAX_ADDRESS_BYTES {
        return None;
    }
    Some(Mailbox::new(Some(name.to_owned()).filter(|name| !name.is_empty()), address))
}

/// An IP address as SMTP writes it in place of a domain: `[192.0.2.1]`, `[IPv6:2001:db8::1]`.
pub fn literal(text: &str) -> Option<String> {
    let bare = text.get(..5).filter(|start| start.eq_ignore_ascii_case("ipv6:")).and(text.get(5..));
    match (bare.unwrap_or(text).parse().ok()?, bare) {
        (IpAddr::V4(address), None) => Some(format!("[{address}]")),
        (IpAddr::V6(address), _) => Some(format!("[IPv6:{address}]")),
        (IpAddr::V4(_), Some(_)) => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::parse;

    #[test]
    fn addresses_are_read_with_and_without_a_name() {
        for (text, expected) in [
            ("owner@shop.example", "owner@shop.example"),
            (" Owner@Shop.Example ", "Owner@shop.example"),
            ("Reviews <reviews@shop.example>", "Reviews <reviews@shop.example>"),
            ("\"Shop, NL\" <a@shop.example>", "\"Shop, NL\" <a@shop.example>"),
            ("<a@shop.example>", "a@shop.example"),
            ("a@bücher.example", "a@xn--bcher-kva.example"),
            ("jürgen@shop.example", "jürgen@shop.example"),
            ("\"john doe\"@shop.example", "\"john doe\"@shop.example"),
            ("a@[192.0.2.1]", "a@[192.0.2.1]"),
            ("a@[2001:db8::1]", "a@[IPv6:2001:db8::1]"),
            ("a@[ipv6:2001:db8::1]", "a@[IPv6:2001:db8::1]"),
        ] {
            assert_eq!(parse(text).unwrap().to_string(), expected, "{text}");
        }
        for bad in [
            "",
            "owner",
            "owner@",
            "@shop.example",
            "a b@shop.example",
            "a@shop.example, b@shop.example",
            "a@shop.example>",
            "Name <a@shop.example> x",
            "Name\r\nBcc: x@evil.example <a@shop.example>",
            "\"a\r\nb\"@shop.example",
            "a@127.0.0.1",
            "a@[mail.example]",
            "a@[IPv6:192.0.2.1]",
            "a@[]",
            &format!("{}@shop.example", "a".repeat(65)),
            &format!("a@{}shop.example", "long-label-of-a-domain.".repeat(12)),
        ] {
            assert!(parse(bad).is_none(), "{bad:?}");
        }
    }
}
