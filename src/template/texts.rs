//! A template file that is plain text or HTML, not JSON; HTML with its partials.

use super::check::{Misuse, check, too_deep};
use super::compile::always_escape;
use super::files::{TemplateFile, TemplateProblem};
use super::partials::{Html, Whole};
use crate::domain::text::one_line;
use handlebars::{Context, Handlebars, RenderContext, Renderable, Template};
use serde_json::Value;

/// A compiled file.
pub(super) struct Part {
    whole: Whole,
    template: Template,
}

impl Part {
    /// Compiles `file` for contexts of this `shape`; it is HTML where `html` says how it is checked. Without a shape it is
    /// not checked: a test has checked the built-in ones. All mistakes at once.
    pub(super) fn compile(
        file: &TemplateFile,
        html: Option<&Html<'_>>,
        shape: Option<&Value>,
    ) -> Result<Self, Vec<TemplateProblem>> {
        let whole =
            html.map_or_else(|| Ok(Whole::alone(file)), |html| Whole::of(file, html.files, html.folder));
        let whole = whole.map_err(|problem| vec![problem])?;
        if let Some(what) = too_deep(&whole.text) {
            return Err(vec![problem(&whole, 1, 1, &what)]);
        }
        let mut template = Template::compile(&whole.text).map_err(|error| {
            let (line, column) = error.pos().unwrap_or((1, 1));
            vec![problem(&whole, line, column, &error.reason().to_string())]
        })?;
        let mut misuses: Vec<Misuse> = Vec::new();
        if let Some(shape) = shape {
            misuses.extend(check(&template, shape));
            misuses.extend(html.map(|html| (html.check)(&template)).into_iter().flatten());
        }
        if !misuses.is_empty() {
            let problem = |found: &Misuse| problem(&whole, found.line, found.column, &found.what);
            return Err(misuses.iter().map(problem).collect());
        }
        always_escape(&mut template);
        Ok(Self { whole, template })
    }

    /// The partials in it, by the names of their files.
    pub(super) fn partials(&self) -> &[String] {
        &self.whole.used
    }

    /// What it gives for `context`.
    pub(super) fn render(
        &self,
        registry: &Handlebars<'_>,
        context: &Context,
    ) -> Result<String, TemplateProblem> {
        let mut state = RenderContext::new(None);
        self.template.renders(registry, context, &mut state).map_err(|error| {
            let (line, column) = (error.line_no.unwrap_or(1), error.column_no.unwrap_or(1));
            problem(&self.whole, line, column, &error.reason().to_string())
        })
    }

    /// A mistake of the file as a whole.
    pub(super) fn wrong(&self, what: impl Into<String>) -> TemplateProblem {
        problem(&self.whole, 1, 1, &what.into())
    }
}

fn problem(whole: &Whole, line: usize, column: usize, what: &str) -> TemplateProblem {
    let (file, line, column) = whole.place(line, column);
    TemplateProblem { file: file.to_owned(), line, column, what: one_line(what, 300) }
}
