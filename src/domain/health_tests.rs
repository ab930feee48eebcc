//! Tests of when a destination fails, is broken, and works again.

use super::*;

const START: Timestamp = Timestamp(1_772_366_400_000);

fn seconds(seconds: u64) -> Timestamp {
    START.plus(Duration::from_secs(seconds))
}

fn retry(reason: Reason) -> Outcome {
    Outcome::Retry { reason, after: None, ambiguous: false }
}

fn step(health: &Health, outcome: &Outcome, at: u64) -> Health {
    health.after(&Evidence { outcome, detail: "why", now: seconds(at), random: 1.0 })
}

/// The health after failures at these seconds.
fn failures(reason: Reason, at: &[u64]) -> Health {
    at.iter().fold(Health::default(), |health, at| step(&health, &retry(reason), *at))
}

#[test]
fn five_failures_in_a_row_over_half_a_minute_make_it_fail() {
    for reason in Reason::ALL.iter().copied() {
        let health = failures(reason, &[0, 5, 15, 29, 30]);
        let at_once = matches!(reason, Reason::Quota | Reason::LoginDeferred);
        let expected = reason.about() != About::Message || at_once;
        assert_eq!(health.state == HealthState::Failing, expected, "{reason:?}");
    }
    let health = failures(Reason::ServerError, &[0, 5, 15, 29, 30]);
    assert_eq!((health.since, health.reason), (Some(START), Some(Reason::ServerError)));
    assert_eq!(health.probe_at, Some(seconds(35)));
    // What was in flight together fails together; that is not in a row.
    assert!(!failures(Reason::TimedOut, &[0, 1, 1, 1, 1, 1, 29]).is_stopped());
    assert!(!failures(Reason::TimedOut, &[0, 10, 20, 40]).is_stopped());
}

#[test]
fn any_answer_about_a_message_ends_the_row_and_the_failure() {
    let row = failures(Reason::ServerError, &[0, 10, 20, 30]);
    for outcome in [Outcome::Delivered, Outcome::Accepted, Outcome::Dead { reason: Reason::PayloadRefused }] {
        let health = step(&row, &outcome, 40);
        assert!(!step(&health, &retry(Reason::ServerError), 50).is_stopped(), "{outcome:?}");
        let failing = failures(Reason::ServerError, &[0, 10, 20, 30, 40]);
        let health = step(&failing, &outcome, 50);
        assert_eq!((health.state, health.since), (HealthState::Working, Some(seconds(50))));
        assert_eq!(health.probe_at, None);
    }
    let limited = step(&row, &retry(Reason::RateLimited), 40);
    assert!(step(&limited, &retry(Reason::ServerError), 50).is_stopped(), "a rate limit proves nothing");
}

#[test]
fn probes_are_five_seconds_to_five_minutes_apart() {
    let mut health = failures(Reason::Unreachable, &[0, 10, 20, 30, 40]);
    let mut pauses = Vec::new();
    let mut at = 40;
    for _ in 0..9 {
        let pause = health.probe_at.map(|probe| probe.since(seconds(at)).as_secs()).unwrap_or_default();
        pauses.push(pause);
        at += pause;
        health = step(&health, &retry(Reason::Unreachable), at);
    }
    assert_eq!(pauses, [5, 10, 20, 40, 80, 160, 300, 300, 300]);
    assert_eq!(health.since, Some(START));
}

#[test]
fn a_quota_is_probed_hourly_and_a_refused_login_from_a_minute_up() {
    let quota = failures(Reason::Quota, &[7]);
    assert_eq!((quota.state, quota.since), (HealthState::Failing, Some(seconds(7))));
    assert_eq!(quota.probe_at, Some(seconds(7 + 3600)));
    let again = step(&quota, &retry(Reason::Quota), 3607);
    assert_eq!(again.probe_at, Some(seconds(3607 + 3600)));
    let login = failures(Reason::LoginDeferred, &[0]);
    assert_eq!(login.probe_at, Some(seconds(60)));
    let again = step(&login, &retry(Reason::LoginDeferred), 60);
    assert_eq!(again.probe_at, Some(seconds(60 + 120)));
}

#[test]
fn a_long_pause_counts_as_failing_and_a_short_one_does_not() {
    let asked = |minutes: u64| Outcome::Retry {
        reason: Reason::RateLimited,
        after: Some(Duration::from_secs(60 * minutes)),
        ambiguous: false,
    };
    assert!(!step(&Health::default(), &asked(15), 0).is_stopped());
    let long = step(&Health::default(), &asked(16), 0);
    assert_eq!((long.state, long.probe_at), (HealthState::Failing, Some(seconds(16 * 60))));
    let day = step(&Health::default(), &asked(24 * 60), 0);
    assert_eq!(day.probe_at, Some(seconds(3600)), "at most an hour");
}

#[test]
fn broken_beats_failing() {
    let broken = Outcome::Broken { reason: Reason::Revoked };
    let failing = failures(Reason::ServerError, &[0, 10, 20, 30, 40]);
    let health = step(&failing, &broken, 50);
    assert_eq!((health.state, health.reason), (HealthState::Broken, Some(Reason::Revoked)));
    assert_eq!(health.since, Some(START), "it has kept messages since then");
    let still = step(&health, &retry(Reason::ServerError), 60);
    assert_eq!((still.state, still.reason), (HealthState::Broken, Some(Reason::Revoked)));
    assert_eq!(still.probe_at, Some(seconds(60).plus(BROKEN_PROBE)));
    assert_eq!(step(&still, &Outcome::Delivered, 70).state, HealthState::Working);
}

#[test]
fn a_message_that_is_refused_for_now_leaves_the_next_probe_to_another() {
    let failing = failures(Reason::ServerError, &[0, 10, 20, 30, 40]);
    let later = step(&failing, &retry(Reason::Deferred), 300);
    assert_eq!((later.state, later.probes), (HealthState::Failing, failing.probes));
    assert_eq!(later.probe_at, Some(seconds(305)));
}

// J4
#[test]
fn what_one_destination_learns_of_the_server_holds_for_all_that_share_it() {
    let shared = |health: &Health, outcome: &Outcome, at: u64| {
        health.after_shared(&Evidence { outcome, detail: "why", now: seconds(at), random: 1.0 })
    };
    let login = shared(&Health::default(), &retry(Reason::LoginDeferred), 0);
    assert_eq!((login.state, login.probe_at), (HealthState::Failing, Some(seconds(60))));
    assert_eq!(shared(&login, &Outcome::Delivered, 60).state, HealthState::Working);
    let refused = Outcome::Broken { reason: Reason::CredentialsRefused };
    assert_eq!(shared(&Health::default(), &refused, 0).state, HealthState::Broken);
    // Its sender is its own.
    let sender = Outcome::Broken { reason: Reason::SenderRefused };
    assert_eq!(shared(&Health::default(), &sender, 0), Health::default());
    let own = step(&Health::default(), &sender, 0);
    assert_eq!(shared(&own, &Outcome::Delivered, 10), own);
    assert_eq!(shared(&Health::default(), &Outcome::Delivered, 10), Health::default());
}

#[test]
fn a_name_is_read_back() {
    for state in HealthState::ALL {
        assert_eq!(HealthState::parse(state.as_str()), Some(state));
    }
    assert_eq!(HealthState::parse("sick"), None);
}
