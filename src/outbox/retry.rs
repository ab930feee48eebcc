//! What follows from an attempt: when to try again, or that it is over. Pure: no I/O, no clock, not async.

use crate::domain::{DeliveryState, Form, Outcome, Reason, Timestamp};
use crate::store::DestinationEffect;
use std::time::Duration;

/// The pause after the first failed attempt; it doubles after each.
pub const FIRST_DELAY: Duration = Duration::from_secs(5);
/// The longest pause between attempts, and the longest that a destination may ask for.
pub const LONGEST_DELAY: Duration = Duration::from_secs(3600);
/// How often a broken destination is probed.
pub const PROBE_INTERVAL: Duration = Duration::from_secs(15 * 60);

/// What is known when an attempt has ended.
#[derive(Clone, Copy, Debug)]
pub struct Situation {
    /// The attempt's number, from 1.
    pub attempt: u32,
    /// Time since the first attempt, without the time its destination was paused, broken or closed.
    pub elapsed: Duration,
    /// When to give up.
    pub give_up_after: Duration,
    /// How it was rendered.
    pub form: Form,
    /// Whether it is what a burst was folded into.
    pub is_summary: bool,
    /// Whether an earlier attempt may have arrived.
    pub possible_repeat: bool,
    /// Whether the destination was broken before.
    pub was_broken: bool,
    /// Now.
    pub now: Timestamp,
    /// In 0..1, for the jitter.
    pub random: f64,
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
    /// What follows for the destination.
    pub effect: DestinationEffect,
    /// Whether its reviews are sent one by one instead.
    pub split_summary: bool,
}

/// What follows from `outcome`; `detail` says why, for people.
pub fn verdict(outcome: &Outcome, detail: &str, situation: &Situation) -> Verdict {
    let Situation { now, .. } = *situation;
    let pending = Verdict {
        state: DeliveryState::Pending,
        reason: None,
        next_at: now,
        form: situation.form,
        possible_repeat: situation.possible_repeat,
        effect: DestinationEffect::None,
        split_summary: false,
    };
    let working = if situation.was_broken { DestinationEffect::Working } else { DestinationEffect::None };
    match outcome {
        Outcome::Delivered | Outcome::Accepted => {
            Verdict { state: DeliveryState::Delivered, effect: working, ..pending }
        }
        Outcome::Dead { reason: Reason::PayloadRefused | Reason::TooLarge }
            if situation.form == Form::Full =>
        {
            Verdict { form: Form::Plain, effect: working, ..pending }
        }
        // One review that is refused must not take the others with it.
        Outcome::Dead { reason: reason @ (Reason::PayloadRefused | Reason::TooLarge) }
            if situation.is_summary =>
        {
            let (state, reason) = (DeliveryState::Dead, Some(*reason));
            Verdict { state, reason, effect: working, split_summary: true, ..pending }
        }
        Outcome::Dead { reason } => {
            Verdict { state: DeliveryState::Dead, reason: Some(*reason), effect: working, ..pending }
        }
        Outcome::Broken { reason } => Verdict {
            effect: DestinationEffect::Broken {
                reason: *reason,
                detail: detail.to_owned(),
                retry_at: now.plus(PROBE_INTERVAL),
            },
            ..pending
        },
        Outcome::Retry { after, ambiguous, .. } => {
            retry(*after, *ambiguous, detail, outcome.reason(), situation, pending)
        }
    }
}

