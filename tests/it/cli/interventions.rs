//! `deliveries retry`, `resend` and `discard`, on a real state, beside a bridge that runs and without one.

use super::{Ran, beside, refused};
use crate::harness::process::{Process, until};
use crate::harness::*;
use review_bridge::domain::DeliveryState;
use review_bridge::sandbox::{Answer, Options};
use review_bridge::store::{LeaseRequest, Store};
use review_bridge::upstream::Endpoint;
use serde_json::json;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const SUPPORT: &str = "/slack/support";

/// A bench for the commands, which go by the machine's clock.
async fn real() -> Bench {
    let mut bench = Bench::real(Options::default()).await;
    bench.rest = format!("[http]\nlisten = \"\"\n{}", bench.rest);
    bench
}

/// A bench in which `support` refused these reviews.
async fn with_dead(uuids: &[&str]) -> Bench {
    let bench = real().await;
    for uuid in uuids {
        bench.review(uuid, GOOGLE_NL, 1.0, "Slecht");
        for _ in 0..2 {
            bench.inbox.answer(SUPPORT, Answer::status(400, "invalid_payload"));
        }
    }
    bench.once().await;
    let dead = bench.deliveries().await.into_iter().filter(|row| row.state == DeliveryState::Dead).count();
    assert_eq!(dead, uuids.len());
    bench
}

async fn id_of(bench: &Bench, uuid: &str, destination: &str) -> String {
    let rows = bench.deliveries().await;
    rows.iter().find(|row| row.uuid == uuid && row.destination == destination).unwrap().id.to_string()
}

async fn state_of(bench: &Bench, id: &str) -> DeliveryState {
    let rows = bench.deliveries().await;
    rows.iter().find(|row| row.id.to_string() == id).unwrap().state
}

/// Starts the bridge and waits until it works.
async fn running(bench: &Bench) -> Process {
    let polls = || bench.sandbox.requests().get(&Endpoint::UnreadReviews).copied().unwrap_or_default();
    let before = polls();
    let process = Process::start(bench, &["run"]);
    until("it polls", LONG, || polls() > before).await;
    process
}

#[tokio::test]
async fn a_dead_letter_is_retried_by_the_bridge_that_runs_and_its_review_marked_then() {
    let bench = with_dead(&["a"]).await;
    assert!(bench.marked().is_empty());
    let process = running(&bench).await;
    let dead = ["deliveries", "retry", "--state", "dead", "--destination", "support"];
    let ran = beside(&bench, &[&dead[..], &["--json"]].concat()).await.ok().json();
    assert_eq!((&ran["action"], &ran["running"]), (&"retry".into(), &true.into()));
    assert_eq!((ran["done"].as_array().unwrap().len(), &ran["refused"]), (1, &json!([])));
    until("it is told and marked", LONG, || bench.marked() == ["a"]).await;
    let slack = bench.slack("support");
    assert_eq!(slack.len(), 3);
    assert!(slack[2].body.contains("\"blocks\""), "as if for the first time, in its full form");
    assert!(refused(&bench, 1, &dead).await.contains("no matching deliveries"));
    let ran = beside(&bench, &[&dead[..], &["--json"]].concat()).await;
    assert_eq!((ran.code, &ran.json()["done"]), (1, &json!([])));
    assert!(process.terminate().await.success());
}

