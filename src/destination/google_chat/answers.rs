//! What Google Chat's answers mean. Its errors: <https://cloud.google.com/apis/design/errors#http_mapping>.

use crate::destination::http::{Answer, Sender};
use crate::domain::text::one_line;
use crate::domain::{Attempt, Outcome, Reason};
use serde_json::Value;

/// What an answer means for a message.
pub fn classify(sender: &Sender, answer: &Answer) -> Attempt {
    GoogleChat { sender }.classify(answer)
}

/// An answer to one message.
struct GoogleChat<'a> {
    sender: &'a Sender,
}

impl GoogleChat<'_> {
    fn classify(&self, answer: &Answer) -> Attempt {
        let body = answer.body.as_deref().unwrap_or_default().trim();
        if (200..300).contains(&answer.status) {
            return match body.starts_with('<') {
                true => self.sender.taken_by_another("with a web page, so it may not be Google Chat", answer),
                false => self.sender.by_status(answer),
            };
        }
        let usual = self.sender.by_status(answer);
        let refusal = refusal(body);
        let said = refusal.as_ref().map_or_else(
            || format!("{} does not accept messages at this URL ({})", self.sender.host(), answer.status),
            |refusal| format!("Google Chat says `{}` ({}): {}", refusal.code, answer.status, refusal.message),
        );
        match usual.outcome {
            // A wrong key is told as if the message were at fault.
            Outcome::Dead { .. } if refusal.as_ref().is_some_and(|refusal| refusal.wrong_key) => {
                let outcome = Outcome::Broken { reason: Reason::CredentialsRefused };
                self.sender.attempt(outcome, answer, self.with_url(&said))
            }
            Outcome::Broken { reason } if reason != Reason::Redirected => {
                self.sender.attempt(usual.outcome, answer, self.with_url(&said))
            }
            Outcome::Dead { .. } if refusal.is_some() => {
                self.sender.attempt(usual.outcome, answer, format!("{said}. {}", usual.detail))
            }
            _ => usual,
        }
    }

    fn with_url(&self, said: &str) -> String {
        format!(
            "{said}. In the space, open Apps & integrations > Webhooks, copy the URL again (or add a new webhook \
             if it is gone), and {}.",
            self.sender.new_url_needed()
        )
    }
}

/// What an error of Google's says.
struct Refusal {
    code: String,
    message: String,
    wrong_key: bool,
}

/// Reads `{"error": {"status": …, "message": …, "details": [{"reason": …}]}}`.
fn refusal(body: &str) -> Option<Refusal> {
    let body: Value = serde_json::from_str(body).ok()?;
    let error = body.get("error")?;
    let text = |key: &str, limit| Some(one_line(error.get(key)?.as_str()?.trim_end_matches('.'), limit));
    let details = error.get("details").and_then(Value::as_array);
    let reasons = details.into_iter().flatten().filter_map(|detail| detail.get("reason")?.as_str());
    let message = text("message", 200).unwrap_or_default();
    let wrong_key =
        reasons.into_iter().any(|reason| reason == "API_KEY_INVALID" || reason == "API_KEY_EXPIRED")
            || message.starts_with("API key");
    Some(Refusal { code: text("status", 60)?, message, wrong_key })
}
