//! The file's layer: which file, its text, and its syntax errors, reported by line and column without quoting the
//! line, which may contain a secret.

use crate::settings::Problem;
use crate::settings::hint::io_text;
use figment::value::{Dict, Empty, Tag, Value};
use std::ffi::OsStr;
use std::io::Read;
use std::path::{Path, PathBuf};
use toml::de::{DeInteger, DeTable, DeValue};

/// Where the file is when nothing else says so.
pub(super) const SYSTEM_FILE: &str = "/etc/review-bridge/config.toml";
/// More is no configuration.
const LIMIT_BYTES: usize = 4 * 1024 * 1024;
/// In a file no larger than this every syntax error is looked for, in a larger one the first.
const ALL_ERRORS_BYTES: usize = 64 * 1024;
/// After some syntax errors the rest are consequences.
const SYNTAX_ERRORS: usize = 10;
/// Templates are a handful; a folder named by mistake may be a disk.
const WATCHED_TEMPLATES: usize = 500;

/// The file to read.
#[derive(Debug)]
pub(super) struct Found {
    /// Where it is.
    pub path: PathBuf,
    /// As the user named it.
    pub shown: String,
    /// What to do if it cannot be read.
    hint: &'static str,
}

/// The requested file, else the first that exists.
pub(super) fn find(
    explicit: Option<&Path>,
    variable: Option<&OsStr>,
    folder: &Path,
    system: &Path,
) -> Result<Found, Problem> {
    let named = |path: &Path, hint: &'static str| Found {
        path: folder.join(path),
        shown: path.display().to_string(),
        hint,
    };
    if let Some(path) = explicit {
        return Ok(named(
            path,
            "the path comes from --config: pass a file that exists and is readable by this process",
        ));
    }
    if let Some(path) = variable {
        let hint = "the path comes from REVIEW_BRIDGE_CONFIG: set it to a file that exists and is readable by this process";
        return Ok(named(Path::new(path), hint));
    }
    [Path::new("config.toml"), system]
        .into_iter()
        // A file that is there but cannot be looked at is meant all the same.
        .find(|path| folder.join(path).try_exists().unwrap_or(true))
        .map(|path| named(path, "make it readable for this process, or pass another file with --config FILE"))
        .ok_or_else(|| Problem {
            origin: "configuration".into(),
            path: String::new(),
            what: format!(
                "not found: neither `config.toml` in this folder nor `{}` exists",
                system.display()
            ),
            hint: "create one with `review-bridge config init`, or pass a file with --config FILE".into(),
        })
}

impl Found {
    /// The file `config.toml` in `folder`, whether it is there or not.
    pub(super) fn in_folder(folder: &Path) -> Self {
        Self { path: folder.join("config.toml"), shown: "config.toml".into(), hint: "" }
    }

    fn problem(&self, what: String, hint: &str) -> Vec<Problem> {
        vec![Problem { origin: self.shown.clone(), path: String::new(), what, hint: hint.into() }]
    }
}

