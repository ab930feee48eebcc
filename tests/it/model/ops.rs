//! The operations that both stores are given: small pools, so that they meet.

/// The accounts: the first tells at once and marks what no rule wants, the second waits for `settle`.
pub const ACCOUNTS: [&str; 2] = ["one", "two"];
/// The destinations: one without recipients that skips what was read elsewhere, one with two, one digest.
pub const DESTINATIONS: [&str; 3] = ["chat", "mail", "daily"];

/// What a review says, out of few possibilities.
#[derive(Clone, Copy, Debug)]
pub struct Says {
    pub uuid: u8,
    pub rating: u8,
    pub text: u8,
    pub author: u8,
    pub source: u8,
    pub age: u8,
}

/// How attempts ended.
#[derive(Clone, Copy, Debug)]
pub enum Ended {
    Delivered,
    Retry { ambiguous: bool, hold: bool },
    Plain,
    Dead,
    GaveUp,
    Broken,
    Repaired,
    Quota,
    TooLarge,
}

/// How marks ended.
#[derive(Clone, Copy, Debug)]
pub enum Marked {
    Done,
    Failed,
    Misconfigured,
    Refused,
}

/// What a person does to deliveries.
#[derive(Clone, Copy, Debug)]
pub enum Wish {
    Retry,
    Resend,
    Discard,
    /// To the destination of that number, as a message or for a digest.
    Move(u8, bool),
}

/// One operation. Numbers choose among what there is at the time; masks choose many of it.
#[derive(Clone, Debug)]
pub enum Op {
    Clock(i64),
    Stepped(i64),
    /// Other rules from now on.
    Rules(bool),
    Names(u8),
    Page {
        account: u8,
        says: Vec<Says>,
        malformed: bool,
    },
    EndListing(u8),
    AbandonListing(u8),
    RouteWaiting {
        account: u8,
        limit: u32,
    },
    Lease {
        destination: u8,
        limit: u32,
        notices: bool,
        only: Option<u8>,
    },
    Settle {
        which: u8,
        many: u8,
        ended: Ended,
        forget: bool,
    },
    /// Leases and settles at once what is due anywhere.
    Send {
        limit: u32,
        ended: Ended,
    },
    Recover,
    Expire,
    Pause {
        destination: u8,
        paused: bool,
    },
    ProbeBroken,
    Digest {
        send_empty: bool,
        recipients: u8,
    },
    Window(u8),
    /// Single messages are let through so many in a minute, of one destination or all, which may have just opened; or
    /// all that waits is gathered.
    Pace {
        destination: u8,
        limit: u32,
        opened: bool,
        gather: bool,
    },
    ReleaseHeld,
    Regroup {
        mail: bool,
        daily: bool,
    },
    BuryRemoved {
        keep: u8,
    },
    RouteAgain {
        account: u8,
        reviews: u16,
    },
    RequestMarks(u16),
    Forget(u8),
    Wish {
        wish: Wish,
        deliveries: u32,
    },
    ExpireOld {
        age: u8,
        limit: u32,
    },
    Marks {
        account: u8,
        at_once: bool,
        marked: Marked,
    },
    Tell {
        started: u8,
        over: u8,
    },
    Enqueue {
        destination: u8,
        which: u8,
    },
    Requests {
        account: u8,
        purpose: u8,
        want: u32,
    },
    Hold {
        account: u8,
        ms: i64,
    },
    PollFailed(u8),
    Endpoint {
        account: u8,
        fails: bool,
    },
    Baseline {
        account: u8,
        ends: bool,
    },
    TokenExpiry(u8),
    Restart,
}
