//! Tests of the ledger's tables: each over every combination.

use super::*;
use crate::domain::Reason;

fn reasons() -> impl Iterator<Item = Option<Reason>> {
    Reason::ALL.iter().copied().map(Some).chain([None])
}

// F1, H8
#[test]
fn a_skip_alone_is_never_a_reason_to_mark() {
    use DeliveryState::{Dead, Delivered, Discarded, Pending, Skipped, Superseded};
    let elsewhere = (Skipped, Some(Reason::ReadElsewhere));
    assert!(!mark_is_due([]));
    assert!(!mark_is_due([elsewhere]));
    assert!(!mark_is_due([elsewhere, elsewhere]));
    assert!(!mark_is_due([(Skipped, None)]), "as versions wrote it that knew no reason");
    assert!(mark_is_due([elsewhere, (Delivered, None)]));
    assert!(mark_is_due([(Skipped, Some(Reason::Unchanged))]));
    assert!(mark_is_due([(Discarded, Some(Reason::GaveUp)), elsewhere]));
    for state in [Pending, Dead, Superseded] {
        for reason in reasons() {
            assert!(!mark_is_due([(Delivered, None), (state, reason)]), "{state:?} {reason:?}");
        }
    }
    for state in DeliveryState::ALL {
        for reason in reasons() {
            // Whatever is taken back was no reason to mark.
            assert!(!is_taken_back(state, reason) || voice(state, reason) == Voice::Abstains);
        }
    }
}

#[test]
fn an_empty_listing_after_a_long_one_proves_nothing_before_the_third() {
    assert_eq!(absence(7, 30, 0), 1);
    assert_eq!(absence(0, 10, 1), 1);
    assert_eq!(absence(0, 0, 5), 1);
    assert_eq!([1, 2, 3, 4].map(|empty| absence(0, 11, empty)), [0, 0, 2, 2]);
}

#[test]
fn only_what_waits_for_a_destination_that_wants_it_so_is_skipped() {
    let skipped = Candidate {
        state: DeliveryState::Pending,
        in_flight: false,
        skips: true,
        is_listed: false,
        is_marked: false,
        is_later: false,
    };
    assert!(may_skip(skipped));
    for kept in [
        Candidate { in_flight: true, ..skipped },
        Candidate { skips: false, ..skipped },
        Candidate { is_listed: true, ..skipped },
        Candidate { is_marked: true, ..skipped },
        Candidate { is_later: true, ..skipped },
    ] {
        assert!(!may_skip(kept), "{kept:?}");
    }
    for state in DeliveryState::ALL {
        assert_eq!(may_skip(Candidate { state, ..skipped }), state == DeliveryState::Pending);
    }
}

// S4
#[test]
fn a_review_that_was_missing_since_its_mark_raises_no_alarm() {
    let counted = |shown: &[bool]| shown.iter().fold(0, |count, shown| listed_since_mark(count, *shown));
    assert_eq!(counted(&[true, true, true]), LISTINGS_AFTER_MARK);
    assert_eq!(counted(&[true; 9]), LISTINGS_AFTER_MARK);
    assert_eq!(counted(&[true, false, true, true, true, true]), MARK_WORKED);
}

#[test]
fn a_baseline_ends_a_day_after_its_first_listing_began() {
    let day = Timestamp(0).plus(LONGEST_BASELINE);
    assert!(!ends_baseline(None, day, true));
    assert!(!ends_baseline(Some(Timestamp(0)), day, false), "nothing was read");
    assert!(!ends_baseline(Some(Timestamp(1)), day, true));
    assert!(ends_baseline(Some(Timestamp(0)), day, true));
}

// F5
#[test]
fn placeholders_are_no_dates() {
    let now = Timestamp(1_772_366_400_000);
    let believed = |at: i64| believable(Some(Timestamp(at)), now).is_some();
    assert!(believed(946_684_800_000) && !believed(946_684_799_999));
    assert!(believed(now.plus(LATEST_DATE).0) && !believed(now.plus(LATEST_DATE).0 + 1));
    for none in [i64::MIN, -62_135_596_800_000, 0, 1, i64::MAX] {
        assert!(!believed(none), "{none}");
    }
}