#[tokio::test]
async fn what_cannot_be_done_is_said_of_each_delivery_with_the_reason() {
    let bench = with_dead(&["a", "b"]).await;
    let (dead, told) = (id_of(&bench, "a", "support").await, id_of(&bench, "a", "crm").await);
    let text = refused(&bench, 0, &["deliveries", "retry", &dead, &told, "999"]).await;
    for expected in [
        "1 delivery will be retried\n",
        "when `review-bridge run` is started",
        &format!(
            "delivery {told}: it was delivered; to send it again: `review-bridge deliveries resend {told}`\n"
        ),
        "delivery 999: no such delivery",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let text = refused(&bench, 1, &["deliveries", "retry", &dead]).await;
    assert!(
        text.contains("nothing was changed\n") && text.contains("it will be retried automatically"),
        "{text}"
    );
    let text = refused(&bench, 1, &["deliveries", "resend", &dead]).await;
    assert!(text.contains("it has not been delivered yet"), "{text}");
    let text = refused(&bench, 1, &["deliveries", "discard", &told]).await;
    assert!(text.contains("it is already delivered"), "{text}");
    // An edit of `b` is told: its dead letter is of no use any more.
    let old = id_of(&bench, "b", "support").await;
    bench.sandbox.edit("b", &json!({ "rating": 2 }));
    bench.once().await;
    let ran = beside(&bench, &["deliveries", "retry", &old, "--json"]).await;
    assert_eq!((ran.code, &ran.json()["refused"][0]["reason"]), (1, &"newer_revision".into()));
    let text = refused(&bench, 1, &["deliveries", "retry", &old]).await;
    assert!(text.contains("superseded by a newer revision"), "{text}");
}

#[tokio::test]
async fn a_selection_of_several_is_asked_about_and_which_ones_must_be_said() {
    let bench = with_dead(&["a", "b", "c"]).await;
    for (arguments, said) in [
        (
            &["deliveries", "retry", "--state", "dead"][..],
            "error: confirmation required to retry 3 deliveries; pass --yes",
        ),
        (
            &["deliveries", "discard", "--destination", "support", "--limit", "2"],
            "error: confirmation required to discard 2 deliveries; pass --yes",
        ),
        (&["deliveries", "retry"], "error: no deliveries selected; pass IDs"),
        (&["deliveries", "discard", "--limit", "2"], "error: no deliveries selected"),
        (&["deliveries", "retry", "--destination", "suport"], "did you mean `support`?"),
        (&["deliveries", "retry", "--state", "pending"], "[possible values: dead]"),
        (&["deliveries", "retry", "1", "--state", "dead"], "cannot be used with"),
        (&["deliveries", "retry", "1", "--to", "suport"], "did you mean `support`?"),
        (&["deliveries", "resend"], "<ID>"),
    ] {
        let text = refused(&bench, 2, arguments).await;
        assert!(text.contains(said), "{arguments:?}: {text}");
    }
    let dead = |rows: Vec<review_bridge::store::DeliveryRow>| {
        rows.into_iter().filter(|row| row.state == DeliveryState::Dead).count()
    };
    assert_eq!(dead(bench.deliveries().await), 3, "nothing was done");
    // One alone is not asked about, and of several the newest are taken.
    beside(&bench, &["deliveries", "retry", "--uuid", "b"]).await.ok();
    beside(&bench, &["deliveries", "retry", "--state", "dead", "--account", "main", "--yes"]).await.ok();
    assert_eq!(dead(bench.deliveries().await), 0);
}

#[tokio::test]
async fn dead_letters_of_a_removed_destination_are_moved_to_another() {
    let mut bench = real().await;
    for uuid in ["a", "b"] {
        bench.review(uuid, GOOGLE_NL, 1.0, "Slecht");
        bench.inbox.answer(SUPPORT, Answer::status(404, "no_active_hooks"));
    }
    bench.once().await;
    let second = "[destinations.second]\ntype = \"webhook\"\nurl = \"INBOX/webhook/second\"\n";
    let (_, after) = bench.rest.split_once("[destinations.crm]").unwrap();
    bench.rest =
        format!("{second}[destinations.crm]{after}").replace("to = [\"support\"]", "to = [\"second\"]");
    bench.once().await;
    // Ten minutes later they are dead letters.
    let store = bench.store().await;
    let later = bench.clock.now().plus(Duration::from_secs(10 * 60));
    store.dead_letter_orphans(&["crm".into(), "second".into()], later).await.unwrap();
    store.close().await;
    let id = id_of(&bench, "a", "support").await;
    let text = refused(&bench, 1, &["deliveries", "retry", &id]).await;
    let expected = format!(
        "`support` is no longer in the configuration; send it to another one with \
         `review-bridge deliveries retry {id} --to NAME`"
    );
    assert!(text.contains(&expected), "{text}");
    let to_second = ["deliveries", "retry", "--state", "dead", "--destination", "support", "--to", "second"];
    let text = refused(&bench, 2, &to_second).await;
    assert!(text.contains("move 2 deliveries to `second`"), "{text}");
    let out = beside(&bench, &[&to_second[..], &["--yes"]].concat()).await.ok().out;
    assert!(out.starts_with("2 deliveries moved to `second`\n"), "{out}");
    assert_eq!(state_of(&bench, &id).await, DeliveryState::Discarded);
    assert!(bench.marked().is_empty(), "they are not told yet");
    bench.once().await;
    assert_eq!(bench.told("second").into_iter().collect::<Vec<_>>(), [("a".into(), 1), ("b".into(), 1)]);
    let mut marked = bench.marked();
    marked.sort();
    assert_eq!(marked, ["a", "b"]);
    // Where it is a dead letter, it is not moved to.
    let bench = with_dead(&["c"]).await;
    let id = id_of(&bench, "c", "support").await;
    let text = refused(&bench, 1, &["deliveries", "retry", &id, "--to", "support"]).await;
    assert!(text.contains("leave out --to"), "{text}");
}

#[tokio::test]
async fn what_is_sent_once_more_says_that_it_is_a_repeat_and_bears_the_same_id() {
    let bench = real().await;
    bench.review("a", GOOGLE_NL, 5.0, "Mooi");
    bench.once().await;
    let id = id_of(&bench, "a", "crm").await;
    let process = running(&bench).await;
    let out = beside(&bench, &["deliveries", "resend", &id]).await.ok().out;
    assert!(out.starts_with("1 delivery will be sent again, marked as a repeat\n"), "{out}");
    until("it is sent", LONG, || bench.webhook("crm").len() == 2).await;
    assert!(process.terminate().await.success());
    let repeats: Vec<bool> =
        bench.webhook("crm").iter().map(|body| body["data"]["repeat"].as_bool().unwrap()).collect();
    assert_eq!(repeats, [false, true]);
    let received = bench.inbox.received_at("/webhook/crm");
    assert_eq!(received[0].headers["webhook-id"], received[1].headers["webhook-id"]);
    assert_eq!(bench.marked(), ["a"], "once");
}

#[tokio::test]
async fn what_is_discarded_is_settled_and_its_review_marked_read() {
    let bench = with_dead(&["a"]).await;
    let store = bench.store().await;
    store.pause_for_test("support").await;
    bench.review("b", GOOGLE_NL, 1.0, "Slecht");
    bench.once().await;
    assert!(bench.marked().is_empty());
    // One is being sent right now.
    let pending = id_of(&bench, "b", "support").await;
    let request = LeaseRequest {
        destination: "support".into(),
        limit: 1,
        without_reviews: false,
        is_probe: false,
        only: None,
        except: Vec::new(),
        hold: Duration::from_secs(40),
    };
    let now = bench.clock.now();
    store.lease(&[request], now, "test").await.unwrap();
    let text = refused(&bench, 1, &["deliveries", "discard", &pending]).await;
    assert!(text.contains("it is being sent right now"), "{text}");
    store.recover(now).await.unwrap();
    store.close().await;
    let out = beside(&bench, &["deliveries", "discard", "--destination", "support", "--yes"]).await.ok().out;
    assert!(out.starts_with("2 deliveries discarded\n") && out.contains("will be marked read"), "{out}");
    bench.once().await;
    let mut marked = bench.marked();
    marked.sort();
    assert_eq!(marked, ["a", "b"]);
    assert_eq!(bench.slack("support").len(), 2, "nothing more was sent");
}

#[tokio::test]
async fn what_is_in_the_way_of_a_retry_is_said_with_what_to_do() {
    let bench = with_dead(&["a", "b"]).await;
    let store = bench.store().await;
    store.pause_for_test("support").await;
    let id = id_of(&bench, "a", "support").await;
    let out = beside(&bench, &["deliveries", "retry", &id]).await.ok().out;
    let paused = "`support` is paused; deliveries stay pending until you run `review-bridge destinations resume support`";
    assert!(out.contains(paused), "{out}");
    store.resume_for_test("support").await;
    bench.inbox.answer(SUPPORT, Answer::status(404, "no_active_hooks"));
    bench.once().await;
    let id = id_of(&bench, "b", "support").await;
    let out = beside(&bench, &["deliveries", "retry", &id]).await.ok().out;
    assert!(out.contains("`support` is broken (") && out.contains("destinations resume support"), "{out}");
    store.close().await;
}

#[tokio::test]
async fn a_retried_member_of_a_digest_waits_for_the_next_one() {
    let mut bench = Bench::new().await;
    bench.rest =
        "[http]\nlisten = \"\"\n[destinations.owner]\ntype = \"webhook\"\nurl = \"INBOX/webhook/owner\"\n\
                  digest = { schedule = \"0 8 * * *\" }\n[[rules]]\nname = \"all\"\nto = [\"owner\"]\n"
            .into();
    bench.review("a", GOOGLE_NL, 1.0, "Slecht");
    bench.once().await;
    bench.inbox.answer_all("/webhook/owner", Answer::status(400, "no"));
    bench.clock.advance(Duration::from_secs(24 * 3600));
    bench.once().await;
    let id = id_of(&bench, "a", "owner").await;
    assert_eq!(state_of(&bench, &id).await, DeliveryState::Dead);
    let Ran { out, .. } = beside(&bench, &["deliveries", "retry", &id]).await.ok();
    assert!(out.contains("`owner` sends digests; this goes into the next one"), "{out}");
    assert!(out.contains("next digest"), "{out}");
    let sent = bench.webhook("owner").len();
    bench.inbox.answer_all("/webhook/owner", Answer::status(200, ""));
    bench.once().await;
    assert_eq!(bench.webhook("owner").len(), sent);
    bench.clock.advance(Duration::from_secs(24 * 3600));
    bench.once().await;
    let digest = bench.webhook("owner").pop().unwrap();
    assert_eq!(digest["data"]["reviews"][0]["review"]["uuid"], "a");
    assert_eq!(bench.marked(), ["a"]);
    // Its destination has no digest any more: what waits for one is sent by itself.
    bench.review("b", GOOGLE_NL, 1.0, "Slecht");
    bench.inbox.answer_all("/webhook/owner", Answer::status(400, "no"));
    bench.clock.advance(Duration::from_secs(24 * 3600));
    bench.once().await;
    bench.rest = bench.rest.replace("digest = { schedule = \"0 8 * * *\" }\n", "");
    bench.inbox.answer_all("/webhook/owner", Answer::status(200, ""));
    let id = id_of(&bench, "b", "owner").await;
    let ran = beside(&bench, &["deliveries", "retry", &id, "--json"]).await.ok().json();
    assert!(ran["done"][0]["message_id"].is_string(), "{ran}");
}
