//! `[accounts.NAME]`: how one account's reviews are treated.

use crate::domain::{AccountPolicy, Backfill, MarkRead, RatingScales, Unmatched};
use crate::settings::Table;
use crate::settings::units::{parse_duration, show_duration};
use crate::spelling::key;
use crate::upstream;
use std::collections::BTreeMap;

/// One ShopReviews account.
#[derive(Clone, Debug)]
pub struct Account {
    /// How its reviews are treated.
    pub policy: AccountPolicy,
    /// How it is reached.
    pub upstream: upstream::Settings,
    /// The key that holds its credentials.
    pub credential: &'static str,
}

/// The key that holds the credentials of an account, so that hints name the one that is there.
pub(super) fn credential(table: &Table) -> &'static str {
    let keys = ["token_file", "token", "password_file", "password"];
    keys.into_iter().find(|key| table.has(key)).unwrap_or("token")
}

/// The top of no known platform's scale is beyond this.
const HIGHEST_SCALE: f64 = 1_000.0;

/// Reads the policy of an account; its other keys are for others to read.
pub(super) fn policy(table: &Table) -> AccountPolicy {
    let default = AccountPolicy::default();
    let poll_interval = table.duration("poll_interval").unwrap_or(default.poll_interval);
    if poll_interval < AccountPolicy::SHORTEST_POLL_INTERVAL {
        table.problem("poll_interval", "must be at least 5s", "write \"5s\" or more");
    }
    AccountPolicy {
        poll_interval,
        backfill: backfill(table).unwrap_or(default.backfill),
        max_age: table.duration("max_age").unwrap_or(default.max_age),
        mark_read: choice(table, "mark_read", [MarkRead::AfterDelivery, MarkRead::Never], MarkRead::as_str),
        unmatched: choice(
            table,
            "unmatched",
            [Unmatched::KeepUnread, Unmatched::MarkRead],
            Unmatched::as_str,
        ),
        settle: table.duration("settle").unwrap_or(default.settle),
        rating_scales: rating_scales(table),
    }
}

/// As the configuration writes it.
pub(super) fn show_backfill(backfill: Backfill) -> String {
    match backfill {
        Backfill::All => "all".into(),
        Backfill::None => "none".into(),
        Backfill::Within(age) => show_duration(age),
    }
}

fn backfill(table: &Table) -> Option<Backfill> {
    let text = table.text("backfill")?;
    match text.as_str() {
        "all" => Some(Backfill::All),
        "none" => Some(Backfill::None),
        text => match parse_duration(text) {
            Some(age) => Some(Backfill::Within(age)),
            None => {
                let hint = "write \"all\", \"none\" or a duration such as \"24h\" or \"7d\"";
                table.problem("backfill", "is not a duration", hint);
                None
            }
        },
    }
}

fn choice<T: Copy + Default>(table: &Table, key: &str, all: [T; 2], name: fn(T) -> &'static str) -> T {
    let chosen = table.one_of(key, &all.map(name));
    all.into_iter().find(|one| Some(name(*one)) == chosen).unwrap_or_default()
}

fn rating_scales(account: &Table) -> RatingScales {
    let Some(table) = account.table("rating_scales") else { return RatingScales::default() };
    let mut scales: BTreeMap<String, (&str, f64)> = BTreeMap::new();
    for name in table.keys() {
        let Some(top) = table.number(name) else { continue };
        if top <= 0.0 || top > HIGHEST_SCALE {
            table.problem(
                name,
                "is not a valid scale",
                "write the platform's highest rating: above 0, at most 1000",
            );
        } else if scales.insert(key(name), (name, top)).is_some() {
            table.problem(
                name,
                "is set twice",
                "case, accents and typography of names do not count: keep one",
            );
        }
    }
    table.finish();
    RatingScales::new(scales.into_iter().map(|(key, (name, top))| (key, name.to_owned(), top)))
}
