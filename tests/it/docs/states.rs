//! Every state, outcome, reason and kind of problem has its row in docs/operations.md, and no other has one.

use super::{document, first_column, section};
use crate::style::literals;
use crate::tidy::source;
use regex::Regex;
use review_bridge::domain::{DeliveryState, MessageKind, Outcome, Reason, Timestamp};
use review_bridge::operator::problem;
use review_bridge::store::{DestinationRecord, ReviewState};
use review_bridge::upstream::ErrorKind;
use std::collections::BTreeSet;

fn rows(heading: &str) -> BTreeSet<String> {
    first_column(section(&document("docs/operations.md"), heading))
}

fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> BTreeSet<String> {
    names.into_iter().map(str::to_owned).collect()
}

#[test]
fn every_state_has_its_row() {
    assert_eq!(rows("### Reviews"), names(ReviewState::ALL.iter().map(|state| state.as_str())));
    assert_eq!(rows("### Deliveries"), names(DeliveryState::ALL.iter().map(|state| state.as_str())));
    assert_eq!(rows("### Messages"), names(MessageKind::ALL.iter().map(|kind| kind.as_str())));
    let set = [None, Some(Timestamp(0))];
    let records = set.iter().flat_map(|paused_at| {
        set.iter().map(|broken_at| DestinationRecord {
            paused_at: *paused_at,
            broken_at: *broken_at,
            ..DestinationRecord::default()
        })
    });
    let states: Vec<&str> = records.map(|record| record.state()).collect();
    assert_eq!(rows("### Destinations"), names(states));
}

#[test]
fn every_outcome_and_reason_has_its_row() {
    let reason = Reason::GaveUp;
    let outcomes = [
        Outcome::Delivered,
        Outcome::Accepted,
        Outcome::Retry { reason, after: None, ambiguous: false },
        Outcome::Dead { reason },
        Outcome::Broken { reason },
    ];
    assert_eq!(rows("### Attempts"), names(outcomes.iter().map(Outcome::as_str)));
    assert_eq!(rows("### Reasons"), names(Reason::ALL.iter().map(|reason| reason.as_str())));
}

#[test]
fn every_kind_of_failed_poll_has_its_row() {
    use ErrorKind as K;
    let all = [
        K::Budget(Timestamp(0)),
        K::RateLimited(Timestamp(0)),
        K::Unauthenticated,
        K::NotFound,
        K::Refused,
        K::Unavailable,
        K::Unreachable,
        K::TimedOut,
        K::State,
    ];
    for kind in &all {
        // A kind that is added here is missing above.
        match kind {
            K::Budget(_) | K::RateLimited(_) | K::Unauthenticated | K::NotFound | K::Refused => {}
            K::Unavailable | K::Unreachable | K::TimedOut | K::State => {}
        }
    }
    assert_eq!(rows("### Why a poll failed"), names(all.iter().map(ErrorKind::as_str)));
}

#[test]
fn every_kind_of_problem_has_its_row() {
    assert_eq!(rows("## Problems and notices"), names(problem::KINDS.iter().copied()));
    let file = source::production().into_iter().find(|file| file.path == "operator/problem.rs").unwrap();
    let kind = Regex::new("^[a-z]+(_[a-z]+)+$").unwrap();
    let written: BTreeSet<String> =
        literals::of(&file.text).into_iter().map(|one| one.text).filter(|text| kind.is_match(text)).collect();
    assert_eq!(written, names(problem::KINDS.iter().copied()), "KINDS lists what is written below it");
}
