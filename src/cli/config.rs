//! `config init`: a starter file; `config show`: the resolved settings without secrets.

use super::state::State;
use super::{CliError, Context, output};
use crate::config::{STARTER, show};
use clap::Subcommand;
use std::io::Write;
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(super) enum Arguments {
    /// Write a starter file in which every key is explained
    Init {
        /// File to write; - for standard output
        #[arg(default_value = "config.toml")]
        file: PathBuf,
    },
    /// Print the resolved settings and where each comes from, secrets redacted
    Show,
    #[command(hide = true)]
    Schema,
}

pub(super) async fn run(context: &Context, arguments: &Arguments) -> Result<(), CliError> {
    match arguments {
        Arguments::Init { file } if file.as_os_str() == "-" => {
            let _ = std::io::stdout().lock().write_all(STARTER.as_bytes());
            Ok(())
        }
        Arguments::Init { file } => init(file),
        Arguments::Show => {
            let (_, state) = match context.load() {
                // One that is fine is shown without opening the state.
                Ok(loaded) if !State::is_in_use(&loaded.settings) => {
                    print(&show(&loaded));
                    return Ok(());
                }
                _ => context.load_beside().await?,
            };
            match state.shown.filter(|_| state.refused.is_some()) {
                Some(active) => print(&active),
                None => print(&show(&context.load()?)),
            }
            Ok(())
        }
        Arguments::Schema => Err(CliError::not_in_this_version("config schema")),
    }
}

fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

fn init(file: &PathBuf) -> Result<(), CliError> {
    let failed = |error: std::io::Error| {
        let why = crate::settings::table::io_text(&error);
        CliError::Failed(format!("cannot write `{}`: {why}", file.display()))
    };
    let mut options = std::fs::File::options();
    options.write(true).create_new(true);
    // It will hold secrets.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut target = options.open(file).map_err(|error| match error.kind() {
        std::io::ErrorKind::AlreadyExists => CliError::Failed(format!(
            "`{}` already exists and was not overwritten; write to another file with `review-bridge config init FILE`",
            file.display()
        )),
        _ => failed(error),
    })?;
    target.write_all(STARTER.as_bytes()).map_err(failed)?;
    output::line(&format!(
        "wrote {}; put your API token and your webhook URL in it, then run `review-bridge check`",
        file.display()
    ));
    Ok(())
}
