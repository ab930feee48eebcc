//! Time: the only module that reads a clock, and civil time (zones, formats) over `jiff`.

use crate::domain::Timestamp;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

/// Where time comes from: the system, or a hand that steps it.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands until it is moved.
    Manual(Arc<Hands>),
}

/// How often a sleeper looks at a manual clock.
const LOOK_AT_HANDS: Duration = Duration::from_millis(1);

/// The hands of a manual clock, in milliseconds.
#[derive(Debug, Default)]
pub struct Hands {
    /// The time of day.
    wall: AtomicI64,
    /// The time that has passed, which no step of the time of day changes.
    passed: AtomicI64,
}

impl Clock {
    /// A clock that stands at `now` until it is moved.
    pub fn manual(now: Timestamp) -> Self {
        Self::Manual(Arc::new(Hands { wall: AtomicI64::new(now.0), passed: AtomicI64::new(0) }))
    }

    /// The time of day.
    #[expect(clippy::disallowed_methods, reason = "the owner of time")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp(jiff::Timestamp::now().as_millisecond()),
            Self::Manual(hands) => Timestamp(hands.wall.load(Ordering::SeqCst)),
        }
    }

    /// Waits so long; by a manual clock no longer than it takes that to be moved so far.
    pub async fn sleep(&self, duration: Duration) {
        let Self::Manual(hands) = self else { return tokio::time::sleep(duration).await };
        let end = hands.passed.load(Ordering::SeqCst).saturating_add(crate::domain::time::millis(duration));
        let moved = async {
            while hands.passed.load(Ordering::SeqCst) < end {
                tokio::time::sleep(LOOK_AT_HANDS).await;
            }
        };
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            () = moved => {}
        }
    }

    /// Moves a manual clock on; the system's clock is never touched.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(hands) = self {
            let by = crate::domain::time::millis(by);
            hands.wall.fetch_add(by, Ordering::SeqCst);
            hands.passed.fetch_add(by, Ordering::SeqCst);
        }
    }

    /// Sets a manual clock's time of day forward or back while no time passes; the system's clock is never
    /// touched.
    pub fn step(&self, by_ms: i64) {
        if let Self::Manual(hands) = self {
            hands.wall.fetch_add(by_ms, Ordering::SeqCst);
        }
    }
}

/// The least that the time of day must differ from the time that passed to count as a step. Less is drift,
/// or a correction that harms nobody.
const LEAST_STEP_MS: i64 = 30_000;

/// Notices when somebody sets the time of day, or the machine slept.
#[derive(Debug)]
pub struct StepWatch {
    clock: Clock,
    wall: Timestamp,
    passed: Passed,
}

#[derive(Debug)]
enum Passed {
    System(Stopwatch),
    Manual(i64),
}

impl Passed {
    fn since_start(clock: &Clock) -> Self {
        match clock {
            Clock::System => Self::System(Stopwatch::start()),
            Clock::Manual(hands) => Self::Manual(hands.passed.load(Ordering::SeqCst)),
        }
    }

    fn elapsed_ms(&self, clock: &Clock) -> i64 {
        match (self, clock) {
            (Self::System(watch), _) => crate::domain::time::millis(watch.elapsed()),
            (Self::Manual(then), Clock::Manual(hands)) => hands.passed.load(Ordering::SeqCst) - then,
            (Self::Manual(_), Clock::System) => 0,
        }
    }
}

impl StepWatch {
    /// Watches `clock` from now on.
    pub fn new(clock: &Clock) -> Self {
        Self { clock: clock.clone(), wall: clock.now(), passed: Passed::since_start(clock) }
    }

    /// By how many milliseconds the time of day was set forward (or back, below zero) since the last look;
    /// `None` where it went as time passed.
    pub fn look(&mut self) -> Option<i64> {
        let now = self.clock.now();
        let by = (now.0 - self.wall.0) - self.passed.elapsed_ms(&self.clock);
        if by.abs() < LEAST_STEP_MS {
            return None;
        }
        self.wall = now;
        self.passed = Passed::since_start(&self.clock);
        Some(by)
    }
}

/// Measures how long something takes.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[expect(clippy::disallowed_methods, reason = "the owner of time")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// The time since the start.
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// `2026-11-23T08:00:00Z`, with milliseconds where there are any.
pub fn rfc3339(time: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(time.0) {
        Ok(time) => time.to_string(),
        Err(_) => "date unknown".into(),
    }
}

