//! What people read when something goes wrong with the API, with a destination, or for longer: each kind of
//! trouble, and the words for it.

use crate::harness::process::{command, run};
use crate::harness::*;
use review_bridge::domain::{Catalog, Named, Source, Timestamp};
use review_bridge::operator::Operator;
use review_bridge::sandbox::{Answer, Fault, Options};
use review_bridge::store::Store;
use review_bridge::upstream::{Endpoint, ErrorName};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

async fn bridge(bench: &Bench, arguments: &[&str]) -> (i32, String) {
    let mut command = command(bench);
    command.arg("--config").arg(bench.write_config()).args(arguments);
    run(command).await
}

fn status(code: u16, headers: &[(&str, &str)], body: &str) -> Fault {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Fault::Status { code, headers, body: body.into() }
}

#[tokio::test]
async fn each_failure_of_the_api_has_its_words_loses_nothing_and_tells_nothing_twice() {
    let mut bench = Bench::real(Options::default()).await;
    bench.rest.insert_str(0, "[http]\nlisten = \"\"\n");
    for index in 0..5 {
        bench.review(&format!("r{index}"), GOOGLE_NL, 1.0, "Slecht");
    }
    let elsewhere = [("location", "https://elsewhere.example/")];
    let endpoint = "check `accounts.main.endpoints.unread_reviews` (currently `reviews/unread`)";
    let cases = [
        (Fault::Unauthenticated, "(400: Unauthenticated.): generate a new one"),
        (Fault::status(500, ""), "failed (500)"),
        (Fault::status(503, "<html>upstream</html>"), "failed (503: an HTML page)"),
        (Fault::Html, "an HTML page"),
        (status(200, &[], "{\"data\": [{\"uuid\": \"r"), "JSON that is cut off"),
        (status(200, &[], "{\"data\": [}"), "JSON that is broken"),
        (Fault::ErrorUnder200, "with status 200: request is invalid #473298"),
        (Fault::Cut, "the answer was cut off or unreadable"),
        (Fault::Reset, "the connection was lost"),
        (status(302, &elsewhere, ""), "redirects are never followed: set `base_url`"),
        (Fault::status(404, "{\"message\":\"Not found\"}"), endpoint),
    ];
    for (fault, words) in cases {
        bench.sandbox.fault(Endpoint::UnreadReviews, fault.clone());
        let (code, said) = bridge(&bench, &["run", "--once"]).await;
        assert_eq!(code, 1, "{fault:?}: {said}");
        let told = said
            .lines()
            .any(|line| line.starts_with("polling account `main` failed: ") && line.contains(words));
        assert!(told, "{fault:?}: `{words}` is not in: {said}");
    }
    // What was read before an answer was cut off is sent, and as the rest: once.
    // A pause that the API asks for is kept, and is no failure.
    bench.sandbox.fault(Endpoint::UnreadReviews, status(429, &[("retry-after", "1")], ""));
    let (code, said) = bridge(&bench, &["run", "--once"]).await;
    assert_eq!(code, 0, "{said}");
    assert_eq!((bench.told("crm").len(), bench.slack("support").len()), (5, 5));
    assert!(bench.told("crm").values().all(|times| *times == 1));
    // A page beyond what may be read.
    bench.account = "max_page_bytes = 1024".into();
    bench.review("large", GOOGLE_NL, 1.0, &"Slecht ".repeat(1000));
    let (code, said) = bridge(&bench, &["run", "--once"]).await;
    assert!(code == 1 && said.contains("the answer is larger than `max_page_bytes` (1024 bytes)"), "{said}");
}

