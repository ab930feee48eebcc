//! One request and its answer: time-outs, no redirects, bounded reading, and failures without an address.

use super::{ErrorKind, UpstreamError};
use crate::causes;
use crate::outbound::{Http, Outbound};
use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::{Method, Response};
use serde_json::Value;
use std::error::Error;
use std::time::Duration;
use url::Url;

/// How long anything may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Timeouts {
    /// Until there is a connection.
    pub(super) connect: Duration,
    /// Between two pieces of an answer.
    pub(super) read: Duration,
    /// A whole call.
    pub(super) call: Duration,
    /// A whole page, which may be large.
    pub(super) page: Duration,
}

impl Default for Timeouts {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self { connect: seconds(10), read: seconds(30), call: seconds(60), page: seconds(600) }
    }
}

/// The maximum of bytes read of what is not a page.
const MAX_ANSWER_BYTES: u64 = 64 * 1024;

/// What is sent.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) method: Method,
    pub(super) url: Url,
    pub(super) body: Option<&'a Value>,
    /// How many bytes a good answer may have; `None` where the start of it says enough.
    pub(super) page_bytes: Option<u64>,
}

/// What came back.
#[cfg(test)]
#[derive(Debug)]
pub(super) struct Answer {
    /// The body, or why it could not be read: the status says enough for some callers.
    pub(super) body: Result<Vec<u8>, UpstreamError>,
}

/// How long a connection waits for another request.
const IDLE: Duration = Duration::from_secs(90);

/// The client of an account that is reached at `base_url`.
pub(super) fn build(
    outbound: &Outbound,
    base_url: &Url,
    timeouts: Timeouts,
) -> Result<reqwest::Client, String> {
    client(outbound, base_url, timeouts, IDLE)
}

/// One that never uses a connection twice.
pub(super) fn build_fresh(
    outbound: &Outbound,
    base_url: &Url,
    timeouts: Timeouts,
) -> Result<reqwest::Client, String> {
    client(outbound, base_url, timeouts, Duration::ZERO)
}

fn client(
    outbound: &Outbound,
    base_url: &Url,
    timeouts: Timeouts,
    idle_timeout: Duration,
) -> Result<reqwest::Client, String> {
    let http = Http {
        connect_timeout: timeouts.connect,
        read_timeout: Some(timeouts.read),
        idle_timeout,
        gzip: true,
    };
    outbound.http(base_url, http, &[]).map_err(|why| format!("cannot prepare https: {why}"))
}

/// An answer whose body is still to be read.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Body,
}

/// A body that is read in pieces, within its bounds.
#[derive(Debug)]
pub(super) struct Body {
    response: Response,
    limit: u64,
    read: u64,
    /// Whether all of it is needed, or the start says enough.
    is_page: bool,
    /// Whether its connection is kept for the next request.
    pub(super) is_kept: bool,
}

/// Sends `request` once. `authorization` is the whole header.
pub(super) async fn open(
    http: &reqwest::Client,
    timeouts: Timeouts,
    request: &Request<'_>,
    authorization: Option<&HeaderValue>,
) -> Result<Opened, Failed> {
    let total = if request.page_bytes.is_some() { timeouts.page } else { timeouts.call };
    let mut builder = http.request(request.method.clone(), request.url.clone()).timeout(total);
    for name in [ACCEPT, CONTENT_TYPE] {
        builder = builder.header(name, HeaderValue::from_static("application/json"));
    }
    if let Some(authorization) = authorization {
        builder = builder.header(AUTHORIZATION, authorization.clone());
    }
    // Without a body a POST still says that its length is 0: some servers insist.
    match request.body {
        Some(body) => builder = builder.body(body.to_string()),
        None if request.method == Method::POST => builder = builder.header(CONTENT_LENGTH, 0),
        None => {}
    }
    let response = builder.send().await.map_err(|error| Failed {
        is_lost: !error.is_timeout() && !error.is_connect() && is_lost(&error),
        error: failure(&error, ErrorKind::Unreachable),
    })?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let page_bytes = request.page_bytes.filter(|_| response.status().is_success());
    let limit = page_bytes.unwrap_or(MAX_ANSWER_BYTES);
    Ok(Opened {
        status,
        headers,
        body: Body { response, limit, read: 0, is_page: page_bytes.is_some(), is_kept: true },
    })
}

/// A request that got no answer.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: UpstreamError,
    /// Whether its connection was closed before a byte of an answer came.
    pub(super) is_lost: bool,
}

/// Sends `request` once, and reads what it may read of the answer.
#[cfg(test)]
pub(super) async fn send(
    http: &reqwest::Client,
    timeouts: Timeouts,
    request: &Request<'_>,
    authorization: Option<&HeaderValue>,
) -> Result<Answer, UpstreamError> {
    let opened = open(http, timeouts, request, authorization).await.map_err(|failed| failed.error)?;
    Ok(Answer { body: opened.body.all().await })
}

impl Body {
    /// The next piece; none at its end, or at the end of what may be read of it.
    pub(super) async fn piece(&mut self) -> Result<Option<Vec<u8>>, UpstreamError> {
        let left = self.limit.saturating_sub(self.read);
        if left == 0 && !self.is_page {
            return Ok(None);
        }
        let chunk = match self.response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Ok(None),
            Err(error) => return Err(failure(&error, ErrorKind::Unavailable)),
        };
        let length = chunk.len() as u64;
        self.read = self.read.saturating_add(length);
        if length <= left {
            return Ok(Some(chunk.to_vec()));
        }
        if self.is_page {
            let detail = format!("the answer is larger than `max_page_bytes` ({} bytes)", self.limit);
            return Err(UpstreamError { kind: ErrorKind::Unavailable, setting: "", detail });
        }
        let left = usize::try_from(left).unwrap_or(usize::MAX).min(chunk.len());
        Ok(Some(chunk[..left].to_vec()))
    }

    /// All that may be read of it.
    pub(super) async fn all(mut self) -> Result<Vec<u8>, UpstreamError> {
        let mut all = Vec::new();
        while let Some(piece) = self.piece().await? {
            all.extend(piece);
        }
        Ok(all)
    }
}

/// Whether a connection was closed or reset: what happens to one that was kept open for too long.
fn is_lost(error: &reqwest::Error) -> bool {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<std::io::Error>() {
            use std::io::ErrorKind as Io;
            let kinds = [Io::ConnectionReset, Io::ConnectionAborted, Io::BrokenPipe, Io::UnexpectedEof];
            return kinds.contains(&error.kind());
        }
        // The HTTP client's own words: it keeps the kind to itself.
        let words = error.to_string();
        if words.contains("before message completed") || words.contains("connection was not ready") {
            return true;
        }
        cause = error.source();
    }
    false
}

/// What a failed exchange means; `lost` where the connection was there and broke.
fn failure(error: &reqwest::Error, lost: ErrorKind) -> UpstreamError {
    let (kind, what) = if error.is_timeout() {
        (ErrorKind::TimedOut, "no answer in time")
    } else if error.is_connect() {
        (ErrorKind::Unreachable, "cannot connect")
    } else if lost == ErrorKind::Unavailable {
        (lost, "the answer was cut off or unreadable")
    } else {
        (lost, "the connection was lost")
    };
    UpstreamError { kind, setting: "", detail: format!("{what}: {}", cause(error)) }
}

/// The cause below `error`, whose own text would hold the address.
fn cause(error: &reqwest::Error) -> String {
    error.source().map_or_else(|| "unknown cause".into(), causes::words)
}

#[cfg(test)]
#[path = "transport_tests.rs"]
mod tests;
