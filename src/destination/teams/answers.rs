//! What the answers of Workflows mean. Success is 202, or 200 where the Workflow answers itself: whether a card is shown
//! cannot be seen. The habit of the old connectors to answer 200 with the error of Teams behind it is understood, too:
//! gateways in companies do it.

use crate::destination::answers::{Answers, Means, Row, Said, code, line, object};
use crate::destination::http::{Answer, Sender};
use crate::domain::{Outcome, Reason};
use serde_json::Value;
use std::time::Duration;

/// What they mean.
pub static ANSWERS: Answers = Answers {
    title: "Teams",
    sign: "a Workflow's answer",
    has_sign: |answer: &Answer| !answer.is_page() && read(answer.text()) == Said::default(),
    success: Outcome::Accepted,
    read,
    rows: CODES,
    pause: Some(Duration::from_secs(60)),
    advice,
};

use Means::{Broken, Change, Refused, TooLarge, Wait};
use Reason::{
    CredentialsRefused, Forbidden, NotFound, PayloadRefused, PaymentRequired, Quota, RateLimited, Redirected,
    Revoked, ServerError,
};

const SHAPE: &str = "the Workflow expects another kind of message; create one from the template “Send webhook alerts to a \
                     channel”";
const OFF: &str = "the Workflow was switched off, suspended or deleted; switch it on";
const GONE: &str = "the Workflow no longer exists";
const ACCESS: &str = "the URL is incomplete or has expired (its `sig` is missing or wrong), or the Workflow may not be \
                      triggered by “Anyone”";
const BUSY: &str = "something went wrong at Microsoft";

/// The codes of the service behind Workflows. There is no full list: the first ones are those that were seen
/// (<https://learn.microsoft.com/azure/connectors/connectors-native-reqres>,
/// <https://learn.microsoft.com/troubleshoot/power-platform/power-automate/>), the patterns are how all of its codes are
/// named (<https://learn.microsoft.com/azure/azure-resource-manager/troubleshooting/common-deployment-errors>).
const CODES: &[Row] = &[
    code("TriggerInputSchemaMismatch", Change(PayloadRefused), SHAPE),
    code("*SchemaMismatch*", Change(PayloadRefused), SHAPE),
    code("*SchemaValidation*", Change(PayloadRefused), SHAPE),
    code("TriggerRequestMethodNotValid", Change(PayloadRefused), SHAPE),
    code(
        "InvalidTemplate",
        Change(PayloadRefused),
        "the Workflow fails on every message; its own steps are wrong",
    ),
    code("InvalidRequestContent", Refused, ""),
    code("*TooLarge*", TooLarge, ""),
    code("*SizeExceeded*", TooLarge, ""),
    code("*Throttl*", Wait(RateLimited), ""),
    code("*TooManyRequests*", Wait(RateLimited), ""),
    code("*RateLimit*", Wait(RateLimited), ""),
    code("*Quota*", Wait(Quota), "the quota of the Workflow's owner is used up"),
    code("*Payment*", Change(PaymentRequired), ""),
    code("*License*", Change(PaymentRequired), "the Workflow's owner lacks the licence that it needs"),
    code("*Billing*", Change(PaymentRequired), ""),
    code("WorkflowTriggerIsNotEnabled", Change(Revoked), OFF),
    code("*NotEnabled*", Change(Revoked), OFF),
    code("*Disabled*", Change(Revoked), OFF),
    code("*Suspended*", Change(Revoked), OFF),
    code("*Stopped*", Change(Revoked), OFF),
    code("*Deleted*", Broken(Revoked), GONE),
    code("*NotFound*", Broken(NotFound), GONE),
    code("*Gone", Broken(NotFound), GONE),
    code("DirectApiAuthorizationRequired", Broken(CredentialsRefused), ACCESS),
    code("*Expired*", Broken(CredentialsRefused), ACCESS),
    code("*Authorization*", Broken(CredentialsRefused), ACCESS),
    code("*Authentication*", Broken(CredentialsRefused), ACCESS),
    code("*Unauthorized*", Broken(CredentialsRefused), ACCESS),
    code("*Signature*", Broken(CredentialsRefused), ACCESS),
    code("*Forbidden*", Broken(Forbidden), ACCESS),
    code("*AccessDenied*", Broken(Forbidden), ACCESS),
    code("*NotAllowed*", Broken(Forbidden), ACCESS),
    code(
        "*Blocked*",
        Change(Forbidden),
        "a policy of the organisation blocks the Workflow; contact its admin",
    ),
    code(
        "*DlpPolicy*",
        Change(Forbidden),
        "a policy of the organisation blocks the Workflow; contact its admin",
    ),
    code("*ApiVersion*", Broken(NotFound), "the URL is incomplete: its `api-version` is missing or wrong"),
    code("*Moved*", Broken(Redirected), ""),
    code("*Timeout*", Wait(ServerError), BUSY),
    code("*TimedOut*", Wait(ServerError), BUSY),
    code("*Unavailable*", Wait(ServerError), BUSY),
    code("*NoResponse*", Wait(ServerError), BUSY),
    code("*BadGateway*", Wait(ServerError), BUSY),
    code("*Internal*Error*", Wait(ServerError), BUSY),
    code("ServerBusy", Wait(ServerError), BUSY),
];

