//! The review that `explain` and `preview` work on: one in the database, one in a file, or a described one.

use super::reviews::deliveries_of;
use super::state::State;
use super::subject::{Names, known};
use super::{CliError, names};
use crate::clock;
use crate::config::Settings;
use crate::domain::text::one_line;
use crate::domain::{Catalog, Change, NativeRating, Scale, Subject, Timestamp};
use crate::rules::draft::read_rating;
use crate::rules::{Draft, unknown_in_draft};
use crate::settings::table::io_text;
use crate::store::{DeliveryRow, ReviewRow};
use crate::upstream::{Item, read_item};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};

/// Larger than any review.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// A review by its uuid, in a file, or described by options.
#[derive(Debug, Args)]
pub(super) struct ReviewArg {
    /// UUID of a review in the database
    #[arg(long, conflicts_with_all = ["file", "change"])]
    uuid: Option<String>,
    /// File with one review in the API's JSON; - for standard input
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Account of the review [default: the first]
    #[arg(long, value_name = "NAME")]
    account: Option<String>,
    /// Kind of change [default: new]
    #[arg(long, value_parser = PossibleValuesParser::new(Change::ALL.map(Change::as_str))
        .try_map(|name| Change::parse(&name).ok_or("no such change")))]
    change: Option<Change>,
    #[command(flatten)]
    described: Described,
}

/// A described review.
#[derive(Debug, Args)]
#[group(id = "described", multiple = true, conflicts_with_all = ["uuid", "file"])]
struct Described {
    /// Rating as the platform gives it: 1, "4,5", 4/10, yes
    #[arg(long, allow_hyphen_values = true, value_parser = |text: &str| read_rating(text),
        help_heading = "Describe a review")]
    rating: Option<(String, Option<f64>)>,
    /// Website that shows it; repeat for several
    #[arg(long, value_name = "NAME", help_heading = "Describe a review")]
    website: Vec<String>,
    /// Source
    #[arg(long, value_name = "NAME", help_heading = "Describe a review")]
    source: Option<String>,
    /// Platform
    #[arg(long, value_name = "NAME", help_heading = "Describe a review")]
    platform: Option<String>,
    /// Title
    #[arg(long, help_heading = "Describe a review")]
    title: Option<String>,
    /// What the customer wrote
    #[arg(long, allow_hyphen_values = true, help_heading = "Describe a review")]
    text: Option<String>,
    /// Name of the author
    #[arg(long, value_name = "NAME", help_heading = "Describe a review")]
    author: Option<String>,
    /// Language, such as nl_NL
    #[arg(long, value_name = "CODE", help_heading = "Describe a review")]
    language: Option<String>,
    /// When it was written, such as 2026-03-01 or 2026-03-01T12:00:00Z
    #[arg(long, value_name = "TIME", value_parser = read_time, help_heading = "Describe a review")]
    reviewed_at: Option<Timestamp>,
}

fn read_time(text: &str) -> Result<Timestamp, String> {
    clock::parse(text)
        .ok_or_else(|| "expected a date such as 2026-03-01, or a time such as 2026-03-01T12:00:00Z".into())
}

/// The review that was found, and what to know about it.
pub(super) struct FoundReview {
    pub(super) subject: Subject,
    /// The scale that its rating is read on, and why.
    pub(super) scale: Scale,
    /// Notes for people, shown before the rules.
    pub(super) notes: Vec<String>,
    /// Its row in the database, and its deliveries.
    pub(super) known: Option<(ReviewRow, Vec<DeliveryRow>)>,
}

impl ReviewArg {
    /// The requested review; `None` if none was requested.
    pub(super) async fn find(&self, settings: &Settings) -> Result<Option<FoundReview>, CliError> {
        match (&self.uuid, &self.file) {
            (Some(uuid), _) => from_database(settings, uuid, self.account.as_deref()).await.map(Some),
            (None, Some(file)) => from_file(settings, file, self).await.map(Some),
            (None, None) => described(settings, self).await,
        }
    }
}

