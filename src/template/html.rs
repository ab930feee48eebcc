//! Where a value may stand in a template of HTML. Escaping keeps a value a text; it cannot help in
//! `href="{{review.author}}"`, in a style, or outside of quotes. So inside of a tag only a checked link, text for
//! people, or a figure may stand, and in comments, styles and scripts nothing.

use super::check::Misuse;
use super::link::is_fixed;
use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{Path, Template};

/// Values where they could lead, fetch, format or run.
pub fn check(template: &Template) -> Vec<Misuse> {
    let mut walk = Walk { place: Place::Text, found: Vec::new() };
    walk.template(template);
    walk.found
}

/// What has been read so far.
#[derive(Clone, Debug, PartialEq)]
enum Place {
    Text,
    /// Since `<`, without it, and the open quote.
    Tag(String, Option<char>),
    /// Inside of an element whose content is not HTML, until its end.
    Raw(&'static str),
}

/// The elements whose content escaping does not make safe, and how they end.
const RAW: &[(&str, &str)] = &[("style", "</style"), ("script", "</script"), ("!--", "-->")];

struct Walk {
    place: Place,
    found: Vec<Misuse>,
}

impl Walk {
    fn template(&mut self, template: &Template) {
        for (element, place) in template.elements.iter().zip(&template.mapping) {
            let what = match element {
                TemplateElement::RawString(text) => {
                    self.text(text);
                    None
                }
                TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => self.value(call),
                TemplateElement::HelperBlock(block) => {
                    self.block(block);
                    None
                }
                _ => None,
            };
            let known = self.found.iter().any(|misuse| (misuse.line, misuse.column) == (place.0, place.1));
            if let Some(what) = what.filter(|_| !known) {
                self.found.push(Misuse { line: place.0, column: place.1, what: what.into() });
            }
        }
    }

    fn text(&mut self, text: &str) {
        for (at, c) in text.char_indices() {
            self.place = match std::mem::replace(&mut self.place, Place::Text) {
                Place::Text if c == '<' => Place::Tag(String::new(), None),
                Place::Text => Place::Text,
                Place::Raw(end) => match text[..at + c.len_utf8()].to_lowercase().ends_with(end) {
                    true if end == "-->" => Place::Text,
                    true => Place::Tag(String::new(), None),
                    false => Place::Raw(end),
                },
                Place::Tag(tag, None) if c == '>' => after(&tag),
                Place::Tag(mut tag, quote) => {
                    tag.push(c);
                    if tag == "!--" {
                        Place::Raw("-->")
                    } else {
                        let quote = match quote {
                            Some(open) if open == c => None,
                            None if matches!(c, '"' | '\'') => Some(c),
                            same => same,
                        };
                        Place::Tag(tag, quote)
                    }
                }
            };
        }
    }

    /// What is wrong with a value here.
    fn value(&mut self, call: &HelperTemplate) -> Option<&'static str> {
        match &mut self.place {
            Place::Text => None,
            Place::Raw(_) => Some("no value is safe inside a comment, a style or a script"),
            Place::Tag(_, None) => Some("inside a tag, a value needs quotes: title=\"{{…}}\""),
            Place::Tag(tag, Some(quote)) => {
                let (before, so_far) = tag.rsplit_once(*quote).unwrap_or_default();
                let attribute = before.trim_end_matches('=').rsplit(char::is_whitespace).next();
                let attribute = attribute.unwrap_or_default().to_lowercase();
                let safe = match attribute.as_str() {
                    "href" => is_fixed(so_far) || (so_far.is_empty() && last_name(call) == "url"),
                    "alt" | "title" | "lang" | "aria-label" => true,
                    "width" => matches!(last_name(call), "percent" | "rest" | "count"),
                    _ => false,
                };
                if attribute == "href" && so_far.is_empty() {
                    // An address of its own: what follows is below it.
                    tag.push_str("https://own/");
                }
                (!safe).then_some(
                    "inside a tag, a value is only allowed in a link (href=\"{{review.url}}\", or one that starts \
                     with a fixed https://…/), in `alt`, `title` and `lang`, or as the width of a bar",
                )
            }
        }
    }

    /// Each branch begins as the block does; a loop's second round begins as its first ended.
    fn block(&mut self, block: &HelperTemplate) {
        let before = self.place.clone();
        let mut after = before.clone();
        for template in block.template.iter().chain(&block.inverse) {
            self.place = before.clone();
            self.template(template);
            if self.place != before {
                self.template(template);
                after = self.place.clone();
            }
        }
        self.place = after;
    }
}

/// Where a tag leads that has just ended.
fn after(tag: &str) -> Place {
    let name = tag.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default().to_lowercase();
    let raw = RAW.iter().find(|(raw, _)| *raw == name);
    raw.map_or(Place::Text, |(_, end)| Place::Raw(end))
}

/// `url` of `review.url` or `this.url`; empty for a computed value. Whatever is called `url` in a context has
/// been checked.
fn last_name(call: &HelperTemplate) -> &str {
    match &call.name {
        Parameter::Path(Path::Relative((_, raw))) if call.params.is_empty() => {
            raw.rsplit(['.', '/']).next().unwrap_or_default()
        }
        Parameter::Name(name) if call.params.is_empty() => name,
        _ => "",
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_where_they_are_safe_and_nowhere_else() {
        for (template, mistakes) in [
            ("<p>{{review.text}} {{{review.text}}}</p>{{review.text}}", 0),
            ("<a href=\"{{review.url}}\">{{review.author}}</a>", 0),
            ("<a style='x' href='{{this.url}}'>x</a> {{{review.text}}}", 0),
            ("<a href=\"https://crm.example/{{review.uuid}}?a={{review.text}}\">", 0),
            ("<img alt=\"{{review.text}}\" src=\"https://shop.example/logo.png\">", 0),
            ("<td width=\"{{this.percent}}%\"><p lang=\"{{review.language}}\" title='{{review.author}}'>", 0),
            ("<td style=\"color: {{#if n}}#b00{{else}}#0b0{{/if}}\">{{review.text}}</td>", 0),
            ("{{#each rules}}<li>{{this}}</li>{{/each}}", 0),
            ("<a href=\"{{review.author}}\">", 1),
            ("<a href=\"{{truncate review.url 9}}\">", 1),
            ("<a href=\"https://{{review.author}}/\">", 1),
            ("<a href={{review.url}}>", 1),
            ("<img src=\"{{review.url}}\">", 1),
            ("<p style=\"color: {{review.author}}\">", 1),
            ("<p onclick=\"{{review.author}}\">", 1),
            ("<p {{review.author}}>", 1),
            ("<{{review.author}}>", 1),
            ("<td width=\"{{review.author}}\">", 1),
            ("<style>p { color: {{review.author}} }</style>{{review.text}}", 1),
            ("<script>{{review.author}}</script>", 1),
            ("<!-- > {{review.author}} --> {{review.author}}", 1),
            ("{{#if n}}<p style=\"{{/if}}{{review.author}}", 1),
            ("{{#each rules}}{{this}}<p {{/each}}", 1),
            ("a > b \" {{review.text}} <br> {{review.text}}", 0),
        ] {
            let found = check(&Template::compile(template).unwrap());
            assert_eq!(found.len(), mistakes, "{template}: {found:?}");
        }
    }
}
