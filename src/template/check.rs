//! Finds names that do not exist, in every branch of a parsed template: strict mode alone misses them in
//! `{{#if typo}}` and in branches that no sample takes.

use super::helpers::{BLOCKS, is_value};
use super::shape::{item_of, unknown};
use super::source::MAX_DEPTH;
use handlebars::template::{BlockParam, HelperTemplate, Parameter, TemplateElement};
use handlebars::{Path, PathSeg, Template};
use serde_json::Value;

/// A mistake at a line and column (from 1) of a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misuse {
    /// The line.
    pub line: usize,
    /// The column, in characters.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

/// Refuses what would overflow the parser's or the renderer's stack, before either sees it.
pub fn too_deep(template: &str) -> Option<String> {
    let mut open: Vec<usize> = Vec::new();
    for tag in template.split("{{").skip(1) {
        let tag = tag.trim_start_matches(['{', '~', ' ', '\t', '\n', '\r']);
        if tag.starts_with(['#', '^']) && !tag.starts_with("^}}") {
            open.push(1);
        } else if tag.starts_with("else") {
            // Each `else if` is one level deeper, and they all end with one `{{/if}}`.
            if let Some(depth) = open.last_mut() {
                *depth += 1;
            }
        } else if tag.starts_with('/') {
            open.pop();
        }
        if open.iter().sum::<usize>() > MAX_DEPTH || tag.matches(['(', '[', '{']).count() > MAX_DEPTH {
            return Some(format!("is nested deeper than {MAX_DEPTH}"));
        }
    }
    None
}

/// All that is wrong with `template` for contexts of this shape.
pub fn check(template: &Template, shape: &Value) -> Vec<Misuse> {
    let mut walk = Walk { scopes: vec![Scope { value: Some(shape), ..Scope::default() }], found: Vec::new() };
    walk.template(template);
    walk.found
}

/// What names mean inside a block; `None` is a computed value, of which nothing is known.
#[derive(Default)]
struct Scope<'a> {
    value: Option<&'a Value>,
    params: Vec<(String, Option<&'a Value>)>,
    each: bool,
}

struct Walk<'a> {
    scopes: Vec<Scope<'a>>,
    found: Vec<Misuse>,
}

impl<'a> Walk<'a> {
    fn template(&mut self, template: &Template) {
        for (element, place) in template.elements.iter().zip(&template.mapping) {
            let mut wrong = Vec::new();
            self.element(element, &mut wrong);
            let (line, column) = (place.0, place.1);
            self.found.extend(wrong.into_iter().map(|what| Misuse { line, column, what }));
        }
    }

    fn element(&mut self, element: &TemplateElement, wrong: &mut Vec<String>) {
        match element {
            TemplateElement::RawString(_) | TemplateElement::Comment(_) => {}
            TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => {
                self.expression(call, wrong);
            }
            TemplateElement::HelperBlock(block) => self.block(block, wrong),
            TemplateElement::PartialExpression(_) | TemplateElement::PartialBlock(_) => {
                wrong.push("partials are only allowed in HTML files, as `{{> name}}`".into());
            }
            TemplateElement::DecoratorExpression(_) | TemplateElement::DecoratorBlock(_) => {
                wrong.push("decorators (`{{* …}}`) are not supported".into());
            }
            _ => wrong.push("this syntax is not supported".into()),
        }
    }

    fn expression(&mut self, call: &HelperTemplate, wrong: &mut Vec<String>) {
        let name = name_of(&call.name);
        if call.params.is_empty() && call.hash.is_empty() {
            if !name.is_some_and(is_value) {
                self.parameter(&call.name, wrong);
            }
            return;
        }
        match name {
            Some(name) if is_value(name) => {}
            Some("else") => wrong.push("`{{else}}` is outside a block".into()),
            name => wrong.push(format!("unknown helper `{}`", name.unwrap_or("?"))),
        }
        self.parameters(call, wrong);
    }

    fn parameters(&mut self, call: &HelperTemplate, wrong: &mut Vec<String>) {
        for parameter in call.params.iter().chain(call.hash.values()) {
            self.parameter(parameter, wrong);
        }
    }

