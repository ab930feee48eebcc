//! A configuration that cannot be used: all its problems.

use crate::settings::Problem;
use std::fmt;
use std::path::PathBuf;

/// More problems than this are counted, not listed.
const LISTED: usize = 100;

/// Every problem of a configuration.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    /// At least one, in the order found.
    pub problems: Vec<Problem>,
    /// The paths whose changes may fix it: as [`super::Loaded::watched`], as far as known.
    pub watched: Vec<PathBuf>,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => write!(f, "the configuration has 1 problem")?,
            count => write!(f, "the configuration has {count} problems")?,
        }
        for problem in self.problems.iter().take(LISTED) {
            write!(f, "\n  {}", problem.to_string().replace('\n', "\n  "))?;
        }
        match self.problems.len().saturating_sub(LISTED) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}

/// Without what is watched: a secret may have been written where the name of its file belongs.
impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Failure").field("problems", &self.problems).finish_non_exhaustive()
    }
}

impl std::error::Error for Failure {}
