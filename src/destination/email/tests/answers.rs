//! What known answers of mail servers and providers mean: each row of the table has one that it is chosen for.

use super::super::answers::Meaning::*;
use super::super::answers::{Meaning, ROWS, meaning, row};
use super::super::step::Step::{self, *};
use std::collections::BTreeSet;

/// Answers as they were seen or documented, and what each is about.
const KNOWN: &[(Step, u16, &str, Meaning)] = &[
    // F2: a limit is used up, at any step.
    (Sender, 550, "5.4.5 Daily user sending limit exceeded. For more information on Gmail", Quota),
    (End, 550, "5.4.5 Daily SMTP relay limit exceeded for user.", Quota),
    (Recipient, 550, "5.4.5 Daily sending quota exceeded - gsmtp", Quota),
    (End, 550, "5.4.5 x", Quota),
    (
        End,
        550,
        "5.1.90 Your message can't be sent because you've reached your daily limit for message recipients",
        Quota,
    ),
    (
        End,
        554,
        "5.2.0 STOREDRV.Submission.Exception:SubmissionQuotaExceededException; Failed to process message due to a \
         permanent exception",
        Quota,
    ),
    (
        Recipient,
        550,
        "5.7.233 Your message can't be sent because your tenant exceeded its limit (TERRL)",
        Quota,
    ),
    (Sender, 454, "Throttling failure: Daily message quota exceeded.", Quota),
    (Login, 454, "Throttling failure: Daily message quota exceeded.", Quota),
    (End, 454, "Throttling failure: Daily message quota exceeded.", Quota),
    (Login, 535, "Authentication failed: Maximum credits exceeded", Quota),
    (Data, 451, "You have exceeded your messaging limits", Quota),
    (
        Sender,
        421,
        "Domain shop.example is not allowed to send: recipient limit exceeded. Try again after",
        Quota,
    ),
    (
        Recipient,
        550,
        "Domain shop.example has exceeded the max emails per hour (100/100 (100%)) allowed. Message discarded.",
        Quota,
    ),
    (
        Recipient,
        451,
        "Domain shop.example has exceeded the max defers and failures per hour (5/5 (100%)) allowed.",
        Quota,
    ),
    (End, 550, "5.7.1 You've reached your sending limit. Don't worry you can send again soon.", Quota),
    (Recipient, 450, "4.7.1 Error: Number messages per hour exceeded", Quota),
    (End, 550, "5.7.1 rate limit exceeded for this account", Quota),
    (Sender, 554, "5.7.0 Too many messages from this account", Quota),
    (Recipient, 550, "5.7.1 Email quota exceeded", Quota),
    (Recipient, 452, "4.7.0 outgoing quota of this account is used up", Quota),
    (End, 550, "5.4.6 Unusual sending activity detected. Please try after sometime.", Quota),
    (End, 550, "5.7.0 You have exceeded the maximum number of messages", Quota),
    (
        Login,
        535,
        "5.7.1 User has exceeded its 24-hour sending limit. Relay quota will reset in 19.29 hours.",
        Quota,
    ),
    // The server, for now.
    (Greeting, 554, "Too many concurrent connections from your host", Later),
    (Greeting, 421, "4.3.2 shutting down", Later),
    (Greeting, 421, "", Later),
    (Login, 421, "4.7.0 try again later, closing connection", Later),
    (End, 421, "4.3.0 Temporary System Problem. Try again later", Later),
    (Greeting, 450, "4.3.2 try again later", Later),
    (Hello, 451, "4.3.0 busy", Later),
    (Encrypt, 454, "4.7.0 TLS not available due to local problem", Later),
    (Sender, 450, "4.1.8 <x@y>: Sender address rejected: Domain not found", Later),
    (Sender, 454, "Throttling failure: Maximum sending rate exceeded.", Later),
    (Sender, 451, "4.7.500 Server busy. Please try again later", Later),
    (Recipient, 550, "5.3.2 system not accepting network messages", Later),
    // This message or recipient, for now.
    (Recipient, 450, "4.2.0 <x@y>: Recipient address rejected: Greylisted", Deferred),
    (Recipient, 451, "4.7.1 greylisted", Deferred),
    (Recipient, 450, "4.7.1 Client host rejected: Greylisted, see http://postgrey", Deferred),
    (Recipient, 454, "4.7.1 <x@y>: Relay access denied", Policy),
    (Recipient, 450, "4.7.25 Client host rejected: cannot find your reverse hostname", Policy),
    (Recipient, 450, "4.1.8 <a@b>: Sender address rejected: Domain not found", WrongSender),
    (Recipient, 450, "4.2.1 mailbox busy", Deferred),
    (Recipient, 452, "4.5.3 too many recipients", Deferred),
    (Data, 451, "4.3.0 not now", Deferred),
    (End, 451, "4.3.0 try again", Deferred),
    (End, 452, "4.3.1 Insufficient system storage", Deferred),
    (Recipient, 452, "4.2.2 over quota", MailboxFull),
    (Recipient, 552, "5.2.2 mailbox full", MailboxFull),
    (Recipient, 552, "x", MailboxFull),
    (Recipient, 552, "over quota", MailboxFull),
    (End, 552, "5.2.2 The recipient's inbox is out of storage space", MailboxFull),
    (Recipient, 450, "4.2.1 The user you are trying to contact is receiving email too quickly.", MailboxFull),
    (
        Recipient,
        550,
        "5.2.121 RecipientPerSenderHourlyLimit: recipient has exceeded their limit per hour",
        MailboxFull,
    ),
    // S6
    (Recipient, 504, "5.5.2 <localhost>: Helo command rejected: need fully-qualified hostname", Helo),
    (Sender, 504, "5.5.2 <[127.0.0.1]>: Helo command rejected: need fully-qualified hostname", Helo),
    (Hello, 504, "Helo command rejected", Helo),
    (Hello, 501, "Syntactically invalid EHLO argument(s)", Helo),
    (Recipient, 550, "Access denied - Invalid HELO name (See RFC2821 4.1.1.1)", Helo),
    (Recipient, 450, "4.7.1 <bridge>: Helo command rejected: Host not found", Helo),
    (Hello, 550, "I do not like your name", Helo),
    // Encryption.
    (Login, 538, "5.7.11 encryption required", NeedsTls),
    (Sender, 530, "5.7.0 Must issue a STARTTLS command first. gsmtp", NeedsTls),
    (Login, 530, "Must issue a STARTTLS command first", NeedsTls),
    (Sender, 554, "5.7.3 STARTTLS is required to send mail", NeedsTls),
    (Encrypt, 502, "5.5.1 not implemented", NoTls),
    // J4, J10: logins.
    (Login, 454, "4.7.0 Too many login attempts, please try again later.", LoginLater),
    (Login, 451, "4.3.0 cannot check", LoginLater),
    (Login, 535, "5.7.8 Username and Password not accepted", Credentials),
    (Login, 504, "5.7.4 unknown mechanism", Credentials),
    (Login, 500, "what?", Credentials),
    (Login, 535, "5.7.139 Authentication unsuccessful, basic authentication is disabled.", PasswordsOff),
    (
        Login,
        535,
        "5.7.139 Authentication unsuccessful, SmtpClientAuthentication is disabled for the Tenant.",
        PasswordsOff,
    ),
    (Login, 534, "5.7.9 Application-specific password required.", PasswordsOff),
    (Login, 534, "5.7.14 Please log in via your web browser and then try again.", PasswordsOff),
    (Sender, 530, "5.7.0 Authentication required", Credentials),
    (Sender, 530, "5.7.57 Client not authenticated to send mail.", Credentials),
    (Recipient, 550, "5.7.1 Authentication required", Credentials),
    (Recipient, 550, "SMTP AUTH is required for message submission on port 587", Credentials),
    (Sender, 550, "Unauthenticated senders not allowed", Credentials),
    (Sender, 535, "5.7.8 session expired", Credentials),
    (End, 535, "5.7.8 session expired", Credentials),
    (Recipient, 553, "sorry, you must authenticate to use this server", Credentials),
    (
        Recipient,
        550,
        "Please turn on SMTP Authentication in your mail client. x is not permitted to relay",
        Credentials,
    ),
    // F6: the sender, also behind the dot.
    (End, 550, "5.7.1 Unconfigured Sending Domain <shop.example>", WrongSender),
    (
        Sender,
        550,
        "#MS42207 The from.email domain must be verified in your account to send emails.",
        WrongSender,
    ),
    (Sender, 553, "sorry, your envelope sender domain must exist (#5.7.1)", WrongSender),
    (
        End,
        554,
        "5.2.252 SendAsDenied; reviews@shop.example not allowed to send as other@shop.example",
        WrongSender,
    ),
    (End, 550, "5.7.60 SMTP; Client does not have permissions to send as this sender", WrongSender),
    (End, 550, "5.7.1 Sender Signature not found", WrongSender),
    (
        End,
        554,
        "Message rejected: Email address is not verified. The following identities failed the check in region",
        WrongSender,
    ),
    (
        Sender,
        550,
        "The from address does not match a verified Sender Identity. Mail cannot be sent until",
        WrongSender,
    ),
    (Sender, 553, "5.7.1 <a@b>: Sender address rejected: not owned by user c", WrongSender),
    (Recipient, 553, "5.7.1 <a@b>: Sender address rejected: not owned by user c", WrongSender),
    (Sender, 550, "5.1.8 bad sender's domain", WrongSender),
    (End, 550, "5.1.8 Access denied, bad outbound sender", WrongSender),
    (Sender, 501, "syntax", WrongSender),
    (Sender, 550, "5.7.0 From address is not one of your addresses", WrongSender),
    (End, 553, "Relaying disallowed as a@b", WrongSender),
    (Recipient, 550, "Sender verify failed", WrongSender),
    (End, 550, "Sender address is not allowed.", WrongSender),
    (End, 554, "Sandbox subdomains are for test purposes only.", WrongSender),
    (Sender, 550, "Mail from must equal authorized user", WrongSender),
    // The recipient.
    (Recipient, 550, "5.1.1 user unknown", WrongRecipient),
    (Recipient, 551, "5.1.6 moved", WrongRecipient),
    (Recipient, 553, "5.1.3 bad syntax", WrongRecipient),
    (Recipient, 550, "mailbox unavailable", WrongRecipient),
    (Recipient, 501, "bad address", WrongRecipient),
    (Recipient, 554, "5.7.1 <x@y>: Recipient address rejected: Access denied", WrongRecipient),
    (Recipient, 550, "5.4.1 Recipient address rejected: Access denied. [AM6EUR05.eop]", WrongRecipient),
    (Recipient, 556, "5.1.10 the domain has a null MX", WrongRecipient),
    (
        End,
        550,
        "5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
        WrongRecipient,
    ),
    (Recipient, 550, "5.2.1 The email account that you tried to reach is disabled.", WrongRecipient),
    (Recipient, 550, "Unrouteable address", WrongRecipient),
    (Recipient, 553, "5.6.7 SMTPUTF8 not supported here", WrongRecipient),
    (
        End,
        550,
        "5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required",
        ClosedRecipient,
    ),
    (
        Recipient,
        550,
        "5.7.129 RESOLVER.RST.RestrictedToRecipientsPermission; not authorized to send to the recipient",
        ClosedRecipient,
    ),
    // The size.
    (Sender, 552, "5.3.4 Message size exceeds fixed limit", TooLarge),
    (Data, 552, "5.3.4 message too big", TooLarge),
    (Recipient, 552, "5.3.4 message too big", TooLarge),
    (End, 552, "too much mail data", TooLarge),
    (End, 552, "x", TooLarge),
    (End, 552, "5.2.3 Your message exceeded Google's message size limits", TooLarge),
    (End, 550, "Message is too large", TooLarge),
    // The content.
    (End, 554, "5.6.0 bad content", Unwanted),
    (End, 554, "5.7.1 looks like spam", Unwanted),
    (End, 550, "5.7.1 Our system has detected that this message is likely unsolicited mail.", Unwanted),
    (
        End,
        552,
        "5.7.0 This message was blocked because its content presents a potential security issue.",
        Unwanted,
    ),
    (End, 554, "transaction failed", Unwanted),
    (End, 550, "High probability of spam", Unwanted),
    // Who may send here.
    (Greeting, 554, "no SMTP service here", Policy),
    (Greeting, 554, "5.7.1 your address is blocked", Policy),
    (Greeting, 550, "5.7.1 Service unavailable; client host blocked", Policy),
    (Hello, 550, "blocked", Policy),
    (Hello, 554, "no", Policy),
    (Recipient, 550, "relay not permitted", Policy),
    (Recipient, 553, "sorry, that domain isn't in my list of allowed rcpthosts (#5.7.1)", Policy),
    (
        End,
        554,
        "5.2.0 STOREDRV.Submission.Exception:OutboundSpamException; Failed to process message",
        Policy,
    ),
    (Recipient, 554, "5.7.1 <x@y>: Relay access denied", Policy),
    (Recipient, 550, "5.7.54 SMTP; Unable to relay recipient in non-accepted domain", Policy),
    (
        Recipient,
        554,
        "5.7.1 Service unavailable; Client host [192.0.2.1] blocked using zen.spamhaus.org",
        Policy,
    ),
    (Recipient, 550, "192.0.2.1 is listed in a blacklist", Policy),
    (Recipient, 554, "denied", Policy),
    (Recipient, 550, "5.7.1 no", Policy),
    (End, 550, "5.7.26 unauthenticated: SPF and DKIM did not pass", Policy),
    (End, 554, "Sending paused for this account. For more information, see the account's inbox", Policy),
    // Not what such servers say.
    (Greeting, 502, "what?", Other),
    (Sender, 503, "5.5.1 bad sequence of commands", Other),
    (Data, 503, "5.5.1 valid RCPT required", Other),
    (Sender, 555, "5.5.4 parameter not recognized", Other),
];

