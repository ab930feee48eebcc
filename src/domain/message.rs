//! A message: one send. It carries 1..n deliveries, or none (a notice, a test).

use super::{Digest, Member, RuleHit, Subject, Summary, Timestamp};
use serde::{Deserialize, Serialize};

/// The kinds of message; the schema's CHECK constraints hold the same list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// One review.
    Review,
    /// A scheduled digest.
    Digest,
    /// What a burst was folded into.
    Summary,
    /// A notice to the operator.
    Operator,
    /// A person's test.
    Test,
}

impl MessageKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Review, Self::Digest, Self::Summary, Self::Operator, Self::Test];

    /// Its name in state and templates.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Digest => "digest",
            Self::Summary => "summary",
            Self::Operator => "operator",
            Self::Test => "test",
        }
    }

    /// The kind of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How a message is rendered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// By its template.
    #[default]
    Full,
    /// The plainest form the destination takes: after a refused payload, or a template that failed.
    Plain,
    /// The plain form cut to a few hundred characters, saying how much is missing: after the plain form was too large.
    Short,
}

/// What a destination renders and sends.
#[derive(Clone, Debug)]
pub struct Message {
    /// Stable over retries: the `webhook-id`, the stem of a Message-ID. `[a-z0-9_]`.
    pub id: String,
    /// For e-mail the address; empty elsewhere.
    pub recipient: String,
    /// What it says.
    pub content: Content,
    /// How to render it.
    pub form: Form,
    /// An earlier attempt may have arrived: say so where the format allows.
    pub possible_repeat: bool,
    /// When this attempt is made.
    pub now: Timestamp,
}

/// What a message says.
#[derive(Clone, Debug)]
pub enum Content {
    /// One review, its newest revision, and the rules that matched it.
    Review {
        /// The review.
        subject: Box<Subject>,
        /// The rules that matched, and why.
        rules: Vec<RuleHit>,
    },
    /// Many reviews, by schedule.
    Digest(Box<Digest>),
    /// Many reviews that came together.
    Summary(Box<Summary>),
    /// A notice to the operator.
    Operator(Notice),
    /// A person's test of the destination.
    Test {
        /// What it says.
        text: String,
    },
}

impl Content {
    /// Every review in it, with the rules that matched.
    pub fn reviews(&self) -> Vec<(&Subject, &[RuleHit])> {
        fn of(members: &[Member]) -> Vec<(&Subject, &[RuleHit])> {
            members.iter().map(|member| (&member.subject, &*member.rules)).collect()
        }
        match self {
            Self::Review { subject, rules } => vec![(subject, rules)],
            Self::Digest(digest) => of(&digest.members),
            Self::Summary(summary) => of(&summary.reviews.members),
            Self::Operator(_) | Self::Test { .. } => Vec::new(),
        }
    }

    /// The kind of message this is.
    pub fn kind(&self) -> MessageKind {
        match self {
            Self::Review { .. } => MessageKind::Review,
            Self::Digest(_) => MessageKind::Digest,
            Self::Summary(_) => MessageKind::Summary,
            Self::Operator(_) => MessageKind::Operator,
            Self::Test { .. } => MessageKind::Test,
        }
    }
}

/// Whether a problem began, lasts or ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// It began.
    Started,
    /// It lasts.
    Lasting,
    /// It is over.
    Over,
}

/// A problem: the operator is notified once, daily while it lasts, and when it is over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// A stable name: `destination_broken`, `polls_failing`, `token_refused`, ….
    pub kind: String,
    /// Whether it began or ended.
    pub state: NoticeState,
    /// What happened, where.
    pub text: String,
    /// What to do.
    pub hint: String,
}
