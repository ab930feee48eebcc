//! The engine of templates: files, compiling, checking, helpers, trying out. It knows no kind of destination: what one
//! allows where, what it adds and what its receiver takes is its [`Format`].
//!
//! Templates that people wrote are tried on every sample when they are loaded, so a mistake is an error at start; those
//! built in are tried by a test, and compiled when they are first used. One that fails on a real message all the same
//! gives way to the built-in plain form, which cannot fail.

mod check;
mod compile;
mod empty;
mod files;
mod format;
pub mod helpers;
pub mod html;
mod link;
mod mentions;
mod partials;
mod set;
mod shape;
mod source;
mod texts;
mod tree;
mod trial;

pub use check::Misuse;
pub use files::{TemplateProblem, is_name as is_template_name};
pub use format::{Filled, Format, Rendered, Source, TextFile};
pub use link::{OWN_LINK, is_fixed};
pub use tree::{Dialect, Place, Rule};

use crate::domain::Message;
use crate::presentation::View;
use files::Files;
use set::Set;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::Arc;
use trial::Trial;

/// All templates.
pub struct Renderer {
    /// By the name of their format.
    sets: BTreeMap<&'static str, Set>,
    files: Arc<Files>,
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renderer")
    }
}

impl Renderer {
    /// Takes the embedded templates of `formats`, replaced and added to file by file by those in `templates_dir`. Each
    /// file of that folder is compiled and tried on every sample, and so is each template that includes one. All
    /// problems at once.
    pub fn load(
        templates_dir: Option<&Path>,
        formats: &[&'static Format],
    ) -> Result<Self, Vec<TemplateProblem>> {
        Self::read(templates_dir, formats, Trial::new(false))
    }

    /// The embedded templates of `formats`.
    pub fn built_in(formats: &[&'static Format]) -> Self {
        // Nothing is tried, so there are no problems.
        Self::made(files::built_in(), formats, &mut Trial::new(false), &mut Vec::new())
    }

    /// Tries every embedded template of `formats` on every sample: for the test that proves them.
    pub fn prove(formats: &[&'static Format]) -> Result<Self, Vec<TemplateProblem>> {
        Self::read(None, formats, Trial::new(true))
    }

    fn read(
        templates_dir: Option<&Path>,
        formats: &[&'static Format],
        mut trial: Trial,
    ) -> Result<Self, Vec<TemplateProblem>> {
        let (files, mut problems) = files::read(templates_dir, formats);
        let made = Self::made(files, formats, &mut trial, &mut problems);
        if problems.is_empty() { Ok(made) } else { Err(problems) }
    }

    fn made(
        files: Files,
        formats: &[&'static Format],
        trial: &mut Trial,
        problems: &mut Vec<TemplateProblem>,
    ) -> Self {
        let files = Arc::new(files);
        let mut sets = BTreeMap::new();
        for format in formats {
            sets.insert(format.name, Set::load(format, &files, trial, problems));
        }
        if problems.is_empty() {
            problems.extend(sets.values().flat_map(Set::unused_partials));
        }
        Self { sets, files }
    }

    /// The payload in `format`; one that was not loaded gives its plain form.
    pub fn payload(&self, format: &'static Format, message: &Message, view: &View) -> Rendered {
        match self.sets.get(format.name) {
            Some(set) => set.render(message, view),
            None => Rendered { payload: (format.plain)(message, view), fallback: None },
        }
    }

    /// The mentions that are written into templates of people's own: they ping with every message.
    pub fn fixed_mentions(&self) -> Vec<TemplateProblem> {
        let own = self.files.values().filter(|file| !file.is_built_in());
        own.flat_map(mentions::fixed).collect()
    }

    /// The names that a destination may set as its `template`, of the kind `kind`.
    pub fn template_names(&self, kind: &str) -> Vec<&str> {
        self.sets.get(kind).map(Set::names).unwrap_or_default()
    }
}
