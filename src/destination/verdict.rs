//! What an answer means by its status, or the lack of one, for the message and the destination, and how to say so to
//! whoever runs the shop.

use super::answers::quota;
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

    /// What to do about a message that is too large: the outbox does it.
    pub fn too_large_advice(&self) -> &'static str {
        "A message with several reviews is sent again in parts, a single review is shortened"
    }

    /// What to do where a quota is used up.
    pub fn quota_advice(&self) -> String {
        "Messages are kept, and one is tried every hour. If this happens often, get a higher limit, or use `digest`, \
         which needs fewer messages"
            .to_owned()
    }

    /// What happened and what to do, by reason.
    fn explain(&self, reason: Reason, answer: &Answer) -> String {
        let (host, status) = (&self.host, answer.status);
        let what = match reason {
            Reason::RateLimited => format!(
                "{host} asked to slow down ({status}). No action needed: the message is retried automatically"
            ),
            Reason::Quota => {
                format!("The sending limit of {host} is used up ({status}). {}", self.quota_advice())
            }
            Reason::ServerError => format!(
                "{host} failed ({status}). The message is retried automatically. If it keeps failing, contact the \
                 people who run {host}"
            ),
            Reason::TooLarge => {
                format!("{host} refused the message as too large ({status}). {}", self.too_large_advice())
            }
            Reason::PayloadRefused => {
                format!("{host} refused the message ({status}). {}", self.refused_for_good())
            }
            Reason::PaymentRequired => format!(
                "{host} asks for payment ({status}): the account behind the URL is suspended or its plan is used up. \
                 Settle that with {host}; pending messages are then sent automatically"
            ),
            Reason::ProxyRefused => format!(
                "A proxy on the way to {host} denied access ({status}). Check its address and credentials; pending \
                 messages are then sent automatically"
            ),
            Reason::Revoked => {
                format!("{host} reports that this URL no longer exists ({status}): {}", self.new_url_needed())
            }
            Reason::CredentialsRefused | Reason::Forbidden => format!(
                "{host} denied access ({status}). Check that `{}` is correct and still allowed to post. If the URL \
                 has changed, {}",
                self.setting,
                self.new_url_needed()
            ),
            Reason::CertificateRefused => format!(
                "{host} accepts only https, or requires a client certificate ({status}). Check `{}`",
                self.setting
            ),
            Reason::NotFound => {
                format!("{host} found nothing at this URL ({status}): {}", self.new_url_needed())
            }
            Reason::Redirected => {
                let to = answer.moved_to.as_deref().map(|to| format!(" to {to}")).unwrap_or_default();
                format!(
                    "{host} redirects{to} ({status}). Redirects are never followed: {}",
                    self.new_url_needed()
                )
            }
            _ => format!(
                "{host} gave an unexpected answer ({status}). Check that `{}` is the right URL",
                self.setting
            ),
        };
        sentence(&what)
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

/// `text` with one full stop at its end.
pub(super) fn sentence(text: &str) -> String {
    format!("{}.", text.trim().trim_end_matches('.'))
}

/// What an answer means where only its status counts, and what everybody understands of its text. The statuses:
/// <https://www.iana.org/assignments/http-status-codes>, of nginx (494 to 499), IIS (440, 449), AWS (460), Laravel (419)
/// and Cloudflare (52x, 530) their own.
fn outcome_of(answer: &Answer) -> Outcome {
    use Outcome::{Broken, Dead, Delivered, Retry};
    let retry = |reason| Retry { reason, after: answer.retry_after, ambiguous: false };
    match answer.status {
        200..=299 => Delivered,
        300..=399 => Broken { reason: Reason::Redirected },
        413 | 431 | 494 => Dead { reason: Reason::TooLarge },
        509 => quota(answer),
        400..=599 if says_too_large(answer) => Dead { reason: Reason::TooLarge },
        400 | 403 | 429 | 503 if says_quota(answer) => quota(answer),
        401 | 498 => Broken { reason: Reason::CredentialsRefused },
        402 => Broken { reason: Reason::PaymentRequired },
        403 | 419 | 450 | 451 => Broken { reason: Reason::Forbidden },
        404 | 405 => Broken { reason: Reason::NotFound },
        407 => Broken { reason: Reason::ProxyRefused },
        410 => Broken { reason: Reason::Revoked },
        411 | 414 | 426 | 428 => Broken { reason: Reason::UnexpectedAnswer },
        495..=497 => Broken { reason: Reason::CertificateRefused },
        420 | 429 => retry(Reason::RateLimited),
        408 | 421 | 423 | 424 | 425 | 440 | 444 | 449 | 460 | 499 | 500..=599 => retry(Reason::ServerError),
        400..=499 => Dead { reason: Reason::PayloadRefused },
        _ => Broken { reason: Reason::UnexpectedAnswer },
    }
}

/// How servers say that a body is too large whose status does not: Express and Next.js behind a catch-all, IIS (404.13),
/// ASP.NET (500), the gateways of AWS and Azure.
fn says_too_large(answer: &Answer) -> bool {
    const PHRASES: &[&str] = &[
        "entity too large",
        "payload too large",
        "content too large",
        "body too large",
        "request too large",
        "message too large",
        "request is too large",
        "payload is too large",
        "message is too large",
        "body exceeded",
        "exceeds the request content length",
        "exceeds the maximum allowed size",
        "maximum request length exceeded",
    ];
    answer.says(|text| PHRASES.iter().any(|phrase| text.contains(phrase)))
}

/// How services say that an allowance of a day or longer is used up; those of a minute pass soon.
fn says_quota(answer: &Answer) -> bool {
    const SPANS: &[&str] =
        &["daily", "per day", "monthly", "per month", "weekly", "per week", "for today", "this month"];
    const LIMITS: &[&str] = &["limit", "quota", "allowance", "exceeded", "used up"];
    answer.says(|text| {
        SPANS.iter().any(|span| text.contains(span)) && LIMITS.iter().any(|limit| text.contains(limit))
    })
}

/// Why TLS failed, where it is the certificate (or that there is no TLS) and not the network.
fn tls_refusal(error: &(dyn StdError + 'static), connecting: bool) -> Option<TlsCause> {
    TlsCause::of(tls_error(error)?).filter(|cause| connecting || *cause != TlsCause::NotTls)
}
