//! The fake receivers of messages: chats and webhooks. Keeps what arrives, answers as configured.

use super::fault::{Line, status};
use super::wire::Cutter;
use crate::clock::Clock;
use crate::destination::Kind;
use crate::domain::Timestamp;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// At most so many bytes of a message are read; more is answered with 413.
const MAX_BODY: usize = 4 * 1024 * 1024;
/// So many messages are kept, the oldest go first: a demo may run for days.
const MAX_KEPT: usize = 10_000;

/// What arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Received {
    /// Its number, from 0.
    pub number: u64,
    /// The path it was posted to: `/slack/support`.
    pub path: String,
    /// Its headers, names in lower case.
    pub headers: BTreeMap<String, String>,
    /// Its body.
    pub body: String,
    /// When it arrived.
    pub at: Timestamp,
    /// The status it is answered with; none where no answer is given.
    pub status: Option<u16>,
}

/// How a message is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// As the receivers of the kind do when all is well.
    Fine,
    /// This.
    Status {
        /// The status code.
        code: u16,
        /// More headers.
        headers: Vec<(String, String)>,
        /// The body.
        body: String,
    },
    /// The connection is closed at once; nothing is kept.
    Reset,
    /// The message is kept, and the connection closed without an answer.
    ResetAfterReading,
    /// The message is kept, and no answer comes until the server ends.
    Slow,
}

impl Answer {
    /// [`Answer::Status`] without headers.
    pub fn status(code: u16, body: &str) -> Self {
        Self::Status { code, headers: Vec::new(), body: body.to_owned() }
    }
}

/// Receivers at `/KIND/NAME`, of each kind of [`crate::destination::TABLE`] that sends to a URL.
pub struct Inbox {
    clock: Clock,
    closing: watch::Sender<bool>,
    /// How many were kept so far.
    total: watch::Sender<u64>,
    state: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    received: VecDeque<Received>,
    taken: u64,
    answers: BTreeMap<String, VecDeque<Answer>>,
    standing: BTreeMap<String, Answer>,
}

impl Inbox {
    /// An empty inbox where everything is fine.
    pub fn new(clock: Clock) -> Arc<Self> {
        let (closing, total) = (watch::Sender::new(false), watch::Sender::new(0));
        Arc::new(Self { clock, closing, total, state: Mutex::default() })
    }

    /// The receivers. [`super::serve_inbox`] serves them so that connections can be cut.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(handle).with_state(self)
    }

    /// The next message to `path` (`/slack/support`) that has no answer yet gets this one; without one, fine.
    pub fn answer(&self, path: &str, answer: Answer) {
        self.state().answers.entry(path.to_owned()).or_default().push_back(answer);
    }

    /// From now on, messages to `path` without a planned answer get this one.
    pub fn answer_all(&self, path: &str, answer: Answer) {
        self.state().standing.insert(path.to_owned(), answer);
    }

    /// Everything kept, oldest first.
    pub fn received(&self) -> Vec<Received> {
        self.received_from(0)
    }

    /// What is kept of the messages whose number is at least `number`, oldest first.
    pub fn received_from(&self, number: u64) -> Vec<Received> {
        let state = self.state();
        let newer = state.received.iter().rev().take_while(|received| received.number >= number).count();
        state.received.range(state.received.len() - newer..).cloned().collect()
    }

    /// What was posted to `path`, oldest first.
    pub fn received_at(&self, path: &str) -> Vec<Received> {
        self.state().received.iter().filter(|received| received.path == path).cloned().collect()
    }

    /// Waits until more than `seen` messages were kept in all, then gives those beyond, oldest first, and how
    /// many there were in all: what to wait with next. Of more than are kept the oldest are gone.
    pub async fn beyond(&self, seen: u64) -> (Vec<Received>, u64) {
        let mut total = self.total.subscribe();
        // The sender lives as long as `self`.
        let _ = total.wait_for(|total| *total > seen).await;
        let state = self.state();
        let total = *self.total.borrow();
        let fresh = usize::try_from(total.saturating_sub(seen)).unwrap_or(usize::MAX);
        let skipped = state.received.len().saturating_sub(fresh);
        (state.received.iter().skip(skipped).cloned().collect(), total)
    }

    pub(super) fn closing(&self) -> watch::Sender<bool> {
        self.closing.clone()
    }

    fn state(&self) -> MutexGuard<'_, Kept> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn planned(&self, path: &str) -> Answer {
        let mut state = self.state();
        let next = state.answers.get_mut(path).and_then(VecDeque::pop_front);
        next.or_else(|| state.standing.get(path).cloned()).unwrap_or(Answer::Fine)
    }

    fn keep(&self, path: &str, headers: &HeaderMap, body: &[u8], status: Option<u16>) {
        let headers = headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let mut received = Received {
            number: 0,
            path: path.to_owned(),
            headers: headers.collect(),
            body: String::from_utf8_lossy(body).into_owned(),
            at: self.clock.now(),
            status,
        };
        let mut state = self.state();
        received.number = state.taken;
        state.taken += 1;
        state.received.push_back(received);
        if state.received.len() > MAX_KEPT {
            state.received.pop_front();
        }
        // Under the lock, so that the count and what is kept agree.
        self.total.send_modify(|total| *total += 1);
    }
}

/// The kind whose receivers are at `path`: `/KIND/NAME`.
pub fn kind_of(path: &str) -> Option<&'static Kind> {
    let (kind, name) = path.strip_prefix('/')?.split_once('/')?;
    Kind::named(kind).filter(|_| !name.is_empty() && !name.contains('/'))
}

async fn handle(State(inbox): State<Arc<Inbox>>, request: Request) -> Response {
    let cutter = request.extensions().get::<ConnectInfo<Cutter>>().map(|info| info.0.clone());
    let line = Line { cutter, closing: inbox.closing.subscribe() };
    let (parts, body) = request.into_parts();
    let path = parts.uri.path();
    let Some(fine) = kind_of(path).and_then(|kind| kind.fixture.answer.as_ref()) else {
        return status(404, &[], "no_service".into());
    };
    if parts.method != Method::POST {
        return status(405, &[], String::new());
    }
    let answer = inbox.planned(path);
    if answer == Answer::Reset {
        return line.reset();
    }
    let Ok(body) = to_bytes(body, MAX_BODY).await else {
        return status(413, &[], "too_large".into());
    };
    let code = match &answer {
        Answer::Fine => Some(fine.status),
        Answer::Status { code, .. } => Some(*code),
        Answer::Reset | Answer::ResetAfterReading | Answer::Slow => None,
    };
    inbox.keep(path, &parts.headers, &body, code);
    match answer {
        Answer::Fine => {
            let kind = if fine.body.starts_with('{') { "application/json" } else { "text/plain" };
            status(fine.status, &[("content-type".to_owned(), kind.to_owned())], fine.body.to_owned())
        }
        Answer::Status { code, headers, body } => status(code, &headers, body),
        Answer::Reset | Answer::ResetAfterReading => line.reset(),
        Answer::Slow => {
            line.until_closing().await;
            line.reset()
        }
    }
}
