//! One call of the API: granted by the budget, answered within bounds, its pauses passed on, and tried once
//! more after a fresh login where the token was refused.

use super::envelope::{self, Paging, Wrong, body_text};
use super::failure::{CallContext, text_of};
use super::login::{Grant, Session, is_token, read_grant};
use super::page::Pieces;
use super::scan::Scanner;
use super::settings::{Credentials, Endpoints, Settings};
use super::transport::{self, Body, Opened, Request, Timeouts};
use super::{Budget, Denied, Endpoint, ErrorKind, Purpose, UpstreamError};
use super::{address, limits};
use crate::clock::{Clock, in_words};
use crate::domain::Timestamp;
use crate::outbound::Outbound;
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use url::Url;

/// The way to one account of the API.
pub(super) struct Connection {
    pub(super) account: String,
    pub(super) base_url: Url,
    pub(super) endpoints: Endpoints,
    http: reqwest::Client,
    /// For a request whose connection turned out to be closed.
    fresh: reqwest::Client,
    /// Whether the last request left a connection that the next one uses.
    is_kept: AtomicBool,
    timeouts: Timeouts,
    max_page_bytes: u64,
    session: Session,
    budget: Arc<dyn Budget>,
    clock: Clock,
}

/// One call of an endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) endpoint: Endpoint,
    pub(super) purpose: Purpose,
    pub(super) method: &'a Method,
    pub(super) url: &'a Url,
    pub(super) body: Option<&'a Value>,
}

impl Connection {
    /// Prepares it without calling anything; the error says what is missing, without a secret.
    pub(super) fn new(
        settings: &Settings,
        account: &str,
        budget: Arc<dyn Budget>,
        clock: Clock,
        outbound: &Outbound,
    ) -> Result<Self, String> {
        if let Credentials::Token(token) = &settings.credentials
            && !is_token(token.expose())
        {
            return Err(format!(
                "`accounts.{account}.token` contains characters that are not valid in a token: copy it again, alone on one line"
            ));
        }
        let timeouts = Timeouts::default();
        Ok(Self {
            account: account.to_owned(),
            base_url: settings.base_url.clone(),
            endpoints: settings.endpoints.clone(),
            http: transport::build(outbound, &settings.base_url, timeouts)?,
            fresh: transport::build_fresh(outbound, &settings.base_url, timeouts)?,
            is_kept: AtomicBool::new(false),
            timeouts,
            max_page_bytes: settings.max_page_bytes,
            session: Session::new(settings.credentials.clone()),
            budget,
            clock,
        })
    }

    /// When the token of the moment expires, where that is known.
    pub(super) fn token_expires_at(&self) -> Option<Timestamp> {
        self.session.grant()?.expires_at
    }

    /// Makes `call` with the token of the moment and reads its answer with `read`. A refused token that came
    /// from a login is renewed once.
    pub(super) async fn call<T: Send>(
        &self,
        call: Call<'_>,
        read: impl Fn(&str) -> Result<T, Wrong> + Send + Sync,
    ) -> Result<T, UpstreamError> {
        let grant = self.grant().await?;
        match self.exchange(call, Some(&grant), &read).await {
            Err(error) if self.may_renew(&error) => {
                let grant = self.renew(Some(&grant)).await?;
                self.exchange(call, Some(&grant), &read).await
            }
            other => other,
        }
    }

    /// The same for a page, whose items go to `pieces` as they arrive.
    pub(super) async fn page(
        &self,
        call: Call<'_>,
        pieces: &mut dyn Pieces,
    ) -> Result<Paging, UpstreamError> {
        let grant = self.grant().await?;
        match self.exchange_page(call, &grant, pieces).await {
            Err(error) if self.may_renew(&error) => {
                let grant = self.renew(Some(&grant)).await?;
                self.exchange_page(call, &grant, pieces).await
            }
            other => other,
        }
    }

    async fn grant(&self) -> Result<Grant, UpstreamError> {
        match self.session.grant() {
            Some(grant) => Ok(grant),
            None => self.renew(None).await,
        }
    }

    fn may_renew(&self, error: &UpstreamError) -> bool {
        error.kind == ErrorKind::Unauthenticated && self.session.login_body().is_some()
    }

    fn redacted(&self, error: UpstreamError) -> UpstreamError {
        UpstreamError { detail: self.session.redact(&error.detail), ..error }
    }

    /// One granted request and what its answer means.
    async fn exchange<T>(
        &self,
        call: Call<'_>,
        grant: Option<&Grant>,
        read: &(impl Fn(&str) -> Result<T, Wrong> + Sync),
    ) -> Result<T, UpstreamError> {
        let context = self.context(call.endpoint);
        let (status, body) = self.send(call, grant, None, &context).await?;
        let body = self.whole(body).await.map_err(|error| context.error(error.kind, &error.detail))?;
        read(&body_text(&body)).map_err(|wrong| self.redacted(context.wrong(status, &wrong)))
    }

    /// One granted request for a page. What was read of it before it broke off is handed on, too.
    async fn exchange_page(
        &self,
        call: Call<'_>,
        grant: &Grant,
        pieces: &mut dyn Pieces,
    ) -> Result<Paging, UpstreamError> {
        let context = self.context(call.endpoint);
        let (status, mut body) = self.send(call, Some(grant), Some(self.max_page_bytes), &context).await?;
        let mut scanner = Scanner::default();
        let wrong = |wrong: Wrong| self.redacted(context.wrong(status, &wrong));
        let scanned = loop {
            let piece = match body.piece().await {
                Ok(Some(piece)) => piece,
                Ok(None) => break Ok(()),
                Err(error) => break Err(context.error(error.kind, &error.detail)),
            };
            if let Err(found) = scanner.push(&piece, &mut |raw: &str| pieces.item(raw)) {
                break Err(wrong(found));
            }
            if !pieces.piece(false).await {
                return Ok(Paging::default());
            }
        };
        let read = match scanned {
            Ok(()) => {
                self.is_kept.store(body.is_kept, Ordering::Relaxed);
                scanner.finish(&mut |raw: &str| pieces.item(raw)).map_err(wrong)
            }
            Err(error) => Err(error),
        };
        pieces.piece(true).await;
        read
    }

