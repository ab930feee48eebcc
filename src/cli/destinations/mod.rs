//! `destinations`: their state and backlog; pause, resume and test them.

mod overview;
mod test;

pub(super) use overview::{Overview, overviews, table};
pub(super) use test::test_text;

use super::output::{self, ago, time};
use super::state::State;
use super::{CliError, Context, names};
use crate::app::build_silent_targets;
use crate::clock::Clock;
use crate::config::Settings;
use crate::outbox::Targets;
use crate::store::DestinationRecord;
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(super) enum Arguments {
    /// List destinations with their state, rate limit and backlog
    List(List),
    /// Pause a destination; its deliveries stay pending until you resume it
    Pause(Switch),
    /// Resume a paused destination, or retry a broken one immediately
    Resume(Switch),
    /// Send one test message to a destination, marked as a test
    Test(Name),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Switch {
    /// Name of the destination in the configuration
    name: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Name {
    /// Name of the destination in the configuration
    name: String,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<(), CliError> {
    match arguments {
        Arguments::List(List { json }) => list(context, json).await,
        Arguments::Pause(switch) => pause(&context.load()?.settings, &switch).await,
        Arguments::Resume(switch) => resume(&context.load()?.settings, &switch).await,
        Arguments::Test(Name { name }) => test::run(&context.load()?.settings, &name).await,
    }
}

/// The destinations without their templates: what is shown here does not depend on them.
pub(super) fn targets(settings: &Settings) -> Result<Targets, CliError> {
    Ok(build_silent_targets(settings)?)
}

async fn list(context: &Context, json: bool) -> Result<(), CliError> {
    let (settings, state) = context.load_beside().await?;
    let overviews = overviews(&settings, &state).await?;
    let now = Clock::System.now();
    if json {
        return output::json(&overviews.iter().map(|one| one.to_json(now)).collect::<Vec<_>>());
    }
    table(&overviews, now).print_or(
        "no destinations; add [destinations.NAME] to the configuration, and a rule that sends to it",
    );
    if !overviews.is_empty() {
        output::line("");
        overview::addresses(&overviews).print();
    }
    for one in overviews.iter().filter_map(|one| one.problem(now)) {
        output::line("");
        output::line(&one);
    }
    Ok(())
}

/// The stored record of a destination.
pub(super) async fn record(state: &State, name: &str) -> Result<DestinationRecord, CliError> {
    let records = state.store.destinations().await?;
    Ok(records.into_iter().find(|record| record.name == name).unwrap_or_default())
}

/// Prints what became of a destination, and its state.
async fn report(settings: &Settings, switch: &Switch, text: &str, changed: bool) -> Result<(), CliError> {
    if !switch.json {
        output::line(text);
        return Ok(());
    }
    let state = State::read(settings).await?;
    let record = record(&state, &switch.name).await?;
    output::json(&serde_json::json!({
        "name": switch.name,
        "state": record.state(),
        "paused_at": output::json_time(record.paused_at),
        "next_probe_at": output::json_time(record.health.probe_at),
        "changed": changed,
    }))
}

async fn pause(settings: &Settings, switch: &Switch) -> Result<(), CliError> {
    let name = &switch.name;
    let state = State::read(settings).await?;
    names::destination(settings, &state, Some(name)).await?;
    let now = Clock::System.now();
    let record = record(&state, name).await?;
    if record.paused_at.is_some() {
        let since = ago(record.paused_at, now);
        let text = format!("`{name}` is already paused, since {} ({since})", time(record.paused_at));
        return report(settings, switch, &text, false).await;
    }
    State::change(settings).await?.store.pause(name, true, now).await?;
    let text = format!(
        "`{name}` is paused; its deliveries stay pending until you run `review-bridge destinations resume {name}`"
    );
    report(settings, switch, &text, true).await
}

async fn resume(settings: &Settings, switch: &Switch) -> Result<(), CliError> {
    let name = &switch.name;
    let state = State::read(settings).await?;
    names::destination(settings, &state, Some(name)).await?;
    let record = record(&state, name).await?;
    let health = record.health.state.as_str();
    let text = match (record.paused_at.is_some(), record.health.is_stopped()) {
        (false, false) => {
            let text = format!("`{name}` is neither paused, failing nor broken; nothing to resume");
            return report(settings, switch, &text, false).await;
        }
        (true, false) => format!("`{name}` is resumed; its pending deliveries are sent"),
        (true, true) => format!("`{name}` is resumed; it was also {health} and is retried immediately"),
        (false, true) => format!("`{name}` is {health} and is retried immediately"),
    };
    State::change(settings).await?.store.pause(name, false, Clock::System.now()).await?;
    let when =
        if state.owner.is_some() { "" } else { " when `review-bridge run` is started (not running now)" };
    report(settings, switch, &format!("{text}{when}"), true).await
}