#[test]
fn known_answers_mean_what_people_must_do_and_every_row_has_one() {
    let mut used = BTreeSet::new();
    let mut wrong = Vec::new();
    for (step, code, words, expected) in KNOWN {
        let found = meaning(*step, *code, words);
        if found != *expected {
            wrong.push(format!(
                "{step:?} {code} {words}: {found:?}, not {expected:?} (row {:?})",
                row(*step, *code, words)
            ));
        }
        // Case and line ends make no difference.
        assert_eq!(meaning(*step, *code, &words.to_uppercase()), found, "{words}");
        used.extend(row(*step, *code, words));
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    let unused: Vec<usize> = (0..ROWS.len()).filter(|index| !used.contains(index)).collect();
    assert!(unused.is_empty(), "no answer is decided by the rows {unused:?}");
    assert!(
        ROWS.iter().all(|row| row.source.split_whitespace().all(|source| source.starts_with("https://")))
    );
}

#[test]
fn any_refusal_at_any_step_has_a_meaning_of_its_class() {
    let steps = [Greeting, Hello, Encrypt, Login, Sender, Recipient, Data, Content, End];
    for step in steps {
        for code in 400..600 {
            let found = meaning(step, code, "");
            if code < 500 {
                assert!(matches!(found, Later | Deferred | LoginLater), "{step:?} {code}: {found:?}");
            } else {
                assert!(row(step, code, "").is_some(), "{step:?} {code}");
                assert!(!matches!(found, Later | Deferred | LoginLater), "{step:?} {code}: {found:?}");
            }
            // A used up limit kills nothing, wherever it is said.
            assert_eq!(meaning(step, code, "your daily limit is reached"), Quota, "{step:?} {code}");
        }
    }
}
