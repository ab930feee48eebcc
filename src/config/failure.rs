//! A configuration that cannot be used: all that is wrong with it.

use crate::settings::Problem;
use std::fmt;

/// More problems than this are counted, not listed.
const LISTED: usize = 100;

/// Every problem of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// At least one, in the order found.
    pub problems: Vec<Problem>,
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

impl std::error::Error for Failure {}
