//! Accounts: names, polls, endpoints, and the budget of requests.

use super::state::State;
use review_bridge::domain::queue;
use review_bridge::domain::{Catalog, Scale, SeenRatings, Timestamp};
use review_bridge::store::*;
use review_bridge::upstream::{ErrorName, Purpose};
use std::sync::Arc;
use std::time::Duration;

/// The longest pause an API may ask for; one that is further away was set by another clock.
const LONGEST_HOLD: Duration = Duration::from_secs(3600);

impl State {
    pub fn account(&self, account: &str) -> AccountRecord {
        let Some(known) = self.accounts.get(account) else { return AccountRecord::default() };
        AccountRecord { marks_due_since: self.marks_due_since(account), ..known.record.clone() }
    }

    pub fn listing_begun(&mut self, account: &str, at: Timestamp) {
        self.account_mut(account).record.first_listing_at.get_or_insert(at);
    }

    pub fn end_baseline(&mut self, account: &str, now: Timestamp) {
        if let Some(account) = self.accounts.get_mut(account) {
            account.record.baseline_at.get_or_insert(now);
        }
    }

    pub fn catalog(&self, account: &str) -> Option<(Catalog, Timestamp)> {
        let account = self.accounts.get(account)?;
        Some((Catalog::clone(account.catalog.as_ref()?), account.record.catalog_at?))
    }

    pub fn save_catalog(&mut self, name: &str, catalog: &Catalog, now: Timestamp) {
        let account = self.account_mut(name);
        // Mostly they are the same as before.
        if account.catalog.as_deref() != Some(catalog) {
            account.catalog = Some(Arc::new(catalog.clone()));
        }
        account.record.catalog_at = Some(now);
        self.match_undecided_again(name);
    }

    fn match_undecided_again(&mut self, account: &str) {
        let of = self.reviews.index().accounts.get(account);
        let open: Vec<i64> = of.map_or(Vec::new(), |of| of.open.iter().copied().collect());
        for id in open {
            self.reviews.change(id, |entry| entry.rematch = true);
        }
    }

    pub fn scales(&self, account: &str) -> Vec<ScaleRecord> {
        let of = self.scales.iter().filter(|((name, _), _)| name == account);
        of.map(|(_, record)| record.clone()).collect()
    }

    pub fn save_scales(&mut self, account: &str, scales: &[(String, Scale)], now: Timestamp) {
        for (source, scale) in scales {
            let key = (account.to_owned(), source.clone());
            let record = self.scales.entry(key).or_insert_with(|| ScaleRecord {
                account: account.to_owned(),
                source: source.clone(),
                seen: SeenRatings::default(),
                scale: None,
                since: None,
            });
            let is_another = record.scale.is_some_and(|before| before.top != scale.top);
            (record.scale, record.since) = (Some(*scale), Some(now));
            if !is_another {
                continue;
            }
            let of = self.reviews.index().accounts.get(account);
            let unmatched: Vec<i64> = of.map_or(Vec::new(), |of| of.unmatched.iter().copied().collect());
            for id in unmatched {
                let review = self.reviews.get(id).and_then(|entry| entry.review());
                if review.is_some_and(|review| review.source_uuid.as_ref() == Some(source)) {
                    self.reviews.change(id, |entry| entry.rematch = true);
                }
            }
        }
    }

    pub fn save_unknown_names(&mut self, names: &[UnknownName]) {
        self.unknown_names = names.to_vec();
        self.unknown_names.sort_by(|a, b| (&a.account, &a.text).cmp(&(&b.account, &b.text)));
        self.unknown_names.dedup();
    }

    pub fn poll_failed(&mut self, account: &str, kind: ErrorName, error: &str, now: Timestamp) {
        let record = &mut self.account_mut(account).record;
        record.failed_polls += 1;
        record.failing_since.get_or_insert(now);
        record.last_poll_at = Some(now);
        record.last_error = Some(error.to_owned());
        record.last_error_kind = Some(kind);
    }

    pub fn endpoint_seen(&mut self, account: &str, endpoint: &str, error: Option<&str>, now: Timestamp) {
        let key = (account.to_owned(), endpoint.to_owned());
        let record = self.endpoints.entry(key).or_insert_with(|| EndpointRecord {
            endpoint: endpoint.to_owned(),
            ok_at: None,
            failed_at: None,
            error: None,
        });
        *(if error.is_none() { &mut record.ok_at } else { &mut record.failed_at }) = Some(now);
        record.error = error.map(str::to_owned);
    }

    pub fn endpoints(&self, account: &str) -> Vec<EndpointRecord> {
        let from = (account.to_owned(), String::new());
        let of = self.endpoints.range(from..).take_while(|((name, _), _)| name == account);
        of.map(|(_, record)| record.clone()).collect()
    }

    pub fn save_token_expiry(&mut self, account: &str, at: Option<Timestamp>) {
        self.account_mut(account).record.token_expires_at = at;
    }

    pub fn hold_account(&mut self, account: &str, until: Timestamp) {
        let record = &mut self.account_mut(account).record;
        record.hold_until = record.hold_until.max(until);
    }

    pub fn take_requests(&mut self, take: &TakeRequests<'_>) -> Grant {
        let now = take.now;
        let hold = self.accounts.get(take.account).map_or(Timestamp(0), |account| account.record.hold_until);
        if hold > now && hold <= now.plus(LONGEST_HOLD) {
            return Grant::Until(hold);
        }
        if !self.requests.contains_key(take.account) {
            self.requests.insert(take.account.to_owned(), Default::default());
        }
        let key = (take.account.to_owned(), take.purpose.as_str());
        let own = self.queue.get(&key).copied();
        let still =
            |(since, until): &(Timestamp, Timestamp)| *since <= now && now.since(*until) <= queue::PATIENCE;
        let since = own.filter(still).map(|(since, _)| since);
        let first = self.queue.iter().any(|((account, purpose), (since_other, until))| {
            let rank = Purpose::parse(purpose).unwrap().rank();
            let other = queue::Waiting { rank, since: *since_other, until: *until };
            account == take.account
                && *purpose != take.purpose.as_str()
                && queue::yields_to(other, take.purpose.rank(), since, now)
        });
        let log = self.requests.get_mut(take.account).unwrap();
        // What is further ahead than a span was logged by a clock that was set back since.
        log.retain(|(at, ..)| *at > now.minus(REQUEST_SPAN) && *at <= now.plus(REQUEST_SPAN));
        let purpose = take.purpose.as_str();
        let own = || log.iter().filter(|(_, logged, _)| *logged == purpose);
        let taken: u32 = log.iter().map(|(.., count)| count).sum();
        let taken_own: u32 = own().map(|(.., count)| count).sum();
        let left = take.limit.saturating_sub(taken);
        let granted = left.min(take.purpose_limit.saturating_sub(taken_own)).min(take.want);
        let oldest =
            if left == 0 { log.iter().map(|(at, ..)| *at).min() } else { own().map(|(at, ..)| *at).min() };
        let free_at = match granted {
            0 => oldest.unwrap_or(now).plus(REQUEST_SPAN).max(now.plus(Duration::from_millis(1))),
            _ if first => now.plus(queue::NEXT_TURN),
            _ => {
                log.push_back((now, purpose, granted));
                self.queue.remove(&key);
                return Grant::Taken(granted);
            }
        };
        self.queue.insert(key, (since.unwrap_or(now), free_at));
        Grant::Until(free_at)
    }
}
