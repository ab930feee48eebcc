//! Health is served as soon as the state is open and the configuration known: before what is left of the start, which
//! takes longer the more the state holds.

use super::AppError;
use super::daemon::Loops;
use crate::clock::Clock;
use crate::config::Settings;
use crate::domain::Timestamp;
use crate::operator::Look;
use crate::store::SharedStore;
use crate::web::{self, ConfigStatus};
use std::net::SocketAddr;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// Health that is served, where it is, and what tells it to stop.
pub(super) struct Health {
    /// Where it is served.
    pub addr: Option<SocketAddr>,
    /// What serves it; it ends with this.
    pub loops: Loops,
    /// What it says of the configuration.
    pub config_status: watch::Sender<ConfigStatus>,
    /// What the operator's watch sees, for what it says of the bridge.
    pub looks: watch::Sender<Look>,
    /// Ends it, and whatever else listens to this.
    pub stop: watch::Sender<bool>,
}

impl Health {
    /// Serves on `listener`, where there is one.
    pub fn serve(
        listener: Option<TcpListener>,
        settings: &Settings,
        store: &SharedStore,
        clock: &Clock,
    ) -> Self {
        let status = watch::Sender::new(config_status(settings, clock.now()));
        let looks = watch::Sender::new(Look::default());
        let stop = watch::Sender::new(false);
        let mut loops = Loops::default();
        let addr = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        if let Some(listener) = listener {
            let health =
                web::Health::new(store.clone(), clock.clone(), status.subscribe(), looks.subscribe());
            let mut stopping = stop.subscribe();
            loops.start(async move {
                let stopped = async move {
                    // A sender that is gone means the same.
                    let _ = stopping.wait_for(|stop| *stop).await;
                };
                web::serve(listener, health, stopped).await;
                Ok(())
            });
        }
        Self { addr, loops, config_status: status, looks, stop }
    }
}

/// The listener of `http.listen`; none where it is "".
pub(super) async fn listen(settings: &Settings) -> Result<Option<TcpListener>, AppError> {
    let Some(addr) = settings.http.listen else { return Ok(None) };
    TcpListener::bind(addr).await.map(Some).map_err(|source| AppError::Listen { addr, source })
}

/// What probes report about `settings` from `now` on.
pub(super) fn config_status(settings: &Settings, now: Timestamp) -> ConfigStatus {
    ConfigStatus { accounts: settings.accounts.keys().cloned().collect(), loaded_at: now, refused_at: None }
}
