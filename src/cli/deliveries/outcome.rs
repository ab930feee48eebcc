//! What an intervention did, what it could not do and why, and what follows.

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

/// So many are shown one by one.
const SHOWN: usize = 50;

/// Why nothing could be done about a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// No delivery has this number.
    Unknown,
    /// Its destination is not in the configuration.
    NotConfigured(String),
    /// It is to be moved to where it is.
    SameDestination(String),
    /// The state it is in does not allow it.
    InState(DeliveryState),
}

/// A delivery about which nothing could be done.
#[derive(Clone, Debug)]
pub(super) struct Refused {
    pub(super) id: i64,
    pub(super) why: Why,
}

/// What was done.
pub(super) struct Outcome {
    pub(super) verb: Verb,
    /// As they are now.
    pub(super) done: Vec<DeliveryRow>,
    pub(super) refused: Vec<Refused>,
    pub(super) notes: Vec<String>,
}

impl Outcome {
    /// Prints it; an error where nothing was done.
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
        if self.done.is_empty() { Err(CliError::Said) } else { Ok(()) }
    }

    fn print_text(&self) {
        match self.done.len() as u64 {
            0 => output::line("nothing was done"),
            1 => output::line(&format!("1 delivery is {}", self.verb.done())),
            many => output::line(&format!("{many} deliveries are {}", self.verb.done())),
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
        let settled = |state: DeliveryState| format!("it is {} already", state.as_str());
        match (&self.why, verb) {
            (Why::Unknown, _) => {
                "there is none; `review-bridge deliveries list` shows those there are".into()
            }
            (Why::NotConfigured(name), Verb::Retry) => format!(
                "its destination `{name}` is not in the configuration any more: \
                 `review-bridge deliveries retry {id} --to NAME` sends it to another"
            ),
            (Why::NotConfigured(name), _) => {
                format!("its destination `{name}` is not in the configuration any more")
            }
            (Why::SameDestination(name), _) => {
                format!("it is a dead letter to `{name}`: without --to it is tried there again")
            }
            (Why::InState(S::Pending), Verb::Discard) => {
                "it is being sent right now: see what comes of it".into()
            }
            (Why::InState(S::Dead), Verb::Retry | Verb::Move(_))
            | (Why::InState(S::Delivered), Verb::Resend) => {
                "a newer revision of its review has taken its place".into()
            }
            (Why::InState(S::Dead), Verb::Resend) => {
                format!("it is dead, not delivered: `review-bridge deliveries retry {id}` tries it again")
            }
            (Why::InState(S::Pending), Verb::Resend) => {
                "it is not delivered yet: it is sent by itself".into()
            }
            (Why::InState(S::Pending), _) => "it is not dead: it is tried again by itself".into(),
            (Why::InState(S::Delivered), Verb::Retry | Verb::Move(_)) => {
                format!("it is delivered: `review-bridge deliveries resend {id}` sends it once more")
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

    /// What becomes of deliveries, after "they are".
    pub(super) fn done(&self) -> String {
        match self {
            Self::Retry => "tried again".into(),
            Self::Move(to) => format!("moved to `{to}`"),
            Self::Resend => "sent once more, marked as a repeat".into(),
            Self::Discard => "discarded".into(),
        }
    }

    /// What there is to know of what was done.
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
                notes.push("a review of which nothing else waits or is dead is marked read".into());
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
            notes.extend(in_the_way(state, name).await?);
        }
        if state.owner.is_none() {
            let sends = if done.len() == 1 { "sends it" } else { "sends them" };
            notes.push(format!("the next `review-bridge run` {sends}: none runs now"));
        }
        Ok(notes)
    }
}

async fn next_digest(state: &State, name: &str) -> Result<String, CliError> {
    let windows = state.store.digest_windows().await?;
    let next = windows.iter().find(|window| window.destination == name).map(|window| window.next_at);
    let now = Clock::System.now();
    let when = next.and_then(|at| ahead(at, now)).map(|at| format!(", {}", ago(Some(at), now)));
    Ok(format!(
        "`{name}` sends digests: what is meant for it waits for the next one{}",
        when.unwrap_or_default()
    ))
}

/// Why a destination is sent nothing now.
async fn in_the_way(state: &State, name: &str) -> Result<Option<String>, CliError> {
    let record = record(state, name).await?;
    let resume = format!("`review-bridge destinations resume {name}`");
    Ok(match (record.paused_at, &record.broken_detail) {
        (Some(_), _) => Some(format!("`{name}` is paused: what is meant for it waits until {resume}")),
        (None, Some(detail)) => Some(format!(
            "`{name}` is broken ({}): what is meant for it waits; mend it, then {resume} tries it at once",
            one_line(detail, 200)
        )),
        (None, None) => None,
    })
}