async fn from_database(
    settings: &Settings,
    uuid: &str,
    account: Option<&str>,
) -> Result<FoundReview, CliError> {
    let state = State::read(settings).await?;
    names::account(settings, &state, account).await?;
    let row = state.review(uuid, account).await?;
    let Some(review) = &row.review else {
        let (uuid, state) = (one_line(uuid, 100), row.state.as_str());
        return Err(CliError::Failed(format!("review `{uuid}` is {state}: rules are not applied to it")));
    };
    let newest = state.store.list_revisions(row.id).await?.pop();
    let change = newest.as_ref().map_or(Change::New, |newest| newest.change);
    let previous = newest.and_then(|newest| newest.previous);
    let known_names = Names::of(settings, &state, [row.account.as_str()]).await?;
    let subject = known_names.subject(review, change, previous);
    let scale = known_names.scale(review);
    let rows = deliveries_of(&state, &row).await?;
    Ok(FoundReview { subject, scale, notes: notes(&known_names, &row.account), known: Some((row, rows)) })
}

async fn from_file(settings: &Settings, file: &Path, which: &ReviewArg) -> Result<FoundReview, CliError> {
    let account = account(settings, which.account.as_deref())?;
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
                "`{shown}` contains a list; save one of its reviews to a file"
            )));
        }
        _ => text,
    };
    let review = match read_item(&item, &account, false) {
        Item::Review(review) => review,
        Item::Malformed(malformed) => {
            let why = malformed.reason;
            let what = "the bridge would keep and report it, but not apply any rule";
            return Err(CliError::Failed(format!("`{shown}` contains no usable review: {why}; {what}")));
        }
    };
    let state = State::read(settings).await?;
    let known_names = Names::of(settings, &state, [account.as_str()]).await?;
    let subject = known_names.subject(&review, which.change.unwrap_or(Change::New), None);
    let scale = known_names.scale(&review);
    Ok(FoundReview { subject, scale, notes: notes(&known_names, &account), known: None })
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
        return Err(failed("it is larger than 4 MiB"));
    }
    Ok(String::from_utf8_lossy(&bytes).trim_start_matches('\u{FEFF}').to_owned())
}

/// Notes on a review whose names come from the database.
fn notes(known_names: &Names, account: &str) -> Vec<String> {
    let missing = !known_names.has(account);
    let note = "the names of the account's sources, websites and platforms have not been loaded yet: until then, \
                reviews are held and rules on names are undecided";
    missing.then(|| note.to_owned()).into_iter().collect()
}

async fn described(settings: &Settings, which: &ReviewArg) -> Result<Option<FoundReview>, CliError> {
    let account = account(settings, which.account.as_deref())?;
    let options = &which.described;
    let draft = Draft {
        account: Some(account.clone()),
        rating: options.rating.as_ref().map(|(text, _)| text.clone()),
        scale: options.rating.as_ref().and_then(|(_, scale)| *scale),
        websites: options.website.clone(),
        platform: options.platform.clone(),
        source: options.source.clone(),
        title: options.title.clone(),
        text: options.text.clone(),
        author: options.author.clone(),
        language: options.language.clone(),
        change: which.change,
        reviewed_at: options.reviewed_at,
    };
    let is_described = Draft { account: None, ..draft.clone() } != Draft::default();
    if !is_described && which.account.is_none() {
        return Ok(None);
    }
    // A state that cannot be opened lends no names; the rules can be explained all the same.
    let state = State::read(settings).await.ok();
    let known = known(settings, state.as_ref()).await?;
    let subject = draft.subject(&known, &account);
    let own = known.get(&account).cloned().unwrap_or_default();
    let mut notes = match own.catalog == Catalog::default() {
        // Without names to compare with, every name would be unknown.
        true => Vec::new(),
        false => unknown_in_draft(&draft, &account, &own.catalog),
    };
    if let (NativeRating::Word(word), None) = (&subject.rating.native, subject.rating.normalised) {
        let word = one_line(word, 40);
        notes.push(format!(
            "rating `{word}` is unknown; write a number such as 4, 4/10, or yes, neutral or no"
        ));
    }
    let scale = draft.scale_in(&own);
    Ok(Some(FoundReview { subject, scale, notes, known: None }))
}

/// The named account, else the first.
fn account(settings: &Settings, wanted: Option<&str>) -> Result<String, CliError> {
    match wanted {
        Some(wanted) => names::configured_account(settings, wanted).map(|()| wanted.to_owned()),
        None => Ok(settings.accounts.keys().next().cloned().unwrap_or_default()),
    }
}
