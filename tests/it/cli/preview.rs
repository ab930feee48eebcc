//! `preview`: what would be sent, and nothing sent.

use super::{CONFIG, Place, seed};
use serde_json::json;

const MAIL: &str = r#"
[smtp]
host = "127.0.0.1"
port = 9
tls = "none"
from = "Reviews <reviews@shop.example>"
[destinations.owner]
type = "email"
to = ["owner@shop.example"]
"#;

#[tokio::test]
async fn a_described_review_is_shown_as_it_would_be_sent() {
    let place = Place::new(CONFIG);
    let arguments =
        ["preview", "support", "--rating", "1", "--website", "Shop NL", "--text", "Kapot <!here>"];
    let out = place.run(&arguments).await.ok().out;
    for expected in
        ["destination   support", "1 of 5 stars · Shop NL", "Kapot <!here>", "Kapot &lt;!here&gt;", "unhappy"]
    {
        assert!(out.contains(expected), "{expected}: {out}");
    }
    let json = place.run(&[&arguments[..], &["--json"]].concat()).await.ok().json();
    assert_eq!((&json["kind"], &json["media_type"]), (&json!("review"), &json!("application/json")));
    assert!(json["payload"]["blocks"].is_array() && json["note"].is_null(), "{json}");
    let plain = place.run(&[&arguments[..], &["--plain", "--json"]].concat()).await.ok().json();
    assert!(plain["payload"]["blocks"].is_null(), "{plain}");
    let nowhere = place.run(&["preview", "support", "--rating", "5", "--json"]).await.ok().json();
    assert_eq!(nowhere["note"], "no rule sends this review to this destination");
    assert!(!place.state().exists(), "looking makes no state");
}

#[tokio::test]
async fn digests_and_summaries_hold_what_is_in_state_or_what_is_invented() {
    let place = Place::new(CONFIG);
    let json = place.run(&["preview", "crm", "--digest", "--json"]).await.ok().json();
    assert_eq!(json["payload"]["type"], "digest.created");
    assert!(json["note"].as_str().unwrap().contains("invented"), "{json}");
    seed(&place).await;
    let json = place.run(&["preview", "crm", "--summary", "--json"]).await.ok().json();
    assert_eq!((&json["payload"]["type"], &json["note"]), (&json!("summary.created"), &json!(null)));
    let reviews = json["payload"]["data"]["reviews"].as_array().unwrap();
    assert!(reviews.iter().any(|one| one["review"]["uuid"] == "told"), "{json}");
    for (kind, symbol) in [("--operator", "Trouble: destination broken"), ("--test", "Test message")] {
        let out = place.run(&["preview", "support", kind]).await.ok().out;
        assert!(out.contains(symbol), "{out}");
    }
}

#[tokio::test]
async fn a_mail_is_shown_as_text_and_written_as_html() {
    let place = Place::new(&format!("{CONFIG}{MAIL}"));
    let arguments = ["preview", "owner", "--rating", "2", "--text", "Kapot", "--html", "mail.html"];
    let out = place.run(&arguments).await.ok().out;
    for expected in ["to            owner@shop.example", "> Kapot", "HTML          mail.html"] {
        assert!(out.contains(expected), "{expected}: {out}");
    }
    let html = std::fs::read_to_string(place.folder.path().join("mail.html")).unwrap();
    assert!(html.starts_with("<!doctype html>") && html.contains("Kapot"));
    let text = place.fails(2, &["preview", "support", "--html", "x.html"]).await;
    assert!(text.contains("has no HTML"), "{text}");
    let text = place.fails(2, &["preview", "suport"]).await;
    assert!(text.contains("did you mean `support`?"), "{text}");
}

#[tokio::test]
async fn templates_of_a_name_are_used_where_they_are_named() {
    let place = Place::new(&format!(
        "templates_dir = \"templates\"\n{}",
        CONFIG.replace("type = \"slack\"\n", "type = \"slack\"\ntemplate = \"brief\"\n")
    ));
    let text = place.fails(2, &["preview", "support"]).await;
    assert!(text.contains("templates"), "the folder is not there: {text}");
    let folder = place.folder.path().join("templates/slack/brief");
    std::fs::create_dir_all(place.folder.path().join("templates")).unwrap();
    let text = place.fails(2, &["preview", "support"]).await;
    assert!(
        text.contains("destinations.support.template: there are no templates `brief` of slack"),
        "{text}"
    );
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("review.json"), r#"{"text": "Brief: {{shown.rating}}"}"#).unwrap();
    let json = place.run(&["preview", "support", "--rating", "1", "--json"]).await.ok().json();
    assert_eq!(json["payload"]["text"], "Brief: 1 of 5 stars");
    let json = place.run(&["preview", "support", "--test", "--json"]).await.ok().json();
    assert!(json["payload"]["blocks"].is_array(), "what it has no template for is as usual");
    std::fs::write(folder.join("review.json"), r#"{"text": "{{shwn.rating}}"}"#).unwrap();
    let text = place.fails(2, &["preview", "support"]).await;
    assert!(text.contains("slack/brief/review.json:1:11: `shwn.rating` is not known here"), "{text}");
}
