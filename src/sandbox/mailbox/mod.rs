//! A fake mailbox: receives mail by real SMTP on loopback, keeps it, and answers as configured.

mod mime;
mod session;

pub use mime::{Parsed, parse_mail};

use crate::clock::Clock;
use crate::domain::Timestamp;
use crate::task::Group;
use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use tokio::net::TcpListener;

/// So many mails are kept, the oldest go first: a demo may run for days.
const MAX_KEPT: usize = 1_000;
/// So many connections are served at once; more wait in the listener's queue.
const MAX_CONNECTIONS: usize = 32;
/// What stands in the way of accepting (file descriptors, say) is waited for so long.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// A mail that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Its number, from 0.
    pub number: u64,
    /// When it was taken.
    pub at: Timestamp,
    /// The envelope's sender; empty for bounces.
    pub sender: String,
    /// The envelope's recipients.
    pub recipients: Vec<String>,
    /// As it was sent, without the dots of the transfer.
    pub raw: Vec<u8>,
    /// What a reader sees of it.
    pub parsed: Parsed,
}

/// The stage of the dialogue at which a configured reply is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// In place of the greeting.
    Greeting,
    /// To `EHLO` or `HELO`.
    Hello,
    /// To `AUTH`.
    Login,
    /// To `MAIL`.
    Sender,
    /// To `RCPT`.
    Recipient,
    /// To `DATA`.
    Data,
    /// To the end of the message.
    Message,
}

/// A reply in place of the normal one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// This line, without its end: `451 4.3.0 Try again later`. The mail is not kept.
    Line(String),
    /// These bytes as they are, whatever they are; a message that had ended is kept.
    Bytes(Vec<u8>),
    /// Nothing, until the client leaves; the mail is not kept.
    Silence,
    /// The normal reply, this much later by the mailbox's clock.
    Late(Duration),
    /// The connection is closed; the mail is not kept.
    Close,
    /// The connection is closed; a message that had ended is kept.
    CloseAfterKeeping,
}

/// A mailbox for every address there is.
pub struct Mailbox {
    clock: Clock,
    state: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    mails: VecDeque<Mail>,
    taken: u64,
    replies: BTreeMap<Stage, VecDeque<Reply>>,
}

impl Mailbox {
    /// An empty mailbox where all is well.
    pub fn new(clock: Clock) -> Arc<Self> {
        Arc::new(Self { clock, state: Mutex::default() })
    }

    /// The next time the dialogue gets to `stage`, this is the reply.
    pub fn reply(&self, stage: Stage, reply: Reply) {
        self.state().replies.entry(stage).or_default().push_back(reply);
    }

    /// Every mail kept, oldest first.
    pub fn received(&self) -> Vec<Mail> {
        self.received_from(0)
    }

    /// The mails kept whose number is at least `number`, oldest first.
    pub fn received_from(&self, number: u64) -> Vec<Mail> {
        self.state().mails.iter().filter(|mail| mail.number >= number).cloned().collect()
    }

    fn keep(&self, sender: &str, recipients: &[String], raw: Vec<u8>) {
        let parsed = mime::parse_mail(&raw);
        let at = self.clock.now();
        let mut state = self.state();
        let number = state.taken;
        state.taken += 1;
        let (sender, recipients) = (sender.to_owned(), recipients.to_vec());
        state.mails.push_back(Mail { number, at, sender, recipients, raw, parsed });
        if state.mails.len() > MAX_KEPT {
            state.mails.pop_front();
        }
    }

    fn reply_at(&self, stage: Stage) -> Option<Reply> {
        self.state().replies.get_mut(&stage).and_then(VecDeque::pop_front)
    }

    fn state(&self) -> MutexGuard<'_, Kept> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Serves `mailbox` on `listener` until `shutdown`; connections still open then are dropped.
pub async fn serve_mailbox(listener: TcpListener, mailbox: Arc<Mailbox>, shutdown: impl Future<Output = ()>) {
    let mut sessions: Group<io::Result<()>> = Group::default();
    tokio::pin!(shutdown);
    loop {
        let full = sessions.len() >= MAX_CONNECTIONS;
        tokio::select! {
            () = &mut shutdown => return,
            // A session that broke off has already answered its client; there is nobody else to notify.
            _ = sessions.next(), if !sessions.is_empty() => {}
            accepted = listener.accept(), if !full => match accepted {
                Ok((stream, _)) => {
                    // Replies are small: waiting for more to send with them costs 40 ms each.
                    let _ = stream.set_nodelay(true);
                    sessions.start(session::serve(stream, mailbox.clone()));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
}

#[cfg(test)]
mod tests;
