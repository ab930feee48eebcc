//! What an answer of the API means: fine, or a failure in words that say what to do.

use super::envelope::{self, Wrong, body_text};
use super::{Endpoint, ErrorKind, UpstreamError};
use crate::domain::Timestamp;
use crate::domain::text::one_line;

/// The call, for the wording of a failure.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallContext<'a> {
    pub(super) account: &'a str,
    pub(super) endpoint: Endpoint,
    /// The path as it is set, with its placeholder.
    pub(super) path: &'a str,
    /// The host called.
    pub(super) host: &'a str,
    /// Whether a login gave the token (or is being requested for one).
    pub(super) with_login: bool,
}

impl CallContext<'_> {
    /// A failure of this call; `what` may hold anything.
    pub(super) fn error(&self, kind: ErrorKind, what: &str) -> UpstreamError {
        let setting = match kind {
            ErrorKind::NotFound | ErrorKind::Gone => self.endpoint.setting(),
            _ => "",
        };
        let detail = one_line(&format!("{} of `{}`: {what}", self.endpoint.name(), self.account), 700);
        UpstreamError { kind, setting, detail }
    }

    /// A status that is not 2xx.
    pub(super) fn status(&self, status: u16, body: &str, hold: Option<Timestamp>) -> UpstreamError {
        let said = said(body);
        match status {
            429 => {
                let until = hold.unwrap_or_default();
                let what =
                    format!("too many requests (429), rate limited until {}", crate::clock::rfc3339(until));
                self.error(ErrorKind::RateLimited(until), &what)
            }
            401 => self.unauthenticated(status, &said),
            400 | 403 | 422 if self.endpoint == Endpoint::Login => self.unauthenticated(status, &said),
            400 | 403 if speaks_of_authentication(body) => self.unauthenticated(status, &said),
            404 | 405 => {
                let what = format!(
                    "nothing found at this path ({status}{said}): check `accounts.{}.{}` (currently `{}`) and \
                     `base_url`",
                    self.account,
                    self.endpoint.setting(),
                    self.path,
                );
                self.error(ErrorKind::NotFound, &what)
            }
            409 | 410 | 422 if self.endpoint == Endpoint::MarkReviewRead => {
                let what = format!(
                    "the API refuses to mark this review ({status}{said}); if that persists while the review is \
                     listed, check `accounts.{}.{}` (currently `{}`)",
                    self.account,
                    self.endpoint.setting(),
                    self.path,
                );
                self.error(ErrorKind::Gone, &what)
            }
            300..=399 => {
                let what = format!(
                    "`{}` answered with a redirect ({status}), and redirects are never followed: set `base_url` to \
                     the address of the API",
                    self.host
                );
                self.error(ErrorKind::Refused, &what)
            }
            408 => self.error(ErrorKind::TimedOut, &format!("the API timed out ({status}{said})")),
            500.. => self.error(ErrorKind::Unavailable, &format!("the API failed ({status}{said})")),
            _ => self.error(ErrorKind::Refused, &format!("the API rejected the request ({status}{said})")),
        }
    }

    /// A 2xx whose body is not what the API gives.
    pub(super) fn wrong(&self, status: u16, wrong: &Wrong) -> UpstreamError {
        match wrong {
            Wrong::Error(error) if speaks_of_authentication(error) => {
                self.unauthenticated(status, &format!(": {}", one_line(error, 200)))
            }
            Wrong::Error(error) => {
                let what =
                    format!("the API rejected the request with status {status}: {}", one_line(error, 200));
                self.error(ErrorKind::Refused, &what)
            }
            Wrong::Body(found) => {
                let what = format!(
                    "the answer is {} (status {status}); if this persists, check `base_url` and `{}`",
                    one_line(found, 200),
                    self.endpoint.setting()
                );
                let error = self.error(ErrorKind::Unavailable, &what);
                UpstreamError { setting: self.endpoint.setting(), ..error }
            }
        }
    }

    fn unauthenticated(&self, status: u16, said: &str) -> UpstreamError {
        let account = self.account;
        let what = if self.endpoint == Endpoint::Login {
            format!(
                "the login was rejected ({status}{said}): check `accounts.{account}.email` and \
                 `accounts.{account}.password`"
            )
        } else if self.with_login {
            format!(
                "the token of the login was rejected ({status}{said}): check whether this user may read reviews"
            )
        } else {
            format!(
                "the token was rejected ({status}{said}): generate a new one in the ShopReviews dashboard \
                 (`Generate API token`) and set `accounts.{account}.token`, or put it in its `token_file`"
            )
        };
        self.error(ErrorKind::Unauthenticated, &what)
    }
}

