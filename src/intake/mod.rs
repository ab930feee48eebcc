//! Takes a page of reviews in: diff against state, match, enqueue, in one store transaction.
//!
//! The decisions here are pure; the store calls them inside its transaction and writes what they say.

pub mod diff;
pub mod scales;

use crate::domain::{
    AccountPolicy, Backfill, Catalog, Change, NativeRating, Previous, Review, Scale, ScaleReason, Subject,
    Timestamp, Unmatched, ledger,
};
use crate::rules::{self, Candidate, Rule, Scales};
use crate::store::{
    Arrival, Decision, Fingerprinted, IntakeBatch, IntakeReport, Known, NewDelivery, ReviewState, Revision,
    RouteDecision, Store, StoreError, UnroutedReview, ids,
};
use crate::upstream::{Item, Malformed};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, Mutex};
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

/// How long a review is held at most because its scale is not known yet.
const SCALE_HELD: Duration = Duration::from_secs(600);
/// Reviews that wait for names, `settle` or a scale, routed in one step while a listing is under way.
const ROUTE_BATCH: u32 = 500;

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
        let known = store.scales(self.account).await?;
        let mut scales = scales::of(&self.plan.policy, &known);
        scales::see_page(&mut scales, reviews.iter().map(|item| &item.review));
        let judge = Judge::new(self, &scales);
        let mut report = store.intake(&batch, &|arrival| judge.decide(arrival)).await?;
        if let Some(catalog) = self.catalog {
            let known =
                if report.new + report.edited > 0 { store.scales(self.account).await? } else { known };
            scales::settle(store, self.account, &self.plan.policy, catalog, &known, self.now).await?;
        }
        if self.baseline {
            // What waits for the end of a long first listing does not wait longer than that.
            let routed = self.route_waiting(store, ROUTE_BATCH).await?;
            report.release(routed);
        }
        Ok(report)
    }

    /// Routes up to `limit` reviews that waited for names, a scale or `settle`, or are to be matched again.
    pub async fn route_waiting(&self, store: &dyn Store, limit: u32) -> Result<IntakeReport, StoreError> {
        if self.catalog.is_none() {
            return Ok(IntakeReport::default());
        }
        let scales = scales::of(&self.plan.policy, &store.scales(self.account).await?);
        let judge = Judge::new(self, &scales);
        store.route_waiting(self.account, self.now, limit, &|waiting| judge.route(waiting)).await
    }

    /// Runs the rules again on reviews of this account, by their ids in state; a review that matched keeps what
    /// it has. Returns what was created.
    pub async fn route_again(&self, store: &dyn Store, reviews: &[i64]) -> Result<IntakeReport, StoreError> {
        let scales = scales::of(&self.plan.policy, &store.scales(self.account).await?);
        let judge = Judge::new(self, &scales);
        store.route_again(self.account, reviews, self.now, &|waiting| judge.reroute(waiting)).await
    }

    /// What a listed review means, read on these scales.
    pub fn decide(&self, arrival: Arrival<'_>, scales: &Scales) -> Decision {
        Judge::new(self, scales).decide(arrival)
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

    /// How long readers knew a review as it was before: since its customer wrote it, or changed it last.
    fn stood(&self, before: &Review, known: &Known) -> Option<Duration> {
        let written = before.reviewed_at.filter(|at| known.change == Change::New && *at < known.changed_at);
        let since = written.unwrap_or(known.changed_at);
        (since < self.now).then(|| self.now.since(since))
    }
}

/// An intake and the scales that its ratings are read on: decides, and does nothing else.
struct Judge<'a> {
    intake: &'a Intake<'a>,
    scales: &'a Scales,
    /// Scales by source and platform: names are folded once for all reviews of a page.
    found: Mutex<HashMap<Bearers, Scale>>,
}

/// The uuids of a review's source and platform.
type Bearers = (Option<String>, Option<String>);

/// Where a review goes that is sent to nobody, for now.
fn stays(state: ReviewState) -> RouteDecision {
    RouteDecision {
        state,
        match_at: None,
        deliveries: Vec::new(),
        undecided: false,
        mark: false,
        scale: None,
    }
}

impl<'a> Judge<'a> {
    fn new(intake: &'a Intake<'a>, scales: &'a Scales) -> Self {
        Self { intake, scales, found: Mutex::default() }
    }

    fn scale(&self, review: &Review, catalog: &Catalog) -> Scale {
        let bearers = (review.source_uuid.clone(), review.platform_uuid.clone());
        let Ok(mut found) = self.found.lock() else { return self.scales.of_review(review, catalog) };
        *found.entry(bearers).or_insert_with(|| self.scales.of_review(review, catalog))
    }

    fn decide(&self, arrival: Arrival<'_>) -> Decision {
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
        let routed = if self.intake.too_old(review) {
            stays(ReviewState::Remembered)
        } else {
            self.place(review, Change::New, None, self.intake.now, true)
        };
        Decision::Revise(Box::new(Revision { change: Change::New, previous: None, routed }))
    }

