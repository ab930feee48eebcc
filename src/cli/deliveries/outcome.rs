//! The result of an intervention: what was changed, what was not and why, and what happens next.

use super::super::CliError;
use super::super::destinations::record;
use super::super::output::{self, ago, ahead};
use super::super::state::State;
use super::select::Verb;
use super::{table, to_json};
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::DeliveryState;
use crate::domain::text::one_line;
use crate::outbox::Targets;
use crate::store::DeliveryRow;
use serde_json::json;
use std::collections::BTreeSet;

/// Up to this many are listed one by one.
const SHOWN: usize = 50;

/// Why a delivery was not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// No delivery has this number.
    Unknown,
    /// Its destination is not in the configuration.
    NotConfigured(String),
    /// It would be moved to the destination it already has.
    SameDestination(String),
    /// The state it is in does not allow it.
    InState(DeliveryState),
}

/// A delivery that was not changed.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) id: i64,
    pub(super) why: Why,
}

/// What was changed.
pub(super) struct Outcome {
    pub(super) verb: Verb,
    /// The changed deliveries, as they are now.
    pub(super) done: Vec<DeliveryRow>,
    pub(super) refused: Vec<Refused>,
    pub(super) notes: Vec<String>,
}

impl Outcome {
    /// Prints it; an error if nothing was changed.
    pub(super) fn print(&self, json: bool, state: &State) -> Result<(), CliError> {
        if json {
            let to = if let Verb::Move(to) = &self.verb { Some(to) } else { None };
            let refused = self.refused.iter().map(|refused| {
                let (reason, why) = (refused.why.name(&self.verb), refused.text(&self.verb));
                json!({ "id": refused.id, "reason": reason, "why": why })
            });
            output::json(&json!({
                "action": self.verb.name(),
                "to": to,
                "done": self.done.iter().map(to_json).collect::<Vec<_>>(),
                "refused": refused.collect::<Vec<_>>(),
                "notes": self.notes,
                "running": state.owner.is_some(),
            }))?;
        } else {
            self.print_text();
        }
        if self.done.is_empty() { Err(CliError::Reported) } else { Ok(()) }
    }

    fn print_text(&self) {
        match self.done.len() as u64 {
            0 => output::line("nothing was changed"),
            1 => output::line(&format!("1 delivery {}", self.verb.done())),
            many => output::line(&format!("{many} deliveries {}", self.verb.done())),
        }
        if !self.done.is_empty() && self.done.len() <= SHOWN {
            table(&self.done, Clock::System.now()).print();
        }
        for note in &self.notes {
            output::line(note);
        }
        for refused in &self.refused {
            output::line(&format!("delivery {}: {}", refused.id, refused.text(&self.verb)));
        }
    }
}

impl Refused {
    fn text(&self, verb: &Verb) -> String {
        use DeliveryState as S;
        let id = self.id;
        let settled = |state: DeliveryState| format!("it is already {}", state.as_str());
        match (&self.why, verb) {
            (Why::Unknown, _) => "no such delivery; run `review-bridge deliveries list` to see all".into(),
            (Why::NotConfigured(name), Verb::Retry) => format!(
                "its destination `{name}` is no longer in the configuration; send it to another one with \
                 `review-bridge deliveries retry {id} --to NAME`"
            ),
            (Why::NotConfigured(name), _) => {
                format!("its destination `{name}` is no longer in the configuration")
            }
            (Why::SameDestination(name), _) => {
                format!("its destination already is `{name}`; to retry it there, leave out --to")
            }
            (Why::InState(S::Pending), Verb::Discard) => {
                "it is being sent right now; try again after this attempt".into()
            }
            (Why::InState(S::Dead), Verb::Retry | Verb::Move(_))
            | (Why::InState(S::Delivered), Verb::Resend) => {
                "it was superseded by a newer revision of the review".into()
            }
            (Why::InState(S::Dead), Verb::Resend) => {
                format!(
                    "it was not delivered; to retry this dead letter: `review-bridge deliveries retry {id}`"
                )
            }
            (Why::InState(S::Pending), Verb::Resend) => {
                "it has not been delivered yet; it will be sent automatically".into()
            }
            (Why::InState(S::Pending), _) => "it is still pending; it will be retried automatically".into(),
            (Why::InState(S::Delivered), Verb::Retry | Verb::Move(_)) => {
                format!("it was delivered; to send it again: `review-bridge deliveries resend {id}`")
            }
            (Why::InState(state), _) => settled(*state),
        }
    }
}

