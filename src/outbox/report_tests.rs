//! Tests of what the log says of attempts and pauses.

use super::*;
use crate::domain::Health;
use crate::domain::{
    Attempt, Called, Catalog, Change, Content, Form, Message, MessageKind, Named, Outcome, Review, RuleHit,
};
use crate::store::Split;
use crate::telemetry::capture::Capture;
use std::time::Duration;

/// What `act` logs.
fn logged(act: impl FnOnce()) -> String {
    let capture = Capture::start();
    act();
    capture.text()
}

fn sent() -> Sent {
    let review = Review {
        account: "main".into(),
        uuid: "r1".into(),
        rating: NativeRating::Number(4.0),
        website_uuids: vec!["w1".into()],
        ..Review::default()
    };
    let mut catalog = Catalog::default();
    catalog.websites.insert("w1".into(), Named { uuid: "w1".into(), name: "Shop NL".into() });
    let rules = vec![RuleHit { rule: "unhappy".into(), because: Vec::new() }];
    let subject = Subject::resolve(review.clone(), &catalog, 5.0, Change::New, None);
    let message = Message {
        id: "msg_1".into(),
        recipient: String::new(),
        content: Content::Review { subject: Box::new(subject), rules: rules.clone() },
        form: Form::Full,
        possible_repeat: false,
        now: Timestamp(0),
    };
    let leased = Leased {
        id: "msg_1".into(),
        destination: "support".into(),
        recipient: String::new(),
        kind: MessageKind::Review,
        content: None,
        reviews: vec![LeasedReview {
            delivery: 1,
            revision: 1,
            shown: 1,
            review,
            called: Called::New,
            rules,
            scale: None,
        }],
        form: Form::Full,
        possible_repeat: false,
        attempt: 3,
        first_attempt_at: Timestamp(0),
        stopped_base: Duration::ZERO,
        begun_at: Timestamp(0),
    };
    let attempt = Attempt {
        outcome: Outcome::Delivered,
        status: Some(200),
        detail: "failed (500)".into(),
        excerpt: None,
    };
    let message = Some(message);
    Sent { leased, attempt, duration: Duration::from_millis(12), fallback: None, stepped_ms: 0, message }
}

fn settlement(outcome: Outcome, state: DeliveryState, hold: Option<Timestamp>) -> Settlement {
    let evidence = outcome.clone();
    let attempt = Attempt { outcome, ..sent().attempt };
    Settlement {
        id: "msg_1".into(),
        number: 3,
        attempt,
        duration: Duration::from_millis(12),
        state,
        reason: None,
        next_at: Timestamp(5_000),
        form: Form::Full,
        possible_repeat: false,
        destination: "support".into(),
        about: Vec::new(),
        random: 0.0,
        hold,
        evidence,
        shown: Vec::new(),
        split: Split::No,
        content: None,
    }
}

#[test]
fn a_sent_message_names_review_rating_website_and_rule() {
    let settlement = settlement(Outcome::Delivered, DeliveryState::Delivered, None);
    let text = logged(|| attempt(&sent(), &settlement, false));
    for field in [
        "INFO sent ",
        "destination=support",
        "review=r1",
        "rating=4/5",
        "website=Shop NL",
        "rule=unhappy",
        "message_id=msg_1",
        "attempt=3",
        "outcome=delivered",
        "took_ms=12",
    ] {
        assert!(text.contains(field), "`{field}` is not in: {text}");
    }
}

#[test]
fn a_failed_one_names_the_review_and_when_it_is_retried() {
    let failed = || Outcome::Retry { reason: Reason::ServerError, after: None, ambiguous: false };
    let until = Some(Timestamp(90_000));
    let pending = settlement(failed(), DeliveryState::Pending, until);
    let text = logged(|| attempt(&sent(), &pending, false));
    for field in ["WARN not sent", "review=r1", "reason=server_error", "next_at=1970-01-01T00:01:30Z"] {
        assert!(text.contains(field), "`{field}` is not in: {text}");
    }
    let dead = settlement(failed(), DeliveryState::Dead, None);
    let text = logged(|| attempt(&sent(), &dead, false));
    assert!(text.contains("state=dead") && !text.contains("next_at="), "{text}");
}

#[test]
fn a_pause_and_its_end_are_logged_once() {
    let record = |paused_at| {
        let record = DestinationRecord { name: "support".into(), paused_at, ..DestinationRecord::default() };
        HashMap::from([("support".to_owned(), record)])
    };
    let (open, paused) = (record(None), record(Some(Timestamp(0))));
    assert!(logged(|| changes(&open, &paused)).contains("destination=support"));
    assert!(logged(|| changes(&paused, &open)).contains("destination resumed"));
    assert_eq!(logged(|| changes(&paused, &paused)), "");
    assert_eq!(logged(|| changes(&HashMap::new(), &open)), "");
}

#[test]
fn a_destination_that_fails_is_logged_when_it_starts_and_when_it_ends() {
    let record = |state| {
        let health = Health { state, detail: Some("failed (500)".into()), ..Health::default() };
        let record = DestinationRecord { name: "support".into(), health, ..DestinationRecord::default() };
        HashMap::from([("support".to_owned(), record)])
    };
    let states = [HealthState::Working, HealthState::Failing, HealthState::Broken];
    let [working, failing, broken] = states.map(record);
    let text = logged(|| changes(&working, &failing));
    assert!(
        text.contains("WARN") && text.contains("state=failing") && text.contains("failed (500)"),
        "{text}"
    );
    assert!(logged(|| changes(&failing, &broken)).contains("state=broken"));
    assert!(logged(|| changes(&broken, &working)).contains("works again"));
    assert_eq!(logged(|| changes(&failing, &failing)), "");
    assert_eq!(logged(|| changes(&record(HealthState::Untried), &working)), "");
    let pending = settlement(
        Outcome::Retry { reason: Reason::ServerError, after: None, ambiguous: false },
        DeliveryState::Pending,
        None,
    );
    assert!(!logged(|| attempt(&sent(), &pending, true)).contains("WARN"), "a probe is no news");
}

#[test]
fn ratings_and_lists_read_well() {
    let shown = |native, scale| Stars(&Rating::evaluate(native, scale)).to_string();
    assert_eq!(shown(NativeRating::Number(4.0), 10.0), "4/10");
    assert_eq!(shown(NativeRating::Number(9.0), 5.0), "unknown (9)");
    assert_eq!(shown(NativeRating::Word("yes".into()), 5.0), "yes");
    assert_eq!(shown(NativeRating::Missing, 5.0), "none");
    assert_eq!(Joined(|| ["a", "b"].into_iter()).to_string(), "a, b");
    assert_eq!(Joined(|| [].into_iter()).to_string(), "-");
}
