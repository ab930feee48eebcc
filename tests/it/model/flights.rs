//! What is gathered, sent and marked in both stores, how it ends, and what people do about it.

use super::ops::{ACCOUNTS, DESTINATIONS, Ended, Marked, Wish};
use super::twin::{Twin, ahead, both, chosen};
use super::world;
use review_bridge::domain::{
    Attempt, Cause, DeliveryState, Figures, Form, MessageKind, Outcome, Reason, Timestamp,
};
use review_bridge::outbox::burst;
use review_bridge::store::*;
use std::time::Duration;

impl Twin<'_> {
    pub(super) fn any_message(&self, which: u8) -> String {
        self.model
            .with(|state| {
                let count = state.message_ids.len().max(1);
                state.message_ids.keys().nth(usize::from(which) % count).map(|id| id.to_string())
            })
            .unwrap()
            .unwrap_or_default()
    }

    pub(super) async fn lease(
        &mut self,
        destination: usize,
        limit: u32,
        without_reviews: bool,
        only: Option<String>,
    ) {
        let one = DESTINATIONS.get(destination..=destination);
        let requests: Vec<LeaseRequest> = one
            .unwrap_or(&DESTINATIONS)
            .iter()
            .map(|name| LeaseRequest {
                destination: (*name).to_owned(),
                limit,
                without_reviews,
                is_probe: limit == 2,
                only: only.clone(),
                except: Vec::new(),
                hold: Duration::from_secs(40),
            })
            .collect();
        let leased = both!(self, |store| store.lease(&requests, self.now, "owner"));
        self.flights.extend(leased);
    }

    pub(super) async fn pace(&mut self, destination: u8, limit: u32, opened: bool, gather: bool) {
        let one = DESTINATIONS.get(usize::from(destination)..=usize::from(destination));
        let requests: Vec<BurstRequest> = one
            .unwrap_or(&DESTINATIONS)
            .iter()
            .map(|name| BurstRequest {
                destination: (*name).to_owned(),
                limit,
                window: Duration::from_secs(60),
                opened_at: if opened { self.now } else { Timestamp(0) },
            })
            .collect();
        let step = |request: &BurstRequest, seen: &BurstSeen| match gather {
            true => BurstStep::Gather(Cause::Burst),
            false => burst::step(request, seen, self.now),
        };
        both!(self, |store| store.pace_bursts(&requests, self.now, &step));
    }

    pub(super) async fn settle(&mut self, which: u8, many: u8, ended: Ended, forget: bool) {
        if self.flights.is_empty() {
            return;
        }
        // The newest first: they are the ones that count.
        let from = self.flights.len() - 1 - usize::from(which) % self.flights.len();
        let until = (from + usize::from(many)).min(self.flights.len());
        self.settle_these(from..until, ended).await;
        if forget {
            self.flights.drain(from..until);
        }
    }

    pub(super) async fn settle_these(&self, which: std::ops::Range<usize>, ended: Ended) {
        let settlements: Vec<Settlement> =
            self.flights[which].iter().map(|leased| settlement(leased, ended, self.now)).collect();
        both!(self, |store| store.settle(&settlements, self.now));
    }

    /// Tells how the marks that were due before went, and takes those that are due now.
    pub(super) async fn mark(&mut self, account: usize, at_once: bool, marked: Marked) {
        let name = ACCOUNTS[account];
        let mut ended = std::mem::take(&mut self.marking[account]);
        if !at_once {
            self.end_marks(name, ended, marked).await;
            ended = Vec::new();
        }
        let due = both!(self, |store| store.due_marks(name, self.now, 3));
        if at_once {
            // A mark is under way once at a time.
            ended.retain(|mark| due.iter().all(|other| other.review_id != mark.review_id));
            ended.extend(due);
            self.end_marks(name, ended, marked).await;
        } else {
            self.marking[account] = due;
        }
    }

    async fn end_marks(&self, account: &str, marks: Vec<DueMark>, marked: Marked) {
        let result = |mark: DueMark| {
            let failed = Err(("the API did not answer".to_owned(), ahead(self.now, 5_000)));
            let (result, setting, account_error) = match marked {
                Marked::Done => (Ok(()), Some("reviews/{uuid}/read".to_owned()), Some(String::new())),
                Marked::Failed | Marked::Refused => (failed, None, None),
                Marked::Misconfigured => (failed, None, Some("404".to_owned())),
            };
            let refused = matches!(marked, Marked::Refused);
            MarkResult { mark, result, refused, setting, account_error }
        };
        let results: Vec<MarkResult> = marks.into_iter().map(result).collect();
        both!(self, |store| store.record_marks(account, &results, self.now));
    }

    pub(super) async fn digest(&mut self, send_empty: bool, recipients: u8) {
        let destination = DESTINATIONS[if recipients & 4 == 0 { 2 } else { 1 }].to_owned();
        let all = world::recipients(2);
        let recipients: Vec<String> = all
            .into_iter()
            .enumerate()
            .filter(|(at, _)| recipients >> at & 1 == 1)
            .map(|(_, to)| to)
            .collect();
        let next_at = ahead(self.now, 86_400_000);
        let next = DigestWindow { destination, schedule: "s".into(), from: self.now, next_at };
        let digest = NewDigest { next: &next, recipients: &recipients, send_empty };
        both!(self, |store| store.make_digest(&digest, self.now));
    }

    pub(super) async fn wish(&mut self, wish: Wish, deliveries: u32) {
        let all = self.model.with(|state| state.deliveries.ids()).unwrap();
        let deliveries = chosen(&all, deliveries);
        let what = match wish {
            Wish::Retry => Intervention::Retry,
            Wish::Resend => Intervention::Resend,
            Wish::Discard => Intervention::Discard,
            Wish::Move(to, at_once) => {
                let recipients = world::recipients(usize::from(to));
                let to =
                    MoveTo { destination: DESTINATIONS[usize::from(to)], recipients: &recipients, at_once };
                both!(self, |store| store.move_deliveries(&deliveries, &to, self.now));
                return;
            }
        };
        both!(self, |store| store.intervene(what, &deliveries, self.now));
    }
}

