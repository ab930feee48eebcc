//! Crash at every step: a scenario with all kinds of destination, edits, digests and marks, in which a call of the
//! state fails, or the process ends at it.
//!
//! A process that ends before a call leaves what one leaves that ended after the call before it, unless something
//! was done elsewhere in between that the call records: those methods are [`RECORDS`]. In `cargo test` the process is
//! dropped where it is after every third call, a real one dies before and after one call of each method, and every
//! twelfth call fails; in the full tier all that happens at every call.

mod process;
mod scenario;

use crate::tier;
use process::{Ended, StoreFault, dies, fate};
use scenario::{ROUNDS, Scenario};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

/// What records what was done elsewhere: listed, sent, marked.
const RECORDS: &[&str] = &["intake", "settle", "record_marks"];

/// A call of the state: the how-manieth of its method in a round, from 1.
#[derive(Clone, Copy, Debug)]
struct Step {
    round: u32,
    method: &'static str,
    number: u32,
}

/// All calls of the scenario, in their order.
async fn steps() -> Vec<Step> {
    let scenario = Scenario::new().await;
    let mut steps = Vec::new();
    for round in 0..ROUNDS {
        scenario.before_round(round);
        let called = Arc::new(Mutex::new(Vec::new()));
        let calls = called.clone();
        let ended = scenario.process(Box::new(move |method| {
            calls.lock().unwrap().push(method);
            None
        }));
        assert_eq!(ended.await, Ended::Well);
        let mut numbers = BTreeMap::new();
        for method in called.lock().unwrap().iter().copied() {
            let number: &mut u32 = numbers.entry(method).or_default();
            *number += 1;
            steps.push(Step { round, method, number: *number });
        }
    }
    scenario.holds_in_the_end("nothing happens").await;
    assert!(steps.len() > 100, "the scenario does something: {}", steps.len());
    steps
}

/// Runs the scenario with one fault; whether it came to pass. What is sent at a time is settled in as many commits
/// as the answers' order makes of it, so that a process may end a call or two earlier than the one that was counted,
/// and then it ends well.
async fn happens(step: Step, fault: StoreFault) -> bool {
    let scenario = Scenario::new().await;
    let context = format!("{step:?} {fault:?}");
    let Step { method, number, .. } = step;
    let mut happened = false;
    for round in 0..ROUNDS {
        scenario.before_round(round);
        if round == step.round {
            happened = match fault {
                StoreFault::AbortBefore | StoreFault::AbortAfter => {
                    dies(&scenario.config(), scenario.now(), method, number, fault).await
                }
                _ => scenario.process(fate(method, number, fault)).await != Ended::Well,
            };
            if happened && fault == StoreFault::AbortAfter && RECORDS.contains(&method) {
                assert!(scenario.has_log(), "{context}: what was done is in the log of the state only");
            }
            scenario.nothing_is_marked_early(&context);
        }
        scenario.calm_process().await;
        scenario.nothing_is_marked_early(&context);
    }
    scenario.holds_in_the_end(&context).await;
    happened
}

async fn at_each(steps: impl IntoIterator<Item = Step>, fault: StoreFault) {
    let (mut all, mut happened) = (0_usize, 0_usize);
    for step in steps {
        all += 1;
        happened += usize::from(happens(step, fault).await);
    }
    println!("{fault:?}: {happened} of {all}");
    // How many commits settle what is sent depends on the order of the answers: the last calls of a round may be missed.
    let missed = all / 4;
    assert!(happened + missed >= all && happened > 0, "only {happened} of {all}, {fault:?}");
}

/// Of `steps` the last of each method, and those that `named` names by their number.
fn chosen(steps: &[Step], named: fn(u32) -> bool) -> Vec<Step> {
    let mut last = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        // The last round has all there is: edits, what waits, a digest.
        last.insert(step.method, index);
    }
    let is_chosen =
        |index: usize| named(u32::try_from(index).unwrap()) || last.get(steps[index].method) == Some(&index);
    (0..steps.len()).filter(|index| is_chosen(*index)).map(|index| steps[index]).collect()
}

#[tokio::test]
async fn the_state_fails_before_its_calls() {
    at_each(chosen(&steps().await, tier::fails_at), StoreFault::Before).await;
}

#[tokio::test]
async fn the_state_fails_after_its_calls() {
    at_each(chosen(&steps().await, tier::fails_at), StoreFault::After).await;
}

#[tokio::test]
async fn the_process_dies_after_each_call_of_the_state() {
    at_each(chosen(&steps().await, tier::stops_at), StoreFault::StopAfter).await;
}

#[tokio::test]
async fn the_process_dies_before_each_call_that_records_what_was_done() {
    let records = steps().await.into_iter().filter(|step| RECORDS.contains(&step.method));
    at_each(records, StoreFault::StopBefore).await;
}

#[tokio::test]
async fn a_real_process_dies_before_calls_of_each_method() {
    at_each(chosen(&steps().await, tier::dies_at), StoreFault::AbortBefore).await;
}

#[tokio::test]
async fn a_real_process_dies_after_calls_of_each_method() {
    at_each(chosen(&steps().await, tier::dies_at), StoreFault::AbortAfter).await;
}
