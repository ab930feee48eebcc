//! `status`.

use super::{CONFIG, Place, beside, seed};
use crate::harness::{Bench, GOOGLE_NL};
use review_bridge::sandbox::Options;
use review_bridge::store::sqlite::{Access, SqliteStore};

/// What a command printed as JSON that ended with 1.
async fn not_ok(place: &Place, arguments: &[&str]) -> serde_json::Value {
    let ran = place.run(arguments).await;
    assert_eq!(ran.code, 1, "{arguments:?}: {}{}", ran.out, ran.err);
    ran.json()
}

// first-use 3
#[tokio::test]
async fn without_a_process_the_last_run_once_is_the_verdict() {
    let bench = Bench::real(Options::default()).await;
    bench.review("a", GOOGLE_NL, 5.0, "x");
    let short = &["status", "--short"];
    let before = beside(&bench, short).await;
    assert!(before.code == 1 && before.out.starts_with("NOT RUNNING: "), "{}", before.out);
    assert_eq!(beside(&bench, &["run", "--once"]).await.code, 0);
    let after = beside(&bench, short).await;
    assert_eq!((after.code, after.out.as_str()), (0, "OK\n"));
    bench.sandbox.revoke_tokens();
    assert_eq!(beside(&bench, &["run", "--once"]).await.code, 1);
    let failed = beside(&bench, short).await;
    assert_eq!((failed.code, failed.out.lines().count()), (1, 1), "{}", failed.out);
    for words in ["DEGRADED: the last `run --once`", "failed", "refuses the token of account `main`"] {
        assert!(failed.out.contains(words), "{words}: {}", failed.out);
    }
    let json = beside(&bench, &["status", "--short", "--json"]).await;
    assert_eq!((json.code, &json.json()["verdict"]), (1, &"degraded".into()));
}

#[tokio::test]
async fn without_a_state_it_says_so_and_makes_none() {
    let place = Place::new(CONFIG);
    let out = place.fails(1, &["status"]).await;
    for expected in
        ["start it with `review-bridge run`", "does not exist yet", "polled        never", "no problems"]
    {
        assert!(out.contains(expected), "{expected}: {out}");
    }
    assert!(out.starts_with("NOT RUNNING: it was never started"), "{out}");
    let json = not_ok(&place, &["status", "--json"]).await;
    assert_eq!((&json["running"], &json["state"]["exists"]), (&false.into(), &false.into()));
    assert_eq!((&json["verdict"], &json["warnings"]), (&"not_running".into(), &serde_json::json!([])));
    assert_eq!(json["accounts"][0]["last_poll_at"], serde_json::Value::Null);
    assert!(!place.state().exists());
}

#[tokio::test]
async fn what_is_in_the_way_is_said_with_what_to_do() {
    let place = Place::new(&CONFIG.replace("Kiyoh = 10", "Kiyoh = 8"));
    seed(&place).await;
    let out = place.fails(1, &["status"]).await;
    assert!(out.starts_with("NOT RUNNING: nothing runs with this state"), "{out}");
    for expected in [
        "polled        ",
        "FAILED: Unauthenticated.",
        "2 in the last complete listing",
        "3 matched, 1 unmatched, 1 malformed",
        "1 website, 1 source, 1 platform",
        "unread-reviews verified",
        "mark-review-read unverified",
        "STALE, was due",
        "accounts.main.rating_scales = { \"Kiyoh\" = 10 }",
        "broken",
        "problems:",
        "ShopReviews refuses the login of account `other`",
        "deliveries list --state dead --destination support",
    ] {
        assert!(out.contains(expected), "{expected}: {out}");
    }
    let json = not_ok(&place, &["status", "--json"]).await;
    let main = &json["accounts"][0];
    assert_eq!(
        (&main["name"], &main["unread"], &main["failed_polls"]),
        (&"main".into(), &2.into(), &0.into())
    );
    assert_eq!(main["reviews"], serde_json::json!({"matched": 3, "unmatched": 1, "malformed": 1}));
    assert_eq!(
        main["endpoints"][0],
        serde_json::json!({"endpoint": "unread-reviews", "state": "verified", "error": null})
    );
    assert_eq!(main["endpoints"][4]["state"], "unverified");
    assert_eq!(
        (&main["sources"][0]["stale"], &main["websites"][0]["stale_sources"]),
        (&true.into(), &1.into())
    );
    assert_eq!(main["ratings_above_scale"], serde_json::json!({"Kiyoh": 1}));
    assert_eq!(json["accounts"][1]["last_error_kind"], "unauthenticated");
    assert_eq!(json["destinations"][0]["state"], "broken");
    let kinds: Vec<&str> =
        json["troubles"].as_array().unwrap().iter().map(|one| one["kind"].as_str().unwrap()).collect();
    assert!(kinds.contains(&"token_refused") && kinds.contains(&"source_stale"), "{kinds:?}");
}

#[tokio::test]
async fn one_account_and_the_process_that_runs() {
    let place = Place::new(CONFIG);
    seed(&place).await;
    let owner = SqliteStore::open(&place.state(), Access::Own).await.unwrap();
    let json = not_ok(&place, &["status", "--account", "other", "--json"]).await;
    assert_eq!(json["verdict"], "degraded");
    assert_eq!((&json["running"], &json["process"]), (&true.into(), &std::process::id().into()));
    assert_eq!(json["accounts"].as_array().unwrap().len(), 1);
    let out = place.fails(1, &["status", "--account", "other"]).await;
    assert!(out.starts_with("DEGRADED: "), "{out}");
    assert!(out.contains(&format!("is running (process {})", std::process::id())), "{out}");
    drop(owner);
    let text = place.fails(2, &["status", "--account", "mian"]).await;
    assert_eq!(text, "error: unknown account `mian`; did you mean `main`?\n");
}
