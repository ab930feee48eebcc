//! The page over HTTP: a shell, one script, one style sheet, and the feed they request. Review text is hostile:
//! none of it is ever part of the shell.

use super::config;
use super::feed::Feed;
use crate::destination::{Kind, TABLE};
use axum::Router;
use axum::extract::{Path, Query, Request, State};
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::Deserialize;
use serde_json::json;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;
use tokio::net::TcpListener;

const SHELL: &str = include_str!("../../templates/web/demo.html");
const STYLE: &str = include_str!("../../templates/web/demo.css");
const DRAW: &str = include_str!("../../templates/web/draw.js");
const SCRIPT: &str = include_str!("../../templates/web/demo.js");

/// Of the page: nothing but its own files, and mails in frames.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
    img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Of a mail: its own styles, and no script, no form, no way out.
const MAIL_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; \
    form-action 'none'; frame-ancestors 'self'; sandbox";

/// Serves the page for as long as it is not dropped.
pub(super) async fn serve(listener: TcpListener, feed: Arc<Feed>) {
    if let Err(error) = axum::serve(listener, router(feed)).await {
        tracing::error!(error = %error, "the page is no longer served");
    }
}

fn router(feed: Arc<Feed>) -> Router {
    Router::new()
        .route("/", get(shell))
        .route("/demo.css", get(|| async { of_type("text/css; charset=utf-8", STYLE) }))
        .route("/demo.js", get(script))
        .route("/feed", get(feed_since))
        .route("/mail/{id}", get(mail))
        .fallback(|| async { (StatusCode::NOT_FOUND, "not found; the demo is at /\n") })
        .layer(middleware::from_fn(guard))
        .with_state(feed)
}

fn of_type(media_type: &'static str, body: impl IntoResponse) -> Response {
    ([(header::CONTENT_TYPE, media_type)], body).into_response()
}

/// The page's script, with those that draw messages of the kinds that it shows; mails have a page of their own.
async fn script(State(feed): State<Arc<Feed>>) -> Response {
    let shown = |kind: &&&Kind| feed.places.iter().any(|place| place.kind == kind.name);
    let kinds = TABLE.iter().filter(|kind| kind.fixture.answer.is_some()).filter(shown);
    let scripts: Vec<&str> =
        [DRAW].into_iter().chain(kinds.map(|kind| kind.fixture.draw)).chain([SCRIPT]).collect();
    of_type("text/javascript; charset=utf-8", scripts.join("\n"))
}

async fn shell(State(feed): State<Arc<Feed>>) -> Response {
    let page = SHELL
        .replace("{{version}}", env!("CARGO_PKG_VERSION"))
        .replace("{{places}}", &html_escape::encode_double_quoted_attribute(&json!(feed.places).to_string()))
        .replace("{{rules}}", &html_escape::encode_text(config::rules()));
    of_type("text/html; charset=utf-8", page)
}

#[derive(Deserialize)]
struct After {
    #[serde(default)]
    after: u64,
}

async fn feed_since(State(feed): State<Arc<Feed>>, Query(query): Query<After>) -> Response {
    match feed.since(query.after).await {
        Ok(news) => axum::Json(news).into_response(),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the demo is stopping\n").into_response(),
    }
}

async fn mail(State(feed): State<Arc<Feed>>, Path(id): Path<u64>) -> Response {
    let Some(html) = feed.mail_html(id) else {
        return (StatusCode::NOT_FOUND, "this e-mail is no longer available\n").into_response();
    };
    let mut response = of_type("text/html; charset=utf-8", html);
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(MAIL_POLICY));
    response.headers_mut().insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("SAMEORIGIN"));
    response
}

/// Refuses names that are not this machine's (DNS rebinding), and puts the headers on every answer.
async fn guard(request: Request, next: Next) -> Response {
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok());
    let host = request.uri().authority().map(|authority| authority.as_str()).or(host);
    let mut response = if host.is_some_and(is_accepted) {
        next.run(request).await
    } else {
        let why = "this host name is not served; use an IP address or localhost\n";
        (StatusCode::MISDIRECTED_REQUEST, why).into_response()
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, PAGE_POLICY),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Whether a Host is an IP literal or localhost, with or without a port.
fn is_accepted(host: &str) -> bool {
    let (name, port) = match host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((literal, port)) => {
            return literal.parse::<Ipv6Addr>().is_ok() && is_port(port);
        }
        None => host.split_at(host.find(':').unwrap_or(host.len())),
    };
    is_port(port) && (name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok())
}

fn is_port(port: &str) -> bool {
    port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_and_localhost_are_hosts() {
        for host in ["localhost", "LOCALHOST:8080", "127.0.0.1:8080", "192.0.2.1", "[::1]:80", "[::1]"] {
            assert!(is_accepted(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example:80",
            "127.0.0.1.evil.example",
            "[::1",
            "localhost:x",
            "::1",
        ] {
            assert!(!is_accepted(host), "{host}");
        }
    }
}
