//! `destinations`: their state and backlog; pause, resume and test them.

mod overview;
mod test;

pub(super) use overview::{overviews, table};

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
    /// List destinations: state, rate and backlog
    List(List),
    /// Send nothing to a destination until it is resumed; what is meant for it waits
    Pause(Name),
    /// Send to a paused destination again, and try a broken one at once
    Resume(Name),
    /// Send one marked test message to a destination
    Test(Name),
}

#[derive(Debug, Args)]
pub(super) struct List {
    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Args)]
pub(super) struct Name {
    /// The destination's name in the configuration
    name: String,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    match arguments {
        Arguments::List(List { json }) => list(&settings, json).await,
        Arguments::Pause(Name { name }) => pause(&settings, &name).await,
        Arguments::Resume(Name { name }) => resume(&settings, &name).await,
        Arguments::Test(Name { name }) => test::run(&settings, &name).await,
    }
}

/// The destinations, whatever their templates: what is looked at here does not depend on them.
pub(super) fn targets(settings: &Settings) -> Result<Targets, CliError> {
    Ok(build_silent_targets(settings)?)
}

async fn list(settings: &Settings, json: bool) -> Result<(), CliError> {
    let state = State::read(settings).await?;
    let overviews = overviews(settings, &state).await?;
    let now = Clock::System.now();
    if json {
        return output::json(&overviews.iter().map(|one| one.to_json(now)).collect::<Vec<_>>());
    }
    table(&overviews, now).print_or(
        "no destination: write [destinations.NAME] in the configuration, and a rule that leads to it",
    );
    for one in overviews.iter().filter_map(|one| one.trouble(now)) {
        output::line("");
        output::line(&one);
    }
    Ok(())
}

/// What the state has of a destination.
pub(super) async fn record(state: &State, name: &str) -> Result<DestinationRecord, CliError> {
    let records = state.store.destinations().await?;
    Ok(records.into_iter().find(|record| record.name == name).unwrap_or_default())
}

async fn pause(settings: &Settings, name: &str) -> Result<(), CliError> {
    let state = State::read(settings).await?;
    names::destination(settings, &state, Some(name)).await?;
    let now = Clock::System.now();
    let record = record(&state, name).await?;
    if record.paused_at.is_some() {
        let since = ago(record.paused_at, now);
        output::line(&format!("`{name}` was paused {since} already ({})", time(record.paused_at)));
        return Ok(());
    }
    State::change(settings).await?.store.pause(name, true, now).await?;
    output::line(&format!(
        "`{name}` is paused: nothing is sent there, and what is meant for it waits, until `review-bridge \
         destinations resume {name}`"
    ));
    Ok(())
}

async fn resume(settings: &Settings, name: &str) -> Result<(), CliError> {
    let state = State::read(settings).await?;
    names::destination(settings, &state, Some(name)).await?;
    let record = record(&state, name).await?;
    let said = match (record.paused_at.is_some(), record.broken_at.is_some()) {
        (false, false) => {
            output::line(&format!("`{name}` is neither paused nor broken: there is nothing to resume"));
            return Ok(());
        }
        (true, false) => format!("`{name}` is resumed: what waited for it is sent"),
        (true, true) => format!("`{name}` is resumed; it was broken too, and is tried at once"),
        (false, true) => format!("`{name}` is broken, and is tried at once"),
    };
    State::change(settings).await?.store.pause(name, false, Clock::System.now()).await?;
    let when = if state.owner.is_some() { "" } else { " by the next `review-bridge run`: none runs now" };
    output::line(&format!("{said}{when}"));
    Ok(())
}
