//! What the end of a conversation means for the message, the recipient and the server, and how to say so to
//! whoever runs the shop. The codes are RFC 5321's, the enhanced ones (`5.1.1`) RFC 3463's.

use super::session::{Failure, Step};
use super::settings::{Server, Tls};
use super::wire::Refusal;
use crate::causes::{innermost, tls_error, words};
use crate::destination::redact::Secrets;
use crate::domain::text::one_line;
use crate::domain::{Attempt, Outcome, Reason};
use crate::settings::units::show_duration;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;
use lettre::transport::smtp::response::Response;
use std::error::Error as StdError;
use std::io;
use std::time::Duration;

/// Says what the conversations of one destination mean.
pub struct SmtpClassifier {
    name: String,
    server: String,
    port: u16,
    tls: Tls,
    timeout: Duration,
    secrets: Secrets,
}

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Later,
    MailboxFull,
    Credentials,
    NeedsTls,
    WrongSender,
    WrongRecipient,
    TooLarge,
    Unwanted,
    Policy,
    Other,
}

impl SmtpClassifier {
    /// For the destination `name`, which sends through `server`.
    pub fn new(name: &str, server: &Server, timeout: Duration) -> Self {
        let mut secrets = Vec::new();
        if let Some(login) = &server.login {
            let (user, password) = (login.username.as_str(), login.password.expose());
            // A server may quote the command it did not understand.
            secrets.extend([password.to_owned(), STANDARD.encode(password)]);
            secrets.push(STANDARD.encode(format!("\0{user}\0{password}")));
        }
        let at = match server.host.contains(':') {
            true => format!("[{}]:{}", server.host, server.port),
            false => format!("{}:{}", server.host, server.port),
        };
        let secrets = Secrets::of(secrets);
        Self { name: name.into(), server: at, port: server.port, tls: server.tls, timeout, secrets }
    }

