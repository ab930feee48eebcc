//! Templates of JSON payloads. The file is JSON first; each string in it is a Handlebars template of its
//! own, so whatever a review says and however the template is written, a value stays inside its string.
//!
//! Structure has three keys of its own, in any object: `$if` and `$unless` (`"$if": "review.url"`) keep or
//! drop the object, `$each` (`"$each": "rules"`) repeats it in its array, with `{{item}}` inside.

use super::check::Misuse;
use super::compile::Compiler;
use super::helpers;
use super::shape::find;
use super::source::{Mistake, offset_in_text, parse};
use crate::domain::text::{is_visible, one_line};
use handlebars::{Context, Handlebars, JsonTruthy, RenderContext, Renderable, Template};
use serde_json::{Map, Value};

/// What a payload's format allows where.
pub struct Dialect {
    /// Every `type` an object may have.
    pub types: &'static [&'static str],
    /// What the string at a place may be.
    pub rule: fn(&Place<'_>) -> Rule,
    /// Makes a value safe in a field that is read as markup.
    pub escape: fn(&str) -> String,
    /// Finds values in places of a markup where escaping does not make them safe.
    pub markup: fn(&Template) -> Vec<Misuse>,
}

/// Where a string is.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// The field it is in; that of the array where it is an item.
    pub key: &'a str,
    /// The field that its object is in, likewise; empty for the outermost object.
    pub within: &'a str,
    /// The `type` of the object it is in.
    pub kind: Option<&'a str>,
    /// Whether it is in the outermost object.
    pub top: bool,
}

/// What a string may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// A template whose values are shown as they are.
    Literal,
    /// A template whose values are escaped.
    Escaped,
    /// No template, but for exactly this one.
    Only(&'static str),
    /// An address: the review's own, or one that begins with a fixed host.
    Link,
    /// No template.
    Fixed,
}

/// The two registries of a format: escape belongs to a whole registry.
pub struct Engines {
    literal: Handlebars<'static>,
    escaped: Handlebars<'static>,
}

impl Engines {
    /// With `escape` for what is read as markup.
    pub fn new(escape: fn(&str) -> String) -> Self {
        Self { literal: helpers::registry(|text| text.to_owned()), escaped: helpers::registry(escape) }
    }

    /// The one for markup, or for what is shown as it is.
    pub fn of(&self, markup: bool) -> &Handlebars<'static> {
        if markup { &self.escaped } else { &self.literal }
    }
}

/// A compiled template file.
#[derive(Debug)]
pub struct Tree {
    file: String,
    root: Node,
    /// Whether a text in it is fixed.
    says: bool,
}

/// The texts for people that were filled in so far.
#[derive(Clone, Copy, Debug, Default)]
struct Filled {
    all: usize,
    visible: usize,
}

/// What is filled in.
struct Filling<'a> {
    engines: &'a Engines,
    context: &'a mut Context,
    texts: Filled,
}

/// A part of a compiled template.
#[derive(Debug)]
pub(super) enum Node {
    Fixed(Value),
    Leaf(Box<Leaf>),
    Array(Vec<Node>),
    Object(Object),
}

/// A string with values in it.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) at: usize,
    pub(super) text: String,
    pub(super) template: Template,
    pub(super) escaped: bool,
    /// Whether people read it.
    pub(super) shows: bool,
}

/// An object and its structure keys.
#[derive(Debug, Default)]
pub(super) struct Object {
    /// A path, and whether it must be truthy.
    pub(super) conditions: Vec<(String, bool)>,
    pub(super) each: Option<String>,
    pub(super) at: usize,
    /// Whether it is a block of a message whose texts all come from templates.
    pub(super) is_block: bool,
    pub(super) fields: Vec<(String, Node)>,
}

impl Tree {
    /// Compiles `file`; `shape` is the documented context, by which its names are checked: those of the built-in
    /// templates have been, by a test. All mistakes at once.
    pub fn compile(file: &str, dialect: &Dialect, shape: Option<&Value>) -> Result<Self, Vec<Mistake>> {
        let source = parse(file).map_err(|mistake| vec![mistake])?;
        let mut compiler = Compiler { file, dialect, mistakes: Vec::new(), said: 0 };
        let root = compiler.node(&source, shape, Place { key: "", within: "", kind: None, top: true });
        match &root {
            Node::Object(object) if object.each.is_none() && object.conditions.is_empty() => {}
            Node::Fixed(Value::Object(_)) => {}
            _ => compiler.wrong(source.at, "must be one object, without `$if`, `$unless` and `$each`"),
        }
        if compiler.mistakes.is_empty() {
            Ok(Self { file: file.into(), root, says: compiler.said > 0 })
        } else {
            Err(compiler.mistakes)
        }
    }

