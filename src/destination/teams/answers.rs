//! What the answers of Workflows mean. The habit of the old connectors to answer 200 with the error of Teams behind it is
//! understood, too: gateways in companies do it.

use crate::destination::http::{Answer, Sender};
use crate::domain::text::one_line;
use crate::domain::{Attempt, Outcome, Reason};
use std::time::Duration;

/// How long a 429 without `Retry-After` asks for.
const PAUSE: Duration = Duration::from_secs(60);

/// What an answer means for a message.
pub fn classify(sender: &Sender, answer: &Answer) -> Attempt {
    Teams { sender }.classify(answer)
}

/// An answer to one message.
struct Teams<'a> {
    sender: &'a Sender,
}

impl Teams<'_> {
    fn classify(&self, answer: &Answer) -> Attempt {
        let body = answer.body.as_deref().unwrap_or_default().trim();
        if (200..300).contains(&answer.status) {
            return match relayed_status(body) {
                Some(status) => {
                    let relayed = self.by_status(&Answer { status, ..answer.clone() });
                    Attempt { status: Some(answer.status), ..relayed }
                }
                None if body.starts_with('<') => {
                    self.sender.taken_by_another("with a web page, so it may not be a Workflow", answer)
                }
                None => self.accepted(answer),
            };
        }
        let refusal = refusal(body);
        match REFUSALS.iter().find(|(code, ..)| refusal.as_ref().is_some_and(|refusal| refusal.code == *code))
        {
            Some((code, reason, what)) => {
                let detail = format!("Teams says `{code}` ({}): {what}.", answer.status);
                self.sender.attempt(Outcome::Broken { reason: *reason }, answer, self.with_url(detail))
            }
            None => self.by_status_and(answer, refusal),
        }
    }

    fn accepted(&self, answer: &Answer) -> Attempt {
        let detail = format!(
            "{} accepted the message ({}). Whether the Workflow posts it is not reported.",
            self.sender.host(),
            answer.status
        );
        self.sender.attempt(Outcome::Accepted, answer, detail)
    }

    fn by_status_and(&self, answer: &Answer, refusal: Option<Refusal>) -> Attempt {
        let mut attempt = self.by_status(answer);
        if let (Outcome::Dead { .. }, Some(Refusal { code, message })) = (&attempt.outcome, refusal) {
            let said = format!("Teams says `{code}`: {}", one_line(message.trim_end_matches('.'), 200));
            attempt = self.sender.attempt(attempt.outcome, answer, format!("{said}. {}", attempt.detail));
        }
        attempt
    }

    fn by_status(&self, answer: &Answer) -> Attempt {
        let what = match answer.status {
            401 | 403 => {
                "In the Workflow, “Who can trigger the flow” must be “Anyone”, and the URL must be complete, \
                 including `sig`"
            }
            404 | 405 | 410 => {
                "The Workflow was deleted or switched off, or its owner has left. URLs at logic.azure.com no \
                 longer work"
            }
            _ => {
                let pause = answer.retry_after.or((answer.status == 429).then_some(PAUSE));
                return self.sender.by_status(&Answer { retry_after: pause, ..answer.clone() });
            }
        };
        let outcome = self.sender.by_status(answer).outcome;
        let host = self.sender.host();
        self.sender.attempt(
            outcome,
            answer,
            self.with_url(format!(
                "{host} does not accept messages at this URL ({}). {what}.",
                answer.status
            )),
        )
    }

    fn with_url(&self, detail: String) -> String {
        format!(
            "{detail} In Teams, open Workflows, copy the URL of the Workflow again, and {}.",
            self.sender.new_url_needed()
        )
    }
}

/// What a Workflow's error says.
struct Refusal {
    code: String,
    message: String,
}

/// The codes of Workflows that mean more than their status: it is 400 for a Workflow that is switched off.
const REFUSALS: &[(&str, Reason, &str)] = &[
    (
        "WorkflowTriggerIsNotEnabled",
        Reason::Revoked,
        "the Workflow was switched off or deleted; switch it on",
    ),
    ("WorkflowNotFound", Reason::NotFound, "the Workflow no longer exists"),
    (
        "DirectApiAuthorizationRequired",
        Reason::CredentialsRefused,
        "the URL is incomplete (its `sig` is missing or wrong), or the Workflow may not be triggered by “Anyone”",
    ),
];

/// Reads `{"error": {"code": …, "message": …}}`.
fn refusal(body: &str) -> Option<Refusal> {
    let body: serde_json::Value = serde_json::from_str(body).ok()?;
    let text = |key: &str| Some(one_line(body.get("error")?.get(key)?.as_str()?, 300));
    Some(Refusal { code: text("code")?, message: text("message").unwrap_or_default() })
}

/// The status that a success hides: `Webhook message delivery failed with error: Microsoft Teams endpoint
/// returned HTTP error 429 with ContextId …`.
fn relayed_status(body: &str) -> Option<u16> {
    if !body.starts_with("Webhook message delivery failed") {
        return None;
    }
    let status = body.split_once("HTTP error ").map(|(_, rest)| rest);
    let digits = status.map(|rest| rest.chars().take_while(char::is_ascii_digit).collect::<String>());
    // It failed, whatever it says of why.
    Some(
        digits
            .and_then(|digits| digits.parse().ok())
            .filter(|status| (300..600).contains(status))
            .unwrap_or(500),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_behind_a_success_is_found() {
        let hidden =
            "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error ";
        assert_eq!(relayed_status(&format!("{hidden}429 with ContextId tcid=1")), Some(429));
        assert_eq!(relayed_status(&format!("{hidden}413")), Some(413));
        assert_eq!(relayed_status(&format!("{hidden}200")), Some(500));
        assert_eq!(
            relayed_status("Webhook message delivery failed with error: Summary or Text is required."),
            Some(500)
        );
        assert_eq!(relayed_status("1"), None);
        assert_eq!(relayed_status(""), None);
    }
}
