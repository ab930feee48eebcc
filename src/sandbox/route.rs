//! Which endpoint a request names.

use super::BASE_PATH;
use crate::upstream::Endpoint;
use axum::http::Method;

/// What a request names.
pub(super) struct Route<'a> {
    pub(super) endpoint: Endpoint,
    /// The uuid or code in its path.
    pub(super) value: &'a str,
}

/// The endpoint at `path`; 404 or 405 where there is none.
pub(super) fn route<'a>(method: &Method, path: &'a str) -> Result<Route<'a>, u16> {
    let segments: Vec<&str> = path.strip_prefix(BASE_PATH).ok_or(404_u16)?.split('/').skip(1).collect();
    let (endpoint, value) = match (segments.as_slice(), method) {
        (["login"], _) => (Endpoint::Login, ""),
        (["forgot-password"], _) => (Endpoint::ForgotPassword, ""),
        (["register"], _) => (Endpoint::Register, ""),
        (["oauth", "url"], _) => (Endpoint::OauthUrl, ""),
        (["oauth", "approve"], _) => (Endpoint::OauthApprove, ""),
        (["oauth", "code-exchange", code], _) => (Endpoint::OauthExchange, *code),
        (["reviews"], _) => (Endpoint::Reviews, ""),
        (["websites"], _) => (Endpoint::Websites, ""),
        (["sources"], _) => (Endpoint::Sources, ""),
        (["system-reviews"], _) => (Endpoint::SystemReviews, ""),
        (["reviews", "unread"], _) => (Endpoint::UnreadReviews, ""),
        // The other form of marking: the uuid in the body.
        (["reviews", "read"], &Method::POST) => (Endpoint::MarkReviewRead, ""),
        (["reviews", uuid], _) => (Endpoint::Review, *uuid),
        (["reviews", uuid, "read"], _) => (Endpoint::MarkReviewRead, *uuid),
        (["user"], _) => (Endpoint::User, ""),
        (["rating-overview"], _) => (Endpoint::RatingOverview, ""),
        (["company"], _) => (Endpoint::Company, ""),
        (["platforms"], _) => (Endpoint::Platforms, ""),
        _ => return Err(404),
    };
    let post = matches!(
        endpoint,
        Endpoint::Login
            | Endpoint::ForgotPassword
            | Endpoint::Register
            | Endpoint::OauthApprove
            | Endpoint::MarkReviewRead
    );
    if *method == (if post { Method::POST } else { Method::GET }) {
        Ok(Route { endpoint, value })
    } else {
        Err(405)
    }
}

/// A path segment without its percent-encoding.
pub(super) fn decoded(segment: &str) -> String {
    // A form's decoding reads `+` as a space; in a path it is itself.
    let escaped = segment.replace('+', "%2B");
    url::form_urlencoded::parse(escaped.as_bytes())
        .next()
        .map(|(key, _)| key.into_owned())
        .unwrap_or_default()
}
