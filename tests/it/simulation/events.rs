//! What happens in the world in a week, drawn from the seed beforehand.

use super::fakes::SharedWorld;
use super::world::{Fault, Said, Truth, World};
use std::time::Duration;

const HOUR: u64 = 3600;
pub const WEEK: u64 = 7 * 24 * HOUR;

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Event {
    Review { uuid: String, truth: Truth },
    Edit { uuid: String, said: Said },
    ReadElsewhere { uuid: String },
    Api { down: bool },
    Down { destination: &'static str, down: bool },
    Broken { destination: &'static str, broken: bool },
    Pause { destination: &'static str, paused: bool },
    Step { by_ms: i64 },
    Kill,
    Discard,
}

fn said(random: &mut fastrand::Rng, word: &str) -> Said {
    let rating = *random.choice(&[1, 1, 2, 3, 4, 5, 5, 5]).unwrap();
    (rating, random.bool().then(|| format!("text {word}")))
}

/// The events of a week, in order.
pub fn week(world: &mut World) -> Vec<(Duration, Event)> {
    let random = &mut world.random;
    let mut events = Vec::new();
    let mut add = |at: u64, event: Event| events.push((Duration::from_secs(at), event));
    for number in 0..random.u64(5..50) {
        let at = random.u64(0..WEEK - 24 * HOUR);
        let uuid = format!("r{number:02}");
        let truth = Truth {
            said: vec![said(random, &uuid)],
            source: random.usize(0..3),
            unread: true,
            read_elsewhere: false,
            refused: random.u8(0..20) == 0,
        };
        add(at, Event::Review { uuid: uuid.clone(), truth });
        for edit in 0..random.u64(0..3) {
            let later = at + random.u64(1..12 * HOUR);
            add(
                later,
                Event::Edit { uuid: uuid.clone(), said: said(random, &format!("{uuid} edit {edit}")) },
            );
        }
        if random.u8(0..8) == 0 {
            add(at + random.u64(1..6 * HOUR), Event::ReadElsewhere { uuid });
        }
    }
    for _ in 0..random.u64(0..4) {
        let (from, length) = (random.u64(0..WEEK), random.u64(60..8 * HOUR));
        add(from, Event::Api { down: true });
        add(from + length, Event::Api { down: false });
    }
    for destination in ["support", "people", "crm", "owner"] {
        for _ in 0..random.u64(0..3) {
            let (from, length) = (random.u64(0..WEEK), random.u64(60..20 * HOUR));
            let events = match random.u8(0..3) {
                0 => [Event::Down { destination, down: true }, Event::Down { destination, down: false }],
                1 => [
                    Event::Broken { destination, broken: true },
                    Event::Broken { destination, broken: false },
                ],
                _ => {
                    [Event::Pause { destination, paused: true }, Event::Pause { destination, paused: false }]
                }
            };
            let [start, end] = events;
            add(from, start);
            add(from + length, end);
        }
    }
    for _ in 0..random.u64(0..3) {
        let far = *random.choice(&[2, 30, 24 * 365]).unwrap() * 3_600_000;
        let by_ms = if random.bool() { far } else { -far };
        let from = random.u64(0..WEEK);
        add(from, Event::Step { by_ms });
        if random.bool() {
            add(from + random.u64(1..24 * HOUR), Event::Step { by_ms: -by_ms });
        }
    }
    for _ in 0..random.u64(0..6) {
        add(random.u64(0..WEEK), Event::Kill);
    }
    for _ in 0..random.u64(0..3) {
        add(random.u64(0..WEEK), Event::Discard);
    }
    events.sort_by_key(|(at, _)| *at);
    events
}

/// Lets an event of the world itself happen; `false` where it is one of the bridge's.
pub fn happen(world: &mut World, event: &Event) -> bool {
    world.tell(|| format!("{event:?}"));
    match event {
        Event::Review { uuid, truth } => {
            world.reviews.insert(uuid.clone(), truth.clone());
        }
        Event::Edit { uuid, said } => {
            // An edit shows on the list again, where it shows at all.
            if let Some(truth) = world.reviews.get_mut(uuid)
                && truth.now() != said
            {
                truth.said.push(said.clone());
                truth.unread = true;
                truth.read_elsewhere = false;
            }
        }
        Event::ReadElsewhere { uuid } => {
            if let Some(truth) = world.reviews.get_mut(uuid)
                && truth.unread
            {
                truth.unread = false;
                truth.read_elsewhere = true;
            }
        }
        Event::Api { down } => {
            world.api_down = *down;
            world.count(Fault::Outage);
        }
        Event::Down { destination, down } => {
            match down {
                true => world.down.insert(destination),
                false => world.down.remove(destination),
            };
            world.count(Fault::Outage);
        }
        Event::Broken { destination, broken } => {
            match broken {
                true => world.broken.insert(destination),
                false => world.broken.remove(destination),
            };
            world.count(Fault::Broken);
        }
        Event::Step { by_ms } => {
            world.clock.step(*by_ms);
            world.count(Fault::ClockStep);
        }
        Event::Pause { .. } | Event::Kill | Event::Discard => return false,
    }
    true
}

/// Between two pages of a listing somebody reads a review, so that the pages shift.
pub fn drift(world: &SharedWorld) {
    let mut world = world.lock().unwrap();
    if world.draw(&[Fault::Drift]).is_none() {
        return;
    }
    let unread: Vec<String> = world.unread().into_iter().cloned().collect();
    let index = world.random.usize(0..unread.len().max(1));
    if let Some(truth) = unread.get(index).cloned().and_then(|uuid| world.reviews.get_mut(&uuid)) {
        truth.unread = false;
        truth.read_elsewhere = true;
    }
}
