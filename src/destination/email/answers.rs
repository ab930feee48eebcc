//! What a refusal of a mail server is about: one table, judged by step, code, enhanced code (RFC 3463) and the words that
//! servers and providers are known to use, in this order. Each row says where that is written.

use super::step::Step;
use Meaning::*;

/// What a refusal is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// How much is sent: a limit is used up, for hours.
    Quota,
    /// The server, for now.
    Later,
    /// This message or its recipient, for now: greylisting, say.
    Deferred,
    /// The recipient's mailbox, which is full or gets too much.
    MailboxFull,
    /// The name that the bridge gives itself.
    Helo,
    /// That nothing is encrypted.
    NeedsTls,
    /// That the server cannot encrypt.
    NoTls,
    /// Logins, for now.
    LoginLater,
    /// Logins with a password, which the provider has switched off.
    PasswordsOff,
    /// Name and password, or that there is none.
    Credentials,
    /// Who sends.
    WrongSender,
    /// Who receives.
    WrongRecipient,
    /// That this recipient takes no mail of this sender.
    ClosedRecipient,
    /// The size.
    TooLarge,
    /// The content.
    Unwanted,
    /// That this machine, login or domain may send.
    Policy,
    /// The protocol: it is not what such a server says.
    Other,
}

/// One row: matches where the step, one of the codes, and one of the enhanced codes or phrases do. An empty list matches all.
pub(super) struct Row {
    /// From this step to that.
    steps: (Step, Step),
    /// Codes, or their first digits.
    codes: &'static [u16],
    /// Subjects and details of enhanced codes; [`ANY`] for any detail.
    status: &'static [(u16, u16)],
    /// Words in their order, `*` for whatever stands between them; each begins a word.
    says: &'static [&'static str],
    /// What it means.
    means: Meaning,
    /// Where it is written.
    #[cfg_attr(not(test), expect(dead_code, reason = "for people who change the table"))]
    pub(super) source: &'static str,
}

const ANY: u16 = u16::MAX;
const ALWAYS: (Step, Step) = (Step::Greeting, Step::End);
const LOGIN: (Step, Step) = (Step::Login, Step::Login);
const MAIL: (Step, Step) = (Step::Sender, Step::End);
const RCPT: (Step, Step) = (Step::Recipient, Step::Recipient);
const FROM_RCPT: (Step, Step) = (Step::Recipient, Step::End);
const DATA: (Step, Step) = (Step::Data, Step::End);

const RFC_5321: &str = "https://www.rfc-editor.org/rfc/rfc5321#section-4.2.3";
const RFC_4954: &str = "https://www.rfc-editor.org/rfc/rfc4954#section-6";
const RFC_3207: &str = "https://www.rfc-editor.org/rfc/rfc3207#section-4";
const STATUS: &str = "https://www.iana.org/assignments/smtp-enhanced-status-codes";
const EXCHANGE: &str = "https://learn.microsoft.com/troubleshoot/exchange/email-delivery/ndr/non-delivery-reports-in-exchange-online";
const GMAIL: &str =
    "https://knowledge.workspace.google.com/admin/support/troubleshooting/gmail-smtp-errors-and-codes";
const POSTFIX: &str = "https://www.postfix.org/SMTPD_ACCESS_README.html";
const EXIM: &str = "https://www.exim.org/exim-html-current/doc/html/spec_html/ch-access_control_lists.html";

