//! One POST, once: the client, its limits, and what its answer or failure means for the message.
//!
//! Redirects are never followed, proxies of the environment are ignored, at most 64 KiB of an answer are
//! read. Whether a message may have arrived is decided here: before the connection stood it cannot have.

use super::redact::Secrets;
use super::settings::Common;
use crate::clock::{Stopwatch, within};
use crate::domain::text::one_line;
use crate::domain::{Attempt, Timestamp};
use crate::outbound::{Http, Outbound, certificates};
use crate::settings::Secret;
use reqwest::header::{CONTENT_TYPE, DATE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use std::time::Duration;

/// How much of an answer is read.
pub const MAX_ANSWER_BYTES: usize = 64 * 1024;
/// How long a destination may ask to be left alone.
pub const MAX_RETRY_AFTER: Duration = Duration::from_secs(3_600);
/// The body most often comes with the status line, however late that was.
const LEAST_TIME_FOR_BODY: Duration = Duration::from_millis(250);
/// How long a heartbeat may take.
const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// The client of all that is posted to, but for the time that a connection may take.
const HTTP: Http = Http {
    connect_timeout: PING_TIMEOUT,
    read_timeout: None,
    idle_timeout: Duration::from_secs(30),
    gzip: false,
};

/// Sends to one URL.
#[derive(Debug)]
pub struct Sender {
    client: reqwest::Client,
    url: Hidden,
    pub(super) host: String,
    pub(super) timeout: Duration,
    pub(super) secrets: Secrets,
    /// The destination's URL in the configuration, such as `destinations.support.webhook_url`.
    pub(super) setting: String,
    pub(super) name: String,
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
    /// Whether the body was longer.
    pub is_cut: bool,
    /// Whether its media type is that of a web page.
    pub is_html: bool,
}

/// How much of an answer's text is searched for what it says.
const SEARCHED_BYTES: usize = 2_000;

impl Answer {
    /// Its body without space around it; empty where it could not be read.
    pub fn text(&self) -> &str {
        self.body.as_deref().unwrap_or_default().trim_start_matches('\u{feff}').trim()
    }

    /// Whether it is a web page, which no API answers with.
    pub fn is_page(&self) -> bool {
        self.text().starts_with('<') || (self.is_html && !self.text().is_empty())
    }

    /// Whether the start of its text, in lower case, `has` something.
    pub fn says(&self, has: impl Fn(&str) -> bool) -> bool {
        let text = self.text();
        let end = (0..=SEARCHED_BYTES.min(text.len())).rev().find(|end| text.is_char_boundary(*end));
        has(&text[..end.unwrap_or(0)].to_lowercase())
    }
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
        let roots = match &common.ca_file {
            Some(file) => {
                certificates(file).map_err(|what| format!("`destinations.{name}.ca_file` {what}"))?
            }
            None => Vec::new(),
        };
        // Shorter than the whole, so that running out of the whole means that sending had begun.
        let http = Http { connect_timeout: common.timeout / 2, ..HTTP };
        let client = common.outbound.http(&url, http, &roots);
        let client = client.map_err(|why| format!("cannot set up the connection of `{name}`: {why}"))?;
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

    /// Whether something listens there, without sending anything.
    pub async fn reach(&self) -> Result<(), String> {
        super::reach::reach(&self.url.0, self.timeout).await
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
        match within(self.timeout, request.send()).await {
            // The status line was read: from here on nothing can make it an attempt that failed.
            Some(Ok(response)) => {
                let left = self.timeout.saturating_sub(watch.elapsed()).max(LEAST_TIME_FOR_BODY);
                Ok(read(response, now, left).await)
            }
            Some(Err(error)) => Err(self.failed(&error.without_url())),
            None => Err(self.timed_out()),
        }
    }
}

/// Reads what an answer says; its body only as far as it comes in time.
async fn read(mut response: reqwest::Response, now: Timestamp, time: Duration) -> Answer {
    let header = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let status = response.status().as_u16();
    // Its own clock, which may not be ours, is the one by which a date is meant.
    let sent = header(DATE).and_then(http_date).unwrap_or(now);
    let retry_after = header(RETRY_AFTER).and_then(|text| retry_after(text, sent));
    let is_html = header(CONTENT_TYPE).is_some_and(|kind| kind.to_ascii_lowercase().contains("html"));
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
    let is_cut = bytes.len() >= MAX_ANSWER_BYTES;
    let body = complete.then(|| String::from_utf8_lossy(&bytes).into_owned());
    Answer { status, retry_after, moved_to, body, is_cut, is_html }
}

fn host_of(base: &url::Url, location: &str) -> Option<String> {
    let host = base.join(location).ok()?.host_str()?.to_owned();
    Some(one_line(&host, 100))
}

/// `Retry-After`, in seconds or as an HTTP date of an answer that was sent at `sent`: above zero, at most an hour.
pub fn retry_after(text: &str, sent: Timestamp) -> Option<Duration> {
    let text = text.trim();
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|digit| digit.is_ascii_digit());
    let wanted = if !whole.is_empty() && is_number(whole) && is_number(part) {
        // Too many digits for a number is still a wish to wait long. Some write parts of a second.
        let more = u64::from(part.bytes().any(|digit| digit != b'0'));
        Duration::from_secs(whole.parse::<u64>().unwrap_or(u64::MAX).saturating_add(more))
    } else {
        http_date(text)?.since(sent)
    };
    (wanted > Duration::ZERO).then(|| wanted.min(MAX_RETRY_AFTER))
}

/// A date in one of the three forms of HTTP: <https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7>.
fn http_date(text: &str) -> Option<Timestamp> {
    let text = text.trim();
    let usual = jiff::fmt::rfc2822::parse(text).ok().map(|date| date.timestamp());
    let obsolete = || {
        let read = |format: &str| jiff::civil::DateTime::strptime(format, text).ok();
        let found = read("%A, %d-%b-%y %H:%M:%S GMT").or_else(|| read("%a %b %e %H:%M:%S %Y"));
        found?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|date| date.timestamp())
    };
    usual.or_else(obsolete).map(|date| Timestamp(date.as_millisecond()))
}

/// Asks for `url` once and looks at the status alone: a heartbeat. The error holds no part of the address.
pub async fn ping(outbound: &Outbound, url: &Secret) -> Result<(), String> {
    let url: url::Url = url.expose().parse().map_err(|_| "it is not a URL")?;
    let client = outbound.http(&url, Http { connect_timeout: PING_TIMEOUT, ..HTTP }, &[])?;
    let answer = client.get(url).timeout(PING_TIMEOUT).send().await;
    let answer = answer.map_err(|error| error.without_url().to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("the answer was {}", answer.status())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

        // S2
        #[test]
        fn no_retry_after_panics_or_is_longer_than_an_hour(
            text in prop_oneof![
                any::<String>(),
                "[0-9]{0,40}([.][0-9]{0,30})?",
                "[A-Z][a-z]{2}(day)?, [0-9]{1,2}[ -](Jan|Feb|Mar|Dec)[ -][0-9]{1,5} [0-9]{1,2}:[0-9]{2}:[0-9]{2} (GMT|UTC|[+-][0-9]{4})",
                "[A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} -?[0-9]{1,5}",
            ],
            sent in any::<i64>(),
        ) {
            let wait = retry_after(&text, Timestamp(sent));
            prop_assert!(wait.is_none_or(|wait| wait > Duration::ZERO && wait <= MAX_RETRY_AFTER));
        }
    }
}
