//! The template files: embedded in the binary, replaced file by file from `templates_dir`.

use super::format::Format;
use super::partials::END;
use crate::domain::text::is_visible;
use crate::settings::table::{io_text, nearest};
use include_dir::{Dir, include_dir};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};

static EMBEDDED: Dir<'static> = include_dir!("$CARGO_MANIFEST_DIR/templates");

/// A template file's size.
pub(super) const MAX_BYTES: u64 = 256 * 1024;
/// Files looked at in `templates_dir`, were it to name somebody's home.
const MAX_FILES: usize = 1_000;

/// Something wrong with a template file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 where the file as a whole is concerned.
    pub line: usize,
    /// The column in characters, from 1; 0 likewise.
    pub column: usize,
    /// What is wrong.
    pub what: String,
}

impl fmt::Display for TemplateProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.what),
            line => write!(f, "{}:{line}:{}: {}", self.file, self.column, self.what),
        }
    }
}

/// A template's text and how to name its file in problems.
#[derive(Clone, Debug)]
pub struct TemplateFile {
    /// `templates/slack/review.json` of the folder, or `built-in slack/review.json`.
    pub shown: String,
    /// Its text.
    pub text: Cow<'static, str>,
}

impl TemplateFile {
    /// Whether it comes with the program.
    pub fn is_built_in(&self) -> bool {
        self.shown.starts_with(BUILT_IN)
    }
}

/// Before the names of files that come with the program.
const BUILT_IN: &str = "built-in ";

/// Every template by its name, such as `slack/review.json`.
pub type Files = BTreeMap<String, TemplateFile>;

/// Those that come with the program.
pub fn built_in() -> Files {
    let mut files = Files::new();
    embedded(&EMBEDDED, &mut files);
    files
}

/// Reads all of them. What is in the folder but overrides nothing is a problem: it is likely misspelt.
pub fn read(folder: Option<&Path>, formats: &[&Format]) -> (Files, Vec<TemplateProblem>) {
    let mut files = built_in();
    let mut problems = Vec::new();
    if let Some(folder) = folder {
        let known: Vec<String> = files.keys().cloned().collect();
        let mut found = Vec::new();
        list(folder, folder, 0, &mut found, &mut problems);
        for path in found {
            let name = path.strip_prefix(folder).unwrap_or(&path).to_string_lossy().replace('\\', "/");
            let shown = path.display().to_string();
            if !is_partial(&name, formats) && !known.contains(&usual(&name)) {
                let near = nearest(&name, known.iter().map(String::as_str));
                let hint = near.map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
                problems.push(problem(&path, format!("replaces no built-in template{hint}")));
                continue;
            }
            match read_file(&path) {
                // A partial may be left out on purpose.
                Ok(text) if !is_visible(&text) && !is_partial(&name, formats) => {
                    let what = "is empty; write a template, or remove the file to use the built-in one";
                    problems.push(TemplateProblem { line: 1, column: 1, ..problem(&path, what.into()) });
                }
                Ok(text) => drop(files.insert(name, TemplateFile { shown, text: text.into() })),
                Err(what) => problems.push(problem(&path, what)),
            }
        }
    }
    (files, problems)
}

/// `slack/review.json` of `slack/brief/review.json`: what a template of a name stands in for.
fn usual(name: &str) -> String {
    match name.split('/').collect::<Vec<_>>()[..] {
        [kind, own, file] if is_name(own) => format!("{kind}/{file}"),
        _ => name.to_owned(),
    }
}

/// Whether it is a partial, which may have any name.
fn is_partial(name: &str, formats: &[&Format]) -> bool {
    let mut folders = formats.iter().filter_map(|format| format.partials());
    folders
        .any(|folder| name.strip_prefix(folder).and_then(|name| name.strip_suffix(END)).is_some_and(is_name))
}

/// Whether templates may be called so: `[a-z][a-z0-9_-]*`.
pub fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | '-'))
}

