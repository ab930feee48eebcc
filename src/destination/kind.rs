//! The kinds of destination: one row of [`TABLE`] each. Parsing, help, the sandbox, the gallery and the tests of all
//! kinds go by it.

use super::fixture::Fixture;
use super::settings::{Common, Key, Shared};
use super::{Make, discord, email, google_chat, mattermost, ntfy, slack, teams, webhook};
use crate::presentation::Own;
use crate::settings::{Rate, Table};
use crate::template::Format;
use std::fmt;
use std::sync::Arc;

/// A kind of destination.
pub struct Kind {
    /// Its `type` in the configuration.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// What it is.
    pub summary: &'static str,
    /// Its `rate_limit` unless set.
    pub default_rate: Rate,
    /// How its messages are made from templates, where they are.
    pub format: Option<&'static Format>,
    /// Its own keys, beside [`super::COMMON_KEYS`].
    pub keys: &'static [Key],
    /// Its part of the starter file: an example of a destination, with each of its own keys.
    pub example: &'static str,
    /// Reads what its destinations share from the root table, where they share anything.
    pub shared: Option<fn(&Table<'_>) -> Own>,
    /// Reads its own keys; what is wrong is recorded with the table.
    pub read: fn(&Table<'_>, &Common, &Shared) -> Option<Arc<dyn Make>>,
    /// What is known of its receiver and its payload: for the sandbox, the gallery and tests.
    pub fixture: Fixture,
}

/// Every kind of this version.
pub static TABLE: &[&Kind] = &[
    &slack::KIND,
    &teams::KIND,
    &discord::KIND,
    &google_chat::KIND,
    &mattermost::KIND,
    &ntfy::KIND,
    &email::KIND,
    &webhook::KIND,
];

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Kind({})", self.name)
    }
}

impl Kind {
    /// The kind called `name`.
    pub fn named(name: &str) -> Option<&'static Self> {
        TABLE.iter().copied().find(|kind| kind.name == name)
    }
}
