//! Tests of what the log says of attempts and pauses.

use super::*;
use crate::domain::{
    Attempt, Catalog, Change, Content, Form, Message, MessageKind, Named, Outcome, Review, RuleHit,
};
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
        reviews: vec![LeasedReview { review, change: Change::New, previous: None, rules, scale: None }],
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

fn settlement(outcome: Outcome, state: DeliveryState, effect: DestinationEffect) -> Settlement {
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
        effect,
        split_summary: false,
        content: None,
    }
}

#[test]
fn a_sent_message_names_review_rating_website_and_rule() {
    let settlement = settlement(Outcome::Delivered, DeliveryState::Delivered, DestinationEffect::None);
    let text = logged(|| attempt(&sent(), &settlement));
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
    let until = DestinationEffect::Hold(Timestamp(90_000));
    let pending = settlement(failed(), DeliveryState::Pending, until);
    let text = logged(|| attempt(&sent(), &pending));
    for field in ["WARN not sent", "review=r1", "reason=server_error", "next_at=1970-01-01T00:01:30Z"] {
        assert!(text.contains(field), "`{field}` is not in: {text}");
    }
    let dead = settlement(failed(), DeliveryState::Dead, DestinationEffect::None);
    let text = logged(|| attempt(&sent(), &dead));
    assert!(text.contains("state=dead") && !text.contains("next_at="), "{text}");
}

#[test]
fn a_pause_and_its_end_are_logged_once() {
    let record = |paused_at| {
        let record = DestinationRecord { name: "support".into(), paused_at, ..DestinationRecord::default() };
        HashMap::from([("support".to_owned(), record)])
    };
    let (open, paused) = (record(None), record(Some(Timestamp(0))));
    assert!(logged(|| pauses(&open, &paused)).contains("destination=support"));
    assert!(logged(|| pauses(&paused, &open)).contains("destination resumed"));
    assert_eq!(logged(|| pauses(&paused, &paused)), "");
    assert_eq!(logged(|| pauses(&HashMap::new(), &open)), "");
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
