//! Notices problems, and notifies the operator: once when one has lasted long enough, daily while it lasts, once when it
//! is over.
//!
//! [`problem::assess`] is pure, as are [`words`] and [`verdict`]; [`Operator::tick`] compares what they say with what the
//! state knows of earlier problems and queues notices. They are sent like every message.

mod course;
mod heart;
mod names;
pub mod problem;
pub mod verdict;
pub mod words;

pub use heart::Heart;

use crate::domain::{Concern, MessageKind, Notice, NoticeState, ProblemKind, Severity, Timestamp};
use crate::outbox::Targets;
use crate::store::{
    Backlog, NewMessage, ProblemFacts, ProblemKey, ProblemRecord, SharedStore, StoreError, ids,
};
use course::{Said, next};
use problem::{AccountView, DestinationView, Problem, View};
use std::collections::BTreeMap;
use std::time::Duration;
use verdict::{Judgement, Standing};

/// How long the notice of an end waits until what was queued has been sent, to say how many that were.
const END_WAITS: Duration = Duration::from_secs(5 * 60);

/// Watches for problems.
pub struct Operator {
    store: SharedStore,
    /// Which bridge speaks.
    name: Option<String>,
    /// Templates that failed, by destination; forgotten with the configuration, for the next reads them again.
    fallbacks: BTreeMap<String, String>,
    /// The accounts there are; all that the state knows, until it is said.
    accounts: Option<BTreeMap<String, AccountView>>,
    look: Look,
}

/// What the last tick saw.
#[derive(Clone, Debug, Default)]
pub struct Look {
    /// The verdict.
    pub judgement: Judgement,
    /// Whether a problem that keeps reviews from their people has been notified and lasts.
    pub is_alarmed: bool,
    /// When each account was last polled well.
    pub polled: BTreeMap<String, Option<Timestamp>>,
}

/// What one tick changes.
#[derive(Default)]
struct Round {
    kept: Vec<ProblemRecord>,
    over: Vec<ProblemKey>,
    notices: Vec<NewMessage>,
    /// How many problems began, lasted or ended with a notice.
    news: usize,
}

/// Whom notices go to, at a time.
struct Audience<'a> {
    notify: &'a [String],
    targets: &'a Targets,
    now: Timestamp,
}

impl Operator {
    /// An operator's watch over `store`.
    pub fn new(store: SharedStore) -> Self {
        Self { store, name: None, fallbacks: BTreeMap::new(), accounts: None, look: Look::default() }
    }

    /// There is a configuration, in which the bridge is called `name` and has these accounts: problems of others are
    /// over, and so are those of templates.
    pub fn configured(&mut self, name: &str, accounts: BTreeMap<String, AccountView>) {
        self.name = Some(name.to_owned()).filter(|name| !name.is_empty());
        self.accounts = Some(accounts);
        self.fallbacks.clear();
    }

    /// A template of `destination` failed on a message.
    pub fn template_failed(&mut self, destination: &str, error: &str) {
        self.fallbacks.entry(destination.to_owned()).or_insert_with(|| error.to_owned());
    }

    /// What the last tick saw.
    pub fn look(&self) -> &Look {
        &self.look
    }

    /// Assesses, and queues notices for the destinations `notify`. Returns how many problems were notified.
    pub async fn tick(
        &mut self,
        notify: &[String],
        targets: &Targets,
        now: Timestamp,
    ) -> Result<usize, StoreError> {
        let facts = self.store.problem_facts(now).await?;
        let view = View {
            accounts: self.accounts.clone(),
            destinations: destinations_of(targets, now),
            fallbacks: self.fallbacks.clone(),
            running: true,
        };
        let present = problem::assess(&facts, &view, now);
        let known = self.store.problems().await?;
        let audience = Audience { notify, targets, now };
        let mut round = Round::default();
        let mut is_alarmed = false;
        for problem in &present {
            let before = known.iter().find(|record| record.key() == problem.key());
            let record = self.see(problem, before, &audience, &mut round).await?;
            is_alarmed |= problem.kind.severity() == Severity::Stops && record.notified_at.is_some();
        }
        for record in known.iter().filter(|record| !present.iter().any(|one| one.key() == record.key())) {
            let follows = present
                .iter()
                .find(|one| one.subject == record.subject && one.kind.family() == record.kind.family());
            self.end(record, follows, (&facts, &view), &audience, &mut round).await?;
        }
        if !(round.kept.is_empty() && round.over.is_empty()) {
            self.store.notify_operator(&round.kept, &round.over, &round.notices, now).await?;
        }
        let judgement = verdict::verdict(&Standing {
            is_running: true,
            has_state: true,
            bridge: &facts.bridge,
            problems: &present,
            notes: &[],
            now,
        });
        let accounts = facts.accounts.into_iter().filter(|account| view.has_account(&account.name));
        let polled = accounts.map(|account| (account.name, account.record.last_success_at)).collect();
        self.look = Look { judgement, is_alarmed, polled };
        Ok(round.news)
    }

