//! Random sequences of operations: mostly what happens all the time, sometimes what people do.

use super::ops::{Ended, Marked, Op, Says, Wish};
use proptest::prelude::*;

fn says() -> impl Strategy<Value = Says> {
    (0..6_u8, 0..3_u8, 0..3_u8, 0..2_u8, 0..3_u8, 0..4_u8).prop_map(
        |(uuid, rating, text, author, source, age)| Says { uuid, rating, text, author, source, age },
    )
}

fn ended() -> impl Strategy<Value = Ended> {
    prop_oneof![
        6 => Just(Ended::Delivered),
        3 => any::<(bool, bool)>().prop_map(|(ambiguous, hold)| Ended::Retry { ambiguous, hold }),
        1 => Just(Ended::Plain),
        2 => Just(Ended::Dead),
        1 => Just(Ended::GaveUp),
        1 => Just(Ended::Broken),
        1 => Just(Ended::Repaired),
        1 => Just(Ended::Quota),
        2 => Just(Ended::TooLarge),
    ]
}

fn wish() -> impl Strategy<Value = Wish> {
    prop_oneof![
        2 => Just(Wish::Retry),
        2 => Just(Wish::Resend),
        1 => Just(Wish::Discard),
        1 => (0..3_u8, any::<bool>()).prop_map(|(to, at_once)| Wish::Move(to, at_once)),
    ]
}

/// Moves of the clock, in milliseconds: mostly on, sometimes a little back.
fn moves() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => prop_oneof![Just(1), Just(700), Just(5_000), Just(61_000), Just(7_200_000)],
        1 => prop_oneof![Just(-1), Just(-900)],
    ]
}

/// What happens to reviews and messages most of the time.
fn usual() -> impl Strategy<Value = Op> {
    let page = (0..2_u8, prop::collection::vec(says(), 1..5), prop::bool::weighted(0.1))
        .prop_map(|(account, says, malformed)| Op::Page { account, says, malformed });
    let lease = (0..6_u8, 1..4_u32, prop::bool::weighted(0.1), prop::option::weighted(0.1, any::<u8>()))
        .prop_map(|(destination, limit, notices, only)| Op::Lease { destination, limit, notices, only });
    let settle = (0..8_u8, 1..8_u8, ended(), prop::bool::weighted(0.9))
        .prop_map(|(which, many, ended, forget)| Op::Settle { which, many, ended, forget });
    prop_oneof![
        5 => moves().prop_map(Op::Clock),
        6 => page,
        4 => (0..2_u8).prop_map(Op::EndListing),
        4 => (0..2_u8, 1..8_u32).prop_map(|(account, limit)| Op::RouteWaiting { account, limit }),
        4 => lease,
        4 => settle,
        8 => (1..6_u32, ended()).prop_map(|(limit, ended)| Op::Send { limit, ended }),
        1 => Just(Op::Expire),
        4 => pace(),
        3 => any::<(bool, u8)>().prop_map(|(send_empty, recipients)| Op::Digest { send_empty, recipients }),
        4 => (0..2_u8, any::<bool>(), marked()).prop_map(|(account, at_once, marked)| Op::Marks { account, at_once, marked }),
    ]
}

fn pace() -> impl Strategy<Value = Op> {
    (0..8_u8, 1..3_u32, prop::bool::weighted(0.2), prop::bool::weighted(0.3))
        .prop_map(|(destination, limit, opened, gather)| Op::Pace { destination, limit, opened, gather })
}

fn marked() -> impl Strategy<Value = Marked> {
    prop_oneof![3 => Just(Marked::Done), 1 => Just(Marked::Failed), 1 => Just(Marked::Misconfigured), 1 => Just(Marked::Refused)]
}

/// What people and the passing of time do.
fn rare() -> impl Strategy<Value = Op> {
    prop_oneof![
        1 => Just(Op::Recover),
        1 => prop_oneof![Just(7_200_000_i64), Just(-7_200_000)].prop_map(Op::Stepped),
        1 => any::<bool>().prop_map(Op::Rules),
        1 => (0..3_u8, any::<bool>()).prop_map(|(destination, paused)| Op::Pause { destination, paused }),
        1 => Just(Op::ProbeBroken),
        1 => Just(Op::ReleaseHeld),
        1 => any::<(bool, bool)>().prop_map(|(mail, daily)| Op::Regroup { mail, daily }),
        1 => prop_oneof![Just(7_u8), Just(6), Just(5), Just(3)].prop_map(|keep| Op::BuryRemoved { keep }),
        1 => (0..2_u8, any::<u16>()).prop_map(|(account, reviews)| Op::RouteAgain { account, reviews }),
        1 => any::<u16>().prop_map(Op::RequestMarks),
        1 => any::<u8>().prop_map(Op::Forget),
        6 => (wish(), any::<u32>()).prop_map(|(wish, deliveries)| Op::Wish { wish, deliveries }),
        1 => (0..3_u8, 1..4_u32).prop_map(|(age, limit)| Op::ExpireOld { age, limit }),
        1 => (0..2_u8).prop_map(Op::AbandonListing),
    ]
}

/// What stands beside the life of a review.
fn aside() -> impl Strategy<Value = Op> {
    prop_oneof![
        (0..2_u8).prop_map(Op::Names),
        any::<u8>().prop_map(Op::Window),
        any::<(u8, u8)>().prop_map(|(started, over)| Op::Tell { started, over }),
        (0..3_u8, 0..4_u8).prop_map(|(destination, which)| Op::Enqueue { destination, which }),
        (0..2_u8, 0..5_u8, 0..4_u32).prop_map(|(account, purpose, want)| Op::Requests {
            account,
            purpose,
            want
        }),
        (0..2_u8, prop_oneof![Just(900_i64), Just(5_000), Just(4_000_000)])
            .prop_map(|(account, ms)| Op::Hold { account, ms }),
        (0..2_u8).prop_map(Op::PollFailed),
        (0..2_u8, any::<bool>()).prop_map(|(account, fails)| Op::Endpoint { account, fails }),
        any::<u8>().prop_map(Op::TokenExpiry),
        (0..2_u8, prop::bool::weighted(0.2)).prop_map(|(account, ends)| Op::Baseline { account, ends }),
        Just(Op::Restart),
    ]
}

/// Much at once, to destinations that often fail: what bursts are made of.
fn storm() -> impl Strategy<Value = Op> {
    let page = (0..2_u8, prop::collection::vec(says(), 3..6)).prop_map(|(account, says)| Op::Page {
        account,
        says,
        malformed: false,
    });
    let failing = any::<(bool, bool)>().prop_map(|(ambiguous, hold)| Ended::Retry { ambiguous, hold });
    let again = prop_oneof![Just(Wish::Retry), Just(Wish::Resend)];
    prop_oneof![
        3 => page,
        1 => Just(Op::Clock(61_000)),
        3 => (1..3_u32, prop_oneof![2 => failing, 1 => ended()]).prop_map(|(limit, ended)| Op::Send { limit, ended }),
        3 => pace(),
        1 => (again, any::<u32>()).prop_map(|(wish, deliveries)| Op::Wish { wish, deliveries }),
    ]
}

/// Sequences of `count` operations; names are mostly loaded first.
pub fn sequences(count: usize) -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![6 => usual(), 4 => storm(), 2 => rare(), 1 => aside()];
    (prop::array::uniform2(prop::bool::weighted(0.9)), prop::collection::vec(op, count)).prop_map(
        |(loaded, ops)| {
            let names = [0, 1].into_iter().filter(|account| loaded[usize::from(*account)]);
            names.map(Op::Names).chain(ops).collect()
        },
    )
}
