//! A clock for everything that waits for a time in state. Where the time of day is set, or the machine slept, it goes
//! on as if nothing had happened until what waits was moved by as much; then all see the new time together.

use super::{Clock, Reading, Stopwatch};
use crate::domain::Timestamp;
use crate::domain::time::millis;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::Notify;

/// The least that the time of day must differ from the time that passed to count as a step. Less is drift,
/// or a correction that harms nobody.
const LEAST_STEP_MS: i64 = 30_000;
/// The time that reading both clocks may take. Longer, and the process was stopped between the two, which is no step.
const READS_WITHIN_MS: i64 = 1000;
/// How often a reading that took longer is repeated.
const READS: u32 = 8;

/// A clock, and the time as everybody sees it.
#[derive(Debug)]
pub struct Timeline {
    source: Clock,
    started: Stopwatch,
    line: Mutex<Line>,
    noticed: Notify,
}

/// What time it is, reckoned from the time that passed.
#[derive(Debug)]
struct Line {
    /// The time of day when no time had passed.
    origin: i64,
    /// What the time of day was off by at the last look, below [`LEAST_STEP_MS`].
    drift: i64,
    /// All steps that were adopted.
    shifted: i64,
}

impl Line {
    /// The time as everybody sees it, and the step that has not been adopted.
    fn look(&mut self, reading: Reading) -> (i64, Option<i64>) {
        let expected = self.origin + reading.passed;
        let off = reading.wall - expected;
        if off.abs() < LEAST_STEP_MS {
            self.drift = off;
            return (reading.wall, None);
        }
        (expected + self.drift, Some(off - self.drift))
    }
}

impl Timeline {
    pub(super) fn new(source: &Clock) -> Self {
        let line = Line { origin: 0, drift: 0, shifted: 0 };
        let source = source.clone();
        let timeline =
            Self { source, started: Stopwatch::start(), line: Mutex::new(line), noticed: Notify::new() };
        let reading = timeline.read();
        timeline.lock().origin = reading.wall - reading.passed;
        timeline
    }

    pub(super) fn source(&self) -> &Clock {
        &self.source
    }

    pub(super) fn now(&self) -> Timestamp {
        let (now, step) = self.look();
        if step.is_some() {
            self.noticed.notify_one();
        }
        Timestamp(now)
    }

    fn look(&self) -> (i64, Option<i64>) {
        let mut line = self.lock();
        line.look(self.read())
    }

    fn lock(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read(&self) -> Reading {
        if let Clock::Manual(hands) = &self.source {
            return hands.read();
        }
        let mut passed = millis(self.started.elapsed());
        for _ in 1..READS {
            let wall = self.source.now().0;
            let after = millis(self.started.elapsed());
            if after - passed <= READS_WITHIN_MS {
                return Reading { wall, passed: after };
            }
            passed = after;
        }
        Reading { wall: self.source.now().0, passed }
    }
}

impl Clock {
    /// By how many milliseconds the time of day was set forward (or back, below zero), where that was not adopted
    /// yet. Only a steady clock holds steps back.
    pub fn pending_step(&self) -> Option<i64> {
        self.timeline()?.look().1
    }

    /// Ends once [`Self::now`] has noticed a step.
    pub async fn stepped(&self) {
        match self.timeline() {
            Some(timeline) => timeline.noticed.notified().await,
            None => std::future::pending().await,
        }
    }

    /// What waits was moved by so much: from now on everybody sees the new time.
    pub fn adopt(&self, by_ms: i64) {
        if let Some(timeline) = self.timeline() {
            let mut line = timeline.lock();
            line.origin += by_ms;
            line.shifted += by_ms;
        }
    }

    /// All steps that were adopted so far, in milliseconds.
    fn shifted_ms(&self) -> i64 {
        self.timeline().map_or(0, |timeline| timeline.lock().shifted)
    }

    fn timeline(&self) -> Option<&Arc<Timeline>> {
        match self {
            Self::Steady(timeline) => Some(timeline),
            Self::System | Self::Manual(_) => None,
        }
    }
}

/// Notices that a step was adopted: for whoever holds times that are not in state.
#[derive(Debug)]
pub struct StepWatch {
    clock: Clock,
    seen_ms: i64,
}

impl StepWatch {
    /// Watches `clock` from now on.
    pub fn new(clock: &Clock) -> Self {
        Self { clock: clock.clone(), seen_ms: clock.shifted_ms() }
    }

    /// By how many milliseconds the time was moved since the last look; `None` where it went as time passed.
    pub fn look(&mut self) -> Option<i64> {
        let shifted = self.clock.shifted_ms();
        let by = shifted - std::mem::replace(&mut self.seen_ms, shifted);
        (by != 0).then_some(by)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const HOUR: i64 = 3_600_000;

    /// A wall clock, and what the bridge makes of it.
    fn clocks() -> (Clock, Clock) {
        let wall = Clock::manual(Timestamp(0));
        let steady = wall.steady();
        (wall, steady)
    }

    // H2
    #[test]
    fn a_step_is_held_back_until_it_is_adopted_and_then_everybody_sees_it() {
        let (wall, clock) = clocks();
        let other = clock.steady();
        let mut watch = StepWatch::new(&clock);
        wall.advance(Duration::from_secs(86_400));
        assert_eq!((clock.pending_step(), watch.look()), (None, None));
        for step in [11 * HOUR, -24 * 365 * HOUR, HOUR] {
            let before = clock.now();
            wall.step(step);
            wall.advance(Duration::from_secs(5));
            assert_eq!(clock.now(), before.plus(Duration::from_secs(5)), "time passes as before");
            assert_eq!((other.now(), watch.look()), (clock.now(), None));
            assert_eq!(clock.pending_step(), Some(step));
            clock.adopt(step);
            assert_eq!((clock.now(), other.now()), (wall.now(), wall.now()));
            assert_eq!((clock.pending_step(), watch.look(), watch.look()), (None, Some(step), None));
        }
    }

    #[test]
    fn one_that_is_taken_back_before_it_was_adopted_was_none() {
        let (wall, clock) = clocks();
        wall.step(HOUR);
        assert_eq!((clock.now(), clock.pending_step()), (Timestamp(0), Some(HOUR)));
        wall.step(-HOUR);
        assert_eq!((clock.now(), clock.pending_step()), (Timestamp(0), None));
    }

    #[test]
    fn small_steps_are_followed_and_add_up_to_one() {
        let (wall, clock) = clocks();
        wall.step(20_000);
        assert_eq!((clock.now(), clock.pending_step()), (Timestamp(20_000), None));
        wall.step(20_000);
        assert_eq!((clock.now(), clock.pending_step()), (Timestamp(20_000), Some(20_000)), "what nobody saw");
        clock.adopt(20_000);
        assert_eq!((clock.now(), clock.pending_step()), (wall.now(), None));
    }

    #[tokio::test]
    async fn whoever_follows_it_is_woken_by_the_first_who_asks_for_the_time() {
        let (wall, clock) = clocks();
        let stepped = clock.stepped();
        tokio::pin!(stepped);
        assert!(futures::poll!(&mut stepped).is_pending());
        wall.step(HOUR);
        clock.now();
        stepped.await;
    }

    #[test]
    fn the_machines_clock_does_not_step_by_itself() {
        let clock = Clock::System.steady();
        let now = Clock::System.now();
        assert!(clock.now() >= now && clock.pending_step().is_none());
    }
}
