//! Which review a command is about: one in state, one in a file, or one in words.

use super::reviews::deliveries_of;
use super::state::State;
use super::subject::{Names, scales};
use super::{CliError, names};
use crate::clock;
use crate::config::Settings;
use crate::domain::text::one_line;
use crate::domain::{Change, Subject, Timestamp};
use crate::rules::Draft;
use crate::settings::table::io_text;
use crate::store::{DeliveryRow, ReviewRow};
use crate::upstream::{Item, read_item};
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde_json::Value;
use std::io::Read;
use std::path::{Path, PathBuf};

/// No review is larger.
const MAX_FILE_BYTES: u64 = 4 * 1024 * 1024;

/// Names a review, gives one, or describes one.
#[derive(Debug, Args)]
pub(super) struct Which {
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

/// The review, and what there is to know of it.
pub(super) struct Asked {
    pub(super) subject: Subject,
    /// What there is to know before the rules.
    pub(super) notes: Vec<String>,
    /// The review in state, and its deliveries.
    pub(super) known: Option<(ReviewRow, Vec<DeliveryRow>)>,
}

impl Which {
    /// The review that is asked for; `None` where none is.
    pub(super) async fn find(&self, settings: &Settings) -> Result<Option<Asked>, CliError> {
        match (&self.uuid, &self.file) {
            (Some(uuid), _) => in_state(settings, uuid, self.account.as_deref()).await.map(Some),
            (None, Some(file)) => in_file(settings, file, self).await.map(Some),
            (None, None) => in_words(settings, self),
        }
    }
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

async fn in_file(settings: &Settings, file: &Path, which: &Which) -> Result<Asked, CliError> {
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
    let subject = known_names.subject(&review, which.change.unwrap_or(Change::New), None);
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

fn in_words(settings: &Settings, which: &Which) -> Result<Option<Asked>, CliError> {
    let account = account(settings, which.account.as_deref())?;
    let own = &which.described;
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
        change: which.change,
        reviewed_at: own.reviewed_at,
    };
    let described = Draft { account: None, ..draft.clone() } != Draft::default();
    if !described && which.account.is_none() {
        return Ok(None);
    }
    let subject = draft.subject(&scales(settings), &account);
    Ok(Some(Asked { subject, notes: Vec::new(), known: None }))
}

/// The account that is named, else the first.
fn account(settings: &Settings, wanted: Option<&str>) -> Result<String, CliError> {
    match wanted {
        Some(wanted) => names::configured_account(settings, wanted).map(|()| wanted.to_owned()),
        None => Ok(settings.accounts.keys().next().cloned().unwrap_or_default()),
    }
}