fn retry(
    after: Option<Duration>,
    ambiguous: bool,
    detail: &str,
    reason: Option<Reason>,
    situation: &Situation,
    pending: Verdict,
) -> Verdict {
    let Situation { now, .. } = *situation;
    let asked = after.map(|after| now.plus(after.min(LONGEST_DELAY)));
    let effect = match (situation.was_broken, asked, reason) {
        // A probe that found no answer proves nothing: the destination is still what it was.
        (true, _, Some(reason)) => DestinationEffect::Broken {
            reason,
            detail: detail.to_owned(),
            retry_at: asked.unwrap_or(now).max(now.plus(PROBE_INTERVAL)),
        },
        (false, Some(until), _) => DestinationEffect::Hold(until),
        _ => DestinationEffect::None,
    };
    let possible_repeat = situation.possible_repeat || ambiguous;
    if situation.elapsed >= situation.give_up_after && !situation.was_broken {
        return Verdict {
            state: DeliveryState::Dead,
            reason: Some(Reason::GaveUp),
            possible_repeat,
            effect,
            ..pending
        };
    }
    let own = now.plus(delay(situation.attempt, situation.random));
    Verdict { next_at: asked.map_or(own, |asked| asked.max(own)), possible_repeat, effect, ..pending }
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
            is_summary: false,
            possible_repeat: false,
            was_broken: false,
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
        let verdict_of = |after| verdict(&failing(Some(after)), "", &situation());
        let until = situation().now.plus(asked);
        assert_eq!(verdict_of(asked).effect, DestinationEffect::Hold(until));
        assert_eq!(verdict_of(asked).next_at, until);
        let day = Duration::from_secs(86_400);
        assert_eq!(verdict_of(day).next_at, situation().now.plus(LONGEST_DELAY));
    }

    #[test]
    fn it_gives_up_only_when_its_own_time_is_over() {
        let late = Situation { elapsed: situation().give_up_after, ..situation() };
        let over = verdict(&failing(None), "", &late);
        assert_eq!((over.state, over.reason), (DeliveryState::Dead, Some(Reason::GaveUp)));
        let broken = Situation { was_broken: true, ..late };
        assert_eq!(verdict(&failing(None), "", &broken).state, DeliveryState::Pending);
    }

    #[test]
    fn a_refused_payload_is_tried_once_more_in_its_plainest_form() {
        let refused = Outcome::Dead { reason: Reason::PayloadRefused };
        let again = verdict(&refused, "", &situation());
        assert_eq!((again.state, again.form), (DeliveryState::Pending, Form::Plain));
        let plain = Situation { form: Form::Plain, ..situation() };
        assert_eq!(verdict(&refused, "", &plain).state, DeliveryState::Dead);
        let summary = Situation { is_summary: true, ..plain };
        assert!(
            verdict(&refused, "", &summary).split_summary && !verdict(&refused, "", &plain).split_summary
        );
        let unknown = Outcome::Dead { reason: Reason::RecipientUnknown };
        assert!(!verdict(&unknown, "", &summary).split_summary);
        assert_eq!(verdict(&unknown, "", &situation()).state, DeliveryState::Dead);
    }

    #[test]
    fn a_broken_destination_keeps_its_messages_and_works_again_after_any_answer_about_a_message() {
        let broken = Outcome::Broken { reason: Reason::Revoked };
        let kept = verdict(&broken, "gone", &situation());
        assert_eq!(kept.state, DeliveryState::Pending);
        assert!(matches!(kept.effect, DestinationEffect::Broken { retry_at, .. }
            if retry_at == situation().now.plus(PROBE_INTERVAL)));
        let probing = Situation { was_broken: true, ..situation() };
        assert_eq!(verdict(&Outcome::Delivered, "", &probing).effect, DestinationEffect::Working);
        assert_eq!(verdict(&Outcome::Delivered, "", &situation()).effect, DestinationEffect::None);
    }

    #[test]
    fn only_an_ambiguous_failure_makes_a_possible_repeat() {
        assert!(!verdict(&failing(None), "", &situation()).possible_repeat);
        let lost = Outcome::Retry { reason: Reason::ConnectionLost, after: None, ambiguous: true };
        assert!(verdict(&lost, "", &situation()).possible_repeat);
        let before = Situation { possible_repeat: true, ..situation() };
        assert!(verdict(&failing(None), "", &before).possible_repeat);
    }
}
