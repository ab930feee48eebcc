//! Identities of messages: derived from what they say and to whom, so that they stay the same over retries, a
//! crash, and even the loss of the state.

use crate::domain::Timestamp;
use sha2::{Digest, Sha256};

/// `msg_` and 128 bits of the SHA-256 over `parts`, in hex.
pub fn message_id(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part.as_bytes());
    }
    hex("msg_", &hash.finalize()[..16])
}

/// The identities a digest made `now` may have: the first that no message bears is its own.
pub fn digest_ids(destination: &str, recipient: &str, now: Timestamp) -> impl Iterator<Item = String> {
    ids_of("digest", destination, recipient, now)
}

/// The identities a summary made `now` may have, in the same way.
pub fn summary_ids(destination: &str, recipient: &str, now: Timestamp) -> impl Iterator<Item = String> {
    ids_of("summary", destination, recipient, now)
}

fn ids_of(kind: &str, destination: &str, recipient: &str, now: Timestamp) -> impl Iterator<Item = String> {
    let at = now.0.to_string();
    (0..1000).map(move |turn: u32| match turn {
        0 => message_id(&[kind, destination, recipient, &at]),
        _ => message_id(&[kind, destination, recipient, &at, &turn.to_string()]),
    })
}

/// 128 bits of the SHA-256 of `bytes`, in hex.
pub fn fingerprint(bytes: &[u8]) -> String {
    hex("", &Sha256::digest(bytes)[..16])
}

fn hex(prefix: &str, bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(prefix.to_owned(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
