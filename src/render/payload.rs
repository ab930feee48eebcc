//! Payloads made from JSON templates: one [`Set`] of compiled templates a format.

use super::context::{self, View};
use super::files::Files;
use super::shape::shape;
use super::source::{self, Mistake};
use super::tree::{Dialect, Engines, Tree};
use super::{KINDS, TemplateProblem, contexts_of};
use crate::domain::{Form, Message};
use handlebars::Context;
use serde_json::Value;
use std::collections::BTreeMap;

/// A rendered payload.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// The payload.
    pub payload: Value,
    /// Why the plain form stands in, where the template failed.
    pub fallback: Option<String>,
}

/// A format whose templates are JSON.
pub struct Format {
    /// Its folder among the templates.
    pub name: &'static str,
    /// What it allows where.
    pub dialect: &'static Dialect,
    /// Makes a rendered payload one that the receiver takes; the error says what the template must change.
    pub fit: fn(Value) -> Result<Value, String>,
    /// The plainest form of a message. Never fails, whatever the message says.
    pub plain: fn(&Message, &View) -> Value,
}

/// The compiled templates of one format.
pub(super) struct Set {
    format: &'static Format,
    engines: Engines,
    templates: BTreeMap<&'static str, Template>,
}

struct Template {
    file: String,
    tree: Tree,
}

impl Set {
    /// Compiles the templates of `format` and tries each on every sample. All problems at once.
    pub(super) fn load(format: &'static Format, files: &Files, problems: &mut Vec<TemplateProblem>) -> Self {
        let engines = Engines::new(format.dialect);
        let mut set = Self { format, engines, templates: BTreeMap::new() };
        for kind in KINDS {
            let Some(file) = files.get(&format!("{}/{}.json", format.name, kind.as_str())) else { continue };
            let wrong = |mistake: &Mistake| {
                let (line, column) = source::line_and_column(&file.text, mistake.at);
                TemplateProblem { file: file.shown.clone(), line, column, what: mistake.what.clone() }
            };
            let contexts = contexts_of(kind, context::context);
            let shape = shape(contexts.iter().map(|(_, context)| context.clone()));
            match Tree::compile(&file.text, format.dialect, &shape) {
                Err(mistakes) => problems.extend(mistakes.iter().map(wrong)),
                Ok(tree) => match set.try_out(&tree, contexts) {
                    Err(mistake) => problems.push(wrong(&mistake)),
                    Ok(()) => {
                        let template = Template { file: file.shown.clone(), tree };
                        set.templates.insert(kind.as_str(), template);
                    }
                },
            }
        }
        set
    }

    /// The payload of `message`: by its template, or in the plain form where `message` asks for it or the
    /// template fails.
    pub(super) fn render(&self, message: &Message, view: &View) -> Rendered {
        let plain = |fallback| Rendered { payload: (self.format.plain)(message, view), fallback };
        if message.form == Form::Plain {
            return plain(None);
        }
        match self.by_template(message, view) {
            Ok(payload) => Rendered { payload, fallback: None },
            Err(what) => plain(Some(what)),
        }
    }

    fn by_template(&self, message: &Message, view: &View) -> Result<Value, String> {
        let kind = message.content.kind().as_str();
        let template = self
            .templates
            .get(kind)
            .ok_or_else(|| format!("there is no template {}/{kind}.json", self.format.name))?;
        self.fill(&template.tree, context::context(message, view)).map_err(|mistake| {
            let (line, column) = template.tree.line_and_column(&mistake);
            format!("{}:{line}:{column}: {}", template.file, mistake.what)
        })
    }

    /// What `tree` gives for `data`.
    pub(super) fn fill(&self, tree: &Tree, data: Value) -> Result<Value, Mistake> {
        let wrong = |what: String| Mistake { at: 0, what };
        let mut context = Context::wraps(data).map_err(|error| wrong(error.to_string()))?;
        (self.format.fit)(tree.render(&self.engines, &mut context)?).map_err(wrong)
    }

    fn try_out(&self, tree: &Tree, contexts: Vec<(&'static str, Value)>) -> Result<(), Mistake> {
        for (sample, context) in contexts {
            self.fill(tree, context).map_err(|mistake| Mistake {
                what: format!("{} (with the sample “{sample}”)", mistake.what),
                ..mistake
            })?;
        }
        Ok(())
    }
}
