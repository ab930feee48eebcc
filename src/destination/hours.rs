//! Active hours: when a destination may be sent to. Pure civil time, right across changes of the clocks.
//!
//! Each of `days` opens a window at `from`; it ends at `to` of that day, or of the next where `to` is not
//! after `from`. A local time that the clocks skip counts as the moment after the gap, one that repeats as
//! its first.

use crate::clock::in_zone;
use crate::domain::Timestamp;
use crate::settings::Table;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use std::time::Duration;

/// The hours a destination is open.
#[derive(Clone, Debug, PartialEq)]
pub struct ActiveHours {
    /// The days on which it opens, Monday first.
    pub days: [bool; 7],
    /// When it opens.
    pub from: Time,
    /// When it closes.
    pub to: Time,
    /// Whose clocks.
    pub zone: TimeZone,
}

/// Beyond so many days a sum is of no use to anybody, and the work stays bounded.
const MAX_DAYS: usize = 3_660;
const NAMES: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

impl ActiveHours {
    /// Reads `{ days = ["mon-fri"], from = "08:00", to = "18:00", timezone = "…" }`: every day and `zone`
    /// unless given. Finishes the table.
    pub fn read(table: Table<'_>, zone: &TimeZone) -> Option<Self> {
        let texts = table.texts("days");
        let days =
            if table.has("days") { texts.and_then(|texts| parse_days(&texts)) } else { Some([true; 7]) };
        if days.is_none() {
            let hint = "write names and ranges: days = [\"mon-fri\", \"sun\"]";
            table.problem("days", "is not a list of days", hint);
        }
        let time = |key: &str| {
            let hint = format!("write {key} = \"08:00\"");
            let text = table.required_text(key, &hint)?;
            let time = parse_time(&text);
            if time.is_none() {
                table.problem(key, "is not a time of day", hint);
            }
            time
        };
        let (from, to) = (time("from"), time("to"));
        if from.is_some() && from == to {
            table.problem("to", "is the same as `from`", "remove `active_hours` to send all day");
        }
        let zone = table.zone("timezone").unwrap_or_else(|| zone.clone());
        table.finish();
        Some(Self { days: days?, from: from?, to: to?, zone })
    }

    /// Whether it is open at `at`. Beyond the calendar's end it is.
    pub fn is_open(&self, at: Timestamp) -> bool {
        self.next_opening(at) == at
    }

    /// When it is open next: `at` itself where it is open then.
    pub fn next_opening(&self, at: Timestamp) -> Timestamp {
        let windows = self.windows(at).take(16);
        windows.into_iter().find(|(_, closes)| *closes > at).map_or(at, |(opens, _)| opens.max(at))
    }

    /// Since when it has been open at `at`, as far back as yesterday; `None` where it is closed.
    pub fn opened_at(&self, at: Timestamp) -> Option<Timestamp> {
        let mut open: Option<(Timestamp, Timestamp)> = None;
        for (opens, closes) in self.windows(at).take_while(|(opens, _)| *opens <= at) {
            // Where a day's hours begin as those of the day before end, it stays open.
            let since = open.filter(|(_, closed)| *closed >= opens).map_or(opens, |(since, _)| since);
            open = Some((since, closes));
        }
        open.filter(|(_, closes)| *closes > at).map(|(since, _)| since)
    }

    /// How much of the time from `from` to `to` it is closed.
    pub fn closed_between(&self, from: Timestamp, to: Timestamp) -> Duration {
        let mut closed = Duration::ZERO;
        let mut done = from;
        for (opens, closes) in self.windows(from).take(MAX_DAYS) {
            if opens >= to {
                break;
            }
            closed += opens.since(done);
            done = done.max(closes);
        }
        closed + to.since(done)
    }

    /// Its windows in order, the first that may reach beyond `at` first.
    fn windows(&self, at: Timestamp) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let first = in_zone(at, &self.zone).and_then(|time| time.date().yesterday().ok());
        std::iter::successors(first, |date| date.tomorrow().ok()).filter_map(|date| self.window(date))
    }

    fn window(&self, date: Date) -> Option<(Timestamp, Timestamp)> {
        let day = usize::try_from(date.weekday().to_monday_zero_offset()).ok()?;
        if !self.days[day] {
            return None;
        }
        let moment = |date: Date, time: Time| {
            let zoned = date.to_datetime(time).to_zoned(self.zone.clone()).ok()?;
            Some(Timestamp(zoned.timestamp().as_millisecond()))
        };
        let last = if self.to > self.from { date } else { date.tomorrow().ok()? };
        let (opens, closes) = (moment(date, self.from)?, moment(last, self.to)?);
        (opens < closes).then_some((opens, closes))
    }
}

