//! What ntfy's answers mean. Its errors: <https://github.com/binwiederhier/ntfy/blob/main/server/errors.go>.

use crate::destination::http::{Answer, Sender};
use crate::domain::text::one_line;
use crate::domain::{Attempt, Outcome, Reason};
use serde_json::Value;
use std::time::Duration;

/// How long a 429 without `Retry-After` asks for: one message in five seconds is let through.
const PAUSE: Duration = Duration::from_secs(30);
/// How long the limit of a day asks for.
const DAILY_PAUSE: Duration = Duration::from_secs(3_600);
/// The codes of limits that count by the day: the bandwidth, the messages.
const DAILY: &[u64] = &[42_905, 42_908];
/// The codes of topics that cannot be: not a name, not allowed.
const TOPIC: &[u64] = &[40_009, 40_010];

/// What an answer means for a message.
pub fn classify(sender: &Sender, answer: &Answer) -> Attempt {
    let body = answer.body.as_deref().unwrap_or_default().trim();
    if (200..300).contains(&answer.status) {
        return match body.starts_with('<') {
            true => sender.taken_by_another("with a web page, so it may not be ntfy", answer),
            false => sender.by_status(answer),
        };
    }
    let pause = answer.retry_after.or((answer.status == 429).then_some(PAUSE));
    let usual = sender.by_status(&Answer { retry_after: pause, ..answer.clone() });
    let refusal = refusal(body);
    let code = refusal.as_ref().map_or(0, |refusal| refusal.code);
    let said = refusal.map_or_else(
        || format!("{} does not take messages ({})", sender.host(), answer.status),
        |refusal| format!("ntfy says `{}` ({}): {}", refusal.code, answer.status, refusal.message),
    );
    let own = |key: &str| format!("`destinations.{}.{key}`", sender.name);
    match usual.outcome {
        _ if DAILY.contains(&code) => {
            let after = answer.retry_after.unwrap_or(DAILY_PAUSE).max(DAILY_PAUSE);
            let outcome =
                Outcome::Retry { reason: Reason::RateLimited, after: Some(after), ambiguous: false };
            let detail = format!(
                "{said}. The limit of the day is used up. It is tried again by itself; an account or a server of your \
                 own has more room, and a digest needs less."
            );
            sender.attempt(outcome, answer, detail)
        }
        _ if TOPIC.contains(&code) => {
            let detail = format!("{said}. Name another topic in {}.", own("topic"));
            sender.attempt(Outcome::Broken { reason: Reason::NotFound }, answer, detail)
        }
        Outcome::Broken { reason: Reason::CredentialsRefused | Reason::Forbidden } => {
            let detail = format!(
                "{said}. The topic is protected: put an access token that may write to it into {} (or the file that its \
                 `_file` twin names); waiting messages follow by themselves.",
                own("token")
            );
            sender.attempt(usual.outcome, answer, detail)
        }
        Outcome::Broken { reason: Reason::NotFound | Reason::Revoked } => {
            let detail = format!(
                "{said}. See whether {} is the root of an ntfy server, and {}.",
                own("url"),
                sender.new_url_needed()
            );
            sender.attempt(usual.outcome, answer, detail)
        }
        Outcome::Dead { .. } if code != 0 => {
            sender.attempt(usual.outcome, answer, format!("{said}. {}", usual.detail))
        }
        _ => usual,
    }
}

/// What an error of ntfy's says.
struct Refusal {
    code: u64,
    message: String,
}

/// Reads `{"code": 42901, "http": 429, "error": …}`.
fn refusal(body: &str) -> Option<Refusal> {
    let body: Value = serde_json::from_str(body).ok()?;
    let message = one_line(body.get("error")?.as_str()?.trim_end_matches('.'), 200);
    Some(Refusal { code: body.get("code")?.as_u64()?, message })
}
