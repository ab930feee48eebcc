//! Any webhook, after Standard Webhooks 1.0: an id that stays over retries, the attempt's time, and, where a
//! secret is set, a signature over exactly the bytes sent.

mod fixture;
#[cfg(test)]
mod tests;

use super::http::Sender;
use super::settings::{Common, Key, Shared, read_url};
use super::{Destination, Kind, Make, Payload, Target};
use crate::domain::{Attempt, Form, Message, Outcome, Reason};
use crate::presentation::{Body, short};
use crate::settings::units::{parse_size, show_size};
use crate::settings::{Rate, Secret, Table};
use crate::template::Renderer;
use async_trait::async_trait;
use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use std::sync::Arc;

/// The row of this kind.
pub static KIND: Kind = Kind {
    name: "webhook",
    title: "Webhook",
    summary: "any program that accepts JSON over HTTP, signed as in Standard Webhooks",
    default_rate: Rate::per_second(10),
    keys: &[
        Key { name: "url", summary: "the URL to post to", secret: true },
        Key {
            name: "secret",
            summary: "whsec_ and base64 of 24 to 64 bytes; default: messages are not signed",
            secret: true,
        },
        Key {
            name: "max_body",
            summary: "larger messages are sent in parts, or shortened, from \"4KiB\"; default: \"256KiB\"",
            secret: false,
        },
    ],
    format: None,
    example: include_str!("example.toml"),
    shared: None,
    read,
    fixture: fixture::FIXTURE,
};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

#[derive(Debug)]
struct Settings {
    url: Secret,
    secret: Option<Secret>,
    max_body: usize,
}

/// Unless set. Common servers take more, and gateways in front of them.
const MAX_BODY: usize = 256 * 1024;
/// The shortest form of a review is smaller.
const LEAST_BODY: u64 = 4 * 1024;
/// More is never sent.
const LARGEST_BODY: u64 = 64 * 1024 * 1024;

fn read(table: &Table<'_>, common: &Common, _: &Shared) -> Option<Arc<dyn Make>> {
    let url = read_url(table, "url", common);
    let max_body = read_size(table);
    let secret = table.secret("secret");
    if secret.as_ref().is_some_and(|secret| Key256::parse(secret).is_none()) {
        let place = if table.has("secret") { "secret" } else { "secret_file" };
        let hint =
            "write `whsec_` and the base64 of 24 to 64 random bytes: echo whsec_$(openssl rand -base64 32)";
        table.problem(place, "is not a Standard Webhooks secret", hint);
        return None;
    }
    Some(Arc::new(Settings { url: url?, secret, max_body }))
}

fn read_size(table: &Table<'_>) -> usize {
    let Some(text) = table.text("max_body") else { return MAX_BODY };
    let size = parse_size(&text).filter(|size| (LEAST_BODY..=LARGEST_BODY).contains(size));
    if size.is_none() {
        let hint = "write a size from \"4KiB\" to \"64MiB\": max_body = \"256KiB\"";
        table.problem("max_body", "is not a valid size", hint);
    }
    size.and_then(|size| usize::try_from(size).ok()).unwrap_or(MAX_BODY)
}

impl Make for Settings {
    fn make(&self, name: &str, common: &Common, _: Arc<Renderer>) -> Result<Arc<dyn Destination>, String> {
        let secrets: Vec<&str> = self.secret.iter().map(|secret| secret.expose().trim()).collect();
        let sender = Sender::new(name, "url", self.url.expose(), &secrets, common)?;
        let key = self.secret.as_ref().and_then(Key256::parse);
        if self.secret.is_some() && key.is_none() {
            return Err(format!("`destinations.{name}.secret` is not a Standard Webhooks secret"));
        }
        Ok(Arc::new(Webhook { sender, key, show_email: common.show_email, max_body: self.max_body }))
    }

    fn target(&self) -> Option<Target> {
        Some(Target::of(&[&self.url]))
    }
}

struct Webhook {
    sender: Sender,
    key: Option<Key256>,
    show_email: bool,
    max_body: usize,
}

#[async_trait]
impl Destination for Webhook {
    /// The body has no plainer form: it is built, not rendered. It has a shorter one.
    fn render(&self, message: &Message) -> Payload {
        let body = match message.form {
            Form::Full | Form::Plain => Body::of(message, self.show_email).to_json(),
            Form::Short => short::body(message, self.show_email),
        };
        Payload { media_type: "application/json", body: body.to_string(), fallback: None }
    }

    async fn send(&self, message: &Message, payload: &Payload) -> Attempt {
        if payload.body.len() > self.max_body {
            return self.too_large(payload.body.len());
        }
        let timestamp = message.now.as_millis().div_euclid(1_000).to_string();
        let signature = self.key.as_ref().map(|key| key.sign(&message.id, &timestamp, &payload.body));
        let mut headers = vec![("webhook-id", message.id.clone()), ("webhook-timestamp", timestamp)];
        headers.extend(signature.map(|signature| ("webhook-signature", signature)));
        match self.sender.post(payload.media_type, &headers, payload.body.clone(), message.now).await {
            Ok(answer) => self.sender.by_status(&answer),
            Err(attempt) => attempt,
        }
    }

    async fn reach(&self) -> Result<(), String> {
        self.sender.reach().await
    }

    fn address(&self) -> String {
        self.sender.host().to_owned()
    }
}

impl Webhook {
    /// The attempt that ends before it begins: nothing is sent.
    fn too_large(&self, size: usize) -> Attempt {
        let shown = |bytes: usize| show_size(bytes as u64);
        let detail = format!(
            "The message has {}, and `destinations.{}.max_body` allows {}: it was not sent. {}.",
            shown(size),
            self.sender.name,
            shown(self.max_body),
            self.sender.too_large_advice()
        );
        let outcome = Outcome::Dead { reason: Reason::TooLarge };
        Attempt { outcome, status: None, detail, excerpt: None }
    }
}

/// A signing key, ready to use. No `Debug`: it is the secret.
struct Key256(Hmac<Sha256>);

impl Key256 {
    fn parse(secret: &Secret) -> Option<Self> {
        let encoded = secret.expose().trim().strip_prefix("whsec_")?;
        let bytes = BASE64.decode(encoded).ok().filter(|bytes| (24..=64).contains(&bytes.len()))?;
        Hmac::new_from_slice(&bytes).ok().map(Self)
    }

    /// `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`.
    fn sign(&self, id: &str, timestamp: &str, body: &str) -> String {
        let mut mac = self.0.clone();
        for part in [id, ".", timestamp, ".", body] {
            mac.update(part.as_bytes());
        }
        format!("v1,{}", BASE64.encode(mac.finalize().into_bytes()))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod signature_tests {
    use super::*;

    /// The vector of the Standard Webhooks libraries.
    #[test]
    fn signs_as_the_standard_says() {
        let key = Key256::parse(&Secret::new("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")).unwrap();
        let body = r#"{"email":"test@example.com","username":"test_user"}"#;
        assert_eq!(
            key.sign("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", "1649367553", body),
            "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="
        );
    }

    #[test]
    fn a_secret_is_24_to_64_bytes() {
        let secret = |bytes: usize| Secret::new(format!("whsec_{}", BASE64.encode(vec![7; bytes])));
        for (bytes, good) in [(23, false), (24, true), (25, true), (64, true), (65, false)] {
            assert_eq!(Key256::parse(&secret(bytes)).is_some(), good, "{bytes}");
        }
        for bad in ["C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "whsec_", "whsec_?", ""] {
            assert!(Key256::parse(&Secret::new(bad)).is_none(), "{bad}");
        }
    }
}
