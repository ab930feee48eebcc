//! What a refusal of a mail server is about: one table, judged by step, code, enhanced code (RFC 3463) and the words that
//! servers and providers are known to use, in this order. Each row says where that is written.

mod rows;

use super::step::Step;
use rows::ANY;
pub(super) use rows::ROWS;

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

/// What a refusal with this code and these words is about, at this step.
pub fn meaning(step: Step, code: u16, words: &str) -> Meaning {
    row(step, code, words).and_then(|index| ROWS.get(index)).map_or(Meaning::Other, |row| row.means)
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
    let words = words.split_whitespace().enumerate();
    // qmail puts it behind: `(#5.1.1)`.
    words.filter(|(index, word)| *index < 6 || word.starts_with("(#")).find_map(|(_, word)| {
        let mut parts = word.trim_matches(|c: char| !c.is_ascii_digit()).split('.');
        let class = parts.next().filter(|class| matches!(*class, "4" | "5"));
        let mut number = || parts.next().filter(|part| part.len() <= 3)?.parse().ok();
        let (subject, detail): (u16, u16) = (number()?, number()?);
        class.filter(|_| parts.next().is_none()).map(|_| (subject, detail))
    })
}