fn problem(path: &Path, what: String) -> TemplateProblem {
    TemplateProblem { file: path.display().to_string(), line: 0, column: 0, what }
}

fn embedded(dir: &'static Dir<'static>, files: &mut Files) {
    for file in dir.files() {
        if let (Some(name), Some(text)) = (file.path().to_str(), file.contents_utf8()) {
            files.insert(name.into(), TemplateFile { shown: format!("{BUILT_IN}{name}"), text: text.into() });
        }
    }
    dir.dirs().for_each(|dir| embedded(dir, files));
}

fn list(
    folder: &Path,
    root: &Path,
    depth: usize,
    found: &mut Vec<PathBuf>,
    problems: &mut Vec<TemplateProblem>,
) {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            problems.push(problem(folder, format!("cannot be read: {}", io_text(&error))));
            return;
        }
    };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).take(MAX_FILES).collect();
    paths.sort();
    for path in paths {
        // Editors' leftovers, and the links with which Kubernetes switches a mounted ConfigMap.
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        if name.starts_with('.') || name.ends_with('~') {
            continue;
        }
        if found.len() >= MAX_FILES {
            problems.push(problem(root, format!("contains more than {MAX_FILES} files")));
            return;
        }
        if !path.is_dir() {
            found.push(path);
        } else if depth < 3 {
            list(&path, root, depth + 1, found, problems);
        }
    }
}

fn read_file(path: &Path) -> Result<String, String> {
    let cannot = |error: std::io::Error| format!("cannot be read: {}", io_text(&error));
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(cannot)?;
    if !file.metadata().map_err(cannot)?.is_file() {
        return Err("is not a regular file".into());
    }
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() as u64 > MAX_BYTES {
        return Err(format!("is larger than {} KiB", MAX_BYTES / 1024));
    }
    let text = String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::super::format::{Format, Source};
    use super::*;

    static FORMAT: Format = Format {
        source: Source::Texts { files: &[], partials: "email/partials/", escape: str::to_owned },
        ..Format::json("email", &DIALECT, |payload, _| Ok(payload), |_, _| serde_json::Value::Null)
    };
    static DIALECT: super::super::Dialect = super::super::Dialect {
        types: &[],
        rule: |_| super::super::Rule::Fixed,
        escape: str::to_owned,
        markup: |_| Vec::new(),
    };

    #[test]
    fn a_folder_replaces_file_by_file_and_reports_the_rest() {
        let dir = tempfile::tempdir().unwrap();
        let slack = dir.path().join("slack");
        std::fs::create_dir(&slack).unwrap();
        std::fs::write(slack.join("test.json"), "\u{feff}{}").unwrap();
        std::fs::write(slack.join("reviews.json"), "{}").unwrap();
        std::fs::write(slack.join(".review.json.swp"), "{}").unwrap();
        std::fs::write(slack.join("operator.json"), vec![b' '; MAX_BYTES as usize + 1]).unwrap();
        std::fs::write(slack.join("review.json"), b"\xff").unwrap();
        std::fs::create_dir_all(dir.path().join("email/partials")).unwrap();
        std::fs::write(dir.path().join("email/partials/footer.html"), "x").unwrap();
        let (files, problems) = read(Some(dir.path()), &[&FORMAT]);
        assert_eq!(files["slack/test.json"].text, "{}");
        assert!(files["slack/review.json"].shown.starts_with("built-in"));
        assert_eq!(files["email/partials/footer.html"].text, "x");
        let what: Vec<&str> = problems.iter().map(|problem| problem.what.as_str()).collect();
        assert_eq!(
            what,
            [
                "is larger than 256 KiB",
                "is not UTF-8 text",
                "replaces no built-in template; did you mean `slack/review.json`?"
            ]
        );
        let (_, problems) = read(Some(&dir.path().join("missing")), &[]);
        assert!(problems[0].to_string().contains("missing: cannot be read: no such file"), "{problems:?}");
    }
}
