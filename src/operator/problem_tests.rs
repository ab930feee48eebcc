//! Tests of what counts as a problem, and of the words for its course.

use super::*;
use crate::domain::{Catalog, Health, Named, Severity};
use crate::operator::words::resolved;
use crate::store::{AccountRecord, Backlog, BridgeRecord, DeadLetters, ProblemRecord};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
const START: Timestamp = Timestamp(1_772_366_400_000);

fn view() -> View {
    let account = AccountView { credential: "token_file".into(), marks: true, poll_interval: MINUTE };
    let destinations = ["support", "crm"].map(|name| (name.to_owned(), open()));
    View {
        accounts: Some(BTreeMap::from([("main".to_owned(), account)])),
        destinations: destinations.into(),
        fallbacks: BTreeMap::new(),
        running: true,
    }
}

fn open() -> DestinationView {
    DestinationView { open_since: Some(Timestamp(0)) }
}

fn after(minutes: u32) -> Timestamp {
    START.plus(MINUTE * minutes)
}

/// The kinds and whether each is ripe.
fn kinds(facts: &ProblemFacts, view: &View, now: Timestamp) -> Vec<(ProblemKind, bool)> {
    assess(facts, view, now).into_iter().map(|problem| (problem.kind, problem.is_ripe)).collect()
}

fn account(record: AccountRecord) -> AccountFacts {
    AccountFacts {
        name: "main".into(),
        record,
        catalog: None,
        requested_at: None,
        mark_due_at: None,
        mark_tries: None,
    }
}

/// An account that was polled well at the start of a bridge.
fn facts(change: impl FnOnce(&mut AccountFacts)) -> ProblemFacts {
    let record =
        AccountRecord { last_success_at: Some(START), baseline_at: Some(START), ..AccountRecord::default() };
    let mut account = account(record);
    change(&mut account);
    let bridge = BridgeRecord { started_at: Some(START), ..BridgeRecord::default() };
    ProblemFacts { accounts: vec![account], bridge, ..ProblemFacts::default() }
}

fn failed(polls: u32, kind: ErrorName) -> impl FnOnce(&mut AccountFacts) {
    move |account| {
        let record = &mut account.record;
        (record.failed_polls, record.failing_since) = (polls, Some(START));
        (record.last_error_kind, record.last_error) = (Some(kind), Some("503".into()));
    }
}

fn destination(state: HealthState, reason: Reason) -> ProblemFacts {
    let health = Health {
        state,
        since: Some(START),
        reason: Some(reason),
        detail: Some("connection refused".into()),
        probe_at: Some(START),
        ..Health::default()
    };
    let record = DestinationRecord { name: "support".into(), health, ..DestinationRecord::default() };
    ProblemFacts { destinations: vec![record], ..facts(|_| {}) }
}

fn queued(change: impl FnOnce(&mut QueueFacts)) -> ProblemFacts {
    let mut queue = QueueFacts { destination: "support".into(), ..QueueFacts::default() };
    change(&mut queue);
    ProblemFacts { queues: vec![queue], ..facts(|_| {}) }
}

