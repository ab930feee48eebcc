//! What must hold once the faults have stopped and the bridge has come to rest.

use super::world::{Fault, Reader, Said, World, readers_of};
use review_bridge::domain::DeliveryState;
use review_bridge::store::{DeliveryRow, ReviewRow, ReviewState};
use std::collections::BTreeMap;

/// Everything that is wrong.
pub fn violations(world: &World, rows: &[DeliveryRow], reviews: &[ReviewRow]) -> Vec<String> {
    let mut wrong = world.violations.clone();
    let states: BTreeMap<&str, ReviewState> = reviews.iter().map(|row| (&*row.uuid, row.state)).collect();

    for (uuid, truth) in &world.reviews {
        let readers = readers_of(truth.now());
        if truth.read_elsewhere || !states.contains_key(&**uuid) {
            // The bridge may never have seen it, or not what it says now.
            if !truth.read_elsewhere {
                wrong.push(format!("{uuid} is unread and unknown"));
            }
            continue;
        }
        for reader in &readers {
            if !world.has_arrived(*reader, uuid, truth.now()) && !excused(world, rows, uuid, *reader) {
                wrong.push(format!("{reader:?} was never told of {uuid} {:?}", truth.now()));
            }
        }
        let dead = rows.iter().any(|row| row.uuid == *uuid && row.state == DeliveryState::Dead);
        // Back to what it said when it was marked: a listing that shows it again shows no news.
        let unchanged =
            world.marks.contains(uuid) && truth.said.iter().filter(|said| *said == truth.now()).count() > 1;
        if truth.unread && !readers.is_empty() && !dead && !unchanged {
            wrong.push(format!("{uuid} was told and is not marked"));
        }
    }
    // A clock that is set while no process runs to see it is one that went on: then time may be up.
    let clock_was_set = world.faults.contains_key(&Fault::ClockStep);
    for state in states.values() {
        let expired = *state == ReviewState::Expired && !clock_was_set;
        if expired || matches!(state, ReviewState::Held | ReviewState::Settling) {
            wrong.push(format!("a review is left {}", state.as_str()));
        }
    }
    wrong.extend(unmatched(world));
    wrong.extend(repeats(world));
    for row in rows {
        if row.state == DeliveryState::Pending {
            wrong.push(format!("{} to {} is left pending", row.uuid, row.destination));
        }
        if row.state == DeliveryState::Dead && !world.reviews[&row.uuid].refused {
            wrong.push(format!("{} to {} is dead: {:?}", row.uuid, row.destination, row.reason));
        }
    }
    wrong
}

/// Whether the state says why somebody was not told.
fn excused(world: &World, rows: &[DeliveryRow], uuid: &str, reader: Reader) -> bool {
    let own =
        |row: &&DeliveryRow| row.uuid == uuid && row.destination == reader.0 && row.recipient == reader.1;
    let Some(newest) = rows.iter().filter(own).max_by_key(|row| row.revision) else { return false };
    match newest.state {
        DeliveryState::Dead => world.reviews[uuid].refused,
        DeliveryState::Discarded => world.discarded.contains(&(uuid.to_owned(), reader)),
        _ => false,
    }
}

/// Nothing reaches whom no rule sends it to.
fn unmatched(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    for arrival in &world.arrivals {
        for (uuid, said) in &arrival.told {
            let once_said = world.reviews.get(uuid).is_some_and(|truth| truth.said.contains(said));
            // An older delivery that still stands shows the newest revision, whether or not a rule wants that.
            let wanted = |said: &Said| readers_of(said).contains(&arrival.reader);
            let ever = world.reviews.get(uuid).is_some_and(|truth| truth.said.iter().any(wanted));
            if !once_said || !ever {
                wrong.push(format!("{:?} was told of {uuid} {said:?}, which is not for it", arrival.reader));
            }
        }
    }
    wrong
}

/// Nothing is told twice but what an ambiguous outcome leaves open, and then it says so.
fn repeats(world: &World) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut times: BTreeMap<(Reader, &str, &Said), usize> = BTreeMap::new();
    let mut messages: BTreeMap<(Reader, &str), Vec<bool>> = BTreeMap::new();
    for arrival in &world.arrivals {
        messages.entry((arrival.reader, &arrival.message)).or_default().push(arrival.repeat);
        for (uuid, said) in &arrival.told {
            *times.entry((arrival.reader, uuid, said)).or_default() += 1;
        }
    }
    for ((reader, uuid, said), count) in times {
        let versions = world.reviews[uuid].said.iter().filter(|one| *one == said).count();
        let ambiguous = world.ambiguous.get(&(reader, uuid.to_owned())).copied().unwrap_or(0);
        if count > versions + ambiguous {
            wrong
                .push(format!("{reader:?} was told {count} times of {uuid} {said:?}, {ambiguous} ambiguous"));
        }
    }
    for ((reader, message), repeats) in messages {
        if repeats.iter().skip(1).any(|repeat| !repeat) {
            wrong.push(format!("{message} to {reader:?} was repeated and does not say so"));
        }
    }
    wrong
}
