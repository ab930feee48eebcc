//! Who is granted the next request of a budget where several wait for one: by rank, and nobody for too long. Pure.

use super::Timestamp;
use std::time::Duration;

/// Who has waited this long goes first, whatever its rank. Where a burst has used a whole minute up, another minute
/// passes before a request comes free: so each gets one at least every two minutes.
pub const LONGEST_WAIT: Duration = Duration::from_secs(45);
/// Who does not ask again within this time after it could wants nothing any more.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// How soon to ask again where another goes first.
pub const NEXT_TURN: Duration = Duration::from_secs(1);

/// One that waits for a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its rank: lower goes first.
    pub rank: u8,
    /// Since when it waits.
    pub since: Timestamp,
    /// When it is to try again.
    pub until: Timestamp,
}

impl Waiting {
    /// Whether it is about to ask again: its time has come or comes now, and has not long passed.
    fn is_next(self, now: Timestamp) -> bool {
        self.until <= now.plus(NEXT_TURN) && now.since(self.until) <= PATIENCE
    }

    fn is_overdue(self, now: Timestamp) -> bool {
        now.since(self.since) >= LONGEST_WAIT
    }
}

/// Whether one of rank `rank`, which has waited since `since` where it has, lets another go first.
pub fn yields_to(other: Waiting, rank: u8, since: Option<Timestamp>, now: Timestamp) -> bool {
    if !other.is_next(now) {
        return false;
    }
    let own = Waiting { rank, since: since.unwrap_or(now), until: now };
    match (own.is_overdue(now), other.is_overdue(now)) {
        (false, false) => other.rank < rank,
        (true, true) => (other.since, other.rank) < (own.since, rank),
        (_, other_is_overdue) => other_is_overdue,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rank_decides_until_somebody_has_waited_for_long() {
        let now = Timestamp(1_000_000);
        let waiting = |rank, ago: u64| {
            let since = now.minus(Duration::from_secs(ago));
            Waiting { rank, since, until: now }
        };
        assert!(yields_to(waiting(0, 1), 1, None, now));
        assert!(!yields_to(waiting(1, 1), 0, None, now));
        assert!(!yields_to(waiting(1, 1), 1, None, now));
        assert!(yields_to(waiting(3, 45), 0, None, now), "it has waited for long");
        assert!(!yields_to(waiting(0, 1), 3, Some(now.minus(LONGEST_WAIT)), now), "so has this one");
        assert!(yields_to(waiting(3, 70), 0, Some(now.minus(LONGEST_WAIT)), now), "the longer one");
        let gone = Waiting { until: now.minus(PATIENCE * 2), ..waiting(0, 9) };
        let later = Waiting { until: now.plus(NEXT_TURN * 2), ..waiting(0, 9) };
        assert!(!yields_to(gone, 3, None, now) && !yields_to(later, 3, None, now));
    }
}
