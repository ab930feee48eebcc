//! E-mail through a mail server (SMTP): one message for each recipient, so that one bad address harms no other.

mod address;
mod answers;
mod dialogue;
mod fixture;
mod limits;
mod mime;
mod payload;
mod pool;
mod reply;
mod session;
pub mod settings;
mod step;
#[cfg(test)]
mod tests;
mod verdict;
mod wire;

pub use limits::MAX_HTML_BYTES;
pub use payload::{FORMAT, Mail};
pub use settings::{Server, Smtp};

use super::settings::{Common, Key, Shared, TEMPLATE};
use super::{Destination, Kind, Make, Payload, ServerSlots, reach};
use crate::domain::{Attempt, Message};
use crate::outbound::certificates;
use crate::presentation::{Own, View};
use crate::settings::{Rate, Table};
use crate::template::Renderer;
use address::Sender;
use async_trait::async_trait;
use lettre::Address;
use pool::{Kept, Pool};
use reply::Reply;
use session::{Connection, Failure};
use settings::Tls;
use std::sync::Arc;
use std::time::Duration;
use step::{Progress, Step};
use tokio_rustls::TlsConnector;
use verdict::SmtpClassifier;

/// The row of this kind.
pub static KIND: Kind = Kind {
    name: "email",
    title: "E-mail",
    summary: "e-mail to one or more people, via the mail server in [smtp]",
    default_rate: Rate::per_second(10),
    keys: &[
        Key { name: "to", summary: "the recipients' addresses, a list", secret: false },
        Key {
            name: "from",
            summary: "the sender, such as \"Reviews <reviews@shop.example>\"; default: smtp.from",
            secret: false,
        },
        Key { name: "reply_to", summary: "where replies go; default: smtp.reply_to", secret: false },
        TEMPLATE,
    ],
    format: Some(&FORMAT),
    example: include_str!("example.toml"),
    shared: Some(|root| Own::new(Smtp::read(root))),
    read,
    fixture: fixture::FIXTURE,
};

/// Blocks of the largest message: a digest and its text part, encoded.
const MAX_BLOCKS: u32 = 8;
/// The part of the time-out that a kept connection has to show that it is alive.
const PATIENCE: u32 = 4;
/// A connection that waited less than this is taken to be alive.
const TRUSTED: Duration = Duration::from_secs(1);

/// How a message was taken, and the connection it went over.
type Delivered = (Result<Reply, Failure>, Option<Connection>);

#[derive(Debug)]
struct Settings {
    server: Arc<Server>,
    from: Sender,
    reply_to: Option<Sender>,
    to: Vec<Address>,
}

fn read(table: &Table<'_>, _: &Common, shared: &Shared) -> Option<Arc<dyn Make>> {
    let (from, reply_to) = (address::read(table, "from"), address::read(table, "reply_to"));
    let to = address::read_list(table, "to");
    let server = match shared.of::<Smtp>(KIND.name) {
        Some(Smtp::Set(server)) => Some(server.clone()),
        Some(Smtp::Wrong) => None,
        Some(Smtp::Absent) | None => {
            let hint = "add a table [smtp] with host, username and password of your mail server";
            table.problem("type", "is `email`, which needs a table [smtp]", hint);
            None
        }
    }?;
    let from = from.or_else(|| server.from.clone());
    if from.is_none() && !table.has("from") {
        let hint = "write from = \"Reviews <reviews@shop.example>\" here or in [smtp]";
        table.problem("from", "is missing", hint);
    }
    let reply_to = reply_to.or_else(|| server.reply_to.clone());
    Some(Arc::new(Settings { server, from: from?, reply_to, to: to? }))
}

impl Make for Settings {
    fn make(
        &self,
        name: &str,
        common: &Common,
        renderer: Arc<Renderer>,
    ) -> Result<Arc<dyn Destination>, String> {
        let tls = match self.server.tls {
            Tls::None => None,
            Tls::StartTls | Tls::Implicit => {
                Some(self.connector(common).map_err(|what| format!("destination `{name}`: {what}"))?)
            }
        };
        // What trusts more than the others has connections of its own; all count together.
        let shared = &self.server.pool;
        let pool = common.ca_file.as_ref().map_or_else(|| shared.clone(), |_| Arc::new(shared.beside()));
        let view = common.view(name, None, Own::default());
        let classifier = SmtpClassifier::new(name, &self.server);
        Ok(Arc::new(Email {
            server: self.server.clone(),
            from: self.from.clone(),
            reply_to: self.reply_to.clone(),
            to: self.to.clone(),
            timeout: common.timeout,
            tls,
            pool,
            view,
            renderer,
            classifier,
        }))
    }
}

impl Settings {
    /// What encrypts connections, trusting the system's authorities, the server's and the destination's.
    fn connector(&self, common: &Common) -> Result<TlsConnector, String> {
        let files = [self.server.ca_file.as_deref(), common.ca_file.as_deref()];
        let roots = files.into_iter().flatten().map(certificates).collect::<Result<Vec<_>, _>>()?;
        let config = common.outbound.tls(&roots.concat());
        config.map(TlsConnector::from).map_err(|error| format!("cannot set up the connection: {error}"))
    }
}

