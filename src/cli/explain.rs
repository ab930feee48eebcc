//! `explain`: where one review goes, and why. Asks no network.

use super::output::{self, fact};
use super::reviews::deliveries_of;
use super::state::State;
use super::subject::{self, Names, scales};
use super::{CliError, Context, deliveries, names};
use crate::clock::{self, Clock};
use crate::config::Settings;
use crate::domain::text::one_line;
use crate::domain::{Change, Subject, Timestamp};
use crate::rules::{Candidate, Draft, RuleExplanation, explain, explain_text};
use crate::settings::table::io_text;
use crate::store::{DeliveryRow, ReviewRow};
use crate::upstream::{Item, read_item};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::{Value, json};
use std::io::Read;
use std::path::{Path, PathBuf};

/// No review is larger.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

#[derive(Debug, Args)]
#[command(
    after_help = "Name a review that is in state with --uuid, give one as the API lists it with --file, or \
                        describe one:\n  review-bridge explain --rating 1 --website \"Shop NL\" --text \"Broken\""
)]
pub(super) struct Arguments {
    /// A review that is in state
    #[arg(long, conflicts_with_all = ["file", "change"])]
    uuid: Option<String>,
    /// A file with one review, as the API lists it (JSON); - is standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// The account it is of [default: the first]
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// What happened to it [default: new]
    #[arg(long, value_parser = PossibleValuesParser::new(Change::ALL.map(Change::as_str))
        .try_map(|name| Change::parse(&name).ok_or("no such change")))]
    change: Option<Change>,
    #[command(flatten)]
    described: Described,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// A review in words.
#[derive(Debug, Args)]
#[group(id = "described", multiple = true, conflicts_with_all = ["uuid", "file"])]
struct Described {
    /// Its rating as its platform gives it: 1, "4,5", yes
    #[arg(long, allow_hyphen_values = true, help_heading = "A review in words")]
    rating: Option<String>,
    /// A website that shows it; may be given again
    #[arg(long, value_name = "NAME", help_heading = "A review in words")]
    website: Vec<String>,
    /// Its source
    #[arg(long, value_name = "NAME", help_heading = "A review in words")]
    source: Option<String>,
    /// Its platform
    #[arg(long, value_name = "NAME", help_heading = "A review in words")]
    platform: Option<String>,
    /// Its title
    #[arg(long, help_heading = "A review in words")]
    title: Option<String>,
    /// What the customer wrote
    #[arg(long, allow_hyphen_values = true, help_heading = "A review in words")]
    text: Option<String>,
    /// The author's name
    #[arg(long, value_name = "NAME", help_heading = "A review in words")]
    author: Option<String>,
    /// Its language, such as nl_NL
    #[arg(long, value_name = "CODE", help_heading = "A review in words")]
    language: Option<String>,
    /// When it was written, such as 2026-03-01 or 2026-03-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = read_time, help_heading = "A review in words")]
    reviewed_at: Option<Timestamp>,
}

fn read_time(text: &str) -> Result<Timestamp, String> {
    clock::parse(text).ok_or_else(|| "write a date, 2026-03-01, or a time, 2026-03-01T12:00:00Z".into())
}

