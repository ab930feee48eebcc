//! The verdict: does the bridge work? One answer for `status` and the probes. Pure.

use super::problem::Problem;
use super::words::counted;
use crate::clock::{in_words, minute};
use crate::domain::{Severity, Timestamp, text::one_line};
use crate::store::BridgeRecord;
use std::time::Duration;

/// How long the result of a `run --once` speaks for the bridge.
const ONCE_COUNTS: Duration = Duration::from_secs(24 * 3600);

/// Whether the bridge works.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verdict {
    /// It does, maybe with warnings.
    Ok,
    /// Something keeps reviews from their people.
    Degraded,
    /// Nothing is polled or sent.
    #[default]
    NotRunning,
}

impl Verdict {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Degraded => "degraded",
            Self::NotRunning => "not_running",
        }
    }
}

/// What the verdict is given on.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// Whether a process runs with the state.
    pub is_running: bool,
    /// Whether there is a state at all.
    pub has_state: bool,
    /// What the bridge noted of itself.
    pub bridge: &'a BridgeRecord,
    /// The problems there are.
    pub problems: &'a [Problem],
    /// Further things to know that stop nothing.
    pub notes: &'a [String],
    /// The time.
    pub now: Timestamp,
}

/// The verdict, and what it rests on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Judgement {
    /// The verdict.
    pub verdict: Verdict,
    /// Why it is not `ok`.
    pub reasons: Vec<String>,
    /// What else to know.
    pub warnings: Vec<String>,
}

impl Judgement {
    /// On one line, for people.
    pub fn line(&self) -> String {
        let warnings = match self.warnings.len() as u64 {
            0 => String::new(),
            count => {
                format!(" ({}: {})", counted(count, "warning", "warnings"), self.warnings.join("; "))
            }
        };
        let reasons = self.reasons.join("; ");
        match self.verdict {
            Verdict::Ok => format!("OK{warnings}"),
            Verdict::Degraded => format!("DEGRADED: {reasons}{warnings}"),
            Verdict::NotRunning => format!("NOT RUNNING: {reasons}{warnings}"),
        }
    }
}

/// Gives the verdict.
pub fn verdict(standing: &Standing<'_>) -> Judgement {
    let said = |severity| {
        let of = standing.problems.iter().filter(move |problem| problem.kind.severity() == severity);
        of.map(|problem| one_line(&problem.text, 400))
    };
    let mut warnings: Vec<String> = said(Severity::Warns).collect();
    warnings.extend(standing.notes.iter().cloned());
    let mut reasons = Vec::new();
    let mut verdict = Verdict::Ok;
    if !standing.is_running {
        match spoken_for(standing) {
            Ok(None) => {}
            Ok(Some(failure)) => {
                verdict = Verdict::Degraded;
                reasons.push(failure);
            }
            Err(why) => {
                verdict = Verdict::NotRunning;
                reasons.push(why);
            }
        }
    }
    let before = reasons.len();
    reasons.extend(said(Severity::Stops));
    if verdict == Verdict::Ok && reasons.len() > before {
        verdict = Verdict::Degraded;
    }
    Judgement { verdict, reasons, warnings }
}