#[tokio::test]
async fn each_failure_of_a_destination_has_its_words() {
    let mut bench = Bench::real(Options::default()).await;
    bench.rest =
        format!("[http]\nlisten = \"\"\n{USUAL}").replace("rate_limit", "timeout = \"1s\"\nrate_limit");
    let answer = |code: u16, headers: &[(&str, &str)]| match status(code, headers, "") {
        Fault::Status { code, headers, body } => Answer::Status { code, headers, body },
        _ => unreachable!(),
    };
    let elsewhere = [("location", "https://elsewhere.example/hook")];
    let new_url = "put the new URL into `destinations.crm.url`";
    let cases = [
        (answer(400, &[]), ["refused the message (400)", "a dead letter"]),
        (answer(413, &[]), ["refused the message as too large (413)", "a single review is shortened"]),
        (answer(402, &[]), ["asks for payment (402)", "pending messages are then sent automatically"]),
        (answer(407, &[]), ["A proxy on the way", "pending messages are then sent automatically"]),
        (answer(509, &[]), ["The sending limit of", "tried every hour"]),
        (answer(429, &[]), ["asked to slow down (429)", "retried automatically"]),
        (answer(500, &[]), ["failed (500)", "retried automatically"]),
        (Answer::Reset, ["was lost before it answered", "The message may have arrived"]),
        (Answer::Slow, ["did not answer within 1s", "The message may have arrived"]),
        (answer(401, &[]), ["denied access (401)", new_url]),
        (answer(404, &[]), ["found nothing at this URL (404)", new_url]),
        (answer(410, &[]), ["reports that this URL no longer exists (410)", new_url]),
        (
            answer(302, &elsewhere),
            ["redirects to elsewhere.example (302). Redirects are never followed", new_url],
        ),
    ];
    for (answer, words) in cases {
        bench.inbox.answer("/webhook/crm", answer.clone());
        let (code, said) = bridge(&bench, &["destinations", "test", "crm"]).await;
        assert_eq!(code, 1, "{answer:?}: {said}");
        for word in words {
            assert!(said.contains(word), "{answer:?}: `{word}` is not in: {said}");
        }
    }
}

/// A catalog with one source that ShopReviews should have read two days ago.
fn stale(now: Timestamp) -> Catalog {
    let two_days_ago = now.minus(Duration::from_secs(2 * 86_400));
    let source = Source {
        named: Named { uuid: "s1".into(), name: "Kiyoh Amsterdam".into() },
        url: None,
        review_link: None,
        platform_uuid: None,
        website_uuids: Vec::new(),
        last_sync_at: Some(two_days_ago),
        next_sync_at: Some(two_days_ago),
        average: None,
        reviews: None,
    };
    Catalog { sources: BTreeMap::from([("s1".into(), source)]), ..Catalog::default() }
}

