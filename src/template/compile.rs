//! Compiles a template file's strings and structure keys; every mistake with its place, all at once.

use super::check::{check, too_deep};
use super::link::{OWN_LINK, is_fixed};
use super::shape::find;
use super::source::{Mistake, Placed, Source, offset_in_text};
use super::tree::{Dialect, Leaf, Node, Object, Place, Rule};
use crate::domain::text::{is_visible, one_line};
use handlebars::Template;
use handlebars::template::TemplateElement;
use serde_json::Value;

/// The link of an item: every list of the context that has some holds checked ones.
const ITEM_LINK: &str = "{{item.url}}";

/// Compiles one file, collecting every mistake.
pub(super) struct Compiler<'a> {
    pub(super) file: &'a str,
    pub(super) dialect: &'a Dialect,
    pub(super) mistakes: Vec<Mistake>,
    /// How many fixed texts for people there are so far.
    pub(super) said: usize,
}

/// The lists whose items are blocks of a message, each of which must show something.
const BLOCKS: &[&str] = &["blocks", "embeds", "fields", "attachments", "body", "sections", "widgets"];

impl Compiler<'_> {
    /// Notes a mistake.
    pub(super) fn wrong(&mut self, at: usize, what: impl Into<String>) {
        self.mistakes.push(Mistake { at, what: what.into() });
    }

    /// Compiles one value.
    pub(super) fn node(&mut self, source: &Placed, shape: Option<&Value>, place: Place<'_>) -> Node {
        match &source.value {
            Source::Other(value) => Node::Fixed(value.clone()),
            Source::Text(text) => self.text(source.at, text, shape, place),
            Source::Array(items) => {
                Node::Array(items.iter().map(|item| self.node(item, shape, place)).collect())
            }
            Source::Object(fields) => self.object(source.at, fields, shape, place),
        }
    }

    fn object(
        &mut self,
        at: usize,
        fields: &[(String, Placed)],
        shape: Option<&Value>,
        outer: Place<'_>,
    ) -> Node {
        let top = outer.top && outer.key.is_empty();
        let said = self.said;
        let mut object = Object { at, ..Object::default() };
        let mut inner = None;
        if let Some((_, source)) = fields.iter().find(|(key, _)| key == "$each")
            && let Some(path) = self.condition(source, shape)
        {
            inner = shape.and_then(|shape| self.with_item(source.at, &path, shape));
            object.each = Some(path);
        }
        let shape = inner.as_ref().or(shape);
        let kind = fields.iter().find_map(|(key, source)| match &source.value {
            Source::Text(text) if key == "type" => Some(text.as_str()),
            _ => None,
        });
        if let Some(kind) = kind.filter(|kind| !self.dialect.types.contains(kind)) {
            let known = crate::settings::table::quoted(self.dialect.types);
            self.wrong(at, format!("has the type `{}`; use one of {known}", one_line(kind, 60)));
        }
        for (key, source) in fields {
            match key.as_str() {
                "$each" => {}
                "$if" | "$unless" => {
                    let path = self.condition(source, shape);
                    object.conditions.extend(path.map(|path| (path, key == "$if")));
                }
                // Cards copied from a designer bring it along.
                _ if key.starts_with('$') && key != "$schema" => {
                    self.wrong(
                        source.at,
                        format!("`{}` is not one of `$if`, `$unless`, `$each`", one_line(key, 60)),
                    );
                }
                _ => {
                    let node = self.node(source, shape, Place { key, within: outer.key, kind, top });
                    if matches!(&node, Node::Object(object) if object.each.is_some()) {
                        self.wrong(source.at, "has `$each`, which is only allowed in items of a list");
                    }
                    object.fields.push((key.clone(), node));
                }
            }
        }
        object.is_block = BLOCKS.contains(&outer.key) && self.said == said;
        Node::Object(object)
    }

    /// The path that `$if`, `$unless` or `$each` names.
    fn condition(&mut self, source: &Placed, shape: Option<&Value>) -> Option<String> {
        let Source::Text(path) = &source.value else {
            self.wrong(source.at, "must be a name such as \"review.url\"");
            return None;
        };
        match shape.map(|shape| find(shape, path)) {
            None | Some(Ok(_)) => Some(path.clone()),
            Some(Err(what)) => {
                self.wrong(source.at, one_line(&what, 300));
                None
            }
        }
    }

    fn with_item(&mut self, at: usize, path: &str, shape: &Value) -> Option<Value> {
        let Some(items) = find(shape, path).ok().and_then(Value::as_array) else {
            self.wrong(at, format!("`$each` needs a list, and `{path}` is not one"));
            return None;
        };
        let mut shape = shape.clone();
        let item = items.first().cloned().unwrap_or_default();
        shape.as_object_mut()?.insert("item".into(), item);
        Some(shape)
    }

    fn text(&mut self, at: usize, text: &str, shape: Option<&Value>, place: Place<'_>) -> Node {
        let rule = (self.dialect.rule)(&place);
        let shows = matches!(rule, Rule::Literal | Rule::Escaped);
        if !text.contains("{{") {
            self.said += usize::from(shows && is_visible(text));
            return Node::Fixed(text.into());
        }
        match rule {
            Rule::Fixed => {
                self.wrong(at, format!("`{}` cannot be a template", one_line(place.key, 60)));
                return Node::Fixed(Value::Null);
            }
            Rule::Only(template) if text != template => {
                self.wrong(at, format!("`{}` must be fixed or exactly {template}", one_line(place.key, 60)));
                return Node::Fixed(Value::Null);
            }
            Rule::Link if text != OWN_LINK && text != ITEM_LINK && !is_fixed(text) => {
                let what = format!(
                    "`{}` must be {OWN_LINK} or start with a fixed `https://…/`",
                    one_line(place.key, 60)
                );
                self.wrong(at, what);
                return Node::Fixed(Value::Null);
            }
            _ => {}
        }
        if let Some(what) = too_deep(text) {
            self.wrong(at, what);
            return Node::Fixed(Value::Null);
        }
        let mut template = match Template::compile(text) {
            Ok(template) => template,
            Err(error) => {
                let (line, column) = error.pos().unwrap_or((1, 1));
                let at = offset_in_text(self.file, at, text, line, column);
                self.wrong(at, one_line(&error.reason().to_string(), 300));
                return Node::Fixed(Value::Null);
            }
        };
        let mut misuses = shape.map(|shape| check(&template, shape)).unwrap_or_default();
        if rule == Rule::Escaped {
            misuses.extend((self.dialect.markup)(&template));
        }
        for misuse in misuses {
            let at = offset_in_text(self.file, at, text, misuse.line, misuse.column);
            self.wrong(at, one_line(&misuse.what, 300));
        }
        always_escape(&mut template);
        let escaped = rule == Rule::Escaped;
        Node::Leaf(Box::new(Leaf { at, text: text.into(), template, escaped, shows }))
    }
}

/// `{{{x}}}` and `{{&x}}` would skip the escape function; here they mean `{{x}}`. What a field needs is
/// decided by the field, not by whoever writes the template.
pub(super) fn always_escape(template: &mut Template) {
    for element in &mut template.elements {
        let taken = std::mem::replace(element, TemplateElement::RawString(String::new()));
        *element = match taken {
            TemplateElement::HtmlExpression(call) => TemplateElement::Expression(call),
            TemplateElement::HelperBlock(mut block) => {
                block.template.iter_mut().chain(&mut block.inverse).for_each(always_escape);
                TemplateElement::HelperBlock(block)
            }
            other => other,
        };
    }
}
