//! How many sends may be under way: for one destination, and for all. Pure: no I/O, no clock.
//!
//! A destination begins with one, and gets more as it shows that it takes them. Those in difficulty share a quarter of all,
//! so that however many hang, there is room for those that work.

use crate::domain::{Outcome, Reason, Timestamp};
use std::collections::HashMap;

/// Sends of one destination that may be under way.
const EACH: u32 = 32;
/// Sends of all destinations that may be under way; those through mail servers have slots of their own.
const ALL: u32 = 128;
/// Of these, for destinations whose last attempt did not succeed.
const FAILED: u32 = ALL / 4;
/// Of these, for destinations that did not succeed yet, or not the last time: the rest is for those that work.
const UNPROVEN: u32 = ALL * 3 / 4;

/// How the last attempt of a destination ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Last {
    #[default]
    Untried,
    Succeeded,
    Failed,
}

/// One destination's share.
#[derive(Debug)]
struct Share {
    in_flight: u32,
    /// As many as may be under way.
    window: u32,
    last: Last,
    succeeded_at: Option<Timestamp>,
    /// The mail server that it sends through.
    server: Option<String>,
}

impl Share {
    fn new(server: Option<String>) -> Self {
        Self { in_flight: 0, window: 1, last: Last::Untried, succeeded_at: None, server }
    }
}

/// The sends under way.
#[derive(Debug, Default)]
pub struct Slots {
    shares: HashMap<String, Share>,
}

impl Slots {
    /// How many more sends of `destination` may begin, besides `wanted` that others are about to begin. `server` is the
    /// mail server that it sends through, and how many connections that has.
    pub fn free(&mut self, destination: &str, server: Option<(&str, u32)>, wanted: &Wanted) -> u32 {
        let share = self
            .shares
            .entry(destination.to_owned())
            .or_insert_with(|| Share::new(server.map(|(key, _)| key.to_owned())));
        share.server = server.map(|(key, _)| key.to_owned());
        let own = share.window.saturating_sub(share.in_flight);
        let last = share.last;
        if let Some((key, connections)) = server {
            let used = self.through(key) + wanted.through(key);
            return own.min(connections.max(1).saturating_sub(used));
        }
        let of = |lasts: &[Last]| {
            let shares =
                self.shares.values().filter(|share| share.server.is_none() && lasts.contains(&share.last));
            shares.map(|share| share.in_flight).sum::<u32>()
                + lasts.iter().map(|last| wanted.of(*last)).sum::<u32>()
        };
        let all = ALL.saturating_sub(of(&[Last::Untried, Last::Succeeded, Last::Failed]));
        let unproven = UNPROVEN.saturating_sub(of(&[Last::Untried, Last::Failed]));
        let failed = FAILED.saturating_sub(of(&[Last::Failed]));
        match last {
            Last::Succeeded => own.min(all),
            Last::Untried => own.min(all).min(unproven),
            Last::Failed => own.min(all).min(unproven).min(failed),
        }
    }

    /// Notes in `wanted` that `count` sends of `destination` are about to begin.
    pub fn want(&self, destination: &str, count: u32, wanted: &mut Wanted) {
        let Some(share) = self.shares.get(destination) else { return };
        match &share.server {
            Some(key) => *wanted.servers.entry(key.clone()).or_default() += count,
            None => {
                if let Some(lasts) = wanted.lasts.get_mut(share.last as usize) {
                    *lasts += count;
                }
            }
        }
    }

    /// Sends under way through the mail server `key`.
    pub fn through(&self, key: &str) -> u32 {
        let shares = self.shares.values().filter(|share| share.server.as_deref() == Some(key));
        shares.map(|share| share.in_flight).sum()
    }

    /// Sends of `destination` under way.
    pub fn in_flight(&self, destination: &str) -> u32 {
        self.shares.get(destination).map_or(0, |share| share.in_flight)
    }

    /// A send of `destination` begins.
    pub fn begun(&mut self, destination: &str) {
        self.shares.entry(destination.to_owned()).or_insert_with(|| Share::new(None)).in_flight += 1;
    }

    /// A send of `destination` ended without an outcome.
    pub fn lost(&mut self, destination: &str) {
        if let Some(share) = self.shares.get_mut(destination) {
            share.in_flight = share.in_flight.saturating_sub(1);
        }
    }

    /// A send of `destination` ended.
    pub fn ended(&mut self, destination: &str, outcome: &Outcome, now: Timestamp) {
        self.lost(destination);
        let Some(share) = self.shares.get_mut(destination) else { return };
        match outcome {
            // A refused message is an answer, too.
            Outcome::Delivered | Outcome::Accepted | Outcome::Dead { .. } => {
                share.window = share.window.saturating_mul(2).min(EACH);
                (share.last, share.succeeded_at) = (Last::Succeeded, Some(now));
            }
            Outcome::Retry { reason, .. } => {
                if *reason == Reason::TimedOut {
                    share.window = 1;
                }
                share.last = Last::Failed;
            }
            Outcome::Broken { .. } => (share.window, share.last) = (1, Last::Failed),
        }
    }

