//! How much the tests try: every promise in each tier, and more cases of it in some. The only place that says how
//! many.
//!
//! `REVIEW_BRIDGE_TEST_TIER` is `quick` (the default: plain `cargo test`), `full` (`just test-full`), or `slice`: one
//! of [`SLICES`] parts of what the full tier has beyond the quick one, the part that `REVIEW_BRIDGE_TEST_SLICE` names.
//! All slices together are the full tier. `tests/tier/run` starts the last two.
#![allow(dead_code, reason = "the unit tests and the integration tests use a part of it each")]
#![allow(clippy::disallowed_methods, reason = "it reads the environment of tests")]

use std::ops::Range;
use std::sync::LazyLock;

/// The parts that the full tier is cut into.
pub const SLICES: u64 = 24;

/// How much is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tier {
    Quick,
    Slice(u64),
    Full,
}

static TIER: LazyLock<Tier> = LazyLock::new(|| {
    let text = |name: &str| std::env::var(name).ok();
    match text("REVIEW_BRIDGE_TEST_TIER").as_deref() {
        None | Some("quick") => Tier::Quick,
        Some("full") => Tier::Full,
        Some("slice") => {
            let slice = text("REVIEW_BRIDGE_TEST_SLICE").map_or(0, |text| text.parse().expect("a number"));
            assert!(slice < SLICES, "REVIEW_BRIDGE_TEST_SLICE is below {SLICES}");
            Tier::Slice(slice)
        }
        Some(other) => panic!("REVIEW_BRIDGE_TEST_TIER is quick, slice or full, and not {other}"),
    }
});

impl Tier {
    /// The cases that are tried, of those that are numbered from 0 to `full`: the first `quick` of them are the
    /// quick tier's.
    fn cases(self, quick: u64, full: u64) -> Range<u64> {
        let start = |slice: u64| quick + (full - quick) * slice / SLICES;
        match self {
            Self::Quick => 0..quick,
            Self::Slice(slice) => start(slice)..start(slice + 1),
            Self::Full => 0..full,
        }
    }
}

/// Seeds of simulated weeks on the model of the state.
pub fn weeks_on_the_model() -> Range<u64> {
    TIER.cases(80, 1_000)
}

/// Seeds of simulated weeks on SQLite.
pub fn weeks_on_sqlite() -> Range<u64> {
    TIER.cases(3, 67)
}

/// Seeds of simulated weeks that are lived twice and compared.
pub fn weeks_compared() -> Range<u64> {
    TIER.cases(3, 35)
}

/// Numbers of hostile texts, each of which is sent to one of so many kinds.
pub fn hostile_texts(kinds: usize) -> Range<u64> {
    TIER.cases(2_000, 10_000 * u64::try_from(kinds).expect("a few"))
}

/// Numbers of hostile texts, each of which is sent to each kind.
pub fn hostile_texts_for_each() -> Range<u64> {
    TIER.cases(500, 10_000)
}

/// Random sequences of operations on the model and on SQLite: their seed, and how many.
pub fn sequences() -> (u32, u32) {
    match *TIER {
        Tier::Quick => (1, 64),
        Tier::Slice(slice) => (2 + u32::try_from(slice).expect("a few"), 100),
        Tier::Full => (1, 1_000),
    }
}

/// Cases of a property that takes files and processor time; the quick tier tries a quarter.
pub fn properties(full: u32) -> u32 {
    if *TIER == Tier::Full { full } else { full.div_ceil(4) }
}

/// Whether a real process dies at the call `number` of the state, beside one call of each method.
pub fn dies_at(number: u32) -> bool {
    match *TIER {
        Tier::Quick => false,
        Tier::Slice(slice) => u64::from(number) % SLICES == slice,
        Tier::Full => true,
    }
}

/// Whether the process stops at the call `number` of the state, beside one call of each method.
pub fn stops_at(number: u32) -> bool {
    match *TIER {
        Tier::Quick => number.is_multiple_of(3),
        Tier::Slice(slice) => u64::from(number) % SLICES == slice,
        Tier::Full => true,
    }
}

/// Whether the call `number` of the state fails, beside one call of each method.
pub fn fails_at(number: u32) -> bool {
    match *TIER {
        Tier::Quick => number.is_multiple_of(12),
        Tier::Slice(slice) => u64::from(number) % SLICES == slice,
        Tier::Full => true,
    }
}

#[test]
fn the_quick_tier_and_all_slices_are_the_full_tier() {
    for (quick, full) in [(80, 1_000), (6, 70), (2_000, 70_000), (3, 10)] {
        let slices = (0..SLICES).map(Tier::Slice);
        let tried: Vec<u64> =
            [Tier::Quick].into_iter().chain(slices).flat_map(|tier| tier.cases(quick, full)).collect();
        assert_eq!(tried, Tier::Full.cases(quick, full).collect::<Vec<_>>());
    }
}
