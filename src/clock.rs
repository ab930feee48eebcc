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
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `now` until it is moved.
    pub fn manual(now: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(now.0)))
    }

    /// The time of day.
    #[expect(clippy::disallowed_methods, reason = "the owner of time")]
    pub fn now(&self) -> Timestamp {
        match self {
            Self::System => Timestamp(jiff::Timestamp::now().as_millisecond()),
            Self::Manual(now) => Timestamp(now.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock on; the system's clock is never touched.
    pub fn advance(&self, by: Duration) {
        if let Self::Manual(now) = self {
            now.fetch_add(crate::domain::time::millis(by), Ordering::SeqCst);
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
}
