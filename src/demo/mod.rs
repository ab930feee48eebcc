//! The demo: the real bridge between a fake API where reviews arrive and fake receivers, in one process, and a
//! page that shows live what they got. Needs no configuration and no network, and leaves nothing behind.

mod config;
mod feed;
mod page;
mod sample_reviews;
mod story;
mod watch;

use crate::app::{App, AppError};
use crate::clock::Clock;
use crate::config::Failure;
use crate::sandbox::{self, Answer, Inbox, Mailbox, Options, Sandbox};
use crate::settings::table::io_text;
use crate::task::Group;
use config::Fakes;
use feed::{Feed, Origin, Place};
use std::future::{Future, pending};
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;
use story::{Beat, Story};
use tempfile::TempDir;
use tokio::net::TcpListener;

/// The same reviews every time, so that a presentation holds no surprises.
const SEED: u64 = 7;
/// How many reviews the fake API keeps after they were read.
const KEPT: usize = 300;
/// How often a paused story checks whether somebody is watching.
const IDLE: Duration = Duration::from_secs(1);

/// Why the demo cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The bridge itself.
    #[error(transparent)]
    App(#[from] AppError),
    /// Its built-in configuration is invalid.
    #[error("the demo's built-in configuration is invalid: {0}")]
    Config(Failure),
    /// The address is not available.
    #[error(
        "cannot listen on {addr}: {why}; free the port, or let the demo pick one with --listen 127.0.0.1:0"
    )]
    Listen {
        /// The address.
        addr: SocketAddr,
        /// Why not.
        why: String,
    },
    /// No folder for the state.
    #[error("cannot create a temporary folder: {0}; is the disk full? Set TMPDIR to use another folder")]
    Folder(String),
}

/// A demo, ready to run.
pub struct Demo {
    app: App,
    feed: Arc<Feed>,
    story: Story,
    page: TcpListener,
    api: TcpListener,
    inbox: TcpListener,
    mailbox: TcpListener,
    // Dropped last: whatever happens, nothing is left behind.
    folder: TempDir,
}

impl Demo {
    /// Builds everything; the page will be at `listen`.
    ///
    /// # Errors
    /// The address is not available, or there is no temporary folder.
    pub async fn start(listen: SocketAddr, clock: Clock) -> Result<Self, DemoError> {
        let page = bind(listen).await?;
        let loopback = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let (api, inbox, mailbox) = (bind(loopback).await?, bind(loopback).await?, bind(loopback).await?);
        let folder = tempfile::Builder::new().prefix("review-bridge-demo-").tempdir();
        let folder = folder.map_err(|error| DemoError::Folder(io_text(&error)))?;
        let at = |listener: &TcpListener| listener.local_addr().unwrap_or(loopback);
        let fakes = Fakes { api: at(&api), inbox: at(&inbox), mailbox: at(&mailbox) };
        let settings = config::load(folder.path(), fakes)?;
        let places = settings.destinations.values().map(Place::new).collect();
        let policy = settings.accounts.get(feed::ACCOUNT).map(|own| own.policy.clone()).unwrap_or_default();

        let options = Options { seed: SEED, requests_per_minute: 1_000_000, ..Options::default() };
        let sandbox = Sandbox::new(options, clock.clone());
        // Of another seed than the fake API: it makes up reviews, and uuids, of its own.
        let mut story = Story::new(SEED + 1, clock.now());
        for review in story.opening(clock.now()) {
            sandbox.add(review);
        }
        let app = App::build(settings, clock.clone()).await?;
        let origin = Origin {
            store: app.store().clone(),
            sandbox,
            inbox: Inbox::new(clock.clone()),
            mailbox: Mailbox::new(clock.clone()),
        };
        let feed = Arc::new(Feed::new(origin, clock, policy, places));
        Ok(Self { app, feed, story, page, api, inbox, mailbox, folder })
    }

    /// Where the page is.
    pub fn addr(&self) -> Option<SocketAddr> {
        self.page.local_addr().ok()
    }

    /// Runs until `shutdown` ends, then removes everything.
    ///
    /// # Errors
    /// The state failed.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), DemoError> {
        let Self { app, feed, story, page, api, inbox, mailbox, folder } = self;
        let mut around: Group<()> = Group::default();
        let (fake_api, fake_inbox) = (feed.sandbox.clone(), feed.inbox.clone());
        around.start(async move {
            let _ = sandbox::serve(api, fake_api, pending()).await;
        });
        around.start(async move {
            let _ = sandbox::serve_inbox(inbox, fake_inbox, pending()).await;
        });
        around.start(sandbox::serve_mailbox(mailbox, feed.mailbox.clone(), pending()));
        around.start(page::serve(page, feed.clone()));
        around.start(play(story, feed));
        // The fakes outlive the bridge, so that its last sends find them.
        let result = app.run(shutdown, None).await;
        drop(around);
        if let Err(error) = folder.close() {
            tracing::error!(error = %error, "cannot remove the demo's temporary folder");
        }
        Ok(result?)
    }
}

async fn bind(addr: SocketAddr) -> Result<TcpListener, DemoError> {
    TcpListener::bind(addr).await.map_err(|error| DemoError::Listen { addr, why: io_text(&error) })
}

/// Plays the story while somebody is watching.
async fn play(mut story: Story, feed: Arc<Feed>) {
    loop {
        let mut pause = IDLE;
        if story.out_until().is_some() || feed.is_watched() {
            let (beats, until_next) = story.next(feed.clock.now());
            for beat in beats {
                happen(beat, &feed);
            }
            feed.set_out_until(story.out_until());
            feed.sandbox.forget_read(KEPT);
            pause = until_next;
        }
        feed.look();
        tokio::time::sleep(pause).await;
    }
}

fn happen(beat: Beat, feed: &Feed) {
    match beat {
        Beat::Arrives(review) => feed.sandbox.add(review),
        Beat::Another => feed.sandbox.arrive(1),
        Beat::Changes { uuid, patch } => {
            if feed.sandbox.edit(&uuid, &patch) {
                feed.sandbox.set_unread(&uuid, true);
            }
        }
        Beat::SlackFails => answer_slack(feed, Answer::status(503, "upstream connect error")),
        Beat::SlackWorks => answer_slack(feed, Answer::Fine),
    }
}

fn answer_slack(feed: &Feed, answer: Answer) {
    for place in feed.places.iter().filter(|place| place.kind == "slack") {
        feed.inbox.answer_all(&format!("/slack/{}", place.name), answer.clone());
    }
}
