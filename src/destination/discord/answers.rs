//! What Discord's answers mean. Asked to wait, it answers 200 with the message that it kept.

use crate::destination::answers::{Answers, Means, Row, Said, code, has_field, line, object, text};
use crate::destination::http::{Answer, MAX_RETRY_AFTER, Sender};
use crate::domain::{Outcome, Reason};
use std::time::Duration;

/// What they mean.
pub static ANSWERS: Answers = Answers {
    title: "Discord",
    sign: "the message's `id`",
    has_sign: |answer: &Answer| (answer.status == 204 && answer.text().is_empty()) || has_field(answer, "id"),
    success: Outcome::Delivered,
    read,
    rows: CODES,
    pause: None,
    advice: |sender: &Sender, _| {
        format!(
            "In Discord, open the channel's settings > Integrations > Webhooks, create a new webhook, and {}",
            sender.new_url_needed()
        )
    },
};

use Means::{Broken, Change, Refused, TooLarge, Wait};
use Reason::{ChannelGone, CredentialsRefused, Forbidden, NotFound, RateLimited, Revoked, ServerError};

const THREAD: &str = "it posts to a forum: append `?thread_id=` and the number of a thread to the URL";

/// <https://discord.com/developers/docs/topics/opcodes-and-status-codes#json-json-error-codes>.
const CODES: &[Row] = &[
    code("10003", Broken(ChannelGone), "the channel or thread was deleted"),
    code("10004", Broken(ChannelGone), "the server was deleted"),
    code("10012", Broken(CredentialsRefused), "the webhook's token is wrong or was replaced"),
    code("10015", Broken(Revoked), "the webhook was deleted"),
    code("10016", Broken(Revoked), "the webhook was deleted"),
    // Whatever else of the URL is unknown.
    code("10*", Broken(NotFound), ""),
    code("20009", Refused, "it takes this message for explicit content"),
    code("20016", Wait(RateLimited), "the channel is in slow mode"),
    code("20022", Wait(RateLimited), "too many messages in this channel"),
    code("20028", Wait(RateLimited), "too many messages in this channel"),
    code("20029", Wait(RateLimited), "too many messages on this server"),
    code("200000", Refused, "a rule of the server's AutoMod blocks this message"),
    code("200001", Refused, "a rule of the server's AutoMod blocks this title"),
    code("20*", Change(Forbidden), ""),
    code("30015", TooLarge, "this message has too many attachments"),
    // A limit of the channel or the server.
    code("30*", Change(Forbidden), ""),
    code("40001", Broken(CredentialsRefused), "the webhook's token is wrong or was replaced"),
    code("40002", Change(Forbidden), "the account must be verified"),
    code("40004", Wait(ServerError), "sending messages is switched off for the moment"),
    code("40005", TooLarge, "this message is too large"),
    code("40006", Wait(ServerError), "this is switched off for the moment"),
    code("40007", Change(Forbidden), "the webhook's owner is banned from the server"),
    code("40012", Broken(Revoked), "the connection was revoked"),
    code("40058", Change(Forbidden), THREAD),
    code("40062", Wait(RateLimited), "too many messages"),
    code("40066", Change(Forbidden), "the forum requires a tag that only moderators may set"),
    code(
        "40067",
        Change(Forbidden),
        "the forum requires a tag: append `?thread_id=` and the number of a thread to the URL",
    ),
    code("40333", Wait(ServerError), "its network blocks this request"),
    code("50001", Change(Forbidden), "the webhook has no access to the channel"),
    code("50006", Refused, "this message is empty"),
    code("50007", Change(Forbidden), "it may not send to this person"),
    code("50008", Broken(Forbidden), "the channel takes no text"),
    code("50009", Change(Forbidden), "the channel's verification level is too high"),
    code("50013", Change(Forbidden), "the webhook lacks the permission to post"),
    code("50014", Broken(CredentialsRefused), "the webhook's token is wrong or was replaced"),
    code("50024", Broken(Forbidden), "this kind of channel takes no messages"),
    code("50025", Broken(CredentialsRefused), "the token is wrong"),
    code("50026", Broken(CredentialsRefused), "the token lacks a permission"),
    code("50027", Broken(CredentialsRefused), "the webhook's token is wrong or was replaced"),
    code("50033", Broken(NotFound), "the channel has no recipient"),
    code("50035", Refused, ""),
    code("50041", Broken(NotFound), "the URL names a version of the API that no longer exists"),
    code("50045", TooLarge, "this message is too large"),
    code("50055", Broken(ChannelGone), "the server was deleted"),
    code("50067", Change(Forbidden), "requests from here are not allowed"),
    code("50073", Broken(Forbidden), "the webhook belongs to the system"),
    code("50083", Change(ChannelGone), "the thread is archived; open it again"),
    code("50095", Change(Forbidden), "the server is not available in this location"),
    code("50097", Change(Forbidden), "the server lacks what this needs"),
    code("50101", Change(Forbidden), "the server needs more boosts"),
    code("50109", Refused, "it cannot read this message"),
    code("50178", Change(Forbidden), "the account must be verified"),
    code("60003", Change(Forbidden), "the server requires two-factor authentication"),
    code("110000", Wait(ServerError), ""),
    code("110001", Wait(ServerError), ""),
    code("130000", Wait(ServerError), "it is overloaded"),
    code("160002", Change(Forbidden), "the webhook may not read the channel's history"),
    code("160005", Change(Forbidden), "the thread is locked; unlock it, or use another one"),
    code("160006", Change(Forbidden), "the server has too many open threads"),
    code("160007", Change(Forbidden), "the channel has too many open threads"),
    code("220001", Change(Forbidden), THREAD),
    code("220002", Change(Forbidden), "the URL names both a thread and a title: keep `thread_id`"),
    code("220003", Change(Forbidden), "the channel is no forum: remove `thread_name` from the URL"),
    code("220004", Broken(Forbidden), "this webhook cannot post to a forum"),
    code("240000", Refused, "its filter of harmful links blocks this message"),
    // Where a proxy or an old version leaves the code out.
    text("unknown webhook", Broken(Revoked), "the webhook was deleted"),
    text("unknown channel", Broken(ChannelGone), "the channel or thread was deleted"),
    text("invalid webhook token", Broken(CredentialsRefused), "the webhook's token is wrong or was replaced"),
    text("missing access", Change(Forbidden), "the webhook has no access to the channel"),
    text("missing permissions", Change(Forbidden), "the webhook lacks the permission to post"),
    text("thread is locked", Change(Forbidden), "the thread is locked; unlock it, or use another one"),
    text("empty message", Refused, "this message is empty"),
];

/// Reads `{"code": …, "message": …, "retry_after": …}`.
fn read(body: &str) -> Said {
    let body = object(body);
    let number = body["code"].as_u64().filter(|number| *number > 0);
    let code = number.map_or_else(|| line(&body["code"]), |number| number.to_string());
    let asked = body["retry_after"].as_f64();
    let seconds = asked.filter(|seconds| *seconds > 0.0);
    Said {
        message: line(&body["message"]),
        status: asked.map(|_| 429),
        retry_after: seconds
            .map(|seconds| Duration::from_secs_f64(seconds.min(MAX_RETRY_AFTER.as_secs_f64()))),
        is_error: !code.is_empty() || body["message"].is_string() || body["errors"].is_object(),
        code: if code == "0" { String::new() } else { code },
        ..Said::default()
    }
}
