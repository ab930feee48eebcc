//! What commands print: lines, tables and JSON, without characters that control a terminal.

use super::CliError;
use crate::clock;
use crate::domain::Timestamp;
use crate::domain::text::{is_unsafe, one_line};
use serde::Serialize;
use std::io::Write;

/// Prints text, of one or more lines. A reader that has gone away (`| head`) is no error.
pub(super) fn line(text: &str) {
    let clean: String = text.chars().filter(|c| !is_unsafe(*c)).collect();
    let _ = writeln!(std::io::stdout().lock(), "{clean}");
}

/// Prints a note beside the output: what it says does not belong to what was requested.
pub(super) fn note(text: &str) {
    let clean: String = text.chars().filter(|c| !is_unsafe(*c)).collect();
    let _ = writeln!(std::io::stderr().lock(), "note: {clean}");
}

/// A text of several lines, such as a list of errors, on one.
pub(super) fn on_one_line(text: &str) -> String {
    let parts = text.lines().map(str::trim).filter(|part| !part.is_empty());
    one_line(&parts.collect::<Vec<_>>().join("; "), 2_000)
}

/// Prints a value as JSON. JSON may hold characters that control a terminal as they are: here it does not.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| CliError::Failed(error.to_string()))?;
    let _ = writeln!(std::io::stdout().lock(), "{}", escaped(&text));
    Ok(())
}

/// JSON with every unsafe character written as `\uXXXX`: outside its strings JSON has none.
fn escaped(json: &str) -> String {
    use std::fmt::Write;
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        if is_unsafe(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing into a `String` cannot fail.
                let _ = write!(escaped, "\\u{unit:04x}");
            }
        } else {
            escaped.push(c);
        }
    }
    escaped
}

/// A table whose columns are as wide as their contents.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column heads.
    pub(super) fn new(heads: &[&str]) -> Self {
        Self { rows: vec![heads.iter().map(|head| head.to_uppercase()).collect()] }
    }

    /// Adds a row; control characters and line breaks do not reach the terminal.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        let clean = |cell: String| one_line(&cell, 200);
        self.rows.push(cells.into_iter().map(clean).collect());
    }

    /// Whether it has no rows.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.len() < 2
    }

    /// Prints it; if it has no rows, prints `otherwise`.
    pub(super) fn print_or(&self, otherwise: &str) {
        if self.is_empty() {
            line(otherwise);
        } else {
            self.print();
        }
    }

    /// Prints it.
    pub(super) fn print(&self) {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        for row in &self.rows {
            let mut text = String::new();
            for (cell, width) in row.iter().zip(&widths) {
                text.push_str(cell);
                text.extend(std::iter::repeat_n(' ', width + 2 - cell.chars().count()));
            }
            line(text.trim_end());
        }
    }
}

/// Prints `label` and `value` as one line of a list; a value of several lines stays in its column.
pub(super) fn fact(label: &str, value: &str) {
    let mut lines = value.lines();
    line(format!("{label:<14}{}", lines.next().unwrap_or_default()).trim_end());
    for next in lines {
        line(&format!("{:<14}{next}", ""));
    }
}

/// A time for people: UTC, to the second; `-` if there is none.
pub(super) fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".into(), |at| clock::rfc3339(Timestamp(at.0.div_euclid(1000) * 1000)))
}

/// A time in JSON: RFC 3339; null where there is none.
pub(super) fn json_time(at: Option<Timestamp>) -> Option<String> {
    at.map(clock::rfc3339)
}

/// A time that matters only while it is in the future, such as the end of a pause.
pub(super) fn ahead(at: Timestamp, now: Timestamp) -> Option<Timestamp> {
    (at > now).then_some(at)
}

/// How long ago, or in how long: `5 s ago`, `in 3 min`; `never` if there is no time.
pub(super) fn ago(at: Option<Timestamp>, now: Timestamp) -> String {
    let Some(at) = at else { return "never".into() };
    if at > now { format!("in {}", span(at.since(now))) } else { format!("{} ago", span(now.since(at))) }
}

/// How long: `5 s`, `3 min`, `20 h`, `9 days`.
pub(super) fn span(span: std::time::Duration) -> String {
    let seconds = span.as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// `1 review`, `3 reviews`.
pub(super) fn counted(count: u64, one: &str, many: &str) -> String {
    if count == 1 { format!("1 {one}") } else { format!("{count} {many}") }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn json_without_control_characters_means_the_same() {
        let text = "a\u{1b}[31m\u{9b}\u{202e}\u{feff}\u{e0041}\u{7f}\u{0}\n\t\"\\é👍";
        let printed = escaped(&serde_json::to_string_pretty(&[text]).unwrap());
        assert!(!printed.chars().any(is_unsafe), "{printed:?}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&printed).unwrap(), [text]);
    }

    #[test]
    fn spans_read_well() {
        let now = Timestamp(1_000_000_000);
        let ago = |seconds: u64| ago(Some(now.minus(std::time::Duration::from_secs(seconds))), now);
        assert_eq!(ago(0), "0 s ago");
        assert_eq!(ago(119), "119 s ago");
        assert_eq!(ago(3_600), "60 min ago");
        assert_eq!(ago(90_000), "25 h ago");
        assert_eq!(super::ago(Some(now.plus(std::time::Duration::from_secs(5))), now), "in 5 s");
        assert_eq!(super::ago(None, now), "never");
    }
}
