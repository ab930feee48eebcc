//! Partials of HTML: `{{> style}}` stands for what is in `style.html` of a format's folder of partials.
//!
//! They are put in as text before anything is compiled, for Handlebars itself overflows the stack on partials
//! that name each other. What is wrong is told with the place in the file that people wrote.

use super::check::Misuse;
use super::files::{Files, MAX_BYTES, TemplateFile, TemplateProblem};
use super::source::line_and_column;
use crate::settings::table::nearest;
use handlebars::Template;

/// The end of their names.
pub(super) const END: &str = ".html";
/// Partials inside of partials.
const MAX_NESTING: usize = 8;
/// Partials put into one template, each as often as it is named.
const MAX_PARTIALS: usize = 200;

/// What a file of HTML can include, and how it is checked.
pub(super) struct Html<'a> {
    /// All files.
    pub(super) files: &'a Files,
    /// The folder of partials, with its `/`.
    pub(super) folder: &'a str,
    /// Finds values in places where escaping does not make them safe.
    pub(super) check: fn(&Template) -> Vec<Misuse>,
}

/// A template whose partials have been put in.
#[derive(Debug, Default)]
pub(super) struct Whole {
    /// Its text.
    pub(super) text: String,
    /// The partials in it, by the names of their files.
    pub(super) used: Vec<String>,
    pieces: Vec<Piece>,
}

/// A stretch of the whole that comes from one file without a break.
#[derive(Debug)]
struct Piece {
    /// Where it begins in the whole: line and column from 1.
    at: (usize, usize),
    file: String,
    /// Where it begins in its file.
    from: (usize, usize),
}

/// `{{> style}}` in a text.
struct Call<'a> {
    start: usize,
    end: usize,
    name: &'a str,
}

impl Whole {
    /// `file` as it is.
    pub(super) fn alone(file: &TemplateFile) -> Self {
        let mut whole = Self::default();
        whole.piece(file, 0, file.text.len());
        whole
    }

    /// `file` with the partials that it names, which are among `files` in `folder`.
    pub(super) fn of(file: &TemplateFile, files: &Files, folder: &str) -> Result<Self, TemplateProblem> {
        let mut whole = Self::default();
        whole.put(file, (files, folder), &mut Vec::new())?;
        Ok(whole)
    }

    /// The file, line and column that stand at a line and column of the whole.
    pub(super) fn place(&self, line: usize, column: usize) -> (&str, usize, usize) {
        let piece = self.pieces.iter().rev().find(|piece| piece.at <= (line, column)).or(self.pieces.first());
        let Some(Piece { at, file, from }) = piece else { return ("", line, column) };
        match line.saturating_sub(at.0) {
            0 => (file, from.0, from.1 + column.saturating_sub(at.1)),
            lines => (file, from.0 + lines, column),
        }
    }

    fn put(
        &mut self,
        file: &TemplateFile,
        partials: (&Files, &str),
        open: &mut Vec<String>,
    ) -> Result<(), TemplateProblem> {
        let mut from = 0;
        while let Some(call) = next_call(&file.text, from) {
            self.piece(file, from, call.start);
            let wrong = |what: String| {
                let (line, column) = line_and_column(&file.text, call.start);
                TemplateProblem { file: file.shown.clone(), line, column, what }
            };
            let partial = self.find(call.name, partials, open).map_err(wrong)?;
            open.push(call.name.to_owned());
            self.put(partial, partials, open)?;
            open.pop();
            if self.text.len() as u64 > MAX_BYTES {
                return Err(wrong(format!("makes the template larger than {} KiB", MAX_BYTES / 1024)));
            }
            // A partial ends with the line that names it.
            let ended = self.text.ends_with('\n') && file.text[call.end..].starts_with('\n');
            from = call.end + usize::from(ended);
        }
        self.piece(file, from, file.text.len());
        Ok(())
    }

    fn find<'a>(
        &mut self,
        name: &str,
        (files, folder): (&'a Files, &str),
        open: &[String],
    ) -> Result<&'a TemplateFile, String> {
        let path = format!("{folder}{name}{END}");
        let Some(partial) = files.get(&path) else {
            let known = files.keys().filter_map(|path| path.strip_prefix(folder)?.strip_suffix(END));
            let near = nearest(name, known).map(|near| format!("; did you mean `{{{{> {near}}}}}`?"));
            return Err(format!("there is no partial `{path}`{}", near.unwrap_or_default()));
        };
        if open.iter().any(|open| open == name) {
            return Err(format!("includes itself: {} > {name}", open.join(" > ")));
        }
        if open.len() >= MAX_NESTING || self.used.len() >= MAX_PARTIALS {
            return Err(format!(
                "is one partial too many: at most {MAX_NESTING} nested, and {MAX_PARTIALS} in total"
            ));
        }
        self.used.push(path);
        Ok(partial)
    }

    fn piece(&mut self, file: &TemplateFile, from: usize, to: usize) {
        let at = line_and_column(&self.text, self.text.len());
        let from_place = line_and_column(&file.text, from);
        self.pieces.push(Piece { at, file: file.shown.clone(), from: from_place });
        self.text.push_str(&file.text[from..to]);
    }
}

