//! Typed access to one configuration table. A getter answers `None` where the key is absent *or* wrong; what
//! is wrong is recorded with its dotted path, so that all problems of a file are told at once.

use super::units::{Rate, parse_duration};
use super::{Problem, Problems, Secret};
use figment::value::{Dict, Num, Tag, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What all tables of one configuration share.
#[derive(Debug)]
pub struct Source {
    /// Relative paths start here.
    pub folder: PathBuf,
    /// How to name the file in problems.
    pub file: String,
    /// The tags of values that came from the environment, with the variable's name.
    pub environment: Vec<(Tag, String)>,
    /// What is wrong.
    pub problems: Problems,
}

/// One table of the configuration at a dotted path.
#[derive(Debug)]
pub struct Table<'a> {
    path: String,
    dict: &'a Dict,
    source: &'a Source,
    asked: RefCell<BTreeSet<String>>,
}

impl<'a> Table<'a> {
    /// The table `dict` at `path` (empty for the root).
    pub fn new(path: impl Into<String>, dict: &'a Dict, source: &'a Source) -> Self {
        Self { path: path.into(), dict, source, asked: RefCell::default() }
    }

    /// Its dotted path.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// What all tables of this configuration share.
    pub fn source(&self) -> &'a Source {
        self.source
    }

    /// The dotted path of `key` here.
    pub fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// Whether `key` is present.
    pub fn has(&self, key: &str) -> bool {
        self.dict.contains_key(key)
    }

    /// The keys present, in order.
    pub fn keys(&self) -> Vec<&'a str> {
        self.dict.keys().map(String::as_str).collect()
    }

    /// Records a problem with `key`.
    pub fn problem(&self, key: &str, what: impl Into<String>, hint: impl Into<String>) {
        let variable = self.dict.get(key).and_then(|value| self.variable(value));
        self.source.problems.push(Problem {
            origin: variable.unwrap_or(&self.source.file).to_owned(),
            path: if key.is_empty() { self.path.clone() } else { self.path_of(key) },
            what: what.into(),
            hint: hint.into(),
        });
    }

    /// A text, verbatim.
    pub fn text(&self, key: &str) -> Option<String> {
        match self.value(key)? {
            Value::String(_, text) => Some(text.clone()),
            _ => self.wrong(key, "is not text", &format!("write {key} = \"…\"")),
        }
    }

    /// A text that must be there and not be blank.
    pub fn required_text(&self, key: &str, hint: &str) -> Option<String> {
        if !self.has(key) {
            self.problem(key, "is missing", hint);
            self.asked.borrow_mut().insert(key.into());
            return None;
        }
        let text = self.text(key)?;
        if text.trim().is_empty() {
            return self.wrong(key, "is empty", hint);
        }
        Some(text)
    }

    /// One of `allowed`.
    pub fn one_of(&self, key: &str, allowed: &[&'static str]) -> Option<&'static str> {
        let text = self.text(key)?;
        match allowed.iter().find(|name| **name == text) {
            Some(name) => Some(name),
            None => self.wrong(
                key,
                &format!("`{}` is not known here", crate::domain::text::one_line(&text, 60)),
                &format!("write one of: {}", quoted(allowed)),
            ),
        }
    }

    /// `true` or `false`.
    pub fn boolean(&self, key: &str) -> Option<bool> {
        match self.typed(key)? {
            Value::Bool(_, value) => Some(value),
            _ => self.wrong(key, "is not true or false", &format!("write {key} = true")),
        }
    }

    /// A whole number in `range`.
    pub fn integer(&self, key: &str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let hint = format!("write a whole number from {} to {}", range.start(), range.end());
        match self.typed(key)? {
            Value::Num(_, number) => {
                let whole = number.to_u128().and_then(|n| u64::try_from(n).ok()).or(match number {
                    Num::I64(n) => u64::try_from(n).ok(),
                    Num::I32(n) => u64::try_from(n).ok(),
                    _ => None,
                });
                match whole.filter(|n| range.contains(n)) {
                    Some(n) => Some(n),
                    None => self.wrong(key, "is not in range", &hint),
                }
            }
            _ => self.wrong(key, "is not a whole number", &hint),
        }
    }

    /// A finite number.
    pub fn number(&self, key: &str) -> Option<f64> {
        match self.typed(key)? {
            Value::Num(_, number) => as_f64(number),
            _ => None,
        }
        .or_else(|| self.wrong(key, "is not a number", &format!("write {key} = 2")))
    }

    /// A text verbatim, or a finite number as text.
    pub fn text_or_number(&self, key: &str) -> Option<String> {
        match self.value(key)? {
            Value::String(_, text) => Some(text.clone()),
            Value::Num(_, number) => as_f64(*number).map(|number| number.to_string()),
            _ => None,
        }
        .or_else(|| self.wrong(key, "is neither a number nor text", &format!("write {key} = 1")))
    }

    /// A duration such as `"10m"`.
    pub fn duration(&self, key: &str) -> Option<Duration> {
        let hint = "write a whole number and a unit: \"90s\", \"10m\", \"24h\" or \"7d\"";
        match self.value(key)? {
            Value::String(_, text) => {
                parse_duration(text).or_else(|| self.wrong(key, "is not a duration", hint))
            }
            _ => self.wrong(key, "is not a duration", hint),
        }
    }

    /// A rate such as `"30/m"`.
    pub fn rate(&self, key: &str) -> Option<Rate> {
        let text = self.text(key)?;
        Rate::parse(&text).or_else(|| {
            self.wrong(key, "is not a rate", "write a count and a unit: \"1/s\", \"30/m\" or \"100/h\"")
        })
    }

    /// An IANA time zone.
    pub fn zone(&self, key: &str) -> Option<jiff::tz::TimeZone> {
        let text = self.text(key)?;
        jiff::tz::TimeZone::get(text.trim()).ok().or_else(|| {
            self.wrong(key, "is not a time zone", "write an IANA name such as \"Europe/Amsterdam\"")
        })
    }

    /// A list of texts.
    pub fn texts(&self, key: &str) -> Option<Vec<String>> {
        let hint = format!("write a list of texts: {key} = [\"…\"]");
        let Value::Array(_, items) = self.typed(key)? else {
            return self.wrong(key, "is not a list", &hint);
        };
        let texts: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
        texts.or_else(|| self.wrong(key, "holds something that is not text", &hint))
    }

    /// A path, relative to the configuration's folder.
    pub fn file(&self, key: &str) -> Option<PathBuf> {
        self.text(key).map(|text| self.resolve(Path::new(&text)))
    }

    /// The secret `key`, or what the file named by its twin `key_file` holds (its last line end removed).
    pub fn secret(&self, key: &str) -> Option<Secret> {
        let twin = format!("{key}_file");
        if self.has(key) && self.has(&twin) {
            self.asked.borrow_mut().extend([key.to_owned(), twin.clone()]);
            return self.wrong(key, &format!("is set beside `{twin}`"), "keep one of the two");
        }
        if self.has(key) {
            let text = self.text(key)?;
            return if text.trim().is_empty() {
                self.wrong(key, "is empty", &format!("set it, or set {twin} to a file that holds it"))
            } else {
                Some(Secret::new(text))
            };
        }
        self.asked.borrow_mut().insert(key.to_owned());
        let path = self.file(&twin)?;
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let text = text.strip_suffix('\n').unwrap_or(&text);
                let text = text.strip_suffix('\r').unwrap_or(text);
                if text.trim().is_empty() {
                    return self.wrong(
                        &twin,
                        &format!("`{}` is empty", path.display()),
                        "write the secret into it",
                    );
                }
                Some(Secret::new(text))
            }
            Err(error) => self.wrong(
                &twin,
                &format!("cannot read `{}`: {}", path.display(), io_text(&error)),
                "name a file that holds only the secret, readable by this process",
            ),
        }
    }

    /// The table `key`; `None` where it is absent.
    pub fn table(&self, key: &str) -> Option<Table<'a>> {
        match self.value(key)? {
            Value::Dict(_, dict) => Some(Table::new(self.path_of(key), dict, self.source)),
            _ => self.wrong(
                key,
                "is not a table",
                &format!("write {key} = {{ … }} or [{}]", self.path_of(key)),
            ),
        }
    }

    /// The named tables below `key`, such as those of `accounts`, in order of their names.
    pub fn named_tables(&self, key: &str) -> Vec<(String, Table<'a>)> {
        let Some(parent) = self.table(key) else { return Vec::new() };
        parent.keys().into_iter().filter_map(|name| Some((name.to_owned(), parent.table(name)?))).collect()
    }

    /// The array of tables `key`, such as `[[rules]]`, each at the path `rules[0]`, `rules[1]`, ….
    pub fn table_list(&self, key: &str) -> Vec<Table<'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Value::Array(_, items) = value else {
            self.problem(key, "is not a list of tables", format!("write [[{key}]]"));
            return Vec::new();
        };
        let mut tables = Vec::new();
        for (index, item) in items.iter().enumerate() {
            let path = format!("{}[{index}]", self.path_of(key));
            match item {
                Value::Dict(_, dict) => tables.push(Table::new(path, dict, self.source)),
                _ => self.problem(key, format!("item {index} is not a table"), format!("write [[{key}]]")),
            }
        }
        tables
    }

    /// Refuses `key` where it is present: a later version has it.
    pub fn not_in_this_version(&self, key: &str) {
        if self.value(key).is_some() {
            self.problem(key, "not in this version", "remove it");
        }
    }

    /// Reports every key that nobody asked for, with the nearest that was.
    pub fn finish(self) {
        let asked = self.asked.borrow();
        for key in self.dict.keys().filter(|key| !asked.contains(*key)) {
            let hint = match nearest(key, asked.iter().map(String::as_str)) {
                Some(near) => format!("did you mean `{near}`?"),
                None => {
                    let known: Vec<&str> = asked.iter().map(String::as_str).collect();
                    format!("known here: {}", quoted(&known))
                }
            };
            self.problem(key, "is not known here", hint);
        }
    }

    fn resolve(&self, path: &Path) -> PathBuf {
        self.source.folder.join(path)
    }

    fn variable(&self, value: &Value) -> Option<&'a str> {
        let tag = value.tag();
        self.source.environment.iter().find(|(known, _)| *known == tag).map(|(_, name)| name.as_str())
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.asked.borrow_mut().insert(key.to_owned());
        self.dict.get(key)
    }

    /// The value, read as TOML where it came from the environment: there everything is text at first.
    fn typed(&self, key: &str) -> Option<Value> {
        let value = self.value(key)?;
        let (Value::String(_, text), Some(_)) = (value, self.variable(value)) else {
            return Some(value.clone());
        };
        let parsed = toml::from_str::<Dict>(&format!("value = {text}"));
        Some(parsed.ok().and_then(|mut dict| dict.remove("value")).unwrap_or_else(|| value.clone()))
    }

    fn wrong<T>(&self, key: &str, what: &str, hint: &str) -> Option<T> {
        self.problem(key, what, hint);
        None
    }
}

fn as_f64(number: Num) -> Option<f64> {
    match number {
        Num::F64(n) => Some(n),
        Num::F32(n) => Some(n.into()),
        Num::I64(n) => Some(n as f64),
        other => other.to_u128().map(|n| n as f64).or(other.to_i128().map(|n| n as f64)),
    }
    .filter(|n| n.is_finite())
}

/// The system's text for an I/O error, without Rust's `(os error 2)`.
pub fn io_text(error: &std::io::Error) -> String {
    let text = error.to_string();
    text.split(" (os error").next().unwrap_or(&text).to_lowercase()
}

/// Texts in backticks, joined by commas.
pub fn quoted<T: AsRef<str>>(names: &[T]) -> String {
    names.iter().map(|name| format!("`{}`", name.as_ref())).collect::<Vec<_>>().join(", ")
}

/// The candidate nearest to `wanted` by edit distance, where one is near enough to be meant.
pub fn nearest<'a>(wanted: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let limit = (wanted.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(&wanted.to_lowercase(), &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min()
        .map(|(_, candidate)| candidate)
}

fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = (diagonal + usize::from(ca != *cb)).min(above + 1).min(row[j] + 1);
            diagonal = above;
        }
    }
    row[b.len()]
}
