//! `reviews` and `deliveries`.

use super::{CONFIG, Place, seed};

#[tokio::test]
async fn an_empty_ledger_says_what_to_do_and_makes_no_state() {
    let place = Place::new(CONFIG);
    for (arguments, said) in [
        (&["reviews", "list"][..], "no reviews yet; the first poll of `review-bridge run` brings them"),
        (
            &["deliveries", "list"],
            "no deliveries yet; `review-bridge run` creates them when a review matches a rule",
        ),
        (&["deliveries", "list", "--state", "dead"], "no matching deliveries"),
        (&["reviews", "list", "--state", "held"], "no matching reviews"),
    ] {
        assert_eq!(place.run(arguments).await.ok().out, format!("{said}\n"));
        let json = [arguments, &["--json"]].concat();
        assert_eq!(place.run(&json).await.ok().json(), serde_json::json!([]));
    }
    assert!(!place.state().exists());
}

#[tokio::test]
async fn reviews_are_listed_and_shown_without_what_controls_a_terminal() {
    let place = Place::new(CONFIG);
    seed(&place).await;
    let list = place.run(&["reviews", "list"]).await.ok().out;
    assert_eq!(list.lines().count(), 6, "{list}");
    for expected in
        ["REVIEW", "1 (2/10)", "matched", "unmatched", "malformed", "it has no `uuid`", "[31mred]0;title"]
    {
        assert!(list.contains(expected), "{expected}: {list}");
    }
    let json = place.run(&["reviews", "list", "--json", "--state", "matched"]).await.ok().json();
    assert_eq!(json.as_array().unwrap().len(), 3);
    let told = json.as_array().unwrap().iter().find(|one| one["uuid"] == "told").unwrap();
    assert_eq!(told["review"]["rating"], 1.0);
    assert_eq!(told["review"]["rating_native"], 2.0);
    assert_eq!(told["review"]["rating_scale"], 10.0);
    assert_eq!(told["review"]["websites"], serde_json::json!(["Shop NL"]));
    assert_eq!(told["review"]["text"], super::HOSTILE, "JSON keeps it, escaped");
    assert_eq!(told["changed_at"], "2024-03-01T12:00:00Z");
    let shown = place.run(&["reviews", "show", "told"]).await.ok().out;
    for expected in [
        "rating        1 (2/10)",
        "source        Kiyoh Amsterdam",
        "websites      Shop NL",
        "2024-03-01T12:00:00Z",
        "delivered",
        "pending",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let shown = place.run(&["reviews", "show", "told", "--json"]).await.ok().json();
    assert_eq!(shown["revisions"][0]["change"], "new");
    assert_eq!(shown["deliveries"].as_array().unwrap().len(), 2);
    let malformed = place.run(&["reviews", "list", "--state", "malformed", "--json"]).await.ok().json();
    let uuid = malformed[0]["uuid"].as_str().unwrap();
    let shown = place.run(&["reviews", "show", uuid]).await.ok().out;
    assert!(shown.contains("it has no `uuid`") && shown.contains("{\"body\""), "{shown}");
}

#[tokio::test]
async fn deliveries_are_listed_and_shown_with_reasons_and_attempts() {
    let place = Place::new(CONFIG);
    seed(&place).await;
    let list = place.run(&["deliveries", "list"]).await.ok().out;
    assert_eq!(list.lines().count(), 5, "{list}");
    assert!(list.lines().all(|line| line.chars().count() <= 120), "{list}");
    let dead = place.run(&["deliveries", "list", "--state", "dead", "--json"]).await.ok().json();
    assert_eq!(dead.as_array().unwrap().len(), 1);
    assert_eq!((&dead[0]["uuid"], &dead[0]["reason"]), (&"dead".into(), &"payload_refused".into()));
    let id = dead[0]["id"].to_string();
    let shown = place.run(&["deliveries", "show", &id]).await.ok().out;
    for expected in [
        "state         dead (payload_refused)",
        "rule          unhappy: rating is low",
        "attempt 1",
        "status 403",
        "answer: no_service",
    ] {
        assert!(shown.contains(expected), "{expected}: {shown}");
    }
    let shown = place.run(&["deliveries", "show", &id, "--json"]).await.ok().json();
    assert_eq!(shown["attempts"][0]["begun_at"], "2024-03-01T12:00:00Z");
    assert_eq!(shown["rules"][0]["rule"], "unhappy");
    let of_one = place.run(&["deliveries", "list", "--uuid", "told", "--destination", "crm", "--json"]).await;
    assert_eq!(of_one.ok().json().as_array().unwrap().len(), 1);
    let limited = place.run(&["deliveries", "list", "--limit", "2"]).await.ok().out;
    assert!(limited.ends_with("showing the newest 2; use --limit for more\n"), "{limited}");
}

#[tokio::test]
async fn what_does_not_exist_differs_from_what_is_misspelt() {
    let place = Place::new(CONFIG);
    seed(&place).await;
    let text = place.fails(1, &["deliveries", "show", "999"]).await;
    assert_eq!(text, "error: no delivery 999; run `review-bridge deliveries list` to see all\n");
    let text = place.fails(1, &["reviews", "show", "tolt"]).await;
    assert!(text.contains("no review `tolt` in the database"), "{text}");
    let text = place.fails(2, &["deliveries", "list", "--destination", "suport"]).await;
    assert_eq!(text, "error: unknown destination `suport`; did you mean `support`?\n");
    let text = place.fails(2, &["reviews", "list", "--account", "mian"]).await;
    assert_eq!(text, "error: unknown account `mian`; did you mean `main`?\n");
    let text = place.fails(2, &["deliveries", "list", "--state", "gone"]).await;
    assert!(text.contains("superseded"), "{text}");
    place.fails(2, &["deliveries", "show", "x"]).await;
}

#[tokio::test]
async fn what_a_later_version_has_is_refused() {
    let place = Place::new(CONFIG);
    for command in [
        &["simulate", "--since", "30d"][..],
        &["api", "reviews", "--page", "2"],
        &["completions", "bash"],
        &["config", "schema"],
    ] {
        let text = place.fails(2, command).await;
        assert!(text.ends_with("is not in this version\n"), "{command:?}: {text}");
    }
}
