//! Every state, outcome, reason and kind of problem has its row in docs/operations.md, and no other has one.

use super::{document, first_column, section};
use review_bridge::domain::{
    DeliveryState, Health, HealthState, MessageKind, Outcome, ProblemKind, Reason, Timestamp,
};
use review_bridge::store::{DestinationRecord, ReviewState};
use review_bridge::upstream::ErrorName;
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
    let records = HealthState::ALL.into_iter().flat_map(|state| {
        let health = Health { state, ..Health::default() };
        [None, Some(Timestamp(0))].map(|paused_at| DestinationRecord {
            paused_at,
            health: health.clone(),
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
    let kinds = ErrorName::ALL.iter().map(|name| name.as_str());
    assert_eq!(rows("### Why a poll failed"), names(kinds));
}

#[test]
fn every_kind_of_problem_has_its_row() {
    let kinds = ProblemKind::ALL.iter().map(|kind| kind.as_str());
    assert_eq!(rows("## Problems and notices"), names(kinds));
}