/// Its values, or the problems of the file itself.
pub(super) fn read(found: &Found) -> Result<Dict, Vec<Problem>> {
    let mut bytes = Vec::new();
    std::fs::File::open(&found.path)
        .and_then(|file| file.take(LIMIT_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| found.problem(format!("cannot be read: {}", io_text(&error)), found.hint))?;
    values(found, bytes)
}

/// The values of its table `[state]` alone, where the rest may be no TOML.
pub(super) fn read_state_table(found: &Found) -> Result<Dict, Vec<Problem>> {
    let mut bytes = Vec::new();
    std::fs::File::open(&found.path)
        .and_then(|file| file.take(LIMIT_BYTES as u64).read_to_end(&mut bytes))
        .map_err(|error| found.problem(format!("cannot be read: {}", io_text(&error)), found.hint))?;
    let text = String::from_utf8_lossy(&bytes);
    let mut within = false;
    let table = text.lines().filter(|line| {
        if line.trim_start().starts_with('[') {
            within = line.trim_start().starts_with("[state]");
        }
        within
    });
    values(found, table.collect::<Vec<_>>().join("\n").into_bytes())
}

/// The values of `bytes`, the contents of the file; or their problems.
pub(super) fn values(found: &Found, bytes: Vec<u8>) -> Result<Dict, Vec<Problem>> {
    if bytes.len() > LIMIT_BYTES {
        return Err(found.problem("is larger than 4 MiB".into(), "check that this is the configuration file"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let line =
            1 + error.as_bytes()[..error.utf8_error().valid_up_to()].iter().filter(|b| **b == b'\n').count();
        found.problem(format!("line {line} is not valid UTF-8"), "save the file as UTF-8")
    })?;
    parse(&text).map_err(|errors| {
        errors
            .into_iter()
            .flat_map(|what| found.problem(what, "fix this line; text values need \"quotes\""))
            .collect()
    })
}

/// The values of a TOML text, or its errors by line and column.
pub(super) fn parse(text: &str) -> Result<Dict, Vec<String>> {
    let mut errors = match DeTable::parse(text) {
        Ok(table) => return Ok(to_dict(table.into_inner())),
        // Each error costs memory and a search for its place: of a file that is no configuration one will do.
        Err(error) if text.len() > ALL_ERRORS_BYTES => vec![error],
        Err(_) => DeTable::parse_recoverable(text).1,
    };
    errors.sort_by_key(|error| error.span().map_or(usize::MAX, |span| span.start));
    errors.truncate(10 * SYNTAX_ERRORS);
    // The parser's messages name what it expected and never quote the input: their `Display` would.
    let mut places: Vec<_> =
        errors.iter().map(|error| (place(text, error.span()), error.message())).collect();
    // What follows on the same line is a consequence.
    places.dedup_by_key(|((line, _), _)| *line);
    let problems = places.iter().take(SYNTAX_ERRORS).map(|((line, column), message)| {
        let message = message.trim_end_matches(", expected nothing");
        format!("line {line}, column {column}: invalid TOML: {message}")
    });
    Err(problems.collect())
}

/// Line and column, from 1; the end where there is no span.
fn place(text: &str, span: Option<std::ops::Range<usize>>) -> (usize, usize) {
    let before = span.and_then(|span| text.get(..span.start)).unwrap_or(text);
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

fn to_dict(table: DeTable) -> Dict {
    table
        .into_iter()
        .map(|(key, value)| (key.into_inner().into_owned(), to_value(value.into_inner())))
        .collect()
}

/// Nothing here is a date, and a number beyond 64 bits is none either: both are a kind no getter takes.
fn to_value(value: DeValue) -> Value {
    let tag = Tag::Default;
    let nothing = Value::Empty(tag, Empty::None);
    match value {
        DeValue::String(text) => Value::String(tag, text.into_owned()),
        DeValue::Boolean(value) => Value::Bool(tag, value),
        DeValue::Integer(integer) => whole(&integer).map_or(nothing, Value::from),
        DeValue::Float(float) => float.as_str().parse::<f64>().map_or(nothing, Value::from),
        DeValue::Datetime(_) => nothing,
        DeValue::Array(items) => {
            Value::Array(tag, items.into_iter().map(|item| to_value(item.into_inner())).collect())
        }
        DeValue::Table(table) => Value::Dict(tag, to_dict(table)),
    }
}

fn whole(integer: &DeInteger) -> Option<i64> {
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

/// The paths to watch for changes: the file itself, the files its keys name, the templates.
pub(super) fn watched(file: &Path, named: &[PathBuf], templates_dir: Option<&Path>) -> Vec<PathBuf> {
    let mut watched = vec![file.to_path_buf()];
    watched.extend(named.iter().cloned());
    if let Some(folder) = templates_dir {
        let mut folders = vec![folder.to_path_buf()];
        let mut templates = Vec::new();
        while let Some(folder) = folders.pop().filter(|_| templates.len() < WATCHED_TEMPLATES) {
            for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
                match entry.file_type() {
                    Ok(kind) if kind.is_dir() => folders.push(entry.path()),
                    _ => templates.push(entry.path()),
                }
            }
            // A new template is a change of its folder.
            templates.push(folder);
        }
        templates.sort();
        watched.extend(templates);
    }
    watched.dedup();
    watched
}
