//! How the answers of a kind are read: by their code first, by their text second, each by a row of the kind's table,
//! and by their status where no row fits. A success needs the kind's own sign; an error behind a 200 is judged like
//! the same error behind a 4xx.

use super::http::{Answer, MAX_RETRY_AFTER, Sender};
use super::verdict::sentence;
use crate::domain::text::one_line;
use crate::domain::{Attempt, Outcome, Reason};
use serde_json::Value;
use std::time::Duration;

/// What a kind's answers mean.
pub struct Answers {
    /// What people call the kind.
    pub title: &'static str,
    /// What a success must have, in words: `Slack's "ok"`.
    pub sign: &'static str,
    /// Whether the body of a 2xx has it.
    pub has_sign: fn(&Answer) -> bool,
    /// What a success settles.
    pub success: Outcome,
    /// Reads what an error says.
    pub read: fn(&str) -> Said,
    /// What its codes and texts mean; the first row that fits counts.
    pub rows: &'static [Row],
    /// How long a 429 that names no time asks for.
    pub pause: Option<Duration>,
    /// What to do where the destination is broken for this reason.
    pub advice: fn(&Sender, Reason) -> String,
}

impl std::fmt::Debug for Answers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Answers({})", self.title)
    }
}

/// What an error says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Said {
    /// Its code or word, as it is shown; empty where it has none.
    pub code: String,
    /// Further codes, more exact ones.
    pub details: Vec<String>,
    /// Its text.
    pub message: String,
    /// The status that it names.
    pub status: Option<u16>,
    /// The pause that it asks for.
    pub retry_after: Option<Duration>,
    /// Whether it has the shape of an error of this kind, whatever its code.
    pub is_error: bool,
}

/// What one code or text means.
pub struct Row {
    /// The code, or a pattern with `*`; empty where only the text counts.
    pub code: &'static str,
    /// A part of the text in lower case; empty where only the code counts.
    pub text: &'static str,
    /// What it means.
    pub means: Means,
    /// What is wrong, for people; empty where the answer's own text says it.
    pub what: &'static str,
}

/// What an answer means for the message and the destination.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Means {
    /// The destination needs what the kind's advice says, most often a new URL.
    Broken(Reason),
    /// Somebody must change something at the receiver; the URL stays.
    Change(Reason),
    /// It may pass later.
    Wait(Reason),
    /// This message can never pass.
    Refused,
    /// This message is too large.
    TooLarge,
}

/// A row by its code.
pub const fn code(code: &'static str, means: Means, what: &'static str) -> Row {
    Row { code, text: "", means, what }
}

/// A row by a part of the text.
pub const fn text(text: &'static str, means: Means, what: &'static str) -> Row {
    Row { code: "", text, means, what }
}

impl Answers {
    /// What `answer` means for a message.
    pub fn judge(&self, sender: &Sender, answer: &Answer) -> Attempt {
        let said = (self.read)(answer.text());
        if !(200..300).contains(&answer.status) {
            return self.refused(sender, answer, &said);
        }
        // A 2xx whose body was lost: it had been taken, and sending again would repeat it.
        if answer.body.is_none() || (self.has_sign)(answer) {
            return self.received(sender, answer);
        }
        let status = match said.status.filter(|status| (300..600).contains(status)) {
            _ if answer.is_page() => None,
            None if said.is_error || self.row(&said).is_some() => Some(400),
            status => status,
        };
        match status {
            Some(status) => {
                let judged = self.refused(sender, &Answer { status, ..answer.clone() }, &said);
                Attempt { status: Some(answer.status), ..judged }
            }
            None => self.unlike(sender, answer),
        }
    }

    fn received(&self, sender: &Sender, answer: &Answer) -> Attempt {
        let detail = match self.success {
            Outcome::Accepted => format!(
                "{} accepted the message ({}). Whether it is posted is not reported.",
                sender.host(),
                answer.status
            ),
            _ => format!("{} received the message ({}).", sender.host(), answer.status),
        };
        sender.attempt(self.success.clone(), answer, detail)
    }

    /// A success without the sign: a login page, a proxy on the way, another program. Messages are kept.
    fn unlike(&self, sender: &Sender, answer: &Answer) -> Attempt {
        let (host, title) = (sender.host(), self.title);
        let how = match answer.is_page() {
            true => "with a web page".to_owned(),
            false => format!("but not with {}", self.sign),
        };
        let detail = format!(
            "{host} answered {} {how}, so it may not be {title}. Check `{}`. Messages are kept and sent once it \
             answers as {title} does.",
            answer.status, sender.setting
        );
        sender.attempt(Outcome::Broken { reason: Reason::UnexpectedAnswer }, answer, detail)
    }

    fn refused(&self, sender: &Sender, answer: &Answer, said: &Said) -> Attempt {
        let own = (answer.status == 429).then_some(self.pause).flatten();
        // The shorter counts: some give milliseconds in one of the two.
        let asked = [answer.retry_after, said.retry_after].into_iter().flatten().min();
        let answer = Answer { retry_after: asked.or(own), ..answer.clone() };
        match self.row(said) {
            Some(row) => self.by_row(sender, &answer, said, row),
            None => self.by_status(sender, &answer, said),
        }
    }

