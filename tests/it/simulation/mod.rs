//! Deterministic simulation: the real poller, intake, rules, outbox, digests, retry and marks live a week on a
//! simulated clock, with a simulated API and simulated destinations, whose faults are drawn from a seed.
//!
//! A seed that fails is printed; `SIMULATION_SEED=17 cargo test --test it simulation` lives that week again, on
//! the model and on SQLite, with every event told.

mod bridge;
mod events;
mod fakes;
mod oracle;
mod run;
mod world;
