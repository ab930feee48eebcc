//! Time-outs that stand still while the process does: an answer that arrived meanwhile is read, not timed out.

use super::Stopwatch;
use std::pin::pin;
use std::time::Duration;

/// What passes between two looks at the time; of a stop, no more than this counts.
const SLICE: Duration = Duration::from_millis(250);
/// A slice that took so much longer was none: the process was stopped.
const LATE: Duration = Duration::from_millis(750);

/// Waits for `future`, at the longest for `time`, in which the time that the process was stopped (SIGSTOP, a paused
/// container) does not count. `None` where it did not end.
pub async fn within<T>(time: Duration, future: impl Future<Output = T>) -> Option<T> {
    let mut future = pin!(future);
    let mut left = time;
    loop {
        let slice = left.min(SLICE);
        let watch = Stopwatch::start();
        tokio::select! {
            biased;
            done = &mut future => return Some(done),
            () = tokio::time::sleep(slice) => {}
        }
        if watch.elapsed() < slice + LATE {
            left = left.saturating_sub(slice);
            if left.is_zero() {
                return None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_ends_with_the_future_or_with_the_time() {
        assert_eq!(within(Duration::ZERO, std::future::ready(1)).await, Some(1));
        let watch = Stopwatch::start();
        assert_eq!(within(Duration::from_millis(300), std::future::pending::<()>()).await, None);
        assert!(watch.elapsed() >= Duration::from_millis(300));
    }

    // The smaller ones: SIGSTOP.
    #[tokio::test]
    async fn while_nothing_of_the_process_runs_no_time_passes() {
        // A blocked thread is to its timers what a stopped process is.
        let (answered, answer) = tokio::sync::oneshot::channel();
        let waits = within(Duration::from_millis(200), answer);
        let stopped = async {
            std::thread::sleep(Duration::from_millis(1500));
            // What arrived is found a little later than the timer.
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
            answered.send(7).unwrap();
        };
        let (answer, ()) = tokio::join!(waits, stopped);
        assert_eq!(answer, Some(Ok(7)));
    }
}
