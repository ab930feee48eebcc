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
    /// The destination failed (5xx, SMTP 4yz).
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
