//! What is served over HTTP: whether the bridge is alive, and whether it is ready.
//!
//! Both are open to everybody and say no more than a probe needs. Neither's status depends on the verdict.

mod config_status;
mod connections;

pub use config_status::ConfigStatus;
pub use connections::{HEAD_WITHIN, MOST};

use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::operator::Look;
use crate::store::SharedStore;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use std::future::Future;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What the probes look at.
#[derive(Clone)]
pub struct Health {
    store: SharedStore,
    clock: Clock,
    config: watch::Receiver<ConfigStatus>,
    looks: watch::Receiver<Look>,
}

impl Health {
    /// Probes of `store`, of the configuration, of the polls of its accounts, and of what the operator's watch sees.
    pub fn new(
        store: SharedStore,
        clock: Clock,
        config: watch::Receiver<ConfigStatus>,
        looks: watch::Receiver<Look>,
    ) -> Self {
        Self { store, clock, config, looks }
    }
}

/// Serves until `shutdown` ends.
pub async fn serve(
    listener: TcpListener,
    health: Health,
    shutdown: impl Future<Output = ()> + Send + 'static,
) {
    connections::serve(listener, router(health), shutdown).await;
}

/// The routes.
pub fn router(health: Health) -> Router {
    Router::new()
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .fallback(|| async { (StatusCode::NOT_FOUND, "not found: see /healthz and /readyz\n") })
        .with_state(health)
}

/// 200 while the process runs, whatever else is wrong; nothing is read for it.
async fn alive(State(health): State<Health>) -> Response {
    let (now, look) = (health.clock.now(), health.looks.borrow().clone());
    let age = |at: Timestamp| now.since(at).as_secs().to_string();
    let ages = look.polled.iter().map(|(account, at)| format!(" {account}={}", at.map_or("-".into(), age)));
    let verdict = look.judgement.verdict.as_str();
    let body = format!("ok\nverdict: {verdict}\npoll_age_seconds:{}\n", ages.collect::<String>());
    (StatusCode::OK, no_store(), body).into_response()
}

/// 200 when the state answers (a configuration is loaded, or nothing would be served).
async fn ready(State(health): State<Health>) -> Response {
    let now = health.clock.now();
    let config = health.config.borrow().clone();
    let mut accounts = serde_json::Map::new();
    for name in &config.accounts {
        match health.store.account(name).await {
            Ok(record) => {
                let age = record.last_success_at.map(|at| now.since(at).as_secs());
                let polled =
                    serde_json::json!({ "poll_age_seconds": age, "failed_polls": record.failed_polls });
                accounts.insert(name.clone(), polled);
            }
            Err(error) => {
                tracing::error!(error = %error, "not ready");
                let body = serde_json::json!({ "ready": false, "why": "the state cannot be read" });
                return (StatusCode::SERVICE_UNAVAILABLE, no_store(), Json(body)).into_response();
            }
        }
    }
    let configuration = config.to_json();
    let verdict = health.looks.borrow().judgement.verdict.as_str();
    let body = serde_json::json!({
        "ready": true,
        "verdict": verdict,
        "accounts": accounts,
        "configuration": configuration,
    });
    (StatusCode::OK, no_store(), Json(body)).into_response()
}

fn no_store() -> [(header::HeaderName, &'static str); 1] {
    [(header::CACHE_CONTROL, "no-store")]
}
