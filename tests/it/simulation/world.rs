//! The truth: reviews as ShopReviews has them, what arrived where, and which faults are due.

use review_bridge::clock::Clock;
use review_bridge::domain::{NativeRating, Review, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// What a customer said: a rating and a text.
pub type Said = (i64, Option<String>);
/// Somebody who is to be told: a destination and one of its recipients.
pub type Reader = (&'static str, &'static str);

/// Every destination with its recipients.
pub const READERS: [Reader; 6] = [
    ("support", ""),
    ("people", "a@shop.example"),
    ("people", "b@shop.example"),
    ("crm", ""),
    ("owner", ""),
    ("ops", ""),
];

/// Who is to hear of a review, by the rules of `bridge::CONFIG`, worked out once more in other words.
pub fn readers_of((rating, text): &Said) -> Vec<Reader> {
    let mut readers = Vec::new();
    if *rating <= 2 {
        readers.extend(&READERS[0..3]);
    }
    if text.is_some() {
        readers.push(READERS[3]);
    }
    if *rating >= 4 {
        readers.push(READERS[4]);
    }
    readers
}

/// A review as ShopReviews has it.
#[derive(Clone, Debug)]
pub struct Truth {
    /// What was said, edit by edit.
    pub said: Vec<Said>,
    pub source: usize,
    pub unread: bool,
    /// What it says now was marked read before the bridge could see it, by somebody in ShopReviews or by a mark.
    pub read_elsewhere: bool,
    /// Its payload is one that `support` refuses.
    pub refused: bool,
}

impl Truth {
    pub fn now(&self) -> &Said {
        self.said.last().unwrap()
    }
}

/// A message that arrived.
#[derive(Clone, Debug)]
pub struct Arrival {
    pub reader: Reader,
    pub message: String,
    pub repeat: bool,
    pub told: Vec<(String, Said)>,
}

/// What can go wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    LostBefore,
    LostAfter,
    Delayed,
    Duplicated,
    Truncated,
    /// The API has lost its list for a moment: it says that it is empty.
    Emptied,
    SlowDown,
    ServerError,
    TokenExpired,
    StoreBefore,
    StoreAfter,
    Outage,
    Broken,
    ClockStep,
    Restart,
    Drift,
}

/// The world of one week.
pub struct World {
    pub clock: Clock,
    pub random: fastrand::Rng,
    /// For the calls of the state: on SQLite they take real time, and sends go on meanwhile, so that chance must not
    /// hang on which of them asks first.
    pub state_random: fastrand::Rng,
    /// True time since the start.
    pub passed: Duration,
    /// How likely a call is to go wrong, in 0..1; none once the world is calm.
    pub malice: f64,
    pub calm: bool,
    pub reviews: BTreeMap<String, Truth>,
    pub api_down: bool,
    pub down: BTreeSet<&'static str>,
    pub broken: BTreeSet<&'static str>,
    /// What the bridge may know a review to say: as it was listed, and taken in for certain or perhaps.
    pub known: BTreeMap<String, Vec<Said>>,
    /// Listed during the step of the moment.
    pub listing: Vec<(String, Said)>,
    pub arrivals: Vec<Arrival>,
    /// Arrivals of which the bridge was not told, or whose record was lost.
    pub ambiguous: BTreeMap<(Reader, String), usize>,
    pub marks: Vec<String>,
    pub faults: BTreeMap<Fault, u64>,
    pub violations: Vec<String>,
    /// What a person gave up.
    pub discarded: BTreeSet<(String, Reader)>,
    pub page_size: usize,
    pub loud: bool,
}

impl World {
    pub fn new(seed: u64, start: Timestamp, loud: bool) -> Self {
        let mut random = fastrand::Rng::with_seed(seed);
        let malice = *random.choice(&[0.0, 0.02, 0.1, 0.3]).unwrap();
        let page_size = random.usize(2..8);
        Self {
            clock: Clock::manual(start),
            state_random: random.fork(),
            random,
            passed: Duration::ZERO,
            malice,
            calm: false,
            reviews: BTreeMap::new(),
            api_down: false,
            down: BTreeSet::new(),
            broken: BTreeSet::new(),
            known: BTreeMap::new(),
            listing: Vec::new(),
            arrivals: Vec::new(),
            ambiguous: BTreeMap::new(),
            marks: Vec::new(),
            faults: BTreeMap::new(),
            violations: Vec::new(),
            discarded: BTreeSet::new(),
            page_size,
            loud,
        }
    }

    /// Time passes.
    pub fn pass(&mut self, by: Duration) {
        self.passed += by;
        self.clock.advance(by);
    }

    pub fn tell(&self, what: impl FnOnce() -> String) {
        if self.loud {
            println!("{:>10.3} h  {}", self.passed.as_secs_f64() / 3600.0, what());
        }
    }

    pub fn violation(&mut self, what: String) {
        self.tell(|| format!("VIOLATION {what}"));
        self.violations.push(what);
    }

    pub fn count(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
        self.tell(|| format!("fault {fault:?}"));
    }

    /// Whether this call goes wrong, and how.
    pub fn draw(&mut self, of: &[Fault]) -> Option<Fault> {
        if self.calm || self.random.f64() >= self.malice {
            return None;
        }
        let fault = *self.random.choice(of)?;
        self.count(fault);
        Some(fault)
    }

    /// The unread list, newest first.
    pub fn unread(&self) -> Vec<&String> {
        self.reviews.iter().rev().filter(|(_, truth)| truth.unread).map(|(uuid, _)| uuid).collect()
    }

    /// A review as the API lists it.
    pub fn item(&self, uuid: &str) -> Review {
        let truth = &self.reviews[uuid];
        let (rating, text) = truth.now().clone();
        Review {
            account: "main".into(),
            uuid: uuid.to_owned(),
            rating: NativeRating::Number(rating as f64),
            text,
            source_uuid: Some(format!("source-{}", truth.source)),
            ..Review::default()
        }
    }

    /// The step in which reviews were listed is over; whether they were taken in is certain if it went `well`.
    pub fn listed(&mut self, well: bool) {
        for (uuid, said) in std::mem::take(&mut self.listing) {
            let known = self.known.entry(uuid).or_default();
            if well {
                known.clear();
            }
            known.push(said);
        }
    }

    pub fn has_arrived(&self, reader: Reader, uuid: &str, said: &Said) -> bool {
        self.arrivals.iter().any(|one| {
            one.reader == reader && one.told.iter().any(|(told, what)| told == uuid && what == said)
        })
    }

    /// The API takes a mark: nobody who was to hear of it may be left untold.
    pub fn mark(&mut self, uuid: &str) {
        self.tell(|| format!("marked {uuid}"));
        let known = self.known.get(uuid).cloned().unwrap_or_default();
        let told = |said: &Said| {
            let readers = readers_of(said);
            let settled = |reader: &Reader| {
                self.has_arrived(*reader, uuid, said)
                    || self.discarded.contains(&(uuid.to_owned(), *reader))
                    || (reader.0 == "crm" && self.reviews[uuid].read_elsewhere)
            };
            readers.iter().all(settled)
        };
        if !known.iter().any(told) {
            self.violation(format!("{uuid} was marked before all were told of {known:?}"));
        }
        if let Some(truth) = self.reviews.get_mut(uuid) {
            truth.unread = false;
            // An edit made after the last listing goes with the mark: nobody can see it on the list any more.
            truth.read_elsewhere |= !known.contains(truth.now());
        }
        self.marks.push(uuid.to_owned());
    }
}
