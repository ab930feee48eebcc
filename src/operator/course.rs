//! The course of a problem: when it is notified, and what follows. Pure.

use super::problem::Problem;
use crate::domain::{Repeat, Timestamp};
use crate::store::ProblemRecord;
use std::time::Duration;

/// How often the operator is notified again of a problem that grows.
const GROWTH_INTERVAL: Duration = Duration::from_secs(3600);
/// How often the operator is reminded of a problem that lasts.
const REMINDER_INTERVAL: Duration = Duration::from_secs(24 * 3600);

/// What a notice says of a problem there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// That it began, or grew.
    Start,
    /// That it lasts.
    Reminder,
}

/// What is kept of a problem that there is at `now`, and what is said of it. `before` is what was kept of it.
pub(super) fn next(
    problem: &Problem,
    before: Option<&ProblemRecord>,
    now: Timestamp,
) -> (ProblemRecord, Option<Said>) {
    let mut record = before.cloned().unwrap_or_else(|| ProblemRecord {
        kind: problem.kind,
        subject: problem.subject.clone(),
        text: problem.text.clone(),
        hint: problem.hint.clone(),
        since: problem.since.unwrap_or(now).min(now),
        notified_at: None,
        over_at: None,
    });
    record.over_at = None;
    if record.notified_at.is_none() {
        // One that ended and began again between two looks.
        record.since = problem.since.map_or(record.since, |since| since.min(now));
    }
    let said = said(problem, &record, now);
    if said.is_some() {
        record.text.clone_from(&problem.text);
        record.hint.clone_from(&problem.hint);
        record.notified_at = Some(now);
    }
    (record, said)
}

fn said(problem: &Problem, record: &ProblemRecord, now: Timestamp) -> Option<Said> {
    let Some(notified_at) = record.notified_at else {
        let is_due = problem.is_ripe && now.since(record.since) >= problem.kind.notify_after();
        return is_due.then_some(Said::Start);
    };
    let passed = now.since(notified_at);
    match problem.kind.repeat() {
        Repeat::Never => None,
        Repeat::Growth if problem.text != record.text && passed >= GROWTH_INTERVAL => Some(Said::Start),
        Repeat::Growth | Repeat::Daily => (passed >= REMINDER_INTERVAL).then_some(Said::Reminder),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::domain::ProblemKind;

    const HOUR: Duration = Duration::from_secs(3600);
    const MINUTE: Duration = Duration::from_secs(60);

    fn problem(kind: ProblemKind, text: &str) -> Problem {
        Problem {
            kind,
            subject: "x".into(),
            text: text.into(),
            hint: "fix it".into(),
            since: Some(Timestamp(0)),
            is_ripe: true,
        }
    }

    /// When each notice of a problem that lasts for three days is made, in minutes.
    fn course(kind: ProblemKind, text: impl Fn(u64) -> String) -> Vec<(u64, Said)> {
        let mut before: Option<ProblemRecord> = None;
        let mut notices = Vec::new();
        for minute in 0..=3 * 24 * 60 {
            let now = Timestamp(0).plus(MINUTE * u32::try_from(minute).unwrap());
            let (record, said) = next(&problem(kind, &text(minute)), before.as_ref(), now);
            notices.extend(said.map(|said| (minute, said)));
            before = Some(record);
        }
        notices
    }

    // first-use 1, 4, 5
    #[test]
    fn every_kind_is_notified_once_when_its_time_has_come_and_then_daily() {
        for kind in ProblemKind::ALL {
            let first = kind.notify_after().as_secs() / 60;
            let mut expected = vec![(first, Said::Start)];
            if kind.repeat() != Repeat::Never {
                let daily = (1..=3).map(|day| first + day * 24 * 60).filter(|minute| *minute <= 3 * 24 * 60);
                expected.extend(daily.map(|minute| (minute, Said::Reminder)));
            }
            assert_eq!(course(*kind, |_| "it is so".into()), expected, "{kind:?}");
        }
    }

    #[test]
    fn what_grows_is_notified_hourly_and_nothing_else_is() {
        let grows = course(ProblemKind::DeadLetters, |minute| format!("{} messages", minute.min(150)));
        let hourly: Vec<u64> =
            grows.iter().filter(|(_, said)| *said == Said::Start).map(|one| one.0).collect();
        assert_eq!(hourly, [0, 60, 120, 180]);
        let other = course(ProblemKind::PollsFailing, |minute| format!("failed {minute}"));
        assert_eq!(other.iter().filter(|(_, said)| *said == Said::Start).count(), 1);
    }

    #[test]
    fn one_that_proves_little_yet_or_began_again_waits() {
        let mut polls = problem(ProblemKind::PollsFailing, "x");
        polls.is_ripe = false;
        let (record, said) = next(&polls, None, Timestamp(0).plus(HOUR));
        assert_eq!((said, record.notified_at, record.since), (None, None, Timestamp(0)));
        let again = Problem { since: Some(Timestamp(0).plus(HOUR)), is_ripe: true, ..polls };
        let (record, said) = next(&again, Some(&record), Timestamp(0).plus(HOUR + MINUTE));
        assert_eq!((said, record.since), (None, Timestamp(0).plus(HOUR)));
        let (record, said) = next(&again, Some(&record), Timestamp(0).plus(HOUR + MINUTE * 10));
        assert_eq!(said, Some(Said::Start));
        // While the end is not notified yet, it is still the same problem.
        let ended = ProblemRecord { over_at: Some(Timestamp(0).plus(HOUR * 2)), ..record };
        let (record, said) = next(&again, Some(&ended), Timestamp(0).plus(HOUR * 2 + MINUTE));
        assert_eq!((said, record.over_at), (None, None));
    }
}
