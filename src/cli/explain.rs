//! `explain`: where one review goes, and why. Asks no network.

use super::asked::{Asked, Which};
use super::output::{self, fact};
use super::{CliError, Context, deliveries, subject};
use crate::clock::Clock;
use crate::rules::{Candidate, RuleExplanation, explain, explain_text};
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Args)]
#[command(
    after_help = "Name a review that is in state with --uuid, give one as the API lists it with --file, or \
                        describe one:\n  review-bridge explain --rating 1 --website \"Shop NL\" --text \"Broken\""
)]
pub(super) struct Arguments {
    #[command(flatten)]
    which: Which,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    let Some(asked) = arguments.which.find(&settings).await? else {
        let hint = "name one with --uuid, give one with --file, or describe one: review-bridge explain --rating 1 \
                    --website \"Shop NL\"";
        return Err(CliError::Usage(format!("which review? {hint}")));
    };
    let candidate = Candidate { subject: &asked.subject, now: Clock::System.now() };
    let explained = explain(&settings.rules, candidate);
    if arguments.json {
        return output::json(&to_json(&asked, &explained));
    }
    fact("account", &asked.subject.review.account);
    subject::print(&asked.subject);
    fact("change", asked.subject.change.as_str());
    for note in &asked.notes {
        fact("note", note);
    }
    output::line("");
    output::line(explain_text(&explained).trim_end());
    if let Some((row, rows)) = &asked.known {
        output::line("");
        fact("in state", row.state.as_str());
        deliveries::table(rows, candidate.now).print_or("no delivery was made of it");
    }
    Ok(())
}

fn to_json(asked: &Asked, explained: &[RuleExplanation]) -> Value {
    let mut goes_to: Vec<&str> = Vec::new();
    for to in explained.iter().filter(|rule| rule.matched).flat_map(|rule| &rule.to) {
        if !goes_to.contains(&to.as_str()) {
            goes_to.push(to);
        }
    }
    let undecided = goes_to.is_empty() && explained.iter().any(|rule| rule.undecided);
    let rows = asked.known.as_ref().map(|(_, rows)| rows.iter().map(deliveries::to_json).collect::<Vec<_>>());
    json!({
        "account": asked.subject.review.account,
        "review": subject::to_json(&asked.subject),
        "change": asked.subject.change,
        "notes": asked.notes,
        "rules": explained,
        "goes_to": goes_to,
        "undecided": undecided,
        "state": asked.known.as_ref().map(|(row, _)| row.state),
        "deliveries": rows,
    })
}