    /// Whether anything was delivered to `destination`, or refused, since `at`.
    pub fn succeeded_since(&self, destination: &str, at: Timestamp) -> bool {
        let succeeded = self.shares.get(destination).and_then(|share| share.succeeded_at);
        succeeded.is_some_and(|succeeded| succeeded > at)
    }

    /// The wall clock was set.
    pub fn shift(&mut self, by_ms: i64) {
        for share in self.shares.values_mut() {
            share.succeeded_at = share.succeeded_at.map(|at| Timestamp(at.0 + by_ms));
        }
    }
}

/// Sends that are about to begin, within one round.
#[derive(Debug, Default)]
pub struct Wanted {
    lasts: [u32; 3],
    servers: HashMap<String, u32>,
}

impl Wanted {
    fn of(&self, last: Last) -> u32 {
        self.lasts.get(last as usize).copied().unwrap_or(0)
    }

    /// Through the mail server `key`.
    pub fn through(&self, key: &str) -> u32 {
        self.servers.get(key).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn timed_out() -> Outcome {
        Outcome::Retry { reason: Reason::TimedOut, after: None, ambiguous: true }
    }

    /// Begins as many sends as are free.
    fn begin(slots: &mut Slots, name: &str, server: Option<(&str, u32)>) -> u32 {
        let free = slots.free(name, server, &Wanted::default());
        (0..free).for_each(|_| slots.begun(name));
        free
    }

    #[test]
    fn a_destination_gets_more_as_it_shows_that_it_takes_them() {
        let mut slots = Slots::default();
        let mut seen = Vec::new();
        for _ in 0..7 {
            seen.push(begin(&mut slots, "crm", None));
            slots.ended("crm", &Outcome::Delivered, NOW);
            while slots.in_flight("crm") > 0 {
                slots.lost("crm");
            }
        }
        assert_eq!(seen, [1, 2, 4, 8, 16, 32, 32]);
        begin(&mut slots, "crm", None);
        slots.ended("crm", &timed_out(), NOW);
        assert_eq!(slots.free("crm", None, &Wanted::default()), 0, "31 are still under way");
        (0..31).for_each(|_| slots.lost("crm"));
        assert_eq!(begin(&mut slots, "crm", None), 1);
    }

    // H3
    #[test]
    fn however_many_hang_there_is_room_for_those_that_work() {
        let mut slots = Slots::default();
        begin(&mut slots, "healthy", None);
        slots.ended("healthy", &Outcome::Delivered, NOW);
        let hung: u32 = (0..500).map(|number| begin(&mut slots, &format!("hung{number}"), None)).sum();
        assert_eq!(hung, UNPROVEN);
        for number in 0..500 {
            let name = format!("hung{number}");
            if slots.in_flight(&name) > 0 {
                slots.ended(&name, &timed_out(), NOW);
            }
        }
        let hung: u32 = (0..96).map(|number| begin(&mut slots, &format!("hung{number}"), None)).sum();
        assert_eq!(hung, FAILED);
        assert_eq!(begin(&mut slots, "new", None), 1, "a new one is not one of them");
        assert_eq!(begin(&mut slots, "healthy", None), 2);
    }

    #[test]
    fn no_more_mails_than_connections_and_none_of_the_slots_of_others() {
        let mut slots = Slots::default();
        let server = Some(("mail.example:587", 3));
        for name in ["a", "b"] {
            slots.free(name, server, &Wanted::default());
            for _ in 0..5 {
                slots.begun(name);
                slots.ended(name, &Outcome::Delivered, NOW);
            }
        }
        let mut wanted = Wanted::default();
        let first = slots.free("a", server, &wanted);
        slots.want("a", first, &mut wanted);
        assert_eq!((first, slots.free("b", server, &wanted)), (3, 0));
        (0..3).for_each(|_| slots.begun("a"));
        assert_eq!((slots.through("mail.example:587"), slots.free("b", server, &Wanted::default())), (3, 0));
        assert_eq!(begin(&mut slots, "crm", None), 1);
    }

    #[test]
    fn a_message_is_known_to_fail_while_others_pass() {
        let mut slots = Slots::default();
        slots.begun("crm");
        assert!(!slots.succeeded_since("crm", Timestamp(0)));
        slots.ended("crm", &Outcome::Delivered, NOW);
        assert!(slots.succeeded_since("crm", Timestamp(0)) && !slots.succeeded_since("crm", NOW));
    }
}
