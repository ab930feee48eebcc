//! One POST, once: the client, its limits, and what its answer or failure means for the message.
//!
//! Redirects are never followed, proxies of the environment are ignored, at most 64 KiB of an answer are
//! read. Whether a message may have arrived is decided here: before the connection stood it cannot have.

use super::settings::Common;
use crate::clock::Stopwatch;
use crate::domain::text::one_line;
use crate::domain::{Attempt, Outcome, Reason, Timestamp};
use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use std::error::Error as StdError;
use std::path::Path;
use std::time::Duration;

/// How much of an answer is read.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How long a destination may ask to be left alone.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);
const MAX_EXCERPT: usize = 300;
/// The body most often comes with the status line, however late that was.
const LEAST_TIME_FOR_BODY: Duration = Duration::from_millis(250);

/// Sends to one URL.
#[derive(Debug)]
pub struct Sender {
    client: reqwest::Client,
    url: Hidden,
    host: String,
    timeout: Duration,
    secrets: Secrets,
    /// The destination's URL in the configuration, such as `destinations.support.webhook_url`.
    setting: String,
    name: String,
}

/// An answer whose status line was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// What it asked for, within limits.
    pub retry_after: Option<Duration>,
    /// The host that a redirect names.
    pub moved_to: Option<String>,
    /// Its body, at most 64 KiB; `None` where it could not be read to its end.
    pub body: Option<String>,
}

/// A URL that `Debug` does not print.
struct Hidden(url::Url);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Sender {
    /// A sender for the destination `name`, whose URL is in its key `key`. `secrets` never appear in what
    /// an attempt says, nor do the URL and its longer parts.
    pub fn new(name: &str, key: &str, url: &str, secrets: &[&str], common: &Common) -> Result<Self, String> {
        let setting = format!("destinations.{name}.{key}");
        let url = url::Url::parse(url).map_err(|_| format!("`{setting}` is not a URL"))?;
        let mut builder = reqwest::Client::builder()
            .user_agent(concat!("review-bridge/", env!("CARGO_PKG_VERSION")))
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .no_proxy()
            .no_gzip()
            .tcp_nodelay(true)
            // Shorter than the whole, so that running out of the whole means that sending had begun.
            .connect_timeout(common.timeout / 2)
            .pool_idle_timeout(Duration::from_secs(30));
        if let Some(file) = &common.ca_file {
            let found = certificates(file).map_err(|what| format!("`destinations.{name}.ca_file` {what}"))?;
            builder = found.into_iter().fold(builder, |builder, root| builder.add_root_certificate(root));
        }
        let client = builder.build().map_err(|error| {
            format!("cannot make the connection settings of `{name}`: {}", innermost(&error.without_url()))
        })?;
        let host = match (url.host_str(), url.port()) {
            (Some(host), Some(port)) => format!("{host}:{port}"),
            (host, _) => host.unwrap_or_default().to_owned(),
        };
        let secrets = Secrets::new(&url, secrets);
        let name = name.to_owned();
        Ok(Self { client, url: Hidden(url), host, timeout: common.timeout, secrets, setting, name })
    }

    /// Where it sends, without secrets: host, and port where it is not the usual one.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Posts `body` once. The error is the attempt's end: nothing was answered.
    pub async fn post(
        &self,
        media_type: &'static str,
        headers: &[(&'static str, String)],
        body: String,
        now: Timestamp,
    ) -> Result<Answer, Attempt> {
        let mut map = HeaderMap::new();
        map.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(value) {
                map.insert(HeaderName::from_static(name), value);
            }
        }
        let request = self.client.post(self.url.0.clone()).headers(map).body(body);
        let watch = Stopwatch::start();
        match tokio::time::timeout(self.timeout, request.send()).await {
            // The status line was read: from here on nothing can make it an attempt that failed.
            Ok(Ok(response)) => {
                let left = self.timeout.saturating_sub(watch.elapsed()).max(LEAST_TIME_FOR_BODY);
                Ok(read(response, now, left).await)
            }
            Ok(Err(error)) => Err(self.failed(&error.without_url())),
            Err(_) => Err(self.timed_out()),
        }
    }

    /// The attempt that `answer` makes where only its status counts.
    pub fn by_status(&self, answer: &Answer) -> Attempt {
        let outcome = outcome_of(answer);
        let detail = match outcome.reason() {
            None => format!("{} took the message ({}).", self.host, answer.status),
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
            "put the new URL into `{}` (or the file that its `_file` twin names); waiting messages follow by \
             themselves, at once after `review-bridge destinations resume {}`",
            self.setting, self.name
        )
    }

    /// What to do about a message that was refused for good.
    pub fn refused_for_good(&self) -> &'static str {
        "Other messages are not affected; this one is a dead letter: `review-bridge deliveries list` shows it, \
         `deliveries retry` sends it again"
    }