/// The table; the first row that matches counts.
pub(super) const ROWS: &[Row] = &[
    // The recipient's own limits come before those of who sends: both say "limit".
    Row {
        steps: FROM_RCPT,
        codes: &[4, 5],
        status: &[(2, 121), (2, 122)],
        says: &["receiving*too quickly", "receiving*at a rate", "recipient has exceeded*receive"],
        means: MailboxFull,
        source: GMAIL,
    },
    Row { steps: ALWAYS, codes: &[5], status: &[(4, 5)], says: &[], means: Quota, source: GMAIL },
    Row {
        steps: ALWAYS,
        codes: &[4, 5],
        status: &[(1, 90), (7, 232), (7, 233), (7, 236)],
        says: &["submissionquotaexceeded", "recipientquotaexceeded", "messagequotaexceeded"],
        means: Quota,
        source: EXCHANGE,
    },
    Row {
        steps: ALWAYS,
        codes: &[4, 5],
        status: &[],
        says: &[
            "daily*limit",
            "daily*quota",
            "daily*exceeded",
            "hourly*limit",
            "hourly*quota",
            "weekly*limit",
            "monthly*limit",
            "monthly*quota",
            "limit*per day",
            "limit*per hour",
            "limit*per month",
            "quota*per day",
            "quota*per hour",
            "quota*for today",
            "limit*for today",
            "limit*24 hours",
            "per hour*exceeded",
            "per day*exceeded",
            "per hour allowed",
            "emails per hour",
            "max defers and failures",
            "sending limit",
            "sending quota",
            "sender*quota exceeded",
            "send limit",
            "send quota",
            "submission quota",
            "submission limit",
            "relay limit",
            "relay quota",
            "email quota exceeded",
            "message quota",
            "message limit*reached",
            "message limit*exceeded",
            "messaging limit",
            "outbound*limit",
            "outbound*quota",
            "outgoing*limit",
            "outgoing*quota",
            "recipient limit exceeded",
            "recipient quota exceeded",
            "credits exceeded",
            "out of credits",
            "no credits",
            "not enough credits",
            "insufficient credits",
            "plan limit",
            "limit*of your plan",
            "limit*allowed to send",
            "exceeded*limit*you can send",
            "too many*messages today",
        ],
        means: Quota,
        source: "https://docs.aws.amazon.com/ses/latest/dg/manage-sending-quotas-errors.html \
                 https://support.sendgrid.com/hc/articles/12173535098779 \
                 https://support.cpanel.net/hc/articles/360051992634 https://help.mailgun.com/hc/articles/4401814149147",
    },
    Row { steps: ALWAYS, codes: &[421], status: &[], says: &[], means: Later, source: RFC_5321 },
    Row {
        steps: (Step::Hello, Step::Recipient),
        codes: &[4, 5],
        status: &[],
        says: &[
            "helo command rejected",
            "ehlo command rejected",
            "invalid*helo",
            "invalid*ehlo",
            "helo*invalid",
            "ehlo*invalid",
            "bad helo",
            "helo name",
            "ehlo name",
            "helo*reject",
            "helo argument",
            "fully-qualified hostname",
            "fully qualified host",
        ],
        means: Helo,
        source: POSTFIX,
    },
    Row { steps: ALWAYS, codes: &[523, 538], status: &[], says: &[], means: NeedsTls, source: RFC_4954 },
    Row {
        steps: (Step::Login, Step::End),
        codes: &[5],
        status: &[(7, 10), (7, 11)],
        says: &[
            "must issue a starttls",
            "starttls*first",
            "starttls*required",
            "encryption*required",
            "encrypted*required",
            "require*encrypt",
            "require*tls",
            "tls*required",
            "requires a secure",
        ],
        means: NeedsTls,
        source: RFC_3207,
    },
    Row {
        steps: (Step::Encrypt, Step::Encrypt),
        codes: &[5],
        status: &[],
        says: &[],
        means: NoTls,
        source: RFC_3207,
    },
    Row {
        steps: LOGIN,
        codes: &[5],
        status: &[(7, 139)],
        says: &[
            "basic auth*disabled",
            "smtpclientauthentication is disabled",
            "smtp*auth*disabled for",
            "log in*web browser",
            "log in*via your",
            "application-specific password",
            "app password",
            "app-specific password",
        ],
        means: PasswordsOff,
        source: "https://learn.microsoft.com/exchange/clients-and-mobile-in-exchange-online/\
                 authenticated-client-smtp-submission https://support.google.com/mail/?p=InvalidSecondFactor",
    },
    Row { steps: LOGIN, codes: &[5], status: &[], says: &[], means: Credentials, source: RFC_4954 },
    Row { steps: LOGIN, codes: &[4], status: &[], says: &[], means: LoginLater, source: RFC_4954 },
    Row {
        steps: FROM_RCPT,
        codes: &[4, 5],
        status: &[(2, 2)],
        says: &[
            "mailbox*full",
            "mailbox*quota",
            "mailbox*over*limit",
            "inbox*full",
            "over quota",
            "overquota",
            "quota exceeded",
            "exceeded*quota",
            "out of storage",
            "disk quota",
        ],
        means: MailboxFull,
        source: STATUS,
    },
    Row {
        steps: (Step::Greeting, Step::Sender),
        codes: &[4],
        status: &[],
        says: &[],
        means: Later,
        source: RFC_5321,
    },
    Row { steps: FROM_RCPT, codes: &[4], status: &[], says: &[], means: Deferred, source: RFC_5321 },
    // From here on all is refused permanently.
    Row {
        steps: MAIL,
        codes: &[5],
        status: &[(7, 23), (7, 25), (7, 26), (7, 27), (7, 29), (7, 30), (7, 509)],
        says: &["spf", "dkim", "dmarc", "ptr record", "reverse dns", "rdns"],
        means: Policy,
        source: GMAIL,
    },
    Row {
        steps: DATA,
        codes: &[552],
        status: &[(7, ANY), (6, ANY)],
        says: &["virus", "attachment type", "blocked*content"],
        means: Unwanted,
        source: GMAIL,
    },
    Row {
        steps: MAIL,
        codes: &[5],
        status: &[(3, 4), (2, 3)],
        says: &[
            "message size",
            "message*too large",
            "message*too big",
            "message*too long",
            "message length",
            "size*exceed",
            "size limit",
            "too much mail data",
            "too large",
        ],
        means: TooLarge,
        source: "https://www.rfc-editor.org/rfc/rfc1870#section-6",
    },
    Row { steps: RCPT, codes: &[552], status: &[], says: &[], means: MailboxFull, source: RFC_5321 },
    Row { steps: MAIL, codes: &[552], status: &[], says: &[], means: TooLarge, source: RFC_5321 },
    Row {
        steps: MAIL,
        codes: &[5],
        status: &[],
        says: &[
            "rate limit",
            "ratelimit",
            "rate exceeded",
            "throttl",
            "too many messages",
            "too many mails",
            "too many emails",
            "too much mail",
            "limit exceeded",
            "exceeded*your*limit",
            "exceeded the limit",
            "limit*reached",
            "reached*limit",
        ],
        means: Quota,
        source: EXIM,
    },
    Row {
        steps: (Step::Greeting, Step::Hello),
        codes: &[554, 521],
        status: &[],
        says: &[],
        means: Policy,
        source: RFC_5321,
    },
    Row {
        steps: (Step::Greeting, Step::Hello),
        codes: &[5],
        status: &[(7, ANY)],
        says: &["blocked", "blacklist", "blocklist", "denied", "banned"],
        means: Policy,
        source: STATUS,
    },
    Row {
        steps: (Step::Greeting, Step::Greeting),
        codes: &[5],
        status: &[],
        says: &[],
        means: Other,
        source: RFC_5321,
    },
    Row {
        steps: (Step::Hello, Step::Hello),
        codes: &[5],
        status: &[],
        says: &[],
        means: Helo,
        source: "https://www.rfc-editor.org/rfc/rfc5321#section-4.1.1.1",
    },
    Row {
        steps: FROM_RCPT,
        codes: &[5],
        status: &[(7, 124), (7, 129), (7, 133), (7, 134), (7, 135), (7, 136), (7, 193)],
        says: &[
            "resolver.rst",
            "not authorized to send to",
            "not allowed to send to",
            "not permitted to send to",
            "permission to*group",
            "only accepts*from",
            "authorized to relay messages through the*recipient",
        ],
        means: ClosedRecipient,
        source: EXCHANGE,
    },
    Row {
        steps: MAIL,
        codes: &[530, 534, 535],
        status: &[],
        says: &[],
        means: Credentials,
        source: RFC_4954,
    },
    Row {
        steps: MAIL,
        codes: &[5],
        status: &[(7, 57), (7, 8)],
        says: &[
            "authentication*required",
            "authentication*needed",
            "auth*required",
            "requires authentication",
            "require authentication",
            "not authenticated",
            "must authenticate",
            "must be authenticated",
            "need to authenticate",
            "authenticate first",
            "please authenticate",
            "authenticate before",
            "unauthenticated senders",
            "log in first",
            "login required",
            "not logged in",
            "auth first",
        ],
        means: Credentials,
        source: EXCHANGE,
    },
    Row {
        steps: MAIL,
        codes: &[5],
        status: &[(1, 7), (1, 8), (2, 252), (7, 60), (7, 501), (7, 502), (7, 503), (7, 750)],
        says: &[
            "sendasdenied",
            "send as this sender",
            "not allowed to send as",
            "permission to send as",
            "permissions to send as",
            "not authorized to send as",
            "not authorized to send from",
            "not allowed to send from",
            "not permitted to send from",
            "on behalf of",
        ],
        means: WrongSender,
        source: EXCHANGE,
    },
    Row {
        steps: MAIL,
        codes: &[5],
        status: &[],
        says: &[
            "address is not verified",
            "address not verified",
            "addresses are not verified",
            "not verified",
            "unverified",
            "verified sender",
            "sender signature",
            "sender identity",
            "from address",
            "from email",
            "invalid mail from",
            "is not allowed to send",
            "not allowed to send: ",
            "sandbox subdomain",
        ],
        means: WrongSender,
        source: "https://repost.aws/knowledge-center/ses-554-400-message-rejected-error \
                 https://www.twilio.com/docs/sendgrid/for-developers/sending-email/sender-identity \
                 https://postmarkapp.com/developer/api/overview https://help.mailgun.com/hc/articles/217531258",
    },
    Row {
        steps: MAIL,
        codes: &[5],
        status: &[],
        says: &[
            "sender address",
            "sender*rejected",
            "sender*refused",
            "sender*denied",
            "sender*not allowed",
            "sender*not permitted",
            "sender*not authori",
            "sender*not valid",
            "sender*invalid",
            "sender*does not exist",
            "sender*not exist",
            "sender verify",
            "sender*unknown",
            "unauthorized sender",
            "invalid sender",
            "unknown sender",
            "bad sender",
            "bad outbound sender",
            "banned sender",
            "not owned by",
            "relaying disallowed as",
            "mail from*must",
            "mailfrom*must",
            "envelope*must match",
            "must match*login",
            "must match*auth",
            "sender domain",
        ],
        means: WrongSender,
        source: POSTFIX,
    },
    Row {
        steps: MAIL,
        codes: &[5],
        status: &[(7, 54), (7, 64), (7, 700), (7, 705), (7, 708)],
        says: &[
            "relay",
            "relaying",
            "client host",
            "sending paused",
            "sending suspended",
            "sending is disabled",
            "your account",
            "account suspended",
            "account*disabled for sending",
            "unauthorized ip",
            "your ip",
            "ip address*not",
            "is not authorized to perform",
        ],
        means: Policy,
        source: POSTFIX,
    },
    Row {
        steps: (Step::Sender, Step::Recipient),
        codes: &[5],
        status: &[],
        says: &["blocked using", "blacklist", "blocklist", "spamhaus", "dnsbl", "rbl"],
        means: Policy,
        source: POSTFIX,
    },
    Row {
        steps: FROM_RCPT,
        codes: &[5],
        status: &[
            (1, 0),
            (1, 1),
            (1, 2),
            (1, 3),
            (1, 4),
            (1, 6),
            (1, 10),
            (2, 1),
            (2, 4),
            (4, 1),
            (4, 4),
            (4, 310),
        ],
        says: &[
            "recipient address rejected",
            "recipient*not found",
            "recipientnotfound",
            "recipient*rejected",
            "recipient*unknown",
            "invalid recipient",
            "unknown recipient",
            "inactive recipient",
            "user unknown",
            "unknown user",
            "user*not found",
            "user*does not exist",
            "user*doesn't exist",
            "no such user",
            "no such recipient",
            "no such mailbox",
            "no mailbox",
            "mailbox*not found",
            "mailbox*does not exist",
            "mailbox*disabled",
            "address*does not exist",
            "address*doesn't exist",
            "unrouteable address",
            "account that you tried to reach",
        ],
        means: WrongRecipient,
        source: STATUS,
    },
    Row {
        steps: (Step::Sender, Step::Recipient),
        codes: &[5],
        status: &[(6, 7)],
        says: &["smtputf8"],
        means: WrongRecipient,
        source: "https://www.rfc-editor.org/rfc/rfc6531#section-3.7.4.2",
    },
    Row {
        steps: (Step::Sender, Step::End),
        codes: &[5],
        status: &[(3, 2), (3, 5)],
        says: &["system*not accepting", "try again later"],
        means: Later,
        source: STATUS,
    },
    Row {
        steps: DATA,
        codes: &[5],
        status: &[(6, ANY), (7, ANY)],
        says: &[],
        means: Unwanted,
        source: STATUS,
    },
    Row { steps: MAIL, codes: &[5], status: &[(7, ANY)], says: &[], means: Policy, source: STATUS },
    Row {
        steps: (Step::Sender, Step::Data),
        codes: &[500, 502, 503, 504, 555],
        status: &[],
        says: &[],
        means: Other,
        source: RFC_5321,
    },
    Row {
        steps: (Step::Sender, Step::Sender),
        codes: &[5],
        status: &[],
        says: &[],
        means: WrongSender,
        source: RFC_5321,
    },
    Row { steps: RCPT, codes: &[554], status: &[], says: &[], means: Policy, source: RFC_5321 },
    Row { steps: RCPT, codes: &[5], status: &[], says: &[], means: WrongRecipient, source: RFC_5321 },
    Row { steps: DATA, codes: &[5], status: &[], says: &[], means: Unwanted, source: RFC_5321 },
];

