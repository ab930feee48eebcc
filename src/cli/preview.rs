//! `preview`: the message that a destination would get, without sending it.

use super::output::{self, fact};
use super::review_arg::{FoundReview, ReviewArg};
use super::state::State;
use super::subject::Names;
use super::{CliError, Context, destinations, names};
use crate::app::build_targets;
use crate::clock::Clock;
use crate::config::Settings;
use crate::destination::{Destination, Payload};
use crate::domain::{
    Cause, Change, Content, Digest, Form, Member, Message, Notice, NoticeState, RuleHit, Subject, Summary,
    Timestamp,
};
use crate::presentation::sample;
use crate::rules::{Candidate, route};
use crate::sandbox::{Parsed, parse_mail};
use crate::settings::table::io_text;
use crate::store::ReviewFilter;
use clap::Args;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How many of the newest reviews in the database a previewed digest holds.
const MEMBERS: u32 = 50;

#[derive(Debug, Args)]
#[command(
    after_help = "Shows an invented review unless you select or describe one. A digest or summary uses the newest reviews in \
                  the database, or invented ones if it has none. Nothing is sent.\n  review-bridge preview support --rating 1 --text \
                  \"Broken\"\n  review-bridge preview owner --digest --html digest.html"
)]
pub(super) struct Arguments {
    /// Name of the destination
    #[arg(value_name = "DESTINATION")]
    destination: String,
    /// Show a digest
    #[arg(long, group = "kind")]
    digest: bool,
    /// Show a summary: the one message that replaces a burst of reviews
    #[arg(long, group = "kind")]
    summary: bool,
    /// Show a notice to the operator
    #[arg(long, group = "kind")]
    operator: bool,
    /// Show a test message
    #[arg(long, group = "kind")]
    test: bool,
    /// Show the plain form, which is sent if a destination refuses the full one
    #[arg(long)]
    plain: bool,
    /// Write the HTML of the e-mail to this file
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    which: ReviewArg,
}

pub(super) async fn run(context: &Context, arguments: Arguments) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    let name = arguments.destination.as_str();
    names::configured_destination(&settings, name)?;
    let targets = build_targets(&settings)?;
    let Some(target) = targets.by_name.get(name) else { return Ok(()) };
    let now = Clock::System.now();
    let (content, note) = content(&settings, &arguments, now).await?;
    let message = Message {
        id: "msg_preview".into(),
        recipient: target.destination.recipients().into_iter().next().unwrap_or_default(),
        content,
        form: if arguments.plain { Form::Plain } else { Form::Full },
        possible_repeat: false,
        now,
    };
    show(&arguments, &*target.destination, &message, note)
}

/// The content to show, and a note on it.
async fn content(
    settings: &Settings,
    arguments: &Arguments,
    now: Timestamp,
) -> Result<(Content, Option<&'static str>), CliError> {
    let name = &arguments.destination;
    if arguments.operator {
        let notice = Notice {
            kind: "destination_broken".into(),
            state: NoticeState::Started,
            text: format!(
                "destination `{name}` has been broken since {}: the webhook was disabled or removed. 12 reviews are \
                 queued",
                crate::clock::minute(now.minus(std::time::Duration::from_secs(600)))
            ),
            hint: format!(
                "fix it, then run `review-bridge destinations resume {name}`; it is also retried every 15 minutes"
            ),
        };
        return Ok((Content::Operator(notice), None));
    }
    if arguments.test {
        return Ok((Content::Test { text: destinations::test_text(name) }, None));
    }
    if arguments.digest || arguments.summary {
        let (members, note) = members(settings, arguments, now).await?;
        let from = now.minus(Duration::from_secs(if arguments.digest { 86_400 } else { 300 }));
        let (destination, troubles) = (name.clone(), Vec::new());
        let digest = Digest { destination, from, to: now, before: None, members, troubles, part: None };
        let content = match arguments.digest {
            true => Content::Digest(Box::new(digest)),
            false => Content::Summary(Box::new(Summary { cause: Cause::Burst, reviews: digest })),
        };
        return Ok((content, note));
    }
    let Some(FoundReview { subject, .. }) = arguments.which.find(settings).await? else {
        return Ok((sample("everything").content, Some("this review is invented")));
    };
    let rules = rules(settings, name, &subject, now);
    let note = rules.is_empty().then_some("no rule sends this review to this destination");
    Ok((Content::Review { subject: Box::new(subject), rules }, note))
}

