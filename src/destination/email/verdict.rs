//! How the end of a conversation is said to whoever runs the shop: what happened, where, what to do. What an answer is
//! about stands in [`super::answers`].

use super::answers::{Meaning, meaning};
use super::reply::Reply;
use super::session::{Failure, MECHANISMS};
use super::settings::{Server, Tls};
use super::step::Step;
use crate::causes::{TlsCause, innermost, tls_error};
use crate::destination::redact::Secrets;
use crate::domain::text::one_line;
use crate::domain::{Attempt, Outcome, Reason};
use crate::settings::units::show_duration;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;
use std::io;
use std::time::Duration;

/// Says what the conversations of one destination mean.
pub struct SmtpClassifier {
    name: String,
    server: String,
    port: u16,
    tls: Tls,
    helo: Option<String>,
    has_login: bool,
    secrets: Secrets,
}

/// Where a dead letter is found.
const LETTER: &str = "Other messages are not affected. This one is a dead letter and its review stays unread: see \
                      `review-bridge deliveries list --state dead`";

impl SmtpClassifier {
    /// For the destination `name`, which sends through `server`.
    pub fn new(name: &str, server: &Server) -> Self {
        let mut secrets = Vec::new();
        if let Some(login) = &server.login {
            let (user, password) = (login.username.as_str(), login.password.expose());
            // A server may quote the command it did not understand.
            secrets.extend([password.to_owned(), STANDARD.encode(password)]);
            secrets.push(STANDARD.encode(format!("\0{user}\0{password}")));
        }
        Self {
            name: name.into(),
            server: server.address(),
            port: server.port,
            tls: server.tls,
            helo: server.helo.clone(),
            has_login: server.login.is_some(),
            secrets: Secrets::of(secrets),
        }
    }

    /// Host and port.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The server has the message.
    pub fn taken(&self, reply: &Reply) -> Attempt {
        let detail = format!("{} received the message ({}).", self.server, reply.code);
        self.attempt(Outcome::Delivered, Some(reply.code), detail, Some(&reply.words()))
    }

    /// The message has no recipient that can be written to.
    pub fn no_address(&self, recipient: &str) -> Attempt {
        let detail = format!(
            "“{}” is not a valid address. Check `destinations.{}.to`.",
            one_line(recipient, 100),
            self.name
        );
        self.attempt(Outcome::Dead { reason: Reason::RecipientUnknown }, None, detail, None)
    }

    /// The conversation failed at this step.
    pub fn failed(&self, step: Step, failure: &Failure, to: &Address) -> Attempt {
        match failure {
            Failure::Reply(reply) => self.refused(step, reply, to),
            Failure::Lost(error) => self.lost(step, error),
            Failure::Silent(limit) => self.silent(step, *limit),
            Failure::Strange => self.strange(step),
            Failure::Tls(error) => self.no_tls(error),
            Failure::OutdatedTls => self.untrusted(&TlsCause::Outdated),
            Failure::WaitsForTls => self.certificate(
                "expects encryption from the start. Set `smtp.tls` to \"implicit\" (usual on port 465), or `smtp.port` \
                 to 587",
            ),
            Failure::NoStartTls => self.certificate(
                "does not offer encryption (STARTTLS), so nothing was sent. Set `smtp.port` to 587, or to 465 with \
                 `smtp.tls` = \"implicit\"; for a server on this machine, `smtp.tls` = \"none\"",
            ),
            Failure::NoMechanism(offered) => self.no_mechanism(offered),
            Failure::NoUtf8 => {
                let detail = format!(
                    "{} does not accept addresses with non-ASCII letters before the @, such as {to}. Use another \
                     address in `destinations.{}.to`, or a server that supports SMTPUTF8.",
                    self.server, self.name
                );
                self.attempt(Outcome::Dead { reason: Reason::RecipientUnknown }, None, detail, None)
            }
            Failure::TooLarge(most) => {
                let detail = format!("{} accepts messages of up to {most} bytes only. {LETTER}.", self.server);
                self.attempt(Outcome::Dead { reason: Reason::TooLarge }, None, detail, None)
            }
        }
    }

    /// There was no answer in time.
    fn silent(&self, step: Step, limit: Duration) -> Attempt {
        let (server, time) = (&self.server, show_duration(limit));
        let ambiguous = step == Step::End;
        if step == Step::Greeting && self.port == Tls::Implicit.usual_port() && self.tls != Tls::Implicit {
            return self.certificate(
                "sent nothing: on this port, servers expect encryption from the start. Set `smtp.tls` to \
                 \"implicit\", or `smtp.port` to 587",
            );
        }
        let detail = match step {
            Step::Connect => format!(
                "Could not connect to {server} within {time}. The message is retried automatically. If it keeps \
                 failing, check `smtp.host`, `smtp.port` and the firewall (many providers block port 25)."
            ),
            Step::End => format!(
                "{server} got the message and did not confirm it within {time}. It may have arrived; it is \
                 retried automatically with the same Message-ID."
            ),
            _ => format!(
                "{server} did not answer within {time}. The message is retried automatically. If it keeps \
                 failing, contact the people who run the server."
            ),
        };
        self.attempt(Outcome::Retry { reason: Reason::TimedOut, after: None, ambiguous }, None, detail, None)
    }

