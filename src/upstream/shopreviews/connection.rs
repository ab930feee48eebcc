//! One call of the API: granted by the budget, answered within bounds, its pauses passed on, and tried once
//! more after a fresh login where the token was refused.

use super::envelope::{self, Wrong, body_text};
use super::failure::{CallContext, text_of};
use super::login::{Grant, Session, is_token, read_grant};
use super::settings::{Credentials, Endpoints, Settings};
use super::transport::{self, Answer, Request, Timeouts};
use super::{Budget, Denied, Endpoint, ErrorKind, Purpose, UpstreamError};
use super::{address, limits};
use crate::clock::{Clock, in_words};
use crate::domain::Timestamp;
use crate::outbound::Outbound;
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use url::Url;

/// The way to one account of the API.
pub(super) struct Connection {
    pub(super) account: String,
    pub(super) base_url: Url,
    pub(super) endpoints: Endpoints,
    http: reqwest::Client,
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
    /// Whether a whole page is read, or the start of the answer says enough.
    pub(super) page: bool,
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
        let grant = match self.session.grant() {
            Some(grant) => grant,
            None => self.renew(None).await?,
        };
        match self.exchange(call, Some(&grant), &read).await {
            Err(error) if error.kind == ErrorKind::Unauthenticated && self.session.login_body().is_some() => {
                let grant = self.renew(Some(&grant)).await?;
                self.exchange(call, Some(&grant), &read).await
            }
            other => other,
        }
    }

    /// One granted request and what its answer means.
    async fn exchange<T>(
        &self,
        call: Call<'_>,
        grant: Option<&Grant>,
        read: &(impl Fn(&str) -> Result<T, Wrong> + Sync),
    ) -> Result<T, UpstreamError> {
        let context = self.context(call.endpoint);
        let redacted =
            |error: UpstreamError| UpstreamError { detail: self.session.redact(&error.detail), ..error };
        let Answer { status, headers, body } = self.send(call, grant, &context).await.map_err(redacted)?;
        let hold = limits::hold(status, &headers, self.clock.now());
        if let Some(until) = hold {
            self.budget.hold(until).await;
        }
        if !(200..300).contains(&status) {
            return Err(redacted(context.status(status, &text_of(&body), hold)));
        }
        let body = body.map_err(|error| context.error(error.kind, &error.detail))?;
        read(&body_text(&body)).map_err(|wrong| redacted(context.wrong(status, &wrong)))
    }

    async fn send(
        &self,
        call: Call<'_>,
        grant: Option<&Grant>,
        context: &CallContext<'_>,
    ) -> Result<Answer, UpstreamError> {
        self.budget.take(call.purpose).await.map_err(|denied| match denied {
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
        })?;
        let authorization =
            grant.map(bearer).transpose().map_err(|what| context.error(ErrorKind::Unauthenticated, what))?;
        let request = Request {
            method: call.method.clone(),
            url: call.url.clone(),
            body: call.body,
            page_bytes: call.page.then_some(self.max_page_bytes),
        };
        transport::send(&self.http, self.timeouts, &request, authorization.as_ref())
            .await
            .map_err(|error| context.error(error.kind, &format!("`{}`: {}", context.host, error.detail)))
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
            page: false,
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
