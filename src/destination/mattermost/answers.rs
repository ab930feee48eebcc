//! What Mattermost's answers mean. Success is 200 with the body `ok`; what failed is told by an id, or by a text where
//! an older server or a proxy leaves that out.

use crate::destination::answers::{Answers, Means, Row, Said, line, object};
use crate::destination::http::{Answer, Sender};
use crate::domain::text::one_line;
use crate::domain::{Outcome, Reason};

/// What they mean.
pub static ANSWERS: Answers = Answers {
    title: "Mattermost",
    sign: "Mattermost's `ok`",
    has_sign: |answer: &Answer| answer.text().eq_ignore_ascii_case("ok"),
    success: Outcome::Delivered,
    read,
    rows: ERRORS,
    pause: None,
    advice: |sender: &Sender, _| {
        format!(
            "In Mattermost, open Integrations > Incoming Webhooks and create a new one; then {}",
            sender.new_url_needed()
        )
    },
};

use Means::{Broken, Change, Refused, TooLarge};
use Reason::{ChannelGone, CredentialsRefused, Forbidden, NotFound, Revoked};

const fn row(code: &'static str, text: &'static str, means: Means, what: &'static str) -> Row {
    Row { code, text, means, what }
}

/// By id, and by a part of the English text:
/// <https://github.com/mattermost/mattermost/blob/master/server/i18n/en.json>, of `app/webhook.go` and `web/webhook.go`.
const ERRORS: &[Row] = &[
    row("web.incoming_webhook.invalid.*", "invalid webhook", Broken(Revoked), "the webhook was deleted"),
    row(
        "web.incoming_webhook.disabled.*",
        "webhooks have been disabled",
        Change(Revoked),
        "incoming webhooks are switched off; contact the server's admin",
    ),
    row(
        "web.incoming_webhook.channel.*",
        "find the channel",
        Broken(ChannelGone),
        "the channel was deleted or renamed",
    ),
    row("app.channel.get*", "", Broken(ChannelGone), "the channel was deleted"),
    row(
        "api.post.create_post.can_not_post_to_deleted.*",
        "post to deleted channel",
        Change(ChannelGone),
        "the channel is archived",
    ),
    row(
        "web.incoming_webhook.channel_locked.*",
        "not permitted to post",
        Broken(Forbidden),
        "the webhook is locked to another channel",
    ),
    row(
        "web.incoming_webhook.permissions.*",
        "channel permissions",
        Broken(Forbidden),
        "the webhook's creator is no longer in the channel",
    ),
    row(
        "api.post.create_post.town_square_read_only*",
        "read-only",
        Change(Forbidden),
        "the channel is read-only",
    ),
    row(
        "web.incoming_webhook.user.*",
        "find the user",
        Broken(Revoked),
        "the webhook's creator no longer has an account",
    ),
    row("app.user.get*", "", Broken(Revoked), "the webhook's creator no longer has an account"),
    row("app.team.get*", "", Broken(ChannelGone), "the team was deleted"),
    row(
        "api.context.permissions*",
        "appropriate permissions",
        Change(Forbidden),
        "the webhook lacks the permission to post",
    ),
    row("api.context.session_expired*", "", Broken(CredentialsRefused), "the session has expired"),
    row("api.context.404*", "", Broken(NotFound), "there is nothing at this URL"),
    row("*license*", "", Change(Forbidden), "the server's licence does not allow this; contact its admin"),
    row("web.incoming_webhook.text.*", "no text specified", Refused, "this message is empty"),
    row("web.incoming_webhook.parse.*", "unable to parse", Refused, "it cannot read this message"),
    row("web.incoming_webhook.decode.*", "", Refused, "it cannot read this message"),
    row("web.incoming_webhook.split_props_length.*", "", TooLarge, "this message is too long"),
    row("model.post.is_valid.msg.*", "", TooLarge, "this message is too long"),
    row("*too_large*", "request body too large", TooLarge, "this message is too large"),
];

/// Reads `{"id": …, "message": …, "status_code": …}`, else the first words of a text that is no web page.
fn read(body: &str) -> Said {
    let json = object(body);
    if !json.is_object() {
        let message = if body.starts_with('<') { String::new() } else { one_line(body, 200) };
        return Said { message, ..Said::default() };
    }
    let status = json["status_code"].as_u64().and_then(|status| u16::try_from(status).ok());
    Said {
        code: line(&json["id"]),
        message: line(&json["message"]),
        status: status.filter(|status| *status != 0),
        is_error: json["id"].is_string() || json["message"].is_string(),
        ..Said::default()
    }
}