fn advice(sender: &Sender, reason: Reason) -> String {
    let what = match reason {
        Reason::CredentialsRefused | Reason::Forbidden => {
            "In the Workflow, “Who can trigger the flow” must be “Anyone”, and the URL must be complete, including `sig`. "
        }
        Reason::NotFound | Reason::Revoked => {
            "The Workflow was deleted or switched off, or its owner has left. URLs at logic.azure.com no longer work. "
        }
        _ => "",
    };
    format!(
        "{what}In Teams, open Workflows, copy the URL of the Workflow again, and {}",
        sender.new_url_needed()
    )
}

/// Reads `{"error": {"code": …, "message": …}}`, or the status that a success hides: `Webhook message delivery failed
/// with error: Microsoft Teams endpoint returned HTTP error 429 with ContextId …`.
fn read(body: &str) -> Said {
    if body.starts_with("Webhook message delivery failed") {
        let digits =
            body.split_once("HTTP error ").map(|(_, rest)| rest.chars().take_while(char::is_ascii_digit));
        let status = digits.and_then(|digits| digits.collect::<String>().parse().ok());
        // It failed, whatever it says of why.
        let status = status.filter(|status| (300..600).contains(status)).unwrap_or(500);
        return Said { status: Some(status), is_error: true, ..Said::default() };
    }
    let body = object(body);
    let text = |error: &Value| Said {
        code: line(&error["code"]),
        message: line(&error["message"]),
        is_error: true,
        ..Said::default()
    };
    match &body["error"] {
        error @ Value::Object(_) => {
            let said = text(error);
            let status = body["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok());
            Said { status: said.status.or(status), ..said }
        }
        Value::String(message) => {
            Said { message: line(&message.as_str().into()), is_error: true, ..Said::default() }
        }
        // As the gateway in front of it writes: `{"statusCode": 401, "message": …}`.
        _ => match body["statusCode"].as_u64().and_then(|status| u16::try_from(status).ok()) {
            Some(status) if status >= 300 => Said { status: Some(status), ..text(&body) },
            _ => Said::default(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_behind_a_success_is_found() {
        let hidden =
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error ";
        assert_eq!(read(&format!("{hidden}429 with ContextId tcid=1")).status, Some(429));
        assert_eq!(read(&format!("{hidden}413")).status, Some(413));
        assert_eq!(read(&format!("{hidden}200")).status, Some(500));
        let other = "Webhook message delivery failed with error: Summary or Text is required.";
        assert_eq!(read(other).status, Some(500));
        assert_eq!((read("1"), read("")), (Said::default(), Said::default()));
    }
}