    /// What speaks there is not a mail server, or no longer makes sense.
    fn strange(&self, step: Step) -> Attempt {
        let server = &self.server;
        if step <= Step::Encrypt {
            let detail = format!(
                "{server} does not answer like a mail server. Check `smtp.host`, `smtp.port` and `smtp.tls`: port \
                 465 needs \"implicit\", 587 \"starttls\"."
            );
            return self.attempt(Outcome::Broken { reason: Reason::UnexpectedAnswer }, None, detail, None);
        }
        let ambiguous = step == Step::End;
        let arrived = if ambiguous { "The message may have arrived; it" } else { "The message" };
        let detail =
            format!("{server} answered with something that is not SMTP. {arrived} is retried automatically.");
        let outcome = Outcome::Retry { reason: Reason::ServerError, after: None, ambiguous };
        self.attempt(outcome, None, detail, None)
    }

    fn no_tls(&self, error: &io::Error) -> Attempt {
        match tls_error(error).and_then(TlsCause::of) {
            Some(TlsCause::NotTls) if self.tls == Tls::Implicit => self.certificate(
                "does not start with encryption. Set `smtp.tls` to \"starttls\" (usual on port 587), or `smtp.port` \
                 to 465",
            ),
            Some(cause) => self.untrusted(&cause),
            None => self.lost(Step::Encrypt, error),
        }
    }

    fn untrusted(&self, cause: &TlsCause) -> Attempt {
        let advice = cause.advice("smtp.ca_file", "smtp.host");
        let detail = format!("No trusted connection to {}: {}. {advice}", self.server, cause.words());
        self.attempt(Outcome::Broken { reason: Reason::CertificateRefused }, None, detail, None)
    }

    /// No connection that is encrypted as it must be.
    fn certificate(&self, what: &str) -> Attempt {
        let detail = format!("{} {what}.", self.server);
        self.attempt(Outcome::Broken { reason: Reason::CertificateRefused }, None, detail, None)
    }

    fn no_mechanism(&self, offered: &[String]) -> Attempt {
        let server = &self.server;
        let detail = if offered.is_empty() {
            format!(
                "{server} does not offer a login here. Set `smtp.port` to 587 (or 465 with `smtp.tls` = \
                 \"implicit\"), or remove `smtp.username` and `smtp.password` if the server needs no login."
            )
        } else {
            format!(
                "{server} offers only these ways to log in: {}. This version supports {}, which use a password. Allow \
                 them in the server's settings (some providers require an “app password”), or use another mail server.",
                one_line(&offered.join(", "), 160),
                MECHANISMS.join(" and ")
            )
        };
        self.attempt(Outcome::Broken { reason: Reason::CredentialsRefused }, None, detail, None)
    }

    fn lost(&self, step: Step, error: &io::Error) -> Attempt {
        let (server, why) = (&self.server, innermost(error));
        let ambiguous = step == Step::End;
        let (reason, detail) = match step {
            Step::Connect => (
                Reason::Unreachable,
                format!(
                    "Could not connect to {server}: {why}. The message is retried automatically. If it keeps \
                     failing, check `smtp.host`, `smtp.port` and the firewall."
                ),
            ),
            Step::End => (
                Reason::ConnectionLost,
                format!(
                    "The connection to {server} was lost before it confirmed the message: {why}. It may have \
                     arrived; it is retried automatically with the same Message-ID."
                ),
            ),
            _ => (
                Reason::ConnectionLost,
                format!("The connection to {server} was lost: {why}. The message is retried automatically."),
            ),
        };
        self.attempt(Outcome::Retry { reason, after: None, ambiguous }, None, detail, None)
    }

    fn refused(&self, step: Step, reply: &Reply, to: &Address) -> Attempt {
        let words = reply.words();
        let found = meaning(step, reply.code, &words);
        let said = self.secrets.excerpt_of(&words, 160);
        let said = if said.is_empty() { String::new() } else { format!(": “{said}”") };
        let detail = format!("{} {} ({}{said}).", self.server, self.advice(found, to), reply.code);
        self.attempt(outcome(found, reply.code), Some(reply.code), detail, Some(&words))
    }