    /// What happened and what to do, by reason.
    fn explain(&self, reason: Reason, answer: &Answer) -> String {
        let (host, status) = (&self.host, answer.status);
        match reason {
            Reason::RateLimited => {
                format!("{host} asked to slow down ({status}). Nothing to do: it is tried again by itself.")
            }
            Reason::ServerError => format!(
                "{host} failed ({status}). It is tried again by itself; if it stays, ask whoever runs it."
            ),
            Reason::TooLarge => {
                format!("{host} refused the message as too large ({status}). {}.", self.refused_for_good())
            }
            Reason::PayloadRefused => {
                format!("{host} refused the message ({status}). {}.", self.refused_for_good())
            }
            Reason::Revoked => {
                format!("{host} says that this URL is gone for good ({status}): {}.", self.new_url_needed())
            }
            Reason::CredentialsRefused | Reason::Forbidden => format!(
                "{host} does not let us in ({status}). Check that `{}` is right and still allowed to post; {}.",
                self.setting,
                self.new_url_needed()
            ),
            Reason::NotFound => {
                format!("{host} knows nothing at this URL ({status}): {}.", self.new_url_needed())
            }
            Reason::Redirected => {
                let to = answer.moved_to.as_deref().map(|to| format!(" to {to}")).unwrap_or_default();
                format!(
                    "{host} redirects{to} ({status}), and redirects are never followed: {}.",
                    self.new_url_needed()
                )
            }
            _ => format!(
                "{host} gave an answer that is not expected of it ({status}). Check that `{}` is the right URL. {}.",
                self.setting,
                self.refused_for_good()
            ),
        }
    }

    fn timed_out(&self) -> Attempt {
        let detail = format!(
            "{} gave no answer within {}. The message may have arrived all the same; it is tried again by itself.",
            self.host,
            crate::settings::units::show_duration(self.timeout)
        );
        self.unanswered(Outcome::Retry { reason: Reason::TimedOut, after: None, ambiguous: true }, detail)
    }

    fn unanswered(&self, outcome: Outcome, detail: String) -> Attempt {
        Attempt { outcome, status: None, detail: self.secrets.excerpt_of(&detail, 600), excerpt: None }
    }