/// What a refusal with this code and these words is about, at this step.
pub fn meaning(step: Step, code: u16, words: &str) -> Meaning {
    row(step, code, words).and_then(|index| ROWS.get(index)).map_or(Other, |row| row.means)
}

/// The row of the table that matches.
pub(super) fn row(step: Step, code: u16, words: &str) -> Option<usize> {
    let lower = words.to_lowercase();
    let status = enhanced(&lower);
    ROWS.iter().position(|row| {
        let at_step = (row.steps.0..=row.steps.1).contains(&step);
        let with_code = row.codes.iter().any(|known| *known == code || *known == code / 100);
        let any_words = row.status.is_empty() && row.says.is_empty();
        let known = |(subject, detail)| {
            row.status.iter().any(|known| known.0 == subject && (known.1 == detail || known.1 == ANY))
        };
        at_step
            && with_code
            && (any_words || status.is_some_and(known) || row.says.iter().any(|phrase| says(&lower, phrase)))
    })
}

/// Whether the parts of `phrase` stand in `text` in this order, each at the beginning of a word.
fn says(text: &str, phrase: &str) -> bool {
    let mut rest = Some(text);
    for part in phrase.split('*') {
        rest = rest.and_then(|text| {
            let begins = |at: &usize| !text[..*at].ends_with(char::is_alphanumeric);
            let at = text.match_indices(part).map(|(at, _)| at).find(begins)?;
            text.get(at + part.len()..)
        });
    }
    rest.is_some()
}

/// The subject and the detail of the first enhanced code near the beginning: `5.1.1 no such user` is (1, 1). Some servers
/// put a name before it.
fn enhanced(words: &str) -> Option<(u16, u16)> {
    words.split_whitespace().take(6).find_map(|word| {
        let mut parts = word.trim_matches(|c: char| !c.is_ascii_digit()).split('.');
        let class = parts.next().filter(|class| matches!(*class, "4" | "5"));
        let mut number = || parts.next().filter(|part| part.len() <= 3)?.parse().ok();
        let (subject, detail): (u16, u16) = (number()?, number()?);
        class.filter(|_| parts.next().is_none()).map(|_| (subject, detail))
    })
}
