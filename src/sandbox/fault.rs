//! What can go wrong on purpose, and how it is done to an answer.

use super::wire::Cutter;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::io;
use tokio::sync::watch;

/// Something that goes wrong with one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// This answer instead, nothing done.
    Status {
        /// The status code.
        code: u16,
        /// More headers.
        headers: Vec<(String, String)>,
        /// The body; `content-type` is JSON unless the headers say otherwise.
        body: String,
    },
    /// 200 with an HTML page, as a proxy in maintenance gives it; nothing done.
    Html,
    /// The right answer, done, whose second half never comes.
    Cut,
    /// The connection is closed without an answer; nothing done.
    Reset,
    /// Done, but the connection is closed before the answer.
    ResetAfterApplying,
    /// No answer until the server ends; nothing done.
    Slow,
    /// 400 `Unauthenticated.`, as the API says it.
    Unauthenticated,
    /// 200 with an `error`, as the API does.
    ErrorUnder200,
}

impl Fault {
    /// [`Fault::Status`] without headers.
    pub fn status(code: u16, body: &str) -> Self {
        Self::Status { code, headers: Vec::new(), body: body.to_owned() }
    }

    /// Whether the request is carried out all the same.
    pub(super) fn applies(&self) -> bool {
        matches!(self, Self::Cut | Self::ResetAfterApplying)
    }

    /// The answer instead of `answer`.
    pub(super) async fn answer(self, answer: Response, line: &Line) -> Response {
        match self {
            Self::Status { code, headers, body } => status(code, &headers, body),
            Self::Html => html(),
            Self::Cut => cut(answer).await,
            Self::Reset | Self::ResetAfterApplying => line.reset(),
            Self::Slow => {
                line.until_closing().await;
                line.reset()
            }
            Self::Unauthenticated => unauthenticated(),
            Self::ErrorUnder200 => json(200, r#"{"error":"request is invalid #473298"}"#),
        }
    }
}

/// The connection that a request came over, and the word that its server is closing.
pub(super) struct Line {
    pub(super) cutter: Option<Cutter>,
    pub(super) closing: watch::Receiver<bool>,
}

impl Line {
    /// An answer that never arrives: the connection is cut, or breaks off where it cannot be.
    pub(super) fn reset(&self) -> Response {
        if let Some(cutter) = &self.cutter {
            cutter.cut();
        }
        Body::from_stream(futures::stream::iter([Err::<Bytes, _>(io::Error::from(
            io::ErrorKind::ConnectionReset,
        ))]))
        .into_response()
    }

    pub(super) async fn until_closing(&self) {
        // An error means that the server is gone already.
        let _ = self.closing.clone().wait_for(|closing| *closing).await;
    }
}

/// A JSON answer.
pub(super) fn json(code: u16, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// How the API says that nobody is logged in.
pub(super) fn unauthenticated() -> Response {
    json(400, r#"{"error":"Unauthenticated."}"#)
}

/// An answer with `headers`; those that are none are left out.
pub(super) fn status(code: u16, headers: &[(String, String)], body: String) -> Response {
    let mut response = json(code, body);
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}

fn html() -> Response {
    let page =
        "<!DOCTYPE html>\n<html><head><title>Be right back</title></head><body>Maintenance</body></html>";
    let mut response = json(200, page);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8"));
    response
}

async fn cut(answer: Response) -> Response {
    let (mut parts, body) = answer.into_parts();
    let whole = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let half = whole.slice(..whole.len() / 2);
    parts.headers.remove(header::CONTENT_LENGTH);
    let stream = futures::stream::unfold(Some(half), |half| async {
        match half {
            Some(half) if !half.is_empty() => Some((Ok(half), Some(Bytes::new()))),
            _ => {
                // Gives the server its chance to send the first half.
                tokio::task::yield_now().await;
                Some((Err(io::Error::from(io::ErrorKind::UnexpectedEof)), None))
            }
        }
    });
    Response::from_parts(parts, Body::from_stream(stream))
}
