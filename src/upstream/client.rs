//! The client of one account: every request is granted by the budget, answered within bounds, and tried once
//! more after a fresh login where the token was refused.

use super::envelope::{self, Wrong, body_text};
use super::failure::{Asked, text_of};
use super::login::{Grant, Session, is_token, read_grant};
use super::names::Kind;
use super::settings::{Credentials, Endpoints, Settings};
use super::transport::{self, Answer, Request, Timeouts};
use super::{Budget, Cursor, Denied, Endpoint, ErrorKind, Page, Purpose, Upstream, UpstreamError};
use super::{address, item, limits, names, paging};
use crate::clock::{Clock, rfc3339};
use crate::domain::{Catalog, Timestamp};
use async_trait::async_trait;
use reqwest::Method;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};
use std::sync::Arc;
use url::Url;

/// More pages of names than any account has.
const MAX_NAME_PAGES: u32 = 50;

/// One account of the ShopReviews API, over HTTP.
pub struct Client {
    account: String,
    http: reqwest::Client,
    timeouts: Timeouts,
    base_url: Url,
    endpoints: Endpoints,
    max_page_bytes: u64,
    session: Session,
    budget: Arc<dyn Budget>,
    clock: Clock,
    keep_email: bool,
}

/// One call of an endpoint.
#[derive(Clone, Copy, Debug)]
struct Call<'a> {
    endpoint: Endpoint,
    purpose: Purpose,
    method: &'a Method,
    url: &'a Url,
    body: Option<&'a Value>,
    /// Whether a whole page is read, or the start of the answer says enough.
    page: bool,
}

impl Client {
    /// The client of `account`. Customers' e-mail addresses are dropped unless `keep_email`. Needs rustls'
    /// process-wide provider; the error says what is missing, without a secret.
    pub fn new(
        settings: &Settings,
        account: &str,
        budget: Arc<dyn Budget>,
        clock: Clock,
        keep_email: bool,
    ) -> Result<Self, String> {
        Self::with_timeouts(settings, account, budget, clock, keep_email, Timeouts::default())
    }

    pub(super) fn with_timeouts(
        settings: &Settings,
        account: &str,
        budget: Arc<dyn Budget>,
        clock: Clock,
        keep_email: bool,
        timeouts: Timeouts,
    ) -> Result<Self, String> {
        if let Credentials::Token(token) = &settings.credentials
            && !is_token(token.expose())
        {
            return Err(format!(
                "`accounts.{account}.token` holds characters that no token has: copy it again, alone on one line"
            ));
        }
        Ok(Self {
            account: account.to_owned(),
            http: transport::build(timeouts)?,
            timeouts,
            base_url: settings.base_url.clone(),
            endpoints: settings.endpoints.clone(),
            max_page_bytes: settings.max_page_bytes,
            session: Session::new(settings.credentials.clone()),
            budget,
            clock,
            keep_email,
        })
    }

    /// Makes `call` with the token of the moment and reads its answer with `read`. A refused token that came
    /// from a login is renewed once.
    async fn call<T: Send>(
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
        let asked = self.asked(call.endpoint);
        let redacted =
            |error: UpstreamError| UpstreamError { detail: self.session.redact(&error.detail), ..error };
        let Answer { status, headers, body } = self.send(call, grant, &asked).await.map_err(redacted)?;
        let hold = limits::hold(status, &headers, self.clock.now());
        if let Some(until) = hold {
            self.budget.hold(until).await;
        }
        if !(200..300).contains(&status) {
            return Err(redacted(asked.status(status, &text_of(&body), hold)));
        }
        let body = body.map_err(|error| asked.error(error.kind, &error.detail))?;
        read(&body_text(&body)).map_err(|wrong| redacted(asked.wrong(status, &wrong)))
    }

