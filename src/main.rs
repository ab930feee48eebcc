//! Parses the command line, runs the command, and turns an error into a text and an exit code.

use clap::Parser;
use review_bridge::cli::{self, Cli};
use std::process::ExitCode;

fn main() -> ExitCode {
    match cli::run(Cli::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let text = error.to_string();
            if !text.is_empty() {
                eprintln!("error: {text}");
            }
            ExitCode::from(error.exit_code())
        }
    }
}
