//! What follows from an attempt for its message: when to try again, or that it is over. Pure: no I/O, no clock, not
//! async. What follows for the destination is decided by `domain::health`.

use crate::domain::health::LONGEST_PAUSE;
use crate::domain::{DeliveryState, Form, Outcome, Reason, Timestamp};
use std::time::Duration;

/// The pause after the first failed attempt; it doubles after each.
pub const FIRST_DELAY: Duration = Duration::from_secs(5);
/// The longest pause between attempts, and the longest that a destination may ask for.
pub const LONGEST_DELAY: Duration = LONGEST_PAUSE;

/// What is known when an attempt has ended.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// Time since the first attempt, without the time its destination was paused, failing, broken or closed.
    pub elapsed: Duration,
    /// When to give up.
    pub give_up_after: Duration,
    /// How it was rendered.
    pub form: Form,
    /// How many reviews it carries.
    pub reviews: usize,
    /// Whether it is what a burst was folded into.
    pub is_summary: bool,
    /// Whether an earlier attempt may have arrived.
    pub possible_repeat: bool,
    /// Whether the destination was failing or broken before.
    pub was_stopped: bool,
    /// Now.
    pub now: Timestamp,
    /// In 0..1, for the jitter.
    pub random: f64,
}

/// What is sent instead of a message that can never pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Instead {
    /// Nothing.
    Nothing,
    /// Each of its reviews on its own.
    Reviews,
    /// Two halves of it.
    Halves,
}

/// What follows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// The message's state.
    pub state: DeliveryState,
    /// Why, where it is dead.
    pub reason: Option<Reason>,
    /// When to try again, while pending.
    pub next_at: Timestamp,
    /// How to render it then.
    pub form: Form,
    /// Whether an attempt may have arrived.
    pub possible_repeat: bool,
    /// The pause that the destination requested.
    pub hold: Option<Timestamp>,
    /// What the attempt is evidence of: mostly how it ended.
    pub evidence: Outcome,
    /// What is sent instead.
    pub instead: Instead,
}

/// What follows from `outcome`.
pub fn verdict(outcome: &Outcome, situation: &Situation) -> Verdict {
    let pending = Verdict {
        state: DeliveryState::Pending,
        reason: None,
        next_at: situation.now,
        form: situation.form,
        possible_repeat: situation.possible_repeat,
        hold: None,
        evidence: outcome.clone(),
        instead: Instead::Nothing,
    };
    match outcome {
        Outcome::Delivered | Outcome::Accepted => Verdict { state: DeliveryState::Delivered, ..pending },
        Outcome::Dead { reason: Reason::TooLarge } => too_large(situation, pending),
        Outcome::Dead { reason: Reason::PayloadRefused } if situation.form == Form::Full => {
            Verdict { form: Form::Plain, ..pending }
        }
        // One review that is refused must not take the others with it.
        Outcome::Dead { reason: reason @ Reason::PayloadRefused } if situation.is_summary => {
            let (state, reason) = (DeliveryState::Dead, Some(*reason));
            Verdict { state, reason, instead: Instead::Reviews, ..pending }
        }
        Outcome::Dead { reason } => Verdict { state: DeliveryState::Dead, reason: Some(*reason), ..pending },
        Outcome::Broken { .. } => pending,
        Outcome::Retry { after, ambiguous, .. } => retry(*after, *ambiguous, situation, pending),
    }
}

/// What carries several reviews goes in halves; a single one in its plain form, then cut. A destination that refuses even
/// that cannot work until somebody acts.
fn too_large(situation: &Situation, pending: Verdict) -> Verdict {
    if situation.reviews > 1 {
        return Verdict { state: DeliveryState::Superseded, instead: Instead::Halves, ..pending };
    }
    match (situation.form, situation.reviews) {
        (Form::Full, _) => Verdict { form: Form::Plain, ..pending },
        (Form::Plain, _) => Verdict { form: Form::Short, ..pending },
        (Form::Short, 0) => Verdict { state: DeliveryState::Dead, reason: Some(Reason::TooLarge), ..pending },
        (Form::Short, _) => {
            let own = situation.now.plus(delay(situation.attempt, situation.random));
            Verdict { next_at: own, evidence: Outcome::Broken { reason: Reason::TooLarge }, ..pending }
        }
    }
}

fn retry(after: Option<Duration>, ambiguous: bool, situation: &Situation, pending: Verdict) -> Verdict {
    let Situation { now, .. } = *situation;
    // A used-up quota is no pause: the destination fails, and its probes show when it is renewed.
    let is_quota = matches!(pending.evidence, Outcome::Retry { reason: Reason::Quota, .. });
    let asked = after.map(|after| now.plus(after.min(LONGEST_DELAY)));
    let hold = asked.filter(|_| !is_quota);
    let possible_repeat = situation.possible_repeat || ambiguous;
    // Nothing dies because a destination is down.
    if situation.elapsed >= situation.give_up_after && !situation.was_stopped {
        return Verdict {
            state: DeliveryState::Dead,
            reason: Some(Reason::GaveUp),
            possible_repeat,
            hold,
            ..pending
        };
    }
    let own = now.plus(delay(situation.attempt, situation.random));
    Verdict { next_at: asked.map_or(own, |asked| asked.max(own)), possible_repeat, hold, ..pending }
}