/// Where nothing runs: whether the last `run --once` speaks for the bridge, and what failed in it; else why not.
fn spoken_for(standing: &Standing<'_>) -> Result<Option<String>, String> {
    let Standing { bridge, now, .. } = *standing;
    let start = "start it with `review-bridge run`";
    let once = bridge.once_at.filter(|at| now.since(*at) < ONCE_COUNTS);
    if let Some(at) = once.filter(|at| bridge.started_at.is_none_or(|started| started < *at)) {
        let failure = bridge.once_failure.as_ref();
        return Ok(failure
            .map(|why| format!("the last `run --once` ({}) failed: {}", minute(at), one_line(why, 400))));
    }
    Err(match (bridge.started_at, bridge.stopped_at, bridge.once_at) {
        (None, _, None) if !standing.has_state => format!("it was never started; {start}"),
        (None, _, None) => format!("nothing runs with this state; {start}"),
        (Some(started), Some(stopped), _) if stopped >= started => {
            format!("it was stopped at {} ({} ago); {start}", minute(stopped), in_words(now.since(stopped)))
        }
        (Some(started), ..) => format!(
            "it was started at {} and ended without being stopped: its log shows whether it failed, else it was \
             killed or the machine went down; {start}",
            minute(started)
        ),
        (None, _, Some(once)) => {
            format!("the last `run --once` was at {}, more than a day ago; {start}", minute(once))
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ProblemKind;

    const NOW: Timestamp = Timestamp(1_772_366_400_000);

    fn problem(kind: ProblemKind) -> Problem {
        Problem {
            kind,
            subject: "x".into(),
            text: format!("{} of x", kind.as_str()),
            hint: String::new(),
            since: None,
            is_ripe: true,
        }
    }

    fn judged(is_running: bool, bridge: &BridgeRecord, problems: &[Problem]) -> Judgement {
        verdict(&Standing { is_running, has_state: true, bridge, problems, notes: &[], now: NOW })
    }

    // first-use 3
    #[test]
    fn only_what_stops_reviews_degrades_a_running_bridge() {
        let none = BridgeRecord::default();
        for kind in ProblemKind::ALL {
            let judgement = judged(true, &none, &[problem(*kind)]);
            let expected = match kind.severity() {
                Severity::Stops => (Verdict::Degraded, 1, 0),
                Severity::Warns => (Verdict::Ok, 0, 1),
            };
            let counts = (judgement.verdict, judgement.reasons.len(), judgement.warnings.len());
            assert_eq!(counts, expected, "{kind:?}");
            assert!(judgement.line().contains(kind.as_str()), "{}", judgement.line());
        }
        assert_eq!(judged(true, &none, &[]).line(), "OK");
    }

    // first-use 3
    #[test]
    fn without_a_process_the_last_run_speaks_or_it_is_not_running() {
        let hour = Duration::from_secs(3600);
        let at = |hours: u32| Some(NOW.minus(hour * hours));
        let once = |hours, failure: Option<&str>| BridgeRecord {
            once_at: at(hours),
            once_failure: failure.map(str::to_owned),
            ..BridgeRecord::default()
        };
        let ran = |started, stopped| BridgeRecord {
            started_at: at(started),
            stopped_at: stopped,
            ..BridgeRecord::default()
        };
        let cases = [
            (BridgeRecord::default(), Verdict::NotRunning, "nothing runs"),
            (once(1, None), Verdict::Ok, "OK"),
            (once(1, Some("no connection")), Verdict::Degraded, "no connection"),
            (once(25, None), Verdict::NotRunning, "more than a day ago"),
            (ran(5, at(2)), Verdict::NotRunning, "it was stopped at"),
            (ran(5, None), Verdict::NotRunning, "ended without being stopped"),
            (ran(5, at(6)), Verdict::NotRunning, "ended without being stopped"),
            (BridgeRecord { once_at: at(1), ..ran(5, None) }, Verdict::Ok, "OK"),
            (BridgeRecord { once_at: at(6), ..ran(5, None) }, Verdict::NotRunning, "killed"),
        ];
        for (bridge, expected, words) in cases {
            let judgement = judged(false, &bridge, &[]);
            assert_eq!(judgement.verdict, expected, "{bridge:?}");
            assert!(judgement.line().contains(words), "{}", judgement.line());
        }
        let stopped = judged(false, &once(1, None), &[problem(ProblemKind::DestinationBroken)]);
        assert_eq!(stopped.verdict, Verdict::Degraded);
        let both = judged(false, &ran(5, None), &[problem(ProblemKind::DestinationBroken)]);
        assert_eq!((both.verdict, both.reasons.len()), (Verdict::NotRunning, 2));
    }
}
