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
mod samples;
mod shape;
pub mod shown;
pub mod shown_digest;
pub mod slack;
pub mod slack_limits;
mod slack_tokens;
mod source;
mod tree;
pub mod words;

pub use body::{
    Body, Counts, Data, DigestData, OperatorData, PreviousBody, ReviewBody, ReviewData, TestData,
};
pub use context::{Mention, View};
pub use files::TemplateProblem;
pub use samples::{HOSTILE, sample, samples};

use crate::domain::{Form, Message, MessageKind};
use handlebars::Context;
use serde_json::Value;
use source::Mistake;
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use tree::{Engines, Tree};

/// A rendered payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// The payload.
    pub payload: Value,
    /// Why the plain form stands in, where the template failed.
    pub fallback: Option<String>,
}

/// All templates, compiled and tried out.
pub struct Renderer {
    slack: BTreeMap<&'static str, Template>,
    engines: Engines,
}

struct Template {
    file: String,
    tree: Tree,
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Renderer").field("slack", &self.slack.keys()).finish()
    }
}

/// The kinds of message that have templates in this version.
const KINDS: [MessageKind; 4] =
    [MessageKind::Review, MessageKind::Digest, MessageKind::Operator, MessageKind::Test];

impl Renderer {
    /// Loads the embedded templates, replaced file by file by those in `templates_dir`, and tries each on
    /// every sample. All problems at once.
    pub fn load(templates_dir: Option<&Path>) -> Result<Self, Vec<TemplateProblem>> {
        let (files, mut problems) = files::read(templates_dir);
        let engines = Engines::new(&slack::DIALECT);
        let mut templates = BTreeMap::new();
        for kind in KINDS {
            let Some(file) = files.get(&format!("slack/{}.json", kind.as_str())) else { continue };
            let wrong = |mistake: &Mistake| {
                let (line, column) = source::line_and_column(&file.text, mistake.at);
                TemplateProblem { file: file.shown.clone(), line, column, what: mistake.what.clone() }
            };
            let contexts = contexts_of(kind);
            let shape = shape::shape(contexts.iter().map(|(_, context)| context.clone()));
            match Tree::compile(&file.text, &slack::DIALECT, &shape) {
                Err(mistakes) => problems.extend(mistakes.iter().map(wrong)),
                Ok(tree) => match try_out(&tree, &engines, contexts) {
                    Err(mistake) => problems.push(wrong(&mistake)),
                    Ok(()) => {
                        let template = Template { file: file.shown.clone(), tree };
                        templates.insert(kind.as_str(), template);
                    }
                },
            }
        }
        if problems.is_empty() { Ok(Self { slack: templates, engines }) } else { Err(problems) }
    }

    /// The payload for Slack: by its template, or in the plain form where `message` asks for it or the
    /// template fails.
    pub fn slack(&self, message: &Message, view: &View) -> Rendered {
        if message.form == Form::Plain {
            return Rendered { payload: slack::plain(message, view), fallback: None };
        }
        match self.by_template(message, view) {
            Ok(payload) => Rendered { payload, fallback: None },
            Err(what) => Rendered { payload: slack::plain(message, view), fallback: Some(what) },
        }
    }

    fn by_template(&self, message: &Message, view: &View) -> Result<Value, String> {
        let kind = message.content.kind().as_str();
        let template =
            self.slack.get(kind).ok_or_else(|| format!("there is no template slack/{kind}.json"))?;
        let data = context::context(message, view);
        render(&template.tree, &self.engines, data).map_err(|mistake| {
            let (line, column) = template.tree.line_and_column(&mistake);
            format!("{}:{line}:{column}: {}", template.file, mistake.what)
        })
    }
}

fn render(tree: &Tree, engines: &Engines, data: Value) -> Result<Value, Mistake> {
    let wrong = |what: String| Mistake { at: 0, what };
    let mut context = Context::wraps(data).map_err(|error| wrong(error.to_string()))?;
    slack_limits::fit(tree.render(engines, &mut context)?).map_err(wrong)
}

fn try_out(tree: &Tree, engines: &Engines, contexts: Vec<(&'static str, Value)>) -> Result<(), Mistake> {
    for (sample, context) in contexts {
        render(tree, engines, context).map_err(|mistake| Mistake {
            what: format!("{} (with the sample “{sample}”)", mistake.what),
            ..mistake
        })?;
    }
    Ok(())
}

/// The contexts of every sample of `kind`, under views that show everything and nothing.
fn contexts_of(kind: MessageKind) -> Vec<(&'static str, Value)> {
    let zone = jiff::tz::TimeZone::UTC;
    let nothing = View { destination: "support".into(), zone, show_email: false, mention: None };
    let views = ["<!here>", "<@U12345678>", "<!subteam^S12345678>"].map(|mention| View {
        mention: slack::parse_mention(mention),
        show_email: true,
        ..nothing.clone()
    });
    let samples = samples().into_iter().filter(|(_, message)| message.content.kind() == kind);
    let samples: Vec<_> = samples.collect();
    let contexts = |view: &View| {
        samples.iter().map(|(name, message)| (*name, context::context(message, view))).collect::<Vec<_>>()
    };
    views.iter().chain([&nothing]).flat_map(contexts).collect()
}

#[cfg(test)]
#[path = "torture.rs"]
mod torture;
