//! Takes a page of reviews in: diff against state, match, enqueue, in one store transaction.
//!
//! The decisions here are pure; the store calls them inside its transaction and writes what they say.

pub mod diff;

use crate::domain::{
    AccountPolicy, Backfill, Catalog, Change, Previous, Review, Subject, Timestamp, Unmatched, ledger,
};
use crate::rules::{self, Candidate, Rule};
use crate::store::{
    Arrival, Decision, Fingerprinted, IntakeBatch, IntakeReport, Known, NewDelivery, ReviewState, Revision,
    RouteDecision, Store, StoreError, UnroutedReview, ids,
};
use crate::upstream::{Item, Malformed};
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

/// How an account's reviews are treated, as of one configuration.
#[derive(Debug)]
pub struct Plan {
    /// What is sent at first, what is too old, when it is marked.
    pub policy: AccountPolicy,
    /// The rules, in order.
    pub rules: Arc<[Rule]>,
    /// Who is behind each destination.
    pub audiences: Arc<BTreeMap<String, Audience>>,
}

/// Who is behind a destination.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audience {
    /// The recipients; a single empty text where the destination's kind knows none.
    pub recipients: Vec<String>,
    /// Whether each review is sent immediately, and not in a digest.
    pub at_once: bool,
    /// Whether a review that was read elsewhere is skipped.
    pub skip_if_read: bool,
}

impl Plan {
    /// The destinations that skip a review which was read elsewhere.
    pub fn skip_if_read(&self) -> impl Iterator<Item = &str> {
        let skipping = self.audiences.iter().filter(|(_, audience)| audience.skip_if_read);
        skipping.map(|(name, _)| name.as_str())
    }
}

/// One page of an account's unread list, and what it is judged by.
#[derive(Debug)]
pub struct Intake<'a> {
    /// The account.
    pub account: &'a str,
    /// How its reviews are treated.
    pub plan: &'a Plan,
    /// Its names; `None` until they have loaded once: then reviews are held, not matched.
    pub catalog: Option<&'a Catalog>,
    /// Whether no listing of the account was complete yet.
    pub baseline: bool,
    /// Now.
    pub now: Timestamp,
}