// first-use 3; F7
#[test]
fn polls_and_marks_are_problems_by_what_they_show() {
    use ProblemKind as Kind;
    type Case = (&'static str, ProblemFacts, u32, &'static [(ProblemKind, bool)]);
    let none: &[(ProblemKind, bool)] = &[];
    let cases: [Case; 13] = [
        ("all is well", facts(|_| {}), 5, none),
        ("one failed poll", facts(failed(1, ErrorName::Unavailable)), 5, none),
        ("two", facts(failed(2, ErrorName::Unavailable)), 5, &[(Kind::PollsFailing, true)]),
        ("a refused token", facts(failed(1, ErrorName::Unauthenticated)), 0, &[(Kind::TokenRefused, true)]),
        (
            "none ever succeeded",
            facts(|account| {
                failed(1, ErrorName::Unreachable)(account);
                account.record.last_success_at = None;
            }),
            0,
            &[(Kind::PollsFailing, false)],
        ),
        ("no listing ends", facts(|_| {}), 18, &[(Kind::ListingIncomplete, true)]),
        ("a long one goes on", facts(|account| account.requested_at = Some(after(17))), 18, none),
        (
            "the first does not end",
            facts(|account| (account.record.baseline_at, account.requested_at) = (None, Some(after(17)))),
            18,
            &[(Kind::BaselineIncomplete, true)],
        ),
        ("a mark is due", facts(|account| account.mark_due_at = Some(START)), 9, none),
        (
            "and nobody tries it",
            facts(|account| account.mark_due_at = Some(START)),
            10,
            &[(Kind::MarksStarved, true)],
        ),
        ("a mark failed twice", facts(|account| account.mark_tries = Some((2, "500".into()))), 5, none),
        (
            "and again",
            facts(|account| account.mark_tries = Some((3, "500".into()))),
            5,
            &[(Kind::MarksFailing, true)],
        ),
        (
            "a token that expires",
            facts(|account| account.record.token_expires_at = Some(START.plus(DAY * 7))),
            0,
            &[(Kind::TokenExpiring, true)],
        ),
    ];
    for (what, facts, minutes, expected) in cases {
        assert_eq!(kinds(&facts, &view(), after(minutes)), expected, "{what}");
    }
    let mut never = view();
    for account in never.accounts.iter_mut().flat_map(|accounts| accounts.values_mut()) {
        account.marks = false;
    }
    let due = facts(|account| account.mark_due_at = Some(START));
    assert_eq!(kinds(&due, &never, after(10)), none, "with `mark_read = \"never\"` nothing is due");
    let elsewhere = View { accounts: Some(BTreeMap::new()), ..view() };
    assert_eq!(kinds(&facts(failed(9, ErrorName::Unavailable)), &elsewhere, after(60)), none);
}

// first-use 1
#[test]
fn a_destination_that_fails_or_is_broken_is_a_problem_from_its_first_failure() {
    for (state, reason, kind, words) in [
        (
            HealthState::Failing,
            Reason::Unreachable,
            ProblemKind::DestinationFailing,
            "has been failing since",
        ),
        (HealthState::Failing, Reason::Quota, ProblemKind::DestinationFailing, "the sending limit"),
        (HealthState::Broken, Reason::Revoked, ProblemKind::DestinationBroken, "has been broken since"),
    ] {
        let [problem] = &assess(&destination(state, reason), &view(), START)[..] else { panic!("{state:?}") };
        assert_eq!((problem.kind, problem.since), (kind, Some(START)));
        for words in [words, "`support`", "2026-03-01 12:00 UTC", "connection refused"] {
            assert!(problem.text.contains(words), "`{words}` is not in: {}", problem.text);
        }
        assert_eq!(kind.severity(), Severity::Stops);
    }
    for state in [HealthState::Untried, HealthState::Working] {
        assert!(assess(&destination(state, Reason::Unreachable), &view(), after(5)).is_empty());
    }
    let mut paused = destination(HealthState::Broken, Reason::Revoked);
    paused.destinations[0].paused_at = Some(START);
    paused.queues = queued(|queue| queue.due_since = Some(START)).queues;
    assert!(kinds(&paused, &view(), after(60)).iter().all(|one| one.0 == ProblemKind::ListingIncomplete));
    let long = kinds(&paused, &view(), START.plus(DAY));
    assert!(long.contains(&(ProblemKind::PausedForLong, true)), "{long:?}");
}