    /// Renders it for `context`. What shows nothing is a mistake: the whole, or a block of it.
    pub fn render(&self, engines: &Engines, context: &mut Context) -> Result<Value, Mistake> {
        let mut values = Vec::new();
        let mut filling = Filling { engines, context, texts: Filled::default() };
        self.node(&self.root, &mut filling, &mut values)?;
        if !self.says && filling.texts.all > 0 && filling.texts.visible == 0 {
            return Err(Mistake { at: 0, what: "is empty: no text of it shows anything".into() });
        }
        Ok(values.pop().unwrap_or(Value::Null))
    }

    /// Adds what `node` gives: nothing, a value, or (`$each`) several.
    fn node(&self, node: &Node, filling: &mut Filling<'_>, out: &mut Vec<Value>) -> Result<(), Mistake> {
        match node {
            Node::Fixed(value) => out.push(value.clone()),
            Node::Leaf(leaf) => {
                let text = self.leaf(leaf, filling)?;
                filling.texts.all += usize::from(leaf.shows);
                filling.texts.visible += usize::from(leaf.shows && is_visible(&text));
                out.push(text.into());
            }
            Node::Array(items) => {
                let mut values = Vec::with_capacity(items.len());
                items.iter().try_for_each(|item| self.node(item, filling, &mut values))?;
                out.push(Value::Array(values));
            }
            Node::Object(object) => match &object.each {
                None => self.object(object, filling, out)?,
                Some(path) => {
                    let items = find(filling.context.data(), path).ok().and_then(Value::as_array).cloned();
                    let outer = filling.context.data().get("item").cloned();
                    for item in items.unwrap_or_default() {
                        set_item(filling.context, Some(item));
                        self.object(object, filling, out)?;
                    }
                    set_item(filling.context, outer);
                }
            },
        }
        Ok(())
    }

    fn object(
        &self,
        object: &Object,
        filling: &mut Filling<'_>,
        out: &mut Vec<Value>,
    ) -> Result<(), Mistake> {
        let context = &*filling.context;
        let holds = |(path, wanted): &(String, bool)| {
            find(context.data(), path).is_ok_and(|value| value.is_truthy(false)) == *wanted
        };
        if !object.conditions.iter().all(holds) {
            return Ok(());
        }
        let before = filling.texts;
        let mut fields = Map::new();
        for (key, node) in &object.fields {
            let mut values = Vec::new();
            self.node(node, filling, &mut values)?;
            fields.extend(values.pop().map(|value| (key.clone(), value)));
        }
        let (all, visible) = (filling.texts.all - before.all, filling.texts.visible - before.visible);
        if object.is_block && all > 0 && visible == 0 {
            let what = "is empty: give it a fixed text, or leave it out with `$if`";
            return Err(Mistake { at: object.at, what: what.into() });
        }
        out.push(Value::Object(fields));
        Ok(())
    }

    fn leaf(&self, leaf: &Leaf, filling: &Filling<'_>) -> Result<String, Mistake> {
        let mut state = RenderContext::new(None);
        leaf.template.renders(filling.engines.of(leaf.escaped), filling.context, &mut state).map_err(
            |error| {
                let place = (error.line_no.unwrap_or(1), error.column_no.unwrap_or(1));
                let at = offset_in_text(&self.file, leaf.at, &leaf.text, place.0, place.1);
                Mistake { at, what: one_line(&error.reason().to_string(), 300) }
            },
        )
    }
}