    fn failed(&self, error: &reqwest::Error) -> Attempt {
        let (host, why) = (&self.host, innermost(error));
        if let Some(what) = tls_refusal(error, error.is_connect()) {
            let detail = format!(
                "No trusted connection to {host}: {what}. If it uses a private certificate authority, name its PEM \
                 file in `destinations.{}.ca_file`; else its certificate or the clock of this machine is wrong.",
                self.name
            );
            return self.unanswered(Outcome::Broken { reason: Reason::CertificateRefused }, detail);
        }
        if error.is_connect() || error.is_builder() {
            let detail = if error.is_timeout() {
                format!(
                    "Could not connect to {host} in time. It is tried again by itself; if it stays, check network and firewall."
                )
            } else {
                format!(
                    "Could not connect to {host}: {why}. It is tried again by itself; if it stays, check the URL's host, network and firewall."
                )
            };
            let reason = if error.is_timeout() { Reason::TimedOut } else { Reason::Unreachable };
            return self.unanswered(Outcome::Retry { reason, after: None, ambiguous: false }, detail);
        }
        if error.is_timeout() {
            return self.timed_out();
        }
        let detail = format!(
            "The connection to {host} was lost before it answered: {why}. The message may have arrived all the same; \
             it is tried again by itself."
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

/// The root certificates of a PEM file.
pub fn certificates(file: &Path) -> Result<Vec<reqwest::Certificate>, String> {
    let shown = file.display();
    let pem = std::fs::read(file)
        .map_err(|error| format!("cannot read `{shown}`: {}", crate::settings::table::io_text(&error)))?;
    match reqwest::Certificate::from_pem_bundle(&pem) {
        Ok(found) if !found.is_empty() => Ok(found),
        _ => Err(format!("`{shown}` holds no certificate in PEM form")),
    }
}

/// Reads what an answer says; its body only as far as it comes in time.
async fn read(mut response: reqwest::Response, now: Timestamp, time: Duration) -> Answer {
    let header = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let status = response.status().as_u16();
    let retry_after = header(RETRY_AFTER).and_then(|text| retry_after(text, now));
    let moved_to = header(LOCATION).and_then(|text| host_of(response.url(), text));
    let mut bytes = Vec::new();
    let all = async {
        while bytes.len() < MAX_ANSWER_BYTES {
            match response.chunk().await {
                Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
        bytes.truncate(MAX_ANSWER_BYTES);
        true
    };
    let complete = tokio::time::timeout(time, all).await.unwrap_or(false);
    let body = complete.then(|| String::from_utf8_lossy(&bytes).into_owned());
    Answer { status, retry_after, moved_to, body }
}

fn host_of(base: &url::Url, location: &str) -> Option<String> {
    let host = base.join(location).ok()?.host_str()?.to_owned();
    Some(one_line(&host, 100))
}

/// `Retry-After`, in seconds or as an HTTP date: above zero, at most an hour.
pub fn retry_after(text: &str, now: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let wanted = if !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit()) {
        // Too many digits for a number is still a wish to wait long.
        Duration::from_secs(text.parse().unwrap_or(u64::MAX))
    } else {
        let date = jiff::fmt::rfc2822::parse(text).ok()?;
        Timestamp(date.timestamp().as_millisecond()).since(now)
    };
    (wanted > Duration::ZERO).then(|| wanted.min(MAX_RETRY_AFTER))
}

/// Why TLS failed, where it is the certificate (or that there is no TLS) and not the network.
fn tls_refusal(error: &(dyn StdError + 'static), connecting: bool) -> Option<String> {
    use rustls::{AlertDescription as Alert, Error};
    let error = tls_error(error)?;
    match error {
        Error::InvalidCertificate(_) | Error::NoCertificatesPresented => Some(error.to_string()),
        Error::InvalidMessage(_) if connecting => Some("it does not speak TLS (https)".into()),
        Error::AlertReceived(
            Alert::CertificateRequired | Alert::BadCertificate | Alert::AccessDenied | Alert::UnknownCA,
        ) => Some("it asks for a certificate of ours".into()),
        _ => None,
    }
}

/// An I/O error answers with its content's source, not with its content: that must be asked for.
fn tls_error<'a>(error: &'a (dyn StdError + 'static)) -> Option<&'a rustls::Error> {
    if let Some(found) = error.downcast_ref() {
        return Some(found);
    }
    match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
        Some(inner) => tls_error(inner),
        None => tls_error(error.source()?),
    }
}

/// The innermost cause: the outer ones say only "error sending request".
fn innermost(error: &(dyn StdError + 'static)) -> String {
    let mut error = error;
    while let Some(source) = error.source() {
        error = source;
    }
    let text = error.to_string();
    one_line(text.split(" (os error").next().unwrap_or(&text), 200)
}

/// What must not appear in a text.
struct Secrets(Vec<String>);

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

impl Secrets {
    /// The URL, its path, query and their longer parts, and `more`.
    fn new(url: &url::Url, more: &[&str]) -> Self {
        let mut found = vec![url.as_str().to_owned(), url.path().to_owned()];
        found.extend(url.path().split('/').map(str::to_owned));
        found.extend(url.query().map(str::to_owned));
        for (name, value) in url.query_pairs() {
            found.extend([name.into_owned(), value.into_owned()]);
        }
        for secret in more {
            found.extend([(*secret).to_owned(), secret.trim_start_matches("whsec_").to_owned()]);
        }
        let decoded = |text: &String| {
            let bytes =
                url::form_urlencoded::parse(text.as_bytes()).next().map(|(name, _)| name.into_owned());
            bytes.unwrap_or_default()
        };
        found.extend(found.iter().map(decoded).collect::<Vec<_>>());
        // Shorter parts (`services`, `T1`) are no secrets, and their absence would garble texts.
        found.retain(|part| part.len() > 8);
        found.sort_by_key(|part| std::cmp::Reverse(part.len()));
        found.dedup();
        Self(found)
    }

    fn excerpt(&self, text: &str) -> String {
        self.excerpt_of(text, MAX_EXCERPT)
    }

    /// `text` on one line without secrets, then cut: the other way round half of one could remain.
    fn excerpt_of(&self, text: &str, limit: usize) -> String {
        let mut line: String = text.chars().filter(|c| !crate::domain::text::is_unsafe(*c)).collect();
        line = line.split_whitespace().collect::<Vec<_>>().join(" ");
        for secret in &self.0 {
            line = replace_without_case(&line, secret, "[redacted]");
        }
        one_line(&line, limit)
    }
}

fn replace_without_case(text: &str, part: &str, with: &str) -> String {
    // ASCII only: lengths stay, so that places in the one are places in the other.
    let (lower, part) = (text.to_ascii_lowercase(), part.to_ascii_lowercase());
    let mut replaced = String::new();
    let mut done = 0;
    for (at, _) in lower.match_indices(&part) {
        replaced.push_str(&text[done..at]);
        replaced.push_str(with);
        done = at + part.len();
    }
    replaced.push_str(&text[done..]);
    replaced
}

/// Asks for `url` once and looks at the status alone: a heartbeat. The error holds no part of the address.
pub async fn ping(url: &crate::settings::Secret) -> Result<(), String> {
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(10))
        .user_agent(concat!("review-bridge/", env!("CARGO_PKG_VERSION")))
        .build()
        .map_err(|error| error.without_url().to_string())?;
    let answer = client.get(url.expose()).send().await.map_err(|error| error.without_url().to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("the answer was {}", answer.status())) }
}
