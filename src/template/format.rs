//! What the engine must know of a kind of destination to make its messages from templates.

use super::check::Misuse;
use super::tree::Dialect;
use crate::domain::Message;
use crate::presentation::{Mention, View};
use handlebars::Template;
use serde_json::Value;
use std::fmt;

/// How the messages of one kind are made from templates.
pub struct Format {
    /// Its folder among the templates.
    pub name: &'static str,
    /// What a message is made from.
    pub source: Source,
    /// Mentions as its templates find them, to try templates on.
    pub mentions: fn() -> Vec<Mention>,
    /// In how many sizes a message can be shown: the first that is not [`Self::too_large`] counts.
    pub sizes: usize,
    /// Adds to what all templates can name, in one of the sizes; the first (0) is the largest.
    pub enrich: fn(&mut Value, &Message, &View, usize),
    /// Makes what its templates give a payload that the receiver takes; the error says what the template must change.
    pub fit: fn(Value, &Filled<'_>) -> Result<Value, String>,
    /// Whether a payload is too large, and how to say so.
    pub too_large: fn(&Value) -> Option<&'static str>,
    /// The plainest form of a message. Never fails, whatever the message says.
    pub plain: fn(&Message, &View) -> Value,
}

/// What a message is made from.
pub enum Source {
    /// One JSON file, each string of which is a template.
    Json(&'static Dialect),
    /// Several files of text, which become the fields of an object.
    Texts {
        /// In the order in which they are filled in.
        files: &'static [TextFile],
        /// The folder of what their HTML can include, with its `/`.
        partials: &'static str,
        /// Makes a value safe in HTML.
        escape: fn(&str) -> String,
    },
}

/// A file of text.
pub struct TextFile {
    /// The end of its name, such as `.txt`.
    pub end: &'static str,
    /// The field that it becomes.
    pub field: &'static str,
    /// Finds values in places where escaping does not make them safe; it is HTML where this is set.
    pub html: Option<fn(&Template) -> Vec<Misuse>>,
    /// Takes its text, before the files behind it are filled in from the context; the error says what is wrong.
    pub done: fn(String, &mut Value) -> Result<String, &'static str>,
}

/// What a template was filled with.
#[derive(Clone, Copy, Debug)]
pub struct Filled<'a> {
    /// All that it could name.
    pub context: &'a Value,
    /// The message.
    pub message: &'a Message,
    /// How its destination wants it to be shown.
    pub view: &'a View,
}

/// A rendered payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// The payload.
    pub payload: Value,
    /// Why the plain form stands in, where the template failed.
    pub fallback: Option<String>,
}

impl Format {
    /// A format of JSON in one size, whose templates can name a mention by its token.
    pub const fn json(
        name: &'static str,
        dialect: &'static Dialect,
        fit: fn(Value, &Filled<'_>) -> Result<Value, String>,
        plain: fn(&Message, &View) -> Value,
    ) -> Self {
        Self {
            name,
            source: Source::Json(dialect),
            mentions: || vec![Mention::new("@here")],
            sizes: 1,
            enrich: |_, _, _, _| {},
            fit,
            too_large: |_| None,
            plain,
        }
    }

    /// The folder of what its files can include.
    pub(super) fn partials(&self) -> Option<&'static str> {
        match &self.source {
            Source::Json(_) => None,
            Source::Texts { partials, .. } => Some(partials),
        }
    }

    /// The ends of the files of one message.
    pub(super) fn ends(&self) -> Vec<&'static str> {
        match &self.source {
            Source::Json(_) => vec![".json"],
            Source::Texts { files, .. } => files.iter().map(|file| file.end).collect(),
        }
    }
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Format({})", self.name)
    }
}
