//! `status`: the health of the bridge, read from the database, also while it is running. Its first line is the verdict.

mod account;

use super::destinations::{Overview, overviews, table, targets};
use super::output::{self, json_time};
use super::state::State;
use super::{CliError, Context, names};
use crate::app::account_views;
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::{ProblemKind, Timestamp};
use crate::operator::problem::{self, Problem, View};
use crate::operator::verdict::{Judgement, Standing, Verdict, verdict};
use crate::operator::{destinations_of, words};
use crate::store::ProblemFacts;
use account::AccountStatus;
use clap::Args;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Show only this account
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Print only the verdict; the exit code is 0 only if it is OK
    #[arg(long)]
    short: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<(), CliError> {
    let (settings, state) = match context.load_beside().await {
        Err(CliError::Failed(why)) => return unreadable(context, &arguments, why),
        loaded => loaded?,
    };
    names::account(&settings, &state, arguments.account.as_deref()).await?;
    let now = Clock::System.now();
    let destinations = overviews(&settings, &state).await?;
    let facts = state.store.problem_facts(now).await?;
    let problems = problems(&settings, &state, &facts, &destinations, now).await?;
    let mut accounts = Vec::new();
    for name in account_names(&settings, &state, arguments.account.as_deref()).await? {
        accounts.push(AccountStatus::read(&settings, &state, &name, &problems).await?);
    }
    let notes = notes(&problems, &destinations, &accounts, now);
    let judgement = verdict(&Standing {
        is_running: state.owner.is_some(),
        has_state: state.exists,
        bridge: &facts.bridge,
        problems: &problems,
        notes: &notes,
        now,
    });
    let ended = match judgement.verdict {
        Verdict::Ok => Ok(()),
        Verdict::Degraded | Verdict::NotRunning => Err(CliError::Reported),
    };
    if arguments.short && !arguments.json {
        output::line(&judgement.line());
        return ended;
    }
    if arguments.json {
        let verdict = verdict_json(&judgement);
        if arguments.short {
            output::json(&verdict)?;
            return ended;
        }
        let mut status = json!({
            "version": env!("CARGO_PKG_VERSION"),
            "running": state.owner.is_some(),
            "process": state.owner.and_then(|owner| owner.process),
            "state": { "path": state.path.display().to_string(), "exists": state.exists },
            "configuration": {
                "loaded_at": json_time(facts.bridge.loaded_at),
                "refused": state.refused,
            },
            "accounts": accounts.iter().map(|one| one.to_json(now)).collect::<Vec<_>>(),
            "destinations": destinations.iter().map(|one| one.to_json(now)).collect::<Vec<_>>(),
            "troubles": problems.iter().map(problem_json).collect::<Vec<_>>(),
        });
        for key in ["verdict", "reasons", "warnings"] {
            status[key] = verdict[key].clone();
        }
        output::json(&status)?;
        return ended;
    }
    output::line(&judgement.line());
    output::line("");
    print_head(&state);
    for account in &accounts {
        output::line("");
        account.print(now);
    }
    output::line("");
    table(&destinations, now).print_or("no destinations");
    print_problems(&problems);
    ended
}

/// The verdict where the state cannot be read: it is all there is to say.
fn unreadable(context: &Context, arguments: &Arguments, why: String) -> Result<(), CliError> {
    let runs = context.load().is_ok_and(|loaded| State::is_in_use(&loaded.settings));
    let judgement = Judgement {
        verdict: if runs { Verdict::Degraded } else { Verdict::NotRunning },
        reasons: vec![output::on_one_line(&why)],
        warnings: Vec::new(),
    };
    if arguments.json {
        output::json(&verdict_json(&judgement))?;
    } else {
        output::line(&judgement.line());
    }
    Err(CliError::Failed(why))
}

/// What stops nothing, but is to be known: pauses, and ratings that count as unknown; no problem says it twice.
fn notes(
    problems: &[Problem],
    destinations: &[Overview],
    accounts: &[AccountStatus],
    now: Timestamp,
) -> Vec<String> {
    let is_said = |kind: ProblemKind, subject: &str| {
        problems.iter().any(|one| one.kind == kind && one.subject == subject)
    };
    let paused = destinations.iter().filter(|one| !is_said(ProblemKind::PausedForLong, one.name()));
    let rated = accounts.iter().filter(|one| !is_said(ProblemKind::RatingsUnreadable, one.name()));
    paused.filter_map(|one| one.pause(now)).chain(rated.filter_map(AccountStatus::unreadable)).collect()
}

fn verdict_json(judgement: &Judgement) -> serde_json::Value {
    json!({
        "verdict": judgement.verdict.as_str(),
        "reasons": judgement.reasons,
        "warnings": judgement.warnings,
    })
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

/// The current problems, those first that stop reviews, each with what is queued because of it; and those that only
/// the running bridge can see and has reported.
async fn problems(
    settings: &Settings,
    state: &State,
    facts: &ProblemFacts,
    destinations: &[Overview],
    now: Timestamp,
) -> Result<Vec<Problem>, CliError> {
    let mut known = destinations_of(&targets(settings)?, now);
    if state.refused.is_some() {
        // Which destinations there are is not known for certain.
        for one in destinations {
            known.entry(one.name().to_owned()).or_default();
        }
    }
    let view = View {
        accounts: state.refused.is_none().then(|| account_views(settings)),
        destinations: known,
        fallbacks: BTreeMap::new(),
        running: state.owner.is_some(),
    };
    let mut problems = problem::assess(facts, &view, now);
    let reported = state.store.problems().await?.into_iter();
    problems.extend(reported.filter(|one| one.kind == ProblemKind::TemplateFailed).map(|one| Problem {
        kind: one.kind,
        subject: one.subject,
        text: one.text,
        hint: one.hint,
        since: Some(one.since),
        is_ripe: true,
    }));
    for problem in &mut problems {
        if problem.kind.family() == ProblemKind::DestinationBroken {
            let queued = destinations.iter().find(|one| one.name() == problem.subject);
            let waiting = queued.map_or(0, Overview::pending);
            problem.text.truncate(problem.text.trim_end_matches('.').len());
            problem.text.push_str(&words::queued(waiting));
        }
    }
    problems.retain(|one| state.owner.is_some() || one.kind != ProblemKind::ConfigurationRefused);
    problems.sort_by_key(|problem| problem.kind.severity());
    Ok(problems)
}

fn problem_json(problem: &Problem) -> serde_json::Value {
    json!({
        "kind": problem.kind,
        "severity": problem.kind.severity(),
        "subject": problem.subject,
        "since": json_time(problem.since),
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

fn print_problems(problems: &[Problem]) {
    output::line("");
    if problems.is_empty() {
        return output::line("no problems");
    }
    output::line("problems:");
    for problem in problems {
        let mark = problem.kind.severity().as_str();
        output::line(&format!("- {} ({mark}): {}", problem.kind.as_str(), one_line(&problem.text)));
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
