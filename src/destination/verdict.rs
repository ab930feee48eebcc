//! What an answer, or the lack of one, means for the message and the destination, and how to say so to
//! whoever runs the shop.

use super::http::{Answer, Sender};
use crate::causes::{TlsCause, tls_error, words};
use crate::domain::{Attempt, Outcome, Reason};
use std::error::Error as StdError;

impl Sender {
    /// The attempt that `answer` makes where only its status counts.
    pub fn by_status(&self, answer: &Answer) -> Attempt {
        let outcome = outcome_of(answer);
        let detail = match outcome.reason() {
            None => format!("{} received the message ({}).", self.host, answer.status),
            Some(reason) => self.explain(reason, answer),
        };
        self.attempt(outcome, answer, detail)
    }

    /// An attempt that ended with `answer`.
    pub fn attempt(&self, outcome: Outcome, answer: &Answer, detail: String) -> Attempt {
        let excerpt = answer.body.as_deref().map(|body| self.secrets.excerpt(body));
        Attempt {
            outcome,
            status: Some(answer.status),
            detail: self.secrets.excerpt_of(&detail, 600),
            excerpt: excerpt.filter(|excerpt| !excerpt.is_empty()),
        }
    }

    /// What to do where the destination's URL must be replaced.
    pub fn new_url_needed(&self) -> String {
        format!(
            "put the new URL into `{}` (or the file that its `_file` key names); pending messages are then sent \
             automatically, or immediately with `review-bridge destinations resume {}`",
            self.setting, self.name
        )
    }

    /// What to do about a message that was refused for good.
    pub fn refused_for_good(&self) -> &'static str {
        "Other messages are not affected. This one is a dead letter and its review stays unread: see \
         `review-bridge deliveries list --state dead`"
    }

    /// What happened and what to do, by reason.
    fn explain(&self, reason: Reason, answer: &Answer) -> String {
        let (host, status) = (&self.host, answer.status);
        match reason {
            Reason::RateLimited => {
                format!(
                    "{host} asked to slow down ({status}). No action needed: the message is retried \
                         automatically."
                )
            }
            Reason::ServerError => format!(
                "{host} failed ({status}). The message is retried automatically. If it keeps failing, contact the \
                 people who run {host}."
            ),
            Reason::TooLarge => {
                format!("{host} refused the message as too large ({status}). {}.", self.refused_for_good())
            }
            Reason::PayloadRefused => {
                format!("{host} refused the message ({status}). {}.", self.refused_for_good())
            }
            Reason::Revoked => {
                format!(
                    "{host} reports that this URL no longer exists ({status}): {}.",
                    self.new_url_needed()
                )
            }
            Reason::CredentialsRefused | Reason::Forbidden => format!(
                "{host} denied access ({status}). Check that `{}` is correct and still allowed to post. If the \
                 URL has changed, {}.",
                self.setting,
                self.new_url_needed()
            ),
            Reason::NotFound => {
                format!("{host} found nothing at this URL ({status}): {}.", self.new_url_needed())
            }
            Reason::Redirected => {
                let to = answer.moved_to.as_deref().map(|to| format!(" to {to}")).unwrap_or_default();
                format!(
                    "{host} redirects{to} ({status}). Redirects are never followed: {}.",
                    self.new_url_needed()
                )
            }
            _ => format!(
                "{host} gave an unexpected answer ({status}). Check that `{}` is the right URL. {}.",
                self.setting,
                self.refused_for_good()
            ),
        }
    }

    /// The attempt of a message that nobody answered in time.
    pub(super) fn timed_out(&self) -> Attempt {
        let detail = format!(
            "{} did not answer within {}. The message may have arrived; it is retried automatically.",
            self.host,
            crate::settings::units::show_duration(self.timeout)
        );
        self.unanswered(Outcome::Retry { reason: Reason::TimedOut, after: None, ambiguous: true }, detail)
    }

    fn unanswered(&self, outcome: Outcome, detail: String) -> Attempt {
        Attempt { outcome, status: None, detail: self.secrets.excerpt_of(&detail, 600), excerpt: None }
    }

    /// The attempt that ended in `error`: no answer came.
    pub(super) fn failed(&self, error: &reqwest::Error) -> Attempt {
        let (host, why) = (&self.host, words(error));
        if let Some(cause) = tls_refusal(error, error.is_connect()) {
            let ca_file = format!("destinations.{}.ca_file", self.name);
            let advice = cause.advice(&ca_file, &self.setting);
            let detail = format!("No trusted connection to {host}: {}. {advice}", cause.words());
            return self.unanswered(Outcome::Broken { reason: Reason::CertificateRefused }, detail);
        }
        if error.is_connect() || error.is_builder() {
            let detail = if error.is_timeout() {
                format!(
                    "Could not connect to {host} in time. The message is retried automatically. If it keeps \
                     failing, check the network and the firewall."
                )
            } else {
                format!(
                    "Could not connect to {host}: {why}. The message is retried automatically. If it keeps \
                     failing, check the host in the URL, the network and the firewall."
                )
            };
            let reason = if error.is_timeout() { Reason::TimedOut } else { Reason::Unreachable };
            return self.unanswered(Outcome::Retry { reason, after: None, ambiguous: false }, detail);
        }
        if error.is_timeout() {
            return self.timed_out();
        }
        let detail = format!(
            "The connection to {host} was lost before it answered: {why}. The message may have arrived; it is \
             retried automatically."
        );
        self.unanswered(
            Outcome::Retry { reason: Reason::ConnectionLost, after: None, ambiguous: true },
            detail,
        )
    }
}

/// What an answer means where only its status counts.
fn outcome_of(answer: &Answer) -> Outcome {
    let retry = |reason| Outcome::Retry { reason, after: answer.retry_after, ambiguous: false };
    match answer.status {
        200..=299 => Outcome::Delivered,
        300..=399 => Outcome::Broken { reason: Reason::Redirected },
        401 => Outcome::Broken { reason: Reason::CredentialsRefused },
        403 => Outcome::Broken { reason: Reason::Forbidden },
        404 | 405 => Outcome::Broken { reason: Reason::NotFound },
        410 => Outcome::Broken { reason: Reason::Revoked },
        413 => Outcome::Dead { reason: Reason::TooLarge },
        429 => retry(Reason::RateLimited),
        408 | 425 | 500..=599 => retry(Reason::ServerError),
        400..=499 => Outcome::Dead { reason: Reason::PayloadRefused },
        _ => Outcome::Dead { reason: Reason::UnexpectedAnswer },
    }
}

/// Why TLS failed, where it is the certificate (or that there is no TLS) and not the network.
fn tls_refusal(error: &(dyn StdError + 'static), connecting: bool) -> Option<TlsCause> {
    TlsCause::of(tls_error(error)?).filter(|cause| connecting || *cause != TlsCause::NotTls)
}
