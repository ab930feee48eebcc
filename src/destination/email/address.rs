//! Addresses: who sends, who is answered, who receives. Only ever from the configuration; nothing of a review
//! gets near an address.

use crate::settings::Table;
use lettre::Address;
use lettre::message::Mailbox;
use std::collections::BTreeSet;

/// A mailbox with an optional name, safe to write into a header.
pub type Sender = Mailbox;

const HINT: &str = "write an address, optionally with a name: \"Reviews <reviews@shop.example>\"";

/// Reads the mailbox `key`. Its address is plain ASCII: not every server takes others from a sender.
pub fn read(table: &Table<'_>, key: &str) -> Option<Sender> {
    let text = table.text(key)?;
    let mailbox = parse(&text).filter(|mailbox| mailbox.email.to_string().is_ascii());
    if mailbox.is_none() {
        table.problem(key, "is not an address", HINT);
    }
    mailbox
}

/// Reads the list of recipients `key`: at least one, each once. A name before an address is left out.
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
            Some(mailbox) if known.insert(mailbox.email.to_string()) => addresses.push(mailbox.email),
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
    let domain = match domain.starts_with('[') {
        true => domain.to_owned(),
        false => match url::Host::parse(domain).ok()? {
            url::Host::Domain(domain) => domain,
            _ => return None,
        },
    };
    let address: Address = format!("{local}@{domain}").parse().ok()?;
    Some(Mailbox::new(Some(name.to_owned()).filter(|name| !name.is_empty()), address))
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
        ] {
            assert!(parse(bad).is_none(), "{bad:?}");
        }
    }
}
