//! `destinations test`: one marked message, sent by the running bridge if there is one, else from here.

use super::super::deliveries::print_attempts;
use super::super::output;
use super::super::state::State;
use super::super::{CliError, names};
use super::record;
use crate::app::{AppError, build_targets, open_state};
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::{MessageKind, Timestamp};
use crate::outbox::{Dispatcher, Targets};
use crate::store::sqlite::Access;
use crate::store::{AttemptRow, NewMessage, SharedStore, StoreError, ids};
use std::time::Duration;

/// How long to wait for the end of the first attempt.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often to check whether the running bridge has sent it.
const LOOK_EVERY: Duration = Duration::from_millis(200);

pub(super) async fn run(settings: &Settings, name: &str) -> Result<(), CliError> {
    names::configured_destination(settings, name)?;
    let targets = build_targets(settings)?;
    let state = State::change(settings).await?;
    let known = record(&state, name).await?;
    if known.paused_at.is_some() {
        return Err(CliError::Failed(format!(
            "`{name}` is paused, so the test was not sent; resume it first: `review-bridge destinations resume {name}`"
        )));
    }
    let clock = Clock::System;
    let messages = messages(&targets, name, clock.now());
    let deadline = clock.now().plus(PATIENCE);
    let owned = match open_state(&settings.state.path, Access::Own).await {
        Ok(owned) => Some(owned as SharedStore),
        Err(AppError::Store(StoreError::Locked { .. })) => None,
        Err(error) => return Err(error.into()),
    };
    state.store.enqueue(&messages, clock.now()).await?;
    if known.health.is_stopped() {
        // Otherwise it would wait for the next probe.
        state.store.pause(name, false, clock.now()).await?;
    }
    if let Some(store) = &owned {
        let sender =
            Dispatcher::new(store.clone(), clock.clone(), &format!("test-{}", std::process::id()), 0);
        send(sender, &targets, name, &messages, deadline).await?;
    }
    let mut delivered = true;
    for message in &messages {
        delivered &= report(&state, message, deadline, owned.is_some()).await?;
    }
    if delivered { Ok(()) } else { Err(CliError::Reported) }
}

/// The text of a test message.
pub(in crate::cli) fn test_text(name: &str) -> String {
    format!(
        "This is a test of the destination `{name}`, requested with `review-bridge destinations test`. You do not \
         need to do anything."
    )
}

/// One for each recipient, each with an id of its own.
fn messages(targets: &Targets, name: &str, now: Timestamp) -> Vec<NewMessage> {
    let recipients =
        targets.by_name.get(name).map(|target| target.destination.recipients()).unwrap_or_default();
    let (process, at) = (std::process::id().to_string(), now.0.to_string());
    let message = |recipient: String| NewMessage {
        id: ids::message_id(&["test", name, &recipient, &at, &process]),
        destination: name.to_owned(),
        recipient,
        kind: MessageKind::Test,
        content: test_text(name),
    };
    recipients.into_iter().map(message).collect()
}

/// Sends the messages from here, as the destination's rate and pauses allow until `deadline`.
async fn send(
    mut sender: Dispatcher,
    targets: &Targets,
    name: &str,
    messages: &[NewMessage],
    deadline: Timestamp,
) -> Result<(), CliError> {
    for message in messages {
        loop {
            let started = sender.start_one(targets, name, &message.id).await?;
            while sender.in_flight() > 0 {
                sender.ended().await;
                sender.record(targets).await?;
            }
            let next = [started.rate_free_at, started.next_at].into_iter().flatten().min();
            match next.filter(|at| started.sends == 0 && *at <= deadline) {
                Some(at) => tokio::time::sleep(at.since(sender.now()).max(Duration::from_millis(1))).await,
                None => break,
            }
        }
    }
    Ok(())
}

/// Prints how the message's first attempt ended, and for whom it was; whether it was delivered. Waits for the running bridge.
async fn report(
    state: &State,
    message: &NewMessage,
    deadline: Timestamp,
    from_here: bool,
) -> Result<bool, CliError> {
    let label = label(message);
    loop {
        let attempts = state.store.list_attempts(&message.id).await?;
        if let Some(outcome) = attempts.first().and_then(|first: &AttemptRow| first.outcome.as_deref()) {
            let delivered = matches!(outcome, "delivered" | "accepted");
            output::line(&match delivered {
                true => format!("{label}: {outcome}"),
                false => format!("{label}: not delivered"),
            });
            print_attempts(&attempts);
            if !delivered && is_pending(state, &message.id).await? {
                output::line("\nthe message stays queued: `review-bridge run` will retry it");
            }
            return Ok(delivered);
        }
        if from_here || Clock::System.now() >= deadline {
            output::line(&format!("{label}: {}", not_sent(state, &message.destination, from_here).await?));
            return Ok(false);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Which message a line is about: the destination and, where it has several, the recipient.
fn label(message: &NewMessage) -> String {
    let name = &message.destination;
    if message.recipient.is_empty() {
        format!("`{name}`")
    } else {
        format!("`{name}` to {}", message.recipient)
    }
}

async fn is_pending(state: &State, message: &str) -> Result<bool, CliError> {
    let message = state.store.message(message).await?;
    Ok(message.is_some_and(|message| message.state == crate::domain::DeliveryState::Pending))
}

/// Why no attempt was made in time.
async fn not_sent(state: &State, name: &str, from_here: bool) -> Result<String, CliError> {
    let known = record(state, name).await?;
    let why = if let Some(at) = output::ahead(known.hold_until, Clock::System.now()) {
        format!("the destination is rate limited until {}", output::time(Some(at)))
    } else if let Some(detail) = known.health.detail.as_ref().filter(|_| known.health.is_stopped()) {
        format!("the destination is {}: {detail}", known.health.state.as_str())
    } else if from_here {
        "its `rate_limit` is used up for now".into()
    } else {
        "the running bridge did not pick it up; check its log: it may have rejected this configuration".into()
    };
    Ok(format!("not sent within 30 s, still queued: {why}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_whom_it_is_about() {
        // J15
        let message = |recipient: &str| NewMessage {
            id: "msg_1".into(),
            destination: "owner".into(),
            recipient: recipient.into(),
            kind: MessageKind::Test,
            content: String::new(),
        };
        assert_eq!(label(&message("")), "`owner`");
        assert_eq!(label(&message("a@shop.example")), "`owner` to a@shop.example");
    }
}
