//! Payloads made from JSON templates: one [`Set`] of templates a format. What people wrote is compiled and tried when
//! it is loaded, a built-in template when it is first used.

use super::TemplateProblem;
use super::context::{self, View};
use super::files::{Files, TemplateFile};
use super::source::{self, Mistake};
use super::tree::{Dialect, Engines, Tree};
use super::trial::{Trial, Tried};
use crate::domain::{Form, Message, MessageKind};
use handlebars::Context;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

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
    /// Makes a rendered payload one that the receiver takes, given what the template was filled with; the error says
    /// what the template must change.
    pub fit: fn(Value, &Value) -> Result<Value, String>,
    /// The plainest form of a message. Never fails, whatever the message says.
    pub plain: fn(&Message, &View) -> Value,
}

impl fmt::Debug for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Format({})", self.name)
    }
}

/// The templates of one format.
pub(super) struct Set {
    format: &'static Format,
    engines: Engines,
    /// By the name of the templates, empty for the usual ones, and the kind of message.
    templates: BTreeMap<(String, &'static str), Template>,
}

struct Template {
    file: TemplateFile,
    /// Compiled, or why it cannot be.
    tree: OnceLock<Result<Tree, TemplateProblem>>,
}

/// The files of each kind of message below `folder`: the usual ones, and those of a name, in a folder of that name.
pub(super) fn of_kinds<'a>(
    files: &'a Files,
    folder: &str,
    end: &str,
) -> Vec<(MessageKind, String, &'a TemplateFile)> {
    let own = |path: &str| {
        let rest = path.strip_prefix(folder)?.strip_prefix('/')?.strip_suffix(end)?;
        let (name, kind) = rest.rsplit_once('/').unwrap_or(("", rest));
        Some((MessageKind::parse(kind)?, name.to_owned()))
    };
    files.iter().filter_map(|(path, file)| own(path).map(|(kind, name)| (kind, name, file))).collect()
}

/// The template of `kind` that a destination uses: that of its `template`, else the usual one.
pub(super) fn named<'a, T>(
    templates: &'a BTreeMap<(String, &'static str), T>,
    view: &View,
    kind: &'static str,
) -> Option<(&'a str, &'a T)> {
    let find = |name: &str| templates.get_key_value(&(name.to_owned(), kind));
    let found = view.template.as_deref().and_then(find).or_else(|| find(""));
    found.map(|((name, _), template)| (name.as_str(), template))
}

/// The names of templates, beside the usual ones.
pub(super) fn names<'a, T>(templates: &'a BTreeMap<(String, &'static str), T>) -> Vec<&'a str> {
    let mut names: Vec<&str> = templates.keys().map(|(name, _)| name.as_str()).collect();
    names.retain(|name| !name.is_empty());
    names.dedup();
    names
}

impl Set {
    /// The templates of `format`; those that `trial` wants are compiled and tried. All problems at once.
    pub(super) fn load(
        format: &'static Format,
        files: &Files,
        trial: &mut Trial,
        problems: &mut Vec<TemplateProblem>,
    ) -> Self {
        let engines = Engines::new(format.dialect);
        let mut set = Self { format, engines, templates: BTreeMap::new() };
        for (kind, name, file) in of_kinds(files, format.name, ".json") {
            let template = Template { file: file.clone(), tree: OnceLock::new() };
            if trial.wants(file) {
                let Tried { contexts, shape } = trial.of(kind, |_, _, _| {});
                match Tree::compile(&file.text, format.dialect, Some(&shape)) {
                    Err(mistakes) => problems.extend(mistakes.iter().map(|mistake| template.wrong(mistake))),
                    Ok(tree) => {
                        problems.extend(
                            set.try_out(&tree, contexts).map_err(|found| template.wrong(&found)).err(),
                        );
                        drop(template.tree.set(Ok(tree)));
                    }
                }
            }
            set.templates.insert((name, kind.as_str()), template);
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
        let (_, template) = named(&self.templates, view, kind)
            .ok_or_else(|| format!("there is no template {}/{kind}.json", self.format.name))?;
        let tree = template.tree(self.format.dialect).map_err(ToString::to_string)?;
        self.fill(tree, context::context(message, view))
            .map_err(|mistake| template.wrong(&mistake).to_string())
    }

    /// The names of its templates, beside the usual ones.
    pub(super) fn names(&self) -> Vec<&str> {
        names(&self.templates)
    }

    /// What `tree` gives for `data`.
    pub(super) fn fill(&self, tree: &Tree, data: Value) -> Result<Value, Mistake> {
        let wrong = |what: String| Mistake { at: 0, what };
        let mut context = Context::wraps(data).map_err(|error| wrong(error.to_string()))?;
        (self.format.fit)(tree.render(&self.engines, &mut context)?, context.data()).map_err(wrong)
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

impl Template {
    fn tree(&self, dialect: &Dialect) -> Result<&Tree, &TemplateProblem> {
        let compile = || {
            let compiled = Tree::compile(&self.file.text, dialect, None);
            compiled.map_err(|mistakes| match mistakes.first() {
                Some(mistake) => self.wrong(mistake),
                None => self.wrong(&Mistake { at: 0, what: "cannot be compiled".into() }),
            })
        };
        self.tree.get_or_init(compile).as_ref()
    }

    fn wrong(&self, mistake: &Mistake) -> TemplateProblem {
        let (line, column) = source::line_and_column(&self.file.text, mistake.at);
        TemplateProblem { file: self.file.shown.clone(), line, column, what: mistake.what.clone() }
    }
}
