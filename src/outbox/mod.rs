//! The outbox: leases due messages, sends them, and records what came of it.
//!
//! [`Dispatcher`] decides when and how much, `worker` sends one message, [`retry`] says what follows, `report` logs
//! it, [`digest`] gathers what is queued for a schedule, [`burst`] groups what arrives together, [`acknowledger`]
//! marks reviews read once they are delivered.

pub mod acknowledger;
pub mod burst;
pub mod digest;
mod dispatcher;
mod janitor;
mod pace;
mod report;
pub mod retry;
mod settling;
mod slots;
mod worker;

pub use acknowledger::{Acknowledger, Marked};
pub use digest::Digester;
pub use dispatcher::{Dispatcher, Settled, Started};
pub use janitor::Janitor;

use crate::destination::{ActiveHours, Burst, Destination, Schedule};
use crate::domain::RatingScales;
use crate::settings::Rate;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// A destination and how it is treated, as of one configuration.
#[derive(Clone)]
pub struct Target {
    /// Where it goes.
    pub destination: Arc<dyn Destination>,
    /// The rate of attempts.
    pub rate: Rate,
    /// The time one attempt may take.
    pub timeout: Duration,
    /// How long a message is retried, from its first attempt.
    pub give_up_after: Duration,
    /// When it may be sent to; always where none are set.
    pub hours: Option<ActiveHours>,
    /// When its reviews are sent together; each immediately where it is not set.
    pub digest: Option<Arc<Schedule>>,
    /// Whether a review that was read elsewhere is skipped.
    pub skip_if_read: bool,
    /// How many single messages are sent before the rest is grouped; no limit where it is not set.
    pub burst: Option<Burst>,
}

/// All destinations, as of one configuration.
#[derive(Clone, Default)]
pub struct Targets {
    /// By name.
    pub by_name: BTreeMap<String, Target>,
    /// The rating scales of each account.
    pub scales: BTreeMap<String, RatingScales>,
}

impl Target {
    /// The longest that one attempt may take.
    pub fn longest_attempt(&self) -> Duration {
        self.destination.longest_attempt().unwrap_or(self.timeout)
    }
}

impl Targets {
    /// The destinations that share a mail server with `name`, itself included.
    pub fn sharing(&self, name: &str) -> Vec<String> {
        let server = |target: &Target| target.destination.server().map(|server| server.key);
        let Some(key) = self.by_name.get(name).and_then(server) else { return vec![name.to_owned()] };
        let sharing = self.by_name.iter().filter(|(_, target)| server(target).as_ref() == Some(&key));
        sharing.map(|(name, _)| name.clone()).collect()
    }

    /// The names of those whose reviews are sent together.
    pub fn digests(&self) -> Vec<&str> {
        let digests = self.by_name.iter().filter(|(_, target)| target.digest.is_some());
        digests.map(|(name, _)| name.as_str()).collect()
    }
}
