//! `reviews route`, `mark-read` and `forget`, on a real state, beside a bridge that runs and without one.

use super::{beside, refused};
use crate::harness::process::{Process, until};
use crate::harness::*;
use review_bridge::sandbox::{Fault, Options};
use review_bridge::store::{ReviewState, Store};
use review_bridge::upstream::Endpoint;
use serde_json::json;
use std::time::Duration;

const LONG: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(86_400);
/// The rule that is forgotten at first.
const ALL: &str = "[[rules]]\nname = \"all\"\nto = [\"crm\"]\n";

/// A bench for the commands, which go by the machine's clock; only what is bad is told.
async fn real() -> Bench {
    let mut bench = Bench::real(Options::default()).await;
    let (destinations, _) = bench.rest.split_once("[[rules]]\nname = \"all\"").unwrap();
    bench.rest = format!("[http]\nlisten = \"\"\n{destinations}");
    bench
}

/// Starts the bridge and waits until it works.
async fn running(bench: &Bench) -> Process {
    let polls = || bench.sandbox.requests().get(&Endpoint::UnreadReviews).copied().unwrap_or_default();
    let before = polls();
    let process = Process::start(bench, &["run"]);
    until("it polls", LONG, || polls() > before).await;
    process
}

/// Adds a review that is too old to be told.
fn old(bench: &Bench, uuid: &str) {
    bench.sandbox.add(review(uuid, GOOGLE_NL, 1.0, "Oud", bench.clock.now().minus(DAY * 30)));
}

#[tokio::test]
async fn after_a_rule_is_fixed_reviews_are_routed_again() {
    let mut bench = real().await;
    bench.review("a", GOOGLE_NL, 5.0, "Mooi");
    bench.once().await;
    let out = beside(&bench, &["reviews", "route", "a"]).await.ok().out;
    assert!(out.contains("a: matches no rule: `bad`: ") && out.contains("0 deliveries created"), "{out}");
    bench.rest += ALL;
    let dry = beside(&bench, &["reviews", "route", "--unmatched", "--dry-run"]).await.ok().out;
    assert_eq!(dry, "a -> crm (rules: all)\n1 delivery would be created; nothing was changed\n");
    assert!(bench.deliveries().await.is_empty());
    let text = refused(&bench, 1, &["reviews", "route", "--unmatched", "--since", "0s"]).await;
    assert!(text.contains("no matching reviews"), "{text}");
    let process = running(&bench).await;
    let ran =
        beside(&bench, &["reviews", "route", "--unmatched", "--since", "1d", "--json"]).await.ok().json();
    assert_eq!((&ran["running"], &ran["reviews"][0]["uuid"]), (&true.into(), &"a".into()));
    assert_eq!(ran["reviews"][0]["deliveries"][0]["destination"], "crm");
    until("it is told and marked", LONG, || bench.marked() == ["a"]).await;
    assert_eq!(bench.told("crm")["a"], 1);
    assert!(process.terminate().await.success());
    let out = beside(&bench, &["reviews", "route", "a"]).await.ok().out;
    assert!(out.contains("a: already has deliveries to crm; see `review-bridge reviews show a`"), "{out}");
    bench.once().await;
    assert_eq!(bench.told("crm")["a"], 1, "nothing was told twice");
}

