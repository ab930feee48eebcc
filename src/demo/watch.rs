//! What the receivers really got, and what the API says was marked read: the evidence the page shows.

use crate::domain::Timestamp;
use crate::sandbox::{Inbox, Mail, Mailbox, Received, Sandbox};
use serde::Serialize;
use serde_json::{Value, json};
use std::collections::{HashSet, VecDeque};

/// How many messages of each destination are shown.
const MAX_EACH: usize = 30;
/// The destination that every review goes to, and that says which one it got.
const EVERYTHING: &str = "/webhook/crm";

/// A message that a receiver accepted.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Post {
    /// Its number on the page, from 1.
    pub(super) id: u64,
    /// The destination's name; of a mail, its recipient's.
    pub(super) destination: String,
    /// `slack`, `teams`, `webhook` or `email`.
    pub(super) kind: String,
    /// When it arrived.
    pub(super) at: i64,
    /// What it is.
    pub(super) content: Value,
    /// The HTML of a mail.
    #[serde(skip)]
    pub(super) html: Option<String>,
}

/// Figures over the whole demo.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Tally {
    /// Messages that receivers accepted.
    pub(super) delivered: u64,
    /// Messages that they rejected: each is retried.
    pub(super) refused: u64,
    /// Marks that the API made.
    pub(super) marked: u64,
    /// Reviews marked read that never reached the destination that gets everything.
    pub(super) lost: u64,
}

/// What was seen so far.
#[derive(Debug, Default)]
pub(super) struct Watch {
    next_received: u64,
    next_mail: u64,
    known_marks: usize,
    last_id: u64,
    posts: VecDeque<Post>,
    tally: Tally,
    /// Reviews delivered since they were last marked read.
    delivered: HashSet<String>,
}

enum Seen {
    Received(Received),
    Mail(Mail),
    Marked(String),
}

impl Watch {
    /// Looks at what is new, in the order it happened.
    pub(super) fn look(&mut self, sandbox: &Sandbox, inbox: &Inbox, mailbox: &Mailbox) {
        // Marks first: the messages that must precede a mark are then among those read after it.
        let marks = sandbox.marks_after(self.known_marks);
        self.known_marks += marks.len();
        let mut seen: Vec<(Timestamp, Seen)> = Vec::new();
        for received in inbox.received_from(self.next_received) {
            self.next_received = received.number + 1;
            seen.push((received.at, Seen::Received(received)));
        }
        for mail in mailbox.received_from(self.next_mail) {
            self.next_mail = mail.number + 1;
            seen.push((mail.at, Seen::Mail(mail)));
        }
        seen.extend(marks.into_iter().map(|(uuid, at)| (at, Seen::Marked(uuid))));
        // Stable: of one millisecond, messages come before marks.
        seen.sort_by_key(|(at, _)| *at);
        for (at, seen) in seen {
            match seen {
                Seen::Received(received) => self.received(at, &received),
                Seen::Mail(mail) => self.mail(at, mail),
                Seen::Marked(uuid) => self.marked(&uuid),
            }
        }
    }

    /// The messages after number `after`, oldest first.
    pub(super) fn posts_after(&self, after: u64) -> Vec<&Post> {
        self.posts.iter().filter(|post| post.id > after).collect()
    }

    /// The HTML of mail `id`.
    pub(super) fn html(&self, id: u64) -> Option<&str> {
        self.posts.iter().find(|post| post.id == id)?.html.as_deref()
    }

    /// The figures so far.
    pub(super) fn tally(&self) -> Tally {
        self.tally
    }

    fn received(&mut self, at: Timestamp, received: &Received) {
        if !received.status.is_some_and(|status| (200..300).contains(&status)) {
            self.tally.refused += 1;
            return;
        }
        let mut path = received.path.split('/').skip(1);
        let (kind, destination) = (path.next().unwrap_or_default(), path.next().unwrap_or_default());
        let body = serde_json::from_str(&received.body);
        let body = body.unwrap_or_else(|_| Value::String(received.body.clone()));
        if received.path == EVERYTHING
            && let Some(uuid) = body.pointer("/data/review/uuid").and_then(Value::as_str)
        {
            self.delivered.insert(uuid.to_owned());
        }
        let header = |name: &str| received.headers.get(name).cloned();
        let content = json!({
            "body": body, "webhook_id": header("webhook-id"), "signature": header("webhook-signature"),
        });
        self.keep(at, kind, destination, content, None);
    }

    fn mail(&mut self, at: Timestamp, mail: Mail) {
        let header = |name: &str| mail.parsed.header(name).unwrap_or_default().to_owned();
        let content = json!({
            "from": header("From"), "to": header("To"), "subject": header("Subject"), "text": mail.parsed.text,
            "html": mail.parsed.html.is_some(),
        });
        let recipient = mail.recipients.first().map(String::as_str).unwrap_or_default();
        let name = recipient.split('@').next().unwrap_or_default().to_owned();
        self.keep(at, "email", &name, content, mail.parsed.html);
    }

    fn marked(&mut self, uuid: &str) {
        self.tally.marked += 1;
        self.tally.lost += u64::from(!self.delivered.remove(uuid));
    }

    fn keep(&mut self, at: Timestamp, kind: &str, destination: &str, content: Value, html: Option<String>) {
        self.tally.delivered += 1;
        self.last_id += 1;
        let same = |post: &&Post| post.kind == kind && post.destination == destination;
        if self.posts.iter().filter(same).count() >= MAX_EACH
            && let Some(oldest) = self.posts.iter().position(|post| same(&post))
        {
            self.posts.remove(oldest);
        }
        let (destination, kind, at) = (destination.to_owned(), kind.to_owned(), at.as_millis());
        self.posts.push_back(Post { id: self.last_id, destination, kind, at, content, html });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn received(path: &str, status: Option<u16>, body: &str) -> Received {
        let (path, body) = (path.into(), body.into());
        Received { number: 0, path, headers: BTreeMap::new(), body, at: Timestamp(1), status }
    }

    #[test]
    fn only_accepted_messages_are_shown_and_no_more_than_fit() {
        let mut watch = Watch::default();
        watch.received(Timestamp(1), &received("/slack/support", Some(503), "{}"));
        watch.received(Timestamp(1), &received("/slack/support", None, "{}"));
        assert_eq!(watch.posts_after(0).len(), 0);
        assert_eq!(watch.tally(), Tally { refused: 2, ..Tally::default() });
        watch.received(Timestamp(1), &received("/webhook/crm", Some(204), "not JSON"));
        for _ in 0..100 {
            watch.received(Timestamp(2), &received("/slack/support", Some(200), "{}"));
        }
        assert_eq!(watch.posts_after(0).len(), MAX_EACH + 1);
        assert_eq!(watch.posts_after(100).len(), 1);
        assert_eq!(watch.tally().delivered, 101);
    }

    #[test]
    fn a_review_marked_read_without_a_delivery_is_lost() {
        let mut watch = Watch::default();
        let body = r#"{"data": {"review": {"uuid": "sent"}}}"#;
        watch.received(Timestamp(1), &received("/webhook/crm", Some(204), body));
        watch.marked("sent");
        watch.marked("unsent");
        assert_eq!((watch.tally().marked, watch.tally().lost), (2, 1));
    }
}
