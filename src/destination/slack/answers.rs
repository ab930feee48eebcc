//! What Slack's answers mean. Success is 200 with the body `ok`; what failed is told by a word in the body
//! first and by the status second, since Slack gives the same word under different statuses.

use crate::destination::answers::{Answers, Means, Row, Said, code, line, object};
use crate::destination::http::{Answer, Sender};
use crate::domain::{Outcome, Reason};
use std::time::Duration;

/// What they mean.
pub static ANSWERS: Answers = Answers {
    title: "Slack",
    sign: "Slack's `ok`",
    has_sign,
    success: Outcome::Delivered,
    read,
    rows: WORDS,
    // Slack names no time at times, and pressing on disables the app.
    pause: Some(Duration::from_secs(30)),
    advice: |sender: &Sender, _| {
        format!("Create a new incoming webhook in Slack and {}", sender.new_url_needed())
    },
};

use Means::{Broken, Change, Refused, TooLarge, Wait};
use Reason::{
    ChannelGone, CredentialsRefused, Forbidden, RateLimited, RecipientUnknown, Revoked, ServerError,
};

const LAYOUT: &str = "it refuses the layout of this message";
const DISABLED: &str = "the webhook was disabled or its app removed";

/// Slack's words for what failed.
const WORDS: &[Row] = &[
    // Of webhooks: <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks#handling_errors> and
    // <https://api.slack.com/changelog/2016-05-17-changes-to-errors-for-incoming-webhooks>.
    code("invalid_payload", Refused, "it cannot read this message"),
    code("invalid_json", Refused, "it cannot read this message"),
    code("invalid_form_data", Refused, "it cannot read this message"),
    code("invalid_blocks*", Refused, LAYOUT),
    code("invalid_attachments", Refused, LAYOUT),
    code("no_text", Refused, "this message is empty"),
    code("missing_text_or_fallback_or_attachments", Refused, "this message is empty"),
    code("user_not_found", Broken(RecipientUnknown), "the person it posts to is unknown"),
    code("action_prohibited", Change(Forbidden), "a workspace setting forbids this post; contact its admin"),
    code(
        "posting_to_general_channel_denied",
        Change(Forbidden),
        "only admins may post to this channel; let others post, or use another channel",
    ),
    code("invalid_token", Broken(CredentialsRefused), "the webhook's URL is wrong or has expired"),
    code(
        "channel_not_found",
        Broken(ChannelGone),
        "the channel was deleted, or made private without the app in it",
    ),
    code("channel_is_archived", Change(ChannelGone), "the channel is archived; unarchive it"),
    code("no_active_hooks", Broken(Revoked), DISABLED),
    code("no_service*", Broken(Revoked), DISABLED),
    code("no_team", Broken(Revoked), "the workspace is gone"),
    code("team_disabled", Broken(Revoked), "the workspace is disabled"),
    code("rollup_error", Wait(ServerError), "something went wrong at Slack"),
    code("too_many_attachments", TooLarge, "this message has too many attachments"),
    // <https://github.com/slackapi/bolt-js/issues/2509>.
    code("msg_*too_long", TooLarge, "this message is too long"),
    // <https://docs.slack.dev/apis/web-api/rate-limits>.
    code("ratelimited", Wait(RateLimited), "too many messages"),
    code("rate_limited", Wait(RateLimited), "too many messages"),
    code("message_limit_exceeded", Wait(RateLimited), "the workspace sends too many messages"),
    // What the same refusals are called by the Web API, which programs that pass webhooks on use:
    // <https://docs.slack.dev/reference/methods/chat.postMessage#errors>.
    code("is_archived", Change(ChannelGone), "the channel is archived; unarchive it"),
    code("not_in_channel", Change(Forbidden), "the app is not in the channel; invite it"),
    code("restricted_action*", Change(Forbidden), "a workspace setting forbids this post; contact its admin"),
    code("*access_denied", Change(Forbidden), "the workspace denies access; contact its admin"),
    code(
        "no_permission",
        Change(Forbidden),
        "the app lacks the permission to post; contact the workspace's admin",
    ),
    code("missing_scope", Change(Forbidden), "the app lacks the permission to post"),
    code("org_login_required", Change(Forbidden), "the workspace is being moved; contact its admin"),
    code("team_access_not_granted", Change(Forbidden), "the app is not approved for this workspace"),
    code("channel_type_not_supported", Broken(Forbidden), "this kind of channel takes no messages"),
    code("account_inactive", Broken(Revoked), "the account or the app was removed"),
    code("token_*", Broken(CredentialsRefused), "the token was revoked or has expired"),
    code("invalid_auth", Broken(CredentialsRefused), "the token is wrong"),
    code("not_authed", Broken(CredentialsRefused), "there is no token"),
    code("team_not_found", Broken(Revoked), "the workspace is gone"),
    code("internal_error", Wait(ServerError), "something went wrong at Slack"),
    code("fatal_error", Wait(ServerError), "something went wrong at Slack"),
    code("service_unavailable", Wait(ServerError), "something went wrong at Slack"),
    code("request_timeout", Wait(ServerError), "something went wrong at Slack"),
    code("team_added_to_org", Wait(ServerError), "the workspace is being moved"),
];

/// `ok`; programs that pass webhooks on write `{"ok": true}`.
fn has_sign(answer: &Answer) -> bool {
    answer.text().eq_ignore_ascii_case("ok") || object(answer.text())["ok"] == true
}

/// The word an answer begins with, lower-cased; of JSON its `error`.
fn read(body: &str) -> Said {
    let json = object(body);
    let is_error = json["error"].is_string() || json["ok"] == false;
    let text = if json.is_object() { line(&json["error"]) } else { body.trim().to_owned() };
    let word = text.to_ascii_lowercase();
    let word: String = word.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').take(60).collect();
    // What a sentence begins with is no word of Slack's.
    let is_word = is_error || word.len() == text.len() || word.contains('_');
    let code = if is_word { word } else { String::new() };
    Said { code, is_error, ..Said::default() }
}
