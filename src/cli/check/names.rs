//! Compares names in the configuration with those of the accounts; finds accounts that read the same reviews.

use super::super::output::counted;
use super::report::Report;
use crate::config::{Account, Settings};
use crate::domain::text::one_line;
use crate::domain::{Catalog, RatingScales, ScaleReason};
use crate::rules::{Configured, Known, unknown_names};
use std::collections::{BTreeMap, BTreeSet};

/// How many names of shared sources are shown.
const SHOWN: usize = 3;

/// Names in rules, tests and `rating_scales` that no website, source or platform has.
pub(super) fn configured(settings: &Settings, catalogs: &BTreeMap<String, Catalog>, report: &mut Report) {
    let what = "names in rules";
    let scales: BTreeMap<String, RatingScales> = settings
        .accounts
        .iter()
        .map(|(name, account)| (name.clone(), account.policy.rating_scales.clone()))
        .collect();
    let configured = Configured { rules: &settings.rules, scales: &scales, tests: &settings.tests };
    if !configured.has_names() {
        return report.ok(what, "no rule uses websites, sources or platforms");
    }
    let missing: Vec<&str> =
        settings.accounts.keys().map(String::as_str).filter(|name| !catalogs.contains_key(*name)).collect();
    let problems = unknown_names(configured, catalogs);
    for problem in &problems {
        let hint = "use the name as shown in ShopReviews; until then it matches nothing";
        report.warn(what, &problem.to_string(), hint);
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

/// The scale that each source is read on, and what is wrong with it.
pub(super) fn scales(
    known: &BTreeMap<String, Known>,
    catalogs: &BTreeMap<String, Catalog>,
    report: &mut Report,
) {
    for (name, Known { scales, .. }) in known {
        let Some(catalog) = catalogs.get(name) else { continue };
        let what = format!("rating scales of {name}");
        let mut of: BTreeMap<(String, &str), Vec<&str>> = BTreeMap::new();
        for source in catalog.sources.values() {
            let scale = scales.of_source(source, catalog);
            let (own, highest) = (source.named.name.as_str(), scales.seen(&source.named.uuid).highest);
            let hint =
                format!("set it if that is wrong: accounts.{name}.rating_scales = {{ \"{own}\" = 10 }}");
            if highest > scale.top {
                let detail = format!(
                    "`{}` shows a rating of {highest}, above its scale of {} ({}); such ratings are unknown",
                    one_line(own, 80),
                    scale.top,
                    scale.reason.because()
                );
                report.warn(&what, &detail, &hint);
            } else if matches!(scale.reason, ScaleReason::Learnt | ScaleReason::Contradicted) {
                let (own, because) = (one_line(own, 80), scale.reason.because());
                report.warn(&what, &format!("`{own}` is read on {}: {because}", scale.top), &hint);
            }
            of.entry((scale.top.to_string(), scale.reason.because())).or_default().push(own);
        }
        for ((top, because), names) in of {
            let sources = counted(names.len() as u64, "source", "sources");
            report.ok(&what, &format!("{top} for {sources}: {because}"));
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
