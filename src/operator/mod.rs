//! Problem noticed, and told to the operator: once when it starts, once when it is over.
//!
//! [`problem::assess`] is pure; [`Operator::tick`] compares what it says with what was told and queues notices.
//! They are sent like every message.

pub mod problem;

use crate::domain::{MessageKind, Notice, NoticeState, Timestamp};
use crate::outbox::Targets;
use crate::store::{NewMessage, ProblemRecord, SharedStore, StoreError, ids};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How often problem that goes on is told again where it has grown.
const GROWTH_INTERVAL: Duration = Duration::from_secs(3600);

/// Watches for problem.
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

    /// There is a configuration, with these accounts: problem of others is over, and so is that of templates.
    pub fn configured(&mut self, accounts: impl IntoIterator<Item = String>) {
        self.accounts = Some(accounts.into_iter().collect());
        self.fallbacks.clear();
    }

    /// A template of `destination` failed on a message.
    pub fn template_failed(&mut self, destination: &str, error: &str) {
        self.fallbacks.entry(destination.to_owned()).or_insert_with(|| error.to_owned());
    }

    /// Assesses, and queues what the operator has not been told, for the destinations `notify`. Returns how
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
            facts.accounts.retain(|(account, _)| accounts.contains(account));
            facts.catalogs.retain(|(account, _)| accounts.contains(account));
        }
        let present = problem::assess(&facts, &self.fallbacks, now);
        let told = self.store.problems().await?;
        let same = |a: &ProblemRecord, b: &ProblemRecord| a.kind == b.kind && a.subject == b.subject;
        let started: Vec<ProblemRecord> = present
            .iter()
            .filter(|problem| match told.iter().find(|told| same(told, problem)) {
                None => true,
                Some(told) => {
                    problem::grows(&told.kind)
                        && told.text != problem.text
                        && now.since(told.notified_at) >= GROWTH_INTERVAL
                }
            })
            .cloned()
            .collect();
        let over: Vec<&ProblemRecord> =
            told.iter().filter(|told| !present.iter().any(|problem| same(told, problem))).collect();
        if started.is_empty() && over.is_empty() {
            return Ok(0);
        }
        let mut notices = Vec::new();
        for problem in &started {
            let (kind, subject) = (&*problem.kind, &*problem.subject);
            tracing::warn!(kind, subject, hint = %problem.hint, "problem: {}", problem.text);
            notices.extend(self.notices(problem, NoticeState::Started, notify, targets, now)?);
        }
        for problem in &over {
            let (kind, subject) = (&*problem.kind, &*problem.subject);
            tracing::info!(kind, subject, "over: {}", problem.text);
            notices.extend(self.notices(problem, NoticeState::Over, notify, targets, now)?);
        }
        let ended: Vec<(String, String)> =
            over.iter().map(|problem| (problem.kind.clone(), problem.subject.clone())).collect();
        self.store.notify_operator(&started, &ended, &notices, now).await?;
        Ok(started.len() + ended.len())
    }

    /// One notice for each destination and recipient, but not through the destination it is about.
    fn notices(
        &self,
        problem: &ProblemRecord,
        state: NoticeState,
        notify: &[String],
        targets: &Targets,
        now: Timestamp,
    ) -> Result<Vec<NewMessage>, StoreError> {
        let about_destination = problem::is_about_destination(&problem.kind);
        let notice = Notice {
            kind: problem.kind.clone(),
            state,
            text: problem.text.clone(),
            hint: if state == NoticeState::Over { String::new() } else { problem.hint.clone() },
        };
        let content = serde_json::to_string(&notice)?;
        let mut messages = Vec::new();
        for name in notify.iter().filter(|name| !(about_destination && **name == problem.subject)) {
            let Some(target) = targets.by_name.get(name) else { continue };
            for recipient in target.destination.recipients() {
                let at = now.0.to_string();
                let id = ids::message_id(&["operator", name, &recipient, &content, &problem.subject, &at]);
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
