//! All integration tests, in one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods, missing_docs)]

mod browser;
mod bursts;
mod cli;
mod crash;
mod crash_steps;
mod demo;
mod digests;
mod docs;
mod edits;
mod faults;
mod fuzz_seeds;
mod harness;
mod marks;
mod messages;
mod model;
mod mta;
mod network;
mod oracles;
mod outbound;
mod paging;
mod pipeline;
mod properties;
mod reload;
mod retention;
mod sick_state;
mod silence;
mod simulation;
mod start;
mod state;
mod style;
mod tidy;
#[path = "../tier/mod.rs"]
mod tier;
mod trouble;
mod upgrade;
mod wall_clock;
mod zz_summary;
