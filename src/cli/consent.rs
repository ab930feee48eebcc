//! Asks for confirmation before many things are changed together, or something that cannot be undone.

use super::CliError;
use clap::Args;
use std::io::{BufRead, IsTerminal, Write};

#[derive(Debug, Args)]
pub(super) struct Consent {
    /// Do not ask for confirmation
    #[arg(long)]
    pub(super) yes: bool,
}

impl Consent {
    /// Asks for confirmation to `do_it` (`retry 3 deliveries`), unless `--yes` was passed.
    ///
    /// # Errors
    /// The answer is no; or there is no terminal: then `--yes` is needed.
    pub(super) fn to(&self, do_it: &str) -> Result<(), CliError> {
        if self.yes {
            return Ok(());
        }
        let (stdin, stderr) = (std::io::stdin(), std::io::stderr());
        if !stdin.is_terminal() || !stderr.is_terminal() {
            return Err(CliError::Usage(format!(
                "confirmation required to {do_it}; pass --yes to confirm without a terminal"
            )));
        }
        // Not to standard output, which may hold JSON. If it cannot be shown, no answer means no.
        let _ = write!(stderr.lock(), "This will {do_it}. Continue? [y/N] ");
        if is_yes(stdin.lock()) {
            Ok(())
        } else {
            Err(CliError::Failed("cancelled; nothing was changed".into()))
        }
    }
}

fn is_yes(mut reader: impl BufRead) -> bool {
    let mut answer = String::new();
    // The end of the input is no answer.
    let _ = std::io::Read::take(&mut reader, 64).read_line(&mut answer);
    matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn only_a_clear_yes_is_one() {
        for yes in ["y\n", "Yes\r\n", " y "] {
            assert!(is_yes(yes.as_bytes()), "{yes:?}");
        }
        for no in ["", "\n", "n\n", "ye\n", "\u{ff}\n", "yesss\n"] {
            assert!(!is_yes(no.as_bytes()), "{no:?}");
        }
        assert!(!is_yes(&b"\xff\xfe\n"[..]));
    }

    #[test]
    fn with_yes_there_is_no_question() {
        Consent { yes: true }.to("do it").unwrap();
    }
}
