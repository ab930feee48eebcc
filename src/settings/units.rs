//! Durations (`"90s"`, `"10m"`, `"24h"`, `"7d"`), rates (`"1/s"`, `"30/m"`, `"100/h"`) and sizes (`"256KiB"`, `"1MiB"`).

use std::fmt;
use std::time::Duration;

/// At most `count` in any span of `span`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many; at least 1.
    pub count: u32,
    /// In any span of this length: a second, a minute or an hour.
    pub span: Duration,
}

impl Rate {
    /// `count` a second.
    pub const fn per_second(count: u32) -> Self {
        Self { count, span: Duration::from_secs(1) }
    }

    /// Reads `30/m`; `None` where it is not a rate.
    pub fn parse(text: &str) -> Option<Self> {
        let (count, unit) = text.trim().split_once('/')?;
        let count = count.trim().parse().ok().filter(|count| *count > 0)?;
        let seconds = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => return None,
        };
        Some(Self { count, span: Duration::from_secs(seconds) })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.span.as_secs() {
            1 => "s",
            60 => "m",
            _ => "h",
        };
        write!(f, "{}/{unit}", self.count)
    }
}

/// Reads `90s`, `10m`, `24h`, `7d` or `500ms`; `None` where it is not a duration.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let count: u64 = text[..digits].parse().ok()?;
    let millis_each = match &text[digits..] {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return None,
    };
    let millis = count.checked_mul(millis_each)?;
    // A century: beyond it sums with a point in time could overflow.
    (millis <= 36_525 * 86_400_000).then(|| Duration::from_millis(millis))
}

/// The shortest exact form: `90s`, `10m`, `24h`, `7d`.
pub fn show_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    for (unit, each) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)] {
        if millis >= each && millis.is_multiple_of(each) {
            let (unit, each) = if unit == "d" && millis == each { ("h", 3_600_000) } else { (unit, each) };
            return format!("{}{unit}", millis / each);
        }
    }
    if millis == 0 { "0s".into() } else { format!("{millis}ms") }
}

/// Reads `256KiB`, `1MiB`, `100KB` or `65536B` as bytes; `None` where it is not a size.
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let count: u64 = text[..digits].parse().ok()?;
    let each = match text[digits..].trim_start() {
        "B" => 1,
        "KB" | "kB" => 1_000,
        "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "MiB" => 1 << 20,
        _ => return None,
    };
    count.checked_mul(each)
}

/// A size for people: `256 KiB`, `1.5 MiB`.
pub fn show_size(bytes: u64) -> String {
    let tenths = |unit: u64| {
        let tenths = bytes.saturating_mul(10).div_ceil(unit);
        if tenths.is_multiple_of(10) {
            format!("{}", tenths / 10)
        } else {
            format!("{}.{}", tenths / 10, tenths % 10)
        }
    };
    match bytes {
        0..1_024 => format!("{bytes} bytes"),
        1_024..1_048_576 => format!("{} KiB", tenths(1 << 10)),
        _ => format!("{} MiB", tenths(1 << 20)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_a_unit() {
        for (text, bytes) in
            [("256KiB", 262_144), ("1 MiB", 1_048_576), ("100KB", 100_000), ("2MB", 2_000_000), ("5B", 5)]
        {
            assert_eq!(parse_size(text), Some(bytes), "{text}");
        }
        for bad in
            ["", "256", "KiB", "-1KiB", "1.5MiB", "1GiB", "99999999999999999999B", "9999999999999999999MiB"]
        {
            assert_eq!(parse_size(bad), None, "{bad:?}");
        }
        assert_eq!((show_size(262_144), show_size(500)), ("256 KiB".into(), "500 bytes".into()));
        assert_eq!((show_size(1_572_864), show_size(262_145)), ("1.5 MiB".into(), "256.1 KiB".into()));
    }

    #[test]
    fn durations_and_rates_round_trip() {
        for text in ["90s", "10m", "24h", "7d", "0s", "500ms"] {
            let duration = parse_duration(text).map(show_duration);
            assert_eq!(duration.as_deref(), Some(text));
        }
        for bad in ["", "10", "m", "-1s", "1.5h", "1 h", "99999999999999999999d", "40000d"] {
            assert_eq!(parse_duration(bad), None, "{bad:?}");
        }
        for text in ["1/s", "30/m", "100/h"] {
            assert_eq!(Rate::parse(text).map(|rate| rate.to_string()).as_deref(), Some(text));
        }
        for bad in ["", "0/s", "1/d", "1", "/s", "-1/s"] {
            assert_eq!(Rate::parse(bad), None, "{bad:?}");
        }
    }
}
