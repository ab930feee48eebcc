//! Time: the only module that reads a clock, and civil time (zones, formats) over `jiff`.

mod steady;
mod within;

pub use steady::{StepWatch, Timeline};
pub use within::within;

use crate::domain::Timestamp;
use crate::domain::time::millis;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Where time comes from: the system, or a hand that steps it.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands until it is moved.
    Manual(Arc<Hands>),
    /// One of these, whose steps are held back until whatever waits for a time was moved by as much.
    Steady(Arc<Timeline>),
}

/// How often a sleeper looks at a manual clock.
const LOOK_AT_HANDS: Duration = Duration::from_millis(1);

/// The hands of a manual clock.
#[derive(Debug, Default)]
pub struct Hands(Mutex<Reading>);

/// What a clock shows, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Reading {
    /// The time of day.
    wall: i64,
    /// The time that has passed, which no step of the time of day changes.
    passed: i64,
}

impl Hands {
    fn read(&self) -> Reading {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn turn(&self, wall: i64, passed: i64) {
        let mut hands = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        hands.wall = hands.wall.saturating_add(wall);
        hands.passed = hands.passed.saturating_add(passed);
    }
}

impl Clock {
    /// A clock that stands at `now` until it is moved.
    pub fn manual(now: Timestamp) -> Self {
        Self::Manual(Arc::new(Hands(Mutex::new(Reading { wall: now.0, passed: 0 }))))
    }

    /// This clock, holding steps back until they are adopted.
    pub fn steady(&self) -> Self {
        match self {
            Self::Steady(timeline) => Self::Steady(timeline.clone()),
            source => Self::Steady(Arc::new(Timeline::new(source))),
        }
    }

    /// The time of day.
    #[expect(clippy::disallowed_methods, reason = "the owner of time")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp(jiff::Timestamp::now().as_millisecond()),
            Self::Manual(hands) => Timestamp(hands.read().wall),
            Self::Steady(timeline) => timeline.now(),
        }
    }

    /// Waits so long; by a manual clock no longer than it takes that to be moved so far.
    pub fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + '_ {
        // From when it is called, not from when it is first polled.
        let waited = tokio::time::sleep(duration);
        let hands = self.hands();
        let passed = hands.map_or(0, |hands| hands.read().passed);
        let end = passed.saturating_add(millis(duration));
        let moved = async move {
            let Some(hands) = hands else { return std::future::pending().await };
            while hands.read().passed < end {
                tokio::time::sleep(LOOK_AT_HANDS).await;
            }
        };
        async move {
            tokio::select! {
                () = waited => {}
                () = moved => {}
            }
        }
    }

    /// Moves a manual clock on; the system's clock is never touched.
    pub fn advance(&self, by: Duration) {
        if let Some(hands) = self.hands() {
            hands.turn(millis(by), millis(by));
        }
    }

    /// Sets a manual clock's time of day forward or back while no time passes; the system's clock is never
    /// touched.
    pub fn step(&self, by_ms: i64) {
        if let Some(hands) = self.hands() {
            hands.turn(by_ms, 0);
        }
    }

    fn hands(&self) -> Option<&Hands> {
        match self {
            Self::System => None,
            Self::Manual(hands) => Some(hands),
            Self::Steady(timeline) => timeline.source().hands(),
        }
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
}
