//! The clock is set, or the machine sleeps, while the bridge works: nobody sees the new time before what waits was
//! moved with it.

use crate::harness::process::until;
use crate::harness::*;
use review_bridge::app::App;
use review_bridge::domain::DeliveryState;
use review_bridge::sandbox::Answer;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);
const HOUR_MS: i64 = 3_600_000;

const DIGESTS: &str = r#"
[destinations.owner]
type = "webhook"
url = "INBOX/webhook/owner"
rate_limit = "10000/s"
digest = { schedule = "0 8 * * *" }
[[rules]]
name = "all"
to = ["owner"]
"#;

/// Runs the daemon until `done`, which is called every few milliseconds.
async fn run_until(app: App, what: &str, done: impl FnMut() -> bool) {
    app.run(until(what, LONG, done), None).await.unwrap();
}

// H2
#[tokio::test]
async fn a_digest_that_a_jump_makes_due_is_sent_then_by_run_and_by_run_once() {
    for daemon in [true, false] {
        let mut bench = Bench::new().await;
        bench.rest = DIGESTS.into();
        // 22:00.
        bench.clock.advance(HOUR * 10);
        bench.review("a", GOOGLE_NL, 5.0, "Mooi");
        bench.once().await;
        assert!(bench.webhook("owner").is_empty());
        let mut app = bench.app().await;
        bench.clock.step(11 * HOUR_MS);
        if daemon {
            run_until(app, "the digest is sent", || !bench.webhook("owner").is_empty()).await;
        } else {
            app.run_once().await.unwrap();
            app.close().await;
        }
        let digest = bench.webhook("owner").remove(0);
        assert_eq!(digest["data"]["to"], "2026-03-02T09:00:00Z", "the digest is of the new time");
        let states: Vec<_> = bench.deliveries().await.into_iter().map(|row| row.state).collect();
        assert_eq!(states, [DeliveryState::Delivered]);
        // The next is due at 08:00 on the day after.
        bench.review("b", GOOGLE_NL, 5.0, "Mooi");
        bench.once().await;
        bench.clock.advance(HOUR * 22);
        bench.once().await;
        assert_eq!(bench.webhook("owner").len(), 1);
        bench.clock.advance(HOUR);
        bench.once().await;
        assert_eq!(bench.webhook("owner").len(), 2);
    }
}

// H2
#[tokio::test]
async fn reviews_of_a_poll_around_a_jump_are_all_delivered_at_once() {
    for by_ms in [HOUR_MS, -HOUR_MS, 365 * 24 * HOUR_MS, -365 * 24 * HOUR_MS] {
        let mut bench = Bench::new().await;
        // Its reviews are a year old after the jump of a year.
        bench.account = "poll_interval = \"2m\"\nmax_age = \"36500d\"".into();
        let app = bench.app().await;
        let clock = bench.clock.clone();
        let mut rounds = 0;
        let bench = &bench;
        run_until(app, &format!("after {by_ms} ms all are delivered and marked"), || {
            rounds += 1;
            clock.advance(Duration::from_millis(700));
            if rounds % 20 == 0 && rounds <= 240 {
                bench.review(&format!("r{rounds}"), GOOGLE_NL, 5.0, "Mooi");
            }
            if rounds == 130 {
                clock.step(by_ms);
            }
            bench.told("crm").len() == 12 && bench.marked().len() == 12
        })
        .await;
        assert!(bench.told("crm").values().all(|times| *times == 1), "each once");
    }
}

// H2
#[tokio::test]
async fn what_is_retried_waits_as_long_as_before_however_the_clock_is_set() {
    for by_ms in [11 * HOUR_MS, -11 * HOUR_MS] {
        let bench = Bench::new().await;
        bench.review("a", GOOGLE_NL, 5.0, "Mooi");
        bench.inbox.answer("/webhook/crm", Answer::status(503, ""));
        let mut app = bench.app().await;
        app.run_once().await.unwrap();
        let left = |rows: Vec<review_bridge::store::DeliveryRow>| rows[0].next_at.unwrap();
        let before = left(bench.deliveries().await).since(bench.clock.now());
        bench.clock.step(by_ms);
        app.run_once().await.unwrap();
        assert_eq!(left(bench.deliveries().await).since(bench.clock.now()), before);
        assert!(bench.webhook("crm").len() <= 1, "not sent early");
        bench.clock.advance(before);
        app.run_once().await.unwrap();
        app.close().await;
        assert_eq!(bench.deliveries().await[0].state, DeliveryState::Delivered);
    }
}
