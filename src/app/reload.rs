//! Applies a changed configuration while the bridge runs; a bad one is rejected as a whole.

use super::daemon::Signals;
use super::health::config_status;
use super::wiring::{Shared, Wiring};
use super::{AppError, build_targets, notes};
use crate::config::{self, Contents, Loaded, Reading, Settings};
use crate::outbox::Targets;
use crate::task;
use crate::web::ConfigStatus;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::{Notify, watch};

/// How often contents are compared.
const INTERVAL: Duration = Duration::from_secs(2);
/// Changed files that are named in the log.
const NAMED: usize = 5;

/// How the bridge learns of another configuration.
pub struct Reload {
    /// Reads the configuration as it is now.
    pub read: Box<dyn Fn() -> Reading + Send>,
    /// What the files of the configuration that it starts with held.
    pub contents: Contents,
    /// Notified when a reload is requested.
    pub requested: Arc<Notify>,
    /// The configuration that it starts with, as `config show` prints it.
    pub shown: String,
    /// Called with `log.level` when that has changed.
    pub set_level: Box<dyn Fn(&str) + Send + Sync>,
}

/// What a look at the files shows.
enum Look {
    /// What is known, or something that may still be being written.
    Nothing,
    /// A configuration that cannot be used, and why; reported once.
    Refused { why: String, changed: Vec<PathBuf> },
    /// Another configuration, with its destinations.
    New { loaded: Box<Loaded>, targets: Targets, changed: Vec<PathBuf> },
}

/// Compares contents, a step at a time.
struct Reloader {
    read: Box<dyn Fn() -> Reading + Send>,
    known: Contents,
    /// What differed from what is known at the last look.
    seen: Option<Contents>,
}

impl Reloader {
    fn new(read: Box<dyn Fn() -> Reading + Send>, known: Contents) -> Self {
        Self { read, known, seen: None }
    }

    /// Looks whether contents have changed. A change counts once it stands from one look to the next: half of
    /// a file may be a good configuration that lacks destinations.
    fn tick(&mut self) -> Look {
        let now = self.known.again();
        if now == self.known {
            self.seen = None;
            return Look::Nothing;
        }
        if self.seen.as_ref() != Some(&now) {
            self.seen = Some(now);
            return Look::Nothing;
        }
        let reading = (self.read)();
        if reading.contents.again() != reading.contents {
            self.seen = None;
            return Look::Nothing;
        }
        self.take(reading)
    }

    /// Reads the configuration, whether it has changed or not.
    fn now(&mut self) -> Look {
        let reading = (self.read)();
        self.take(reading)
    }

    fn take(&mut self, Reading { result, contents }: Reading) -> Look {
        let changed = contents.changed_since(&self.known).into_iter().map(Into::into).collect();
        self.known = contents;
        self.seen = None;
        let built = result.map_err(|failure| failure.to_string()).and_then(|loaded| {
            let targets = build_targets(&loaded.settings).map_err(|error| error.to_string())?;
            Ok((Box::new(loaded), targets))
        });
        match built {
            Ok((loaded, targets)) => Look::New { loaded, targets, changed },
            Err(why) => Look::Refused { why: on_one_line(&why), changed },
        }
    }
}

/// Problems are a list for a terminal; a log has a line for each event.
fn on_one_line(text: &str) -> String {
    let mut line = String::new();
    for part in text.lines().map(str::trim).filter(|part| !part.is_empty()) {
        line.push_str(if line.is_empty() { "" } else { "; " });
        line.push_str(part);
    }
    line
}

fn named(changed: &[PathBuf]) -> String {
    let names: Vec<String> = changed.iter().take(NAMED).map(|path| path.display().to_string()).collect();
    match changed.len().saturating_sub(NAMED) {
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}

/// Restores what only a restart can change, and returns which keys that were.
fn keep_fixed(settings: &mut Settings, running: &Settings) -> Vec<&'static str> {
    let mut kept = Vec::new();
    if settings.state.path != running.state.path {
        kept.push("state.url");
    }
    if settings.state.retention != running.state.retention {
        kept.push("state.retention");
    }
    settings.state = running.state.clone();
    if settings.http != running.http {
        kept.push("http.listen");
        settings.http = running.http.clone();
    }
    if settings.log.format != running.log.format {
        kept.push("log.format");
        settings.log.format = running.log.format;
    }
    kept
}

/// Applies each new configuration.
pub(super) struct ReloadLoop {
    pub shared: Shared,
    pub wiring: watch::Sender<Arc<Wiring>>,
    pub config_status: watch::Sender<ConfigStatus>,
    pub signals: Signals,
}

impl ReloadLoop {
    pub async fn run(self, reload: Reload) -> Result<(), AppError> {
        let Reload { read, contents, requested, set_level, .. } = reload;
        let reloader = Arc::new(Mutex::new(Reloader::new(read, contents)));
        while !self.signals.is_stopped() {
            let on_demand = tokio::select! {
                () = tokio::time::sleep(INTERVAL) => false,
                () = requested.notified() => true,
                () = self.signals.stopped() => break,
            };
            if on_demand {
                tracing::info!("reload requested (SIGHUP)");
            }
            let reloader = reloader.clone();
            let look = task::blocking(move || {
                let mut reloader = reloader.lock().unwrap_or_else(PoisonError::into_inner);
                if on_demand { reloader.now() } else { reloader.tick() }
            });
            match look.await? {
                Look::Nothing => {}
                Look::Refused { why, changed } => self.refuse(&why, &changed).await?,
                Look::New { loaded, targets, changed } => {
                    self.apply(*loaded, targets, &changed, &*set_level).await?;
                }
            }
        }
        Ok(())
    }

    async fn refuse(&self, why: &str, changed: &[PathBuf]) -> Result<(), AppError> {
        let now = self.shared.clock.now();
        self.config_status.send_modify(|config_status| config_status.refused_at = Some(now));
        tracing::error!(
            changed = %named(changed),
            "the changed configuration was rejected, the previous one remains active: {why}"
        );
        Ok(notes::refused(&self.shared.store, why, now).await?)
    }

    async fn apply(
        &self,
        loaded: Loaded,
        targets: Targets,
        changed: &[PathBuf],
        set_level: &(dyn Fn(&str) + Send + Sync),
    ) -> Result<(), AppError> {
        let shown = config::show(&loaded);
        let Loaded { mut settings, warnings, .. } = loaded;
        let before = self.wiring.borrow().clone();
        let kept = keep_fixed(&mut settings, &before.settings);
        let level = settings.log.level.clone();
        let wiring = match Wiring::build(settings, targets, &self.shared, Some(&before)) {
            Ok(wiring) => wiring,
            Err(error) => return self.refuse(&on_one_line(&error.to_string()), changed).await,
        };
        if level != before.settings.log.level {
            set_level(&level);
        }
        self.config_status.send_replace(config_status(&wiring.settings, self.shared.clock.now()));
        self.wiring.send_replace(Arc::new(wiring));
        self.signals.enqueued.notify_one();
        tracing::info!(changed = %named(changed), "configuration reloaded");
        for key in kept {
            tracing::warn!("`{key}` changed, which takes effect only after a restart");
        }
        for warning in warnings {
            tracing::warn!("{warning}");
        }
        Ok(notes::loaded(&self.shared.store, shown, self.shared.clock.now()).await?)
    }
}

#[cfg(test)]
#[path = "reload_tests.rs"]
mod tests;
