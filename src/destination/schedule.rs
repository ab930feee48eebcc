//! When a digest is due: five-field cron on the clocks of a zone. Pure.
//!
//! A local time that the clocks skip runs at the next valid minute, one that repeats runs once.

use crate::clock::in_zone;
use crate::domain::Timestamp;
use crate::settings::Table;
use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::tz::TimeZone;

/// `digest = { schedule, timezone, send_empty }`.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// As written.
    pub text: String,
    /// Whose clocks.
    pub zone: TimeZone,
    /// Whether a digest without reviews is sent.
    pub send_empty: bool,
    cron: Cron,
}

const HINT: &str =
    "write minute, hour, day of month, month and day of week: \"0 8 * * *\" is every day at 8:00";

impl Schedule {
    /// Reads it from its table, and finishes that.
    pub fn read(table: Table<'_>) -> Option<Self> {
        let text = table.required_text("schedule", HINT);
        let zone = table.zone("timezone").unwrap_or(TimeZone::UTC);
        let send_empty = table.boolean("send_empty").unwrap_or(false);
        let schedule = text.and_then(|text| {
            let schedule = Self::new(&text, zone, send_empty);
            if schedule.is_none() {
                table.problem("schedule", "is not a valid schedule", HINT);
            } else if let Some((step, field, most)) = too_long_a_step(&text) {
                let what = format!("`{step}` steps over the whole {field}, so it means once");
                table.problem(
                    "schedule",
                    what,
                    format!("write a step of at most {most}, or a time such as 0"),
                );
                return None;
            }
            schedule
        });
        table.finish();
        schedule
    }

    /// A schedule; `None` where `text` is not five-field cron, or never comes.
    pub fn new(text: &str, zone: TimeZone, send_empty: bool) -> Option<Self> {
        let parser = CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let cron = parser.parse(text.trim()).ok()?;
        let schedule = Self { text: text.trim().to_owned(), zone, send_empty, cron };
        // 2024-01-01: four years on from there hold a 29th of February.
        schedule.next_after(Timestamp(1_704_067_200_000))?;
        Some(schedule)
    }

    /// The first time after `at`; `None` where none comes any more.
    pub fn next_after(&self, at: Timestamp) -> Option<Timestamp> {
        let start = in_zone(at, &self.zone)?;
        let mut next = self.cron.find_next_occurrence(&start, false).ok()?;
        // When the clocks are set back, an hour comes twice: what has run in the first does not run in the
        // second.
        while is_second_time(&next) {
            next = self.cron.find_next_occurrence(&next, false).ok()?;
        }
        Some(Timestamp(next.timestamp().as_millisecond()))
    }
}

/// A step that is longer than its field, with the field's name and its longest step: `*/61` looks like every 61
/// minutes, and is every hour.
fn too_long_a_step(text: &str) -> Option<(&str, &'static str, u32)> {
    const FIELDS: [(&str, u32); 5] = [("hour", 59), ("day", 23), ("month", 30), ("year", 11), ("week", 6)];
    let steps = text.split_whitespace().zip(FIELDS).flat_map(|(field, bound)| {
        field.split(',').filter_map(move |part| Some((part, part.split_once('/')?.1, bound)))
    });
    let long = |(part, step, (name, most)): (_, &str, _)| {
        step.parse::<u64>().ok().filter(|step| *step > u64::from(most)).map(|_| (part, name, most))
    };
    steps.filter_map(long).next()
}

/// Whether this local time has been an hour (or less) before.
fn is_second_time(time: &jiff::Zoned) -> bool {
    let first = time.datetime().to_zoned(time.time_zone().clone());
    first.is_ok_and(|first| first.timestamp() < time.timestamp())
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::clock;

    fn next(text: &str, zone: &str, after: &str) -> String {
        let schedule = Schedule::new(text, TimeZone::get(zone).unwrap(), false).unwrap();
        let at = clock::parse(after).unwrap();
        let next = schedule.next_after(at).unwrap();
        clock::in_zone(next, &schedule.zone).unwrap().strftime("%Y-%m-%d %H:%M %:z").to_string()
    }

    #[test]
    fn it_follows_the_clocks_of_its_zone() {
        assert_eq!(next("0 8 * * *", "Europe/Amsterdam", "2026-03-28T12:00:00Z"), "2026-03-29 08:00 +02:00");
        assert_eq!(next("0 8 * * 1", "UTC", "2026-11-23T08:00:00Z"), "2026-11-30 08:00 +00:00");
    }

    #[test]
    fn a_skipped_time_runs_at_the_next_valid_minute() {
        let zone = "Europe/Berlin";
        assert_eq!(next("30 2 * * *", zone, "2026-03-28T12:00:00Z"), "2026-03-29 03:00 +02:00");
        assert_eq!(next("30 2 * * *", zone, "2026-03-29T01:00:00Z"), "2026-03-30 02:30 +02:00");
    }

    #[test]
    fn a_time_that_repeats_runs_once() {
        let zone = "Europe/Berlin";
        assert_eq!(next("30 2 * * *", zone, "2026-10-24T12:00:00Z"), "2026-10-25 02:30 +02:00");
        assert_eq!(next("30 2 * * *", zone, "2026-10-25T00:30:00Z"), "2026-10-26 02:30 +01:00");
        assert_eq!(next("0 * * * *", zone, "2026-10-25T00:00:00Z"), "2026-10-25 03:00 +01:00");
    }

    #[test]
    fn what_is_not_five_field_cron_or_never_comes_is_refused() {
        for bad in ["", "8:00", "0 8 * *", "0 0 8 * * *", "0 8 31 2 *", "61 * * * *", "0 8 * * * 2027"] {
            assert!(Schedule::new(bad, TimeZone::UTC, false).is_none(), "{bad:?}");
        }
        for good in ["0 8 * * *", "*/15 9-17 * * mon-fri", "0 0 29 2 *", "0 8 1 * *"] {
            assert!(Schedule::new(good, TimeZone::UTC, false).is_some(), "{good:?}");
        }
    }
}
