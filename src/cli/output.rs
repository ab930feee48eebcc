//! What commands print: lines, tables and JSON, without characters that control a terminal.

use super::CliError;
use crate::clock;
use crate::domain::Timestamp;
use crate::domain::text::is_unsafe;
use serde::Serialize;
use std::io::Write;

/// Prints one line. A reader that has gone away (`| head`) is no error.
pub(super) fn line(text: &str) {
    let clean: String = text.chars().filter(|c| !is_unsafe(*c)).collect();
    let _ = writeln!(std::io::stdout().lock(), "{clean}");
}

/// Prints a value as JSON.
pub(super) fn json<T: Serialize + ?Sized>(value: &T) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| CliError::Failed(error.to_string()))?;
    let _ = writeln!(std::io::stdout().lock(), "{text}");
    Ok(())
}

/// A table whose columns are as wide as what is in them.
pub(super) struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column heads.
    pub(super) fn new(heads: &[&str]) -> Self {
        Self { rows: vec![heads.iter().map(|head| head.to_uppercase()).collect()] }
    }

    /// Adds a row; control characters and line ends do not reach the terminal.
    pub(super) fn row<const N: usize>(&mut self, cells: [String; N]) {
        let clean = |cell: String| crate::domain::text::one_line(&cell, 200);
        self.rows.push(cells.into_iter().map(clean).collect());
    }

    /// Whether it has no row.
    pub(super) fn is_empty(&self) -> bool {
        self.rows.len() < 2
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

/// A time for people: UTC, to the second; `-` where there is none.
pub(super) fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "-".into(), |at| clock::rfc3339(Timestamp(at.0.div_euclid(1000) * 1000)))
}

/// How long ago, or in how long: `5 s ago`, `in 3 min`; `never` where there is no time.
pub(super) fn ago(at: Option<Timestamp>, now: Timestamp) -> String {
    let Some(at) = at else { return "never".into() };
    let (span, future) = if at > now { (at.since(now), true) } else { (now.since(at), false) };
    let seconds = span.as_secs();
    let text = match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    };
    if future { format!("in {text}") } else { format!("{text} ago") }
}
