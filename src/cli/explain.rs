//! `explain`: where one review goes, and why. Uses no network.

use super::output::{self, fact};
use super::review_arg::{FoundReview, ReviewArg};
use super::{CliError, Context, deliveries, subject};
use crate::clock::Clock;
use crate::domain::NativeRating;
use crate::rules::{Candidate, RuleExplanation, explain, explain_text};
use clap::Args;
use serde_json::{Value, json};

#[derive(Debug, Args)]
#[command(
    after_help = "Use --uuid for a review in the database, --file for one in the API's JSON, or describe one:\n  \
                  review-bridge explain --rating 1 --website \"Shop NL\" --text \"Broken\""
)]
pub(super) struct Arguments {
    #[command(flatten)]
    which: ReviewArg,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    let Some(found) = arguments.which.find(&settings).await? else {
        let hint =
            "use --uuid, --file, or describe one: review-bridge explain --rating 1 --website \"Shop NL\"";
        return Err(CliError::Usage(format!("no review given; {hint}")));
    };
    let candidate = Candidate { subject: &found.subject, now: Clock::System.now() };
    let explained = explain(&settings.rules, candidate);
    if arguments.json {
        return output::json(&to_json(&found, &explained));
    }
    fact("account", &found.subject.review.account);
    subject::print(&found.subject);
    if matches!(found.subject.rating.native, NativeRating::Number(_)) {
        fact("scale", &format!("{}: {}", found.scale.top, found.scale.reason.because()));
    }
    fact("change", found.subject.change.as_str());
    for note in &found.notes {
        fact("note", note);
    }
    output::line("");
    output::line(explain_text(&explained).trim_end());
    if let Some((row, rows)) = &found.known {
        output::line("");
        fact("state", row.state.as_str());
        deliveries::table(rows, candidate.now).print_or("no deliveries");
    }
    Ok(())
}

fn to_json(found: &FoundReview, explained: &[RuleExplanation]) -> Value {
    let mut goes_to: Vec<&str> = Vec::new();
    for to in explained.iter().filter(|rule| rule.matched).flat_map(|rule| &rule.to) {
        if !goes_to.contains(&to.as_str()) {
            goes_to.push(to);
        }
    }
    let undecided = goes_to.is_empty() && explained.iter().any(|rule| rule.undecided);
    let rows = found.known.as_ref().map(|(_, rows)| rows.iter().map(deliveries::to_json).collect::<Vec<_>>());
    json!({
        "account": found.subject.review.account,
        "review": subject::to_json(&found.subject),
        "change": found.subject.change,
        "scale": found.scale,
        "notes": found.notes,
        "rules": explained,
        "goes_to": goes_to,
        "undecided": undecided,
        "state": found.known.as_ref().map(|(row, _)| row.state),
        "deliveries": rows,
    })
}
