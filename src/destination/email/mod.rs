//! E-mail through a mail server (SMTP): one message for each recipient, so that one bad address harms no other.

mod address;
mod fixture;
mod limits;
mod mime;
mod payload;
mod pool;
mod session;
pub mod settings;
#[cfg(test)]
mod tests;
mod verdict;
mod wire;

pub use limits::MAX_HTML_BYTES;
pub use payload::{FORMAT, Mail};
pub use settings::{Server, Smtp};

use super::settings::{Common, Key, Shared, TEMPLATE};
use super::{Destination, Kind, Make, Payload, reach};
use crate::domain::{Attempt, Message};
use crate::outbound::certificates;
use crate::presentation::{Own, View};
use crate::settings::{Rate, Table};
use crate::template::Renderer;
use address::Sender;
use async_trait::async_trait;
use lettre::Address;
use lettre::transport::smtp::client::AsyncSmtpConnection;
use lettre::transport::smtp::response::Response;
use pool::{Kept, Pool};
use session::{Failure, Progress, Step};
use settings::Tls;
use std::sync::Arc;
use std::time::Duration;
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

/// The part of the time-out that a kept connection has to show that it is alive.
const PATIENCE: u32 = 4;
/// A connection that waited less than this is taken to be alive.
const TRUSTED: Duration = Duration::from_secs(1);

/// How a message was taken, and the connection it went over.
type Delivered = (Result<Response, Failure>, Option<AsyncSmtpConnection>);

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
        // What trusts more than the others has connections of its own.
        let pool = common.ca_file.as_ref().map_or_else(|| self.server.pool.clone(), |_| Arc::default());
        let view = common.view(name, None, Own::default());
        let classifier = SmtpClassifier::new(name, &self.server, common.timeout);
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
        let sending = async {
            // Held until the end, so that there are never more connections than the pool has room for.
            let room = self.pool.room().await;
            (room, self.deliver(&to, &payload.body, &progress).await)
        };
        let Ok((_room, (result, connection))) = tokio::time::timeout(self.timeout, sending).await else {
            return self.classifier.timed_out(progress.step());
        };
        let step = progress.step();
        if let Some(connection) = connection {
            self.keep(connection, &result, step).await;
        }
        match result {
            Ok(response) => self.classifier.taken(&response),
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
        self.to.iter().map(ToString::to_string).collect()
    }
}

impl Email {
    /// Whom `message` is for; a preview is for the first.
    fn recipient(&self, message: &Message) -> Option<Address> {
        if message.recipient.is_empty() {
            return self.to.first().cloned();
        }
        address::parse(&message.recipient).map(|mailbox| mailbox.email)
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
        let mut connection = match session::open(&self.server, self.tls.as_ref(), progress).await {
            Ok(connection) => connection,
            Err(failure) => return (Err(failure), None),
        };
        let result = session::hand_over(&mut connection, &self.from.email, to, body, progress).await;
        (result, Some(connection))
    }

    /// Sends on a connection that was kept; `None` where it turns out to be dead before the message began.
    async fn on_kept(&self, kept: Kept, to: &Address, body: &str, progress: &Progress) -> Option<Delivered> {
        let mut connection = kept.connection;
        if kept.waited >= TRUSTED {
            let alive = tokio::time::timeout(self.timeout / PATIENCE, connection.test_connected()).await;
            if !alive.unwrap_or(false) {
                return None;
            }
        }
        let result = session::hand_over(&mut connection, &self.from.email, to, body, progress).await;
        let closed = result.as_ref().is_err_and(|failure| match failure.reply() {
            Some((code, _)) => code == 421,
            None => matches!(failure, Failure::Smtp(_)),
        });
        (!closed || progress.step() == Step::Content).then_some((result, Some(connection)))
    }

    /// Keeps a connection for the next message, if it is good for one. The outcome is known already, so this
    /// may take a second beside the destination's time-out.
    async fn keep(
        &self,
        mut connection: AsyncSmtpConnection,
        result: &Result<Response, Failure>,
        step: Step,
    ) {
        let usable = match result {
            Ok(_) => true,
            Err(failure) => {
                let asked = session::is_usable(&mut connection, failure, step);
                tokio::time::timeout(Duration::from_secs(1), asked).await.unwrap_or(false)
            }
        };
        if usable {
            self.pool.put(connection);
        }
    }
}