/// What follows from an attempt that ended so.
fn settlement(leased: &Leased, ended: Ended, now: Timestamp) -> Settlement {
    let failed = |ambiguous| Outcome::Retry { reason: Reason::ServerError, after: None, ambiguous };
    let refused = Outcome::Dead { reason: Reason::PayloadRefused };
    let too_large = Outcome::Dead { reason: Reason::TooLarge };
    use DeliveryState::{Dead, Delivered, Pending, Superseded};
    let (outcome, state, reason) = match ended {
        Ended::Delivered => (Outcome::Delivered, Delivered, None),
        Ended::Repaired => (Outcome::Accepted, Delivered, None),
        Ended::Retry { ambiguous, .. } => (failed(ambiguous), Pending, None),
        Ended::Quota => {
            (Outcome::Retry { reason: Reason::Quota, after: None, ambiguous: false }, Pending, None)
        }
        Ended::Plain => (refused, Pending, None),
        Ended::TooLarge if leased.reviews.len() > 1 => (too_large, Superseded, None),
        Ended::TooLarge => (too_large, Pending, None),
        Ended::Dead => (refused, Dead, Some(Reason::PayloadRefused)),
        Ended::GaveUp => (failed(true), Dead, Some(Reason::GaveUp)),
        Ended::Broken => (Outcome::Broken { reason: Reason::Revoked }, Pending, None),
    };
    let hold = matches!(ended, Ended::Retry { hold: true, .. }).then(|| ahead(now, 30_000));
    let shown = leased.reviews.iter();
    let ambiguous = matches!(outcome, Outcome::Retry { ambiguous: true, .. });
    let evidence = outcome.clone();
    Settlement {
        id: leased.id.clone(),
        number: leased.attempt,
        attempt: Attempt {
            outcome,
            status: Some(500),
            detail: format!("{ended:?}"),
            excerpt: Some("e".into()),
        },
        duration: Duration::from_millis(7),
        state,
        reason,
        next_at: if matches!(ended, Ended::Retry { .. }) { ahead(now, 5_000) } else { now },
        form: match ended {
            Ended::Plain => Form::Plain,
            Ended::TooLarge => Form::Short,
            _ => leased.form,
        },
        possible_repeat: leased.possible_repeat || ambiguous,
        destination: leased.destination.clone(),
        about: match ended {
            Ended::Quota => vec![leased.destination.clone(), "mail".into()],
            _ => vec![leased.destination.clone()],
        },
        random: 0.5,
        hold,
        evidence,
        shown: shown
            .map(|one| Shown { delivery: one.delivery, revision: one.revision, shown: one.shown })
            .collect(),
        split: match state {
            Superseded => Split::Halves(Box::default()),
            Dead if leased.kind == MessageKind::Summary && matches!(ended, Ended::Dead) => Split::Reviews,
            _ => Split::No,
        },
        content: leased.content.as_deref().map(|content| compared(content, now)),
    }
}

/// What a digest keeps of itself for the next one; other messages keep what they have.
fn compared(content: &str, now: Timestamp) -> String {
    let is_digest = serde_json::from_str::<Gathered>(content).is_err();
    match serde_json::from_str::<Window>(content) {
        Ok(window) if is_digest => {
            let count = usize::try_from(now.0.rem_euclid(7)).unwrap();
            let mut figures = Figures::default();
            figures.count = count;
            let figures = Some(figures);
            serde_json::to_string(&Window { figures, ..window }).unwrap()
        }
        _ => content.to_owned(),
    }
}