/// The pause after attempt number `attempt`: 5 s, doubling up to an hour, of which the last quarter is
/// chance, so that what failed together does not come back together.
pub fn delay(attempt: u32, random: f64) -> Duration {
    let doublings = attempt.saturating_sub(1).min(16);
    let full = FIRST_DELAY.saturating_mul(1 << doublings).min(LONGEST_DELAY);
    full.mul_f64(0.75 + 0.25 * random.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn situation() -> Situation {
        Situation {
            attempt: 1,
            elapsed: Duration::ZERO,
            give_up_after: Duration::from_secs(48 * 3600),
            form: Form::Full,
            reviews: 1,
            is_summary: false,
            possible_repeat: false,
            was_stopped: false,
            now: Timestamp(1_000_000),
            random: 1.0,
        }
    }

    fn failing(after: Option<Duration>) -> Outcome {
        Outcome::Retry { reason: Reason::ServerError, after, ambiguous: false }
    }

    #[test]
    fn pauses_double_from_five_seconds_to_an_hour() {
        let delays: Vec<u64> = (1..=12).map(|attempt| delay(attempt, 1.0).as_secs()).collect();
        assert_eq!(delays[..4], [5, 10, 20, 40]);
        assert_eq!(delays[11], 3600);
        assert_eq!(delay(u32::MAX, 0.0).as_secs(), 2700);
        assert!(delays.is_sorted());
    }

    #[test]
    fn a_retry_after_holds_the_destination_but_at_most_an_hour() {
        let asked = Duration::from_secs(90);
        let verdict_of = |after| verdict(&failing(Some(after)), &situation());
        let until = situation().now.plus(asked);
        assert_eq!(verdict_of(asked).hold, Some(until));
        assert_eq!(verdict_of(asked).next_at, until);
        let day = Duration::from_secs(86_400);
        assert_eq!(verdict_of(day).next_at, situation().now.plus(LONGEST_DELAY));
        let second = Duration::from_secs(1);
        assert_eq!(
            verdict_of(second).next_at,
            situation().now.plus(FIRST_DELAY),
            "never sooner than its own"
        );
    }

    #[test]
    fn it_gives_up_only_when_its_own_time_is_over() {
        let late = Situation { elapsed: situation().give_up_after, ..situation() };
        let over = verdict(&failing(None), &late);
        assert_eq!((over.state, over.reason), (DeliveryState::Dead, Some(Reason::GaveUp)));
        let stopped = Situation { was_stopped: true, ..late };
        assert_eq!(verdict(&failing(None), &stopped).state, DeliveryState::Pending);
    }

    #[test]
    fn a_refused_payload_is_tried_once_more_in_its_plainest_form() {
        let refused = Outcome::Dead { reason: Reason::PayloadRefused };
        let again = verdict(&refused, &situation());
        assert_eq!((again.state, again.form), (DeliveryState::Pending, Form::Plain));
        let plain = Situation { form: Form::Plain, ..situation() };
        assert_eq!(verdict(&refused, &plain).state, DeliveryState::Dead);
        assert_eq!(verdict(&refused, &plain).instead, Instead::Nothing);
        let summary = Situation { is_summary: true, reviews: 3, ..plain };
        assert_eq!(verdict(&refused, &summary).instead, Instead::Reviews);
        let unknown = Outcome::Dead { reason: Reason::RecipientUnknown };
        assert_eq!(verdict(&unknown, &summary).instead, Instead::Nothing);
        assert_eq!(verdict(&unknown, &situation()).state, DeliveryState::Dead);
    }

    // F4
    #[test]
    fn what_is_too_large_goes_in_halves_then_plain_then_cut_and_then_the_destination_is_broken() {
        let refused = Outcome::Dead { reason: Reason::TooLarge };
        for form in [Form::Full, Form::Plain] {
            let many = verdict(&refused, &Situation { form, reviews: 60, ..situation() });
            assert_eq!((many.state, many.instead), (DeliveryState::Superseded, Instead::Halves));
            assert_eq!(many.reason, None);
        }
        let single = verdict(&refused, &situation());
        assert_eq!((single.state, single.form), (DeliveryState::Pending, Form::Plain));
        let plain = verdict(&refused, &Situation { form: Form::Plain, ..situation() });
        assert_eq!((plain.state, plain.form), (DeliveryState::Pending, Form::Short));
        let short = verdict(&refused, &Situation { form: Form::Short, ..situation() });
        assert_eq!(short.state, DeliveryState::Pending, "it waits");
        assert_eq!(short.evidence, Outcome::Broken { reason: Reason::TooLarge });
        assert!(short.next_at > situation().now);
        let notice = verdict(&refused, &Situation { form: Form::Short, reviews: 0, ..situation() });
        assert_eq!((notice.state, notice.evidence), (DeliveryState::Dead, refused));
    }

    #[test]
    fn a_broken_destination_keeps_its_messages() {
        let kept = verdict(&Outcome::Broken { reason: Reason::Revoked }, &situation());
        assert_eq!((kept.state, kept.reason), (DeliveryState::Pending, None));
    }

    #[test]
    fn only_an_ambiguous_failure_makes_a_possible_repeat() {
        assert!(!verdict(&failing(None), &situation()).possible_repeat);
        let lost = Outcome::Retry { reason: Reason::ConnectionLost, after: None, ambiguous: true };
        assert!(verdict(&lost, &situation()).possible_repeat);
        let before = Situation { possible_repeat: true, ..situation() };
        assert!(verdict(&failing(None), &before).possible_repeat);
    }
}
