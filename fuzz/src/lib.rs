//! What must hold for any input. Each module is one target: the fuzzer hands its `check` whatever it makes up,
//! `tests/it/fuzz_seeds.rs` the files of `seeds/` and `regressions/`.
//!
//! A check panics where something does not hold. It names only what the library makes public.

pub mod api_body;
pub mod config_file;
pub mod escape;
pub mod normalise;

/// What a target does with an input.
pub type Check = fn(&[u8]);

/// Every target by its name.
pub static TARGETS: &[(&str, Check)] = &[
    ("api_body", api_body::check),
    ("config_file", config_file::check),
    ("escape", escape::check),
    ("normalise", normalise::check),
];
