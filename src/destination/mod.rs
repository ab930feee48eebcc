//! Where messages go. One folder a kind, one row in [`TABLE`]; kinds know no rules, no store, no each other.
//!
//! A kind renders a message into a payload and sends it once; what an answer means is its own knowledge.
//! When to send, how often and whether again is the outbox's.

mod answers;
mod chat;
pub mod discord;
pub mod email;
pub mod fixture;
pub mod google_chat;
mod guess;
mod hosts;
pub mod hours;
mod http;
mod kind;
pub mod mattermost;
pub mod ntfy;
mod reach;
mod redact;
pub mod schedule;
pub mod settings;
pub mod slack;
pub mod teams;
mod verdict;
pub mod webhook;

#[cfg(test)]
mod suite;

pub use fixture::Fixture;
pub use hours::ActiveHours;
pub use http::ping;
pub use kind::{Kind, TABLE};
pub use schedule::Schedule;
pub use settings::{Burst, COMMON_KEYS, Common, Key, Settings, Shared};

use crate::domain::{Attempt, Message};
use crate::settings::Secret;
use crate::template::{Format, Renderer, TemplateProblem};
use async_trait::async_trait;
use sha2::{Digest as _, Sha256};
use std::fmt::Debug;
use std::path::Path;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// A rendered message, ready to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// Its media type.
    pub media_type: &'static str,
    /// Its bytes.
    pub body: String,
    /// Whether the template failed on this message and the built-in plain form stands in: the failure, for
    /// the operator.
    pub fallback: Option<String>,
}

/// The server behind a destination, which others may share: what is found out about it holds for all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerSlots {
    /// Tells it, and the login there, from others. Holds no secret.
    pub key: String,
    /// How many messages can be sent to it at the same time.
    pub connections: u32,
}

/// A destination that messages can be sent to.
#[async_trait]
pub trait Destination: Send + Sync {
    /// Renders `message`; a template that fails falls back to the plain form, which never fails.
    fn render(&self, message: &Message) -> Payload;
    /// Sends it once. Bounded by [`Self::longest_attempt`]; never panics, never repeats by itself.
    async fn send(&self, message: &Message, payload: &Payload) -> Attempt;
    /// Whether something listens where it sends, without sending anything: the host resolves and takes a
    /// connection within the destination's time-out. The error is for people and holds no secret.
    async fn reach(&self) -> Result<(), String>;
    /// Where it sends, without secrets: `hooks.slack.com`.
    fn address(&self) -> String;
    /// The recipients that deliveries are split by; a single empty text where the kind knows none.
    fn recipients(&self) -> Vec<String> {
        vec![String::new()]
    }
    /// What an attempt takes at most, from when it has a connection; `None` where that is the destination's time-out.
    fn longest_attempt(&self) -> Option<Duration> {
        None
    }
    /// The server that it shares with other destinations; `None` where it has one of its own.
    fn server(&self) -> Option<ServerSlots> {
        None
    }
}

/// The settings of one kind: makes the destination.
pub trait Make: Send + Sync + Debug {
    /// The destination `name`; the error says what is wrong with which setting, without secrets.
    fn make(
        &self,
        name: &str,
        common: &Common,
        renderer: Arc<Renderer>,
    ) -> Result<Arc<dyn Destination>, String>;
    /// What it sends to, to be compared; `None` where that is not one URL.
    fn target(&self) -> Option<Target> {
        None
    }
}

/// What a destination sends to, known by a hash: the URL is a secret.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Target([u8; 32]);

impl Target {
    /// The target that `parts`, such as a URL and a topic, make together.
    pub fn of(parts: &[&Secret]) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part.expose().trim());
            hash.update([0]);
        }
        Self(hash.finalize().into())
    }
}

impl Debug for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Target")
    }
}

/// The templates of every kind, replaced and added to file by file by those in `templates_dir`.
///
/// # Errors
/// All that is wrong with them.
pub fn templates(templates_dir: Option<&Path>) -> Result<Arc<Renderer>, Vec<TemplateProblem>> {
    match templates_dir {
        None => Ok(built_in_templates()),
        Some(_) => Renderer::load(templates_dir, &formats()).map(Arc::new),
    }
}

/// The templates that come with the program, for every kind. They are constants: each is compiled when it is first
/// used, once in a process.
pub fn built_in_templates() -> Arc<Renderer> {
    static BUILT_IN: LazyLock<Arc<Renderer>> = LazyLock::new(|| Arc::new(Renderer::built_in(&formats())));
    BUILT_IN.clone()
}

/// How the messages of every kind are made from templates.
pub fn formats() -> Vec<&'static Format> {
    TABLE.iter().filter_map(|kind| kind.format).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::domain::Form;
    use crate::presentation::{Own, View, samples};

    /// Nothing tries them at start.
    #[test]
    fn every_built_in_template_is_fine_on_every_sample() {
        let proved = Renderer::prove(&formats()).unwrap();
        let zone = jiff::tz::TimeZone::UTC;
        let view = View {
            destination: "support".into(),
            zone,
            show_email: true,
            mention: None,
            template: None,
            own: Own::default(),
        };
        for (name, message) in samples() {
            assert_eq!(message.form, Form::Full);
            for format in formats() {
                let used = built_in_templates().payload(format, &message, &view);
                assert_eq!(used.fallback, None, "{name} as {}", format.name);
                assert_eq!(used, proved.payload(format, &message, &view), "{name} as {}", format.name);
            }
        }
    }
}
