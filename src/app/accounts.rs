//! The loops of the accounts: one for each there is, begun and ended as the configuration says.

use super::daemon::{Newest, Signals};
use super::watch::Pulse;
use super::wiring::{Shared, Wiring};
use super::{AccountWorker, AppError, names};
use crate::domain::Timestamp;
use crate::intake::Plan;
use crate::store::StoreError;
use crate::task::Group;
use std::collections::BTreeSet;
use std::sync::Arc;

/// What every loop of an account is given.
#[derive(Clone)]
pub(super) struct AccountLoops {
    pub shared: Shared,
    pub newest: Newest,
    pub signals: Signals,
    pub pulse: Pulse,
}

impl AccountLoops {
    /// Begins with `workers`, and starts a loop for each account that is added. That of one that is removed
    /// ends on its own.
    pub async fn run(mut self, workers: Vec<AccountWorker>) -> Result<(), AppError> {
        let mut running: BTreeSet<String> = BTreeSet::new();
        let mut loops: Group<(String, Result<(), StoreError>)> = Group::default();
        for worker in workers {
            running.insert(worker.name.clone());
            loops.start(self.clone().account(worker));
        }
        while !self.signals.is_stopped() {
            let wiring = self.newest.borrow_and_update().clone();
            for name in wiring.accounts.keys() {
                if running.contains(name) {
                    continue;
                }
                if let Some(worker) = AccountWorker::new(name, &wiring, &self.shared).await? {
                    running.insert(name.clone());
                    loops.start(self.clone().account(worker));
                }
            }
            tokio::select! {
                // Where nothing reloads, there is no other to come.
                Ok(()) = self.newest.changed() => {}
                Some(ended) = loops.next() => {
                    // If one of them ends, so does the bridge: an account must not fall silent.
                    let (name, result) = ended?;
                    result?;
                    running.remove(&name);
                }
                () = self.signals.stopped() => {}
            }
        }
        Ok(())
    }

    async fn account(mut self, mut worker: AccountWorker) -> (String, Result<(), StoreError>) {
        let result = self.steps(&mut worker).await;
        (worker.name, result)
    }

    async fn steps(&mut self, worker: &mut AccountWorker) -> Result<(), StoreError> {
        // What the names of the configuration were last compared with.
        let mut compared = None;
        while !self.signals.is_stopped() {
            let wiring: Arc<Wiring> = self.newest.borrow_and_update().clone();
            if !worker.follow(&wiring, &self.shared).await? {
                return Ok(());
            }
            let Some(step) = self.signals.units.unless_stepped(worker.step()).await else {
                // Dropped half-way for a step of the clock: what it did is in state, and it begins again.
                if let Some(again) = AccountWorker::new(&worker.name, &wiring, &self.shared).await? {
                    *worker = again;
                }
                continue;
            };
            let step = step?;
            let now = Some((worker.poller.names_at(), worker.plan.clone()));
            if !is_same(&compared, &now) {
                names::look(&wiring, &self.shared.store, &worker.name).await?;
                compared = now;
            }
            if self.newest.has_changed().unwrap_or(false) {
                self.signals.enqueued_outdated();
            }
            if step.enqueued {
                self.signals.enqueued.notify_one();
            }
            if step.poll.as_ref().is_some_and(|poll| poll.error.is_none()) {
                self.pulse.polled(&worker.name);
            }
            self.signals.sleep(worker.pause_after(&step), &self.signals.settled).await;
        }
        Ok(())
    }
}

/// When names were loaded, and by which plan they are used.
type Compared = Option<(Option<Timestamp>, Arc<Plan>)>;

fn is_same(before: &Compared, now: &Compared) -> bool {
    match (before, now) {
        (Some((at, plan)), Some((now_at, now_plan))) => at == now_at && Arc::ptr_eq(plan, now_plan),
        (before, now) => before.is_none() && now.is_none(),
    }
}