    fn by_row(&self, sender: &Sender, answer: &Answer, said: &Said, row: &Row) -> Attempt {
        let (outcome, advice) = match row.means {
            Means::Wait(Reason::Quota) => (quota(answer), sender.quota_advice()),
            Means::Wait(reason) => {
                let own = (reason == Reason::RateLimited).then_some(self.pause).flatten();
                let after = answer.retry_after.or(own);
                let outcome = Outcome::Retry { reason, after, ambiguous: false };
                (outcome, "The message is retried automatically".to_owned())
            }
            Means::Refused => {
                let outcome = Outcome::Dead { reason: Reason::PayloadRefused };
                (outcome, sender.refused_for_good().to_owned())
            }
            Means::TooLarge => {
                let outcome = Outcome::Dead { reason: Reason::TooLarge };
                (outcome, sender.too_large_advice().to_owned())
            }
            Means::Change(reason) => {
                let advice =
                    format!("Change that in {}; pending messages are then sent automatically", self.title);
                (Outcome::Broken { reason }, advice)
            }
            Means::Broken(reason) => (Outcome::Broken { reason }, (self.advice)(sender, reason)),
        };
        let what = if row.what.is_empty() { said.message.as_str() } else { row.what };
        let detail = format!("{} {}", sentence(&self.said(said, answer, what)), sentence(&advice));
        sender.attempt(outcome, answer, detail)
    }

    fn by_status(&self, sender: &Sender, answer: &Answer, said: &Said) -> Attempt {
        let usual = sender.by_status(answer);
        let shown = match said.code.is_empty() && said.message.is_empty() {
            true => format!("{} does not accept messages at this URL ({})", sender.host(), answer.status),
            false => self.said(said, answer, &said.message),
        };
        let detail = match &usual.outcome {
            Outcome::Broken { reason } if is_about_the_url(*reason) => {
                format!("{} {}", sentence(&shown), sentence(&(self.advice)(sender, *reason)))
            }
            Outcome::Dead { .. } if said != &Said::default() => {
                format!("{} {}", sentence(&shown), usual.detail)
            }
            _ => return usual,
        };
        sender.attempt(usual.outcome, answer, detail)
    }

    /// `Slack says "no_text" (400): this message is empty`.
    fn said(&self, said: &Said, answer: &Answer, what: &str) -> String {
        let code = match said.code.as_str() {
            "" => String::new(),
            code => format!(" `{code}`"),
        };
        let what = what.trim().trim_end_matches('.');
        match what {
            "" => format!("{} says{code} ({})", self.title, answer.status),
            what => format!("{} says{code} ({}): {what}", self.title, answer.status),
        }
    }

    fn row(&self, said: &Said) -> Option<&Row> {
        let codes = || said.details.iter().chain([&said.code]).filter(|code| !code.is_empty());
        let by_code = |row: &&Row| !row.code.is_empty() && codes().any(|code| fits(row.code, code));
        let message = said.message.to_lowercase();
        let by_text = |row: &&Row| !row.text.is_empty() && message.contains(row.text);
        self.rows.iter().find(by_code).or_else(|| self.rows.iter().find(by_text))
    }
}

/// Whether the kind knows better than the status what to do: the URL, or what is behind it.
fn is_about_the_url(reason: Reason) -> bool {
    use Reason::{ChannelGone, CredentialsRefused, Forbidden, NotFound, RecipientUnknown, Revoked};
    matches!(reason, ChannelGone | CredentialsRefused | Forbidden | NotFound | RecipientUnknown | Revoked)
}

/// What a quota that is used up settles: nothing passes for hours.
pub fn quota(answer: &Answer) -> Outcome {
    let after = Some(answer.retry_after.unwrap_or_default().max(MAX_RETRY_AFTER));
    Outcome::Retry { reason: Reason::Quota, after, ambiguous: false }
}

/// Whether `code` is what `pattern` describes, in which `*` stands for anything; case does not matter.
fn fits(pattern: &str, code: &str) -> bool {
    let (pattern, code) = (pattern.to_ascii_lowercase(), code.to_ascii_lowercase());
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| code.strip_prefix(first)) else { return false };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        (rest, last) = (&rest[at + part.len()..], Some(part));
    }
    match last {
        None => rest.is_empty(),
        Some(part) => code.ends_with(part),
    }
}

/// The fields of an answer that is a JSON object.
pub fn object(body: &str) -> Value {
    serde_json::from_str(body).ok().filter(Value::is_object).unwrap_or_default()
}

/// The text in `value`, on one line.
pub fn line(value: &Value) -> String {
    one_line(value.as_str().unwrap_or_default().trim(), 200)
}

/// Whether an answer is an object that has the field `name`. One that was cut off cannot be read, and is no error:
/// those are short.
pub fn has_field(answer: &Answer, name: &str) -> bool {
    let field = &object(answer.text())[name];
    (answer.is_cut && answer.text().starts_with('{'))
        || field.as_str().is_some_and(|text| !text.is_empty())
        || field.is_number()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_may_leave_parts_open() {
        for (pattern, code, expected) in [
            ("10015", "10015", true),
            ("10015", "100150", false),
            ("10*", "10015", true),
            ("10*", "11000", false),
            ("*notfound", "WorkflowTriggerNotFound", true),
            ("*notfound", "NotFoundAtAll", false),
            ("*disabled*", "FlowDisabledByAdmin", true),
            ("web.incoming_webhook.invalid.*", "web.incoming_webhook.invalid.app_error", true),
            ("a*b*c", "a-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("", "", true),
        ] {
            assert_eq!(fits(pattern, code), expected, "{pattern} {code}");
        }
    }
}
