//! The model and the store of SQLite are one: any sequence of operations is answered alike, leaves alike, and
//! keeps what always holds.
//!
//! The sequences are the same in every run of a tier. `MODEL_CASES` asks for more of them, `MODEL_SEED` for others.

use super::invariants::Watch;
use super::observed::{details, observe};
use super::ops::Op;
use super::sequences::sequences;
use super::twin::Twin;
use super::world;
use crate::harness::folder;
use crate::tier;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use review_bridge::intake::Plan;
use review_bridge::store::Store;
use review_bridge::store::sqlite::{Access, SqliteStore};

/// The operations of a sequence.
const OPERATIONS: usize = 40;
/// After so many operations the details are compared, too; they cost the most.
const DETAILS: usize = 16;

/// Does all of `ops` to both stores, and compares them after each.
pub async fn compare(ops: &[Op], plans: &[[Plan; 2]; 2]) {
    let folder = folder();
    let sqlite = SqliteStore::open(&folder.path().join("state.db"), Access::Beside).await.unwrap();
    let mut twin = Twin::new(sqlite, plans);
    let mut watch = Watch::default();
    for (number, op) in ops.iter().enumerate() {
        twin.apply(op).await;
        let (ours, theirs) = (observe(&twin.model).await, observe(&twin.sqlite).await);
        assert_eq!(ours, theirs, "the model, then SQLite, after {op:?}");
        twin.model.with(|state| watch.check(op, state, &ours)).unwrap();
        if number % DETAILS == 0 || number + 1 == ops.len() {
            let ids: Vec<String> =
                twin.model.with(|state| state.message_ids.keys().map(|id| id.to_string()).collect()).unwrap();
            let theirs = details(&twin.sqlite, &theirs, &ids).await;
            assert_eq!(
                details(&twin.model, &ours, &ids).await,
                theirs,
                "the model, then SQLite, after {op:?}"
            );
        }
    }
    twin.sqlite.close().await;
}

fn setting(name: &str, usual: u32) -> u32 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

#[test]
fn the_model_and_sqlite_are_one() {
    let (seed, cases) = tier::sequences();
    let (seed, cases) = (setting("MODEL_SEED", seed), setting("MODEL_CASES", cases));
    let plans = world::plans();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let config = Config { cases, failure_persistence: None, max_shrink_iters: 2_000, ..Config::default() };
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let result = TestRunner::new_with_rng(config, rng).run(&sequences(OPERATIONS), |ops| {
        runtime.block_on(compare(&ops, &plans));
        Ok(())
    });
    if let Err(failure) = result {
        panic!("{failure}");
    }
}
