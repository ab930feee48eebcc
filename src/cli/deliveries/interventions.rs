//! `deliveries retry`, `resend` and `discard`: what people do about deliveries, also while a bridge is running.

use super::super::destinations::targets;
use super::super::output::counted;
use super::super::state::State;
use super::super::{CliError, Context, names};
use super::outcome::{Outcome, Refused, Why};
use super::select::{Request, Verb, row};
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::DeliveryState;
use crate::outbox::Targets;
use crate::store::{DeliveryRow, Intervention, MoveTo};

/// Deliveries changed in one transaction: a running bridge writes in between.
const BATCH: usize = 500;

pub(super) async fn run(context: &Context, request: Request) -> Result<(), CliError> {
    let settings = context.load()?.settings;
    if let Verb::Move(to) = &request.verb {
        names::configured_destination(&settings, to)?;
    }
    let state = State::read(&settings).await?;
    let selected = request.select(&settings, &state).await?;
    if selected.by_filter && selected.rows.is_empty() && !request.json {
        return Err(CliError::Failed("no matching deliveries; nothing was changed".into()));
    }
    if selected.by_filter && selected.rows.len() > 1 {
        let count = counted(selected.rows.len() as u64, "delivery", "deliveries");
        request.consent.to(&request.verb.imperative(&count))?;
    }
    let targets = targets(&settings)?;
    let mut refused: Vec<Refused> =
        selected.unknown.iter().map(|id| Refused { id: *id, why: Why::Unknown }).collect();
    let mut wanted = Vec::new();
    for row in &selected.rows {
        match request.verb.obstacle(row, &settings) {
            Some(why) => refused.push(Refused { id: row.id, why }),
            None => wanted.push(row.id),
        }
    }
    let changed = apply(&state, &targets, &request.verb, &wanted).await?;
    let mut done = Vec::new();
    for id in wanted {
        match row(&state, id).await? {
            Some(row) if changed.binary_search(&id).is_ok() => done.push(row),
            Some(row) => refused.push(Refused { id, why: Why::InState(row.state) }),
            None => refused.push(Refused { id, why: Why::Unknown }),
        }
    }
    refused.sort_by_key(|refused| refused.id);
    let notes = request.verb.notes(&state, &settings, &targets, &done).await?;
    let outcome = Outcome { verb: request.verb, done, refused, notes };
    outcome.print(request.json, &state)
}

/// Does it, and returns which were changed, in order.
async fn apply(state: &State, targets: &Targets, verb: &Verb, ids: &[i64]) -> Result<Vec<i64>, CliError> {
    let mut changed = Vec::new();
    for batch in ids.chunks(BATCH) {
        let now = Clock::System.now();
        changed.extend(match verb {
            Verb::Retry => state.store.intervene(Intervention::Retry, batch, now).await?,
            Verb::Resend => state.store.intervene(Intervention::Resend, batch, now).await?,
            Verb::Discard => state.store.intervene(Intervention::Discard, batch, now).await?,
            Verb::Move(to) => {
                let Some(target) = targets.by_name.get(to) else { continue };
                let recipients = target.destination.recipients();
                let to =
                    MoveTo { destination: to, recipients: &recipients, at_once: target.digest.is_none() };
                state.store.move_deliveries(batch, &to, now).await?
            }
        });
    }
    if *verb != Verb::Discard && !changed.is_empty() {
        // A former digest item whose destination no longer sends digests would otherwise wait forever.
        state.store.regroup(&targets.digests(), Clock::System.now()).await?;
    }
    changed.sort_unstable();
    Ok(changed)
}

impl Verb {
    /// Why it cannot be done, as far as the configuration says.
    fn obstacle(&self, row: &DeliveryRow, settings: &Settings) -> Option<Why> {
        let configured = settings.destinations.contains_key(&row.destination);
        let gone = || Why::NotConfigured(row.destination.clone());
        match self {
            Self::Retry if row.state == DeliveryState::Dead && !configured => Some(gone()),
            Self::Resend if row.state == DeliveryState::Delivered && !configured => Some(gone()),
            Self::Move(to) if row.state == DeliveryState::Dead && row.destination == *to => {
                Some(Why::SameDestination(to.clone()))
            }
            _ => None,
        }
    }
}
