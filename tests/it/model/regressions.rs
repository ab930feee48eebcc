//! Sequences that once told the stores apart or broke a rule, in the fewest operations.

use super::equality::compare;
use super::ops::{Ended, Marked, Op, Says, Wish};
use super::world;

/// A review of rating 1, so that `chat` is told; with a text `daily` is told, too.
const BAD: Says = Says { uuid: 0, rating: 0, text: 0, author: 0, source: 0, age: 0 };

fn page(account: u8, says: Says) -> Op {
    Op::Page { account, says: vec![says], malformed: false }
}

fn send(ended: Ended) -> Op {
    Op::Send { limit: 9, ended }
}

fn said(says: Says) -> Op {
    page(0, Says { text: 1, ..says })
}

fn digest() -> Op {
    Op::Digest { send_empty: false, recipients: 3 }
}

async fn run(ops: &[Op]) {
    compare(ops, &world::plans()).await;
}

#[tokio::test]
async fn a_digest_repeats_what_the_one_it_folds_in_may_have_told() {
    let lost = Ended::Retry { ambiguous: true, hold: false };
    run(&[Op::Names(0), said(BAD), digest(), send(lost), digest(), send(Ended::Delivered)]).await;
}

#[tokio::test]
async fn a_pause_that_a_clock_set_back_lies_before_takes_nothing_off_earlier_ones() {
    let pause = |paused| Op::Pause { destination: 0, paused };
    let pauses = [pause(true), Op::Clock(5_000), pause(false), pause(true), Op::Clock(-900)];
    let told = [Op::Names(0), page(0, BAD), send(Ended::Dead)];
    run(&[&pauses[..], &told].concat()).await;
    let retried = [Op::Wish { wish: Wish::Retry, deliveries: u32::MAX }, send(Ended::Delivered)];
    let told = [Op::Names(0), page(0, BAD), send(Ended::Dead)];
    run(&[&told[..], &pauses, &retried].concat()).await;
}

/// An edit that settles, and that no rule wants, while what was told before it is not settled.
fn unwanted_edit() -> Vec<Op> {
    let wait = Op::RouteWaiting { account: 1, limit: 9 };
    let edited = page(1, Says { rating: 1, ..BAD });
    let told = [Op::Names(1), page(1, BAD), Op::Clock(5_000), wait.clone()];
    let back = [Op::Clock(-900), edited, Op::Clock(5_000)];
    [&told[..], &back, &[wait]].concat()
}

#[tokio::test]
async fn what_no_rule_wants_any_more_is_not_marked_before_earlier_deliveries_are_settled() {
    run(&unwanted_edit()).await;
    let again = page(1, Says { rating: 1, text: 0, author: 1, ..BAD });
    let rerouted = Op::RouteAgain { account: 1, reviews: u16::MAX };
    run(&[unwanted_edit(), vec![again, rerouted, send(Ended::Delivered)]].concat()).await;
}

#[tokio::test]
async fn an_edit_of_what_waits_for_another_digest_is_none_of_something_new() {
    let edited = said(Says { rating: 1, ..BAD });
    let daily = Op::Lease { destination: 2, limit: 9, notices: false, only: None };
    let ended = |ended| Op::Settle { which: 1, many: 9, ended, forget: true };
    let told = [Op::Names(0), said(BAD), digest(), daily];
    let resent = Op::Wish { wish: Wish::Resend, deliveries: u32::MAX };
    run(&[&told[..], &[ended(Ended::Delivered), resent, edited.clone()]].concat()).await;
    let failed = Ended::Retry { ambiguous: false, hold: false };
    run(&[&told[..], &[ended(failed), digest(), edited]].concat()).await;
}

#[tokio::test]
async fn what_was_superseded_before_its_digest_was_sent_is_still_new() {
    let other = said(Says { uuid: 1, ..BAD });
    let daily = Op::Lease { destination: 2, limit: 9, notices: false, only: None };
    let edits = [1, 2].map(|rating| said(Says { rating, ..BAD }));
    let [edit, again] = edits;
    run(&[Op::Names(0), said(BAD), other, digest(), edit, daily, again]).await;
}

#[tokio::test]
async fn a_mark_that_is_never_made_keeps_no_text() {
    let gone = [Op::EndListing(0), Op::EndListing(0), Op::EndListing(0)];
    let old = [Op::Clock(7_200_000), Op::ExpireOld { age: 0, limit: 9 }];
    let marked = Op::Marks { account: 0, at_once: true, marked: Marked::Done };
    let told = [Op::Names(0), page(0, BAD), send(Ended::Delivered)];
    run(&[&told[..], &gone, &old, &[marked]].concat()).await;
}