    /// Sends a request that the budget grants; the body of a good answer, of which a page may hold so many bytes.
    async fn send(
        &self,
        call: Call<'_>,
        grant: Option<&Grant>,
        page_bytes: Option<u64>,
        context: &CallContext<'_>,
    ) -> Result<(u16, Body), UpstreamError> {
        let authorization =
            grant.map(bearer).transpose().map_err(|what| context.error(ErrorKind::Unauthenticated, what))?;
        let (method, url, body) = (call.method.clone(), call.url.clone(), call.body);
        let request = Request { method, url, body, page_bytes };
        self.take(call.purpose, context).await?;
        let was_kept = self.is_kept.swap(false, Ordering::Relaxed);
        let mut opened = transport::open(&self.http, self.timeouts, &request, authorization.as_ref()).await;
        // The other side may have closed the connection of the request before: then this one was never read.
        if let Err(failed) = &opened
            && failed.is_lost
            && was_kept
            && *call.method == Method::GET
            && self.budget.take(call.purpose).await.is_ok()
        {
            tracing::debug!(host = %context.host, "a kept connection was closed: sent again on a new one");
            opened = transport::open(&self.fresh, self.timeouts, &request, authorization.as_ref()).await;
            if let Ok(opened) = &mut opened {
                opened.body.is_kept = false;
            }
        }
        let Opened { status, headers, body } = opened.map_err(|failed| {
            let what = format!("`{}`: {}", context.host, failed.error.detail);
            self.redacted(context.error(failed.error.kind, &what))
        })?;
        let hold = limits::hold(status, &headers, self.clock.now());
        if let Some(until) = hold {
            self.budget.hold(until).await;
        }
        if !(200..300).contains(&status) {
            let text = text_of(&self.whole(body).await);
            return Err(self.redacted(context.status(status, &text, hold)));
        }
        Ok((status, body))
    }

    /// All of a body; then its connection is free for the next request.
    async fn whole(&self, body: Body) -> Result<Vec<u8>, UpstreamError> {
        let is_kept = body.is_kept;
        let all = body.all().await;
        self.is_kept.store(is_kept && all.is_ok(), Ordering::Relaxed);
        all
    }

    async fn take(&self, purpose: Purpose, context: &CallContext<'_>) -> Result<(), UpstreamError> {
        self.budget.take(purpose).await.map_err(|denied| match denied {
            Denied::Until(until) => {
                let what = format!(
                    "the request budget (`requests_per_minute`) is used up for another {}",
                    in_words(until.since(self.clock.now()).max(Duration::from_secs(1)))
                );
                context.error(ErrorKind::Budget(until), &what)
            }
            Denied::State(failure) => {
                let what = format!("the request budget cannot be read: {failure}");
                context.error(ErrorKind::State(failure), &what)
            }
        })
    }

    /// Logs in, unless another call did so since `refused` was got.
    async fn renew(&self, refused: Option<&Grant>) -> Result<Grant, UpstreamError> {
        let _gate = self.session.gate.lock().await;
        match self.session.grant() {
            Some(grant) if Some(&grant) != refused => return Ok(grant),
            _ => self.session.set(None),
        }
        let body = self.session.login_body();
        let url = self.address(Endpoint::Login, None)?;
        let call = Call {
            endpoint: Endpoint::Login,
            purpose: Purpose::Other,
            method: &Method::POST,
            url: &url,
            body: body.as_ref(),
        };
        let now = self.clock.now();
        let read = |text: &str| match read_grant(text.as_bytes(), now) {
            Some(grant) => Ok(grant),
            None => {
                envelope::accept(text)?;
                Err(Wrong::Body("without a token".into()))
            }
        };
        let grant = self.exchange(call, None, &read).await?;
        self.session.set(Some(grant.clone()));
        Ok(grant)
    }

    /// The call, for the wording of a failure.
    pub(super) fn context(&self, endpoint: Endpoint) -> CallContext<'_> {
        CallContext {
            account: &self.account,
            endpoint,
            path: self.endpoints.path(endpoint),
            host: self.base_url.host_str().unwrap_or_default(),
            with_login: self.session.login_body().is_some(),
        }
    }

    /// The address of `endpoint`, `value` in the place of its placeholder.
    pub(super) fn address(&self, endpoint: Endpoint, value: Option<&str>) -> Result<Url, UpstreamError> {
        let path = self.endpoints.path(endpoint);
        address::build(&self.base_url, endpoint, path, value).ok_or_else(|| {
            let what = format!("`{}` is not below `base_url`", endpoint.setting());
            self.context(endpoint).error(ErrorKind::Refused, &what)
        })
    }
}

/// The `Authorization` header of `grant`, marked so that nothing logs it.
fn bearer(grant: &Grant) -> Result<HeaderValue, &'static str> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", grant.token.expose().trim()))
        .map_err(|_| "the token contains characters that are not valid in a token: copy it again")?;
    value.set_sensitive(true);
    Ok(value)
}