#[tokio::test]
async fn what_cannot_be_routed_is_reported_with_the_reason() {
    let mut bench = real().await;
    old(&bench, "one");
    old(&bench, "two");
    bench.sandbox.fault(Endpoint::Sources, Fault::status(500, ""));
    bench.review("held", GOOGLE_NL, 1.0, "Slecht");
    bench.once().await;
    let text = refused(&bench, 1, &["reviews", "route", "one", "held", "none"]).await;
    for expected in [
        "review one: the names of account `main` have not been loaded yet",
        "review held: held until the names of its account are loaded",
        "review none: not in the database",
        "0 deliveries created",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    let text = refused(&bench, 2, &["reviews", "route"]).await;
    assert!(
        text.contains("no reviews selected; pass UUIDs, or select with --unmatched or --remembered"),
        "{text}"
    );
    let text = refused(&bench, 2, &["reviews", "route", "--remembered"]).await;
    assert!(text.contains("confirmation required to re-run the rules on 2 reviews"), "{text}");
    for (wrong, said) in [
        (&["--remembered", "--since", "soon"][..], "expected a duration"),
        (&["--account", "mian"], "`main`"),
    ] {
        let text = refused(&bench, 2, &[&["reviews", "route"], wrong].concat()).await;
        assert!(text.contains(said), "{text}");
    }
    // With names it goes.
    bench.rest += ALL;
    bench.once().await;
    let text = refused(&bench, 0, &["reviews", "route", "--remembered", "--yes"]).await;
    assert!(
        text.contains("one -> support (rules: bad)\n") && text.contains("two -> crm (rules: all)\n"),
        "{text}"
    );
    assert!(
        text.ends_with(
            "4 deliveries created; they will be sent when `review-bridge run` is started (not running now)\n"
        ),
        "{text}"
    );
    bench.once().await;
    assert_eq!(bench.told("crm")["one"], 1);
}

#[tokio::test]
async fn what_was_remembered_is_marked_read_on_demand() {
    let mut bench = real().await;
    for uuid in ["one", "two"] {
        old(&bench, uuid);
    }
    bench.review("fresh", GOOGLE_NL, 5.0, "Mooi");
    bench.once().await;
    let remembered = ["reviews", "mark-read", "--remembered"];
    let text = refused(&bench, 2, &remembered).await;
    assert!(text.contains("confirmation required to mark 2 reviews read in ShopReviews"), "{text}");
    bench.account = "mark_read = \"never\"".into();
    let text = refused(&bench, 1, &remembered).await;
    assert!(text.contains("review one: `accounts.main.mark_read` is \"never\""), "{text}");
    bench.account.clear();
    let process = running(&bench).await;
    let ran = beside(&bench, &[&remembered[..], &["--yes", "--json"]].concat()).await.ok().json();
    assert_eq!((&ran["running"], ran["done"].as_array().unwrap().len()), (&true.into(), 2));
    until("they are marked", LONG, || bench.sandbox.unread() == ["fresh"]).await;
    // A mark is recorded after it was made.
    for _ in 0..600 {
        let rows = bench.reviews().await;
        if ["one", "two"].iter().all(|uuid| rows[*uuid].mark == "done") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(process.terminate().await.success());
    assert!(bench.inbox.received().is_empty(), "told to nobody");
    bench.once().await;
    let text = refused(&bench, 1, &["reviews", "mark-read", "one"]).await;
    assert!(text.contains("review one: it is already marked read"), "{text}");
    let out = beside(&bench, &["reviews", "mark-read", "--unmatched"]).await.ok().out;
    assert!(out.starts_with("1 review will be marked read\n") && out.contains("not running now"), "{out}");
    bench.once().await;
    assert!(bench.sandbox.unread().is_empty());
    assert!(refused(&bench, 1, &remembered).await.contains("nothing was changed"));
}

/// Whether the file of the state, or what lies beside it, holds these bytes.
fn holds(bench: &Bench, text: &str) -> bool {
    std::fs::read_dir(bench.folder.path()).unwrap().any(|entry| {
        let path = entry.unwrap().path();
        let of_state = path.file_name().unwrap().to_str().unwrap().starts_with("review-bridge.db");
        of_state && String::from_utf8_lossy(&std::fs::read(path).unwrap()).contains(text)
    })
}

#[tokio::test]
async fn a_forgotten_review_leaves_the_state_and_is_never_told_again() {
    let mut bench = real().await;
    bench.rest += ALL;
    // Then it stays on the list.
    bench.account = "mark_read = \"never\"".into();
    let text = format!("Geheim-{}-einde", "x".repeat(6000));
    bench.review("secret", GOOGLE_NL, 1.0, &text);
    bench.review("other", GOOGLE_NL, 1.0, "Blijft-staan");
    bench.once().await;
    assert!(holds(&bench, "Geheim-") && holds(&bench, "-einde"));
    let asked = refused(&bench, 2, &["reviews", "forget", "secret"]).await;
    let expected = "permanently erase review secret of account `main`: its rating, text and author, 1 revision, \
                    2 deliveries with all attempts; pass --yes";
    assert!(asked.contains(expected), "{asked}");
    // The text of one is in the file by now; that of the other only in the log that runs ahead of it.
    bench.review("fresh", GOOGLE_NL, 1.0, "Heimelijk");
    let process = Process::start(&bench, &["run"]);
    until("it is told", LONG, || bench.told("crm").contains_key("fresh")).await;
    let out = beside(&bench, &["reviews", "forget", "secret", "--yes"]).await.ok().out;
    assert!(out.starts_with("review secret forgotten; erased: its rating, text and author"), "{out}");
    assert!(out.contains("a tombstone remains") && out.contains("may still arrive"), "{out}");
    beside(&bench, &["reviews", "forget", "fresh", "--yes"]).await.ok();
    // It has no chance to tidy up.
    process.kill();
    for text in ["Geheim-", "-einde", "Heimelijk"] {
        assert!(!holds(&bench, text), "{text}");
    }
    assert!(holds(&bench, "Blijft-staan"));
    assert_eq!(bench.state_of("secret").await, ReviewState::Forgotten);
    let sent = bench.inbox.received().len();
    // Listed again, unchanged and changed, it is nothing.
    bench.once().await;
    bench.sandbox.edit("secret", &json!({ "rating": 2, "body": "Weer-iets" }));
    bench.once().await;
    assert_eq!(bench.inbox.received().len(), sent);
    assert!(!holds(&bench, "Weer-iets"));
    let out = beside(&bench, &["reviews", "forget", "secret"]).await.ok().out;
    assert_eq!(out, "review secret was already forgotten\n");
    let text = refused(&bench, 1, &["reviews", "route", "secret"]).await;
    assert!(text.contains("review secret: it was forgotten and is never delivered again"), "{text}");
    let text = refused(&bench, 1, &["reviews", "forget", "nothing"]).await;
    assert!(text.contains("no review `nothing` in the database"), "{text}");
}

#[tokio::test]
async fn what_waits_of_a_forgotten_review_is_not_sent() {
    let mut bench = real().await;
    bench.rest += ALL;
    let store = bench.store().await;
    store.pause_for_test("crm").await;
    bench.review("a", GOOGLE_NL, 5.0, "Mooi");
    bench.once().await;
    let ran = beside(&bench, &["reviews", "forget", "a", "--yes", "--json"]).await.ok().json();
    assert_eq!((&ran["done"], &ran["removed"]["pending"]), (&true.into(), &1.into()));
    store.resume_for_test("crm").await;
    store.close().await;
    bench.once().await;
    assert!(bench.inbox.received().is_empty() && bench.deliveries().await.is_empty());
}
