//! A faithful fake of the ShopReviews API and of the places messages go to: for tests, for the `sandbox`
//! command and for the demo. Speaks real HTTP; everything that can go wrong can be made to go wrong.

mod api;
mod catalog;
mod fault;
pub mod hostile;
mod inbox;
mod listing;
mod mailbox;
mod options;
mod phrases;
mod reviews;
mod route;
mod state;
mod wire;

pub use fault::Fault;
pub use inbox::{Answer, Inbox, Received, kind_of};
pub use listing::Shape;
pub use mailbox::{Mail, Mailbox, Parsed, Reply, Stage, parse_mail, serve_mailbox};
pub use options::Options;
pub use state::Sandbox;

use axum::Router;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;

/// The path that the fake API lives at: `base_url` is `http://ADDRESS/api/v1`.
pub const BASE_PATH: &str = "/api/v1";

/// Where [`serve_with_inbox`] has the receivers: `http://ADDRESS/inbox/slack/NAME`.
pub const INBOX_PATH: &str = "/inbox";

/// Serves `sandbox` on `listener` until `shutdown`; reviews arrive while it does, where its options say so.
pub async fn serve(
    listener: TcpListener,
    sandbox: Arc<Sandbox>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let closing = sandbox.closing();
    tokio::select! {
        result = serve_router(listener, Arc::clone(&sandbox).router(), closing, shutdown) => result,
        () = arriving(&sandbox) => Ok(()),
    }
}

/// Like [`serve`], with `inbox` at [`INBOX_PATH`].
pub async fn serve_with_inbox(
    listener: TcpListener,
    sandbox: Arc<Sandbox>,
    inbox: Arc<Inbox>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (closing, inbox_closing) = (sandbox.closing(), inbox.closing());
    let router = Arc::clone(&sandbox).router().nest_service(INBOX_PATH, inbox.router());
    let shutdown = async move {
        shutdown.await;
        inbox_closing.send_replace(true);
    };
    tokio::select! {
        result = serve_router(listener, router, closing, shutdown) => result,
        () = arriving(&sandbox) => Ok(()),
    }
}

/// Lets reviews arrive, for ever.
async fn arriving(sandbox: &Sandbox) {
    loop {
        tokio::time::sleep(sandbox.every().unwrap_or(Duration::MAX)).await;
        sandbox.arrive(1);
    }
}

/// Serves `inbox` on `listener` until `shutdown`.
pub async fn serve_inbox(
    listener: TcpListener,
    inbox: Arc<Inbox>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let closing = inbox.closing();
    serve_router(listener, inbox.router(), closing, shutdown).await
}

async fn serve_router(
    listener: TcpListener,
    router: Router,
    closing: watch::Sender<bool>,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let service = router.into_make_service_with_connect_info::<wire::Cutter>();
    let shutdown = async move {
        shutdown.await;
        // Answers that never come would hold the server up.
        closing.send_replace(true);
    };
    axum::serve(wire::Wire(listener), service).with_graceful_shutdown(shutdown).await
}

#[cfg(test)]
mod tests;