/// `08:00`; `24:00` is the midnight that ends a day.
fn parse_time(text: &str) -> Option<Time> {
    let (hours, minutes) = text.trim().split_once(':')?;
    let two = |part: &str| part.len() == 2 && part.bytes().all(|digit| digit.is_ascii_digit());
    if !two(hours) || !two(minutes) {
        return None;
    }
    let (hours, minutes): (i8, i8) = (hours.parse().ok()?, minutes.parse().ok()?);
    if (hours, minutes) == (24, 0) {
        return Some(Time::midnight());
    }
    Time::new(hours, minutes, 0, 0).ok()
}

/// `["mon-fri", "sun"]`; a range may pass the week's end (`fri-mon`).
fn parse_days(texts: &[String]) -> Option<[bool; 7]> {
    let mut days = [false; 7];
    for text in texts {
        let text = text.trim().to_lowercase();
        let (first, last) = text.split_once('-').unwrap_or((&text, &text));
        let index = |name: &str| {
            let name = name.trim();
            let full = |weekday: Weekday| format!("{weekday:?}").to_lowercase();
            (0..7).find(|index| {
                let weekday = Weekday::from_monday_zero_offset(*index as i8);
                name == NAMES[*index] || weekday.is_ok_and(|weekday| name == full(weekday))
            })
        };
        let (mut day, last) = (index(first)?, index(last)?);
        days[day] = true;
        while day != last {
            day = (day + 1) % 7;
            days[day] = true;
        }
    }
    days.contains(&true).then_some(days)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;
    use crate::clock::parse;

    fn hours(days: &[&str], from: &str, to: &str) -> ActiveHours {
        let days: Vec<String> = days.iter().map(|day| (*day).to_owned()).collect();
        ActiveHours {
            days: parse_days(&days).unwrap(),
            from: parse_time(from).unwrap(),
            to: parse_time(to).unwrap(),
            zone: TimeZone::get("Europe/Amsterdam").unwrap(),
        }
    }

    fn at(text: &str) -> Timestamp {
        parse(text).unwrap()
    }

    fn next(hours: &ActiveHours, text: &str) -> String {
        crate::clock::rfc3339(hours.next_opening(at(text)))
    }

    #[test]
    fn office_hours() {
        let office = hours(&["mon-fri"], "08:00", "18:00");
        // 2026-11-23 is a Monday; Amsterdam is one hour ahead.
        assert!(!office.is_open(at("2026-11-23T06:59:59Z")));
        assert!(office.is_open(at("2026-11-23T07:00:00Z")));
        assert!(office.is_open(at("2026-11-23T16:59:59Z")));
        assert!(!office.is_open(at("2026-11-23T17:00:00Z")));
        assert_eq!(next(&office, "2026-11-23T12:00:00Z"), "2026-11-23T12:00:00Z");
        assert_eq!(next(&office, "2026-11-23T18:00:00Z"), "2026-11-24T07:00:00Z");
        assert_eq!(next(&office, "2026-11-27T18:00:00Z"), "2026-11-30T07:00:00Z", "over the weekend");
    }

    #[test]
    fn a_night_passes_midnight() {
        let night = hours(&["fri"], "22:00", "06:00");
        assert!(night.is_open(at("2026-11-27T22:00:00Z")));
        assert!(night.is_open(at("2026-11-28T04:59:00Z")), "Saturday belongs to Friday's night");
        assert!(!night.is_open(at("2026-11-28T05:00:00Z")));
        assert_eq!(next(&night, "2026-11-28T05:00:00Z"), "2026-12-04T21:00:00Z");
        let until_midnight = hours(&["mon"], "08:00", "24:00");
        assert!(until_midnight.is_open(at("2026-11-23T22:59:00Z")));
        assert!(!until_midnight.is_open(at("2026-11-23T23:00:00Z")));
    }

    #[test]
    fn it_is_known_since_when_it_is_open() {
        let opened = |hours: &ActiveHours, text: &str| hours.opened_at(at(text)).map(crate::clock::rfc3339);
        let office = hours(&["mon-fri"], "08:00", "18:00");
        assert_eq!(opened(&office, "2026-11-24T12:00:00Z").as_deref(), Some("2026-11-24T07:00:00Z"));
        assert_eq!(opened(&office, "2026-11-24T07:00:00Z").as_deref(), Some("2026-11-24T07:00:00Z"));
        assert_eq!(opened(&office, "2026-11-24T06:59:59Z"), None);
        assert_eq!(opened(&office, "2026-11-24T17:00:00Z"), None);
        let night = hours(&["fri"], "22:00", "06:00");
        assert_eq!(opened(&night, "2026-11-28T04:00:00Z").as_deref(), Some("2026-11-27T21:00:00Z"));
        // Each day's hours begin as the last ones end: midnight is no opening.
        let always = hours(&["mon-sun"], "00:00", "24:00");
        assert_eq!(opened(&always, "2026-11-24T12:00:00Z").as_deref(), Some("2026-11-22T23:00:00Z"));
    }

    #[test]
    fn clocks_that_change_are_counted_right() {
        let day = hours(&["mon-sun"], "00:30", "04:00");
        let open = |from: &str, to: &str| {
            let (from, to) = (at(from), at(to));
            (to.since(from) - day.closed_between(from, to)).as_secs() / 60
        };
        // In March the hour from 2 is skipped, in October it repeats.
        assert_eq!(open("2026-03-28T12:00:00Z", "2026-03-29T12:00:00Z"), 150);
        assert_eq!(open("2026-03-27T12:00:00Z", "2026-03-28T12:00:00Z"), 210);
        assert_eq!(open("2026-10-24T12:00:00Z", "2026-10-25T12:00:00Z"), 270);
        let gap = hours(&["sun"], "02:10", "02:50");
        assert_eq!(next(&gap, "2026-03-29T00:00:00Z"), "2026-03-29T01:10:00Z", "after the gap, 03:10");
        let inverted = hours(&["sun"], "02:30", "03:10");
        assert_eq!(next(&inverted, "2026-03-29T00:00:00Z"), "2026-04-05T00:30:00Z", "the gap swallows it");
    }

    #[test]
    fn closed_time_sums_over_months_and_never_overflows() {
        let office = hours(&["mon-fri"], "08:00", "18:00");
        let (from, to) = (at("2026-06-01T00:00:00+02:00"), at("2026-09-01T00:00:00+02:00"));
        let open_days = 66;
        let open = Duration::from_secs(open_days * 10 * 3_600);
        assert_eq!(office.closed_between(from, to), to.since(from) - open);
        assert_eq!(office.closed_between(to, from), Duration::ZERO);
        assert_eq!(office.closed_between(from, from), Duration::ZERO);
        let noon = at("2026-11-23T12:00:00Z");
        assert_eq!(office.closed_between(noon, noon.plus(Duration::from_secs(3_600))), Duration::ZERO);
        let _ = office.closed_between(Timestamp(i64::MIN), Timestamp(i64::MAX));
        assert!(office.is_open(Timestamp(i64::MAX)));
        assert!(office.closed_between(Timestamp(0), at("9999-12-30T00:00:00Z")) > Duration::from_secs(1));
    }

    #[test]
    fn days_are_names_and_ranges() {
        let days =
            |texts: &[&str]| parse_days(&texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>());
        assert_eq!(days(&["Mon-Wed", "sunday"]), Some([true, true, true, false, false, false, true]));
        assert_eq!(days(&["sat-mon"]), Some([true, false, false, false, false, true, true]));
        for bad in [&["monday-"][..], &["workdays"], &[""], &[], &["mon-fri-sun"]] {
            assert_eq!(days(bad), None, "{bad:?}");
        }
        for bad in ["8:00", "08:60", "25:00", "24:01", "08.00", "08:00:00", "-1:00", ""] {
            assert_eq!(parse_time(bad), None, "{bad}");
        }
    }
}
