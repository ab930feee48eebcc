//! A template file that is plain text or HTML, unlike the JSON of chat messages.

use super::check::{Misuse, check, too_deep};
use super::compile::always_escape;
use super::files::TemplateFile;
use super::{TemplateProblem, html};
use crate::domain::text::one_line;
use handlebars::{Context, Handlebars, RenderContext, Renderable, Template};
use serde_json::Value;

/// A compiled file.
pub(super) struct Part {
    file: String,
    template: Template,
}

impl Part {
    /// Compiles `file` for contexts of this `shape`. All mistakes at once.
    pub(super) fn compile(
        file: &TemplateFile,
        is_html: bool,
        shape: &Value,
    ) -> Result<Self, Vec<TemplateProblem>> {
        let problem = |line, column, what: &str| TemplateProblem {
            file: file.shown.clone(),
            line,
            column,
            what: one_line(what, 300),
        };
        if let Some(what) = too_deep(&file.text) {
            return Err(vec![problem(1, 1, &what)]);
        }
        let mut template = Template::compile(&file.text).map_err(|error| {
            let (line, column) = error.pos().unwrap_or((1, 1));
            vec![problem(line, column, &error.reason().to_string())]
        })?;
        let mut misuses: Vec<Misuse> = check(&template, shape);
        if is_html {
            misuses.extend(html::check(&template));
        }
        if !misuses.is_empty() {
            return Err(misuses.iter().map(|found| problem(found.line, found.column, &found.what)).collect());
        }
        always_escape(&mut template);
        Ok(Self { file: file.shown.clone(), template })
    }

    /// What it gives for `context`.
    pub(super) fn render(
        &self,
        registry: &Handlebars<'_>,
        context: &Context,
    ) -> Result<String, TemplateProblem> {
        let mut state = RenderContext::new(None);
        self.template.renders(registry, context, &mut state).map_err(|error| TemplateProblem {
            file: self.file.clone(),
            line: error.line_no.unwrap_or(1),
            column: error.column_no.unwrap_or(1),
            what: one_line(&error.reason().to_string(), 300),
        })
    }

    /// A mistake of the file as a whole.
    pub(super) fn wrong(&self, what: impl Into<String>) -> TemplateProblem {
        TemplateProblem { file: self.file.clone(), line: 1, column: 1, what: what.into() }
    }
}
