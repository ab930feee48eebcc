//! Both stores side by side: every operation is done to each, and what they answer is compared.

use super::ModelStore;
use super::ops::{ACCOUNTS, DESTINATIONS, Op};
use super::world::{self, START};
use review_bridge::domain::{Catalog, Timestamp};
use review_bridge::intake::{Intake, Plan};
use review_bridge::store::sqlite::SqliteStore;
use review_bridge::store::*;
use review_bridge::upstream::{ErrorName, Item, Purpose};
use std::collections::BTreeSet;
use std::time::Duration;

/// Does the same to both stores, and answers what both did.
macro_rules! both {
    ($twin:ident, |$store:ident| $call:expr) => {{
        let ours = {
            let $store: &dyn Store = &$twin.model;
            $call.await.unwrap()
        };
        let theirs = {
            let $store: &dyn Store = &$twin.sqlite;
            $call.await.unwrap()
        };
        assert_eq!(ours, theirs, "the model's answer, then SQLite's: {}", stringify!($call));
        ours
    }};
}
pub(super) use both;

/// Both stores, and what the processes around them would remember.
pub struct Twin<'a> {
    pub model: ModelStore,
    pub sqlite: SqliteStore,
    pub now: Timestamp,
    plans: &'a [[Plan; 2]; 2],
    rules: usize,
    /// What listings under way have seen.
    seen: [BTreeSet<i64>; 2],
    begun_at: [Timestamp; 2],
    /// Attempts whose end was not told yet, and some whose end was.
    pub(super) flights: Vec<Leased>,
    pub(super) marking: [Vec<DueMark>; 2],
}

pub(super) fn ahead(now: Timestamp, millis: u64) -> Timestamp {
    now.plus(Duration::from_millis(millis))
}

/// Those of `all` whose bit is set.
pub(super) fn chosen(all: &[i64], mask: u32) -> Vec<i64> {
    let bit = |index: usize| mask >> (index % 32) & 1 == 1;
    all.iter().enumerate().filter(|(index, _)| bit(*index)).map(|(_, id)| *id).collect()
}

impl<'a> Twin<'a> {
    pub fn new(sqlite: SqliteStore, plans: &'a [[Plan; 2]; 2]) -> Self {
        Self {
            model: ModelStore::new(),
            sqlite,
            now: START,
            plans,
            rules: 0,
            seen: Default::default(),
            begun_at: [START; 2],
            flights: Vec::new(),
            marking: Default::default(),
        }
    }

    /// Does `op` to both.
    pub async fn apply(&mut self, op: &Op) {
        let now = self.now;
        let account_of = |account: &u8| ACCOUNTS[usize::from(*account)];
        match op {
            Op::Clock(by_ms) => self.now.0 += by_ms,
            Op::Stepped(by_ms) => {
                self.now.0 += by_ms;
                both!(self, |store| store.clock_stepped(*by_ms));
            }
            Op::Rules(other) => self.rules = usize::from(*other),
            Op::Names(account) => {
                both!(self, |store| store.save_catalog(account_of(account), &world::catalog(), now));
            }
            Op::Page { account, says, malformed } => {
                let account = usize::from(*account);
                let mut items: Vec<Item> = says.iter().map(|says| world::item(account, *says, now)).collect();
                items.extend(malformed.then(world::malformed));
                self.page(account, items).await;
            }
            Op::EndListing(account) => self.end_listing(usize::from(*account)).await,
            Op::AbandonListing(account) => self.seen[usize::from(*account)].clear(),
            Op::RouteWaiting { account, limit } => {
                let names = self.names(usize::from(*account)).await;
                let intake = self.intake(usize::from(*account), names.as_ref(), false);
                both!(self, |store| intake.route_waiting(store, *limit));
            }
            Op::RouteAgain { account, reviews } => {
                let names = self.names(usize::from(*account)).await;
                let intake = self.intake(usize::from(*account), names.as_ref(), false);
                let reviews = chosen(&(1..=14).collect::<Vec<_>>(), u32::from(*reviews));
                both!(self, |store| intake.route_again(store, &reviews));
            }
            Op::Lease { destination, limit, notices, only } => {
                let only = only.map(|only| self.any_message(only));
                self.lease(usize::from(*destination), *limit, *notices, only).await;
            }
            Op::Settle { which, many, ended, forget } => self.settle(*which, *many, *ended, *forget).await,
            Op::Send { limit, ended } => {
                let before = self.flights.len();
                self.lease(DESTINATIONS.len(), *limit, false, None).await;
                self.settle_these(before..self.flights.len(), *ended).await;
                self.flights.truncate(before);
            }
            Op::Recover => drop(both!(self, |store| store.recover(now))),
            Op::Expire => drop(both!(self, |store| store.expire(now))),
            Op::Marks { account, at_once, marked } => {
                self.mark(usize::from(*account), *at_once, *marked).await
            }
            Op::Digest { send_empty, recipients } => self.digest(*send_empty, *recipients).await,
            Op::Pace { destination, limit, opened, gather } => {
                self.pace(*destination, *limit, *opened, *gather).await;
            }
            Op::Regroup { mail, daily } => {
                let digests = [mail.then_some(DESTINATIONS[1]), daily.then_some(DESTINATIONS[2])];
                let digests: Vec<&str> = digests.into_iter().flatten().collect();
                both!(self, |store| store.regroup(&digests, now));
            }
            Op::Wish { wish, deliveries } => self.wish(*wish, *deliveries).await,
            Op::ExpireOld { age, limit } => {
                let before = [now.minus(Duration::from_secs(3_600)), now.minus(Duration::from_secs(60)), now];
                let before = before[usize::from(*age)];
                let expiry = Expiry { aged_before: before, unlisted_before: before, limit: *limit };
                both!(self, |store| store.expire_old(&expiry, now));
            }
            Op::Restart => {
                let model = self.model.restart();
                assert!(self.model.destinations().await.is_err(), "a dead process still reads");
                self.model = model.clone();
            }
            other => self.apply_aside(other).await,
        }
    }

