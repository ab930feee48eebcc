//! What ntfy's answers mean. Success is 200 with the message, which has an `id`.

use crate::destination::answers::{Answers, Means, Row, Said, code, has_field, line, object, text};
use crate::destination::http::{Answer, Sender};
use crate::domain::{Outcome, Reason};
use std::time::Duration;

/// What they mean.
pub static ANSWERS: Answers = Answers {
    title: "ntfy",
    sign: "the message's `id`",
    has_sign: |answer: &Answer| has_field(answer, "id"),
    success: Outcome::Delivered,
    read,
    rows: CODES,
    // One message in five seconds is let through: <https://docs.ntfy.sh/publish/#limitations>.
    pause: Some(Duration::from_secs(30)),
    advice,
};

use Means::{Broken, Change, Refused, TooLarge, Wait};
use Reason::{CredentialsRefused, Forbidden, NotFound, Quota, RateLimited, RecipientUnknown, ServerError};

const DAILY: &str = "the daily limit is used up; an account or a server of your own has higher limits, and a digest needs \
                     fewer messages";
const PROTECTED: &str = "the topic is protected";

/// <https://github.com/binwiederhier/ntfy/blob/main/server/errors.go>.
const CODES: &[Row] = &[
    code("40009", Broken(RecipientUnknown), "the topic is not valid"),
    code("40010", Broken(RecipientUnknown), "the topic is not allowed"),
    code("40023", Broken(CredentialsRefused), PROTECTED),
    code("40027", Change(Forbidden), "the server requires a paid account"),
    // Whatever else is wrong with a message.
    code("400*", Refused, ""),
    code("401*", Broken(CredentialsRefused), PROTECTED),
    code("403*", Broken(Forbidden), PROTECTED),
    code("404*", Broken(NotFound), ""),
    code("40902", Broken(Forbidden), "the topic is reserved by somebody else"),
    code("413*", TooLarge, ""),
    code("42902", Wait(Quota), DAILY),
    code("42904", Change(Forbidden), "the server has too many topics; contact its admin"),
    code("42905", Wait(Quota), DAILY),
    code("42908", Wait(Quota), DAILY),
    code("42909", Broken(CredentialsRefused), "the token was refused too often"),
    code("42910", Wait(Quota), DAILY),
    code("429*", Wait(RateLimited), ""),
    code("500*", Wait(ServerError), ""),
    code("507*", Wait(ServerError), ""),
    text("daily", Wait(Quota), DAILY),
    text("unauthorized", Broken(CredentialsRefused), PROTECTED),
    text("forbidden", Broken(Forbidden), PROTECTED),
];

fn advice(sender: &Sender, reason: Reason) -> String {
    let own = |key: &str| format!("`destinations.{}.{key}`", sender.name);
    match reason {
        Reason::CredentialsRefused | Reason::Forbidden => format!(
            "Put an access token that may write to the topic into {} (or the file that its `_file` key names); pending \
             messages are then sent automatically",
            own("token")
        ),
        Reason::RecipientUnknown => {
            format!("Set another topic in {}; pending messages are then sent automatically", own("topic"))
        }
        _ => format!(
            "Check that {} is the root of an ntfy server, and {}",
            own("url"),
            sender.new_url_needed()
        ),
    }
}

/// Reads `{"code": 42901, "http": 429, "error": …}`.
fn read(body: &str) -> Said {
    let body = object(body);
    let number = |key: &str| body[key].as_u64();
    Said {
        code: number("code").map(|code| code.to_string()).unwrap_or_default(),
        message: line(&body["error"]),
        status: number("http").and_then(|status| u16::try_from(status).ok()),
        is_error: body["error"].is_string(),
        ..Said::default()
    }
}
