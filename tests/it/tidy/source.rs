//! The source as the checks see it: every file of `src/`, without comments and without what only tests see.

use regex::Regex;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

static DECLARED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"#\[cfg\(test\)\]\s*((?:#\[[^\]]*\]\s*)*)(?:pub(?:\([^)]*\))? )?mod (\w+);"#).unwrap()
});
static NAMED: LazyLock<Regex> = LazyLock::new(|| Regex::new(r#"#\[path = "([^"]+)"\]"#).unwrap());

/// A file of `src/`.
pub struct File {
    /// `outbox/retry.rs`.
    pub path: String,
    /// All of it.
    pub text: String,
    /// Its production code, line for line: comments, test modules and other test items are empty lines.
    pub code: String,
}

impl File {
    /// The module of the crate's root it belongs to: `outbox`; `lib` and `main` for those.
    pub fn module(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }

    /// The lines of its production code that `pattern` finds, as `src/path:line: text`.
    pub fn lines_with(&self, pattern: &Regex) -> Vec<String> {
        let found = pattern.find_iter(&self.code).map(|found| {
            let line = self.code[..found.start()].matches('\n').count();
            let text = self.code.lines().nth(line).unwrap_or_default();
            format!("src/{}:{}: {}", self.path, line + 1, text.trim())
        });
        found.collect()
    }

    /// The modules of the crate's root that its production code names, of whatever form: `crate::clock`,
    /// `crate::{clock, web::serve}`.
    pub fn imports(&self) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        for (at, start) in self.code.match_indices("crate::") {
            let rest = &self.code[at + start.len()..];
            match rest.strip_prefix('{') {
                None => found.extend(identifier(rest)),
                Some(list) => found.extend(top_level(list).into_iter().filter_map(identifier)),
            }
        }
        found
    }
}

/// Every file of `src/` that is part of the product: files of test modules are left out.
pub fn production() -> Vec<File> {
    let all = all();
    let tests: BTreeSet<PathBuf> = all.iter().flat_map(test_modules).collect();
    let is_test = |file: &File| tests.iter().any(|test| Path::new(&file.path).starts_with(test));
    all.into_iter().filter(|file| !is_test(file)).collect()
}

/// Every file of `src/`.
pub fn all() -> Vec<File> {
    let src = super::root().join("src");
    let mut files: Vec<File> = super::files_below(&src)
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .map(|path| {
            let text = std::fs::read_to_string(&path).unwrap();
            let path = path.strip_prefix(&src).unwrap().to_str().unwrap().to_owned();
            File { code: code(&text), path, text }
        })
        .collect();
    files.sort_by(|a, b| a.path.cmp(&b.path));
    files
}

/// Where the modules are that `file` declares for tests only: files, and folders that bear their name.
fn test_modules(file: &File) -> Vec<PathBuf> {
    let path = Path::new(&file.path);
    let own = matches!(path.file_name().unwrap().to_str().unwrap(), "mod.rs" | "lib.rs" | "main.rs");
    let parent = path.parent().unwrap();
    let folder = if own { parent.to_owned() } else { path.with_extension("") };
    let modules = DECLARED.captures_iter(&file.text).flat_map(|module| match NAMED.captures(&module[1]) {
        Some(name) => vec![parent.join(&name[1])],
        None => vec![folder.join(&module[2]), folder.join(format!("{}.rs", &module[2]))],
    });
    modules.collect()
}

/// The code of a file without comments and test items; the lines stay where they are.
fn code(text: &str) -> String {
    let mut code = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line == "#[cfg(test)]" {
            code.push('\n');
            // rustfmt puts the end of a top-level item where its beginning is.
            for line in lines.by_ref() {
                code.push('\n');
                if line == "}" || (line.ends_with(';') && !line.starts_with(' ')) {
                    break;
                }
            }
            continue;
        }
        let line = if line.trim_start().starts_with("//") { "" } else { line };
        code.push_str(line.split(" // ").next().unwrap());
        code.push('\n');
    }
    code
}

fn identifier(text: &str) -> Option<String> {
    let end = text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len());
    (end > 0).then(|| text[..end].to_owned())
}

/// The items of `list`, up to its closing brace, without what is in braces of their own.
fn top_level(list: &str) -> Vec<&str> {
    let (mut depth, mut begin, mut items) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth > 0 => depth -= 1,
            '}' => {
                items.push(list[begin..at].trim());
                break;
            }
            ',' if depth == 0 => {
                items.push(list[begin..at].trim());
                begin = at + 1;
            }
            _ => {}
        }
    }
    items
}

#[test]
fn only_production_code_is_seen() {
    let text = "//! crate::a\nuse crate::b; // crate::c\n#[cfg(test)]\nmod tests {\n    use crate::d;\n}\n\
                #[cfg(test)]\nuse crate::e;\nuse crate::{f::{x, y}, g, h::z};\n";
    let file = File { path: "app/mod.rs".into(), text: text.into(), code: code(text) };
    assert_eq!(file.imports().into_iter().collect::<String>(), "bfgh");
    assert_eq!(file.code.lines().count(), text.lines().count());
    assert_eq!(file.module(), "app");
}

#[test]
fn test_modules_are_found_where_rust_looks_for_them() {
    let text = "#[cfg(test)]\nmod tests;\n#[cfg(test)]\n#[path = \"other.rs\"]\nmod torture;\nmod real;\n";
    let modules = |path: &str| {
        let file = File { path: path.into(), text: text.into(), code: String::new() };
        test_modules(&file).iter().map(|path| path.display().to_string()).collect::<Vec<_>>()
    };
    assert_eq!(modules("a/mod.rs"), ["a/tests", "a/tests.rs", "a/other.rs"]);
    assert_eq!(modules("a/b.rs"), ["a/b/tests", "a/b/tests.rs", "a/other.rs"]);
}
