//! The fake itself, and the real client against it over real sockets.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::disallowed_methods)]

mod client;
mod fake;
mod pages;

use super::*;
use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::outbound::Outbound;
use crate::settings::Secret;
use crate::upstream::{
    Budget, Client, Credentials, Denied, Endpoints, ErrorKind, Purpose, Settings, Upstream, UpstreamError,
};
use async_trait::async_trait;
use std::sync::Mutex;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

pub(super) const NOW: Timestamp = Timestamp(1_772_366_400_000);

/// A budget that grants everything unless told otherwise, and remembers.
#[derive(Default)]
pub(super) struct Open {
    pub(super) taken: Mutex<Vec<Purpose>>,
    pub(super) holds: Mutex<Vec<Timestamp>>,
    pub(super) deny: Mutex<Option<Denied>>,
}

#[async_trait]
impl Budget for Open {
    async fn take(&self, purpose: Purpose) -> Result<(), Denied> {
        self.taken.lock().unwrap().push(purpose);
        self.deny.lock().unwrap().clone().map_or(Ok(()), Err)
    }

    async fn hold(&self, until: Timestamp) {
        self.holds.lock().unwrap().push(until);
    }
}

/// A served sandbox.
pub(super) struct Served {
    pub(super) sandbox: Arc<Sandbox>,
    pub(super) address: std::net::SocketAddr,
    pub(super) budget: Arc<Open>,
    pub(super) clock: Clock,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<io::Result<()>>,
}

impl Served {
    pub(super) async fn start(options: Options) -> Self {
        let clock = Clock::manual(NOW);
        let sandbox = Sandbox::new(options, clock.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let shutdown = async { stopped.await.unwrap_or_default() };
        let server = tokio::spawn(serve(listener, Arc::clone(&sandbox), shutdown));
        Self { sandbox, address, budget: Arc::default(), clock, stop: Some(stop), server }
    }

    /// Stops it and waits until it has.
    pub(super) async fn stop(mut self) {
        self.stop.take().unwrap().send(()).unwrap();
        self.server.await.unwrap().unwrap();
    }

    pub(super) fn settings(&self) -> Settings {
        settings(&format!("http://{}{BASE_PATH}", self.address), token(&self.sandbox.options.token))
    }

    pub(super) fn login_settings(&self) -> Settings {
        let options = &self.sandbox.options;
        let password = Secret::new(&*options.password);
        Settings {
            credentials: Credentials::Login { email: options.email.clone(), password },
            ..self.settings()
        }
    }

    pub(super) fn client(&self, settings: &Settings) -> Client {
        client(settings, &self.budget, &self.clock)
    }
}

pub(super) fn token(token: &str) -> Credentials {
    Credentials::Token(Secret::new(token))
}

pub(super) fn settings(base_url: &str, credentials: Credentials) -> Settings {
    Settings {
        base_url: base_url.parse().unwrap(),
        credentials,
        endpoints: Endpoints::default(),
        requests_per_minute: 30,
        max_page_bytes: 1 << 20,
        allow_http: false,
    }
}

pub(super) fn client(settings: &Settings, budget: &Arc<Open>, clock: &Clock) -> Client {
    // Another test may have done it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::new(
        settings,
        "main",
        Arc::clone(budget) as Arc<dyn Budget>,
        clock.clone(),
        false,
        &Outbound::default(),
    )
    .unwrap()
}

/// Everything that is unread, read as a poller does: until a page brings nothing new or there is no next.
pub(super) async fn list_all(client: &Client) -> Result<Vec<crate::upstream::Item>, UpstreamError> {
    let mut items = Vec::new();
    let mut cursor = None;
    loop {
        let page = client.unread_page(cursor.as_ref()).await?;
        let before = items.len();
        for item in page.items {
            if !items.contains(&item) {
                items.push(item);
            }
        }
        cursor = page.next;
        if cursor.is_none() || items.len() == before {
            return Ok(items);
        }
    }
}

pub(super) fn kind<T: std::fmt::Debug>(result: Result<T, UpstreamError>) -> ErrorKind {
    result.unwrap_err().kind
}