fn set_item(context: &mut Context, item: Option<Value>) {
    let Some(data) = context.data_mut().as_object_mut() else { return };
    match item {
        Some(item) => data.insert("item".into(), item),
        None => data.remove("item"),
    };
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::super::shape;
    use super::super::source::line_and_column;
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn dialect() -> Dialect {
        Dialect {
            types: &["a", "loud"],
            rule: |place| match (place.key, place.kind) {
                ("text", Some("loud")) => Rule::Escaped,
                ("text", _) => Rule::Literal,
                ("id", _) => Rule::Only("{{n}}"),
                _ => Rule::Fixed,
            },
            escape: str::to_uppercase,
            markup: |_| Vec::new(),
        }
    }

    fn data() -> Value {
        json!({"x": "va\"lue", "n": 1, "none": null, "list": ["p", "q"], "rows": [{"k": "1"}, {"k": "2"}]})
    }

    fn render(file: &str) -> Result<Value, Vec<String>> {
        let text = |mistake: &Mistake| {
            let (line, column) = line_and_column(file, mistake.at);
            format!("{line}:{column}: {}", mistake.what)
        };
        let (dialect, shape) = (dialect(), shape::shape([data()]));
        let tree = Tree::compile(file, &dialect, Some(&shape));
        let tree = tree.map_err(|mistakes| mistakes.iter().map(text).collect::<Vec<_>>())?;
        let mut context = Context::wraps(data()).unwrap();
        let value = tree.render(&Engines::new(dialect.escape), &mut context);
        assert_eq!(*context.data(), data(), "the context is left as it was");
        value.map_err(|mistake| vec![text(&mistake)])
    }

    #[test]
    fn values_stay_in_their_strings_and_fields_decide_on_escaping() {
        let payload = render(
            r#"{"text": "{{x}} {{{x}}} {{&x}}", "o": {"type": "loud", "text": "a {{x}} {{{x}}}{{#if n}}{{{x}}}{{/if}}"}, "id": "{{n}}", "n": 1.5}"#,
        );
        assert_eq!(
            payload.unwrap(),
            json!({"text": "va\"lue va\"lue va\"lue", "o": {"type": "loud", "text": "a VA\"LUE VA\"LUEVA\"LUE"}, "id": "1", "n": 1.5})
        );
    }

    #[test]
    fn structure_keys_keep_drop_and_repeat() {
        let payload = render(
            r#"{"l": [{"$if": "x", "text": "1"}, {"$if": "none", "text": "2"}, {"$unless": "none", "text": "3"},
                {"$each": "list", "text": "{{item}}", "in": [{"$each": "rows", "text": "{{item.k}}"}], "text2": "x"}, {"$if": "n", "$unless": "x"}],
                "gone": {"$if": "none"}, "kept": {"$if": "n"}}"#,
        );
        let inner = json!([{"text": "1"}, {"text": "2"}]);
        assert_eq!(
            payload.unwrap(),
            json!({"l": [{"text": "1"}, {"text": "3"}, {"text": "p", "in": inner, "text2": "x"}, {"text": "q", "in": inner, "text2": "x"}], "kept": {}})
        );
    }

    #[test]
    fn mistakes_come_all_at_once_with_line_and_column() {
        let wrong = |file: &str| render(file).unwrap_err();
        assert_eq!(
            wrong("{\"text\":\n  \"a {{nope}}\"}"),
            ["2:6: unknown name `nope`; did you mean `none`?"]
        );
        assert_eq!(wrong("{\"text\": \"{{none.k}}\"}").len(), 1);
        let all = wrong(
            "{\"text\": \"{{#if x}}\", \"type\": \"{{x}}\", \"$if\": \"y\", \"$for\": 1, \"id\": \"{{x}}\"}",
        );
        assert_eq!(all.len(), 6, "{all:?}");
        assert!(all.iter().any(|what| what.contains("`id` must be fixed or exactly {{n}}")), "{all:?}");
        assert!(wrong("{\"o\": {\"$each\": \"list\"}}")[0].contains("only allowed in items of a list"));
        assert!(wrong("{\"o\": [{\"$each\": \"x\"}]}")[0].contains("needs a list"));
        assert!(wrong("{\"o\": [{\"type\": \"b\"}]}")[0].contains("use one of `a`, `loud`"));
        assert!(wrong("[]")[0].contains("one object"));
        assert!(wrong("{\"text\": \"{{stars x}}\"}")[0].starts_with("1:11: `stars` takes"));
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_template_file_panics(pieces in prop::collection::vec(prop::sample::select(&[
            "{{", "}}", "{{{", "}}}", "{{#if ", "{{/if}}", "{{else}}", "{{^}}", "~", "review.text", "(", ")", "\\", "=",
            "as |x|", "{{!--", "--}}", "\"", "'", "[", "]", "@root.", "../", "{{{{raw}}}}", "{{{{/raw}}}}", "{{>", "é", " ",
            "$if", "{\"text\":", ",", "}", "1", "null", "\n",
        ][..]), 0..14)) {
            let file = serde_json::to_string(&pieces.concat()).unwrap();
            let shape = json!({"review": {"text": "x"}});
            let dialect = dialect();
            for file in [format!("{{\"text\": {file}}}"), format!("{{\"o\": {{\"type\": \"loud\", \"text\": {file}}}}}"), pieces.concat()] {
                for shape in [Some(&shape), None] {
                    if let Ok(tree) = Tree::compile(&file, &dialect, shape) {
                        let mut context = Context::wraps(json!({"review": {"text": "x"}})).unwrap();
                        let _ = tree.render(&Engines::new(dialect.escape), &mut context);
                    }
                }
            }
        }
    }
}
