//! Compares names in the configuration with those of the accounts; finds accounts that read the same reviews.

use super::report::Report;
use crate::config::{Account, Settings};
use crate::domain::text::one_line;
use crate::domain::{Catalog, Named};
use crate::rules::{Rule, unknown_names};
use crate::settings::table::nearest;
use std::collections::{BTreeMap, BTreeSet};

/// How many names of shared sources are shown.
const SHOWN: usize = 3;

/// Names in rules that no website, source or platform has.
pub(super) fn rules(settings: &Settings, catalogs: &BTreeMap<String, Catalog>, report: &mut Report) {
    let what = "names in rules";
    if !settings.rules.iter().any(has_names) {
        return report.ok(what, "no rule uses websites, sources or platforms");
    }
    let missing: Vec<&str> =
        settings.accounts.keys().map(String::as_str).filter(|name| !catalogs.contains_key(*name)).collect();
    let problems = unknown_names(&settings.rules, catalogs);
    for problem in &problems {
        match missing.is_empty() {
            true => report.failed(
                what,
                &problem.to_string(),
                "use the name as shown in ShopReviews; until then this condition never matches",
            ),
            false => report.unverified(what, &problem.to_string(), ""),
        }
    }
    match (missing.is_empty(), problems.is_empty()) {
        (false, _) => {
            let detail = format!("the names of {} have not been loaded yet", missing.join(", "));
            report.unverified(what, &detail, "run `review-bridge check` again when the API responds");
        }
        (true, true) => report.ok(what, "all of them exist"),
        (true, false) => {}
    }
}

fn has_names(rule: &Rule) -> bool {
    let mut keys = rule.when.keys().chain(rule.unless.keys());
    keys.any(|key| matches!(key, "websites" | "sources" | "platforms"))
}

/// Entries of `rating_scales` that match no platform or source.
pub(super) fn scales(settings: &Settings, catalogs: &BTreeMap<String, Catalog>, report: &mut Report) {
    for (name, account) in &settings.accounts {
        let Some(catalog) = catalogs.get(name) else { continue };
        let bearers: Vec<&Named> =
            catalog.platforms.values().chain(catalog.sources.values().map(|source| &source.named)).collect();
        for key in account.policy.rating_scales.names() {
            if bearers.iter().any(|named| named.is_called(key)) {
                continue;
            }
            let near = nearest(key, bearers.iter().map(|named| named.name.as_str()));
            let near = near.map(|near| format!("did you mean `{near}`?")).unwrap_or_default();
            let what = format!("accounts.{name}.rating_scales");
            report.warn(&what, &format!("no platform or source is called `{}`", one_line(key, 80)), &near);
        }
    }
}

/// Accounts that read the same reviews: each would be delivered twice.
pub(super) fn same_company(settings: &Settings, catalogs: &BTreeMap<String, Catalog>, report: &mut Report) {
    let accounts: Vec<(&String, &Account)> = settings.accounts.iter().collect();
    for (index, (first, one)) in accounts.iter().enumerate() {
        for (second, other) in &accounts[index + 1..] {
            let what = format!("accounts {first} and {second}");
            let hint = "remove one of the two: each review they share is delivered twice";
            if one.upstream.base_url == other.upstream.base_url
                && one.upstream.credentials == other.upstream.credentials
            {
                report.warn(&what, "have the same address and credentials", hint);
            } else if let (Some(mine), Some(theirs)) = (catalogs.get(*first), catalogs.get(*second)) {
                let shared = shared(mine, theirs);
                if !shared.is_empty() {
                    report.warn(&what, &format!("read the same sources: {shared}"), hint);
                }
            }
        }
    }
}

/// The sources that both have, as text; empty where there is none.
fn shared(mine: &Catalog, theirs: &Catalog) -> String {
    let both: BTreeSet<&str> = mine
        .sources
        .values()
        .filter(|source| theirs.sources.contains_key(&source.named.uuid))
        .map(|source| source.named.name.as_str())
        .collect();
    let shown: Vec<&str> = both.iter().copied().take(SHOWN).collect();
    let more = both.len().saturating_sub(SHOWN);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("{}{more}", shown.join(", "))
}