/// The API's words after a colon; nothing where it has none.
fn said(body: &str) -> String {
    let body = body.trim();
    let text = match body.as_bytes().first() {
        None => return String::new(),
        Some(b'<') => "an HTML page".to_owned(),
        Some(b'{') => envelope::message(body).unwrap_or_else(|| body.to_owned()),
        Some(_) => body.to_owned(),
    };
    format!(": {}", one_line(text.trim(), 200))
}

/// Whether the API's words under 400 or 403 mean that nobody is logged in: it also answers `Unauthenticated.` so.
fn speaks_of_authentication(body: &str) -> bool {
    let said = envelope::message(body).unwrap_or_else(|| body.chars().take(500).collect()).to_lowercase();
    let of_token = said.contains("token") && !said.contains("csrf");
    said.contains("unauthenticated")
        || said.contains("not logged in")
        || (of_token && ["invalid", "expired", "revoked", "missing"].iter().any(|word| said.contains(word)))
}

/// The text of an answer's body, or nothing where it could not be read.
pub(super) fn text_of(body: &Result<Vec<u8>, UpstreamError>) -> String {
    body.as_ref().map(|body| body_text(body).into_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CONTEXT: CallContext<'_> = CallContext {
        account: "main",
        endpoint: Endpoint::UnreadReviews,
        path: "reviews/unread",
        host: "a.example",
        with_login: false,
    };

    fn kind(status: u16, body: &str) -> ErrorKind {
        CONTEXT.status(status, body, None).kind
    }

    #[test]
    fn statuses_mean_what_the_api_means() {
        assert_eq!(kind(400, r#"{"error":"Unauthenticated."}"#), ErrorKind::Unauthenticated);
        assert_eq!(kind(403, r#"{"message":"Unauthenticated."}"#), ErrorKind::Unauthenticated);
        assert_eq!(kind(403, r#"{"message":"The token has expired"}"#), ErrorKind::Unauthenticated);
        assert_eq!(kind(401, "<html>"), ErrorKind::Unauthenticated);
        assert_eq!(
            kind(400, r#"{"error":"Trying to get property 'response' of non-object"}"#),
            ErrorKind::Refused
        );
        assert_eq!(kind(403, r#"{"message":"This action is unauthorized."}"#), ErrorKind::Refused);
        assert_eq!(kind(422, "{}"), ErrorKind::Refused);
        assert_eq!(kind(302, ""), ErrorKind::Refused);
        assert_eq!(kind(408, ""), ErrorKind::TimedOut);
        for status in [500, 502, 503, 599, 999] {
            assert_eq!(kind(status, "<html>502</html>"), ErrorKind::Unavailable, "{status}");
        }
        assert_eq!(CONTEXT.status(429, "", Some(Timestamp(5))).kind, ErrorKind::RateLimited(Timestamp(5)));
        let login = CallContext { endpoint: Endpoint::Login, ..CONTEXT };
        assert_eq!(
            login.status(422, r#"{"message":"These credentials do not match"}"#, None).kind,
            ErrorKind::Unauthenticated
        );
    }

    #[test]
    fn a_wrong_path_names_its_setting() {
        for status in [404, 405] {
            let error = CONTEXT.status(status, r#"{"message":"no such route"}"#, None);
            assert_eq!((error.kind, error.setting), (ErrorKind::NotFound, "endpoints.unread_reviews"));
            assert!(
                error
                    .detail
                    .contains("`accounts.main.endpoints.unread_reviews` (currently `reviews/unread`)")
            );
        }
        let html = CONTEXT.wrong(200, &Wrong::Body("an HTML page instead of JSON".into()));
        assert_eq!((html.kind, html.setting), (ErrorKind::Unavailable, "endpoints.unread_reviews"));
    }

    #[test]
    fn words_of_the_api_are_one_safe_line() {
        let error = CONTEXT.status(422, "{\"message\":\"a\\u001b[31m\\nb\\u202e\"}", None);
        assert_eq!(error.detail, "unread-reviews of `main`: the API rejected the request (422: a[31m b)");
    }
}