struct Email {
    server: Arc<Server>,
    from: Sender,
    reply_to: Option<Sender>,
    to: Vec<Address>,
    timeout: Duration,
    /// Where its connections are encrypted.
    tls: Option<TlsConnector>,
    pool: Arc<Pool>,
    view: View,
    renderer: Arc<Renderer>,
    classifier: SmtpClassifier,
}

#[async_trait]
impl Destination for Email {
    fn render(&self, message: &Message) -> Payload {
        let mail = Mail::of(&self.renderer, message, &self.view);
        let body = self.recipient(message).and_then(|to| {
            let envelope = mime::Envelope { from: &self.from, reply_to: self.reply_to.as_ref(), to: &to };
            mime::build(message, &mail, &envelope, &self.view.destination)
        });
        // Without a recipient there is no message; sending it says so.
        Payload { media_type: "message/rfc822", body: body.unwrap_or_default(), fallback: mail.fallback }
    }

    async fn send(&self, message: &Message, payload: &Payload) -> Attempt {
        let Some(to) = self.recipient(message).filter(|_| !payload.body.is_empty()) else {
            return self.classifier.no_address(&message.recipient);
        };
        let progress = Progress::default();
        // Held until the end, so that there are never more connections than the pool has room for. Each step that follows
        // has a time of its own; waiting for room counts into none.
        let _room = self.pool.room().await;
        let (result, connection) = self.deliver(&to, &payload.body, &progress).await;
        let step = progress.step();
        if let Some(connection) = connection {
            self.keep(connection, &result, step).await;
        }
        match result {
            Ok(reply) => self.classifier.taken(&reply),
            Err(failure) => self.classifier.failed(step, &failure, &to),
        }
    }

    async fn reach(&self) -> Result<(), String> {
        reach::reach_server(&self.server.host, self.server.port, self.timeout).await
    }

    fn address(&self) -> String {
        self.classifier.server().to_owned()
    }

    fn recipients(&self) -> Vec<String> {
        self.to.iter().map(address::key).collect()
    }

    fn longest_attempt(&self) -> Option<Duration> {
        // Connecting, and finding out whether a kept connection is alive.
        Some(self.timeout * 2 + self.server.patience.longest(MAX_BLOCKS))
    }

    fn server(&self) -> Option<ServerSlots> {
        Some(ServerSlots { key: self.server.key(), connections: pool::MOST })
    }
}

impl Email {
    /// Whom `message` is for; a preview is for the first.
    fn recipient(&self, message: &Message) -> Option<Address> {
        if message.recipient.is_empty() {
            return self.to.first().cloned();
        }
        let address = address::parse(&message.recipient)?.email;
        let key = address::key(&address);
        // As the configuration writes it; one that is no longer there, as it was.
        Some(self.to.iter().find(|known| address::key(known) == key).cloned().unwrap_or(address))
    }

    /// Sends `body` once; what is left of the connection is for the next message.
    async fn deliver(&self, to: &Address, body: &str, progress: &Progress) -> Delivered {
        if let Some(kept) = self.pool.take() {
            match self.on_kept(kept, to, body, progress).await {
                Some(delivered) => return delivered,
                // The server had closed it: nothing of the message was sent.
                None => self.pool.clear(),
            }
        }
        let opening = session::open(&self.server, self.tls.as_ref(), self.timeout, progress).await;
        let mut connection = match opening {
            Ok(connection) => connection,
            Err(failure) => return (Err(failure), None),
        };
        let result = self.hand_over(&mut connection, to, body, progress).await;
        (result, Some(connection))
    }

    /// Sends on a connection that was kept; `None` where it turns out to be dead before the message began.
    async fn on_kept(&self, kept: Kept, to: &Address, body: &str, progress: &Progress) -> Option<Delivered> {
        let mut connection = kept.connection;
        if kept.waited >= TRUSTED && !connection.is_alive(self.timeout / PATIENCE).await {
            return None;
        }
        let result = self.hand_over(&mut connection, to, body, progress).await;
        let closed = match &result {
            Err(Failure::Reply(reply)) => reply.code == 421,
            Err(Failure::Lost(_) | Failure::Strange) => true,
            _ => false,
        };
        (!closed || progress.step() == Step::End).then_some((result, Some(connection)))
    }

    async fn hand_over(
        &self,
        connection: &mut Connection,
        to: &Address,
        body: &str,
        progress: &Progress,
    ) -> Result<Reply, Failure> {
        session::hand_over(connection, &self.server, (&self.from.email, to), body, progress).await
    }

    /// Keeps a connection for the next message, if it is good for one. The outcome is known already, so this
    /// may take a second more.
    async fn keep(&self, mut connection: Connection, result: &Result<Reply, Failure>, step: Step) {
        if connection.is_usable(result, step).await {
            self.pool.put(connection);
        }
    }
}
