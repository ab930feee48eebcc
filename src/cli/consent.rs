//! Asking people before much is done at once, or before what cannot be undone.

use super::CliError;
use clap::Args;
use std::io::{BufRead, IsTerminal, Write};

#[derive(Debug, Args)]
pub(super) struct Consent {
    /// Do it without asking
    #[arg(long)]
    pub(super) yes: bool,
}

impl Consent {
    /// Asks whether `what` is to be done, unless it was said already.
    ///
    /// # Errors
    /// It is not wanted; or nobody can be asked: then `--yes` is needed.
    pub(super) fn to(&self, what: &str) -> Result<(), CliError> {
        if self.yes {
            return Ok(());
        }
        let (stdin, stderr) = (std::io::stdin(), std::io::stderr());
        if !stdin.is_terminal() || !stderr.is_terminal() {
            return Err(CliError::Usage(format!(
                "{what}; without a terminal to ask on, say that you mean it with --yes"
            )));
        }
        // Not to standard output, which may hold JSON. Where it cannot be shown, no answer means no.
        let _ = write!(stderr.lock(), "{what}. Go on? [y/N] ");
        if is_yes(stdin.lock()) { Ok(()) } else { Err(CliError::Failed("nothing was done".into())) }
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
    fn where_it_was_said_nobody_is_asked() {
        Consent { yes: true }.to("it would be done").unwrap();
    }
}