#[tokio::test]
async fn each_trouble_is_told_to_the_operator_with_what_to_do_and_so_is_its_end() {
    let mut bench = Bench::new().await;
    bench.rest += "[destinations.ops]\ntype = \"webhook\"\nurl = \"INBOX/webhook/ops\"\n\
        [destinations.people]\ntype = \"slack\"\nwebhook_url = \"INBOX/slack/people\"\nrate_limit = \"99/s\"\n\
        [operator]\nnotify = [\"ops\", \"people\"]\n";
    bench.review("a", GOOGLE_NL, 1.0, "Slecht");
    bench.sandbox.add_raw("{\"rating\": 1}");
    bench.inbox.answer_all("/slack/support", Answer::status(403, "invalid_token"));
    bench.inbox.answer_all("/webhook/crm", Answer::status(422, "no"));
    bench.once().await;
    bench.once().await;
    bench.clock.advance(Duration::from_secs(15 * 60));
    let now = bench.clock.now();
    let store = Arc::new(bench.store().await);
    let before = now.minus(Duration::from_secs(10 * 60));
    store.poll_failed("refused", ErrorName::Unauthenticated, "Unauthenticated.", before).await.unwrap();
    for _ in 0..5 {
        store.poll_failed("down", ErrorName::Unavailable, "the API failed (503)", before).await.unwrap();
    }
    let tomorrow = now.plus(Duration::from_secs(86_400));
    store.save_token_expiry("soon", Some(tomorrow)).await.unwrap();
    store.save_catalog("late", &stale(now), now).await.unwrap();
    let none: [(String, String); 0] = [];
    let loaded = review_bridge::config::load(Some(&bench.write_config()), none, bench.folder.path()).unwrap();
    let targets = review_bridge::app::build_targets(&loaded.settings).unwrap();
    let notify = &loaded.settings.operator.notify;
    let mut operator = Operator::new(store.clone());
    operator.template_failed("crm", "templates/webhook/review.json: no such name");
    operator.tick(notify, &targets, now).await.unwrap();
    bench.once().await;

    let token = "Generate API token";
    let expected = [
        ("token_refused", "ShopReviews refuses the token of account `refused`", token),
        ("polls_failing", "reviews of account `down` cannot be read since", "review-bridge check"),
        ("token_expiring", "the token of account `soon` expires at", token),
        ("source_stale", "source `Kiyoh Amsterdam` of account `late`", "connected again"),
        ("destination_broken", "destination `support` has been broken since", "destinations resume support"),
        ("dead_letters", "1 message to `crm` could not be delivered", "deliveries list --state dead"),
        (
            "malformed_reviews",
            "1 item of account `main` without a usable uuid",
            "reviews list --state malformed",
        ),
        (
            "template_failed",
            "a template of `crm` failed, so the built-in plain form was sent",
            "fix the template",
        ),
    ];
    let notices: Vec<serde_json::Value> = bench.webhook("ops");
    let shown: Vec<String> = bench.slack("people").into_iter().map(|message| message.body).collect();
    for (kind, text, hint) in expected {
        let of: Vec<_> = notices.iter().filter(|notice| notice["data"]["kind"] == kind).collect();
        let [notice] = of.as_slice() else { panic!("{kind}: {notices:#?}") };
        assert_eq!(notice["data"]["state"], "started");
        let said = |key: &str| notice["data"][key].as_str().unwrap().to_owned();
        assert!(said("text").contains(text), "{kind}: {}", said("text"));
        assert!(said("hint").contains(hint), "{kind}: {}", said("hint"));
        // What is broken or unreadable does not tell of itself; people read the same words, as a sentence.
        let words = text.split('`').next().unwrap().get(1..).unwrap();
        assert!(shown.iter().any(|body| body.contains(words)), "{kind}: `{words}` is not in {shown:#?}");
    }
    assert_eq!(notices.len(), expected.len(), "{notices:#?}");

    store.save_token_expiry("soon", None).await.unwrap();
    operator.tick(notify, &targets, bench.clock.now()).await.unwrap();
    bench.once().await;
    let notices = bench.webhook("ops");
    let last = &notices.last().unwrap()["data"];
    assert_eq!((&last["kind"], &last["state"]), (&"token_expiring".into(), &"over".into()));
    let alarm = notices.iter().find(|notice| notice["data"]["kind"] == "token_expiring").unwrap();
    assert_ne!(last["text"], alarm["data"]["text"], "an end has words of its own");
    assert_eq!(last["hint"], "");
}

#[tokio::test]
async fn without_an_operator_check_and_run_warn() {
    let mut bench = Bench::real(Options::default()).await;
    bench.rest.insert_str(0, "[http]\nlisten = \"\"\n");
    let warning = "nobody is notified of problems: add destinations to `operator.notify`";
    for arguments in [&["run", "--once"][..], &["check"]] {
        let (code, said) = bridge(&bench, arguments).await;
        assert_eq!(code, 0, "{said}");
        // `check` breaks the line between what is wrong and what to do.
        assert!(warning.split(": ").all(|part| said.contains(part)), "{arguments:?}: {said}");
    }
    bench.rest += "[operator]\nnotify = [\"crm\"]\n";
    let (code, said) = bridge(&bench, &["run", "--once"]).await;
    assert!(code == 0 && !said.contains("nobody is notified"), "{said}");
}