    /// Checks a parameter; answers what is known of its value.
    fn parameter(&mut self, parameter: &Parameter, wrong: &mut Vec<String>) -> Option<&'a Value> {
        match parameter {
            Parameter::Path(path) => match self.path(path) {
                Ok(value) => return value,
                Err(what) => wrong.push(what),
            },
            Parameter::Name(name) => wrong.push(format!("unknown name `{name}`")),
            Parameter::Subexpression(sub) => {
                if let TemplateElement::Expression(call) = sub.as_element() {
                    self.expression(call, wrong);
                }
            }
            // A literal.
            _ => {}
        }
        None
    }

    fn block(&mut self, block: &HelperTemplate, wrong: &mut Vec<String>) {
        let name = name_of(&block.name).unwrap_or("?");
        if !BLOCKS.contains(&name) {
            wrong.push(format!("unknown block `{{{{#{name}}}}}`"));
            return;
        }
        let subject = block.params.first().and_then(|parameter| self.parameter(parameter, wrong));
        for parameter in block.params.iter().skip(1).chain(block.hash.values()) {
            self.parameter(parameter, wrong);
        }
        if block.params.is_empty() {
            wrong.push(format!("`{{{{#{name}}}}}` needs a value"));
        }
        let scope = match name {
            "each" => {
                if subject.is_some_and(|value| !value.is_array() && !value.is_object()) {
                    wrong.push("`{{#each}}` needs a list".into());
                }
                let item = subject.and_then(item_of);
                Some(Scope { value: item, params: block_params(block, item), each: true })
            }
            "with" => Some(Scope { value: subject, params: block_params(block, subject), each: false }),
            _ => None,
        };
        let pushed = scope.is_some();
        self.scopes.extend(scope);
        block.template.iter().for_each(|template| self.template(template));
        if pushed {
            self.scopes.pop();
        }
        block.inverse.iter().for_each(|template| self.template(template));
    }

    fn path(&self, path: &Path) -> Result<Option<&'a Value>, String> {
        match path {
            Path::Local((_, name, raw)) => {
                let known = ["index", "first", "last", "key"].contains(&name.as_str());
                let inside = self.scopes.iter().any(|scope| scope.each);
                if known && inside { Ok(None) } else { Err(format!("unknown name `{raw}`")) }
            }
            Path::Relative((segments, raw)) => self.relative(segments, raw),
        }
    }

    fn relative(&self, segments: &[PathSeg], raw: &str) -> Result<Option<&'a Value>, String> {
        let mut level = self.scopes.len() - 1;
        let mut names = Vec::new();
        for segment in segments {
            match segment {
                PathSeg::Named(name) => names.push(name.as_str()),
                // Handlebars keeps the type of its grammar's rules to itself; their names are all there is.
                PathSeg::Ruled(rule) => match format!("{rule:?}").as_str() {
                    "path_up" => level = level.checked_sub(1).ok_or("`../` goes above the top")?,
                    "path_root" => level = 0,
                    _ => {}
                },
                _ => return Err(format!("`{raw}` cannot be parsed")),
            }
        }
        let mut value = self.scopes[level].value;
        let from_param = names.first().and_then(|name| {
            let mut params = self.scopes.iter().rev().flat_map(|scope| &scope.params);
            params.find(|(param, _)| param == name)
        });
        if let Some((_, param)) = from_param {
            (value, names) = (*param, names.split_off(1));
        }
        for (index, name) in names.iter().enumerate() {
            let Some(known) = value else { return Ok(None) };
            value = match known {
                Value::Array(_) if name.parse::<usize>().is_ok() => item_of(known),
                Value::Object(_) if known.get(name).is_some() => known.get(name),
                _ if index == 0 || names.len() == 1 => return Err(unknown(known, raw)),
                _ => return Err(unknown(self.scopes[0].value.unwrap_or(&Value::Null), raw)),
            };
        }
        Ok(value)
    }
}

fn block_params<'a>(block: &HelperTemplate, value: Option<&'a Value>) -> Vec<(String, Option<&'a Value>)> {
    let named = |parameter: &Parameter, value| name_of(parameter).map(|name| (name.to_owned(), value));
    match &block.block_param {
        Some(BlockParam::Single(first)) => named(first, value).into_iter().collect(),
        Some(BlockParam::Pair((first, second))) => {
            named(first, value).into_iter().chain(named(second, None)).collect()
        }
        _ => Vec::new(),
    }
}

