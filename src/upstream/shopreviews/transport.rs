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
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// The body, or why it could not be read: the status says enough for some callers.
    pub(super) body: Result<Vec<u8>, UpstreamError>,
}

/// The client of an account that is reached at `base_url`.
pub(super) fn build(
    outbound: &Outbound,
    base_url: &Url,
    timeouts: Timeouts,
) -> Result<reqwest::Client, String> {
    let http = Http {
        connect_timeout: timeouts.connect,
        read_timeout: Some(timeouts.read),
        idle_timeout: Duration::from_secs(90),
        gzip: true,
    };
    outbound.http(base_url, http, &[]).map_err(|why| format!("cannot prepare https: {why}"))
}

/// Sends `request` once. `authorization` is the whole header.
pub(super) async fn send(
    http: &reqwest::Client,
    timeouts: Timeouts,
    request: &Request<'_>,
    authorization: Option<&HeaderValue>,
) -> Result<Answer, UpstreamError> {
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
    let mut response = builder.send().await.map_err(|error| failure(&error, ErrorKind::Unreachable))?;
    let status = response.status().as_u16();
    let headers = response.headers().clone();
    let page_bytes = request.page_bytes.filter(|_| response.status().is_success());
    let body = read(&mut response, page_bytes).await;
    Ok(Answer { status, headers, body })
}

async fn read(response: &mut Response, page_bytes: Option<u64>) -> Result<Vec<u8>, UpstreamError> {
    let limit = page_bytes.unwrap_or(MAX_ANSWER_BYTES);
    let mut body = Vec::new();
    loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => return Ok(body),
            Err(error) => return Err(failure(&error, ErrorKind::Unavailable)),
        };
        let left = usize::try_from(limit).unwrap_or(usize::MAX).saturating_sub(body.len());
        if chunk.len() <= left {
            body.extend_from_slice(&chunk);
            continue;
        }
        if page_bytes.is_some() {
            let detail = format!("the answer is larger than `max_page_bytes` ({limit} bytes)");
            return Err(UpstreamError { kind: ErrorKind::Unavailable, setting: "", detail });
        }
        body.extend_from_slice(&chunk[..left]);
        return Ok(body);
    }
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
