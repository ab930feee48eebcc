//! Bursts: what is to be paced, what is queued, and what follows.

use crate::domain::{Cause, Timestamp};
use std::time::Duration;

/// A destination that takes a limited number of single messages in a window.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BurstRequest {
    /// The destination.
    pub destination: String,
    /// This many single messages,
    pub limit: u32,
    /// in this time.
    pub window: Duration,
    /// When its hours opened it last; it may have been repaired or resumed later than that.
    pub opened_at: Timestamp,
}

/// What a recipient of it got lately, and what is queued for them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BurstSeen {
    /// The last window, open or over.
    pub window: Option<BurstWindow>,
    /// Single messages that were made before that window's end, and wait.
    pub in_window: u64,
    /// Single messages that were made before the destination opened again, and wait.
    pub backlog: u64,
}

/// A time in which single messages are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BurstWindow {
    /// When the first was let through.
    pub from: Timestamp,
    /// How many were.
    pub admitted: u32,
}

/// What pacing grouped into summaries.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grouped {
    /// Summaries made.
    pub summaries: u64,
    /// The reviews in them.
    pub reviews: u64,
}

/// What follows for what is queued.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BurstStep {
    /// All of it becomes one message.
    Gather(Cause),
    /// This many more are let through; the rest waits for the end of the window.
    Admit {
        /// When the window began.
        from: Timestamp,
        /// How many.
        room: u32,
    },
}
