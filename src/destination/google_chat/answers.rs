//! What Google Chat's answers mean. Success is 200 with the message, which has a `name`.

use crate::destination::answers::{Answers, Means, Row, Said, code, has_field, line, object, text};
use crate::destination::http::{Answer, Sender};
use crate::domain::{Outcome, Reason};

/// What they mean.
pub static ANSWERS: Answers = Answers {
    title: "Google Chat",
    sign: "the message's `name`",
    has_sign: |answer: &Answer| has_field(answer, "name"),
    success: Outcome::Delivered,
    read,
    rows: CODES,
    pause: None,
    advice: |sender: &Sender, _| {
        format!(
            "In the space, open Apps & integrations > Webhooks, copy the URL again (or add a new webhook if it is \
             gone), and {}",
            sender.new_url_needed()
        )
    },
};

use Means::{Broken, Change, TooLarge, Wait};
use Reason::{
    CredentialsRefused, Forbidden, NotFound, PaymentRequired, Quota, RateLimited, Revoked, ServerError,
};

const KEY: &str = "the URL's `key` is wrong, or may not be used from here";

/// Reasons first, since they are more exact than the status: a wrong key is reported as if the message were at fault.
const CODES: &[Row] = &[
    // The reason: <https://github.com/googleapis/googleapis/blob/master/google/api/error_reason.proto>.
    code("API_KEY_*", Broken(CredentialsRefused), KEY),
    code("ACCESS_TOKEN_*", Broken(CredentialsRefused), "the URL's `token` is wrong or has expired"),
    code("CREDENTIALS_MISSING", Broken(CredentialsRefused), "the URL lacks `key` or `token`"),
    code("ACCOUNT_STATE_INVALID", Broken(Revoked), "the account of the webhook is disabled"),
    code("USER_PROJECT_DENIED", Change(Forbidden), ""),
    code("SERVICE_DISABLED", Change(Forbidden), "Google Chat is switched off for this organisation"),
    code("BILLING_DISABLED", Change(PaymentRequired), "the organisation's billing is switched off"),
    code("CONSUMER_*", Change(Revoked), "the organisation's project is suspended or gone"),
    code("SECURITY_POLICY_VIOLATED", Change(Forbidden), "a security policy of the organisation forbids this"),
    code("ORG_RESTRICTION_VIOLATION", Change(Forbidden), "a policy of the organisation forbids this"),
    code("LOCATION_*", Change(Forbidden), "a policy of the organisation forbids this"),
    code("RATE_LIMIT_EXCEEDED", Wait(RateLimited), "too many messages"),
    code("RESOURCE_QUOTA_EXCEEDED", Wait(Quota), "the quota is used up"),
    // The status: <https://cloud.google.com/apis/design/errors#handling_errors>. `INVALID_ARGUMENT` is about the message.
    code("UNAUTHENTICATED", Broken(CredentialsRefused), ""),
    code("PERMISSION_DENIED", Broken(Forbidden), ""),
    code("NOT_FOUND", Broken(NotFound), ""),
    code("FAILED_PRECONDITION", Broken(Forbidden), ""),
    code("UNIMPLEMENTED", Broken(NotFound), ""),
    code("UNAVAILABLE", Wait(ServerError), ""),
    code("INTERNAL", Wait(ServerError), ""),
    code("UNKNOWN", Wait(ServerError), ""),
    code("DEADLINE_EXCEEDED", Wait(ServerError), ""),
    code("ABORTED", Wait(ServerError), ""),
    code("CANCELLED", Wait(ServerError), ""),
    code("DATA_LOSS", Wait(ServerError), ""),
    text("api key", Broken(CredentialsRefused), KEY),
    text("too long", TooLarge, "this message is too long"),
    text("too large", TooLarge, "this message is too large"),
    text("exceeds the maximum", TooLarge, "this message is too large"),
    text("exceeds the limit", TooLarge, "this message is too large"),
];

/// Reads `{"error": {"code": 404, "status": …, "message": …, "details": [{"reason": …}]}}`.
fn read(body: &str) -> Said {
    let body = object(body);
    let error = &body["error"];
    if !error.is_object() {
        return Said::default();
    }
    let details = error["details"].as_array().into_iter().flatten();
    let reasons = details.map(|detail| line(&detail["reason"])).filter(|reason| !reason.is_empty());
    let status = error["code"].as_u64().and_then(|status| u16::try_from(status).ok());
    Said {
        code: line(&error["status"]),
        details: reasons.collect(),
        message: line(&error["message"]),
        status,
        is_error: true,
        ..Said::default()
    }
}
