//! The templates of one format. What people wrote is compiled and tried when it is loaded, a built-in template when it
//! is first used.

use super::empty;
use super::files::{Files, TemplateFile, TemplateProblem};
use super::format::{Filled, Format, Rendered, Source, TextFile};
use super::partials::{self, Whole};
use super::source::{Mistake, line_and_column};
use super::texts::Part;
use super::tree::{Engines, Tree};
use super::trial::{Sample, Trial, Tried};
use crate::domain::text::is_visible;
use crate::domain::{Form, Message, MessageKind};
use crate::presentation::{View, context, shortened};
use handlebars::Context;
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

/// The templates of one format.
pub(super) struct Set {
    format: &'static Format,
    files: Arc<Files>,
    engines: Engines,
    /// By the name of the templates, empty for the usual ones, and the kind of message.
    templates: BTreeMap<(String, &'static str), Template>,
}

/// Compiled, or why it cannot be.
type Template = OnceLock<Result<Compiled, Vec<TemplateProblem>>>;

/// What one message is made from.
enum Compiled {
    Json { file: TemplateFile, tree: Tree },
    Texts(Vec<(&'static TextFile, Part)>),
}

impl Set {
    /// The templates of `format`; those that `trial` wants, or that include a partial that it wants, are compiled and
    /// tried. All problems at once.
    pub(super) fn load(
        format: &'static Format,
        files: &Arc<Files>,
        trial: &mut Trial,
        problems: &mut Vec<TemplateProblem>,
    ) -> Self {
        let engines = Engines::new(match &format.source {
            Source::Json(dialect) => dialect.escape,
            Source::Texts { escape, .. } => *escape,
        });
        let mut set = Self { format, files: files.clone(), engines, templates: BTreeMap::new() };
        for (kind, name) in set.found() {
            let template = Template::new();
            if set.is_tried(kind, &name, trial) {
                let Tried { samples, shape } = trial.of(kind, format);
                let compiled = set.compile(kind.as_str(), &name, Some(&shape));
                match &compiled {
                    Err(found) => add(problems, found.iter().cloned()),
                    Ok(compiled) => add(problems, set.try_out(compiled, &samples).err()),
                }
                drop(template.set(compiled));
            }
            set.templates.insert((name, kind.as_str()), template);
        }
        set
    }

    /// Each kind of message with the names of its templates: the usual ones, and those of a name, in a folder of that
    /// name. A name that has one of several files has the usual ones for the others.
    fn found(&self) -> Vec<(MessageKind, String)> {
        let mut found = Vec::new();
        for end in self.format.ends() {
            let own = |path: &String| {
                let rest = path.strip_prefix(self.format.name)?.strip_prefix('/')?.strip_suffix(end)?;
                let (name, kind) = rest.rsplit_once('/').unwrap_or(("", rest));
                Some((MessageKind::parse(kind)?, name.to_owned()))
            };
            let here = self.files.keys().filter(|path| !self.is_partial(path)).filter_map(own);
            let more: Vec<_> = here.filter(|one| !found.contains(one)).collect();
            found.extend(more);
        }
        found.sort_by(|(kind, name), (other, other_name)| {
            (kind.as_str(), name).cmp(&(other.as_str(), other_name))
        });
        found
    }

    fn is_partial(&self, path: &str) -> bool {
        self.format.partials().is_some_and(|folder| path.starts_with(folder))
    }

    /// The file of a message whose name has the end `end`.
    fn file(&self, kind: &str, name: &str, end: &str) -> Option<&TemplateFile> {
        let folder = self.format.name;
        let own = (!name.is_empty()).then(|| format!("{folder}/{name}/{kind}{end}"));
        let own = own.and_then(|own| self.files.get(&own));
        own.or_else(|| self.files.get(&format!("{folder}/{kind}{end}")))
    }

    fn is_tried(&self, kind: MessageKind, name: &str, trial: &Trial) -> bool {
        let ends = self.format.ends();
        let mut files = ends.iter().filter_map(|end| self.file(kind.as_str(), name, end));
        let wanted = |path: &String| self.files.get(path).is_some_and(|partial| trial.wants(partial));
        let includes = |file: &TemplateFile, folder: &str| match Whole::of(file, &self.files, folder) {
            Ok(whole) => whole.used.iter().any(wanted),
            Err(_) => true,
        };
        let has_own = self.files.iter().any(|(path, file)| self.is_partial(path) && !file.is_built_in());
        let folder = self.format.partials().filter(|_| has_own);
        files.any(|file| trial.wants(file) || folder.is_some_and(|folder| includes(file, folder)))
    }

    /// Compiles all files of a message, so that the mistakes of all are told. Without a `shape` names are not checked.
    fn compile(
        &self,
        kind: &str,
        name: &str,
        shape: Option<&Value>,
    ) -> Result<Compiled, Vec<TemplateProblem>> {
        match &self.format.source {
            Source::Json(dialect) => {
                let file = self.file(kind, name, ".json").ok_or_else(Vec::new)?;
                match Tree::compile(&file.text, dialect, shape) {
                    Ok(tree) => Ok(Compiled::Json { file: file.clone(), tree }),
                    Err(mistakes) => Err(mistakes.iter().map(|mistake| wrong(file, mistake)).collect()),
                }
            }
            Source::Texts { files, partials, .. } => {
                let mut problems = Vec::new();
                let mut parts = Vec::new();
                for file in *files {
                    let Some(text) = self.file(kind, name, file.end) else { continue };
                    let html =
                        file.html.map(|check| partials::Html { files: &self.files, folder: partials, check });
                    match Part::compile(text, html.as_ref(), shape) {
                        Ok(part) => parts.push((file, part)),
                        Err(found) => add(&mut problems, found),
                    }
                }
                if parts.len() == files.len() { Ok(Compiled::Texts(parts)) } else { Err(problems) }
            }
        }
    }

    /// The payload of `message`: by its template, or in the plain form where `message` asks for it or the
    /// template fails.
    pub(super) fn render(&self, message: &Message, view: &View) -> Rendered {
        let plain = |fallback| Rendered { payload: (self.format.plain)(message, view), fallback };
        match message.form {
            Form::Full => {}
            Form::Plain => return plain(None),
            Form::Short => {
                return Rendered { payload: (self.format.plain)(&shortened(message), view), fallback: None };
            }
        }
        match self.by_template(message, view) {
            Ok(payload) => Rendered { payload, fallback: None },
            Err(what) => plain(Some(what)),
        }
    }

    fn by_template(&self, message: &Message, view: &View) -> Result<Value, String> {
        let kind = message.content.kind().as_str();
        let find = |name: &str| self.templates.get_key_value(&(name.to_owned(), kind));
        let found = view.template.as_deref().and_then(find).or_else(|| find(""));
        let ((name, _), template) =
            found.ok_or_else(|| format!("there is no template for `{kind}` in {}", self.format.name))?;
        let compiled = template.get_or_init(|| self.compile(kind, name, None)).as_ref();
        let compiled =
            compiled.map_err(|problems| problems.first().map(ToString::to_string).unwrap_or_default())?;
        let mut context = Context::from(context::context(message, view));
        let mut too_large = "";
        for size in 0..self.format.sizes {
            (self.format.enrich)(context.data_mut(), message, view, size);
            let payload =
                self.fill(compiled, &mut context, message, view).map_err(|found| found.to_string())?;
            match (self.format.too_large)(&payload) {
                None => return Ok(payload),
                Some(what) => too_large = what,
            }
        }
        Err(compiled.wrong(too_large).to_string())
    }

    /// The names of its templates, beside the usual ones.
    pub(super) fn names(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.templates.keys().map(|(name, _)| name.as_str()).collect();
        names.retain(|name| !name.is_empty());
        names.dedup();
        names
    }

    /// What `compiled` gives for `context`.
    fn fill(
        &self,
        compiled: &Compiled,
        context: &mut Context,
        message: &Message,
        view: &View,
    ) -> Result<Value, TemplateProblem> {
        let payload = match compiled {
            Compiled::Json { file, tree } => {
                tree.render(&self.engines, context).map_err(|mistake| wrong(file, &mistake))?
            }
            Compiled::Texts(parts) => {
                let mut fields = Map::new();
                for (file, part) in parts {
                    let text = part.render(self.engines.of(file.html.is_some()), context)?;
                    let text = (file.done)(text, context.data_mut()).map_err(|what| part.wrong(what))?;
                    let shows = if file.html.is_some() { empty::shows(&text) } else { is_visible(&text) };
                    if !shows {
                        return Err(part.wrong(format!("produces an empty {}", file.field)));
                    }
                    fields.insert(file.field.to_owned(), text.into());
                }
                fields.into()
            }
        };
        let filled = Filled { context: context.data(), message, view };
        (self.format.fit)(payload, &filled).map_err(|what| compiled.wrong(&what))
    }

    fn try_out(&self, compiled: &Compiled, samples: &[Sample]) -> Result<(), TemplateProblem> {
        for Sample { name, message, view, context } in samples {
            let mut context = Context::from(context.clone());
            self.fill(compiled, &mut context, message, view).map_err(|problem| TemplateProblem {
                what: format!("{} (with the sample “{name}”)", problem.what),
                ..problem
            })?;
        }
        Ok(())
    }

    /// Partials that people wrote and no template names: their names are likely misspelt.
    pub(super) fn unused_partials(&self) -> Vec<TemplateProblem> {
        // A template that includes one of them has been compiled.
        let compiled = self.templates.values().filter_map(|template| template.get()?.as_ref().ok());
        let used: BTreeSet<&String> = compiled.flat_map(Compiled::partials).collect();
        let unused = self
            .files
            .iter()
            .filter(|(path, file)| self.is_partial(path) && !file.is_built_in() && !used.contains(path));
        let problem = |(_, file): (_, &TemplateFile)| TemplateProblem {
            file: file.shown.clone(),
            line: 0,
            column: 0,
            what: "is not included by any template".into(),
        };
        unused.map(problem).collect()
    }
}

impl Compiled {
    fn partials(&self) -> Vec<&String> {
        match self {
            Self::Json { .. } => Vec::new(),
            Self::Texts(parts) => parts.iter().flat_map(|(_, part)| part.partials()).collect(),
        }
    }

    /// A mistake of the whole.
    fn wrong(&self, what: &str) -> TemplateProblem {
        match self {
            Self::Json { file, .. } => wrong(file, &Mistake { at: 0, what: what.to_owned() }),
            Self::Texts(parts) => match parts.last() {
                Some((_, part)) => part.wrong(what),
                None => TemplateProblem { file: String::new(), line: 0, column: 0, what: what.to_owned() },
            },
        }
    }
}

fn wrong(file: &TemplateFile, mistake: &Mistake) -> TemplateProblem {
    let (line, column) = line_and_column(&file.text, mistake.at);
    TemplateProblem { file: file.shown.clone(), line, column, what: mistake.what.clone() }
}

fn add(problems: &mut Vec<TemplateProblem>, found: impl IntoIterator<Item = TemplateProblem>) {
    for problem in found {
        // A mistake in a partial is one of each file that names it.
        if !problems.contains(&problem) {
            problems.push(problem);
        }
    }
}
