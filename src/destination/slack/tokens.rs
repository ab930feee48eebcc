//! What may stand inside `<…>` of Slack's markup. Escaping cannot help there: in `<{{review.author}}>` an
//! author called `!channel` would ping everybody. So only a link to the review's own page, or below an
//! address that the template fixes, can hold a value; a label after `|` can hold any.

use crate::template::{Misuse, OWN_LINK, is_fixed};
use handlebars::Template;
use handlebars::template::{HelperTemplate, Parameter, TemplateElement};

/// Values inside `<…>` that could ping or lead anywhere.
pub fn check(template: &Template) -> Vec<Misuse> {
    let mut walk = Walk { token: None, found: Vec::new() };
    walk.template(template);
    walk.found
}

struct Walk {
    /// What stands since an open `<`, without a `|` so far.
    token: Option<String>,
    found: Vec<Misuse>,
}

impl Walk {
    fn template(&mut self, template: &Template) {
        for (element, place) in template.elements.iter().zip(&template.mapping) {
            let safe = match element {
                TemplateElement::RawString(text) => {
                    self.text(text);
                    true
                }
                TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => self.value(call),
                TemplateElement::HelperBlock(block) => self.block(block),
                _ => true,
            };
            let known = self.found.iter().any(|misuse| (misuse.line, misuse.column) == (place.0, place.1));
            if !safe && !known {
                let what = format!(
                    "inside `<…>`, only {OWN_LINK} or an address that starts with a fixed `https://…/` is safe; a \
                     label after `|` can hold any value"
                );
                self.found.push(Misuse { line: place.0, column: place.1, what });
            }
        }
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match (c, &mut self.token) {
                ('<', _) => self.token = Some(String::new()),
                ('>' | '|', _) => self.token = None,
                (c, Some(token)) => token.push(c),
                (_, None) => {}
            }
        }
    }

    /// Whether a value may stand here.
    fn value(&mut self, call: &HelperTemplate) -> bool {
        let Some(token) = &mut self.token else { return true };
        let name = match &call.name {
            Parameter::Path(handlebars::Path::Relative((_, raw))) if call.params.is_empty() => raw.as_str(),
            _ => "",
        };
        let safe = is_fixed(token) || (token.is_empty() && name == "review.url");
        if name == "review.url" {
            // An address of its own: what follows is below it.
            token.push_str("https://own/");
        }
        safe
    }

    /// Each branch begins as the block does; a loop's second round begins as its first ended.
    fn block(&mut self, block: &HelperTemplate) -> bool {
        let before = self.token.clone();
        let mut after = before.clone();
        for template in block.template.iter().chain(&block.inverse) {
            self.token.clone_from(&before);
            self.template(template);
            if self.token.is_some() && self.token != before {
                self.template(template);
            }
            after = after.or(self.token.take());
        }
        self.token = after;
        true
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    #[test]
    fn only_links_hold_values() {
        for (template, mistakes) in [
            ("{{review.text}} < {{{review.text}}}", 1),
            ("<{{review.url}}|{{review.author}}> {{review.text}}", 0),
            ("<{{review.url}}?from=slack|see> <{{review.url}}/{{review.uuid}}>", 0),
            ("<https://crm.example/r/{{review.uuid}}|{{shown.link}}>", 0),
            ("<{{review.author}}>", 1),
            ("<{{{review.author}}}|x>", 1),
            ("<!{{review.author}}>", 1),
            ("<@{{review.author}}> <#{{review.author}}>", 2),
            ("<https://{{review.author}}/x>", 1),
            ("<https://a.example{{review.author}}>", 1),
            ("<https://me@{{review.author}}>", 1),
            ("<{{truncate review.url 9}}>", 1),
            ("{{#if a}}<{{/if}}{{review.text}}", 1),
            ("{{#each rules}}{{this}}<{{/each}}", 1),
            ("<{{#if a}}{{review.text}}{{else}}{{review.url}}{{/if}}>", 1),
            ("a > b {{review.text}} | {{review.text}} <x> {{review.text}}", 0),
        ] {
            let found = check(&Template::compile(template).unwrap());
            assert_eq!(found.len(), mistakes, "{template}: {found:?}");
        }
    }
}