// first-use 1: nothing that should be sent is late without a problem
#[test]
fn what_is_due_for_a_quarter_of_an_hour_without_a_reason_is_a_problem() {
    use ProblemKind::DeliveryLate;
    let due = || queued(|queue| queue.due_since = Some(START));
    let is_late = |facts: &ProblemFacts, view: &View, now| {
        assess(facts, view, now).iter().any(|problem| problem.kind == DeliveryLate)
    };
    assert!(!is_late(&due(), &view(), after(14)));
    assert!(is_late(&due(), &view(), after(15)));
    let tried = queued(|queue| queue.tried_since = Some(START));
    assert!(is_late(&tried, &view(), after(15)));
    // One that works off a long queue at its own rate is not late, but a message that never passes is.
    let mut moving = due();
    moving.queues[0].delivered_at = Some(after(14));
    assert!(!is_late(&moving, &view(), after(15)));
    moving.queues[0].tried_since = Some(START);
    assert!(is_late(&moving, &view(), after(15)));
    let closed = View { destinations: [("support".into(), DestinationView::default())].into(), ..view() };
    assert!(!is_late(&due(), &closed, after(60)));
    let opened = DestinationView { open_since: Some(after(50)) };
    let opened = View { destinations: [("support".into(), opened)].into(), ..view() };
    assert!(!is_late(&due(), &opened, after(60)) && is_late(&due(), &opened, after(65)));
    assert!(!is_late(&due(), &View { running: false, ..view() }, after(60)));
    for state in [HealthState::Failing, HealthState::Broken] {
        let covered = ProblemFacts { queues: due().queues, ..destination(state, Reason::Unreachable) };
        assert!(!is_late(&covered, &view(), after(60)), "{state:?} says it already");
    }
    let resumed = DestinationRecord { name: "support".into(), opened_at: after(50), ..Default::default() };
    let resumed = ProblemFacts { destinations: vec![resumed], ..due() };
    assert!(!is_late(&resumed, &view(), after(60)));
    // One that the configuration no longer has is never sent to.
    let removed = View { destinations: BTreeMap::new(), running: false, ..view() };
    let [problem] = &assess(&due(), &removed, START)[..] else { panic!("one problem") };
    assert!(problem.text.contains("no longer in the configuration"), "{}", problem.text);
}

// first-use 4
#[test]
fn dead_letters_are_one_problem_for_each_destination_with_all_reasons() {
    let dead = |reason, count| DeadLetters { destination: "crm".into(), reason: Some(reason), count };
    let facts = ProblemFacts {
        dead: vec![dead(Reason::GaveUp, 140), dead(Reason::PayloadRefused, 5)],
        ..ProblemFacts::default()
    };
    let [problem] = &assess(&facts, &view(), START)[..] else { panic!("one problem") };
    for words in ["145 messages", "140 given up", "5 refused"] {
        assert!(problem.text.contains(words), "`{words}` is not in: {}", problem.text);
    }
    assert!(problem.hint.contains("deliveries list --state dead --destination crm"), "{}", problem.hint);
}

// first-use 4
#[test]
fn a_hint_names_the_key_that_holds_the_credentials_and_no_other() {
    let refused = facts(failed(3, ErrorName::Unauthenticated));
    for (key, others) in [
        ("token", ["token_file", "password"]),
        ("token_file", ["accounts.main.token`", "password"]),
        ("password_file", ["accounts.main.password`", "token"]),
    ] {
        let mut view = view();
        for account in view.accounts.iter_mut().flat_map(|accounts| accounts.values_mut()) {
            account.credential = key.into();
        }
        let [problem] = &assess(&refused, &view, START)[..] else { panic!("{key}") };
        assert!(problem.hint.contains(&format!("`accounts.main.{key}`")), "{}", problem.hint);
        assert!(others.iter().all(|other| !problem.hint.contains(other)), "{}", problem.hint);
    }
}

// F8
#[test]
fn an_undecided_review_is_a_problem_after_ten_minutes() {
    let undecided = vec![Tally { subject: "main".into(), count: 2, since: Some(START) }];
    let facts = ProblemFacts { undecided, ..facts(|_| {}) };
    assert!(assess(&facts, &view(), after(9)).is_empty());
    let [problem] = &assess(&facts, &view(), after(10))[..] else { panic!("one problem") };
    assert_eq!((problem.kind, problem.since), (ProblemKind::UndecidedReviews, Some(START)));
}

