//! Where the values of a configuration came from: one file, and variables of the environment above it.

use super::Problems;
use figment::value::{Tag, Value};
use std::cell::Cell;
use std::path::PathBuf;

/// What all tables of one configuration share.
#[derive(Debug)]
pub struct Source {
    /// Relative paths start here.
    pub folder: PathBuf,
    /// The name of the file in problems.
    pub file: String,
    /// The variables of the environment that set something.
    pub environment: Vec<Variable>,
    /// The problems found.
    pub problems: Problems,
}

/// A variable that sets a key. What it means depends on the key: a text key takes it verbatim, any other
/// reads it as TOML.
#[derive(Debug)]
pub struct Variable {
    /// Its name, as the environment has it.
    pub name: String,
    /// The tag of its text among the merged values.
    pub tag: Tag,
    /// What its text is as TOML, under a tag of its own; `None` where it is none.
    pub toml: Option<Value>,
    /// Whether a key read it as TOML.
    pub read_as_toml: Cell<bool>,
}

impl Source {
    /// The variable that set `value`: for a table, one that set something in it if the file set nothing.
    pub fn variable(&self, value: &Value) -> Option<&Variable> {
        match value {
            Value::Dict(_, dict) if !dict.is_empty() => {
                // Merging gives a table the tag of the last layer, even where most of it is the file's.
                let mut variables = dict.values().map(|value| self.variable(value));
                let first = variables.next().flatten();
                first.filter(|_| variables.all(|variable| variable.is_some()))
            }
            value => self.environment.iter().find(|variable| {
                variable.tag == value.tag()
                    || variable.toml.as_ref().is_some_and(|toml| toml.tag() == value.tag())
            }),
        }
    }

    /// `value` as a non-text key reads it: as TOML if it came from the environment.
    pub fn typed<'a>(&'a self, value: &'a Value) -> &'a Value {
        match self.text_of(value) {
            Some((variable, toml)) => {
                variable.read_as_toml.set(true);
                toml
            }
            None => value,
        }
    }

    /// `value` as its key read it, once everything has been read.
    pub fn as_read<'a>(&'a self, value: &'a Value) -> &'a Value {
        match self.text_of(value) {
            Some((variable, toml)) if variable.read_as_toml.get() => toml,
            _ => value,
        }
    }

    /// The variable whose text `value` is, and that text as TOML. A table can have a variable's tag too.
    fn text_of<'a>(&'a self, value: &Value) -> Option<(&'a Variable, &'a Value)> {
        value.as_str()?;
        let variable = self.environment.iter().find(|variable| variable.tag == value.tag())?;
        Some((variable, variable.toml.as_ref()?))
    }
}
