//! Messages for people and programs: contexts, templates, escaping, limits. Sends nothing.
//!
//! Templates that people wrote are tried on every sample when they are loaded, so a mistake is an error at start; those
//! built in are tried by a test, and compiled when they are first used. One that fails on a real message all the same
//! gives way to the built-in plain form, which cannot fail.

mod body;
mod check;
mod compile;
pub mod context;
mod files;
pub mod helpers;
pub(crate) mod html;
pub(crate) mod lines;
mod link;
pub mod mail;
mod mail_template;
pub mod markdown;
mod nasty;
mod partials;
pub mod parts;
mod payload;
mod samples;
mod shape;
pub mod shown;
pub mod shown_digest;
pub mod shown_figures;
pub mod slack;
pub mod slack_limits;
mod slack_tokens;
mod source;
pub mod teams;
pub mod teams_limits;
mod tree;
mod trial;
pub mod words;

pub(crate) use body::safe_url;
pub use body::{
    Body, Counts, Data, DigestData, OperatorData, PreviousBody, ReviewBody, ReviewData, TestData,
};
pub use context::{Mention, View};
pub use files::{TemplateProblem, is_name as is_template_name};
pub use mail::Mail;
pub use nasty::nasty;
pub use payload::{Format, Rendered};
pub use samples::{HOSTILE, sample, samples};
pub use tree::{Dialect, Place, Rule};

use crate::domain::Message;
use files::Files;
use mail::Mails;
use payload::Set;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use trial::Trial;

/// All templates.
pub struct Renderer {
    /// By the name of their format.
    sets: BTreeMap<&'static str, Set>,
    mails: Mails,
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renderer")
    }
}

impl Renderer {
    /// Takes the embedded templates of e-mail and of `formats`, replaced and added to file by file by those in
    /// `templates_dir`. Each file of that folder is compiled and tried on every sample, and so is each template that
    /// includes one. All problems at once.
    pub fn load(
        templates_dir: Option<&Path>,
        formats: &[&'static Format],
    ) -> Result<Self, Vec<TemplateProblem>> {
        Self::read(templates_dir, formats, Trial::new(false))
    }

    /// The embedded templates of e-mail and of `formats`.
    pub fn built_in(formats: &[&'static Format]) -> Self {
        // Nothing is tried, so there are no problems.
        Self::made(files::built_in(), formats, &mut Trial::new(false), &mut Vec::new())
    }

    /// Tries every embedded template of e-mail and of `formats` on every sample: for the test that proves them.
    pub fn prove(formats: &[&'static Format]) -> Result<Self, Vec<TemplateProblem>> {
        Self::read(None, formats, Trial::new(true))
    }

    fn read(
        templates_dir: Option<&Path>,
        formats: &[&'static Format],
        mut trial: Trial,
    ) -> Result<Self, Vec<TemplateProblem>> {
        let (files, mut problems) = files::read(templates_dir);
        let made = Self::made(files, formats, &mut trial, &mut problems);
        if problems.is_empty() { Ok(made) } else { Err(problems) }
    }

    fn made(
        files: Files,
        formats: &[&'static Format],
        trial: &mut Trial,
        problems: &mut Vec<TemplateProblem>,
    ) -> Self {
        let mut sets = BTreeMap::new();
        for format in formats {
            sets.insert(format.name, Set::load(format, &files, trial, problems));
        }
        Self { sets, mails: Mails::load(files, trial, problems) }
    }

    /// The payload in `format`; one that was not loaded gives its plain form.
    pub fn payload(&self, format: &'static Format, message: &Message, view: &View) -> Rendered {
        match self.sets.get(format.name) {
            Some(set) => set.render(message, view),
            None => Rendered { payload: (format.plain)(message, view), fallback: None },
        }
    }

    /// The names that a destination may set as its `template`, of the kind `kind`.
    pub fn template_names(&self, kind: &str) -> Vec<&str> {
        match self.sets.get(kind) {
            Some(set) => set.names(),
            None if kind == mail::FOLDER => self.mails.names(),
            None => Vec::new(),
        }
    }

    /// The e-mail.
    pub fn mail(&self, message: &Message, view: &View) -> Mail {
        self.mails.render(message, view)
    }
}

#[cfg(test)]
mod mail_facts;
#[cfg(test)]
mod mail_torture;
#[cfg(test)]
mod teams_torture;
#[cfg(test)]
mod torture;