    /// Host and port.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// The server has the message.
    pub fn taken(&self, response: &Response) -> Attempt {
        let words: Vec<&str> = response.message().collect();
        let code = response.code().into();
        let detail = format!("{} received the message ({code}).", self.server);
        self.attempt(Outcome::Delivered, Some(code), detail, Some(&words.join(" ")))
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

    /// The time was up.
    pub fn timed_out(&self, step: Step) -> Attempt {
        let (server, time) = (&self.server, show_duration(self.timeout));
        let ambiguous = step == Step::Content;
        if step == Step::Greeting && self.port == Tls::Implicit.usual_port() && self.tls != Tls::Implicit {
            let detail = format!(
                "{server} sent nothing within {time}: on this port, servers expect encryption from the start. {}.",
                "Set `smtp.tls` to \"implicit\", or `smtp.port` to 587"
            );
            return self.attempt(Outcome::Broken { reason: Reason::CertificateRefused }, None, detail, None);
        }
        let detail = match step {
            Step::Connect => format!(
                "Could not connect to {server} within {time}. The message is retried automatically. If it keeps \
                 failing, check `smtp.host`, `smtp.port` and the firewall (many providers block port 25)."
            ),
            Step::Content => format!(
                "{server} got the message and did not confirm it within {time}. It may have arrived; it is \
                 retried automatically with the same Message-ID."
            ),
            _ => format!(
                "{server} did not answer within {time}. The message is retried automatically. If it keeps \
                 failing, set a longer `destinations.{}.timeout` or contact the people who run the server.",
                self.name
            ),
        };
        self.attempt(Outcome::Retry { reason: Reason::TimedOut, after: None, ambiguous }, None, detail, None)
    }

    /// The conversation failed.
    pub fn failed(&self, step: Step, failure: &Failure, to: &Address) -> Attempt {
        if let Some((code, words)) = failure.reply() {
            return self.refused(step, code, &words, to);
        }
        match failure {
            Failure::NoUtf8 => {
                let detail = format!(
                    "{} does not accept addresses with non-ASCII letters before the @, such as {to}. Use another \
                     address in `destinations.{}.to`, or a server that supports SMTPUTF8.",
                    self.server, self.name
                );
                self.attempt(Outcome::Dead { reason: Reason::RecipientUnknown }, None, detail, None)
            }
            Failure::Wire(Refusal::NoStartTls) => {
                let detail = format!(
                    "{} does not offer encryption (STARTTLS), so nothing was sent. Set `smtp.port` to 587, or to 465 \
                     with `smtp.tls` = \"implicit\"; for a server on this machine, `smtp.tls` = \"none\".",
                    self.server
                );
                self.attempt(Outcome::Broken { reason: Reason::CertificateRefused }, None, detail, None)
            }
            Failure::Wire(Refusal::Strange) => self.strange(step),
            Failure::Wire(Refusal::Tls(error)) => self.no_tls(error),
            Failure::Wire(Refusal::Network(error)) => self.lost(step, error),
            Failure::Smtp(error) if error.is_client() && step == Step::Login => {
                let detail = format!(
                    "{} does not offer a login here. Set `smtp.port` to 587 (or 465 with `smtp.tls` = \
                     \"implicit\"), or remove `smtp.username` and `smtp.password` if the server needs no login.",
                    self.server
                );
                self.attempt(Outcome::Broken { reason: Reason::CredentialsRefused }, None, detail, None)
            }
            // lettre tells the end of a connection as a reply that is incomplete.
            Failure::Smtp(error) if error.is_response() && innermost(error) != "incomplete response" => {
                self.strange(step)
            }
            Failure::Smtp(error) => self.lost(step, error),
            Failure::Wire(Refusal::Reply(..)) => self.strange(step),
        }
    }

    /// What speaks there is not a mail server, or no longer makes sense.
    fn strange(&self, step: Step) -> Attempt {
        let server = &self.server;
        if step >= Step::Data {
            let detail = format!(
                "{server} answered with something that is not SMTP. The message may have arrived; it is retried \
                 automatically."
            );
            let outcome = Outcome::Retry { reason: Reason::ServerError, after: None, ambiguous: true };
            return self.attempt(outcome, None, detail, None);
        }
        let detail = format!(
            "{server} does not answer like a mail server. Check `smtp.host`, `smtp.port` and `smtp.tls`: port 465 \
             needs \"implicit\", 587 \"starttls\"."
        );
        self.attempt(Outcome::Broken { reason: Reason::UnexpectedAnswer }, None, detail, None)
    }

    fn no_tls(&self, error: &io::Error) -> Attempt {
        let server = &self.server;
        let detail = match tls_error(error) {
            Some(rustls::Error::InvalidMessage(_)) => format!(
                "{server} does not start with encryption. Set `smtp.tls` to \"starttls\" (usual on port 587), or \
                 `smtp.port` to 465."
            ),
            Some(error) => format!(
                "No trusted connection to {server}: {}. If it uses a private certificate authority, set \
                 `smtp.ca_file` to its PEM file. Otherwise, `smtp.host` is not the name in its certificate, or \
                 the clock of this machine is wrong.",
                words(error)
            ),
            None => return self.lost(Step::Greeting, error),
        };
        self.attempt(Outcome::Broken { reason: Reason::CertificateRefused }, None, detail, None)
    }

    fn lost(&self, step: Step, error: &(dyn StdError + 'static)) -> Attempt {
        let (server, why) = (&self.server, innermost(error));
        let ambiguous = step == Step::Content;
        let (reason, detail) = match step {
            Step::Connect => (
                Reason::Unreachable,
                format!(
                    "Could not connect to {server}: {why}. The message is retried automatically. If it keeps \
                     failing, check `smtp.host`, `smtp.port` and the firewall."
                ),
            ),
            Step::Content => (
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

    fn refused(&self, step: Step, code: u16, words: &str, to: &Address) -> Attempt {
        let (server, name) = (&self.server, &self.name);
        let later = |reason| Outcome::Retry { reason, after: None, ambiguous: false };
        let letter = "Other messages are not affected. This one is a dead letter and its review stays unread: see \
                      `review-bridge deliveries list --state dead`";
        let (outcome, what) = match meaning(step, code, words) {
            Meaning::Later => (
                later(Reason::ServerError),
                "asked to try later. The message is retried automatically. If it keeps failing, contact the \
                 people who run the server".into(),
            ),
            Meaning::MailboxFull => (
                later(Reason::ServerError),
                format!("reports that the mailbox of {to} is full. The message is retried automatically until \
                         there is room"),
            ),
            Meaning::Credentials => (
                Outcome::Broken { reason: Reason::CredentialsRefused },
                "does not accept the login. Check `smtp.username` and `smtp.password`; some providers require an \
                 “app password”"
                    .into(),
            ),
            Meaning::NeedsTls => (
                Outcome::Broken { reason: Reason::CertificateRefused },
                "requires an encrypted connection. Set `smtp.tls` to \"starttls\" (port 587) or \"implicit\" \
                 (port 465)"
                    .into(),
            ),
            Meaning::WrongSender => (
                Outcome::Broken { reason: Reason::Forbidden },
                format!(
                    "does not accept the sender. `destinations.{name}.from` (or `smtp.from`) must be an address \
                     that this login may use"
                ),
            ),
            Meaning::WrongRecipient => (
                Outcome::Dead { reason: Reason::RecipientUnknown },
                format!("has no mailbox {to}. Check `destinations.{name}.to`. {letter}"),
            ),
            Meaning::TooLarge => {
                (Outcome::Dead { reason: Reason::TooLarge }, format!("refused the message as too large. {letter}"))
            }
            Meaning::Unwanted => (
                Outcome::Dead { reason: Reason::PayloadRefused },
                format!("refused the message, perhaps as spam. {letter}"),
            ),
            Meaning::Policy => (
                Outcome::Broken { reason: Reason::Forbidden },
                "does not relay this message. It must allow this machine or login to send: check `smtp.username` \
                 and the sender's SPF and DKIM records, or contact the people who run the server"
                    .into(),
            ),
            Meaning::Other => (
                Outcome::Broken { reason: Reason::UnexpectedAnswer },
                "gave an unexpected answer. Check `smtp.host`, `smtp.port` and `smtp.tls`".into(),
            ),
        };
        let said = self.secrets.excerpt_of(words, 160);
        let said = if said.is_empty() { String::new() } else { format!(": “{said}”") };
        self.attempt(outcome, Some(code), format!("{server} {what} ({code}{said})."), Some(words))
    }

    fn attempt(&self, outcome: Outcome, status: Option<u16>, detail: String, said: Option<&str>) -> Attempt {
        let excerpt = said.map(|words| self.secrets.excerpt(words)).filter(|excerpt| !excerpt.is_empty());
        Attempt { outcome, status, detail: self.secrets.excerpt_of(&detail, 600), excerpt }
    }
}

/// What a refusal with this code is about, at this step.
fn meaning(step: Step, code: u16, words: &str) -> Meaning {
    let lower = words.to_lowercase();
    let says = |parts: &[&str]| parts.iter().any(|part| lower.contains(part));
    let (subject, detail) = enhanced(words).unwrap_or_default();
    match (code, subject, detail) {
        (_, 2, 2) => Meaning::MailboxFull,
        (400..=499, ..) => Meaning::Later,
        (530, ..) if says(&["starttls", "tls", "encrypt"]) => Meaning::NeedsTls,
        (523 | 538, ..) => Meaning::NeedsTls,
        (530 | 534 | 535, ..) => Meaning::Credentials,
        _ if step == Step::Login => Meaning::Credentials,
        _ if step <= Step::Greeting && code != 554 && subject != 7 => Meaning::Other,
        _ if step <= Step::Greeting => Meaning::Policy,
        (_, 3, 4) => Meaning::TooLarge,
        (_, 6, _) => Meaning::Unwanted,
        (_, 1, 7 | 8) => Meaning::WrongSender,
        // Of the content, only what is about who sends it concerns the next message as well.
        (_, 7, _) if step >= Step::Data => {
            match says(&["spf", "dkim", "dmarc", "authenticat", "relay", "not authorized", "not allowed"]) {
                true => Meaning::Policy,
                false => Meaning::Unwanted,
            }
        }
        (_, 7, _) => Meaning::Policy,
        _ if says(&["relay"]) => Meaning::Policy,
        _ if step == Step::Sender => Meaning::WrongSender,
        (552, ..) if step == Step::Recipient => Meaning::MailboxFull,
        (554, 0, _) if step == Step::Recipient => Meaning::Policy,
        _ if step == Step::Recipient => Meaning::WrongRecipient,
        (552, ..) => Meaning::TooLarge,
        _ => Meaning::Unwanted,
    }
}

/// The subject and the detail of an enhanced code: `5.1.1 no such user` is (1, 1).
fn enhanced(words: &str) -> Option<(u16, u16)> {
    let code = words.split_whitespace().next()?;
    let mut parts = code.trim_end_matches([',', ':', ';']).split('.');
    let class = parts.next().filter(|class| matches!(*class, "2" | "4" | "5"));
    let (subject, detail) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
    class.filter(|_| parts.next().is_none()).map(|_| (subject, detail))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn replies_mean_what_people_must_do() {
        use Meaning::*;
        use Step::*;
        for (step, code, words, expected) in [
            (Greeting, 421, "4.3.2 shutting down", Later),
            (Greeting, 554, "no SMTP service here", Policy),
            (Greeting, 502, "what?", Other),
            (Login, 535, "5.7.8 bad credentials", Credentials),
            (Login, 454, "4.7.0 temporary failure", Later),
            (Login, 538, "5.7.11 encryption required", NeedsTls),
            (Login, 534, "5.7.9 mechanism too weak", Credentials),
            (Login, 504, "unknown mechanism", Credentials),
            (Sender, 530, "5.7.0 Authentication required", Credentials),
            (Sender, 530, "5.7.0 Must issue a STARTTLS command first", NeedsTls),
            (Sender, 553, "5.7.1 sender address rejected: not owned by user", Policy),
            (Sender, 550, "5.1.8 bad sender's domain", WrongSender),
            (Sender, 501, "syntax", WrongSender),
            (Recipient, 450, "4.2.1 mailbox busy", Later),
            (Recipient, 451, "4.7.1 greylisted", Later),
            (Recipient, 452, "4.2.2 over quota", MailboxFull),
            (Recipient, 552, "5.2.2 mailbox full", MailboxFull),
            (Recipient, 552, "over quota", MailboxFull),
            (Recipient, 550, "5.1.1 user unknown", WrongRecipient),
            (Recipient, 551, "5.1.6 moved", WrongRecipient),
            (Recipient, 553, "5.1.3 bad syntax", WrongRecipient),
            (Recipient, 550, "mailbox unavailable", WrongRecipient),
            (Recipient, 550, "relay not permitted", Policy),
            (Recipient, 554, "5.7.1 relay access denied", Policy),
            (Recipient, 554, "denied", Policy),
            (Data, 552, "5.3.4 message too big", TooLarge),
            (Content, 552, "too much mail data", TooLarge),
            (Content, 554, "5.6.0 bad content", Unwanted),
            (Content, 554, "5.7.1 looks like spam", Unwanted),
            (Content, 550, "5.7.26 unauthenticated: SPF and DKIM did not pass", Policy),
            (Content, 554, "transaction failed", Unwanted),
            (Content, 451, "4.3.0 try again", Later),
        ] {
            assert_eq!(meaning(step, code, words), expected, "{step:?} {code} {words}");
        }
        for not_one in ["", "hello", "5.1", "5.1.1.1 x", "3.1.1 x", "5.x.1", "192.168.1 x"] {
            assert_eq!(enhanced(not_one), None, "{not_one}");
        }
    }
}
