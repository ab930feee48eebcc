//! How an attempt ended: one closed type, and one small set of reasons that is also the metric label.

use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How an attempt to send a message ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The destination confirmed it.
    Delivered,
    /// Taken; whether it is shown cannot be seen (Teams Workflows). Settles like delivered.
    Accepted,
    /// It may pass later.
    Retry {
        /// Why.
        reason: Reason,
        /// What the destination requested (`Retry-After`): holds the whole destination.
        after: Option<Duration>,
        /// Whether the message may have arrived all the same.
        ambiguous: bool,
    },
    /// This message can never pass; the destination is fine.
    Dead {
        /// Why. `PayloadRefused` is first tried once more in the plainest form.
        reason: Reason,
    },
    /// The destination cannot work until somebody acts.
    Broken {
        /// Why.
        reason: Reason,
    },
}

impl Outcome {
    /// Its name in state and metrics.
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Accepted => "accepted",
            Self::Retry { .. } => "retry",
            Self::Dead { .. } => "dead",
            Self::Broken { .. } => "broken",
        }
    }

    /// Why it was not delivered.
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Delivered | Self::Accepted => None,
            Self::Retry { reason, .. } | Self::Dead { reason } | Self::Broken { reason } => Some(*reason),
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $name:literal,)*) => {
        /// Why an attempt was not delivered.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason { $($(#[$doc])* $variant,)* }

        impl Reason {
            /// Every reason.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// Its name in state, commands and metrics.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The reason of that name.
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|reason| reason.as_str() == name)
            }
        }
    };
}

reasons! {
    /// The destination limits the rate (429).
    RateLimited = "rate_limited",
    /// This message or its recipient is refused for now (SMTP 4yz after `RCPT` or the content: greylisting, a full
    /// mailbox).
    Deferred = "deferred",
    /// A sending quota is used up: nothing passes before it is renewed, hours later.
    Quota = "quota",
    /// The login is refused for now (too many logins, a server that cannot check them).
    LoginDeferred = "login_deferred",
    /// The destination failed (5xx, SMTP 421, 4yz before `RCPT`).
    ServerError = "server_error",
    /// No answer in time.
    TimedOut = "timed_out",
    /// No connection: refused, unreachable, no such name.
    Unreachable = "unreachable",
    /// The connection was lost after sending began.
    ConnectionLost = "connection_lost",
    /// The process ended, or a lease ran out, while this was being sent.
    Interrupted = "interrupted",
    /// The payload was refused.
    PayloadRefused = "payload_refused",
    /// The payload is too large.
    TooLarge = "too_large",
    /// The recipient is unknown.
    RecipientUnknown = "recipient_unknown",
    /// The answer was not one this kind gives.
    UnexpectedAnswer = "unexpected_answer",
    /// The webhook was revoked, disabled or deleted.
    Revoked = "revoked",
    /// The channel is archived or gone.
    ChannelGone = "channel_gone",
    /// Not allowed to post there.
    Forbidden = "forbidden",
    /// The server does not accept messages from this sender.
    SenderRefused = "sender_refused",
    /// The account behind the destination is suspended until it is paid for (402).
    PaymentRequired = "payment_required",
    /// The proxy on the way refuses its credentials (407).
    ProxyRefused = "proxy_refused",
    /// Credentials refused.
    CredentialsRefused = "credentials_refused",
    /// Certificate refused, or no TLS where it is needed.
    CertificateRefused = "certificate_refused",
    /// The URL answers with a redirect, which is never followed.
    Redirected = "redirected",
    /// Nothing is found at the URL.
    NotFound = "not_found",
    /// `give_up_after` has passed.
    GaveUp = "gave_up",
    /// The destination is no longer in the configuration.
    DestinationRemoved = "destination_removed",
    /// The message could not be rendered, not even in its plain form.
    RenderFailed = "render_failed",
    /// The review was read elsewhere before it was delivered, with `skip_if_read`.
    ReadElsewhere = "read_elsewhere",
    /// The recipient has this rating and text already.
    Unchanged = "unchanged",
}

/// What a reason is evidence about: which sends it says something of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// This message, its recipient, or how much is sent at once: other messages may pass.
    Message,
    /// The destination, whatever is sent to it.
    Destination,
    /// The server and the login behind the destination: all destinations that share them.
    Server,
}

impl Reason {
    /// What an attempt that ended for this reason says something about. A destination that shares its server with
    /// no other is its server.
    pub fn about(self) -> About {
        match self {
            Self::RateLimited
            | Self::Deferred
            | Self::Interrupted
            | Self::PayloadRefused
            | Self::TooLarge
            | Self::RecipientUnknown
            | Self::UnexpectedAnswer
            | Self::GaveUp
            | Self::DestinationRemoved
            | Self::RenderFailed
            | Self::ReadElsewhere
            | Self::Unchanged => About::Message,
            Self::Revoked
            | Self::ChannelGone
            | Self::Forbidden
            | Self::SenderRefused
            | Self::Redirected
            | Self::NotFound => About::Destination,
            Self::ServerError
            | Self::TimedOut
            | Self::Unreachable
            | Self::ConnectionLost
            | Self::LoginDeferred
            | Self::Quota
            | Self::PaymentRequired
            | Self::ProxyRefused
            | Self::CredentialsRefused
            | Self::CertificateRefused => About::Server,
        }
    }
}

/// One attempt, as the ledger keeps it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// How it ended.
    pub outcome: Outcome,
    /// The HTTP or SMTP status, where one was read.
    pub status: Option<u16>,
    /// For people: what happened and what to do. Holds no secret.
    pub detail: String,
    /// The start of the answer, without secrets and control characters.
    pub excerpt: Option<String>,
}
