//! Messages for people and programs: contexts, templates, escaping, limits. Sends nothing.
//!
//! Templates are tried on every sample when they are loaded, so a mistake is an error at start. One that
//! fails on a real message all the same gives way to the built-in plain form, which cannot fail.

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

use crate::domain::{Message, MessageKind};
use mail::Mails;
use payload::Set;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

/// All templates, compiled and tried out.
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
    /// Loads the embedded templates of e-mail and of `formats`, replaced and added to file by file by those in
    /// `templates_dir`, and tries each on every sample. All problems at once.
    pub fn load(
        templates_dir: Option<&Path>,
        formats: &[&'static Format],
    ) -> Result<Self, Vec<TemplateProblem>> {
        let (files, mut problems) = files::read(templates_dir);
        let set = |format: &&'static Format| (format.name, Set::load(format, &files, &mut problems));
        let sets = formats.iter().map(set).collect();
        let mails = Mails::load(&files, &mut problems);
        if problems.is_empty() { Ok(Self { sets, mails }) } else { Err(problems) }
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

/// What `context` makes of every sample of `kind`, under views that show everything and nothing.
fn contexts_of(kind: MessageKind, context: fn(&Message, &View) -> Value) -> Vec<(&'static str, Value)> {
    let zone = jiff::tz::TimeZone::UTC;
    let nothing =
        View { destination: "support".into(), zone, show_email: false, mention: None, template: None };
    let views = ["<!here>", "<@U12345678>", "<!subteam^S12345678>"].map(|mention| View {
        mention: slack::parse_mention(mention)
            .map(|mention| Mention { token: Some("@here".into()), ..mention }),
        show_email: true,
        ..nothing.clone()
    });
    let samples = samples().into_iter().filter(|(_, message)| message.content.kind() == kind);
    let samples: Vec<_> = samples.collect();
    let contexts = |view: &View| {
        samples.iter().map(|(name, message)| (*name, context(message, view))).collect::<Vec<_>>()
    };
    views.iter().chain([&nothing]).flat_map(contexts).collect()
}

#[cfg(test)]
mod mail_facts;
#[cfg(test)]
mod mail_torture;
#[cfg(test)]
mod teams_torture;
#[cfg(test)]
mod torture;
