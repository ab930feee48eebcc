//! The wall clock is set while the real binary runs, as people and time servers do.

use crate::harness::faketime::WallClock;
use crate::harness::process::{Process, command, log, until};
use crate::harness::*;
use review_bridge::clock::Clock;
use review_bridge::domain::{DeliveryState, Timestamp};
use review_bridge::sandbox::{Answer, Options};
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const HOUR: i64 = 3600;
const YEAR: i64 = 365 * 86_400;

const WAITING_AND_OTHERS: &str = r#"
[http]
listen = ""
[destinations.support]
type = "slack"
webhook_url = "INBOX/slack/support"
[destinations.crm]
type = "webhook"
url = "INBOX/webhook/crm"
give_up_after = "48h"
[[rules]]
name = "waiting"
when = { contains_any = ["waiting"] }
to = ["crm"]
stop = true
[[rules]]
name = "others"
to = ["support"]
"#;

#[tokio::test]
async fn set_by_an_hour_or_a_year_while_it_runs_nothing_is_given_up_and_polls_and_sends_go_on() {
    let mut bench = Bench::real(Options::default()).await;
    let Some(clock) = WallClock::new(bench.folder.path()) else { return };
    bench.account = "poll_interval = \"5s\"".into();
    bench.rest = WAITING_AND_OTHERS.into();
    bench.review("waiting", GOOGLE_NL, 5.0, "waiting");
    // It fails before the clock is first set, and after that.
    bench.inbox.answer("/webhook/crm", Answer::status(503, ""));
    bench.inbox.answer("/webhook/crm", Answer::status(503, ""));
    let mut bridge = command(&bench);
    bridge.arg("--config").arg(bench.write_config()).arg("run");
    clock.give(&mut bridge);
    let process = Process::spawn(&bench, bridge);
    until("it failed once", LONG, || log(&bench).contains("not sent")).await;
    let mut away = 0;
    for (number, step) in [YEAR, HOUR, -HOUR, -YEAR].into_iter().enumerate() {
        away += step;
        clock.set(away);
        let uuid = format!("fresh{number}");
        let an_hour_ago = Timestamp(Clock::System.now().0 + (away - HOUR) * 1000);
        bench.sandbox.add(review(&uuid, GOOGLE_NL, 5.0, &uuid, an_hour_ago));
        let told = || bench.slack("support").iter().any(|message| message.body.contains(&uuid));
        until("a review that came since is told", LONG, told).await;
        until("and marked", LONG, || bench.marked().contains(&uuid)).await;
    }
    until("what waited is told", LONG, || bench.sandbox.unread().is_empty()).await;
    assert!(process.terminate().await.success());
    assert!(log(&bench).contains("the wall clock was set"), "{}", log(&bench));
    let rows = bench.deliveries().await;
    assert_eq!(rows.len(), 5);
    assert!(rows.iter().all(|row| row.state == DeliveryState::Delivered), "{rows:?}");
    assert_eq!(bench.webhook("crm").len(), 3);
    assert_eq!(bench.slack("support").len(), 4, "each once");
}