    fn revision(&self, review: &Review, before: Option<&Review>, change: Change, known: &Known) -> Decision {
        let (change, previous) = match before {
            // Its retention is over: that it is an edit is known, but not of what.
            None => (change, None),
            Some(before) if known.attempted => {
                (change, Some(diff::previous(before, self.intake.stood(before, known))))
            }
            // Nobody was notified yet: to its readers it is new, and there is nothing it was before.
            Some(_) => (Change::New, None),
        };
        let mut routed = self.place(
            review,
            change,
            previous.clone(),
            known.first_seen_at,
            known.state == ReviewState::Held,
        );
        if routed.state == ReviewState::Unmatched && known.state == ReviewState::Matched {
            // Its earlier deliveries stand; the mark follows them.
            routed.state = ReviewState::Matched;
            routed.mark = false;
        }
        Decision::Revise(Box::new(Revision { change, previous, routed }))
    }

    fn reroute(&self, waiting: &UnroutedReview) -> RouteDecision {
        let routed = match (waiting.state, waiting.scale) {
            // Its messages go on with the scale that they began with.
            (ReviewState::Matched, Some(scale)) => self.run(&Run { scale, ..Run::of(waiting) }),
            _ => self.place_again(waiting),
        };
        match routed.state {
            ReviewState::Matched => routed,
            ReviewState::Unmatched if waiting.state == ReviewState::Unmatched => routed,
            _ => stays(waiting.state),
        }
    }

    /// Where a review goes that waited, or that is matched again because names or a scale changed.
    fn route(&self, waiting: &UnroutedReview) -> RouteDecision {
        if matches!(waiting.state, ReviewState::Held | ReviewState::Settling) {
            return self.place_again(waiting);
        }
        let max_age = self.intake.plan.policy.max_age;
        let written = waiting.review.reviewed_at.unwrap_or(waiting.first_seen_at);
        if written < self.intake.now.minus(max_age) {
            return RouteDecision { scale: waiting.scale, ..stays(waiting.state) };
        }
        let routed = self.place_again(waiting);
        match (waiting.state, routed.state) {
            (ReviewState::Matched, ReviewState::Unmatched) => {
                RouteDecision { state: ReviewState::Matched, mark: false, ..routed }
            }
            // Only the rules may change what was matched before.
            (_, ReviewState::Held | ReviewState::Settling) => stays(waiting.state),
            _ => routed,
        }
    }

    fn place_again(&self, waiting: &UnroutedReview) -> RouteDecision {
        let UnroutedReview { review, change, previous, first_seen_at, state, .. } = waiting;
        self.place(review, *change, previous.clone(), *first_seen_at, *state == ReviewState::Held)
    }

    /// Where a review goes now: held without names, or (where it `may_wait`) without a scale, settling until its time,
    /// else by the rules.
    fn place(
        &self,
        review: &Review,
        change: Change,
        previous: Option<Previous>,
        first_seen_at: Timestamp,
        may_wait: bool,
    ) -> RouteDecision {
        let Some(catalog) = self.intake.catalog else { return stays(ReviewState::Held) };
        let now = self.intake.now;
        let scale = self.scale(review, catalog);
        // First seen in what is the future now: the clock was set back since.
        let seen_at = first_seen_at.min(now);
        let is_open = matches!(scale.reason, ScaleReason::Assumed | ScaleReason::Learnt)
            && matches!(review.rating, NativeRating::Number(_));
        if may_wait && self.intake.baseline && is_open && now < seen_at.plus(SCALE_HELD) {
            return stays(ReviewState::Held);
        }
        let match_at = seen_at.plus(self.intake.plan.policy.settle);
        if match_at > now {
            return RouteDecision { match_at: Some(match_at), ..stays(ReviewState::Settling) };
        }
        self.run(&Run { review, change, previous, scale: scale.top })
    }

    /// Runs the rules.
    fn run(&self, run: &Run<'_>) -> RouteDecision {
        let Some(catalog) = self.intake.catalog else { return stays(ReviewState::Held) };
        let Run { review, change, previous, scale } = run;
        let plan = self.intake.plan;
        let subject = Subject::resolve((*review).clone(), catalog, *scale, *change, previous.clone());
        let routing = rules::route(&plan.rules, Candidate { subject: &subject, now: self.intake.now });
        let deliveries: Vec<NewDelivery> = routing
            .targets
            .into_iter()
            .flat_map(|(destination, rules)| {
                let Audience { recipients, at_once, .. } =
                    plan.audiences.get(&destination).cloned().unwrap_or_default();
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
            mark: unmatched && !routing.undecided && plan.policy.unmatched == Unmatched::MarkRead,
            scale: Some(*scale),
        }
    }
}

/// A review on which the rules run.
struct Run<'a> {
    review: &'a Review,
    change: Change,
    previous: Option<Previous>,
    scale: f64,
}

impl<'a> Run<'a> {
    fn of(waiting: &'a UnroutedReview) -> Self {
        let UnroutedReview { review, change, previous, .. } = waiting;
        Self { review, change: *change, previous: previous.clone(), scale: 5.0 }
    }
}

fn fingerprint(review: Review) -> Result<Fingerprinted, StoreError> {
    let content_hash = diff::content_hash(&review)?;
    let body = serde_json::to_vec(&review)?;
    Ok(Fingerprinted { content_hash, body_hash: ids::fingerprint(&body), review })
}
