//! Trouble noticed, and told to the operator: once when it starts, once when it is over.
//!
//! [`trouble::assess`] is pure; [`Operator::tick`] compares what it says with what was told and queues notices.
//! They are sent like every message.

pub mod trouble;

use crate::domain::{MessageKind, Notice, NoticeState, Timestamp};
use crate::outbox::Targets;
use crate::store::{NewMessage, SharedStore, StoreError, TroubleRecord, ids};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often trouble that goes on is told again where it has grown.
const GROWTH_INTERVAL: Duration = Duration::from_secs(3600);

/// Watches for trouble.
pub struct Operator {
    store: SharedStore,
    /// Templates that failed, by destination; forgotten with the configuration, for the next reads them anew.
    fallbacks: BTreeMap<String, String>,
    /// The accounts there are; all that the state knows, until it is said.
    accounts: Option<BTreeSet<String>>,
}

impl Operator {
    /// An operator's watch over `store`.
    pub fn new(store: SharedStore) -> Self {
        Self { store, fallbacks: BTreeMap::new(), accounts: None }
    }

    /// There is a configuration, with these accounts: trouble of others is over, and so is that of templates.
    pub fn configured(&mut self, accounts: impl IntoIterator<Item = String>) {
        self.accounts = Some(accounts.into_iter().collect());
        self.fallbacks.clear();
    }

    /// A template of `destination` failed on a message.
    pub fn template_failed(&mut self, destination: &str, error: &str) {
        self.fallbacks.entry(destination.to_owned()).or_insert_with(|| error.to_owned());
    }

    /// Assesses, and queues what the operator has not been told, for the destinations `notify`. Returns how
    /// many troubles began or ended.
    pub async fn tick(
        &mut self,
        notify: &[String],
        targets: &Targets,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut facts = self.store.facts().await?;
        facts.destinations.retain(|record| targets.by_name.contains_key(&record.name));
        if let Some(accounts) = &self.accounts {
            facts.accounts.retain(|(account, _)| accounts.contains(account));
            facts.catalogs.retain(|(account, _)| accounts.contains(account));
        }
        let present = trouble::assess(&facts, &self.fallbacks, now);
        let told = self.store.troubles().await?;
        let same = |a: &TroubleRecord, b: &TroubleRecord| a.kind == b.kind && a.subject == b.subject;
        let started: Vec<TroubleRecord> = present
            .iter()
            .filter(|trouble| match told.iter().find(|told| same(told, trouble)) {
                None => true,
                Some(told) => {
                    trouble::grows(&told.kind)
                        && told.text != trouble.text
                        && now.since(told.told_at) >= GROWTH_INTERVAL
                }
            })
            .cloned()
            .collect();
        let over: Vec<&TroubleRecord> =
            told.iter().filter(|told| !present.iter().any(|trouble| same(told, trouble))).collect();
        if started.is_empty() && over.is_empty() {
            return Ok(0);
        }
        let mut notices = Vec::new();
        for trouble in &started {
            let (kind, subject) = (&*trouble.kind, &*trouble.subject);
            tracing::warn!(kind, subject, hint = %trouble.hint, "trouble: {}", trouble.text);
            notices.extend(self.notices(trouble, NoticeState::Started, notify, targets, now)?);
        }
        for trouble in &over {
            let (kind, subject) = (&*trouble.kind, &*trouble.subject);
            tracing::info!(kind, subject, "over: {}", trouble.text);
            notices.extend(self.notices(trouble, NoticeState::Over, notify, targets, now)?);
        }
        let ended: Vec<(String, String)> =
            over.iter().map(|trouble| (trouble.kind.clone(), trouble.subject.clone())).collect();
        self.store.tell_operator(&started, &ended, &notices, now).await?;
        Ok(started.len() + ended.len())
    }

    /// One notice for each destination and recipient, but not through the destination it is about.
    fn notices(
        &self,
        trouble: &TroubleRecord,
        state: NoticeState,
        notify: &[String],
        targets: &Targets,
        now: Timestamp,
    ) -> Result<Vec<NewMessage>, StoreError> {
        let about_destination = trouble::is_about_destination(&trouble.kind);
        let notice = Notice {
            kind: trouble.kind.clone(),
            state,
            text: trouble.text.clone(),
            hint: if state == NoticeState::Over { String::new() } else { trouble.hint.clone() },
        };
        let content = serde_json::to_string(&notice)?;
        let mut messages = Vec::new();
        for name in notify.iter().filter(|name| !(about_destination && **name == trouble.subject)) {
            let Some(target) = targets.by_name.get(name) else { continue };
            for recipient in target.destination.recipients() {
                let at = now.0.to_string();
                let id = ids::message_id(&["operator", name, &recipient, &content, &trouble.subject, &at]);
                messages.push(NewMessage {
                    id,
                    destination: name.clone(),
                    recipient,
                    kind: MessageKind::Operator,
                    content: content.clone(),
                });
            }
        }
        Ok(messages)
    }
}
