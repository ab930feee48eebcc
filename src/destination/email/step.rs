//! How far a conversation with a mail server has come.

use std::sync::atomic::{AtomicU8, Ordering};

/// A step of a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Step {
    /// Connecting.
    Connect,
    /// The server's first words.
    Greeting,
    /// `EHLO` or `HELO`.
    Hello,
    /// `STARTTLS` and the handshake.
    Encrypt,
    /// Name and password.
    Login,
    /// Who sends.
    Sender,
    /// Who receives.
    Recipient,
    /// The wish to send a message.
    Data,
    /// The message, before its last block: the server cannot have taken it.
    Content,
    /// The last block with the final dot: from here on it may have arrived.
    End,
}

const STEPS: [Step; 10] = [
    Step::Connect,
    Step::Greeting,
    Step::Hello,
    Step::Encrypt,
    Step::Login,
    Step::Sender,
    Step::Recipient,
    Step::Data,
    Step::Content,
    Step::End,
];

/// Remembers how far a conversation came.
#[derive(Debug, Default)]
pub struct Progress(AtomicU8);

impl Progress {
    /// Where it is.
    pub fn step(&self) -> Step {
        STEPS[usize::from(self.0.load(Ordering::Relaxed)).min(STEPS.len() - 1)]
    }

    /// It has come to `step`.
    pub fn at(&self, step: Step) {
        self.0.store(step as u8, Ordering::Relaxed);
    }
}