    /// A problem there is, and what is known of it from `before`.
    async fn see(
        &self,
        problem: &Problem,
        before: Option<&ProblemRecord>,
        audience: &Audience<'_>,
        round: &mut Round,
    ) -> Result<ProblemRecord, StoreError> {
        let now = audience.now;
        if before.is_none() {
            tracing::warn!(
                kind = %problem.kind.as_str(),
                subject = %problem.subject,
                hint = %problem.hint,
                "problem: {}",
                problem.text
            );
        }
        let (record, said) = next(problem, before, now);
        if let Some(said) = said {
            let waiting = self.backlog(&record, now).await?.waiting;
            let (state, text) = match said {
                Said::Start => (NoticeState::Started, words::started(&record, waiting)),
                Said::Reminder => (NoticeState::Lasting, words::lasting(&record, waiting, now)),
            };
            let notice = self.notice(record.kind, state, text, record.hint.clone());
            round.notices.extend(notices_of(&record.key(), &notice, audience)?);
            round.news += 1;
        }
        if before != Some(&record) {
            round.kept.push(record.clone());
        }
        Ok(record)
    }

    /// A problem that there is no longer; `follows` is another that has taken its place.
    async fn end(
        &self,
        record: &ProblemRecord,
        follows: Option<&Problem>,
        (facts, view): (&ProblemFacts, &View),
        audience: &Audience<'_>,
        round: &mut Round,
    ) -> Result<(), StoreError> {
        let now = audience.now;
        if follows.is_some() {
            round.over.push(record.key());
            return Ok(());
        }
        let over_at = record.over_at.unwrap_or(now);
        let ended = ProblemRecord { over_at: Some(over_at), ..record.clone() };
        let backlog = self.backlog(record, over_at).await?;
        let is_open =
            facts.destinations.iter().any(|known| known.name == record.subject && known.paused_at.is_none());
        let sends = is_open && view.destinations.contains_key(&record.subject);
        if record.notified_at.is_some() && sends && backlog.waiting > 0 && now.since(over_at) < END_WAITS {
            if record.over_at.is_none() {
                round.kept.push(ended);
            }
            return Ok(());
        }
        let text = words::resolved(facts, view, &ended, backlog, now);
        tracing::info!(kind = %record.kind.as_str(), subject = %record.subject, "resolved: {text}");
        if record.notified_at.is_some() && record.kind != ProblemKind::ScaleLearnt {
            let notice = self.notice(record.kind, NoticeState::Over, text, String::new());
            round.notices.extend(notices_of(&record.key(), &notice, audience)?);
            round.news += 1;
        }
        round.over.push(record.key());
        Ok(())
    }

    /// The reviews that wait because of a problem, and those that were sent since it began.
    async fn backlog(&self, record: &ProblemRecord, until: Timestamp) -> Result<Backlog, StoreError> {
        match record.kind.family() {
            ProblemKind::DestinationBroken => self.store.backlog(&record.subject, record.since, until).await,
            _ => Ok(Backlog::default()),
        }
    }

    fn notice(&self, kind: ProblemKind, state: NoticeState, text: String, hint: String) -> Notice {
        let text = match &self.name {
            Some(name) => format!("{name}: {text}"),
            None => text,
        };
        Notice { kind: kind.as_str().into(), state, text, hint }
    }
}

/// What problems depend on of the destinations of `targets`.
pub fn destinations_of(targets: &Targets, now: Timestamp) -> BTreeMap<String, DestinationView> {
    let view = |(name, target): (&String, &crate::outbox::Target)| {
        let open_since = match &target.hours {
            None => Some(Timestamp(0)),
            Some(hours) => hours.is_open(now).then(|| hours.opened_at(now).unwrap_or_default()),
        };
        (name.clone(), DestinationView { open_since })
    };
    targets.by_name.iter().map(view).collect()
}

/// One notice for each destination and recipient; that a destination does not work is not sent through itself.
fn notices_of(
    key: &ProblemKey,
    notice: &Notice,
    audience: &Audience<'_>,
) -> Result<Vec<NewMessage>, StoreError> {
    let Audience { notify, targets, now } = audience;
    let about = (key.kind.concern() == Concern::Destination).then_some(&key.subject);
    let mut through: Vec<&String> = notify.iter().filter(|name| Some(*name) != about).collect();
    if through.is_empty() && !notify.is_empty() {
        if notice.state == NoticeState::Over {
            through.extend(notify.iter());
        } else {
            tracing::warn!(
                kind = %key.kind.as_str(),
                subject = %key.subject,
                "no other destination is left to notify the operator of this: add one to `operator.notify`"
            );
        }
    }
    let content = serde_json::to_string(notice)?;
    let mut messages = Vec::new();
    for name in through {
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