fn name_of(parameter: &Parameter) -> Option<&str> {
    match parameter {
        Parameter::Name(name) => Some(name),
        Parameter::Path(Path::Relative((_, raw)) | Path::Local((_, _, raw))) => Some(raw),
        _ => None,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::super::shape::shape;
    use super::*;
    use serde_json::json;

    fn known() -> Value {
        shape([
            json!({"review": {"text": null, "rating": 1}, "previous": null, "rules": ["a"], "n": 1}),
            json!({"review": {"text": "x", "rating": null}, "previous": {"text": "y"}, "rules": [], "n": 2}),
        ])
    }

    fn wrong(template: &str) -> Vec<String> {
        let template = Template::compile(template).unwrap();
        check(&template, &known()).into_iter().map(|misuse| misuse.what).collect()
    }

    #[test]
    fn known_names_pass_in_every_form() {
        for template in [
            "plain",
            "{{review.text}} {{review.[text]}} {{this.review.text}} {{@root.review.text}}",
            "{{#if previous}}{{previous.text}}{{else if review.text}}{{n}}{{else}}-{{/if}}",
            "{{#with review}}{{text}}{{../n}}{{@root.n}}{{/with}}",
            "{{#each rules}}{{this}}{{@index}}{{#if @last}}.{{/if}}{{../n}}{{/each}}",
            "{{#each rules as |rule index|}}{{rule}}{{index}}{{/each}}",
            "{{#with review as |r|}}{{r.text}}{{/with}}",
            "{{#if (gt n 1)}}{{truncate review.text 80}}{{/if}} {{rules.0}} {{len rules}}",
        ] {
            assert_eq!(wrong(template), Vec::<String>::new(), "{template}");
        }
    }

    #[test]
    fn unknown_names_are_found_in_branches_that_no_sample_takes() {
        for (template, part) in [
            ("{{reviw.text}}", "did you mean `review.text`?"),
            ("{{#if review.txt}}{{/if}}", "did you mean `review.text`?"),
            ("{{#unless nope}}{{/unless}}", "unknown name `nope`"),
            ("{{#if n}}{{else}}{{#if n}}{{nope}}{{/if}}{{/if}}", "unknown name `nope`"),
            ("{{#each rules}}{{this.name}}{{/each}}", "unknown name `this.name`"),
            ("{{#each n}}{{/each}}", "needs a list"),
            ("{{#with review}}{{nope}}{{/with}}", "unknown name `nope`"),
            ("{{truncate nope 3}}", "unknown name `nope`"),
            ("{{#if (eq nope 1)}}{{/if}}", "unknown name `nope`"),
            ("{{shout review.text}}", "unknown helper `shout`"),
            ("{{#review}}{{/review}}", "unknown block `{{#review}}`"),
            ("{{> other}}", "partials"),
            ("{{#*inline \"x\"}}{{/inline}}", "decorators"),
            ("{{@index}}", "unknown name `@index`"),
            ("{{../n}}", "above the top"),
            ("{{log review.text}}", "unknown helper `log`"),
        ] {
            let found = wrong(template);
            assert!(found.iter().any(|what| what.contains(part)), "{template}: {found:?}");
        }
    }

    #[test]
    fn what_would_overflow_the_stack_is_refused() {
        assert_eq!(too_deep(&"{{#if a}}x{{/if}}".repeat(500)), None);
        assert_eq!(too_deep("{{#if a}}{{else}}{{/if}} ((((( [[[[["), None);
        for deep in [
            format!("{}{}", "{{#if a}}".repeat(60), "{{/if}}".repeat(60)),
            format!("{}{}", "{{~ #if a}}".repeat(60), "{{~ /if}}".repeat(60)),
            format!("{{{{#if a}}}}{}{{{{/if}}}}", "{{else if a}}".repeat(60)),
            format!("{{{{eq {}a{} 1}}}}", "(not ".repeat(60), ")".repeat(60)),
        ] {
            assert!(too_deep(&deep).is_some());
        }
    }
}
