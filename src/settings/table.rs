//! Typed access to one configuration table. A getter returns `None` if the key is absent *or* wrong; problems are
//! recorded with their dotted path, so that all problems of a file are reported together.

pub use super::hint::{io_text, nearest, quoted};
pub use super::source::Source;
use super::units::{Rate, parse_duration};
use super::{Problem, Secret};
use figment::value::{Dict, Num, Value};
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The largest file that may hold a secret.
const SECRET_FILE_LIMIT_BYTES: u64 = 64 * 1024;

/// One table of the configuration at a dotted path.
#[derive(Debug)]
pub struct Table<'a> {
    path: String,
    dict: &'a Dict,
    source: &'a Source,
    known: RefCell<BTreeSet<String>>,
    refused: RefCell<BTreeSet<String>>,
}

impl<'a> Table<'a> {
    /// The table `dict` at `path` (empty for the root).
    pub fn new(path: impl Into<String>, dict: &'a Dict, source: &'a Source) -> Self {
        Self { path: path.into(), dict, source, known: RefCell::default(), refused: RefCell::default() }
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
        let variable = self.dict.get(key).and_then(|value| self.source.variable(value));
        self.source.problems.push(Problem {
            origin: variable.map_or(&self.source.file, |variable| &variable.name).clone(),
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
            self.known.borrow_mut().insert(key.into());
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
                &format!("unknown value `{}`", crate::domain::text::one_line(&text, 60)),
                &format!("use one of: {}", quoted(allowed)),
            ),
        }
    }

    /// `true` or `false`.
    pub fn boolean(&self, key: &str) -> Option<bool> {
        match self.typed(key)? {
            Value::Bool(_, value) => Some(*value),
            _ => self.wrong(key, "must be true or false", &format!("write {key} = true")),
        }
    }

    /// A whole number in `range`.
    pub fn integer(&self, key: &str, range: std::ops::RangeInclusive<u64>) -> Option<u64> {
        let hint = format!("write a whole number from {} to {}", range.start(), range.end());
        match self.typed(key)? {
            Value::Num(_, number) => {
                let whole = number.to_u128_lossy().and_then(|n| u64::try_from(n).ok());
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
            Value::Num(_, number) => as_f64(*number),
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
        .or_else(|| self.wrong(key, "must be a number or text", &format!("write {key} = 1")))
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
        texts.or_else(|| self.wrong(key, "contains an item that is not text", &hint))
    }

    /// A path, relative to the configuration's folder.
    pub fn file(&self, key: &str) -> Option<PathBuf> {
        let text = self.text(key)?;
        if text.trim().is_empty() {
            return self.wrong(key, "is empty", "set a path, or remove the key");
        }
        Some(self.source.folder.join(Path::new(&text)))
    }

    /// The secret `key`, or the contents of the file in its twin `key_file` (without the last line break).
    /// Neither its value nor the twin's (a secret is easily pasted there) is quoted in a problem.
    pub fn secret(&self, key: &str) -> Option<Secret> {
        let twin = format!("{key}_file");
        self.known.borrow_mut().extend([key.to_owned(), twin.clone()]);
        self.source.problems.note_secret(self.path_of(key));
        let (key, text) = match (self.has(key), self.has(&twin)) {
            (false, false) => return None,
            (true, true) => {
                return self.wrong(key, &format!("is set together with `{twin}`"), "keep only one of them");
            }
            (true, false) => (key, self.text(key)?),
            (false, true) => (twin.as_str(), self.secret_file(&twin)?),
        };
        if text.trim().is_empty() {
            return self.wrong(key, "is empty", "put the secret there, or remove the key");
        }
        if text.chars().any(char::is_control) {
            return self.wrong(
                key,
                "contains a line break or another control character",
                "put only the secret there, on one line",
            );
        }
        Some(Secret::new(text))
    }

    /// The table `key`; `None` where it is absent.
    pub fn table(&self, key: &str) -> Option<Table<'a>> {
        match self.typed(key)? {
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

    /// Rejects `key` if it is present: a later version supports it.
    pub fn not_in_this_version(&self, key: &str) {
        self.refused.borrow_mut().insert(key.to_owned());
        if self.has(key) {
            self.problem(key, "not in this version", "remove it");
        }
    }

    /// Reports every unknown key, with the most similar known one.
    pub fn finish(self) {
        let (known, refused) = (self.known.borrow(), self.refused.borrow());
        for key in self.dict.keys().filter(|key| !known.contains(*key) && !refused.contains(*key)) {
            let known: Vec<&str> = known.iter().map(String::as_str).collect();
            let hint = match nearest(key, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if known.is_empty() => "remove it".into(),
                None => format!("known keys: {}", quoted(&known)),
            };
            self.problem(key, "unknown key", hint);
        }
    }

    fn secret_file(&self, twin: &str) -> Option<String> {
        let path = self.file(twin)?;
        let mut bytes = Vec::new();
        let read = std::fs::File::open(&path)
            .and_then(|file| file.take(SECRET_FILE_LIMIT_BYTES + 1).read_to_end(&mut bytes));
        if let Err(error) = read {
            return self.wrong(
                twin,
                &format!("the file cannot be read: {}", io_text(&error)),
                &format!(
                    "set the path of a file that contains only the secret and is readable by this process; \
                     relative paths start at `{}`",
                    self.source.folder.display()
                ),
            );
        }
        let text = match String::from_utf8(bytes) {
            Ok(text) if text.len() as u64 <= SECRET_FILE_LIMIT_BYTES => text,
            _ => {
                return self.wrong(
                    twin,
                    "the file is not text, or is larger than 64 KiB",
                    "set the path of a file that contains only the secret",
                );
            }
        };
        // Editors on Windows begin a text file with a byte order mark.
        let text = text.strip_prefix('\u{FEFF}').unwrap_or(&text);
        let text = text.strip_suffix('\n').unwrap_or(text);
        Some(text.strip_suffix('\r').unwrap_or(text).to_owned())
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.known.borrow_mut().insert(key.to_owned());
        self.dict.get(key)
    }

    /// The value, read as TOML where it came from the environment: there everything is text at first.
    fn typed(&self, key: &str) -> Option<&'a Value> {
        Some(self.source.typed(self.value(key)?))
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
        number => number.to_u128_lossy().map(|n| n as f64).or(number.to_i128().map(|n| n as f64)),
    }
    .filter(|n| n.is_finite())
}
