//! Tests of what counts as a problem, and of the words for its end.

use super::*;
use crate::domain::{Health, HealthState, Reason};
use crate::store::{AccountRecord, DeadLetters};

const MINUTE: Duration = Duration::from_secs(60);

fn problems(facts: &ProblemFacts, now: Timestamp) -> Vec<ProblemRecord> {
    assess(facts, &BTreeMap::new(), now)
}

fn kinds(facts: &ProblemFacts, now: Timestamp) -> Vec<ProblemKind> {
    problems(facts, now).into_iter().map(|problem| problem.kind).collect()
}

fn account(failed_polls: u32, kind: ErrorName) -> ProblemFacts {
    let record = AccountRecord {
        failed_polls,
        failing_since: Some(Timestamp(0)),
        last_error_kind: Some(kind),
        last_error: Some("503".into()),
        ..AccountRecord::default()
    };
    let account = AccountFacts { name: "main".into(), record, catalog: None };
    ProblemFacts { accounts: vec![account], ..ProblemFacts::default() }
}

fn broken_since(at: Timestamp, queued: u64) -> ProblemFacts {
    let health = Health { state: HealthState::Broken, since: Some(at), ..Health::default() };
    let record = DestinationRecord { name: "support".into(), health, ..DestinationRecord::default() };
    let queued = vec![Tally { subject: "support".into(), count: queued }];
    ProblemFacts { destinations: vec![record], queued, ..ProblemFacts::default() }
}

#[test]
fn polls_are_a_problem_from_the_fifth_failure_a_refused_token_immediately() {
    assert!(kinds(&account(4, ErrorName::Unavailable), Timestamp(0)).is_empty());
    assert_eq!(kinds(&account(5, ErrorName::Unavailable), Timestamp(0)), [ProblemKind::PollsFailing]);
    assert_eq!(kinds(&account(1, ErrorName::Unauthenticated), Timestamp(0)), [ProblemKind::TokenRefused]);
}

#[test]
fn a_destination_is_a_problem_after_fifteen_minutes() {
    let facts = broken_since(Timestamp(0), 0);
    assert!(kinds(&facts, Timestamp(0).plus(BROKEN_FOR - Duration::from_secs(1))).is_empty());
    assert_eq!(kinds(&facts, Timestamp(0).plus(BROKEN_FOR)), [ProblemKind::DestinationBroken]);
}

#[test]
fn an_alarm_says_since_when_and_how_many_reviews_are_queued() {
    let facts = broken_since(Timestamp(0), 56);
    let [problem] = &problems(&facts, Timestamp(0).plus(BROKEN_FOR))[..] else { panic!("one problem") };
    assert!(problem.text.contains("since 1970-01-01 00:00 UTC"), "{}", problem.text);
    assert!(problem.text.contains("56 reviews"), "{}", problem.text);
    assert!(problem.hint.contains("`review-bridge destinations resume support`"), "{}", problem.hint);
}

#[test]
fn dead_letters_are_one_problem_for_each_destination_with_all_reasons() {
    let dead = |reason, count| DeadLetters { destination: "crm".into(), reason: Some(reason), count };
    let facts = ProblemFacts {
        dead: vec![dead(Reason::GaveUp, 140), dead(Reason::PayloadRefused, 5)],
        ..ProblemFacts::default()
    };
    let [problem] = &problems(&facts, Timestamp(0))[..] else { panic!("one problem") };
    for words in ["145 messages", "140 gave up", "5 payload refused"] {
        assert!(problem.text.contains(words), "`{words}` is not in: {}", problem.text);
    }
}

#[test]
fn an_end_has_words_of_its_own_for_every_kind() {
    let facts = broken_since(Timestamp(0), 56);
    let now = Timestamp(0).plus(MINUTE * 18);
    for kind in ProblemKind::ALL {
        let key = ProblemKey { kind: *kind, subject: "support".into() };
        let text = resolved(&facts, &key, extent(&facts, &key), true, now);
        assert!(text.contains("`support`") || *kind == ProblemKind::SourceStale, "{text}");
        assert!(!problems(&facts, now).iter().any(|problem| problem.text == text), "{text}");
        let removed = resolved(&facts, &key, Extent::default(), false, now);
        assert!(removed.contains("no longer configured"), "{removed}");
    }
    let key = ProblemKey { kind: ProblemKind::DestinationBroken, subject: "support".into() };
    let text = resolved(&facts, &key, extent(&facts, &key), true, now);
    assert!(text.contains("after 18 minutes") && text.contains("56 reviews"), "{text}");
    let unknown = resolved(&facts, &key, Extent::default(), true, now);
    assert!(!unknown.contains("after"), "{unknown}");
}
