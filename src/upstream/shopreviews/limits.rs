//! The pauses that the API requests in its headers.

use crate::domain::Timestamp;
use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};
use std::time::Duration;

/// How long to pause where the API requests one but not how long: its throttle counts by the minute.
const DEFAULT_PAUSE: Duration = Duration::from_secs(60);
/// No pause is longer.
const MAX_PAUSE: Duration = Duration::from_secs(3600);
/// No pause is shorter.
const MIN_PAUSE: Duration = Duration::from_secs(1);

/// Until when nothing may be requested, where an answer of `status` with `headers`, read at `now`, says so: 429,
/// a 503 with `Retry-After`, or no request remaining.
pub(super) fn hold(status: u16, headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let spent =
        text(headers, "x-ratelimit-remaining").is_some_and(|left| left.parse::<i64>().is_ok_and(|n| n <= 0));
    let retry_after = text(headers, RETRY_AFTER.as_str());
    let pause_requested = match status {
        429 => true,
        503 => retry_after.is_some(),
        _ => spent,
    };
    if !pause_requested {
        return None;
    }
    // Points in time are the API's: its own `Date` tells how far off they are, whatever our clock says.
    let theirs = text(headers, DATE.as_str()).and_then(http_date).unwrap_or(now);
    let refused = matches!(status, 429 | 503);
    let pause = retry_after
        .filter(|_| refused)
        .and_then(|text| seconds(text).or_else(|| http_date(text).map(|until| until.since(theirs))))
        .or_else(|| text(headers, "x-ratelimit-reset").and_then(|text| reset(text, theirs)))
        .unwrap_or(DEFAULT_PAUSE);
    Some(now.plus(pause.clamp(MIN_PAUSE, MAX_PAUSE)))
}

/// `x-ratelimit-reset`: seconds since the epoch, or from now where the number is small.
fn reset(text: &str, theirs: Timestamp) -> Option<Duration> {
    let seconds = text.parse::<i64>().ok()?;
    match seconds {
        1_000_000_000.. => Some(Timestamp(seconds.saturating_mul(1000)).since(theirs)),
        0.. => Some(Duration::from_secs(seconds.unsigned_abs())),
        _ => None,
    }
}

fn seconds(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_secs)
}

fn http_date(text: &str) -> Option<Timestamp> {
    let time = jiff::fmt::rfc2822::parse(text).ok()?;
    Some(Timestamp(time.timestamp().as_millisecond()))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderName, HeaderValue};

    const NOW: Timestamp = Timestamp(1_700_000_000_000);

    /// The pause in seconds.
    fn pause(status: u16, headers: &[(&'static str, &'static str)]) -> Option<u64> {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (HeaderName::from_static(name), HeaderValue::from_static(value))
        };
        hold(status, &headers.iter().map(pair).collect(), NOW).map(|until| until.since(NOW).as_secs())
    }

    #[test]
    fn pauses_as_requested() {
        assert_eq!(pause(200, &[]), None);
        assert_eq!(pause(200, &[("x-ratelimit-remaining", "57")]), None);
        assert_eq!(pause(200, &[("x-ratelimit-remaining", "0")]), Some(60));
        assert_eq!(pause(200, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "12")]), Some(12));
        assert_eq!(
            pause(200, &[("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1700000030")]),
            Some(30)
        );
        assert_eq!(pause(429, &[]), Some(60));
        assert_eq!(pause(429, &[("retry-after", "7")]), Some(7));
        assert_eq!(pause(429, &[("retry-after", "0")]), Some(1));
        assert_eq!(pause(429, &[("retry-after", "999999")]), Some(3600));
        assert_eq!(pause(429, &[("retry-after", "18446744073709551615")]), Some(3600));
        assert_eq!(pause(429, &[("retry-after", "soon")]), Some(60));
        assert_eq!(pause(503, &[("retry-after", "7")]), Some(7));
        assert_eq!(pause(503, &[]), None);
    }

    #[test]
    fn dates_count_from_the_clock_that_gave_them() {
        assert_eq!(pause(429, &[("retry-after", "Tue, 14 Nov 2023 22:13:50 GMT")]), Some(30));
        assert_eq!(
            pause(
                429,
                &[
                    ("retry-after", "Tue, 14 Nov 2023 23:13:50 GMT"),
                    ("date", "Tue, 14 Nov 2023 23:13:40 GMT")
                ]
            ),
            Some(10)
        );
    }
}