    /// What the server does, and what to do about it.
    fn advice(&self, meaning: Meaning, to: &Address) -> String {
        let name = &self.name;
        match meaning {
            Meaning::Quota => "reports that a sending limit is reached. Nothing is lost: everything is sent once the \
                               limit is renewed, which is checked hourly. If it happens often, raise the limit or \
                               use a digest"
                .into(),
            Meaning::Later => "asked to try later. The message is retried automatically. If it keeps failing, \
                               contact the people who run the server"
                .into(),
            Meaning::Deferred => format!(
                "asked to try later with this message to {to}. It is retried automatically; many servers accept the \
                 second attempt"
            ),
            Meaning::MailboxFull => format!(
                "reports that the mailbox of {to} is full, or gets too many messages. The message is retried \
                 automatically until there is room"
            ),
            Meaning::Helo => format!(
                "does not accept {} (HELO). Set `smtp.helo` to the full host name of this machine: \
                 \"bridge.shop.example\"",
                match &self.helo {
                    Some(helo) => format!("the name `{helo}` that this bridge gives itself"),
                    None => "the IP address that this bridge gives as its name".into(),
                }
            ),
            Meaning::NeedsTls => "requires an encrypted connection. Set `smtp.tls` to \"starttls\" (port 587) or \
                                  \"implicit\" (port 465)"
                .into(),
            Meaning::NoTls => "cannot encrypt the connection (STARTTLS), so nothing was sent. Set `smtp.port` to 465 \
                               with `smtp.tls` = \"implicit\", or contact the people who run the server"
                .into(),
            Meaning::LoginLater => "does not accept logins for now. One login at a time is tried, at least a minute \
                                    apart; all messages are kept. If it keeps failing, check `smtp.username` and \
                                    `smtp.password`"
                .into(),
            Meaning::PasswordsOff => "does not accept this login: the provider has switched password logins off for \
                                      the account, or requires an “app password”. Switch SMTP AUTH on in the \
                                      provider's settings, or create an app password and set `smtp.password` to it. \
                                      This version does not support XOAUTH2"
                .into(),
            Meaning::Credentials if !self.has_login => {
                "requires a login. Set `smtp.username` and `smtp.password`".into()
            }
            Meaning::Credentials => "does not accept the login. Check `smtp.username` and `smtp.password`; some \
                                     providers require an “app password”"
                .into(),
            Meaning::WrongSender => format!(
                "does not accept the sender. `destinations.{name}.from` (or `smtp.from`) must be an address that \
                 this login may use. Messages wait until it is; where the provider requires it, verify the address there"
            ),
            Meaning::WrongRecipient => {
                format!("has no mailbox {to}. Check `destinations.{name}.to`. {LETTER}")
            }
            Meaning::ClosedRecipient => format!(
                "reports that {to} does not accept messages from this sender. Allow the sender there, or check \
                 `destinations.{name}.to`. {LETTER}"
            ),
            Meaning::TooLarge => format!("refused the message as too large. {LETTER}"),
            Meaning::Unwanted => format!("refused the message, perhaps as spam. {LETTER}"),
            Meaning::Policy => "does not relay this message. It must allow this machine or login to send: check \
                                `smtp.username` and the sender's SPF and DKIM records, or contact the people who run \
                                the server"
                .into(),
            Meaning::Other => {
                "gave an unexpected answer. Check `smtp.host`, `smtp.port` and `smtp.tls`".into()
            }
        }
    }

    fn attempt(&self, outcome: Outcome, status: Option<u16>, detail: String, said: Option<&str>) -> Attempt {
        // Only what the server said can hold a secret: in our own sentences, a password that is a word would garble them.
        let excerpt = said.map(|words| self.secrets.excerpt(words)).filter(|excerpt| !excerpt.is_empty());
        Attempt { outcome, status, detail: one_line(&detail, 600), excerpt }
    }
}

/// What becomes of the message and the destination.
fn outcome(meaning: Meaning, code: u16) -> Outcome {
    let later = |reason| Outcome::Retry { reason, after: None, ambiguous: false };
    match meaning {
        Meaning::Quota => later(Reason::Quota),
        Meaning::Later => later(Reason::ServerError),
        Meaning::Deferred | Meaning::MailboxFull => later(Reason::Deferred),
        Meaning::LoginLater => later(Reason::LoginDeferred),
        // About every message, but not permanently.
        Meaning::Helo | Meaning::Policy | Meaning::WrongSender if code < 500 => later(Reason::ServerError),
        Meaning::Helo | Meaning::Policy => Outcome::Broken { reason: Reason::Forbidden },
        Meaning::NeedsTls | Meaning::NoTls => Outcome::Broken { reason: Reason::CertificateRefused },
        Meaning::PasswordsOff | Meaning::Credentials => {
            Outcome::Broken { reason: Reason::CredentialsRefused }
        }
        Meaning::WrongSender => Outcome::Broken { reason: Reason::SenderRefused },
        Meaning::Other => Outcome::Broken { reason: Reason::UnexpectedAnswer },
        Meaning::WrongRecipient | Meaning::ClosedRecipient => {
            Outcome::Dead { reason: Reason::RecipientUnknown }
        }
        Meaning::TooLarge => Outcome::Dead { reason: Reason::TooLarge },
        Meaning::Unwanted => Outcome::Dead { reason: Reason::PayloadRefused },
    }
}
