//! Mentions that are written into a template: they ping with every message, whatever a destination's `mention` says.

use super::files::{TemplateFile, TemplateProblem};
use super::source::{Placed, Source, line_and_column, offset_in_text, parse};

/// Words that ping where they stand alone.
const WORDS: &[&str] = &["@everyone", "@here", "@channel", "@all"];
/// What tokens begin with that ping, up to `>`.
const TOKENS: &[&str] =
    &["<!channel", "<!here", "<!everyone", "<!subteam^", "<!group", "<@", "<users/", "<at>", "<at "];
/// Elements of Slack's rich text that ping, and what names whom.
const ELEMENTS: &[(&str, &str)] =
    &[("broadcast", "range"), ("user", "user_id"), ("usergroup", "usergroup_id")];

/// Every mention that is written into `file`, with its place.
pub fn fixed(file: &TemplateFile) -> Vec<TemplateProblem> {
    let Ok(source) = parse(&file.text) else { return Vec::new() };
    let mut found = Vec::new();
    walk(&source, &file.text, &mut found);
    let problem = |(at, mention): (usize, String)| {
        let (line, column) = line_and_column(&file.text, at);
        let what = format!("contains the fixed mention `{mention}`");
        TemplateProblem { file: file.shown.clone(), line, column, what }
    };
    found.into_iter().map(problem).collect()
}

fn walk(placed: &Placed, file: &str, found: &mut Vec<(usize, String)>) {
    match &placed.value {
        Source::Other(_) => {}
        Source::Text(text) => {
            for (at, mention) in mentions(text) {
                let line = text[..at].matches('\n').count() + 1;
                let column = text[..at].chars().rev().take_while(|c| *c != '\n').count() + 1;
                found.push((offset_in_text(file, placed.at, text, line, column), mention));
            }
        }
        Source::Array(items) => items.iter().for_each(|item| walk(item, file, found)),
        Source::Object(fields) => {
            let text = |key: &str| {
                fields.iter().find_map(|(name, placed)| match &placed.value {
                    Source::Text(text) if name == key => Some((placed.at, text.as_str())),
                    _ => None,
                })
            };
            let kind = text("type").map_or("", |(_, kind)| kind);
            let whom = ELEMENTS.iter().find(|(element, _)| *element == kind).and_then(|(_, key)| text(key));
            if let Some((at, whom)) = whom.filter(|(_, whom)| !whom.contains("{{")) {
                found.push((at, format!("{kind} {whom}")));
            }
            fields.iter().for_each(|(_, value)| walk(value, file, found));
        }
    }
}

/// Where a text mentions somebody, and how.
fn mentions(text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let words = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '-');
    for (at, _) in text.match_indices('@') {
        let before = text[..at].chars().next_back();
        let word = WORDS.iter().find(|word| text[at..].starts_with(*word));
        // Not of an address, nor of a name of Handlebars.
        let alone = |word: &&&str| {
            !text[at + word.len()..].starts_with(|c: char| c.is_alphanumeric() || c == '_')
                && !before.is_some_and(|c| words(c) || c == '{' || c == '<')
        };
        found.extend(word.filter(alone).map(|word| (at, (*word).to_owned())));
    }
    for (at, _) in text.match_indices('<') {
        let rest = &text[at..];
        let is_token = TOKENS.iter().any(|token| rest.starts_with(token));
        let end = rest.find('>').filter(|end| is_token && !rest[..*end].contains("{{"));
        found.extend(end.map(|end| (at, rest[..=end].to_owned())));
    }
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let file = TemplateFile { shown: "slack/review.json".into(), text: text.to_owned().into() };
        fixed(&file).iter().map(ToString::to_string).collect()
    }

    // J23
    #[test]
    fn mentions_are_found_with_their_place() {
        let shown = |place: &str, mention: &str| {
            format!("slack/review.json:{place}: contains the fixed mention `{mention}`")
        };
        assert_eq!(
            found("{\"text\":\n \"Hi <!channel>\\n and @here {{x}}\"}"),
            [shown("2:6", "<!channel>"), shown("2:23", "@here"),]
        );
        for mention in [
            "<!here>",
            "<!everyone>",
            "<@U012AB3CD>",
            "<!subteam^S01>",
            "<users/all>",
            "<users/12>",
            "<@&12>",
            "@everyone",
            "@all",
            "@channel",
        ] {
            assert_eq!(
                found(&format!("{{\"text\": \"{mention}: {{{{x}}}}\"}}")),
                [shown("1:11", mention)],
                "{mention}"
            );
        }
        let element = "{\"a\": [{\"type\": \"broadcast\", \"range\": \"here\"}]}";
        assert_eq!(found(element), [shown("1:39", "broadcast here")]);
        for fine in [
            "{\"text\": \"{{mention.token}} sales@all.example, @allison, {{@root.x}} <https://x.example|@>\"}",
            "{\"type\": \"broadcast\", \"range\": \"{{mention.range}}\"}",
            "{\"text\": \"<@{{mention.user_id}}>\"}",
            "not JSON",
        ] {
            assert_eq!(found(fine), Vec::<String>::new(), "{fine}");
        }
    }
}
