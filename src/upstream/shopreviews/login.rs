//! The token of an account: given, or got by logging in and kept in memory only.

use super::envelope::body_text;
use super::settings::Credentials;
use super::value::{as_count, as_time, tolerant};
use crate::domain::Timestamp;
use crate::settings::Secret;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// A token, and when it expires where that is known.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grant {
    pub(super) token: Secret,
    pub(super) expires_at: Option<Timestamp>,
}

/// The credentials, and the current token.
#[derive(Debug)]
pub(super) struct Session {
    credentials: Credentials,
    grant: Mutex<Option<Grant>>,
    /// Held while logging in, so that calls side by side log in once.
    pub(super) gate: tokio::sync::Mutex<()>,
}

impl Session {
    pub(super) fn new(credentials: Credentials) -> Self {
        let grant = match &credentials {
            Credentials::Token(token) => {
                Some(Grant { expires_at: jwt_expiry(token.expose()), token: token.clone() })
            }
            Credentials::Login { .. } => None,
        };
        Self { credentials, grant: Mutex::new(grant), gate: tokio::sync::Mutex::default() }
    }

    /// The token of the moment, where there is one.
    pub(super) fn grant(&self) -> Option<Grant> {
        self.grant.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn set(&self, grant: Option<Grant>) {
        *self.grant.lock().unwrap_or_else(PoisonError::into_inner) = grant;
    }

    /// The body of a login, where these credentials can log in.
    pub(super) fn login_body(&self) -> Option<Value> {
        match &self.credentials {
            Credentials::Token(_) => None,
            Credentials::Login { email, password } => {
                Some(serde_json::json!({"email": email, "password": password.expose()}))
            }
        }
    }

    /// `text` without any secret of this session: an answer may quote the request.
    pub(super) fn redact(&self, text: &str) -> String {
        let secret = match &self.credentials {
            Credentials::Token(token) => token,
            Credentials::Login { password, .. } => password,
        };
        let token = self.grant().map(|grant| grant.token);
        let secrets = token.iter().chain([secret]).map(Secret::expose).filter(|secret| secret.len() >= 4);
        secrets.fold(text.to_owned(), |text, secret| text.replace(secret, "[redacted]"))
    }
}

/// Reads the answer to a login: the token under `token`, `access_token`, or the same below `data`. The
/// answer may be a JSON text that itself holds JSON, as the code exchange gives it.
pub(super) fn read_grant(body: &[u8], now: Timestamp) -> Option<Grant> {
    let mut answer = tolerant(&body_text(body));
    if let Value::String(inner) = &answer {
        answer = tolerant(inner);
    }
    let places = [Some(&answer), answer.get("data")];
    let mut found = places.into_iter().flatten().flat_map(|place| {
        ["token", "access_token"].into_iter().filter_map(move |key| Some((place, place.get(key)?.as_str()?)))
    });
    let (place, token) = found.find(|(_, token)| is_token(token))?;
    let expires_at = expiry(place, now).or_else(|| expiry(&answer, now)).or_else(|| jwt_expiry(token));
    Some(Grant { token: Secret::new(token.trim()), expires_at })
}

/// Whether `token` can stand in a header.
pub(super) fn is_token(token: &str) -> bool {
    let token = token.trim();
    !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic())
}

fn expiry(place: &Value, now: Timestamp) -> Option<Timestamp> {
    ["token_expire_at", "expires_at"]
        .iter()
        .find_map(|key| as_time(place.get(key)))
        .or_else(|| as_count(place.get("expires_in")).map(|seconds| now.plus(Duration::from_secs(seconds))))
}

/// The `exp` of a JSON Web Token; nothing about it is verified, it only warns people ahead.
fn jwt_expiry(token: &str) -> Option<Timestamp> {
    let mut parts = token.trim().split('.');
    let (_, claims, _, None) = (parts.next()?, parts.next()?, parts.next()?, parts.next()) else {
        return None;
    };
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    as_time(claims.get("exp"))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn grant(body: &str) -> Option<(String, Option<i64>)> {
        let grant = read_grant(body.as_bytes(), NOW)?;
        Some((grant.token.expose().to_owned(), grant.expires_at.map(Timestamp::as_millis)))
    }

    #[test]
    fn the_token_is_found_wherever_it_stands() {
        for body in [
            r#"{"token":"abc"}"#,
            r#"{"access_token":"abc"}"#,
            r#"{"data":{"token":"abc"}}"#,
            r#"{"data":{"access_token":"abc"},"token":null}"#,
            r#""{\"access_token\":\"abc\"}""#,
        ] {
            assert_eq!(grant(body), Some(("abc".into(), None)), "{body}");
        }
        for body in
            ["", "{}", "[]", r#"{"token":""}"#, r#"{"token":"a\nb"}"#, r#"{"token":5}"#, r#"{"data":"abc"}"#]
        {
            assert_eq!(grant(body), None, "{body}");
        }
    }

    #[test]
    fn the_expiry_is_found_wherever_it_stands() {
        for (body, expected) in [
            (r#"{"token":"abc","expires_in":"60"}"#, 1_060_000),
            (r#"{"token":"abc","expires_at":"1970-01-01 00:00:05"}"#, 5000),
            (r#"{"data":{"token":"abc"},"token_expire_at":"1970-01-02"}"#, 86_400_000),
        ] {
            assert_eq!(grant(body), Some(("abc".into(), Some(expected))), "{body}");
        }
        let token = format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(r#"{"exp":1700000000}"#));
        let session = Session::new(Credentials::Token(Secret::new(token)));
        assert_eq!(session.grant().unwrap().expires_at, Some(Timestamp(1_700_000_000_000)));
        assert_eq!(jwt_expiry("a.b.c.d"), None);
    }

    #[test]
    fn secrets_are_taken_out_of_what_an_answer_quotes() {
        let session = Session::new(Credentials::Token(Secret::new("s3cret")));
        assert_eq!(session.redact("token s3cret is bad"), "token [redacted] is bad");
    }
}