    async fn apply_aside(&mut self, op: &Op) {
        let now = self.now;
        let account_of = |account: &u8| ACCOUNTS[usize::from(*account)];
        let destination_of = |destination: &u8| DESTINATIONS[usize::from(*destination)];
        match op {
            Op::Pause { destination, paused } => {
                both!(self, |store| store.pause(destination_of(destination), *paused, now));
            }
            Op::ReleaseHeld => both!(self, |store| store.release_held(now)),
            Op::ProbeBroken => both!(self, |store| store.probe_broken(now)),
            Op::BuryRemoved { keep } => {
                let kept = DESTINATIONS.iter().enumerate().filter(|(index, _)| keep >> index & 1 == 1);
                let configured: Vec<String> = kept.map(|(_, name)| (*name).to_owned()).collect();
                both!(self, |store| store.dead_letter_orphans(&configured, now));
            }
            Op::RequestMarks(reviews) => {
                let reviews = chosen(&(1..=14).collect::<Vec<_>>(), u32::from(*reviews));
                both!(self, |store| store.request_marks(&reviews, now));
            }
            Op::Forget(review) => both!(self, |store| store.forget(i64::from(review % 14) + 1, now)),
            Op::Window(which) => {
                let destination = destination_of(&(which % 3)).to_owned();
                let next_at = ahead(now, u64::from(*which));
                let window = DigestWindow { destination, schedule: "s".into(), from: now, next_at };
                both!(self, |store| store.save_digest_window(&window));
            }
            Op::Tell { started, over } => {
                let over = [world::problem(*over, now).key()];
                let notices = [world::notice(DESTINATIONS[0], started % 4)];
                let started = [world::problem(*started, now)];
                both!(self, |store| store.notify_operator(&started, &over, &notices, now));
                let said = started[0].notified_at.is_some().then_some(("it is so", "fix it"));
                both!(self, |store| store.report(&started[0].key(), said, now));
                both!(self, |store| store.backlog(&started[0].subject, Timestamp(0), now));
            }
            Op::Enqueue { destination, which } => {
                let messages = [world::notice(destination_of(destination), *which)];
                both!(self, |store| store.enqueue(&messages, now));
            }
            Op::Requests { account, purpose, want } => {
                let purposes =
                    [Purpose::Listing, Purpose::Names, Purpose::Mark, Purpose::Other, Purpose::Newest];
                let (account, purpose) = (account_of(account), purposes[usize::from(*purpose)]);
                let take = TakeRequests { account, purpose, want: *want, limit: 4, purpose_limit: 2, now };
                both!(self, |store| store.take_requests(&take));
            }
            Op::Hold { account, ms } => {
                both!(self, |store| store.hold_account(account_of(account), Timestamp(now.0 + ms)));
            }
            Op::PollFailed(account) => {
                both!(self, |store| store.poll_failed(
                    account_of(account),
                    ErrorName::Unavailable,
                    "502",
                    now
                ));
            }
            Op::Endpoint { account, fails } => {
                let error = fails.then_some("404");
                both!(self, |store| store.endpoint_seen(account_of(account), "sources", error, now));
            }
            Op::Baseline { account, ends } => {
                let account = account_of(account);
                match ends {
                    true => both!(self, |store| store.end_baseline(account, now)),
                    false => both!(self, |store| store.listing_begun(account, now)),
                }
            }
            Op::TokenExpiry(which) => {
                let at = (which % 3 > 0).then_some(now);
                both!(self, |store| store.save_token_expiry(account_of(&(which % 2)), at));
            }
            other => unreachable!("{other:?} is done above"),
        }
    }

    async fn names(&self, account: usize) -> Option<Catalog> {
        self.model.catalog(ACCOUNTS[account]).await.unwrap().map(|(catalog, _)| catalog)
    }

    fn intake<'b>(&'b self, account: usize, catalog: Option<&'b Catalog>, baseline: bool) -> Intake<'b> {
        let plan = &self.plans[self.rules][account];
        Intake { account: ACCOUNTS[account], plan, catalog, baseline, now: self.now }
    }

    async fn page(&mut self, account: usize, items: Vec<Item>) {
        let names = self.names(account).await;
        let baseline = self.model.account(ACCOUNTS[account]).await.unwrap().baseline_at.is_none();
        let intake = self.intake(account, names.as_ref(), baseline);
        let mut ours = intake.take(&self.model, items.clone()).await.unwrap();
        let mut theirs = intake.take(&self.sqlite, items).await.unwrap();
        // In which order they are named is nobody's concern.
        ours.seen.sort_unstable();
        theirs.seen.sort_unstable();
        assert_eq!(ours, theirs, "the model's report of a page, then SQLite's");
        if self.seen[account].is_empty() {
            self.begun_at[account] = self.now;
        }
        self.seen[account].extend(ours.seen);
    }

    async fn end_listing(&mut self, account: usize) {
        let seen: Vec<i64> = std::mem::take(&mut self.seen[account]).into_iter().collect();
        let skip_if_read: Vec<&str> = self.plans[self.rules][account].skip_if_read().collect();
        let listing = CompleteListing {
            steady: !self.now.0.rem_euclid(3).eq(&0),
            begun_at: if seen.is_empty() { self.now } else { self.begun_at[account] },
            account: ACCOUNTS[account],
            seen: &seen,
            skip_if_read: &skip_if_read,
            now: self.now,
        };
        both!(self, |store| store.complete_listing(&listing));
    }
}
