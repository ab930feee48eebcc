//! Notices problems, and notifies the operator: once when one starts, once when it is over.
//!
//! [`problem::assess`] is pure; [`Operator::tick`] compares what it says with what the operator was notified of and
//! queues notices. They are sent like every message.

mod names;
pub mod problem;

use crate::domain::{MessageKind, Notice, NoticeState, Timestamp};
use crate::outbox::Targets;
use crate::store::{NewMessage, ProblemFacts, ProblemKey, ProblemRecord, SharedStore, StoreError, ids};
use problem::Extent;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often the operator is notified again of a problem that grows.
const GROWTH_INTERVAL: Duration = Duration::from_secs(3600);

/// Watches for problems.
pub struct Operator {
    store: SharedStore,
    /// Templates that failed, by destination; forgotten with the configuration, for the next reads them again.
    fallbacks: BTreeMap<String, String>,
    /// The accounts there are; all that the state knows, until it is said.
    accounts: Option<BTreeSet<String>>,
    /// How far each problem reached when it was last seen.
    extents: BTreeMap<ProblemKey, Extent>,
}

impl Operator {
    /// An operator's watch over `store`.
    pub fn new(store: SharedStore) -> Self {
        Self { store, fallbacks: BTreeMap::new(), accounts: None, extents: BTreeMap::new() }
    }

    /// There is a configuration, with these accounts: problems of others are over, and so are those of templates.
    pub fn configured(&mut self, accounts: impl IntoIterator<Item = String>) {
        self.accounts = Some(accounts.into_iter().collect());
        self.fallbacks.clear();
    }

    /// A template of `destination` failed on a message.
    pub fn template_failed(&mut self, destination: &str, error: &str) {
        self.fallbacks.entry(destination.to_owned()).or_insert_with(|| error.to_owned());
    }

    /// Assesses, and queues notices of what is new and of what is over, for the destinations `notify`. Returns how
    /// many problems began or ended.
    pub async fn tick(
        &mut self,
        notify: &[String],
        targets: &Targets,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut facts = self.store.problem_facts().await?;
        facts.destinations.retain(|record| targets.by_name.contains_key(&record.name));
        if let Some(accounts) = &self.accounts {
            facts.accounts.retain(|account| accounts.contains(&account.name));
        }
        let present = problem::assess(&facts, &self.fallbacks, now);
        let known = self.store.problems().await?;
        let started: Vec<ProblemRecord> =
            present.iter().filter(|problem| is_news(problem, &known, now)).cloned().collect();
        let over: Vec<ProblemKey> = known
            .iter()
            .map(ProblemRecord::key)
            .filter(|key| !present.iter().any(|problem| problem.key() == *key))
            .collect();
        let mut notices = Vec::new();
        for problem in &started {
            tracing::warn!(
                kind = %problem.kind.as_str(),
                subject = %problem.subject,
                hint = %problem.hint,
                "problem: {}",
                problem.text
            );
            let notice = Notice {
                kind: problem.kind.as_str().into(),
                state: NoticeState::Started,
                text: problem.text.clone(),
                hint: problem.hint.clone(),
            };
            notices.extend(notices_of(&problem.key(), &notice, notify, targets, now)?);
        }
        for key in &over {
            let text = self.resolved(&facts, key, targets, now);
            tracing::info!(kind = %key.kind.as_str(), subject = %key.subject, "resolved: {text}");
            let kind = key.kind.as_str().into();
            let notice = Notice { kind, state: NoticeState::Over, text, hint: String::new() };
            notices.extend(notices_of(key, &notice, notify, targets, now)?);
        }
        let extent = |problem: &ProblemRecord| (problem.key(), problem::extent(&facts, &problem.key()));
        self.extents = present.iter().map(extent).collect();
        if started.is_empty() && over.is_empty() {
            return Ok(0);
        }
        self.store.notify_operator(&started, &over, &notices, now).await?;
        Ok(started.len() + over.len())
    }

    /// How the end of a problem is worded.
    fn resolved(&self, facts: &ProblemFacts, key: &ProblemKey, targets: &Targets, now: Timestamp) -> String {
        let account = key.subject.split('/').next().unwrap_or_default();
        let is_configured = if problem::is_about_destination(key.kind) {
            targets.by_name.contains_key(&key.subject)
        } else {
            self.accounts.as_ref().is_none_or(|accounts| accounts.contains(account))
        };
        let extent = self.extents.get(key).copied().unwrap_or_default();
        problem::resolved(facts, key, extent, is_configured, now)
    }
}

/// Whether the operator is to be notified of `problem`: it is not among the `known` ones, or has grown since.
fn is_news(problem: &ProblemRecord, known: &[ProblemRecord], now: Timestamp) -> bool {
    match known.iter().find(|known| known.key() == problem.key()) {
        None => true,
        Some(known) => {
            problem::grows(known.kind)
                && known.text != problem.text
                && now.since(known.notified_at) >= GROWTH_INTERVAL
        }
    }
}

/// One notice for each destination and recipient, but not through the destination it is about.
fn notices_of(
    key: &ProblemKey,
    notice: &Notice,
    notify: &[String],
    targets: &Targets,
    now: Timestamp,
) -> Result<Vec<NewMessage>, StoreError> {
    let about_destination = problem::is_about_destination(key.kind);
    let content = serde_json::to_string(notice)?;
    let mut messages = Vec::new();
    for name in notify.iter().filter(|name| !(about_destination && **name == key.subject)) {
        let Some(target) = targets.by_name.get(name) else { continue };
        for recipient in target.destination.recipients() {
            let at = now.0.to_string();
            let id = ids::message_id(&["operator", name, &recipient, &content, &key.subject, &at]);
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