/// The newest reviews in the database, and a requested one; invented ones if there are none.
async fn members(
    settings: &Settings,
    arguments: &Arguments,
    now: Timestamp,
) -> Result<(Vec<Member>, Option<&'static str>), CliError> {
    let requested = arguments.which.find(settings).await?.map(|found| found.subject);
    let state = State::read(settings).await?;
    let rows = state.store.list_reviews(&ReviewFilter { limit: MEMBERS, ..ReviewFilter::default() }).await?;
    let known = Names::of(settings, &state, rows.iter().map(|row| row.account.as_str())).await?;
    let mut subjects: Vec<Subject> = requested.into_iter().collect();
    for row in &rows {
        let Some(review) = &row.review else { continue };
        let newest = state.store.list_revisions(row.id).await?.pop();
        let change = newest.as_ref().map_or(Change::New, |newest| newest.change);
        subjects.push(known.subject(review, change, newest.and_then(|newest| newest.previous)));
    }
    if subjects.is_empty() {
        let invented = sample("digest").content;
        let subjects = invented.reviews().into_iter();
        let members =
            subjects.map(|(subject, rules)| Member { subject: subject.clone(), rules: rules.to_vec() });
        return Ok((members.collect(), Some("the database has no reviews yet; these are invented")));
    }
    let member =
        |subject: Subject| Member { rules: rules(settings, &arguments.destination, &subject, now), subject };
    Ok((subjects.into_iter().map(member).collect(), None))
}

/// The rules that send `subject` to the destination.
fn rules(settings: &Settings, destination: &str, subject: &Subject, now: Timestamp) -> Vec<RuleHit> {
    let targets = route(&settings.rules, Candidate { subject, now }).targets.into_iter();
    targets.filter(|(to, _)| to == destination).flat_map(|(_, hits)| hits).collect()
}

fn show(
    arguments: &Arguments,
    destination: &dyn Destination,
    message: &Message,
    note: Option<&'static str>,
) -> Result<(), CliError> {
    let payload = destination.render(message);
    let mail = (payload.media_type == "message/rfc822").then(|| parse_mail(payload.body.as_bytes()));
    if let Some(file) = &arguments.html {
        write_html(file, mail.as_ref())?;
    }
    if arguments.json {
        return output::json(&to_json(arguments, message, &payload, mail.as_ref(), note));
    }
    fact("destination", &arguments.destination);
    fact("message", message.content.kind().as_str());
    for note in [note, payload.fallback.as_deref()].into_iter().flatten() {
        fact("note", note);
    }
    if let Some(file) = &arguments.html {
        fact("HTML", &file.display().to_string());
    }
    let Some(mail) = mail else {
        output::line("");
        let body: Value = serde_json::from_str(&payload.body).unwrap_or_default();
        return output::json(&body);
    };
    for header in ["From", "To", "Subject"] {
        fact(&header.to_lowercase(), mail.header(header).unwrap_or_default());
    }
    output::line("");
    output::line(mail.text.as_deref().unwrap_or_default().trim_end());
    Ok(())
}

fn write_html(file: &Path, mail: Option<&Parsed>) -> Result<(), CliError> {
    let Some(html) = mail.and_then(|mail| mail.html.as_ref()) else {
        let hint = "only full e-mails have an HTML part; run it again without --html";
        return Err(CliError::Usage(format!("this message has no HTML: {hint}")));
    };
    std::fs::write(file, html)
        .map_err(|error| CliError::Failed(format!("cannot write `{}`: {}", file.display(), io_text(&error))))
}

fn to_json(
    arguments: &Arguments,
    message: &Message,
    payload: &Payload,
    mail: Option<&Parsed>,
    note: Option<&'static str>,
) -> Value {
    let body = match mail {
        Some(mail) => json!({"subject": mail.header("Subject"), "text": mail.text, "html": mail.html}),
        None => serde_json::from_str(&payload.body).unwrap_or_default(),
    };
    json!({
        "destination": arguments.destination,
        "kind": message.content.kind(),
        "media_type": payload.media_type,
        "payload": body,
        "fallback": payload.fallback,
        "note": note,
    })
}
