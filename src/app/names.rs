//! Names in the configuration that nothing bears: looked for whenever names were loaded or the configuration changed.

use super::wiring::Wiring;
use crate::domain::{Catalog, RatingScales};
use crate::rules::{Configured, unknown_names};
use crate::store::{SharedStore, StoreError, UnknownName};
use std::collections::BTreeMap;

/// Looks for them, keeps them in state for the operator, and says in the log which `account` has none of.
pub(super) async fn look(wiring: &Wiring, store: &SharedStore, account: &str) -> Result<(), StoreError> {
    let settings = &wiring.settings;
    let mut catalogs: BTreeMap<String, Catalog> = BTreeMap::new();
    let mut scales: BTreeMap<String, RatingScales> = BTreeMap::new();
    for (name, account) in &settings.accounts {
        scales.insert(name.clone(), account.policy.rating_scales.clone());
        if let Some((catalog, _)) = store.catalog(name).await? {
            catalogs.insert(name.clone(), catalog);
        }
    }
    let configured = Configured { rules: &settings.rules, scales: &scales, tests: &settings.tests };
    let unknown: Vec<UnknownName> = unknown_names(configured, &catalogs)
        .into_iter()
        .map(|problem| UnknownName { text: problem.to_string(), account: problem.account })
        .collect();
    for name in unknown.iter().filter(|name| name.account == account) {
        tracing::warn!(account = %name.account, "a name in the configuration matches nothing: {}", name.text);
    }
    store.save_unknown_names(&unknown).await
}
