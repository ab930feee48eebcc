//! What is recorded of attempts that ended: what follows for the message, and which destinations they are evidence about.

use super::Targets;
use super::dispatcher::Dispatcher;
use super::retry::{self, Instead, Situation};
use super::worker::Sent;
use crate::domain::{Figures, MessageKind, Outcome, Timestamp};
use crate::store::{DestinationRecord, Settlement, Shown, Split, Window};
use std::collections::BTreeSet;
use std::time::Duration;

/// A message that failed more often than this while others passed proves nothing about its destination.
const OWN_FAILURES: u32 = 3;

impl Dispatcher {
    /// What is recorded of `sent`.
    pub(super) fn settlement(&mut self, targets: &Targets, sent: &Sent, now: Timestamp) -> Settlement {
        let Sent { leased, attempt, .. } = sent;
        let target = targets.by_name.get(&leased.destination);
        let was_stopped =
            self.records.get(&leased.destination).is_some_and(|record| record.health.is_stopped());
        let random = self.random.f64();
        let situation = Situation {
            attempt: leased.attempt,
            elapsed: self.elapsed(targets, sent, now),
            give_up_after: target.map_or(Duration::MAX, |target| target.give_up_after),
            form: leased.form,
            reviews: leased.reviews.len(),
            is_summary: leased.kind == MessageKind::Summary,
            possible_repeat: leased.possible_repeat,
            was_stopped,
            now,
            random,
        };
        let verdict = retry::verdict(&attempt.outcome, &situation);
        let alone = !was_stopped
            && matches!(attempt.outcome, Outcome::Retry { .. })
            && leased.attempt > OWN_FAILURES
            && self.slots.succeeded_since(&leased.destination, leased.first_attempt_at);
        let shown = leased.reviews.iter();
        Settlement {
            id: leased.id.clone(),
            number: leased.attempt,
            attempt: attempt.clone(),
            duration: sent.duration,
            state: verdict.state,
            reason: verdict.reason,
            next_at: verdict.next_at,
            form: verdict.form,
            possible_repeat: verdict.possible_repeat,
            destination: leased.destination.clone(),
            about: if alone { Vec::new() } else { targets.sharing(&leased.destination) },
            random,
            hold: verdict.hold,
            evidence: verdict.evidence,
            shown: shown
                .map(|one| Shown { delivery: one.delivery, revision: one.revision, shown: one.shown })
                .collect(),
            split: match verdict.instead {
                Instead::Nothing => Split::No,
                Instead::Reviews => Split::Reviews,
                Instead::Halves => Split::Halves(Box::new(sent.figures().unwrap_or_default())),
            },
            content: digest_content(sent),
        }
    }

    /// The time since the message's first attempt, without the time that its destination stood still.
    fn elapsed(&self, targets: &Targets, sent: &Sent, now: Timestamp) -> Duration {
        let Sent { leased, .. } = sent;
        let first_attempt_at = Timestamp(leased.first_attempt_at.0 + self.stepped_ms - sent.stepped_ms);
        let record = self.records.get(&leased.destination);
        let stopped = record.map(|record| record.stopped_total(now)).unwrap_or_default();
        let hours = targets.by_name.get(&leased.destination).and_then(|target| target.hours.as_ref());
        let closed = hours.map(|hours| hours.closed_between(first_attempt_at, now)).unwrap_or_default();
        now.since(first_attempt_at)
            .saturating_sub(stopped.saturating_sub(leased.stopped_base))
            .saturating_sub(closed)
    }

    /// Most attempts succeed at destinations that work: they change nothing, and the state need not be read for them.
    /// Whether anything is left that may change something.
    pub(super) fn leave_out_what_changes_nothing(&self, settlements: &mut [Settlement]) -> bool {
        let answered =
            |one: &Settlement| !matches!(one.evidence, Outcome::Retry { .. } | Outcome::Broken { .. });
        let failing: BTreeSet<String> =
            settlements.iter().filter(|one| !answered(one)).flat_map(|one| one.about.clone()).collect();
        let mut left = false;
        for settlement in settlements {
            let is_fine = |name: &String| {
                let record = self.records.get(name);
                !failing.contains(name) && record.is_some_and(DestinationRecord::is_fine)
            };
            if answered(settlement) && settlement.hold.is_none() && settlement.about.iter().all(is_fine) {
                settlement.about.clear();
            }
            left |= !settlement.about.is_empty();
        }
        left
    }
}

/// What a digest keeps of itself, for the next one to be compared with. A part keeps the figures of the whole.
fn digest_content(sent: &Sent) -> Option<String> {
    if sent.leased.kind != MessageKind::Digest {
        return None;
    }
    let window: Window = serde_json::from_str(sent.leased.content.as_deref()?).ok()?;
    let figures: Figures = window.part.map(|part| part.whole).or(sent.figures())?;
    serde_json::to_string(&Window { figures: Some(figures), ..window }).ok()
}
