//! The commands: one file each. All they print for people is written here and nowhere else.

mod check;
mod config;
mod consent;
mod deliveries;
mod demo;
mod destinations;
mod endpoints;
mod explain;
mod healthcheck;
mod limits;
mod names;
mod output;
mod preview;
mod review_arg;
mod reviews;
mod run;
mod sandbox;
mod signals;
mod state;
mod status;
mod subject;

use crate::app::AppError;
use crate::clock::minute;
use crate::config::{Failure, Loaded, Loader, Settings};
use crate::store::StoreError;
use clap::{Args, CommandFactory, Parser, Subcommand};
use state::State;
use std::path::PathBuf;

/// Delivers customer reviews from ShopReviews to chat, e-mail and webhooks, by your rules
#[derive(Debug, Parser)]
#[command(name = "review-bridge", version, max_term_width = 100)]
pub struct Cli {
    /// Configuration file [default: $REVIEW_BRIDGE_CONFIG, ./config.toml, /etc/review-bridge/config.toml]
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Poll, route, deliver and mark read, until stopped
    Run(run::Arguments),
    /// Watch it work: invented reviews on a live page; needs no configuration and no network
    Demo(demo::Arguments),
    /// Validate the configuration and test the database, the API and the destinations
    Check(check::Arguments),
    /// Show health: polls, backlog, problems
    Status(status::Arguments),
    /// Explain where a review goes and why, rule by rule
    Explain(explain::Arguments),
    /// Show the message that a destination would get, without sending it
    Preview(preview::Arguments),
    /// List destinations with their state and backlog; pause, resume or test one
    #[command(subcommand)]
    Destinations(destinations::Arguments),
    /// List deliveries and every attempt; retry, resend or discard them
    #[command(subcommand)]
    Deliveries(deliveries::Arguments),
    /// List reviews and what happened to each; route again, mark read or forget them
    #[command(subcommand)]
    Reviews(reviews::Arguments),
    /// Write a starter configuration; show the resolved settings
    #[command(subcommand)]
    Config(config::Arguments),
    /// Run a fake ShopReviews API and fake receivers on this machine, to try things out
    Sandbox(sandbox::Arguments),
    /// Check that a running bridge is ready; for container health checks
    Healthcheck(healthcheck::Arguments),
    #[command(hide = true)]
    Simulate(Later),
    #[command(hide = true)]
    Api(Later),
    #[command(hide = true)]
    Completions(Later),
}

/// A command of a later version, with any arguments.
#[derive(Debug, Args)]
struct Later {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    _rest: Vec<String>,
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// Usage or configuration: exit 2.
    #[error("{0}")]
    Usage(String),
    /// It failed: exit 1.
    #[error("{0}")]
    Failed(String),
    /// It failed, and its output already says why: exit 1.
    #[error("")]
    Reported,
}

impl CliError {
    /// 2 for usage and configuration, 1 for the rest.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Usage(_) => 2,
            Self::Failed(_) | Self::Reported => 1,
        }
    }

    fn not_in_this_version(what: &str) -> Self {
        Self::Usage(format!("`{what}` is not in this version"))
    }
}

impl From<Failure> for CliError {
    fn from(failure: Failure) -> Self {
        Self::Usage(failure.to_string())
    }
}

impl From<StoreError> for CliError {
    fn from(error: StoreError) -> Self {
        Self::Failed(error.to_string())
    }
}

impl From<AppError> for CliError {
    fn from(error: AppError) -> Self {
        match error {
            AppError::Templates(_) | AppError::Build(_) | AppError::NoAccount(_) => {
                Self::Usage(error.to_string())
            }
            AppError::Store(_) | AppError::Listen { .. } | AppError::Copy(_) | AppError::Panicked(_) => {
                Self::Failed(error.to_string())
            }
        }
    }
}

/// Runs the command that `cli` names.
///
/// # Errors
/// What went wrong, with its exit code.
pub fn run(cli: Cli) -> Result<(), CliError> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| CliError::Failed(format!("cannot start: {error}")))?;
    let result = runtime.block_on(dispatch(cli));
    // A listener's last tasks must not hold up the end.
    runtime.shutdown_timeout(std::time::Duration::from_millis(200));
    result
}

async fn dispatch(cli: Cli) -> Result<(), CliError> {
    let Some(command) = cli.command else {
        let mut help = Cli::command();
        return help.print_help().map_err(|error| CliError::Failed(error.to_string()));
    };
    limits::prepare();
    let context = Context { config: cli.config };
    match command {
        Command::Run(arguments) => run::run(&context, arguments).await,
        Command::Demo(arguments) => demo::run(arguments).await,
        Command::Destinations(arguments) => destinations::run(&context, arguments).await,
        Command::Explain(arguments) => explain::run(&context, arguments).await,
        Command::Check(arguments) => check::run(&context, arguments).await,
        Command::Status(arguments) => status::run(&context, arguments).await,
        Command::Deliveries(arguments) => deliveries::run(&context, arguments).await,
        Command::Reviews(arguments) => reviews::run(&context, arguments).await,
        Command::Config(arguments) => config::run(&context, &arguments).await,
        Command::Sandbox(arguments) => sandbox::run(arguments).await,
        Command::Healthcheck(arguments) => healthcheck::run(&context, arguments).await,
        Command::Simulate(_) => Err(CliError::not_in_this_version("simulate")),
        Command::Preview(arguments) => preview::run(&context, arguments).await,
        Command::Api(_) => Err(CliError::not_in_this_version("api")),
        Command::Completions(_) => Err(CliError::not_in_this_version("completions")),
    }
}

/// What every command gets.
#[derive(Clone, Debug)]
struct Context {
    config: Option<PathBuf>,
}

impl Context {
    fn load(&self) -> Result<Loaded, CliError> {
        Ok(crate::config::load_here(self.config.as_deref())?)
    }

    /// For a command that only reads: also where the edited configuration is refused while a bridge runs with an
    /// earlier one. Then it says so, and what can be read of the edited one is used.
    async fn load_beside(&self) -> Result<(Settings, State), CliError> {
        let (settings, failure) = match self.load() {
            Ok(loaded) => (loaded.settings, None),
            Err(failure) => (self.loader()?.as_far_as_readable(), Some(failure)),
        };
        if failure.is_some() && !State::is_in_use(&settings) {
            return Err(failure.unwrap_or(CliError::Reported));
        }
        let mut state = State::read(&settings).await?;
        let bridge = state.store.bridge().await?;
        let why = match (&failure, state.owner, bridge.refused_why) {
            (Some(failure), ..) => Some(output::on_one_line(&failure.to_string())),
            (None, Some(_), why) => why,
            (None, None, _) => None,
        };
        if let Some(why) = why {
            let active = match bridge.loaded_at {
                Some(at) => format!("the configuration of {}", minute(at)),
                None => "an earlier configuration".into(),
            };
            output::note(&format!("the bridge runs with {active}; the edited file is refused: {why}"));
            state.refused = Some(why);
            state.shown = bridge.shown;
        }
        Ok((settings, state))
    }

    /// For a command that loads it again when it changes.
    fn loader(&self) -> Result<Loader, CliError> {
        Ok(Loader::here(self.config.as_deref())?)
    }
}

#[cfg(test)]
mod tests {
    use super::Cli;
    use clap::CommandFactory;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
