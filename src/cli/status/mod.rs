//! `status`: the health of the bridge, read from the database, also while it is running.

mod account;

use super::destinations::{overviews, table};
use super::output::{self, json_time};
use super::state::State;
use super::{CliError, Context, names};
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::{ProblemKind, Timestamp};
use crate::operator::problem;
use crate::store::ProblemRecord;
use account::AccountStatus;
use clap::Args;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Show only this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    let state = State::read(&settings).await?;
    names::account(&settings, &state, arguments.account.as_deref()).await?;
    let now = Clock::System.now();
    let problems = problems(&state, now).await?;
    let mut accounts = Vec::new();
    for name in account_names(&settings, &state, arguments.account.as_deref()).await? {
        accounts.push(AccountStatus::read(&settings, &state, &name, &problems).await?);
    }
    let destinations = overviews(&settings, &state).await?;
    if arguments.json {
        return output::json(&json!({
            "version": env!("CARGO_PKG_VERSION"),
            "running": state.owner.is_some(),
            "process": state.owner.and_then(|owner| owner.process),
            "state": { "path": state.path.display().to_string(), "exists": state.exists },
            "accounts": accounts.iter().map(|one| one.to_json(now)).collect::<Vec<_>>(),
            "destinations": destinations.iter().map(|one| one.to_json(now)).collect::<Vec<_>>(),
            "troubles": problems.iter().map(problem_json).collect::<Vec<_>>(),
        }));
    }
    print_head(&state);
    for account in &accounts {
        output::line("");
        account.print(now);
    }
    output::line("");
    table(&destinations, now).print_or("no destinations");
    print_problems(&problems);
    Ok(())
}

async fn account_names(
    settings: &Settings,
    state: &State,
    wanted: Option<&str>,
) -> Result<BTreeSet<String>, CliError> {
    let mut names: BTreeSet<String> = settings.accounts.keys().cloned().collect();
    names.extend(state.store.count_reviews().await?.into_iter().map(|count| count.account));
    names.retain(|name| wanted.is_none_or(|wanted| wanted == name));
    Ok(names)
}

/// The current problems, and those that only the running bridge can see and has reported.
async fn problems(state: &State, now: Timestamp) -> Result<Vec<ProblemRecord>, CliError> {
    let mut problems = problem::assess(&state.store.problem_facts().await?, &BTreeMap::new(), now);
    let reported = state.store.problems().await?;
    problems.extend(reported.into_iter().filter(|one| one.kind == ProblemKind::TemplateFailed));
    Ok(problems)
}

fn problem_json(problem: &ProblemRecord) -> serde_json::Value {
    json!({
        "kind": problem.kind,
        "subject": problem.subject,
        "text": problem.text,
        "hint": problem.hint,
    })
}

fn print_head(state: &State) {
    let version = env!("CARGO_PKG_VERSION");
    output::line(&match state.owner {
        Some(owner) => {
            let process = owner.process.map(|id| format!(" (process {id})")).unwrap_or_default();
            format!("review-bridge {version} is running{process}")
        }
        None => format!("review-bridge {version} is not running; start it with `review-bridge run`"),
    });
    let path = state.path.display();
    output::line(&match state.exists {
        true => format!("database: {path}"),
        false => format!("database: {path} (does not exist yet)"),
    });
}

fn print_problems(problems: &[ProblemRecord]) {
    output::line("");
    if problems.is_empty() {
        return output::line("no problems");
    }
    output::line("problems:");
    for problem in problems {
        output::line(&format!("- {}", one_line(&problem.text)));
        output::line(&format!("  {}", one_line(&problem.hint)));
    }
}

fn one_line(text: &str) -> String {
    crate::domain::text::one_line(text, 1_000)
}

/// A time in JSON that counts only while it lies ahead.
fn json_ahead(at: Timestamp, now: Timestamp) -> Option<String> {
    json_time(output::ahead(at, now))
}
