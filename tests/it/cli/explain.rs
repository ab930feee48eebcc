//! `explain`.

use super::{CONFIG, HOSTILE, Place, seed};

#[tokio::test]
async fn a_described_review_is_explained_without_state_or_network() {
    let place = Place::new(CONFIG);
    let arguments =
        ["explain", "--rating", "4", "--platform", "kiyoh", "--website", "Shop NL", "--text", HOSTILE_WORD];
    let out = place.run(&arguments).await.ok().out;
    for expected in [
        "rating        2 (4/10)",
        "matches        unhappy -> support",
        "when max_rating            yes      rating 2 (4/10) is at most 2",
        "goes to: support, crm",
    ] {
        assert!(out.contains(expected), "{expected}: {out}");
    }
    let json = place.run(&[&arguments[..], &["--json"]].concat()).await.ok().json();
    assert_eq!(json["goes_to"], serde_json::json!(["support", "crm"]));
    assert_eq!(json["rules"][0]["conditions"][0]["truth"], "yes");
    assert_eq!((&json["review"]["rating"], &json["state"]), (&2.0.into(), &serde_json::Value::Null));
    // An edited text reacts to nothing here: nowhere is an answer too.
    let out = place.run(&["explain", "--rating", "1", "--change", "text"]).await.ok().out;
    assert!(out.ends_with("goes nowhere: no rule matches\n"), "{out}");
    // What is left out is unknown, on the scale of the account.
    let out = place.run(&["explain", "--rating", "-1", "--account", "other", "--text", "-"]).await.ok().out;
    assert!(out.contains("rating        unknown (-1/5)"), "{out}");
    assert!(!place.state().exists());
}

// first-use 2, 12; J2, J24
#[tokio::test]
async fn a_described_review_says_what_is_wrong_with_its_names_and_rating() {
    let place = Place::new(CONFIG);
    seed(&place).await;
    let out = place.run(&["explain", "--rating", "4/10", "--website", "Shopp"]).await.ok().out;
    for expected in
        ["rating        2 (4/10)", "scale         10", "no website is called `Shopp`", "`Shop NL`"]
    {
        assert!(out.contains(expected), "{expected}: {out}");
    }
    let out = place.run(&["explain", "--rating", "4", "--website", "shop&nbsp;NL"]).await.ok().out;
    assert!(!out.contains("no website"), "{out}");
    let out = place.run(&["explain", "--rating", "4", "--platform", "WebwinkelKeur"]).await.ok().out;
    assert!(out.contains("10: the platform documents it"), "{out}");
    let out = place.run(&["explain", "--rating", "super"]).await.ok().out;
    assert!(out.contains("rating `super` is unknown; write a number such as 4, 4/10"), "{out}");
    for wrong in ["true", "4/0", "x/10"] {
        place.fails(2, &["explain", "--rating", wrong]).await;
    }
}

const HOSTILE_WORD: &str = "\u{1b}[31mred\u{202e}";

#[tokio::test]
async fn a_review_in_state_is_explained_with_what_became_of_it() {
    let place = Place::new(CONFIG);
    seed(&place).await;
    let out = place.run(&["explain", "--uuid", "told"]).await.ok().out;
    for expected in
        ["websites      Shop NL", "goes to: support, crm", "state         matched", "delivered", "pending"]
    {
        assert!(out.contains(expected), "{expected}: {out}");
    }
    let json = place.run(&["explain", "--uuid", "told", "--json"]).await.ok().json();
    assert_eq!(json["review"]["text"], HOSTILE);
    assert_eq!((&json["state"], json["deliveries"].as_array().map(Vec::len)), (&"matched".into(), Some(2)));
    let text = place.fails(1, &["explain", "--uuid", "gone"]).await;
    assert!(text.contains("no review `gone` in the database"), "{text}");
    let text = place.fails(1, &["explain", "--uuid", "sha256:f00d"]).await;
    assert!(text.contains("is malformed"), "{text}");
}

#[tokio::test]
async fn a_review_in_a_file_is_read_as_the_api_lists_it() {
    let place = Place::new(CONFIG);
    let write = |contents: &str| std::fs::write(place.folder.path().join("review.json"), contents).unwrap();
    let item = r#"{"uuid": "a", "rating": "2", "body": "Kapot\u001b[31m", "source_uuid": "s1", "email": "who@example.org"}"#;
    write(item);
    let out = place.run(&["explain", "--file", "review.json"]).await.ok().out;
    assert!(out.contains("have not been loaded yet") && out.contains("goes to: support, crm"), "{out}");
    seed(&place).await;
    write(&format!("{{\"data\": {item}}}"));
    let out = place.run(&["explain", "--file", "review.json"]).await.ok().out;
    assert!(out.contains("rating        1 (2/10)") && out.contains("platform      Kiyoh"), "{out}");
    assert!(!out.contains("who@example.org"), "{out}");
    for (contents, said) in [
        ("{\"rating\": 1}", "`uuid` is missing"),
        ("not JSON", "not an object"),
        ("[{\"uuid\": \"a\"}]", "contains a list"),
        ("\u{0}\u{1b}", "not an object"),
    ] {
        write(contents);
        let text = place.fails(1, &["explain", "--file", "review.json"]).await;
        assert!(text.contains(said), "{said}: {text}");
    }
    let text = place.fails(1, &["explain", "--file", "missing.json"]).await;
    assert!(text.contains("cannot read `missing.json`: no such file"), "{text}");
}

#[tokio::test]
async fn what_cannot_be_asked_is_a_usage_error() {
    let place = Place::new(CONFIG);
    for (arguments, said) in [
        (&["explain"][..], "no review given"),
        (&["explain", "--uuid", "a", "--rating", "1"], "cannot be used with"),
        (&["explain", "--uuid", "a", "--file", "b"], "cannot be used with"),
        (&["explain", "--rating", "1", "--account", "mian"], "did you mean `main`?"),
        (&["explain", "--reviewed-at", "yesterday"], "expected a date"),
        (&["explain", "--change", "edited"], "text_added"),
    ] {
        let text = place.fails(2, arguments).await;
        assert!(text.contains(said), "{said}: {text}");
    }
}