/// What is explained.
struct Asked {
    subject: Subject,
    /// What there is to know before the rules.
    notes: Vec<String>,
    /// The review in state, and its deliveries.
    known: Option<(ReviewRow, Vec<DeliveryRow>)>,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    let asked = match (&arguments.uuid, &arguments.file) {
        (Some(uuid), _) => in_state(&settings, uuid, arguments.account.as_deref()).await?,
        (None, Some(file)) => in_file(&settings, file, &arguments).await?,
        (None, None) => in_words(&settings, &arguments)?,
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

async fn in_state(settings: &Settings, uuid: &str, account: Option<&str>) -> Result<Asked, CliError> {
    let state = State::read(settings).await?;
    names::account(settings, &state, account).await?;
    let row = state.review(uuid, account).await?;
    let Some(review) = &row.review else {
        let (uuid, state) = (one_line(uuid, 100), row.state.as_str());
        return Err(CliError::Failed(format!("review `{uuid}` is {state}: no rule looks at it")));
    };
    let newest = state.store.list_revisions(row.id).await?.pop();
    let change = newest.as_ref().map_or(Change::New, |newest| newest.change);
    let previous = newest.and_then(|newest| newest.previous);
    let known_names = Names::of(settings, &state, [row.account.as_str()]).await?;
    let subject = known_names.subject(review, change, previous);
    let rows = deliveries_of(&state, &row).await?;
    Ok(Asked { subject, notes: notes(&known_names, &row.account), known: Some((row, rows)) })
}

async fn in_file(settings: &Settings, file: &Path, arguments: &Arguments) -> Result<Asked, CliError> {
    let account = account(settings, arguments.account.as_deref())?;
    let text = read_file(file)?;
    let shown = one_line(&file.display().to_string(), 100);
    let item = match serde_json::from_str::<Value>(&text) {
        // One review alone comes in an envelope.
        Ok(Value::Object(mut members)) if !members.contains_key("uuid") => match members.remove("data") {
            Some(data @ Value::Object(_)) => data.to_string(),
            _ => text,
        },
        Ok(Value::Array(_)) => {
            return Err(CliError::Failed(format!(
                "`{shown}` holds a list: write one of its reviews to a file"
            )));
        }
        _ => text,
    };
    let review = match read_item(&item, &account, false) {
        Item::Review(review) => review,
        Item::Malformed(malformed) => {
            let why = malformed.reason;
            let what = "it would be kept and reported, and no rule would look at it";
            return Err(CliError::Failed(format!(
                "`{shown}` holds no review that can be told: {why}; {what}"
            )));
        }
    };
    let state = State::read(settings).await?;
    let known_names = Names::of(settings, &state, [account.as_str()]).await?;
    let subject = known_names.subject(&review, arguments.change.unwrap_or(Change::New), None);
    Ok(Asked { subject, notes: notes(&known_names, &account), known: None })
}

fn read_file(file: &Path) -> Result<String, CliError> {
    let failed = |why: &str| {
        CliError::Failed(format!("cannot read `{}`: {why}", one_line(&file.display().to_string(), 100)))
    };
    let reader: Box<dyn Read> = match file.as_os_str() == "-" {
        true => Box::new(std::io::stdin()),
        false => Box::new(std::fs::File::open(file).map_err(|error| failed(&io_text(&error)))?),
    };
    let mut bytes = Vec::new();
    reader.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes).map_err(|error| failed(&io_text(&error)))?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(failed("it is larger than 4 MiB, and no review is"));
    }
    Ok(String::from_utf8_lossy(&bytes).trim_start_matches('\u{FEFF}').to_owned())
}

/// What people should know of a review whose names come from the state.
fn notes(known_names: &Names, account: &str) -> Vec<String> {
    let missing = !known_names.has(account);
    let note = "the names of its sources, websites and platforms have not loaded yet: until they have, a review is \
                held, and rules on names cannot be sure";
    missing.then(|| note.to_owned()).into_iter().collect()
}

fn in_words(settings: &Settings, arguments: &Arguments) -> Result<Asked, CliError> {
    let account = account(settings, arguments.account.as_deref())?;
    let own = &arguments.described;
    let draft = Draft {
        account: Some(account.clone()),
        rating: own.rating.clone(),
        websites: own.website.clone(),
        platform: own.platform.clone(),
        source: own.source.clone(),
        title: own.title.clone(),
        text: own.text.clone(),
        author: own.author.clone(),
        language: own.language.clone(),
        change: arguments.change,
        reviewed_at: own.reviewed_at,
    };
    let described = Draft { account: None, ..draft.clone() } != Draft::default();
    if !described && arguments.account.is_none() {
        let hint = "name one with --uuid, give one with --file, or describe one: review-bridge explain --rating 1 \
                    --website \"Shop NL\"";
        return Err(CliError::Usage(format!("which review? {hint}")));
    }
    let subject = draft.subject(&scales(settings), &account);
    Ok(Asked { subject, notes: Vec::new(), known: None })
}

/// The account that is named, else the first.
fn account(settings: &Settings, wanted: Option<&str>) -> Result<String, CliError> {
    match wanted {
        Some(wanted) => names::configured_account(settings, wanted).map(|()| wanted.to_owned()),
        None => Ok(settings.accounts.keys().next().cloned().unwrap_or_default()),
    }
}
