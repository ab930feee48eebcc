//! The rate of one destination: a limit of attempts in any span, across restarts.
//!
//! A sliding log of the times attempts began, filled from the ledger at start.

use crate::domain::Timestamp;
use crate::settings::Rate;
use std::collections::VecDeque;

/// The attempts of one destination within the last span.
#[derive(Debug, Default)]
pub struct Pace {
    begun: VecDeque<Timestamp>,
}

impl Pace {
    /// The log as the ledger has it, oldest first.
    pub fn from_log(begun: Vec<Timestamp>) -> Self {
        Self { begun: begun.into() }
    }

    /// How many attempts may begin at `now`, at most `wanted`.
    pub fn free(&mut self, rate: Rate, now: Timestamp, wanted: u32) -> u32 {
        // An entry from the future was left by a clock that was set back.
        self.begun.retain(|at| *at > now.minus(rate.span) && *at <= now.plus(rate.span));
        let used = u32::try_from(self.begun.len()).unwrap_or(u32::MAX);
        rate.count.saturating_sub(used).min(wanted)
    }

    /// When the next attempt may begin, where none may now.
    pub fn next_at(&self, rate: Rate, now: Timestamp) -> Timestamp {
        let used = self.begun.len();
        let blocking = used.checked_sub(rate.count as usize).and_then(|index| self.begun.get(index));
        blocking.map_or(now, |at| at.plus(rate.span))
    }

    /// The time of day was set: what began then began as long ago as before.
    pub fn shift(&mut self, by_ms: i64) {
        for at in &mut self.begun {
            at.0 += by_ms;
        }
    }

    /// An attempt began.
    pub fn record(&mut self, now: Timestamp) {
        self.begun.push_back(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn no_span_ever_holds_more_than_the_rate() {
        let rate = Rate { count: 3, span: Duration::from_secs(60) };
        let mut pace = Pace::default();
        let mut begun = Vec::new();
        for second in 0..600 {
            let now = Timestamp(second * 1000);
            for _ in 0..pace.free(rate, now, 2) {
                pace.record(now);
                begun.push(now);
            }
            if pace.free(rate, now, 1) == 0 {
                assert!(pace.next_at(rate, now) > now);
            }
        }
        for start in &begun {
            let within = begun.iter().filter(|at| **at >= *start && **at < start.plus(rate.span)).count();
            assert!(within <= 3, "{within} from {start:?}");
        }
        assert_eq!(begun.len(), 30);
    }
}
