//! What Discord's answers mean. The codes:
//! <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes>.

use crate::destination::http::{Answer, MAX_RETRY_AFTER, Sender};
use crate::domain::text::one_line;
use crate::domain::{Attempt, Outcome, Reason};
use serde_json::Value;
use std::time::Duration;

/// What an answer means for a message.
pub fn classify(sender: &Sender, answer: &Answer) -> Attempt {
    Discord { sender }.classify(answer)
}

/// An answer to one message.
struct Discord<'a> {
    sender: &'a Sender,
}

/// What an error of Discord's says.
#[derive(Default)]
struct Said {
    code: u64,
    message: String,
    retry_after: Option<Duration>,
}

/// The codes that mean more than their status.
const CODES: &[(u64, Reason, &str)] = &[
    (10_003, Reason::ChannelGone, "the channel or thread was deleted"),
    (10_015, Reason::Revoked, "the webhook was deleted"),
    (50_027, Reason::CredentialsRefused, "the webhook's token is wrong or was replaced"),
    (
        220_001,
        Reason::Forbidden,
        "it posts to a forum: append `?thread_id=` and the number of a thread to the URL",
    ),
];

impl Discord<'_> {
    fn classify(&self, answer: &Answer) -> Attempt {
        let body = answer.body.as_deref().unwrap_or_default().trim();
        if (200..300).contains(&answer.status) {
            if body.starts_with('<') {
                return self.sender.taken_by_another("with a web page, so it may not be Discord", answer);
            }
            return self.sender.by_status(answer);
        }
        let said = Said::read(body);
        let replace =
            "In Discord, open the channel's settings > Integrations > Webhooks, create a new webhook, and";
        let new_url = format!("{replace} {}.", self.sender.new_url_needed());
        if let Some((code, reason, what)) = CODES.iter().find(|(code, ..)| *code == said.code) {
            let detail = format!("Discord says `{code}` ({}): {what}. {new_url}", answer.status);
            return self.sender.attempt(Outcome::Broken { reason: *reason }, answer, detail);
        }
        let pause = [answer.retry_after, said.retry_after].into_iter().flatten().min();
        let attempt = self.sender.by_status(&Answer { retry_after: pause, ..answer.clone() });
        match &attempt.outcome {
            Outcome::Broken { reason: Reason::Redirected } => attempt,
            Outcome::Broken { .. } => {
                let host = self.sender.host();
                let detail =
                    format!("{host} does not accept messages at this URL ({}). {new_url}", answer.status);
                self.sender.attempt(attempt.outcome, answer, detail)
            }
            Outcome::Dead { .. } if said.code != 0 => {
                let what = format!("Discord says `{}`: {}", said.code, said.message.trim_end_matches('.'));
                self.sender.attempt(attempt.outcome, answer, format!("{what}. {}", attempt.detail))
            }
            _ => attempt,
        }
    }
}

impl Said {
    /// Reads `{"code": …, "message": …, "retry_after": …}`.
    fn read(body: &str) -> Self {
        let Ok(body) = serde_json::from_str::<Value>(body) else { return Self::default() };
        let seconds = body["retry_after"].as_f64().filter(|seconds| *seconds > 0.0);
        Self {
            code: body["code"].as_u64().unwrap_or_default(),
            message: one_line(body["message"].as_str().unwrap_or_default(), 200),
            retry_after: seconds
                .map(|seconds| Duration::from_secs_f64(seconds.min(MAX_RETRY_AFTER.as_secs_f64()))),
        }
    }
}