// first-use 5, J23
#[test]
fn a_refused_edit_says_what_is_active_and_why() {
    let mut refused = facts(|_| {});
    refused.bridge.loaded_at = Some(START);
    refused.bridge.refused_at = Some(after(4));
    refused.bridge.refused_why = Some("config.toml: `max_ratng` is unknown".into());
    let [problem] = &assess(&refused, &view(), after(5))[..] else { panic!("one problem") };
    assert_eq!((problem.kind, problem.since), (ProblemKind::ConfigurationRefused, Some(after(4))));
    for words in ["2026-03-01 12:00 UTC", "2026-03-01 12:04 UTC", "`max_ratng`"] {
        assert!(problem.text.contains(words), "{}", problem.text);
    }
}

#[test]
fn what_other_parts_report_is_a_problem_like_any_other() {
    let report = |kind: ProblemKind, subject: &str| ProblemRecord {
        kind,
        subject: subject.into(),
        text: "`Shop NL` is unknown".into(),
        hint: "fix it".into(),
        since: START,
        notified_at: None,
        over_at: None,
    };
    let reported =
        vec![report(ProblemKind::UnknownNames, "main"), report(ProblemKind::UnknownNames, "removed")];
    let facts = ProblemFacts { reported, ..facts(|_| {}) };
    let [problem] = &assess(&facts, &view(), START)[..] else { panic!("one problem") };
    assert_eq!((problem.kind, &*problem.subject), (ProblemKind::UnknownNames, "main"));
}

// first-use 4
#[test]
fn an_end_has_words_of_its_own_for_every_kind() {
    let facts = destination(HealthState::Working, Reason::Unreachable);
    let sent = Backlog { waiting: 0, sent: 56 };
    let ended = |kind: ProblemKind, view: &View, backlog| {
        let subject = match kind.concern() {
            Concern::Account => "main",
            Concern::Source => "main/s1",
            Concern::Destination => "support",
            Concern::Bridge => "configuration",
        };
        let record = ProblemRecord {
            kind,
            subject: subject.into(),
            text: "the alarm".into(),
            hint: "the advice".into(),
            since: START,
            notified_at: Some(START),
            over_at: Some(after(18)),
        };
        resolved(&facts, view, &record, backlog, after(20))
    };
    for kind in ProblemKind::ALL {
        let text = ended(*kind, &view(), sent);
        assert!(!text.contains("the alarm") && !text.contains("the advice"), "{text}");
        let nothing = View { accounts: Some(BTreeMap::new()), ..View::default() };
        let removed = ended(*kind, &nothing, sent);
        assert!(removed.contains("no longer in the configuration") || kind.concern() == Concern::Bridge);
    }
    let cases = [
        (sent, "destination `support` works again after 18 minutes; 56 waiting reviews were sent"),
        (
            Backlog { waiting: 0, sent: 1 },
            "works again after 18 minutes; the review that was queued was sent",
        ),
        (Backlog { waiting: 9, sent: 47 }, "47 waiting reviews were sent, 9 more are queued"),
        (Backlog { waiting: 9, sent: 0 }, "9 reviews are still queued and are being sent"),
        (Backlog::default(), "destination `support` works again after 18 minutes"),
    ];
    for (backlog, words) in cases {
        let text = ended(ProblemKind::DestinationFailing, &view(), backlog);
        assert!(text.ends_with(words), "{text}");
    }
}

#[test]
fn a_source_is_stale_a_day_after_its_planned_reading() {
    let named = Named { uuid: "s1".into(), name: "Kiyoh".into() };
    let source = Source {
        named,
        url: None,
        review_link: None,
        platform_uuid: None,
        website_uuids: Vec::new(),
        last_sync_at: Some(START),
        next_sync_at: Some(START),
        average: None,
        reviews: None,
    };
    let catalog = Catalog { sources: BTreeMap::from([("s1".into(), source)]), ..Catalog::default() };
    let facts = facts(|account| {
        account.catalog = Some(catalog);
        account.record.last_success_at = Some(START.plus(DAY));
    });
    assert!(assess(&facts, &view(), START.plus(DAY - MINUTE)).is_empty());
    let [problem] = &assess(&facts, &view(), START.plus(DAY))[..] else { panic!("one problem") };
    assert_eq!((problem.kind, &*problem.subject), (ProblemKind::SourceStale, "main/s1"));
}