/// The next partial named in `text`, from the offset `from` on. Comments and `\{{` name none; what Handlebars
/// knows beside `{{> name}}` is left as it is, and refused when it is checked.
fn next_call(text: &str, from: usize) -> Option<Call<'_>> {
    let mut at = from;
    loop {
        let start = at + text.get(at..)?.find("{{")?;
        let inside = &text[start + 2..];
        let tag = inside.trim_start_matches('~');
        let comment_end = match tag {
            _ if tag.starts_with("!--") => ["--}}", "--~}}"].iter().filter_map(|end| inside.find(end)).min(),
            _ if tag.starts_with('!') => inside.find("}}"),
            _ => Some(0),
        };
        at = start + 2 + comment_end?;
        let name = inside.split_once("}}").and_then(|(tag, _)| Some((tag, tag.trim().strip_prefix('>')?)));
        let escaped = text[..start].ends_with('\\');
        if let Some((tag, name)) = name.filter(|(_, name)| !escaped && super::is_template_name(name.trim())) {
            return Some(Call { start, end: start + 2 + tag.len() + 2, name: name.trim() });
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::*;

    const FOLDER: &str = "email/partials/";

    fn file(name: &str, text: &str) -> TemplateFile {
        TemplateFile { shown: name.into(), text: text.to_owned().into() }
    }

    fn whole(text: &str, partials: &[(&str, &str)]) -> Result<Whole, String> {
        let partial = |(name, text): &(&str, &str)| {
            (format!("{FOLDER}{name}.html"), file(&format!("{name}.html"), text))
        };
        let files: Files = partials.iter().map(partial).collect();
        Whole::of(&file("review.html", text), &files, FOLDER).map_err(|problem| problem.to_string())
    }

    #[test]
    fn partials_are_put_in_and_places_are_those_of_the_files() {
        let whole = whole(
            "<p>\n{{> one}}\n{{nope}} {{>two}}{{x}}\n",
            &[("one", "1\n{{> two}}\nä{{bad}}\n"), ("two", "T"), ("three", "")],
        )
        .unwrap();
        assert_eq!(whole.text, "<p>\n1\nT\nä{{bad}}\n{{nope}} T{{x}}\n");
        let place_of = |part: &str| {
            let (line, column) = line_and_column(&whole.text, whole.text.find(part).unwrap());
            whole.place(line, column)
        };
        assert_eq!(place_of("T\n"), ("two.html", 1, 1));
        assert_eq!(place_of("{{bad}}"), ("one.html", 3, 2));
        assert_eq!(place_of("{{nope}}"), ("review.html", 3, 1));
        assert_eq!(place_of("{{x}}"), ("review.html", 3, 18));
        assert_eq!(whole.used.len(), 3);
    }

    #[test]
    fn comments_and_other_forms_are_left_alone() {
        for text in [
            "{{!-- {{> no}} --}} {{! > no}} {{~!-- {{> no}} --~}} \\{{> no}}",
            "{{> (lookup x)}} {{> a b=1}} {{#> x}}{{/x}} {{> ../up}} {{~> one}}",
            "{{ {{{ }} {{!-- {{> one}}",
        ] {
            assert_eq!(whole(text, &[("one", "1")]).unwrap().text, text);
        }
        assert_eq!(whole("{{!-- x --}}{{> one }}", &[("one", "1")]).unwrap().text, "{{!-- x --}}1");
    }

    #[test]
    fn circles_and_what_grows_without_end_are_refused_with_their_place() {
        let wrong = |text: &str, partials: &[(&str, &str)]| whole(text, partials).unwrap_err();
        assert_eq!(
            wrong("\n {{> stile}}", &[("style", "")]),
            "review.html:2:2: there is no partial `email/partials/stile.html`; did you mean `{{> style}}`?"
        );
        assert_eq!(wrong("{{> a}}", &[("a", "x{{> a}}")]), "a.html:1:2: includes itself: a > a");
        assert_eq!(
            wrong("{{> a}}", &[("a", "{{> b}}"), ("b", "\n{{> a}}")]),
            "b.html:2:1: includes itself: a > b > a"
        );
        let chain: Vec<(String, String)> =
            (0..20).map(|index| (format!("p{index}"), format!("{{{{> p{}}}}}", index + 1))).collect();
        let chain: Vec<(&str, &str)> = chain.iter().map(|(name, text)| (&**name, &**text)).collect();
        assert!(wrong("{{> p0}}", &chain).starts_with("p7.html:1:1: is one partial too many"));
        let ten = |name: &str| format!("{{{{> {name}}}}}").repeat(10);
        let (a, b, c) = (ten("b"), ten("c"), ten("d"));
        let bomb = [("a", &*a), ("b", &*b), ("c", &*c), ("d", "")];
        assert!(wrong("{{> a}}", &bomb).contains("200 in total"));
        let long = "x".repeat(200 * 1024);
        assert_eq!(
            wrong("{{> a}}{{> a}}", &[("a", &long)]),
            "review.html:1:8: makes the template larger than 256 \
                                                              KiB"
        );
    }
}
