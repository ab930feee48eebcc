//! What every module reads its settings with: typed access to a configuration table, problems with a dotted
//! path, durations and rates, secrets that cannot be printed.
//!
//! Knows no module's keys; `config` composes the modules' settings and owns files, layers and reports.

pub mod hint;
pub mod problem;
pub mod secret;
pub mod source;
pub mod table;
pub mod units;

pub use problem::{Problem, Problems};
pub use secret::Secret;
pub use source::{Source, Variable};
pub use table::Table;
pub use units::Rate;