    async fn send(
        &self,
        call: Call<'_>,
        grant: Option<&Grant>,
        asked: &Asked<'_>,
    ) -> Result<Answer, UpstreamError> {
        self.budget.take(call.purpose).await.map_err(|denied| match denied {
            Denied::Until(until) => {
                let what = format!("the request budget is spent until {}", rfc3339(until));
                asked.error(ErrorKind::Budget(until), &what)
            }
            Denied::State(why) => {
                asked.error(ErrorKind::State, &format!("the request budget cannot be asked: {why}"))
            }
        })?;
        let authorization =
            grant.map(bearer).transpose().map_err(|what| asked.error(ErrorKind::Unauthenticated, what))?;
        let request = Request {
            method: call.method.clone(),
            url: call.url.clone(),
            body: call.body,
            page_bytes: call.page.then_some(self.max_page_bytes),
        };
        transport::send(&self.http, self.timeouts, &request, authorization.as_ref())
            .await
            .map_err(|error| asked.error(error.kind, &format!("`{}`: {}", asked.host, error.detail)))
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

    /// One page of the list `endpoint`.
    async fn list<T: Send>(
        &self,
        endpoint: Endpoint,
        purpose: Purpose,
        cursor: Option<&Cursor>,
        read: impl Fn(&str) -> T + Send + Sync,
    ) -> Result<(Vec<T>, Option<Cursor>, Option<u64>), UpstreamError> {
        let url = self.page_address(endpoint, cursor)?;
        let call = Call { endpoint, purpose, method: &Method::GET, url: &url, body: None, page: true };
        self.call(call, |text| {
            let read = |text: &str| {
                let list = envelope::list(text)?;
                let items: Vec<T> = list.items.iter().map(|raw| read(raw.get())).collect();
                let next = paging::next(&self.base_url, cursor, &list.paging, items.len());
                Ok((items, next, list.paging.total))
            };
            match read(text) {
                // A line end within a text is no JSON, yet some platforms' texts come through with one.
                Err(Wrong::Body(_)) if text.contains(|c: char| c < ' ') => {
                    read(&text.replace(|c: char| c < ' ', " "))
                }
                other => other,
            }
        })
        .await
    }

    /// Reads every page of the names `kind` into `catalog`.
    async fn names(
        &self,
        kind: Kind,
        endpoint: Endpoint,
        catalog: &mut Catalog,
    ) -> Result<(), UpstreamError> {
        let mut cursor = None;
        for _ in 0..MAX_NAME_PAGES {
            let (items, next, _) =
                self.list(endpoint, Purpose::Names, cursor.as_ref(), |raw| raw.to_owned()).await?;
            let results: Vec<Option<bool>> = items.iter().map(|raw| names::add(catalog, kind, raw)).collect();
            let unusable = results.iter().filter(|result| result.is_none()).count();
            if unusable > 0 {
                tracing::warn!(
                    account = self.account,
                    list = endpoint.name(),
                    unusable,
                    "names without a usable uuid"
                );
            }
            cursor = next;
            if cursor.is_none() || !results.contains(&Some(true)) {
                return Ok(());
            }
        }
        tracing::warn!(
            account = self.account,
            list = endpoint.name(),
            "more than {MAX_NAME_PAGES} pages of names"
        );
        Ok(())
    }

    fn asked(&self, endpoint: Endpoint) -> Asked<'_> {
        Asked {
            account: &self.account,
            endpoint,
            path: self.endpoints.path(endpoint),
            host: self.base_url.host_str().unwrap_or_default(),
            with_login: self.session.login_body().is_some(),
        }
    }

    fn address(&self, endpoint: Endpoint, value: Option<&str>) -> Result<Url, UpstreamError> {
        let path = self.endpoints.path(endpoint);
        address::build(&self.base_url, endpoint, path, value).ok_or_else(|| {
            let what = format!("`{}` does not lead below `base_url`", endpoint.setting());
            self.asked(endpoint).error(ErrorKind::Refused, &what)
        })
    }

    fn page_address(&self, endpoint: Endpoint, cursor: Option<&Cursor>) -> Result<Url, UpstreamError> {
        match cursor {
            None => self.address(endpoint, None),
            Some(Cursor::Page(page)) => {
                let mut url = self.address(endpoint, None)?;
                url.query_pairs_mut().append_pair("page", &page.to_string());
                Ok(url)
            }
            // It was checked when it came in; it may have been kept in state since.
            Some(Cursor::Link(link)) => address::below(&self.base_url, link).ok_or_else(|| {
                self.asked(endpoint).error(ErrorKind::Refused, "the next page does not lie below `base_url`")
            }),
        }
    }
}

#[async_trait]
impl Upstream for Client {
    async fn unread_page(&self, cursor: Option<&Cursor>) -> Result<Page, UpstreamError> {
        let read = |raw: &str| item::read(raw, &self.account, self.keep_email);
        let (items, next, total) = self.list(Endpoint::UnreadReviews, Purpose::Listing, cursor, read).await?;
        Ok(Page { items, next, total })
    }

    async fn catalog(&self) -> Result<Catalog, UpstreamError> {
        let mut catalog = Catalog::default();
        self.names(Kind::Sources, Endpoint::Sources, &mut catalog).await?;
        self.names(Kind::Websites, Endpoint::Websites, &mut catalog).await?;
        self.names(Kind::Platforms, Endpoint::Platforms, &mut catalog).await?;
        Ok(catalog)
    }

    async fn mark_read(&self, uuid: &str) -> Result<(), UpstreamError> {
        let endpoint = Endpoint::MarkReviewRead;
        if !address::is_usable_uuid(uuid) {
            return Err(self
                .asked(endpoint)
                .error(ErrorKind::Refused, "the review's uuid cannot be part of a path"));
        }
        let url = self.address(endpoint, Some(uuid))?;
        let in_path = self.endpoints.path(endpoint).contains("{uuid}");
        let body = (!in_path).then(|| json!({"uuid": uuid}));
        let call = Call {
            endpoint,
            purpose: Purpose::Mark,
            method: &Method::POST,
            url: &url,
            body: body.as_ref(),
            page: false,
        };
        self.call(call, envelope::accept).await
    }

    fn token_expires_at(&self) -> Option<Timestamp> {
        self.session.grant()?.expires_at
    }
}

/// The `Authorization` header of `grant`, marked so that nothing logs it.
fn bearer(grant: &Grant) -> Result<HeaderValue, &'static str> {
    let mut value = HeaderValue::from_str(&format!("Bearer {}", grant.token.expose().trim()))
        .map_err(|_| "the token holds characters that no token has: copy it again")?;
    value.set_sensitive(true);
    Ok(value)
}
