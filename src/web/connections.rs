//! Serves connections within bounds: so many, and each only so long without a request.

use crate::task::Group;
use axum::Router;
use axum::extract::Request;
use axum::middleware::{self, Next};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Connections that may be open. For one more, the one that has been without a request for the longest is closed.
pub const MOST: usize = 64;
/// The time that a connection has for the head of its next request.
pub const HEAD_WITHIN: Duration = Duration::from_secs(5);
/// The pause where no connection can be accepted: mostly for want of descriptors, which passes.
const PAUSE: Duration = Duration::from_millis(500);

/// Serves until `shutdown` ends.
pub(super) async fn serve(listener: TcpListener, router: Router, shutdown: impl Future<Output = ()>) {
    let mut serving = Serving { router, open: Vec::new(), turns: Arc::default(), tasks: Group::default() };
    let mut failed = false;
    tokio::pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return,
            Some(_) = serving.tasks.next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    failed = false;
                    serving.start(stream);
                }
                Err(error) => {
                    if !std::mem::replace(&mut failed, true) {
                        tracing::warn!(error = %error, "no connection to the health endpoint can be accepted; will be retried");
                    }
                    tokio::time::sleep(PAUSE).await;
                }
            },
        }
    }
}

struct Serving {
    router: Router,
    open: Vec<Weak<Connection>>,
    /// Counts how often a connection began to wait for a request.
    turns: Arc<AtomicU64>,
    tasks: Group<()>,
}

/// An open connection.
#[derive(Default)]
struct Connection {
    /// Its turn to be closed while it waits for a request; 0 while it answers one.
    waits: AtomicU64,
    close: Notify,
}

impl Serving {
    fn start(&mut self, stream: TcpStream) {
        if !self.make_room() {
            return;
        }
        let connection = Arc::new(Connection::default());
        let turns = self.turns.clone();
        wait(&connection, &turns);
        self.open.push(Arc::downgrade(&connection));
        let own = connection.clone();
        let router = self.router.clone().layer(middleware::from_fn(move |request: Request, next: Next| {
            let (own, turns) = (own.clone(), turns.clone());
            async move {
                own.waits.store(0, Ordering::Relaxed);
                let answer = next.run(request).await;
                wait(&own, &turns);
                answer
            }
        }));
        self.tasks.start(async move {
            let mut builder = Builder::new(TokioExecutor::new()).http1_only();
            builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN);
            tokio::select! {
                // Whoever asks sees what went wrong; there is nothing to do about it here.
                _ = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)) => {}
                () = connection.close.notified() => {}
            }
        });
    }

    /// Whether one more may be open; closes one that waits where there would be too many.
    fn make_room(&mut self) -> bool {
        self.open.retain(|connection| connection.strong_count() > 0);
        if self.open.len() < MOST {
            return true;
        }
        let waits = self.open.iter().enumerate().filter_map(|(index, connection)| {
            let turn = connection.upgrade()?.waits.load(Ordering::Relaxed);
            (turn > 0).then_some((turn, index))
        });
        let Some((_, index)) = waits.min() else { return false };
        if let Some(connection) = self.open.swap_remove(index).upgrade() {
            connection.close.notify_one();
        }
        true
    }
}

fn wait(connection: &Connection, turns: &AtomicU64) {
    connection.waits.store(turns.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
}