impl Intake<'_> {
    /// Takes `items` in. A uuid that comes twice counts once.
    pub async fn take(&self, store: &dyn Store, items: Vec<Item>) -> Result<IntakeReport, StoreError> {
        let (mut reviews, mut malformed) = (Vec::new(), Vec::<Malformed>::new());
        let mut uuids = HashSet::new();
        for item in items {
            match item {
                Item::Review(mut review) if uuids.insert(review.uuid.clone()) => {
                    review.reviewed_at = ledger::believable(review.reviewed_at, self.now);
                    reviews.push(fingerprint(*review)?);
                }
                Item::Review(_) => {}
                Item::Malformed(item) => malformed.push(item),
            }
        }
        let batch =
            IntakeBatch { account: self.account, reviews: &reviews, malformed: &malformed, now: self.now };
        store.intake(&batch, &|arrival| self.decide(arrival)).await
    }

    /// Routes up to `limit` reviews that waited for names or `settle`.
    pub async fn route_waiting(&self, store: &dyn Store, limit: u32) -> Result<IntakeReport, StoreError> {
        if self.catalog.is_none() {
            return Ok(IntakeReport::default());
        }
        store.route_waiting(self.account, self.now, limit, &|waiting| self.route(waiting)).await
    }

    /// What a listed review means.
    pub fn decide(&self, arrival: Arrival<'_>) -> Decision {
        let Arrival { review, content_hash, known } = arrival;
        let Some(known) = known else {
            return self.first_sight(review);
        };
        match (&known.review, known.state) {
            (_, ReviewState::Forgotten) => Decision::Ignore,
            (None, _) => match diff::change_of_hashes(&known.content_hash, content_hash) {
                Some(change) => self.revision(review, None, change, known),
                None => Decision::Ignore,
            },
            (Some(before), _) => match diff::change(before, review) {
                Some(change) => self.revision(review, Some(before), change, known),
                None => Decision::Refresh,
            },
        }
    }

    fn first_sight(&self, review: &Review) -> Decision {
        let routed = if self.too_old(review) {
            RouteDecision {
                state: ReviewState::Remembered,
                match_at: None,
                deliveries: Vec::new(),
                undecided: false,
                mark: false,
            }
        } else {
            self.place(review, Change::New, None, self.now)
        };
        Decision::Revise(Box::new(Revision { change: Change::New, previous: None, routed }))
    }

    /// Whether a first-seen review is remembered instead of sent. An unknown date counts as recent.
    fn too_old(&self, review: &Review) -> bool {
        let oldest = match (self.baseline, self.plan.policy.backfill) {
            (true, Backfill::All) => return false,
            (true, Backfill::None) => return true,
            (true, Backfill::Within(age)) => age,
            (false, _) => self.plan.policy.max_age,
        };
        review.reviewed_at.is_some_and(|at| at < self.now.minus(oldest))
    }

    fn revision(&self, review: &Review, before: Option<&Review>, change: Change, known: &Known) -> Decision {
        let (change, previous) = match before {
            // Its retention is over: that it is an edit is known, but not of what.
            None => (change, None),
            Some(before) if known.attempted => {
                (change, Some(diff::previous(before, self.stood(before, known))))
            }
            // Nobody was notified yet: to its readers it is new, and there is nothing it was before.
            Some(_) => (Change::New, None),
        };
        let mut routed = self.place(review, change, previous.clone(), known.first_seen_at);
        if routed.state == ReviewState::Unmatched && known.state == ReviewState::Matched {
            // Its earlier deliveries stand; the mark follows them.
            routed.state = ReviewState::Matched;
            routed.mark = false;
        }
        Decision::Revise(Box::new(Revision { change, previous, routed }))
    }

    /// How long readers knew a review as it was before: since its customer wrote it, or changed it last.
    fn stood(&self, before: &Review, known: &Known) -> Option<Duration> {
        let written = before.reviewed_at.filter(|at| known.change == Change::New && *at < known.changed_at);
        let since = written.unwrap_or(known.changed_at);
        (since < self.now).then(|| self.now.since(since))
    }

    /// Runs the rules again on reviews of this account, by their ids in state; a review that matched keeps what
    /// it has. Returns what was created.
    pub async fn route_again(&self, store: &dyn Store, reviews: &[i64]) -> Result<IntakeReport, StoreError> {
        let route = |waiting: &UnroutedReview| self.reroute(waiting);
        store.route_again(self.account, reviews, self.now, &route).await
    }

    fn reroute(&self, waiting: &UnroutedReview) -> RouteDecision {
        let routed = self.route(waiting);
        match routed.state {
            ReviewState::Matched => routed,
            ReviewState::Unmatched if waiting.state == ReviewState::Unmatched => routed,
            _ => RouteDecision {
                state: waiting.state,
                match_at: None,
                deliveries: Vec::new(),
                undecided: false,
                mark: false,
            },
        }
    }

    fn route(&self, waiting: &UnroutedReview) -> RouteDecision {
        self.place(&waiting.review, waiting.change, waiting.previous.clone(), waiting.first_seen_at)
    }

    /// Where a review goes now: held without names, settling until its time, else by the rules.
    fn place(
        &self,
        review: &Review,
        change: Change,
        previous: Option<Previous>,
        first_seen_at: Timestamp,
    ) -> RouteDecision {
        let waits = |state, match_at| RouteDecision {
            state,
            match_at,
            deliveries: Vec::new(),
            undecided: false,
            mark: false,
        };
        let Some(catalog) = self.catalog else {
            return waits(ReviewState::Held, None);
        };
        // First seen in what is the future now: the clock was set back since.
        let match_at = first_seen_at.min(self.now).plus(self.plan.policy.settle);
        if match_at > self.now {
            return waits(ReviewState::Settling, Some(match_at));
        }
        let policy = &self.plan.policy;
        let subject = Subject::resolve(review.clone(), catalog, &policy.rating_scales, change, previous);
        let routing = rules::route(&self.plan.rules, Candidate { subject: &subject, now: self.now });
        let deliveries: Vec<NewDelivery> = routing
            .targets
            .into_iter()
            .flat_map(|(destination, rules)| {
                let Audience { recipients, at_once, .. } =
                    self.plan.audiences.get(&destination).cloned().unwrap_or_default();
                recipients.into_iter().map(move |recipient| NewDelivery {
                    at_once,
                    destination: destination.clone(),
                    recipient,
                    rules: rules.clone(),
                })
            })
            .collect();
        let unmatched = deliveries.is_empty();
        RouteDecision {
            state: if unmatched { ReviewState::Unmatched } else { ReviewState::Matched },
            match_at: None,
            deliveries,
            undecided: routing.undecided && unmatched,
            // What could not be decided is not cleared away.
            mark: unmatched && !routing.undecided && policy.unmatched == Unmatched::MarkRead,
        }
    }
}

fn fingerprint(review: Review) -> Result<Fingerprinted, StoreError> {
    let content_hash = diff::content_hash(&review)?;
    let body = serde_json::to_vec(&review)?;
    Ok(Fingerprinted { content_hash, body_hash: ids::fingerprint(&body), review })
}