/// For people: `2026-11-23 08:00 UTC`.
pub fn minute(time: Timestamp) -> String {
    match jiff::Timestamp::from_millisecond(time.0) {
        Ok(time) => time.strftime("%Y-%m-%d %H:%M UTC").to_string(),
        Err(_) => "an unknown date".into(),
    }
}

/// For people: `40 seconds`, `1 minute`, `3 hours`, `5 days`.
pub fn in_words(span: Duration) -> String {
    let seconds = span.as_secs();
    let (count, unit) = match seconds {
        0..60 => (seconds, "second"),
        60..7200 => (seconds / 60, "minute"),
        7200..172_800 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
}

/// `time` on the clocks of `zone`; `None` beyond the calendar's end.
pub fn in_zone(time: Timestamp, zone: &jiff::tz::TimeZone) -> Option<jiff::Zoned> {
    Some(jiff::Timestamp::from_millisecond(time.0).ok()?.to_zoned(zone.clone()))
}

/// Reads `2022-06-30T12:34:56.000000Z` (any offset), `2022-06-30 12:34:56`, `2022-06-30`; naive ones are UTC,
/// as are whole seconds since the epoch.
pub fn parse(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let utc = jiff::tz::TimeZone::UTC;
    let zoned = |time: jiff::Zoned| Timestamp(time.timestamp().as_millisecond());
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(Timestamp(time.as_millisecond()));
    }
    if let Ok(time) = text.parse::<jiff::civil::DateTime>() {
        return time.to_zoned(utc).ok().map(zoned);
    }
    if let Ok(date) = text.parse::<jiff::civil::Date>() {
        return date.to_zoned(utc).ok().map(zoned);
    }
    let seconds = text.parse::<i64>().ok()?;
    jiff::Timestamp::from_second(seconds).ok().map(|time| Timestamp(time.as_millisecond()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_sleeper_by_a_manual_clock_wakes_when_it_has_moved_so_far() {
        let clock = Clock::manual(Timestamp(0));
        let hour = Duration::from_secs(3600);
        let sleep = clock.sleep(hour);
        tokio::pin!(sleep);
        clock.step(7_200_000);
        clock.advance(hour - Duration::from_millis(1));
        let short = tokio::time::timeout(Duration::from_millis(20), &mut sleep).await;
        assert!(short.is_err(), "neither a step nor almost an hour is an hour");
        clock.advance(Duration::from_millis(1));
        assert!(tokio::time::timeout(Duration::from_secs(20), sleep).await.is_ok());
    }

    #[test]
    fn dates_of_every_known_form() {
        let expected = Some(Timestamp(1_656_592_496_000));
        for text in [
            "2022-06-30T12:34:56.000000Z",
            "2022-06-30T12:34:56.000000000Z",
            "2022-06-30T14:34:56+02:00",
            "2022-06-30 12:34:56",
            "1656592496",
        ] {
            assert_eq!(parse(text), expected, "{text}");
        }
        assert_eq!(parse("2022-06-30"), Some(Timestamp(1_656_547_200_000)));
        for bad in ["", "yesterday", "2022-13-01", "30/06/2022"] {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn times_and_spans_read_well() {
        assert_eq!(minute(Timestamp(1_656_592_496_000)), "2022-06-30 12:34 UTC");
        assert_eq!(minute(Timestamp(i64::MAX)), "an unknown date");
        for (seconds, words) in [
            (1, "1 second"),
            (59, "59 seconds"),
            (60, "1 minute"),
            (1_080, "18 minutes"),
            (86_400, "24 hours"),
        ] {
            assert_eq!(in_words(Duration::from_secs(seconds)), words);
        }
        assert_eq!(in_words(Duration::from_secs(3 * 86_400)), "3 days");
    }

    #[test]
    fn a_step_is_told_from_the_passing_of_time() {
        let clock = Clock::manual(Timestamp(0));
        let mut watch = StepWatch::new(&clock);
        clock.advance(Duration::from_secs(86_400));
        assert_eq!(watch.look(), None);
        clock.step(3_600_000);
        clock.advance(Duration::from_secs(5));
        assert_eq!(watch.look(), Some(3_600_000));
        assert_eq!(watch.look(), None, "told once");
        clock.step(-7_200_000);
        assert_eq!(watch.look(), Some(-7_200_000));
        // Drift is forgotten only once it counts: small steps add up to one.
        clock.step(20_000);
        assert_eq!(watch.look(), None);
        clock.step(20_000);
        assert_eq!(watch.look(), Some(40_000));
    }
}
