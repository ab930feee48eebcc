//! How SQLite finds what each statement is about. None that is repeated while the bridge works reads all there is.

use super::observed::{details, observe};
use super::sequences::sequences;
use super::twin::Twin;
use super::world;
use crate::harness::folder;
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use regex::Regex;
use review_bridge::store::Store;
use review_bridge::store::sqlite::{Access, SqliteStore};
use sqlx::sqlite::{SqliteConnectOptions, SqliteConnection};
use sqlx::{AssertSqlSafe, Connection, Row};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber, span};

/// The tables that grow with what was done.
const TABLES: [&str; 5] = ["reviews", "revisions", "messages", "deliveries", "attempts"];
/// Columns that say little of which row is meant: many rows have the same.
const BROAD: [&str; 4] = ["account", "destination", "recipient", "kind"];
/// The beginnings of statements that read everything, and may: people call for them, or the clock was set.
const MAY_SCAN: [&str; 6] = [
    "SELECT d.id, r.account, r.uuid, d.revision",
    "SELECT id, account, uuid, state, revision, body",
    "SELECT destination, state, COUNT(*)",
    "SELECT account, state, COUNT(*)",
    "UPDATE reviews SET aged_at = aged_at + $1",
    // The latest attempts of a destination: fifty at most.
    "WITH RECURSIVE names (name) AS ( SELECT MIN(destination) FROM messages WHERE state = 'pending' AND lease IS NULL UNION ALL SELECT (SELECT MIN(destination) FROM messages WHERE state = 'pending' AND lease IS NULL AND destination > name) FROM names WHERE name IS NOT NULL) SELECT name,",
];
/// Names the file for the statements, in the process that does the sequences.
const STATEMENTS: &str = "STATEMENTS_OF_THE_STORE";
const SEQUENCES: u8 = 24;

/// Takes the statements that sqlx logs.
#[derive(Clone, Default)]
struct Statements(Arc<Mutex<BTreeSet<String>>>);

/// The text of one: short ones are a summary of themselves.
#[derive(Default)]
struct Text {
    summary: String,
    whole: String,
}

impl Visit for Text {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => self.summary = value.to_owned(),
            "db.statement" => self.whole = value.to_owned(),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}
}

impl Subscriber for Statements {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.target() == "sqlx::query"
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn event(&self, event: &Event<'_>) {
        let mut text = Text::default();
        event.record(&mut text);
        let sql = if text.whole.trim().is_empty() { text.summary } else { text.whole };
        let line = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        self.0.lock().unwrap().insert(line);
    }

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// In a process of its own, for what is logged belongs to a process: does sequences, and writes down what the store
/// asked of SQLite.
#[test]
fn statements() {
    let Some(file) = std::env::var_os(STATEMENTS) else { return };
    let statements = Statements::default();
    tracing::subscriber::set_global_default(statements.clone()).unwrap();
    let plans = world::plans();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for seed in 0..SEQUENCES {
        let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
        let mut runner = TestRunner::new_with_rng(Config::default(), rng);
        let ops = sequences(120).new_tree(&mut runner).unwrap().current();
        runtime.block_on(async {
            let folder = folder();
            let sqlite = SqliteStore::open(&folder.path().join("state.db"), Access::Own).await.unwrap();
            let mut twin = Twin::new(sqlite, &plans);
            for op in &ops {
                twin.apply(op).await;
            }
            let seen = observe(&twin.sqlite).await;
            details(&twin.sqlite, &seen, &[]).await;
            twin.sqlite.close().await;
        });
    }
    let lines: Vec<String> = statements.0.lock().unwrap().iter().cloned().collect();
    std::fs::write(file, lines.join("\n")).unwrap();
}

fn statements_of_the_store(folder: &Path) -> Vec<String> {
    let file = folder.join("statements");
    let mut own = Command::new(std::env::current_exe().unwrap());
    own.args(["--exact", "model::plans::statements"]).env(STATEMENTS, &file);
    let output = own.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let text = std::fs::read_to_string(file).unwrap();
    text.lines().map(str::to_owned).collect()
}

/// Judges one line of a plan; `None` where it is fine.
fn complaint(statement: &str, detail: &str, partial: &BTreeMap<String, bool>) -> Option<String> {
    let line =
        Regex::new(r"^(SCAN|SEARCH) (\w+)(?: USING (?:COVERING |AUTOMATIC )?INDEX (\w+)(?: \((.*)\))?)?")
            .unwrap();
    let found = line.captures(detail)?;
    let alias = Regex::new(&format!(r"\b({})(?: AS)? {}\b", TABLES.join("|"), &found[2])).unwrap();
    if !TABLES.contains(&&found[2]) && !alias.is_match(statement) {
        return None;
    }
    let index = found.get(3).map(|index| index.as_str());
    let is_partial = index.is_some_and(|index| partial.get(index).copied().unwrap_or(false));
    // What is left of a table in these is most of it.
    let is_small = is_partial && !matches!(index, Some("reviews_by_age" | "deliveries_newest"));
    if &found[1] == "SCAN" {
        return (!is_small).then(|| format!("{detail}: reads all of it"));
    }
    let columns = found.get(4).map_or("", |columns| columns.as_str());
    let column = Regex::new(r"(\w+)[=<>]").unwrap();
    let mut named = column.captures_iter(columns).peekable();
    let broad = index.is_some() && named.peek().is_some() && named.all(|name| BROAD.contains(&&name[1]));
    (broad && !is_small).then(|| format!("{detail}: as good as all of it"))
}

#[tokio::test]
async fn no_statement_on_the_hot_path_reads_all_there_is() {
    let folder = folder();
    let statements = statements_of_the_store(folder.path());
    let path = folder.path().join("state.db");
    SqliteStore::open(&path, Access::Own).await.unwrap().close().await;
    let options = SqliteConnectOptions::new().filename(&path);
    let mut state = SqliteConnection::connect_with(&options).await.unwrap();
    let indexes = sqlx::query("SELECT name, COALESCE(sql, '') FROM sqlite_master WHERE type = 'index'");
    let indexes = indexes.fetch_all(&mut state).await.unwrap();
    let partial: BTreeMap<String, bool> =
        indexes.iter().map(|row| (row.get(0), row.get::<String, _>(1).contains(" WHERE "))).collect();
    let (mut asked, mut wrong) = (0, Vec::new());
    for statement in &statements {
        let about = ["SELECT", "UPDATE", "INSERT", "DELETE", "WITH"];
        if !about.iter().any(|verb| statement.starts_with(verb)) || statement.contains("_sqlx_migrations") {
            continue;
        }
        asked += 1;
        let rows = sqlx::query(AssertSqlSafe(format!("EXPLAIN QUERY PLAN {statement}")));
        let rows = rows.fetch_all(&mut state).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
        let details: Vec<String> = rows.iter().map(|row| row.get("detail")).collect();
        let complaints = details.iter().filter_map(|detail| complaint(statement, detail, &partial));
        if !MAY_SCAN.iter().any(|start| statement.starts_with(start)) {
            wrong.extend(complaints.map(|why| format!("{why}\n    in {statement}")));
        }
    }
    assert!(asked > 90, "only {asked} statements were seen");
    assert!(wrong.is_empty(), "{} of {asked}:\n{}", wrong.len(), wrong.join("\n"));
    for start in MAY_SCAN {
        assert!(statements.iter().any(|statement| statement.starts_with(start)), "not seen: {start}");
    }
}
