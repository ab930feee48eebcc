//! Bursts: how many single messages go through, and when the rest becomes one. Pure: no I/O, no clock, not async.

use crate::domain::{Cause, Timestamp};
use crate::store::{BurstRequest, BurstSeen, BurstStep};

/// What follows for what is queued for one recipient.
///
/// A window opens with the first message and lets `limit` of them through. What else arrives until its end is held
/// back, and sent in one message then. So is what was queued while the destination was broken, paused or closed, if it
/// is more than `limit`.
pub fn step(request: &BurstRequest, seen: &BurstSeen, now: Timestamp) -> BurstStep {
    let limit = u64::from(request.limit);
    if seen.backlog > limit {
        return BurstStep::Gather(Cause::Backlog);
    }
    // One that begins in the future was left by a clock that was set back.
    let is_over = |from: Timestamp| from > now || from.plus(request.window) <= now;
    match seen.window {
        Some(window) if !is_over(window.from) => {
            let room = request.limit.saturating_sub(window.admitted);
            BurstStep::Admit { from: window.from, room }
        }
        Some(window) if u64::from(window.admitted) + seen.in_window > limit => {
            BurstStep::Gather(Cause::Burst)
        }
        _ => BurstStep::Admit { from: now, room: request.limit },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::BurstWindow;
    use std::time::Duration;

    const NOW: Timestamp = Timestamp(1_000_000);

    fn after(window: Option<(i64, u32)>, in_window: u64, backlog: u64) -> BurstStep {
        let request = BurstRequest {
            destination: "support".into(),
            limit: 3,
            window: Duration::from_secs(60),
            opened_at: Timestamp(0),
        };
        let window = window.map(|(ago, admitted)| BurstWindow { from: Timestamp(NOW.0 - ago), admitted });
        step(&request, &BurstSeen { window, in_window, backlog }, NOW)
    }

    #[test]
    fn a_window_lets_so_many_through_and_gathers_the_rest_at_its_end() {
        let fresh = BurstStep::Admit { from: NOW, room: 3 };
        assert_eq!(after(None, 0, 0), fresh);
        let open = |ago: i64, room| BurstStep::Admit { from: Timestamp(NOW.0 - ago), room };
        assert_eq!(after(Some((59_999, 1)), 0, 0), open(59_999, 2));
        assert_eq!(after(Some((59_999, 3)), 50, 0), open(59_999, 0));
        assert_eq!(after(Some((60_000, 3)), 1, 0), BurstStep::Gather(Cause::Burst));
        assert_eq!(after(Some((60_000, 2)), 2, 0), BurstStep::Gather(Cause::Burst));
    }

    #[test]
    fn what_is_no_burst_goes_on_one_by_one() {
        let fresh = BurstStep::Admit { from: NOW, room: 3 };
        assert_eq!(after(Some((60_000, 3)), 0, 0), fresh);
        assert_eq!(after(Some((60_000, 2)), 1, 0), fresh);
        assert_eq!(after(Some((-5_000, 3)), 0, 0), fresh, "a window from the future is over");
    }

    #[test]
    fn what_waited_for_the_destination_is_told_at_once_when_it_opens() {
        assert_eq!(after(None, 0, 4), BurstStep::Gather(Cause::Backlog));
        assert_eq!(after(Some((1, 1)), 0, 4), BurstStep::Gather(Cause::Backlog));
        assert_eq!(after(None, 0, 3), BurstStep::Admit { from: NOW, room: 3 });
    }
}