impl Why {
    /// For programs.
    fn name(&self, verb: &Verb) -> &'static str {
        use DeliveryState as S;
        match (self, verb) {
            (Self::Unknown, _) => "unknown",
            (Self::NotConfigured(_), _) => "not_configured",
            (Self::SameDestination(_), _) => "same_destination",
            (Self::InState(S::Pending), Verb::Discard) => "being_sent",
            (Self::InState(S::Dead), Verb::Retry | Verb::Move(_))
            | (Self::InState(S::Delivered), Verb::Resend) => "newer_revision",
            (Self::InState(state), _) => state.as_str(),
        }
    }
}

impl Verb {
    fn name(&self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Move(_) => "move",
            Self::Resend => "resend",
            Self::Discard => "discard",
        }
    }

    /// What is about to happen to `count` deliveries: `retry 3 deliveries`.
    pub(super) fn imperative(&self, count: &str) -> String {
        match self {
            Self::Move(to) => format!("move {count} to `{to}`"),
            other => format!("{} {count}", other.name()),
        }
    }

    /// What happened to deliveries, after their count.
    fn done(&self) -> String {
        match self {
            Self::Retry => "will be retried".into(),
            Self::Move(to) => format!("moved to `{to}`"),
            Self::Resend => "will be sent again, marked as a repeat".into(),
            Self::Discard => "discarded".into(),
        }
    }

    /// What people should know about the change.
    pub(super) async fn notes(
        &self,
        state: &State,
        settings: &Settings,
        targets: &Targets,
        done: &[DeliveryRow],
    ) -> Result<Vec<String>, CliError> {
        let mut notes = Vec::new();
        if done.is_empty() {
            return Ok(notes);
        }
        if *self == Self::Discard {
            let marks = |row: &DeliveryRow| {
                settings.accounts.get(&row.account).is_some_and(|own| !own.policy.mark_read_never())
            };
            if done.iter().any(marks) {
                notes.push("reviews without other pending or dead deliveries will be marked read".into());
            }
            return Ok(notes);
        }
        let destinations: BTreeSet<&str> = match self {
            Self::Move(to) => BTreeSet::from([to.as_str()]),
            _ => done.iter().map(|row| row.destination.as_str()).collect(),
        };
        for name in destinations {
            let to_digest = match self {
                Self::Move(_) => targets.by_name.get(name).is_some_and(|target| target.digest.is_some()),
                _ => done.iter().any(|row| row.destination == name && row.message_id.is_none()),
            };
            if to_digest {
                notes.push(next_digest(state, name).await?);
            }
            notes.extend(blocked(state, name).await?);
        }
        if state.owner.is_none() {
            let they = if done.len() == 1 { "it" } else { "they" };
            notes.push(format!("{they} will be sent when `review-bridge run` is started (not running now)"));
        }
        Ok(notes)
    }
}

async fn next_digest(state: &State, name: &str) -> Result<String, CliError> {
    let windows = state.store.digest_windows().await?;
    let next = windows.iter().find(|window| window.destination == name).map(|window| window.next_at);
    let now = Clock::System.now();
    let when = next.and_then(|at| ahead(at, now)).map(|at| format!(", {}", ago(Some(at), now)));
    Ok(format!("`{name}` sends digests; this goes into the next one{}", when.unwrap_or_default()))
}

/// Why a destination currently gets nothing.
async fn blocked(state: &State, name: &str) -> Result<Option<String>, CliError> {
    let record = record(state, name).await?;
    let resume = format!("`review-bridge destinations resume {name}`");
    let detail = record.health.detail.as_ref().filter(|_| record.health.is_stopped());
    Ok(match (record.paused_at, detail) {
        (Some(_), _) => Some(format!("`{name}` is paused; deliveries stay pending until you run {resume}")),
        (None, Some(detail)) => Some(format!(
            "`{name}` is {} ({}); deliveries stay pending until it works again. After you fix it, retry \
             immediately with {resume}",
            record.health.state.as_str(),
            one_line(detail, 200)
        )),
        (None, None) => None,
    })
}
