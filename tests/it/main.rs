//! All integration tests, in one binary.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

mod cli;
mod crash;
mod demo;
mod digests;
mod edits;
mod faults;
mod harness;
mod pipeline;
mod state;
mod trouble;
