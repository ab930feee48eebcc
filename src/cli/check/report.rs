//! The results of `check`: a table, and below it how to fix what did not pass.

use super::super::output::{self, Table, counted};
use crate::domain::text::one_line;
use serde_json::{Value, json};

/// The result of a check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// As it should be.
    Ok,
    /// It works, but is probably a mistake.
    Warn,
    /// It does not work.
    Failed,
    /// It could not be checked.
    Unverified,
}

impl Verdict {
    /// As people see it: failures stand out.
    fn shown(self) -> &'static str {
        match self {
            Self::Failed => "FAILED",
            other => other.as_str(),
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Failed => "failed",
            Self::Unverified => "unverified",
        }
    }
}

/// One check.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    what: String,
    verdict: Verdict,
    detail: String,
    hint: String,
}

/// All checks, in order.
#[derive(Debug, Default)]
pub(super) struct Report(Vec<Finding>);

impl Report {
    /// Adds one.
    fn add(&mut self, what: &str, verdict: Verdict, detail: &str, hint: &str) {
        self.0.push(Finding { what: what.into(), verdict, detail: detail.into(), hint: hint.into() });
    }

    /// It is as it should be.
    pub(super) fn ok(&mut self, what: &str, detail: &str) {
        self.add(what, Verdict::Ok, detail, "");
    }

    /// It works, but is probably a mistake.
    pub(super) fn warn(&mut self, what: &str, detail: &str, hint: &str) {
        self.add(what, Verdict::Warn, detail, hint);
    }

    /// It does not work.
    pub(super) fn failed(&mut self, what: &str, detail: &str, hint: &str) {
        self.add(what, Verdict::Failed, detail, hint);
    }

    /// It could not be checked.
    pub(super) fn unverified(&mut self, what: &str, detail: &str, hint: &str) {
        self.add(what, Verdict::Unverified, detail, hint);
    }

    /// Adds the results of another report.
    pub(super) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Whether nothing failed.
    pub(super) fn is_fine(&self) -> bool {
        self.count(Verdict::Failed) == 0
    }

    fn count(&self, verdict: Verdict) -> u64 {
        self.0.iter().filter(|finding| finding.verdict == verdict).count() as u64
    }

    /// In JSON.
    pub(super) fn to_json(&self) -> Value {
        let checks: Vec<Value> = self
            .0
            .iter()
            .map(|finding| {
                json!({
                    "check": finding.what,
                    "result": finding.verdict.as_str(),
                    "detail": finding.detail,
                    "hint": Some(&finding.hint).filter(|hint| !hint.is_empty()),
                })
            })
            .collect();
        json!({ "ok": self.is_fine(), "checks": checks })
    }

    /// Prints it.
    pub(super) fn print(&self) {
        let mut table = Table::new(&["check", "result", "detail"]);
        for Finding { what, verdict, detail, .. } in &self.0 {
            // Everything that did not pass follows in full below.
            let start = detail.lines().next().unwrap_or_default();
            table.row([one_line(what, 45), verdict.shown().into(), one_line(start, 60)]);
        }
        table.print();
        for verdict in [Verdict::Failed, Verdict::Warn, Verdict::Unverified] {
            for finding in self.0.iter().filter(|finding| finding.verdict == verdict) {
                finding.print();
            }
        }
        output::line("");
        output::line(&self.summary());
    }

    fn summary(&self) -> String {
        let mut parts = Vec::new();
        let failed = self.count(Verdict::Failed);
        if failed > 0 {
            parts.push(format!("{failed} FAILED"));
        }
        let warnings = self.count(Verdict::Warn);
        if warnings > 0 {
            parts.push(counted(warnings, "warning", "warnings"));
        }
        let unverified = self.count(Verdict::Unverified);
        if unverified > 0 {
            parts.push(format!("{unverified} unverified"));
        }
        if parts.is_empty() { "all checks passed".into() } else { parts.join(", ") }
    }
}

impl Finding {
    fn print(&self) {
        output::line("");
        output::line(&format!("{:<12}{}", self.verdict.shown(), one_line(&self.what, 200)));
        for line in self.detail.lines() {
            output::line(&format!("{:<12}{}", "", one_line(line, 1_000)));
        }
        if !self.hint.is_empty() {
            output::line(&format!("{:<12}-> {}", "", one_line(&self.hint, 1_000)));
        }
    }
}
