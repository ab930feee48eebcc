//! The problems of a configuration, all together, each with its place and what to write instead.

use crate::domain::text::one_line;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fmt;

/// One problem of the configuration. Never contains the value of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The file or the environment variable.
    pub origin: String,
    /// The dotted path, such as `accounts.main.token`; empty for the whole.
    pub path: String,
    /// What is wrong.
    pub what: String,
    /// What to write.
    pub hint: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", one_line(&self.origin, 300))?;
        if !self.path.is_empty() {
            write!(f, ": `{}`", one_line(&self.path, 300))?;
        }
        write!(f, ": {}", one_line(&self.what, 1_000))?;
        if !self.hint.is_empty() {
            write!(f, "\n    {}", one_line(&self.hint, 2_000))?;
        }
        Ok(())
    }
}

/// Collects, while a configuration is read, its problems and which paths hold secrets, so that secrets are not
/// printed later.
#[derive(Debug, Default)]
pub struct Problems {
    found: RefCell<Vec<Problem>>,
    secrets: RefCell<BTreeSet<String>>,
}

impl Problems {
    /// Adds one.
    pub fn push(&self, problem: Problem) {
        self.found.borrow_mut().push(problem);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.found.borrow().is_empty()
    }

    /// All of them, in the order found.
    pub fn into_vec(self) -> Vec<Problem> {
        self.found.into_inner()
    }

    /// Notes that the dotted `path` holds a secret.
    pub fn note_secret(&self, path: String) {
        self.secrets.borrow_mut().insert(path);
    }

    /// Whether the dotted `path` was read as a secret.
    pub fn is_secret(&self, path: &str) -> bool {
        self.secrets.borrow().contains(path)
    }
}
