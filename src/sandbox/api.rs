//! The 17 endpoints of the fake API, with the real one's manners: 400 `Unauthenticated.`, Laravel's throttle
//! headers, paths as the official client knows or the bridge assumes them.

use super::catalog::{self, COMPANY};
use super::fault::{Line, json, unauthenticated};
use super::listing::{PageRequest, answer};
use super::route::{Route, decoded, route};
use super::state::{Entry, Sandbox, Throttle};
use super::wire::Cutter;
use crate::clock::{in_zone, rfc3339};
use crate::domain::Timestamp;
use crate::upstream::Endpoint;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::{Value, json as value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// At most so many bytes of a request's body are read.
const MAX_BODY: usize = 64 * 1024;

impl Sandbox {
    /// The fake API, at `/api/v1`. [`super::serve`] serves it so that connections can be cut.
    pub fn router(self: Arc<Self>) -> Router {
        Router::new().fallback(handle).with_state(self)
    }
}

async fn handle(State(sandbox): State<Arc<Sandbox>>, request: Request) -> Response {
    let cutter = request.extensions().get::<ConnectInfo<Cutter>>().map(|info| info.0.clone());
    let line = Line { cutter, closing: sandbox.closing().subscribe() };
    let (parts, body) = request.into_parts();
    let path = parts.uri.path().to_owned();
    let route = match route(&parts.method, &path) {
        Ok(route) => route,
        Err(code) => return json(code, value!({"message": "The route could not be found."}).to_string()),
    };
    let body = to_bytes(body, MAX_BODY).await.unwrap_or_default();
    let body: Value = serde_json::from_slice(&body).unwrap_or_default();
    let now = sandbox.clock.now();
    let limit = sandbox.options.requests_per_minute;
    let (throttle, fault) = sandbox.state().request(route.endpoint, now, limit);
    let right = match &fault {
        _ if throttle.over => json(429, r#"{"message":"Too Many Attempts."}"#),
        Some(fault) if !fault.applies() => json(500, "{}"),
        _ => sandbox.answer(&route, &parts, &body),
    };
    let mut response = match fault {
        Some(fault) => fault.answer(right, &line).await,
        None => right,
    };
    stamp(&mut response, throttle, limit, now);
    response
}

impl Sandbox {
    fn answer(&self, route: &Route<'_>, parts: &Parts, body: &Value) -> Response {
        let open = matches!(
            route.endpoint,
            Endpoint::Login
                | Endpoint::ForgotPassword
                | Endpoint::Register
                | Endpoint::OauthUrl
                | Endpoint::OauthApprove
                | Endpoint::OauthExchange
                | Endpoint::Platforms
        );
        if !open && !self.is_authenticated(parts) {
            return unauthenticated();
        }
        let now = self.clock.now();
        match route.endpoint {
            Endpoint::Login => self.login(body),
            Endpoint::ForgotPassword => {
                data(value!({"message": "We have emailed your password reset link."}))
            }
            Endpoint::Register => self.register(body),
            Endpoint::OauthUrl => {
                data(value!({"url": "https://app.shopreviews.example/sp/oauth?code=sandbox"}))
            }
            Endpoint::OauthApprove => json(200, r#"{"error":"request is invalid #473298"}"#),
            Endpoint::OauthExchange => self.exchange(route.value),
            Endpoint::Reviews | Endpoint::SystemReviews => self.reviews(parts),
            Endpoint::Review => self.review(route.value),
            Endpoint::UnreadReviews => self.unread_reviews(parts),
            Endpoint::MarkReviewRead => {
                let uuid = if route.value.is_empty() {
                    body["uuid"].as_str().unwrap_or_default()
                } else {
                    route.value
                };
                self.mark(&decoded(uuid), now)
            }
            Endpoint::Websites => self.list(parts, &catalog::websites()),
            Endpoint::Platforms => self.list(parts, &catalog::platforms()),
            Endpoint::Sources => self.sources(parts, now),
            Endpoint::User => data(value!({
                "uuid": "05e20000-0000-4000-8000-000000000001", "first_name": "Shop", "last_name": "Reviews",
                "email": self.options.email, "company_uuid": COMPANY,
            })),
            Endpoint::Company => data(value!({"uuid": COMPANY, "name": "Shop", "is_active": 1})),
            Endpoint::RatingOverview => {
                let count = self.state().entries.len();
                data(
                    value!({"count": count, "avg_rating": 4.4, "ratings": {"5": count, "4": 0, "3": 0, "2": 0, "1": 0}}),
                )
            }
        }
    }

    fn is_authenticated(&self, parts: &Parts) -> bool {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        header
            .and_then(|header| header.strip_prefix("Bearer "))
            .is_some_and(|token| self.state().accepts(token))
    }

    fn login(&self, body: &Value) -> Response {
        if body["email"] != self.options.email.as_str() || body["password"] != self.options.password.as_str()
        {
            return json(400, r#"{"error":"These credentials do not match our records."}"#);
        }
        let expires = self.clock.now().plus(Duration::from_secs(30 * 86_400));
        data(
            value!({"token": self.state().log_in(), "token_expire_at": rfc3339(expires), "company_uuid": COMPANY}),
        )
    }

    fn register(&self, body: &Value) -> Response {
        let keys = ["company_name", "first_name", "last_name", "email", "password"];
        match keys.iter().find(|key| body[**key].as_str().is_none_or(str::is_empty)) {
            Some(key) => json(422, value!({"message": format!("The {key} field is required.")}).to_string()),
            None => data(value!({"email": body["email"], "company_uuid": COMPANY})),
        }
    }

    /// A JSON text that itself holds JSON, as the API gives it.
    fn exchange(&self, code: &str) -> Response {
        if code != "sandbox" {
            return json(400, r#"{"error":"Trying to get property 'response' of non-object"}"#);
        }
        let now = self.clock.now();
        let grant = value!({
            "access_token": self.state().log_in(), "refresh_token": "sandbox-refresh",
            "token_created_at": rfc3339(now), "token_expire_at": rfc3339(now.plus(Duration::from_secs(30 * 86_400))),
            "company_uuid": COMPANY, "app_name": "review-bridge",
        });
        json(200, Value::String(grant.to_string()).to_string())
    }

    fn unread_reviews(&self, parts: &Parts) -> Response {
        let items = self.items(|entry| entry.unread);
        let asked = query(parts).get("limit").and_then(|limit| limit.parse::<usize>().ok());
        let (usual, most) = (self.options.page_size, self.options.max_page_size);
        self.page(parts, &items, asked.map_or(usual, |asked| asked.min(most).max(usual)))
    }

    fn reviews(&self, parts: &Parts) -> Response {
        let query = query(parts);
        let wanted = |field: &str, parameter: &str, item: &Value| {
            query.get(parameter).is_none_or(|wanted| {
                item[field] == wanted.as_str()
                    || serde_json::from_str::<Value>(wanted).is_ok_and(|wanted| wanted == item[field])
            })
        };
        let mut items = self.items(|entry| {
            let item: Value = serde_json::from_str(&entry.raw).unwrap_or_default();
            wanted("source_uuid", "sourceUuid", &item)
                && wanted("uuid", "reviewUuid", &item)
                && wanted("rating", "rating", &item)
        });
        let number = |key: &str| query.get(key).and_then(|text| text.parse::<usize>().ok());
        items.drain(..number("offset").unwrap_or(0).min(items.len()));
        let page_size = number("limit").unwrap_or(self.options.page_size);
        self.page(parts, &items, page_size)
    }

    fn review(&self, uuid: &str) -> Response {
        let uuid = decoded(uuid);
        match self.state().entries.iter().rev().find(|entry| entry.uuid == uuid) {
            Some(entry) => json(200, format!(r#"{{"data":{}}}"#, entry.raw)),
            None => not_found(),
        }
    }

    fn mark(&self, uuid: &str, now: Timestamp) -> Response {
        let mut state = self.state();
        if !state.set_unread(uuid, false) {
            return not_found();
        }
        state.marks.push((uuid.to_owned(), now));
        data(value!({"uuid": uuid, "is_read": 1}))
    }

    fn sources(&self, parts: &Parts, now: Timestamp) -> Response {
        let hour = Duration::from_secs(3600);
        let mut sources = catalog::sources(&rfc3339(now.minus(hour)), &rfc3339(now.plus(hour)));
        if self.options.hostile {
            sources.extend(catalog::odd_sources());
        }
        self.list(parts, &sources)
    }

    /// What is listed, newest first.
    fn items(&self, wanted: impl Fn(&Entry) -> bool) -> Vec<String> {
        self.state()
            .entries
            .iter()
            .rev()
            .filter(|entry| wanted(entry))
            .map(|entry| entry.raw.clone())
            .collect()
    }

    fn list(&self, parts: &Parts, items: &[String]) -> Response {
        self.page(parts, items, self.options.page_size)
    }

    fn page(&self, parts: &Parts, items: &[String], page_size: usize) -> Response {
        let query = query(parts);
        let number = |key: &str| query.get(key).and_then(|text| text.parse::<usize>().ok());
        let host = parts.headers.get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or("localhost");
        let request = PageRequest {
            page: number("page").unwrap_or(1).clamp(1, 1_000_000),
            cursor: number("cursor").unwrap_or(0).min(items.len()),
            page_size: page_size.clamp(1, 100_000),
            address: &format!("http://{host}{}", parts.uri.path()),
        };
        let shape = self.state().shape;
        json(200, answer(shape, items, &request))
    }
}

fn query(parts: &Parts) -> BTreeMap<String, String> {
    url::form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes()).into_owned().collect()
}

fn data(data: Value) -> Response {
    json(200, value!({"data": data}).to_string())
}

fn not_found() -> Response {
    json(404, r#"{"message":"No query results for model [App\\Models\\Review]."}"#)
}

/// Laravel's throttle headers, and the fake's own idea of time.
fn stamp(response: &mut Response, throttle: Throttle, limit: u32, now: Timestamp) {
    let over = response.status() == 429 && throttle.over;
    let headers = response.headers_mut();
    let mut set = |name: &'static str, value: String| {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.entry(name).or_insert(value);
        }
    };
    set("x-ratelimit-limit", limit.to_string());
    set("x-ratelimit-remaining", throttle.remaining.to_string());
    set("cache-control", "no-cache, private".into());
    if let Some(date) = in_zone(now, &jiff::tz::TimeZone::UTC) {
        set("date", date.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string());
    }
    if over {
        set("retry-after", throttle.resets_at.since(now).as_secs().max(1).to_string());
        set("x-ratelimit-reset", throttle.resets_at.as_millis().div_euclid(1000).to_string());
    }
}
